"""Data that makes its own batches, prepared: what the first batch shows has to do for all.

Nobody knows every label before an epoch is over, so labels are not mapped here; every batch is
checked as it comes, while it is still on the host.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from mlnb.errors import DataError
from mlnb.formatting import plural
from mlnb.train.feed.class_weight import class_weights
from mlnb.train.feed.loaders import batches_of, is_indexed, same_random_state
from mlnb.train.feed.reading import Probe, Reading, ask, with_rule
from mlnb.train.feed.splits import split
from mlnb.train.trees import leaves, tree_map

if TYPE_CHECKING:
    from mlnb.train.feed.arrays import Foreign
    from mlnb.train.feed.batches import Batches
    from mlnb.train.feed.data import Prepared
    from mlnb.train.feed.datasets import FromDataset
    from mlnb.train.feed.loaders import FromLoader


def prepare_foreign(
    given: Foreign,
    *,
    validation: Any,
    batch_size: int,
    device: torch.device,
    shuffle: bool,
    seed: int,
    class_weight: Any,
    probe: Probe | None,
    loss: Any,
    floats: torch.dtype,
) -> Prepared:
    """As `mlnb.train.feed.data.prepare`, for a Dataset, a DataLoader or an iterable.

    Raises:
        DataError: what the first batch shows, a share of what cannot be shared out, balanced
            classes of which nobody knows how many there are.
    """
    from mlnb.train.feed.data import Prepared, is_share
    from mlnb.train.feed.more_data import judged

    notes: list[str] = []
    rows, held_rows = None, None
    if is_share(validation):
        rows, held_rows = _rows(given, float(validation), seed, notes)
    train = batches_of(given, batch_size, shuffle=shuffle, seed=seed, device=device, rows=rows)
    inputs, targets = first_batch(train)
    reading = Reading(target=given.target, floats=floats)
    pictures = [leaf.dtype == torch.uint8 for leaf in leaves(inputs)]
    reading = replace(reading, divisors=tuple(255.0 if is_one else None for is_one in pictures))
    if any(pictures):
        notes.append("inputs: uint8 became float32 between 0 and 1, divided by 255")
    reading, outputs = ask(probe, inputs, reading, device, notes)
    reading = with_rule(reading, targets, outputs, loss, notes, part=True)
    two = tree_map(lambda leaf: leaf[:2].to(device), inputs)
    shown = None
    if targets is not None and reading.rule is not None:
        shown = reading.rule.batch(targets, "targets")[:2].to(device)
    train.reading = reading
    held: Batches | None = None
    if held_rows is not None:
        held = more_foreign(given, reading, batch_size=batch_size, device=device, rows=held_rows)
    elif validation is not None:
        held = judged(validation, reading, batch_size, device, notes, needed=targets is not None)
    weight = None
    if class_weight is not None:
        if isinstance(class_weight, str) or shown is None or reading.rule is None:
            raise DataError(
                f"class_weight={class_weight!r} needs all targets, and a "
                f"{type(given.source).__name__} shows one batch at a time: pass a number a class"
            )
        weight = class_weights(reading.rule, shown, class_weight, device)
    sample = (reading.finish(two), shown)
    return Prepared(train, held, None, weight, reading.task, sample, outputs, notes, reading)


def more_foreign(
    given: Foreign,
    reading: Reading,
    *,
    batch_size: int,
    device: torch.device,
    rows: torch.Tensor | None = None,
    shuffle: bool = False,
    seed: int = 0,
) -> FromDataset | FromLoader:
    """More batches, read as in training; in the source's own order but for `shuffle`."""
    given = replace(given, target=given.target or reading.target)
    batches = batches_of(given, batch_size, shuffle=shuffle, seed=seed, device=device, rows=rows)
    if reading.rule is None:
        _, targets = first_batch(batches)
        reading = with_rule(reading, targets, None, "auto", [], part=True)
    # What a whole set in memory was divided by does for a loader's batches just the same.
    batches.reading = reading
    return batches


def first_batch(batches: FromDataset | FromLoader) -> tuple[Any, Any]:
    """The first batch on the host, with the random state as it was before it was drawn.

    Raises:
        DataError: there is none.
    """
    with same_random_state():
        for pair in batches.drawn():
            return pair
    raise DataError(f"the {batches.kind} gave no batch; training needs at least one")


def _rows(
    given: Foreign, share: float, seed: int, notes: list[str]
) -> tuple[torch.Tensor, torch.Tensor]:
    if not is_indexed(given.source):
        raise DataError(
            f"validation={share} is a share, and a {type(given.source).__name__} cannot be shared "
            "out: pass data of its own, validation=another_loader"
        )
    samples = len(given.source)
    train, held = split(samples, share, seed)
    notes.append(f"validation: {plural(len(held), 'row')} held back of {samples:,}")
    return torch.from_numpy(train), torch.from_numpy(held)
