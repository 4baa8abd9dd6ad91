"""More data, read as the data that a model was trained on: to judge it by, or to predict from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from mlnb.errors import DataError
from mlnb.train.feed.arrays import Foreign, Given, Target, read, read_inputs
from mlnb.train.feed.batches import Batches, InMemory
from mlnb.train.feed.checks import check_rows
from mlnb.train.feed.placing import place
from mlnb.train.feed.reading import (
    Reading,
    divisors_of,
    finished,
    same_inputs,
    with_rule,
)

JUDGED_AT_ONCE = 256
JUDGED_TO_LEARNED = 4
"""Without gradients a batch takes far less memory; a smaller batch_size must still make it less."""


def prepare_more(
    data: Any,
    reading: Reading | None = None,
    *,
    target: Target = None,
    batch_size: int = 256,
    device: torch.device | str = "cpu",
    shuffle: bool = False,
    seed: int = 0,
    name: str = "data",
    needs_targets: bool = True,
) -> tuple[Batches, list[str]]:
    """More data, read as the data that a model was trained on: to judge it by, or to go on with.

    >>> batches, notes = prepare_more((torch.zeros(10, 4), torch.zeros(10).long()))

    Args:
        data: what `prepare` takes.
        reading: `Prepared.reading` of the training; without it the data is judged alone.
        target: the column or key of the targets, where it is not that of the training.
        batch_size: rows a batch.
        device: where the batches come out.
        shuffle: whether every epoch has an order of its own, to train on these rows.
        seed: of that order.
        name: what it is called in messages.
        needs_targets: whether inputs alone are refused.

    Raises:
        DataError: besides what `prepare` refuses, labels that training did not have.
    """
    where = torch.device(device)
    reading = reading or Reading()
    target = target if target is not None else _target_for(data, reading)
    given = read(data, target, columns=reading.columns, name=name)
    if isinstance(given, Foreign):
        from mlnb.train.feed.foreign import more_foreign

        more = more_foreign(
            given, reading, batch_size=batch_size, device=where, shuffle=shuffle, seed=seed
        )
        return more, []
    if needs_targets and given.targets is None:
        raise DataError(
            f"{name} has inputs and no targets: pass (x, y), or target= with the column that "
            "holds them"
        )
    check_rows(given.inputs, given.targets, name)
    notes: list[str] = []
    if reading.rule is None and given.targets is not None:
        reading = with_rule(reading, given.targets, None, "auto", notes)
    batches = _more(given, reading, batch_size, where, name, shuffle=shuffle, seed=seed)
    return batches, notes


def prepare_inputs(
    data: Any,
    reading: Reading | None = None,
    *,
    batch_size: int = 256,
    device: torch.device | str = "cpu",
) -> Batches:
    """Inputs alone, to predict from, read as those of the training; in their own order.

    >>> prepare_inputs([[0.0, 1.0]]).samples
    1

    Args:
        data: arrays, a tuple or dict of several inputs, a frame with the columns of the training,
            a Dataset or a DataLoader.
        reading: `Prepared.reading` of the training.
        batch_size: rows a batch.
        device: where the batches come out.

    Raises:
        DataError: what cannot be numbers.
    """
    where = torch.device(device)
    reading = reading or Reading()
    given = read_inputs(data, columns=reading.columns)
    if isinstance(given, Foreign):
        from mlnb.train.feed.foreign import more_foreign

        return more_foreign(given, reading, batch_size=batch_size, device=where)
    check_rows(given.inputs, None, "x")
    return _more(given, reading, batch_size, where, "x")


def judged(
    validation: Any,
    reading: Reading,
    batch_size: int,
    device: torch.device,
    notes: list[str],
    needed: bool = True,
) -> Batches:
    """Data of its own to judge by; its sentences come to the notes."""
    batches, more = prepare_more(
        validation, reading, batch_size=judged_at_once(batch_size), device=device,
        name="validation", needs_targets=needed,
    )  # fmt: skip
    notes += more
    return batches


def judged_at_once(batch_size: int) -> int:
    """How many rows of a validation go through the model together."""
    return max(batch_size, min(JUDGED_AT_ONCE, JUDGED_TO_LEARNED * batch_size))


def _more(
    given: Given, reading: Reading, batch_size: int, device: torch.device, name: str,
    *, shuffle: bool = False, seed: int = 0,
) -> InMemory:  # fmt: skip
    """Batches of what is in memory, read as in training."""
    if reading.divisors is None:
        reading = replace(reading, divisors=divisors_of(given.inputs, []))
    same_inputs(given.inputs, reading, name)
    called = "inputs" if name in ("data", "x") else f"{name} inputs"
    inputs, finish = finished(given, reading, device, [], called)
    inputs, targets, _ = place(inputs, targets_of(given, reading, inputs, name), device)
    return InMemory(
        inputs, targets, batch_size, shuffle=shuffle, seed=seed, device=device, finish=finish
    )


def is_same(given: Given) -> bool:
    """Whether the inputs are the targets too, as an autoencoder has it."""
    return given.targets is not None and given.targets is given.inputs


def targets_of(given: Given, reading: Reading, inputs: Any, name: str = "data") -> Tensor | None:
    """The targets as the loss takes them."""
    if given.targets is None or reading.rule is None:
        return None
    if is_same(given):
        return inputs if inputs.is_floating_point() else reading.finish(inputs)
    return reading.rule.tensor(given.targets, "targets" if name == "data" else f"{name} targets")


def _target_for(data: Any, reading: Reading) -> Target:
    """The column of the training, where the data is of a kind that has columns."""
    named = hasattr(data, "columns") or hasattr(data, "stand_in")
    if named:
        return reading.target
    keyed = isinstance(data, dict) and isinstance(reading.target, str) and reading.target in data
    return reading.target if keyed else None
