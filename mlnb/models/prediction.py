"""What a model answered: `Prediction`, a dict of arrays that remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mlnb.formatting import display_text, probability_text, seconds_text
from mlnb.models.dtypes import nan_note
from mlnb.specs import own_name, shape_text

_SCANNED = 1_000_000
_SHOWN = 3


class Prediction(dict[str, Any]):
    """The outputs by name, in the model's order; TensorFlow's `y:0` and `y` are one name.

    >>> prediction = model.predict(image)
    >>> prediction["softmaxout_1"].argmax()
    937

    Args:
        outputs: an array each; a list of arrays for a sequence, a dict for a map, `None` for an
            optional output that is absent.
        inputs: the values as they were fed, by input name.
        notes: what was changed on the way in and how it ran, a sentence each.
        seconds: from the call to the answer.
        device: what it ran on, `"CPU"` or `"CUDA"`.
        labels: the names of the classes, which stand at an output that has a number for each.
    """

    def __init__(
        self,
        outputs: Mapping[str, Any],
        *,
        inputs: Mapping[str, Any] | None = None,
        notes: tuple[str, ...] = (),
        seconds: float = 0.0,
        device: str = "CPU",
        labels: Sequence[str] = (),
    ) -> None:
        super().__init__(outputs)
        self.inputs = dict(inputs or {})
        self._notes = notes
        self.seconds = seconds
        self.device = device
        self.labels = tuple(labels)

    def __missing__(self, name: str) -> Any:
        own = own_name(name, self)
        if own == name:
            raise KeyError(name)
        return self[own]

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What was remarkable in the inputs and changed on the way in, and how the model ran.

        The inputs are searched for NaN when somebody asks: a loop that does not need not wait.
        """
        return (*_nan_notes(self.inputs), *self._notes)

    def __repr__(self) -> str:
        names = [display_text(name, 40) for name in self]
        width = max(map(len, names), default=0)
        lines = [f"Prediction in {seconds_text(self.seconds)} on {self.device}"]
        lines += [
            f"  {name:<{width}}  {_line(value)}{_named(value, self.labels)}"
            for name, value in zip(names, self.values(), strict=True)
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def _nan_notes(inputs: Mapping[str, Any]) -> Iterator[str]:
    for name, value in inputs.items():
        for array in value if isinstance(value, list) else [value]:
            note = nan_note(array) if isinstance(array, np.ndarray) else ""
            if note:
                yield f"{display_text(name)}: {note}"


def _line(value: object) -> str:
    """One output in a few words."""
    if isinstance(value, np.ndarray):
        dtype = "string" if value.dtype.kind in "OUST" else value.dtype.name
        return f"{dtype} {shape_text(value.shape)}{_range(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"a dict of {len(value)}"
    return display_text(repr(value), 60)


def _named(value: object, labels: Sequence[str]) -> str:
    """The likeliest classes of one row, the likeliest of each of several."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or len(labels) < 2:
        return ""
    if value.shape[-1:] != (len(labels),) or not value.size or not np.isfinite(value).all():
        return ""
    rows = value.reshape(-1, len(labels))
    if len(rows) > 1:
        best = [display_text(labels[one], 40) for one in rows[:_SHOWN].argmax(axis=1)]
        return f"  {', '.join(best)}{', …' if len(rows) > _SHOWN else ''}"
    row = rows[0].astype(np.float64)
    shares = row.min() >= 0 and abs(row.sum() - 1) < 0.02
    said = probability_text if shares else "{:.4g}".format
    order = np.argsort(-row, kind="stable")[:_SHOWN]
    return "  " + ", ".join(f"{display_text(labels[i], 40)} {said(row[i])}" for i in order)


def _range(array: np.ndarray[Any, np.dtype[Any]]) -> str:
    if not array.size or array.size > _SCANNED:
        return ""
    if array.dtype.kind in "OUST":
        return f"  {display_text(str(array.reshape(-1)[0]), 40)!r}" + " …" * (array.size > 1)
    if array.dtype.kind == "c":
        return ""
    numbers = array.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return "  no finite value"
    if array.size == 1:
        return f"  {finite[0]:.4g}"
    odd = array.size - finite.size
    rest = f", {odd:,} not finite" if odd else ""
    return f"  {finite.min():.4g} … {finite.max():.4g}{rest}"
