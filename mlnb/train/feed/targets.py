"""What the targets are, and what a loss is to get of them: `decide`, then `TargetRule.tensor`.

The targets are looked at as NumPy arrays, before any tensor exists, and together with what the
model gives for two rows: only its outputs tell whether 0 to 9 are ten classes or a number to
predict, and whether `[n]` should have been `[n, 1]`. Every change is said; nothing is broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from mlnb.errors import DataError
from mlnb.formatting import plural
from mlnb.train.feed.labels import Labels, told
from mlnb.train.feed.target_rule import Shape, TargetRule, rows_text
from mlnb.train.feed.target_values import (
    IGNORED,
    Array,
    beyond,
    check_range,
    refuse_gaps,
    target_array,
)

Decided = tuple[TargetRule, list[str]]


def decide(
    values: Any, outputs: Shape | None = None, loss: str | None = None, *, part: bool = False
) -> tuple[TargetRule, list[str]]:
    """What the targets are, and the sentences that say what is done to them.

    >>> decide(np.array(["cat", "dog", "cat"]))[1]
    ["labels: 'cat' is 0, 'dog' is 1"]

    Args:
        values: the targets, `[n, …]`, as the user has them.
        outputs: the shape of what the model gives for a few rows, where it is known.
        loss: what kind the loss is of, where the user named one: "classification", "binary",
            "regression".
        part: whether these are one batch of many: then it may hold one class only, and labels
            cannot be given places, because nobody knows them all.

    Raises:
        DataError: targets that cannot be learned, or not with these outputs.
    """
    array = target_array(values)
    if array.dtype.kind not in "biufOUS":
        raise DataError(f"targets are {array.dtype}, expected numbers, bools or text")
    if array.dtype.kind == "f":
        refuse_gaps(array, "targets")
    rule, notes = _decided(array, _Asked(outputs, loss, part))
    dense = rule.task == "classification" and rule.inner is None
    if rule.inner is None and array.ndim <= 2 and not dense:
        rule = replace(rule, inner=array.shape[1:])
    return rule, notes


# What they can be


@dataclass(frozen=True)
class _Asked:
    """What is known besides the targets: the model's answer, the user's loss, whether all rows."""

    outputs: Shape | None
    loss: str | None
    part: bool

    @property
    def units(self) -> int | None:
        """How many outputs the model has for a row."""
        if self.outputs is None:
            return None
        return self.outputs[1] if len(self.outputs) > 1 else 1

    @property
    def places(self) -> int | None:
        """How many classes so many outputs can tell apart; one output tells two."""
        return 2 if self.units == 1 else self.units


def _decided(array: Array, asked: _Asked) -> Decided:
    kind, outputs, loss = array.dtype.kind, asked.outputs, asked.loss
    flat = array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)
    if kind == "b" and flat and asked.part:
        return _whole(array.astype(np.int64), asked)
    if kind in "OUS" or (kind == "b" and flat):
        return _named(array, asked)
    whole = kind != "f" or bool((array == np.floor(array)).all())
    if flat and whole:
        return _whole(array, asked)
    if whole and outputs is not None and _dense(array.shape, outputs) and loss != "regression":
        return _dense_classes(array, outputs)
    if whole and array.ndim == 2 and np.isin(array, (0, 1)).all():
        found = _yes_or_no(array, asked)
        if found is not None:
            return found
    if kind != "f" and outputs is None and loss != "regression":
        return TargetRule("unknown", dtype=torch.int64), []
    if loss in ("classification", "binary"):
        # Probabilities a class are taken by both losses, where they have the outputs' shape.
        return _aligned(TargetRule("unknown", dtype=torch.float32), array, asked)
    return _numbers(array, asked)


def _named(array: Array, asked: _Asked) -> Decided:
    """Text and bools: classes in sorted order."""
    if array.ndim > 2 or (array.ndim == 2 and array.shape[1] > 1):
        raise DataError(
            f"targets are text of shape {list(array.shape)}, expected one label a row, [n]"
        )
    labels = Labels.of(array)
    if asked.part:
        raise DataError(
            f"targets are text ({told(labels.classes)}), and a loader shows only one batch at a "
            "time, so that nobody knows all labels: give their places, such as names.index(label)"
        )
    if asked.loss == "regression":
        raise DataError(
            f"targets are the labels {told(labels.classes)}, and the loss compares numbers; "
            'take loss="cross_entropy", or numbers as targets'
        )
    rule, notes = _classes(labels.encode(array), len(labels), len(labels), labels, asked)
    return replace(rule, labels=labels), [labels.said, *notes]


def _whole(array: Array, asked: _Asked) -> Decided:
    """Whole numbers, one a row: classes, unless the model or the loss wants a number."""
    floats = array.dtype.kind == "f"
    distinct = np.unique(array)
    labelled = distinct if floats else distinct[distinct != IGNORED]
    if not len(labelled):
        raise DataError(f"every target is {IGNORED}, which says that a row has no label")
    if asked.loss == "regression" or (asked.loss is None and _is_a_number(labelled, floats, asked)):
        return _numbers(array, asked)
    notes = []
    if array.ndim == 2 and asked.units != 1:
        notes.append("targets: [n, 1] became [n], one label a row")
    if floats and len(labelled) > 2:
        notes.append("targets: whole floats are taken as labels")
    return _places(array.reshape(-1).astype(np.int64), labelled.astype(np.int64), asked, notes)


def _is_a_number(distinct: Array, floats: bool, asked: _Asked) -> bool:
    """Whether whole numbers are rather to be predicted than to be told apart."""
    values = set(distinct.tolist())
    two = values in ({0, 1}, {-1, 1}) or (asked.part and values <= {0, 1})
    if asked.units is None or asked.units == 1:
        return (floats or asked.units == 1) and not two
    return floats and not (distinct[0] >= 0 and distinct[-1] < asked.units)


def _places(array: Array, distinct: Array, asked: _Asked, notes: list[str]) -> Decided:
    """Integers as places among the outputs; where they cannot be, each label gets a place."""
    labels, wanted = Labels(tuple(distinct.tolist())), asked.places
    if asked.part and wanted is None:
        return TargetRule("classification", dtype=torch.int64, inner=()), notes
    within = distinct[0] >= 0 and (wanted is None or distinct[-1] < wanted)
    if within and (wanted is not None or labels.plain):
        count = wanted if wanted is not None else len(labels)
        rule, more = _classes(array, count, len(labels), labels, asked)
        if count > len(labels) and not asked.part:
            more.append(f"labels: no row has {told(sorted({*range(count)} - {*labels.classes}))}")
        return rule, [*notes, *more]
    unlabelled = len(distinct) > 2 and distinct[0] == -1 and distinct[1] == 0
    if asked.part or unlabelled or (wanted is not None and len(distinct) != wanted):
        count = wanted if wanted is not None else int(distinct[-1]) + 1
        bad = ((array < 0) & (array != IGNORED)) | (array >= count)
        told_apart = None if asked.part else len(distinct)
        raise DataError(beyond(array, bad, wanted, occurring=told_apart))
    ignored = array == IGNORED
    if ignored.any():
        raise DataError(
            f"targets hold {IGNORED}, which says that a row has no label, in "
            f"{plural(int(ignored.sum()), 'row')}: leave these out, because the labels "
            f"{told(labels.classes)} are not counted from 0"
        )
    rule, more = _classes(labels.encode(array), len(labels), len(labels), labels, asked)
    return replace(rule, labels=labels), [*notes, labels.said, *more]


def _classes(array: Array, count: int, occurring: int, labels: Labels, asked: _Asked) -> Decided:
    """One class a row, against as many outputs as there are."""
    names = told(labels.classes)
    if occurring < 2 and not asked.part:
        raise DataError(
            f"every target is {names}: with one class there is nothing to tell apart. A "
            "classifier needs rows of at least two"
        )
    ignored = int((array == IGNORED).sum())
    notes = [f"targets: {plural(ignored, 'row')} with {IGNORED} teach nothing"] if ignored else []
    units = asked.units
    if units is None:
        task = "binary" if count == 2 else "classification"
        return TargetRule(task, dtype=torch.int64, inner=(), classes=count), notes
    if count > units > 1 or (units == 1 and (count > 2 or asked.loss == "classification")):
        other = ' or take loss="bce"' if count == 2 else ""
        raise DataError(
            f"the targets are {count} classes ({names}), and the model has "
            f"{plural(units, 'output')}: give its last layer {count} outputs{other}"
        )
    assert asked.outputs is not None
    if units == 1:
        return TargetRule("binary", dtype=torch.float32, inner=asked.outputs[1:], classes=2), notes
    if asked.loss == "binary":
        raise DataError(
            f"the targets are one label a row, and the loss compares each of {units} outputs with "
            'a target of its own: take loss="cross_entropy", or one-hot targets'
        )
    if len(asked.outputs) > 2:
        raise DataError(
            f"the model gives {_row(asked.outputs)} a row, and the targets are one label a row: "
            f"end it with a layer that gives [{count}], such as pooling and a dense layer"
        )
    return TargetRule("classification", dtype=torch.int64, inner=(), classes=units), notes


def _dense_classes(array: Array, outputs: Shape) -> tuple[TargetRule, list[str]]:
    """A class for each place of a row: pixels, words."""
    classes = outputs[1] if outputs[2:] == array.shape[1:] else outputs[-1]
    check_range(array, classes)
    return TargetRule("classification", dtype=torch.int64, classes=classes), []


def _yes_or_no(array: Array, asked: _Asked) -> Decided | None:
    """Rows of zeros and ones: one-hot, or several labels a row."""
    width = array.shape[1]
    if asked.outputs is not None and asked.outputs[1:] != (width,):
        return None
    one_hot = bool((array.sum(1) == 1).all())
    if one_hot and asked.loss in (None, "classification"):
        shown = np.unique(array.argmax(1)).tolist()
        if len(shown) < 2 and not asked.part:
            raise DataError(
                f"every target is class {shown[0]}: with one class there is nothing to tell apart. "
                "A classifier needs rows of at least two"
            )
        rule = TargetRule("classification", places=True, dtype=torch.int64, inner=(), classes=width)
        return rule, [f"targets: one-hot rows of {width} became labels 0 to {width - 1}"]
    if asked.loss in (None, "binary"):
        return _aligned(TargetRule("multilabel", dtype=torch.float32), array, asked)
    return None


def _numbers(array: Array, asked: _Asked) -> Decided:
    """Numbers to predict, in the shape of the outputs."""
    rule, notes = _aligned(TargetRule("regression", dtype=torch.float32), array, asked)
    if array.dtype.kind != "f":
        notes = ["targets: integers are numbers to predict, as float32", *notes]
    if len(array) > 1 and not asked.part and bool((array == array[:1]).all()):
        notes.append("targets: every row has the same, so that there is nothing to learn")
    return rule, notes


def _aligned(rule: TargetRule, array: Array, asked: _Asked) -> Decided:
    """The targets in the shape of the outputs; only a 1 at the end may come or go."""
    have = array.shape[1:]
    want = have if asked.outputs is None else asked.outputs[1:]
    if have == want:
        return replace(rule, inner=want), []
    if (*have, 1) == want or have == (*want, 1):
        shapes = f"{rows_text(have)} became {rows_text(want)}"
        return replace(rule, inner=want), [f"targets: {shapes}, as the model's outputs are"]
    raise DataError(
        f"the targets are {rows_text(have)} and the model gives {rows_text(want)}: "
        f"{_remedy(have, want)}"
    )


# Helpers


def _remedy(have: Shape, want: Shape) -> str:
    if len(want) == 1 and len(have) <= 1:
        need = have[0] if have else 1
        layer = f"give its last layer {plural(need, 'output')}"
        return f"{layer}, or pass {plural(want[0], 'number')} a row"
    return "each row needs a target of the shape that the model gives"


def _dense(targets: Shape, outputs: Shape) -> bool:
    """Whether the outputs have one dimension more than the targets, for the classes."""
    if len(targets) < 2 or len(outputs) != len(targets) + 1:
        return False
    return outputs[2:] == targets[1:] or outputs[1:-1] == targets[1:]


def _row(outputs: Shape) -> str:
    return f"[{', '.join(map(str, outputs[1:]))}]"
