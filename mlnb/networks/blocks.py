"""The few modules that torch.nn lacks: small, of plain torch, with a forward that one reads.

`net.code()` prints these classes as they stand here, so none may use anything but torch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


class Residual(nn.Module):
    """The input added to what `body` makes of it (He et al. 2015, arXiv:1512.03385).

    Args:
        body: the layers that are stepped over.
        shortcut: brings the input to the shape of the body's output; `nn.Identity()` where it fits.
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sum of both ways."""
        out: torch.Tensor = self.body(x) + self.shortcut(x)
        return out


class Branches(nn.Module):
    """Several ways side by side, put together again (Szegedy et al. 2014, arXiv:1409.4842).

    Args:
        branches: the ways, each fed the same input.
        merge: `"concat"` or `"add"`.
        dim: the axis along which they are put side by side; 1 is the channels.
    """

    def __init__(self, *branches: nn.Module, merge: str = "concat", dim: int = 1) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.merge = merge
        self.dim = dim

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What all branches give, side by side or added."""
        outs = [branch(x) for branch in self.branches]
        if self.merge == "concat":
            return torch.cat(outs, self.dim)
        total = outs[0]
        for out in outs[1:]:
            total = total + out
        return total


class LastStep(nn.Module):
    """Of what a recurrent layer gives, the state after the last step: [batch, features].

    Of a bidirectional one both ends: the forward state after the last step, the backward state
    after the first.
    """

    def __init__(self, bidirectional: bool = False) -> None:
        super().__init__()
        self.bidirectional = bidirectional

    def forward(self, given: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """The top layer's state; of an LSTM the hidden one."""
        state = given[1][0] if isinstance(given[1], tuple) else given[1]
        return torch.cat((state[-2], state[-1]), dim=1) if self.bidirectional else state[-1]


class AllSteps(nn.Module):
    """Of what a recurrent layer gives, the output at every step: [batch, time, features]."""

    def forward(self, given: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """The outputs without the states."""
        return given[0]


class Attention(nn.Module):
    """Multi-head attention as a layer: of a sequence to itself, or to a second one.

    Args:
        attention: what does the work, with `batch_first=True`.
    """

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, x: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        """[batch, time, features] as `x`; the weights are not kept."""
        seen = x if context is None else context
        out: torch.Tensor = self.attention(x, seen, seen, need_weights=False)[0]
        return out


class PositionalEncoding(nn.Module):
    """Sines and cosines of the position, added (Vaswani et al. 2017, arXiv:1706.03762, 3.5).

    Args:
        features: of each step.
        max_length: the longest sequence.
        dropout: the share of the sums that is zeroed in training.
        learned: parameters, begun at zero, in place of the sines and cosines.
    """

    def __init__(
        self, features: int, max_length: int = 5000, dropout: float = 0.0, learned: bool = False
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        if learned:
            self.encoding = nn.Parameter(torch.zeros(max_length, features))
            return
        position = torch.arange(max_length).unsqueeze(1)
        rates = 10000.0 ** (-torch.arange(0, features, 2) / features)
        table = torch.zeros(max_length, features)
        table[:, 0::2] = torch.sin(position * rates)
        table[:, 1::2] = torch.cos(position * rates[: features // 2])
        self.register_buffer("encoding", table, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`x`, [batch, time, features], with its places told."""
        out: torch.Tensor = self.dropout(x + self.encoding[: x.shape[1]])
        return out


class Reshape(nn.Module):
    """Each sample in another shape; the batch stays.

    Args:
        sizes: of one sample; one of them may be -1.
    """

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.sizes = sizes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, *sizes]."""
        return x.reshape(x.shape[0], *self.sizes)

    def extra_repr(self) -> str:
        """The sizes."""
        return ", ".join(map(str, self.sizes))


class Permute(nn.Module):
    """The axes of each sample in another order; the batch stays.

    Args:
        axes: of one sample, from 0: `Permute(2, 0, 1)` makes a picture channels first.
    """

    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same numbers, in memory where they were."""
        return x.permute(0, *[axis + 1 for axis in self.axes])

    def extra_repr(self) -> str:
        """The axes."""
        return ", ".join(map(str, self.axes))


class Concat(nn.Module):
    """Several tensors side by side.

    Args:
        dim: along which axis; 1 is the channels, or the features of a vector.
    """

    def __init__(self, dim: int = 1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        """All of them in one."""
        return torch.cat(xs, self.dim)


class Sum(nn.Module):
    """Several tensors added."""

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        """Their sum."""
        total = xs[0]
        for x in xs[1:]:
            total = total + x
        return total


class Product(nn.Module):
    """Several tensors multiplied, such as by a gate."""

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        """Their product."""
        total = xs[0]
        for x in xs[1:]:
            total = total * x
        return total


class Function(nn.Module):
    """A function of tensors as a layer.

    Args:
        function: of as many tensors as the layer is fed.
    """

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        """What the function gives."""
        return self.function(*xs)

    def extra_repr(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", type(self.function).__name__)


class Wired(nn.Module):
    """Layers in any wiring, with several inputs and outputs.

    Args:
        inputs: the names of what is fed, in order.
        outputs: what is handed out: for each name the layer or the input that it comes from.
        wiring: for each layer, in the order of computing, its name and what it reads.
        layers: the layers by name.
    """

    def __init__(
        self,
        inputs: tuple[str, ...],
        outputs: dict[str, str],
        wiring: dict[str, tuple[str, ...]],
        layers: nn.ModuleDict,
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.outputs = outputs
        self.wiring = wiring
        self.layers = layers

    def forward(self, *args: object, **named: object) -> torch.Tensor | dict[str, torch.Tensor]:
        """The output, or a dict of them by name; fed in order, by name, or with one dict."""
        given = args[0] if len(args) == 1 and isinstance(args[0], dict) else {}
        values = {**dict(zip(self.inputs, () if given else args)), **given, **named}  # noqa: B905
        for name, sources in self.wiring.items():
            values[name] = self.layers[name](*[values[source] for source in sources])
        found = {name: values[source] for name, source in self.outputs.items()}
        return found if len(found) > 1 else next(iter(found.values()))
