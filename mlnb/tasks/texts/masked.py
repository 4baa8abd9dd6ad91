"""`masked`: a chain of layers over texts of several lengths, none of which reads its padding.

A batch is as long as its longest text. A layer of torch does not know that; so the layers that look
along the words are called here with what is a word and what is padding, and all others as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from mlnb.errors import TrainError
from mlnb.formatting import display_text
from mlnb.networks import blocks

_TIMELESS = (nn.Flatten, blocks.Reshape, nn.Unflatten)
_BEHIND_RECURRENT = (blocks.LastStep, blocks.AllSteps)


@dataclass(frozen=True)
class Texts:
    """What flows through the chain.

    Args:
        x: `[n, words]`, `[n, words, features]` or, turned, `[n, features, words]`; without words
            `[n, features]`.
        is_word: `bool [n, words]`; `None` once the words have become one vector.
        axis: of the words in `x`.
    """

    x: Tensor
    is_word: Tensor | None
    axis: int = 1

    @property
    def shown(self) -> Tensor:
        """`is_word` so that it broadcasts over `x`."""
        assert self.is_word is not None
        return self.is_word[:, :, None] if self.axis == 1 else self.is_word[:, None, :]

    def cleared(self) -> Texts:
        """Zeros where there is no word, as a convolution has them at its borders."""
        if self.is_word is None or self.x.dim() == 2:
            return self
        return replace(self, x=self.x.masked_fill(~self.shown, 0))

    def mean(self) -> Tensor:
        """Over the words, `[n, features]`."""
        assert self.is_word is not None
        words = self.is_word.sum(1, keepdim=True).clamp(min=1)
        return self.cleared().x.sum(self.axis) / words

    def most(self) -> Tensor:
        """The largest over the words, `[n, features]`."""
        return self.x.masked_fill(~self.shown, float("-inf")).amax(self.axis)


def masked(chain: nn.Module, ids: Tensor, is_word: Tensor) -> Tensor:
    """What a chain makes of texts, `[n, features]`; what is left of words in the end is averaged.

    >>> masked(net.module, ids, mask == 1).shape
    torch.Size([2, 64])

    Args:
        chain: of `Sequential`, an embedding first.
        ids: `int64 [n, words]`, padded behind.
        is_word: `bool [n, words]`; a text without a word is read as one padding.

    Raises:
        TrainError: a layer that needs every text to have the same number of words.
    """
    first = torch.arange(ids.shape[1], device=ids.device) == 0
    is_word = is_word | (~is_word.any(1, keepdim=True) & first)
    after = _through(chain, Texts(ids, is_word), "")
    if after.is_word is None:
        return after.x
    return after.mean()


def _through(module: nn.Module, texts: Texts, name: str) -> Texts:
    if texts.is_word is None:
        return replace(texts, x=module(texts.x))
    for kind, way in _WAYS.items():
        if isinstance(module, kind):
            return way(module, texts, name).cleared()
    if isinstance(module, _TIMELESS):
        raise TrainError(
            f"`{display_text(name)}` puts all words of a text side by side, and every text has "
            "another number of them. Leave it out: what is still a row of words at the end is "
            "averaged; or take .gru(64), or .permute(1, 0).global_max_pool1d()."
        )
    x = module(texts.x)
    if texts.x.dim() == 3 and x.dim() == 2:
        return Texts(x, None)
    if x.dim() != 3 or x.shape[texts.axis] != texts.is_word.shape[1]:
        raise TrainError(
            f"`{display_text(name)}` makes {list(x.shape[1:])} of {texts.is_word.shape[1]} words; "
            "expected a vector for each word, or one for all."
        )
    return replace(texts, x=x).cleared()


def _chain(module: nn.Module, texts: Texts, name: str) -> Texts:
    before: nn.Module | None = None
    for inner, child in module.named_children():
        place = f"{name}.{inner}" if name else inner
        if isinstance(before, nn.RNNBase) and not isinstance(child, _BEHIND_RECURRENT):
            raise TrainError(
                f"`{display_text(place)}` stands behind a recurrent layer that was added as it is; "
                'write it as a word, .gru(64) or .gru(64, returns="all"), which knows where texts '
                "end."
            )
        texts, before = _through(child, texts, place), child
    return texts


def _residual(module: Any, texts: Texts, name: str) -> Texts:
    body = _through(module.body, texts, f"{name}.body")
    return replace(body, x=body.x + _through(module.shortcut, texts, f"{name}.shortcut").x)


def _branches(module: Any, texts: Texts, name: str) -> Texts:
    ways = [_through(branch, texts, name) for branch in module.branches]
    outs = [way.x for way in ways]
    merged = torch.cat(outs, module.dim) if module.merge == "concat" else sum(outs[1:], outs[0])
    return replace(ways[0], x=merged)


def _bag(module: nn.EmbeddingBag, texts: Texts, name: str) -> Texts:
    """By hand: torch's own has no padding but for one number of its vocabulary."""
    embedded = replace(texts, x=nn.functional.embedding(texts.x, module.weight))
    if module.mode == "max":
        return Texts(embedded.most(), None)
    summed = embedded.cleared().x.sum(1)
    return Texts(embedded.mean() if module.mode == "mean" else summed, None)


def _recurrent(module: Any, texts: Texts, name: str) -> Texts:
    """A recurrent layer, and whichever of `LastStep` and `AllSteps` stands behind it."""
    return replace(texts, x=steps_of(module, texts.x, texts.is_word))


def _last_step(module: blocks.LastStep, texts: Texts, name: str) -> Texts:
    assert texts.is_word is not None
    last = (texts.is_word.sum(1) - 1)[:, None, None].expand(-1, 1, texts.x.shape[2])
    state = texts.x.gather(1, last)[:, 0]
    if module.bidirectional:
        half = texts.x.shape[2] // 2
        state = torch.cat((state[:, :half], texts.x[:, 0, half:]), dim=1)
    return Texts(state, None)


def steps_of(module: Any, x: Tensor, is_word: Any) -> Tensor:
    """What an RNN, LSTM or GRU gives at every step, `[n, words, features]`.

    The way back begins at each text's last word: the text is turned around, gone through, and
    turned back. `pack_padded_sequence` does the same, and no file format can follow it.
    """
    words = is_word.sum(1, keepdim=True)
    place = torch.arange(x.shape[1], device=x.device)[None]
    turn = torch.where(place < words, words - 1 - place, place)[:, :, None]

    def turned(steps: Tensor) -> Tensor:
        return steps.gather(1, turn.expand(-1, -1, steps.shape[2]))

    weights = module.all_weights
    ways = 2 if module.bidirectional else 1
    for layer in range(module.num_layers):
        if layer and module.dropout:
            x = nn.functional.dropout(x, module.dropout, module.training)
        there = _one_way(module, x, weights[layer * ways])
        if ways == 2:
            back = turned(_one_way(module, turned(x), weights[layer * ways + 1]))
            there = torch.cat((there, back), dim=2)
        x = there
    return x


def _one_way(module: Any, x: Tensor, weights: list[Tensor]) -> Tensor:
    def zeros(width: int) -> Tensor:
        return x.new_zeros(1, x.shape[0], width)

    begin: Any = zeros(module.proj_size or module.hidden_size)
    if module.mode == "LSTM":
        begin = (begin, zeros(module.hidden_size))
    function = getattr(torch, module.mode.lower())
    steps: Tensor = function(x, begin, weights, module.bias, 1, 0.0, module.training, False, True)[
        0
    ]
    return steps


def _attending(module: Any, texts: Texts, name: str) -> Texts:
    assert texts.is_word is not None
    return replace(texts, x=module(texts.x, src_key_padding_mask=~texts.is_word))


def _attention(module: blocks.Attention, texts: Texts, name: str) -> Texts:
    assert texts.is_word is not None
    x = texts.x
    padding = ~texts.is_word
    return replace(
        texts, x=module.attention(x, x, x, key_padding_mask=padding, need_weights=False)[0]
    )


def _convolution(module: nn.Conv1d, texts: Texts, name: str) -> Texts:
    """With zeros behind, so that a text shorter than the kernel has a place all the same."""
    assert texts.is_word is not None
    if module.padding == "same":
        return replace(texts, x=module(texts.x))
    reach = module.dilation[0] * (module.kernel_size[0] - 1)
    before = 0 if module.padding == "valid" else int(module.padding[0])
    x = module(nn.functional.pad(texts.x, (0, reach)))
    words = (texts.is_word.sum(1, keepdim=True) + 2 * before - reach - 1) // module.stride[0] + 1
    place = torch.arange(x.shape[2], device=x.device)[None]
    return replace(texts, x=x, is_word=place < words.clamp(min=1))


def _pool(module: Any, texts: Texts, name: str) -> Texts:
    if module.output_size not in (1, (1,)):
        raise TrainError(
            f"`{display_text(name)}` makes {module.output_size} places of the words of a text, "
            "however many there are; over texts one pools to a single one."
        )
    pooled = texts.most() if isinstance(module, nn.AdaptiveMaxPool1d) else texts.mean()
    return Texts(pooled[:, :, None], None)


def _permute(module: blocks.Permute, texts: Texts, name: str) -> Texts:
    return replace(texts, x=module(texts.x), axis=1 + module.axes.index(texts.axis - 1))


_WAYS: dict[Any, Callable[[Any, Texts, str], Texts]] = {
    nn.Sequential: _chain,
    blocks.Residual: _residual,
    blocks.Branches: _branches,
    nn.EmbeddingBag: _bag,
    nn.RNNBase: _recurrent,
    blocks.AllSteps: lambda module, texts, name: texts,
    blocks.LastStep: _last_step,
    nn.TransformerEncoderLayer: _attending,
    blocks.Attention: _attention,
    nn.Conv1d: _convolution,
    nn.AdaptiveAvgPool1d: _pool,
    nn.AdaptiveMaxPool1d: _pool,
    blocks.Permute: _permute,
}
"""The layers that look along the words, and how each is told where they end."""
