"""What `fit` takes becomes what the loop draws from: `prepare`.

The order of the work is the one decision here: inputs first, then the model's answer to two rows
of them, then the targets, which only that answer explains; a tensor of targets exists last. How it
was done is kept as a `Reading`, so that validation and prediction are read the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mlnb.errors import DataError, TrainError
from mlnb.formatting import plural
from mlnb.train.feed.arrays import Foreign, Given, Target, read
from mlnb.train.feed.batches import Batches, InMemory
from mlnb.train.feed.checks import check_rows
from mlnb.train.feed.class_weight import class_weights
from mlnb.train.feed.more_data import is_same, judged, judged_at_once, targets_of
from mlnb.train.feed.placing import place
from mlnb.train.feed.reading import (
    Probe,
    Reading,
    ask,
    divisors_of,
    finished,
    with_rule,
)
from mlnb.train.feed.splits import split
from mlnb.train.trees import first_leaf, tree_map

if TYPE_CHECKING:
    from mlnb.train.feed.labels import Labels


@dataclass(frozen=True)
class Prepared:
    """Data that can be trained on.

    Args:
        train: the batches to learn from.
        validation: the batches to judge by, in the order of the data.
        labels: the user's, where the targets are their places.
        class_weight: one a class, float32, on the device.
        task: "classification", "binary" (one output, two classes), "multilabel", "regression" or
            "unknown".
        sample: two rows as the model and the loss will see them, on the device.
        outputs: what the model gave for them.
        notes: sentences to say, in order.
        reading: how all of it was read.
    """

    train: Batches
    validation: Batches | None
    labels: Labels | None
    class_weight: Tensor | None
    task: str
    sample: tuple[Any, Any]
    outputs: Any
    notes: list[str] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)


def prepare(
    data: Any,
    *,
    target: Target = None,
    validation: Any = None,
    batch_size: int = 64,
    device: torch.device | str = "cpu",
    shuffle: bool = True,
    seed: int = 0,
    class_weight: Any = None,
    probe: Probe | None = None,
    loss: Any = "auto",
    floats: torch.dtype = torch.float32,
    join_last: bool = False,
) -> Prepared:
    """Read, check and place data.

    >>> prepare((torch.zeros(100, 4), torch.arange(100) % 3)).train.steps
    2

    Args:
        data: what `mlnb.train.feed.arrays.read` takes.
        target: the column of a frame, or the key of a dict, that holds the targets.
        validation: a share such as 0.2, or data of any kind.
        batch_size: rows a batch.
        device: where the batches come out.
        shuffle: whether every epoch has an order of its own.
        seed: of the order and of the split.
        class_weight: "balanced", or a number a class.
        probe: the model's answer to two rows of inputs; without it targets are judged alone.
        loss: the user's; its kind tells labels from numbers where they could be both.
        floats: the model's dtype.
        join_last: whether a last batch of one row joins the one before it.

    Raises:
        DataError: data that cannot be trained on; the row, the column or the label is named.
    """
    where = torch.device(device)
    given = read(data, target)
    if isinstance(given, Foreign):
        from mlnb.train.feed.foreign import prepare_foreign

        return prepare_foreign(
            given, validation=validation, batch_size=batch_size, device=where, shuffle=shuffle,
            seed=seed, class_weight=class_weight, probe=probe, loss=loss, floats=floats,
        )  # fmt: skip
    check_rows(given.inputs, given.targets)
    notes = list(given.notes)
    reading = Reading(given.columns, given.target, floats=floats)
    reading = replace(reading, divisors=divisors_of(given.inputs, notes))
    reading, outputs = ask(probe, given.inputs, reading, where, notes)
    reading = with_rule(reading, _shown(given, reading), outputs, loss, notes, is_same(given))
    inputs, finish = finished(given, reading, where, notes)
    targets = targets_of(given, reading, inputs)
    rows, held_rows = _rows(validation, targets, reading, seed, len(first_leaf(inputs)), notes)
    weight = _weight(class_weight, reading, targets, rows, where)
    sample = _sample(inputs, targets, rows, finish, where)
    inputs, targets, said = place(inputs, targets, where)
    notes += [said] if said else []
    train = InMemory(
        inputs, targets, batch_size, shuffle=shuffle, seed=seed, device=where, rows=rows,
        finish=finish, join_last=join_last,
    )  # fmt: skip
    held: Batches | None = None
    if held_rows is not None:
        held = InMemory(
            inputs, targets, judged_at_once(batch_size), shuffle=False, device=where,
            rows=held_rows, finish=finish,
        )  # fmt: skip
    elif validation is not None:
        held = judged(validation, reading, batch_size, where, notes, needed=targets is not None)
        _try(held, probe)
    return Prepared(
        train, held, reading.labels, weight, reading.task, sample, outputs, notes, reading
    )


def _try(held: Batches, probe: Probe | None) -> None:
    """Whether the model takes the rows to judge by, which it would be shown an epoch later."""
    if probe is None or not isinstance(held, InMemory):
        return
    inputs, _ = next(held.epoch(0))
    try:
        probe(tree_map(lambda leaf: leaf[:2], inputs))
    except TrainError as error:
        raise TrainError(f"validation: {error}") from error


def is_share(validation: Any) -> bool:
    """Whether validation is a number, which is a share of the data."""
    return isinstance(validation, int | float | np.number) and not isinstance(validation, Tensor)


def _shown(given: Given, reading: Reading) -> Any:
    """The targets to decide by; an autoencoder's are its inputs as the model gets them."""
    return reading.finish(given.inputs[:64]) if is_same(given) else given.targets


def _rows(
    validation: Any, targets: Tensor | None, reading: Reading, seed: int, samples: int,
    notes: list[str],
) -> tuple[Tensor | None, Tensor | None]:  # fmt: skip
    """The rows to learn from and those to judge by, where validation is a share."""
    if not is_share(validation):
        return None, None
    classes = _classes(targets, reading.task)
    train, held = split(samples, validation, seed, classes)
    alike = classes is not None and np.unique(classes, return_counts=True)[1].min() > 1
    notes.append(
        f"validation: {plural(len(held), 'row')} held back of {samples:,}"
        + (", the same share of every class" if alike else "")
    )
    return torch.from_numpy(train), torch.from_numpy(held)


def _weight(
    weight: Any, reading: Reading, targets: Tensor | None, rows: Tensor | None,
    device: torch.device,
) -> Tensor | None:  # fmt: skip
    if weight is None:
        return None
    if targets is None or reading.rule is None:
        raise DataError("class_weight needs labels, and the data has no targets")
    learned = targets if rows is None else targets[rows.to(targets.device)]
    return class_weights(reading.rule, learned, weight, device)


def _classes(targets: Tensor | None, task: str) -> Any:
    """What a split keeps in proportion, as an array; `None` where nothing is to be kept."""
    if task not in ("classification", "binary") or targets is None:
        return None
    flat = targets.reshape(len(targets), -1)
    return flat[:, 0].cpu().numpy() if flat.shape[1] == 1 else None


def _sample(
    inputs: Any, targets: Any, rows: Tensor | None, finish: Any, device: torch.device
) -> tuple[Any, Any]:
    first = rows[:2] if rows is not None else torch.arange(min(2, len(first_leaf(inputs))))
    pick = lambda tensor: tensor[first.to(tensor.device)].to(device)  # noqa: E731
    two = tree_map(pick, inputs)
    return (finish(two) if finish else two), tree_map(pick, targets)
