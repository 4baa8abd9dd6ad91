"""`Asked`: any model as one asks it, a picture or a text in, probabilities by class out.

A classifier with `predict_proba` and `classes_`, a loaded `Model`, or a plain function: the panel
and `%mlpredict` see no difference.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError, MlnbError
from mlnb.formatting import display_text, plural
from mlnb.models.live import live_module
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.widgets.answer import Answer, Word
from mlnb.widgets.explaining import HOW, outside
from mlnb.widgets.picture_feed import picture_feed

if TYPE_CHECKING:
    from mlnb.data.images import RGBArray

Array = np.ndarray[Any, np.dtype[Any]]

_NAMED = 4
_COVERED_SIDE = 320


class Asked:
    """A model to ask.

    >>> asked = Asked(classifier)
    >>> asked.answer("The soup was cold.")
    Answer(bad 91.2%, good 8.8%)

    Args:
        model: has `predict_proba` and `classes_`; or a `Model`, or a network; or a function of
            one picture `uint8 [height, width, 3]`, or of one text, that returns a probability for
            each class, as a row or as a dict.
        labels: names of the classes, in the model's order; by default the model's own.
        preprocessing: what makes the model's input of a picture: a function, or steps such as
            `[ResizeImages(224), ExtractPixels()]`.
        explain: a function of the input (and `target`, the number of a class) that returns a map
            of 0 to 1 for a picture, words with `start`, `end` and `share` for a text; by default
            the model's own, which takes one of `classes_` as `target`, where it has these.
        text: whether it takes text; by default the model says so by `takes_text`.

    Raises:
        TypeError: the model is nothing of these.
    """

    def __init__(
        self,
        model: Any,
        *,
        labels: Sequence[object] | None = None,
        preprocessing: Any = None,
        explain: Callable[..., Any] | None = None,
        text: bool | None = None,
    ) -> None:
        if not hasattr(model, "predict_proba") and live_module(model) is not None:
            model = load_model(model)
        if not (hasattr(model, "predict_proba") or isinstance(model, Model) or callable(model)):
            raise TypeError(
                "expected something with predict_proba and classes_, a Model, or a function; "
                f"received {type(model).__name__}"
            )
        self._model, self._labels, self._preprocessing = model, labels, preprocessing
        self._explain = explain or getattr(model, "explain", None)
        self._is_given = explain is not None
        self._one_at_a_time = RLock()
        self.takes_text = _takes_text(model) if text is None else text

    @property
    def title(self) -> str:
        """What to call it."""
        name = getattr(self._model, "title", None) or getattr(self._model, "__name__", None)
        return display_text(str(name or type(self._model).__name__))

    @property
    def facts(self) -> str:
        """Its classes in words."""
        labels = self.labels
        if not labels:
            return ""
        few = ", ".join(display_text(label, 30) for label in labels[:_NAMED])
        noun = "class" if len(labels) == 1 else "classes"
        return f"{len(labels):,} {noun}: {few}{', …' if len(labels) > _NAMED else ''}"

    @property
    def labels(self) -> list[str]:
        """The names of the classes, as far as they are known."""
        for known in (self._labels, *(getattr(self._model, n, None) for n in _OWN_LABELS)):
            if known is not None and len(known):
                return [str(label) for label in known]
        return []

    @property
    def why_not(self) -> str:
        """Why it cannot explain its answers; empty where it can."""
        return "" if self._explain or outside(self.takes_text) else HOW

    def answer(self, asked: Any, name: str = "") -> Answer:
        """Ask the model.

        Args:
            asked: a text, or `uint8 [height, width, 3]`.
            name: what to call a picture.

        Raises:
            MlnbError: what the model returned are no probabilities; besides, whatever it raises.
        """
        began = time.perf_counter()
        with self._one_at_a_time:
            row, labels, note = self._row(asked)
        seconds = time.perf_counter() - began
        order = np.argsort(-row, kind="stable")
        shares = {labels[i]: float(row[i]) for i in order}
        words = asked if isinstance(asked, str) else name
        return Answer(shares, tuple(int(i) for i in order), words, seconds, note)

    def heat(self, image: RGBArray, target: int) -> Array:
        """Where a picture speaks for a class, `float32 [h, w]` of 0 to 1, over the whole of it.

        Raises:
            MlnbError: nobody can tell, or what came is no such map.
        """
        found = self._explained(_smaller(image) if self._explain is None else image, target)
        heat = np.asarray(found, np.float32)
        if heat.ndim != 2 or not heat.size or not np.isfinite(heat).all():
            raise DataError(
                f"the explanation should be a map [height, width] of numbers; its shape is "
                f"{list(heat.shape)}"
            )
        return heat.clip(0, 1)

    def words(self, text: str | tuple[str, ...], target: int) -> tuple[tuple[Word, ...], str]:
        """A text in pieces, with what each word does for a class, -1 to 1; of a pair the first's.

        Besides a sentence where not all of its words were looked at.

        Raises:
            MlnbError: nobody can tell.
        """
        pieces: list[Word] = []
        at = 0
        found = self._explained(text, target)
        text, *others = (text,) if isinstance(text, str) else text
        for word in sorted(found, key=lambda word: word.start):
            if at < word.start:
                pieces.append((text[at : word.start], None))
            if at <= word.start < word.end:
                pieces.append((text[word.start : word.end], float(word.share)))
                at = word.end
        rest = " | ".join((text[at:], *others))
        if rest:
            pieces.append((rest, None))
        return tuple(pieces), display_text(str(getattr(found, "note", "")), 300)

    def _explained(self, asked: Any, target: int) -> Any:
        with self._one_at_a_time:
            if self._explain is None:
                look = outside(self.takes_text)
                if look is None:
                    raise MlnbError(HOW)
                return look(self._rows, asked, target=target)
            if "target" in inspect.signature(self._explain).parameters:
                return self._explain(asked, target=self._target(target))
            return self._explain(asked)

    def _target(self, number: int) -> Any:
        """What an `explain` is told: a classifier's own takes the class itself."""
        classes = getattr(self._model, "classes_", None)
        return number if classes is None or self._is_given else list(classes)[number]

    def _rows(self, several: Iterable[Any]) -> Array:
        """The probabilities of several pictures or texts, `[n, classes]`."""
        several = list(several)
        if hasattr(self._model, "predict_proba"):
            return np.asarray(self._model.predict_proba([self._prepared(one) for one in several]))
        return np.stack([self._row(one)[0] for one in several])

    def _row(self, asked: Any) -> tuple[Array, list[str], str]:
        """One row of probabilities, the names of its classes, and what was assumed."""
        labels, note = self.labels, ""
        if hasattr(self._model, "predict_proba"):
            values = self._model.predict_proba([self._prepared(asked)])
        elif isinstance(self._model, Model):
            values, note = self._of_model(asked)
        else:
            values = self._model(self._prepared(asked))
            if isinstance(values, dict):
                labels, values = [str(key) for key in values], list(values.values())
        row = np.asarray(values, np.float64).reshape(-1)
        if not row.size or not np.isfinite(row).all():
            raise DataError(
                "the model gave nothing"
                if not row.size
                else f"the model could not judge it: {plural(row.size, 'number')}, not all finite"
            )
        if not hasattr(self._model, "predict_proba") and not self._likely(row):
            row, note = _softmax(row), " · ".join(filter(None, (note, "softmax of its scores")))
        return row, _named(labels, row.size), note

    def _likely(self, row: Array) -> bool:
        """Whether these are probabilities: of a loaded model's numbers only what sums to 1."""
        within = row.min() >= -1e-6 and row.max() <= 1.001
        sums = row.size == 1 or abs(row.sum() - 1) < 0.02 or not isinstance(self._model, Model)
        return bool(within and sums)

    def _of_model(self, asked: Any) -> tuple[Array, str]:
        model, note = self._model, ""
        feed = self._prepared(asked)
        if self._preprocessing is None and not self.takes_text:
            feed, note = picture_feed(model.inputs[0], asked)
        elif isinstance(feed, np.ndarray) and feed.ndim + 1 == (model.inputs[0].rank or 0):
            feed = feed[None]
        elif isinstance(feed, str):
            feed = np.array([feed], object)
        outputs = [np.asarray(one) for one in model.predict({model.inputs[0].name: feed}).values()]
        sizes = [one.size if one.dtype.kind == "f" else 0 for one in outputs]
        wanted = len(self.labels)
        return outputs[sizes.index(wanted) if wanted in sizes else int(np.argmax(sizes))], note

    def _prepared(self, asked: Any) -> Any:
        steps = self._preprocessing
        if steps is None:
            return asked
        if callable(steps):
            return steps(asked)
        frame: Any = [asked]
        for step in steps if isinstance(steps, list | tuple) else [steps]:
            frame = step.transform(frame)
        return frame["image"].iloc[0].to_numpy()


_OWN_LABELS = ("classes_", "labels")


def _takes_text(model: Any) -> bool:
    """What the model says; scikit-learn's vectorisers say it by their tags."""
    said = getattr(model, "takes_text", None)
    if isinstance(said, bool):
        return said
    steps = getattr(model, "steps", None)
    first = steps[0][1] if isinstance(steps, list) and steps else model
    tags = getattr(getattr(first, "__sklearn_tags__", lambda: None)(), "input_tags", None)
    if tags is not None:
        return bool(tags.string)
    return _annotated_with_text(model)


def _annotated_with_text(model: Any) -> bool:
    try:
        parameters = list(inspect.signature(model).parameters.values())
    except (TypeError, ValueError):
        return False
    return bool(parameters) and parameters[0].annotation in (str, "str")


def _named(labels: list[str], classes: int) -> list[str]:
    """The labels, or numbers where there are none; each once, for they become keys."""
    if not labels:
        return [f"class {number}" for number in range(classes)]
    if len(labels) != classes:
        raise DataError(
            f"the model gives {plural(classes, 'number')} and there are "
            f"{plural(len(labels), 'label')}; labels= names them all, in the model's order"
        )
    if len(set(labels)) == len(labels):
        return labels
    return [f"{label} ({number})" for number, label in enumerate(labels)]


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def _smaller(image: RGBArray) -> RGBArray:
    """Covering it patch by patch asks the model often: fewer pixels show as much."""
    from PIL import Image as pillow

    picture = pillow.fromarray(image)
    picture.thumbnail((_COVERED_SIDE, _COVERED_SIDE))
    return np.array(picture)
