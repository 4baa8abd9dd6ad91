"""`QuickGRU`: the same GRU on a CPU, with a backward pass written by hand.

torch notes a dozen operations a time step for autograd and goes back through each of them, adding
to the gradient of the weights every time. The gradients of the gates are products of what is known
after the forward pass with one that comes back, so most of the work is done for all time steps at
once, and the weights' gradient is one product at the end. What comes out differs by rounding alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_FLOATS = (torch.float32, torch.float64)


class QuickGRU(TorchFunctionMode):
    """While it is on, every `nn.GRU` that is called is calculated by `gru`.

    >>> with QuickGRU():
    ...     outputs = model(x)
    >>> outputs.sum().backward()
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.gru and _serves(*args):
            with torch._C.DisableTorchFunction():  # whoever watches sees one call, as ever
                return gru(*args)
        return func(*args, **(kwargs or {}))


def has_gru(model: nn.Module) -> bool:
    """Whether there is a GRU in a model.

    >>> has_gru(nn.Sequential(nn.GRU(3, 4)))
    True
    """
    return any(isinstance(module, nn.GRU) for module in model.modules())


def gru(
    inputs: Tensor,
    first: Tensor,
    weights: Sequence[Tensor],
    has_biases: bool,
    layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor]:
    """As `torch.gru`: the states of the last layer, and the last states of all layers.

    Args:
        inputs: `[rows, time, features]`, or the first two exchanged without `batch_first`.
        first: `[layers × directions, rows, units]`.
        weights: four a layer and direction: of the inputs, of the states, and their biases.
        has_biases: always.
        layers: one above the other.
        dropout: between two layers.
        train: whether there is any dropout.
        bidirectional: whether each layer goes backward, too.
        batch_first: the layout of inputs and states.
    """
    flow = inputs.transpose(0, 1) if batch_first else inputs
    last = []
    for layer in range(layers):
        if layer and dropout and train:
            flow = functional.dropout(flow, dropout)
        ways = []
        for way in range(1 + bidirectional):
            at = layer * (1 + bidirectional) + way
            states = _Layer.apply(
                flow.flip(0) if way else flow, first[at], *weights[4 * at : 4 * at + 4]
            )
            last.append(states[-1])
            ways.append(states.flip(0) if way else states)
        flow = torch.cat(ways, -1) if bidirectional else ways[0]
    return flow.transpose(0, 1) if batch_first else flow, torch.stack(last)


def _serves(inputs: Any, first: Any, weights: Any, has_biases: Any, *_: Any) -> bool:
    """Not packed sequences, whose arguments stand elsewhere; nor where no gradient is wanted."""
    return (
        isinstance(weights, list | tuple)
        and has_biases is True
        and inputs.is_cpu
        and inputs.dtype in _FLOATS
        and inputs.numel() > 0
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
    )


class _Layer(torch.autograd.Function):
    """One layer in one direction, `[time, rows, features]` to `[time, rows, units]`.

    Gates as torch has them (Cho et al., 1406.1078, with its reset after the product):
    r, z = σ(a + b), n = tanh(a + r b), h' = n + z (h - n), where a comes of the inputs, b of h.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, h: Tensor, w_in: Tensor, w_own: Tensor, b_in: Tensor, b_own: Tensor
    ) -> Tensor:
        time, rows, _ = x.shape
        units = h.shape[-1]
        gates = torch.addmm(b_in, x.reshape(time * rows, -1), w_in.t()).view(time, rows, -1)
        own = torch.empty_like(gates)
        states = x.new_empty(time + 1, rows, units)
        states[0] = h
        now, turned = states[0], w_own.t()
        both = 2 * units
        for b, b_rz, b_n, rz, r, z, n, following in zip(
            own.unbind(), own[..., :both].unbind(), own[..., both:].unbind(),
            gates[..., :both].unbind(), gates[..., :units].unbind(),
            gates[..., units:both].unbind(), gates[..., both:].unbind(), states[1:].unbind(),
            strict=True,
        ):  # fmt: skip
            torch.addmm(b_own, now, turned, out=b)
            rz.add_(b_rz).sigmoid_()
            n.addcmul_(r, b_n).tanh_()
            now = torch.lerp(n, now, z, out=following)
        ctx.save_for_backward(x, h, w_in, w_own, b_in, b_own, states, gates, own)
        return states[1:].clone()

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:
        x, h, w_in, w_own, b_in, b_own, states, gates, own = ctx.saved_tensors
        if torch.is_grad_enabled():  # to be differentiated once more, as torch's own can be
            return _differentiable((x, h, w_in, w_own, b_in, b_own), ctx.needs_input_grad, given)
        r, z, n = gates.chunk(3, -1)
        time, rows, units = given.shape
        by_n, factors = _factors(r, z, n, states[:-1], own[..., 2 * units :])
        to_states = given.clone(memory_format=torch.contiguous_format)
        to_gates = torch.empty_like(own)
        back = torch.zeros_like(h)
        for state, factor, three, gate, keep in zip(
            to_states.unbind()[::-1], factors.unbind()[::-1],
            to_gates.view(time, rows, 3, units).unbind()[::-1], to_gates.unbind()[::-1],
            z.unbind()[::-1], strict=True,
        ):  # fmt: skip
            state.add_(back)
            torch.mul(state.unsqueeze(1), factor, out=three)
            torch.mul(state, keep, out=back).addmm_(gate, w_own)
        flat = to_gates.view(time * rows, -1)
        of_own = flat.t() @ states[:-1].reshape(time * rows, -1), flat.sum(0)
        torch.mul(to_states, by_n, out=to_gates[..., 2 * units :])
        of_in = flat.t() @ x.reshape(time * rows, -1), flat.sum(0)
        of_x = (flat @ w_in).view_as(x) if ctx.needs_input_grad[0] else None
        return of_x, back, of_in[0], of_own[0], of_in[1], of_own[1]


def _factors(r: Tensor, z: Tensor, n: Tensor, h: Tensor, b_n: Tensor) -> tuple[Tensor, Tensor]:
    """What a state's gradient is multiplied by: for n, and for r, z and b's part of n."""
    time, rows, units = h.shape
    by_n = torch.addcmul(n.new_ones(()), n, n, value=-1)  # (1 - n²) (1 - z)
    by_n.addcmul_(by_n, z, value=-1)
    factors = n.new_empty(time, rows, 3, units)
    by_r, by_z, by_own = factors.unbind(2)
    torch.mul(by_n, r, out=by_own)
    torch.mul(by_own, b_n, out=by_r).addcmul_(by_r, r, value=-1)
    torch.sub(h, n, out=by_z).mul_(z).addcmul_(by_z, z, value=-1)
    return by_n, factors


def _differentiable(
    given: tuple[Tensor, ...], needed: Sequence[bool], gradient: Tensor
) -> tuple[Tensor | None, ...]:
    """The gradients by torch's own GRU, as a graph of their own."""
    x, h, *weights = given
    states, _ = torch.gru(x, h[None], weights, True, 1, 0.0, True, False, False)
    wanted = [tensor for tensor, is_needed in zip(given, needed, strict=True) if is_needed]
    found = iter(torch.autograd.grad(states, wanted, gradient, create_graph=True))
    return tuple(next(found) if is_needed else None for is_needed in needed)
