"""How data was read, so that validation and prediction are read alike: `Reading`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mlnb.errors import DataError
from mlnb.formatting import bytes_text, plural
from mlnb.train.feed.checks import check_finite, scale_notes
from mlnb.train.feed.placing import fits
from mlnb.train.feed.targets import decide
from mlnb.train.trees import dtype_text, leaves, tree_map, tree_of
from mlnb.train.words.loss_functions import loss_kind

if TYPE_CHECKING:
    from mlnb.train.feed.arrays import Given, Target
    from mlnb.train.feed.labels import Labels
    from mlnb.train.feed.target_rule import TargetRule

SMALL_SCALE = 16
AS_FLOATS_AT_ONCE = 2 * 2**30

Probe = Callable[[Any], Any]


@dataclass(frozen=True)
class Reading:
    """How data was read, so that more of it is read alike.

    Args:
        columns: the features of a frame, in order.
        target: the column or key of the targets.
        divisors: by what each input was divided: a number for `uint8`, else `None`.
        floats: what floats become.
        integers: whether integer inputs stay integers, for an embedding.
        rule: what becomes of the targets.
    """

    columns: tuple[str, ...] = ()
    target: Target = None
    divisors: tuple[float | None, ...] | None = None
    floats: torch.dtype = torch.float32
    integers: bool = True
    rule: TargetRule | None = None

    @property
    def task(self) -> str:
        """What the targets are: "classification", "regression", …"""
        return self.rule.task if self.rule else "unknown"

    @property
    def labels(self) -> Labels | None:
        """The user's labels, where the targets are their places."""
        return self.rule.labels if self.rule else None

    def finish(self, inputs: Any) -> Any:
        """Inputs as the model takes them; nothing is copied where nothing changes."""
        divisors = self.divisors or (None,) * len(leaves(inputs))
        pairs = zip(leaves(inputs), divisors, strict=True)
        return tree_of(inputs, [self._finish(leaf, divisor) for leaf, divisor in pairs])

    def _finish(self, leaf: Tensor, divisor: float | None) -> Tensor:
        if leaf.is_floating_point():
            return leaf.to(self.floats)
        if leaf.is_complex():
            return leaf
        if leaf.dtype == torch.uint8:
            return leaf.to(self.floats).div_(divisor or 255)
        if leaf.dtype == torch.bool or not self.integers:
            return leaf.to(self.floats)
        return leaf if leaf.dtype == torch.int32 else leaf.long()


def ask(
    probe: Probe | None, inputs: Any, reading: Reading, device: torch.device, notes: list[str]
) -> tuple[Reading, Any]:
    """The model's answer to two rows; integers become floats where it takes none.

    Args:
        probe: the model, or nothing.
        inputs: at least one row as it was given.
        reading: how it is read.
        device: where the model is.
        notes: gets a sentence on what was changed.
    """
    if probe is None:
        return reading, None
    two = tree_map(lambda leaf: leaf[:2].to(device), inputs)
    try:
        return reading, probe(reading.finish(two))
    except Exception:
        if not any(_is_integer(leaf) for leaf in leaves(reading.finish(two))):
            raise
        floating = replace(reading, integers=False)
        try:
            outputs = probe(floating.finish(two))
        except Exception:  # noqa: BLE001 - the first error is the one that tells
            outputs = None
        if outputs is None:
            raise
    notes.append(
        f"inputs: integers became {dtype_text(reading.floats)}, which the model computes with"
    )
    return floating, outputs


def with_rule(
    reading: Reading, targets: Any, outputs: Any, loss: Any, notes: list[str], part: bool = False
) -> Reading:
    """The reading with what becomes of the targets.

    Args:
        reading: as far as the inputs decided it.
        targets: as the user has them, or `None`.
        outputs: the model's answer, or `None`.
        loss: the user's.
        notes: gets the sentences.
        part: whether these are a batch of more that is not known yet.
    """
    if targets is None:
        return reading
    shape = tuple(outputs.shape) if isinstance(outputs, Tensor) and outputs.ndim else None
    rule, more = decide(targets, shape, loss_kind(loss), part=part)
    if rule.dtype == torch.float32:
        rule = replace(rule, dtype=reading.floats)
    notes += more
    return replace(reading, rule=rule)


def finished(
    given: Given,
    reading: Reading,
    device: torch.device,
    notes: list[str],
    name: str = "inputs",
) -> tuple[Any, Callable[[Any], Any] | None]:
    """The inputs as floats and checked, or as they are with what is to be done to a batch.

    Pictures as `uint8` take a quarter of what floats do; many of them become floats by the batch.

    Raises:
        DataError: NaN or Inf, with the row and the feature.
    """
    size = 4 * sum(leaf.numel() for leaf in leaves(given.inputs) if leaf.dtype == torch.uint8)
    if size and not fits(size, device, at_most=AS_FLOATS_AT_ONCE):
        notes.append(f"inputs: as floats they would take {bytes_text(size)}; each batch becomes so")
        check_finite(given.inputs, given.columns, name)
        return given.inputs, reading.finish
    inputs = reading.finish(given.inputs)
    kinds = {leaf.dtype for leaf in leaves(given.inputs) if leaf.is_floating_point()}
    changed = [dtype_text(kind) for kind in kinds if kind != reading.floats]
    if changed:
        notes.append(f"inputs: {' and '.join(sorted(changed))} became {dtype_text(reading.floats)}")
    check_finite(inputs, given.columns, name)
    notes += scale_notes(inputs, given.columns)
    return inputs, None


def divisors_of(inputs: Any, notes: list[str]) -> tuple[float | None, ...]:
    """By what to divide `uint8`: 255, or 16 where that is the most that occurs (the digits)."""
    found: list[float | None] = []
    for leaf in leaves(inputs):
        if leaf.dtype != torch.uint8 or not leaf.numel():
            found.append(None)
            continue
        largest = int(leaf.max())
        found.append(float(largest or 1) if largest <= SMALL_SCALE else 255.0)
    said = sorted({divisor for divisor in found if divisor is not None})
    if said:
        text = " and ".join(f"{divisor:.0f}" for divisor in said)
        notes.append(f"inputs: uint8 became float32 between 0 and 1, divided by {text}")
    return tuple(found)


def same_inputs(inputs: Any, reading: Reading, name: str) -> None:
    """Whether there are as many inputs as in training.

    Raises:
        DataError: there are not.
    """
    count = len(reading.divisors or ())
    if len(leaves(inputs)) != count:
        raise DataError(
            f"{name} has {plural(len(leaves(inputs)), 'input')}, and training had {count}"
        )


def _is_integer(leaf: Tensor) -> bool:
    return not leaf.is_floating_point() and not leaf.is_complex()
