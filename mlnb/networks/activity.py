"""What a batch becomes in each layer, before anything was trained: mean, spread, dead units.

A bad initialisation shows here. Layers run as they do in training, but for dropout: batch norm sees
the batch, and its running averages are put back afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mlnb.errors import InputError, unknown
from mlnb.formatting import display_text, plural, text_table
from mlnb.models.torch.state import device_of, undisturbed
from mlnb.networks.activations import ACTIVATIONS
from mlnb.networks.blocks import Wired
from mlnb.networks.mistakes import shape_of

if TYPE_CHECKING:
    from mlnb.networks.sequential import Sequential

ROWS = 256
"""Samples that are looked at; more say no more."""
DIES, GROWS = 1e-2, 1e2
"""The spread, against that of the input, at which it is said that it dies out or grows."""


@dataclass(frozen=True, slots=True)
class LayerActivity:
    """What one module gives for a batch.

    Args:
        name: its path in the module.
        mean: of all its numbers.
        spread: how far the samples are from each other: their standard deviation in each number,
            as a root mean square over all of them.
        units: channels of pictures, else features; 0 where the module has none of its own.
        dead: those of them that give the same for every sample of the batch, everywhere.
        note: what is wrong, in a few words; empty where nothing is.
    """

    name: str
    mean: float
    spread: float
    units: int
    dead: int
    note: str = ""


@dataclass(frozen=True)
class Activity:
    """What a batch becomes, layer by layer.

    Args:
        rows: one for every module that gives a tensor, in the order in which they ran.
        samples: how many were looked at.
        spread: of the input.
    """

    rows: tuple[LayerActivity, ...]
    samples: int
    spread: float

    def __getitem__(self, name: str) -> LayerActivity:
        found = [row for row in self.rows if row.name == name]
        if not found:
            raise unknown("layer", name, [row.name for row in self.rows])
        return found[0]

    @property
    def notes(self) -> list[str]:
        """What is wrong, a line for each layer; empty where nothing is."""
        return [f"{row.name}: {row.note}" for row in self.rows if row.note]

    def __repr__(self) -> str:
        cells = [("layer", *HEADS), *((display_text(r.name, 40), *texts(r)) for r in self.rows)]
        return "\n".join([*text_table(cells, (1, 2, 3)), plural(self.samples, "sample")])


HEADS = ("mean", "spread", "dead units", "")


def texts(row: LayerActivity | None) -> tuple[str, str, str, str]:
    """A row as text, under `HEADS`."""
    if row is None:
        return ("", "", "", "")
    dead = f"{row.dead:,} of {row.units:,}" if row.units else ""
    return (f"{row.mean:.3g}", f"{row.spread:.3g}", dead, row.note)


def activity(net: Sequential, sample: Any) -> Activity:
    """What a batch becomes in each layer of a network.

    >>> activity(net, images[:256])["conv2d_relu"].dead
    3

    Args:
        net: the network; its weights, modes and running averages stay as they are.
        sample: a batch, [samples, …], of two samples or more.

    Raises:
        InputError: no batch of what the network takes.
    """
    batch = first_rows(sample, net.input_shape)
    if batch.is_floating_point() and not net.input_dtype.is_floating_point:
        raise InputError("The network takes whole numbers; received floats.")
    batch, module = batch.to(net.input_dtype), net.module
    seen: dict[str, LayerActivity] = {}
    with _as_in_training(module), _watching(module, seen, _spread(batch)):
        module(batch.to(device_of(module)))
    return Activity(tuple(seen.values()), len(batch), _spread(batch))


def first_rows(sample: Any, expected: tuple[int, ...] | None = None) -> Tensor:
    """The first samples of a batch.

    Args:
        sample: an array or tensor, [samples, …], or a pair of it and its targets.
        expected: the shape of one sample.

    Raises:
        InputError: it is none, or one of other samples.
    """
    pair = isinstance(sample, tuple | list) and len(sample) == 2 and hasattr(sample[0], "shape")
    try:
        batch = torch.as_tensor((sample[0] if pair else sample)[:ROWS])
    except (TypeError, ValueError, RuntimeError, KeyError, IndexError):
        kind = display_text(type(sample).__name__)
        raise InputError(f"A batch is an array of samples; received {kind}.") from None
    if batch.dim() < 2:
        raise InputError(f"A batch is an array of samples; received {shape_of(batch.shape)}.")
    if len(batch) < 2:
        raise InputError("One sample says nothing of what a layer does: give two or more.")
    came = tuple(batch.shape[1:])
    if expected is not None and came != expected:
        raise InputError(
            f"The network takes {shape_of(expected)} a sample; received {shape_of(came)}."
        )
    return batch


def _spread(values: Tensor) -> float:
    one = values.detach().float()
    return float(one.var(0, unbiased=False).mean().sqrt()) if values.numel() else 0.0


@contextmanager
def _as_in_training(module: nn.Module) -> Iterator[None]:
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._NormBase)]
    kept = [(buffer, buffer.clone()) for norm in norms for buffer in norm.buffers()]
    with undisturbed(module):
        for norm in norms:
            norm.train()
        try:
            yield
        finally:
            for buffer, value in kept:
                buffer.copy_(value)


@contextmanager
def _watching(module: nn.Module, seen: dict[str, LayerActivity], begun: float) -> Iterator[None]:
    wired = isinstance(module, Wired)
    features = [-1]  # the axis of a sequence's units, as the last layer with weights has it

    def hook(path: str) -> Any:
        def note(inner: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            first = output[0] if isinstance(output, tuple) and output else output
            if not isinstance(first, Tensor) or path in seen:
                return
            if _has_weights(inner):
                features[0] = 1 if isinstance(inner, _CHANNELS_FIRST) else -1
            seen[path] = _row(path, inner, first.detach(), begun, features[0])

        return note

    handles = [
        inner.register_forward_hook(hook(path.removeprefix("layers.") if wired else path))
        for path, inner in module.named_modules()
        if path
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _row(path: str, module: nn.Module, given: Tensor, begun: float, features: int) -> LayerActivity:
    values = given.float()
    finite = bool(torch.isfinite(values).all())
    mean, spread = float(values.mean()), _spread(values)
    units, dead = _dead(module, values, features) if finite else (0, 0)
    return LayerActivity(path, mean, spread, units, dead, _note(finite, spread, begun, units, dead))


def _dead(module: nn.Module, values: Tensor, features: int) -> tuple[int, int]:
    """Units of what computes something of its own, and those that never change."""
    if values.dim() < 2 or not (_has_weights(module) or type(module) in _ACTIVATIONS):
        return 0, 0
    flat = values.movedim(features if values.dim() == 3 else 1, 0).flatten(1)
    return len(flat), int((flat == flat[:, :1]).all(1).sum())


_ACTIVATIONS = frozenset(ACTIVATIONS.values())
_CHANNELS_FIRST = (nn.Conv1d, nn.ConvTranspose1d, nn.BatchNorm1d, nn.InstanceNorm1d)


def _has_weights(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))


def _note(finite: bool, spread: float, begun: float, units: int, dead: int) -> str:
    if not finite:
        return "not finite"
    if units and dead == units:
        return "every unit is dead"
    if units and 2 * dead >= units:
        return "half of the units are dead or more"
    if begun and spread < DIES * begun:
        return "dies out"
    return "grows" if begun and spread > GROWS * begun else ""


def rows_by_name(found: Activity | None) -> dict[str, LayerActivity]:
    """The rows by their paths; none where nothing was looked at."""
    return {row.name: row for row in found.rows} if found else {}
