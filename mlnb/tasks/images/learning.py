"""What a classifier learns from: `Learning`, pictures to train on and pictures to validate on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlnb.data.label_map import LabelMap, labels_text
from mlnb.data.rows import columns_text
from mlnb.errors import DataError
from mlnb.tasks.estimator import require_two, train_and_validation
from mlnb.tasks.images.pictures import Pictures, take_pictures, usable

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Learning:
    """Labelled pictures, and which of them are for training.

    Args:
        pictures: those to train on first, then those to validate on.
        codes: the class of each, `int64 [n]`.
        training: how many are trained on.
        classes: the labels.
        left_out: why others are not among them, by their ids.
    """

    pictures: Pictures
    codes: Array
    training: int
    classes: Array
    left_out: Mapping[Any, str]

    @property
    def is_training(self) -> Array:
        """Whether each is trained on."""
        return np.arange(len(self.codes)) < self.training


def learning_of(
    X: Any,
    y: Any,
    validation: Any,
    *,
    share: float,
    target: str | None,
    seed: int | None,
    tell: Callable[[str], object],
) -> Learning:
    """Divide what `fit` was given.

    Args:
        X: pictures, as `take_pictures` has them.
        y: their labels, or `None`.
        validation: a share, or pictures, or pictures and labels in a tuple; `None` takes the
            frame's splits, else `share`.
        share: of the pictures, where nothing else is said.
        target: the column of labels.
        seed: of a share.
        tell: takes what a folder is worth a line.

    Raises:
        DataError: there are no labels, one class, or a label in validation only.
    """
    given = take_pictures(X, y, target=target, tell=tell)
    _require_labels(given, target)
    if validation is None and given.splits is not None:
        if "train" not in given.splits:
            raise DataError(
                "The frame's column 'split' has no row \"train\"; "
                "split(frame) makes one, or leave the column away."
            )
        given = given.of_split("train", "validation")
        pictures, left_out = usable(given)
        first = [i for i, name in enumerate(pictures.splits or ()) if name == "train"]
        then = [i for i, name in enumerate(pictures.splits or ()) if name != "train"]
        return _learning(pictures.rows(first), pictures.rows(then), left_out)
    pictures, left_out = usable(given)
    if validation is None or isinstance(validation, int | float):
        codes = label_map(pictures).codes(pictures.labels or ())
        wanted = share if validation is None else validation
        train, held = train_and_validation(codes, wanted, seed)
        return _learning(pictures.rows(train), pictures.rows(held), left_out)
    held_X, held_y = validation if isinstance(validation, tuple) else (validation, None)
    held_out = take_pictures(held_X, held_y, target=target)
    _require_labels(held_out, target, "validation ")
    held_out, more = usable(held_out)
    return _learning(pictures, held_out, {**more, **left_out})


def testing_of(test: Any, y: Any, *, target: str | None) -> tuple[Pictures, dict[Any, str]]:
    """The labelled pictures to evaluate on, and why others are left out.

    Of a frame with a column `split`, these are its test rows where it has other rows as well.
    """
    pictures = take_pictures(test, y, target=target)
    _require_labels(pictures, target)
    if "test" in (pictures.splits or ()):
        pictures = pictures.of_split("test")
    pictures, left_out = usable(pictures)
    if not pictures:
        raise DataError("There are no labelled pictures to evaluate on.")
    return pictures, left_out


def in_turn(codes: Array, generator: np.random.Generator) -> Array:
    """All row numbers by chance, so that any first ones have as many of each class as there are.

    >>> codes[in_turn(codes, np.random.default_rng(0))][:4]
    array([0, 1, 0, 1])
    """
    order = generator.permutation(len(codes))
    turn = np.empty(len(codes), np.int64)  # the how-manieth of its class each is
    for code in np.unique(codes):
        members = order[codes[order] == code]
        turn[members] = np.arange(len(members))
    return np.lexsort((codes, turn))


def require_classes(codes: Array, classes: Array) -> None:
    """Refuse to train on one class, as happens where all pictures of the others are broken.

    Raises:
        DataError: with the classes that are left.
    """
    left = classes[np.unique(codes)]
    if len(left) < 2:
        only = labels_text(left.tolist()) or "no class"
        raise DataError(
            f"Only {only} has pictures that can be read; a classifier needs at least two classes."
        )


def label_map(pictures: Pictures) -> LabelMap:
    """Which number stands for which label.

    Raises:
        DataError: there are no labels, all are the same, or they are of several kinds.
    """
    return require_two(LabelMap.of(pictures.labels or ()), "picture")


def _learning(train: Pictures, validation: Pictures, left_out: Mapping[Any, str]) -> Learning:
    known = label_map(train)
    codes = known.codes(train.labels or ()), known.codes(validation.labels or (), "validation")
    together = train.joined(validation)
    return Learning(together, np.concatenate(codes), len(train), known.to_numpy(), left_out)


def _require_labels(pictures: Pictures, target: str | None, which: str = "") -> None:
    if pictures.labels is not None:
        return
    if pictures.frame is not None:
        raise DataError(
            f"The {which}frame has no column {target or 'label'!r} of labels; it has "
            f"{columns_text(pictures.frame)}. Name it: target="
        )
    raise DataError(f"The {which}pictures have no labels; give them as y, or a frame or a folder.")
