"""`suggest_preprocessing`: which pixels a model was trained on, found out by trying.

A model file says what shape goes in and not how its pixels were scaled, and fed wrong ones it
answers with confidence and wrong. A few pictures whose class is known tell the conventions apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlnb.errors import DataError, unknown
from mlnb.formatting import display_text, plural
from mlnb.progress import progress
from mlnb.tasks.pipeline.conventions import CONVENTIONS
from mlnb.tasks.pipeline.images import ExtractPixels, Layout, ResizeImages, with_change
from mlnb.tasks.pipeline.judging import Judge, by_classes, by_linear_head
from mlnb.tasks.pipeline.pictures import Array, batches, picture_frame
from mlnb.tasks.pipeline.score import Predict, answers, predictor
from mlnb.tasks.pipeline.taken import Taken, what_it_takes

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from mlnb.data.decoding import Mode

_STRETCHED = 3
"""How many of the best conventions are tried with stretched pictures as well."""


@dataclass(frozen=True, eq=False)
class Suggestions:
    """What was tried, the best first.

    Args:
        frame: convention, mode, accuracy, log_loss, and what the steps are told; the log-loss is
            the mean of -log(probability of the true class).
        size: height and width that the model takes.
        layout: of its pixels.
        dtype: of its pixels.
        pictures: how many were looked at.
        head: `"classes"` where the model's own classes were judged, `"linear"` where a linear head
            was fitted to its features.
    """

    frame: DataFrame
    size: tuple[int, int]
    layout: Layout
    dtype: str
    pictures: int
    head: str

    @property
    def name(self) -> str:
        """The best one in words: `"BGR minus mean, crop"`."""
        return f"{self.frame.convention.iloc[0]}, {self.frame['mode'].iloc[0]}"

    @property
    def best(self) -> list[ResizeImages | ExtractPixels]:
        """The steps of the best one, ready for a pipeline.

        >>> make_pipeline(LoadImages(), *suggestions.best, Score(model), TopK(5, labels))
        """
        return self.steps(0)

    def steps(self, rank: int) -> list[ResizeImages | ExtractPixels]:
        """The steps of another one, counted from 0."""
        row = self.frame.iloc[rank]
        return [
            ResizeImages(*self.size, mode=row["mode"]),
            _extract(row["convention"], self.layout, self.dtype),
        ]

    def __repr__(self) -> str:
        best = self.frame.iloc[0]
        return (
            f"Suggestions({self.name}: {best.accuracy:.1%} of {plural(self.pictures, 'picture')}, "
            f"{len(self.frame)} tried)"
        )

    def _repr_html_(self) -> str:
        return str(self.frame[["convention", "mode", "accuracy", "log_loss"]].to_html())


def suggest_preprocessing(
    model: Any,
    images: Any,
    labels: str | Sequence[object] = "label",
    *,
    classes: Any = None,
    head: Literal["auto", "classes", "linear"] = "auto",
    shape: Sequence[int | None] | None = None,
    limit: int = 64,
) -> Suggestions:
    """Try the usual conventions on a few labelled pictures, and rank them.

    >>> found = suggest_preprocessing(model, photographs, tags, classes="imagenet_1000.txt")
    >>> found.name
    'BGR minus mean, crop'

    Red or blue first, and the scalings of `CONVENTIONS`, each on the middle of the pictures, then
    the best on stretched ones. Ranked by accuracy, then by log-loss.

    Args:
        model: as `Score` takes it. Its first output counts.
        images: as `LoadImages` takes them.
        labels: a label a picture, names or the numbers of outputs; or the frame's column of them.
        classes: the names of the model's outputs, or their file; by default those in its file.
        head: what is judged: the model's own `"classes"`, or a quick `"linear"` head on what comes
            out, as for a backbone; by default classes where they are given or bear the labels.
        shape: of the input, such as `(None, 3, 224, 224)`, where the model does not say.
        limit: how many pictures are looked at, evenly of each label.

    Raises:
        DataError: no readable pictures, labels that do not fit, an input that takes no pictures.
    """
    heads = ("auto", "classes", "linear")
    if head not in heads:
        raise unknown("head", str(head), heads)
    if classes is not None and head == "auto":
        head = "classes"
    taken = what_it_takes(model, shape)
    predict = predictor(model)
    names = classes if classes is not None else getattr(model, "labels", None) or None
    frame = _few(picture_frame(images), labels, limit)
    tried: list[dict[str, Any]] = []
    conventions = list(taken.conventions)
    judge: Judge | None = None
    count = len(conventions) + min(_STRETCHED, len(conventions))
    with progress("trying conventions", count) as show:
        for mode, chosen in _plan(conventions, tried):
            pixels, truth = _decoded(frame, taken, mode)
            for name in chosen:
                values = _extract(name, taken.layout, taken.dtype).pixels(pixels)
                scores = _scores(predict, values)
                judge = judge or _judge(head, truth, names, scores)
                accuracy, log_loss = judge.judge(scores, truth)
                tried.append(_row(name, mode, accuracy, log_loss))
                show(len(tried))
    assert judge is not None
    import pandas as pd

    ranked = pd.DataFrame(sorted(tried, key=_rank))
    return Suggestions(ranked, taken.size, taken.layout, taken.dtype, len(truth), judge.name)


def _plan(conventions: list[str], tried: list[dict[str, Any]]) -> Iterator[tuple[Mode, list[str]]]:
    """All of them on the middle of the pictures, then the best on the whole, stretched."""
    yield "crop", conventions
    yield "stretch", [row["convention"] for row in sorted(tried, key=_rank)[:_STRETCHED]]


def _row(name: str, mode: Mode, accuracy: float, log_loss: float) -> dict[str, Any]:
    told = {"convention": name, "mode": mode, "accuracy": accuracy, "log_loss": log_loss}
    return {**told, **CONVENTIONS[name]}


def _rank(row: dict[str, Any]) -> tuple[float, float]:
    return -row["accuracy"], row["log_loss"]


def _extract(name: str, layout: Layout, dtype: str) -> ExtractPixels:
    return ExtractPixels(**CONVENTIONS[name], layout=layout, dtype=dtype)


def _few(frame: DataFrame, labels: str | Sequence[object], limit: int) -> DataFrame:
    """At most `limit` of the pictures that are labelled, as many of each label as there are."""
    import pandas as pd

    if isinstance(labels, str):
        if labels not in frame:
            raise DataError(
                f"no column {display_text(labels)!r} of labels; pass a label a picture, "
                f"suggest_preprocessing(model, images, labels)"
            )
        given = frame[labels]
    else:
        values = list(labels)
        if len(values) != len(frame):
            raise DataError(f"{len(frame):,} pictures came with {len(values):,} labels")
        given = pd.Series(values, index=frame.index)
    frame = frame.assign(label=given)
    frame = frame[(frame["status"] == "ok") & frame["label"].notna()]
    turn = frame.groupby("label", sort=False).cumcount()
    return frame.iloc[np.argsort(turn.to_numpy(), kind="stable")[: max(1, limit)]]


def _decoded(frame: DataFrame, taken: Taken, mode: Mode) -> tuple[Array, Series[Any]]:
    """The pictures that can be read as one array, and their labels."""
    resized = with_change(frame, ResizeImages(*taken.size, mode=mode).fit_to_size(), "ResizeImages")
    rows: list[int] = []
    parts: list[Array] = []
    reasons: list[str] = []
    for batch in batches(resized["image"].tolist(), 32):
        rows += batch.rows
        reasons += batch.reasons.values()
        if batch.rows:
            parts.append(batch.values)
    if not rows:
        raise DataError(f"no labelled picture can be read{': ' + reasons[0] if reasons else ''}")
    return np.concatenate(parts), frame["label"].iloc[rows]


def _scores(predict: Predict, values: Array) -> Array:
    """The first output for all pictures, `[n, …]`, in batches of 32."""
    parts = []
    for start in range(0, len(values), 32):
        found = answers(predict, values[start : start + 32])
        parts.append(next(iter(found.values())))
    scores = np.concatenate(parts)
    if scores.dtype.kind not in "fiu":
        raise DataError(f"the model answers with {scores.dtype}, and not with scores or features")
    return scores


def _judge(head: str, truth: Series[Any], names: Any, scores: Array) -> Judge:
    """By the classes where that is asked for or possible, else by a linear head."""
    if head == "linear":
        return by_linear_head(truth)
    try:
        return by_classes(truth, names, scores)
    except DataError as error:
        if head == "classes":
            raise
        try:
            return by_linear_head(truth)
        except DataError as other:
            raise DataError(f"{error}; and {other}") from error
