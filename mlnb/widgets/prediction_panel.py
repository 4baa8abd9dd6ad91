"""`PredictionPanel`: give a model a picture or a text by hand, see what it says, and why.

Handlers only take note; a thread asks the model, one question after the other, so that typing
stays smooth and a cell that trains is not disturbed. After each answer the static picture in the
notebook is exchanged, so that a saved notebook keeps the last one.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from mlnb.data.images import rgb_pixels
from mlnb.errors import DataError, MlnbError
from mlnb.formatting import Markup, display_text, html, image_uri
from mlnb.progress import progress_text, shown_by
from mlnb.widgets.answer import Answer, Shown, answer_html, answer_json, answer_text
from mlnb.widgets.asked import Asked
from mlnb.widgets.base import Widget, bundle, error_line, refuse_unknown
from mlnb.widgets.one_at_a_time import OneAtATime
from mlnb.widgets.uploads import Uploads, picture_at, picture_of, small_picture

if TYPE_CHECKING:
    from mlnb.data.images import RGBArray

KEPT = 12
"""Pictures that can still be explained."""
TEXT = 200_000
_SAVED_SIDE, _SAVED_BYTES = 320, 30_000  # 40 kB in base64
_VIEW_SIDE = 640
_HEAT_SIDE = 224


class PredictionPanel(Widget):
    """Drop, paste, choose or photograph a picture, or type a text: classes and probabilities.

    >>> PredictionPanel(classifier)
    >>> PredictionPanel(load_model("squeezenet.onnx"), labels=names, preprocessing=steps)
    >>> PredictionPanel(lambda text: {"good": 0.9, "bad": 0.1}, text=True)

    "Why?" draws where in a picture the model found its class, or colours the words of a text by
    what they add to it.

    Args:
        model: something with `predict_proba` and `classes_`, a `Model`, a network, or a function
            of one picture (`uint8 [height, width, 3]`, at most 1024 pixels a side) or of one text.
        labels: the names of the classes, in the model's order; by default the model's own.
        preprocessing: what makes the model's input of a picture: a function, or steps such as
            `suggest_preprocessing(…).best`.
        explain: a function of a picture or a text (and `target`) in place of `model.explain`.
        text: whether the model takes text; by default it says so itself (`takes_text`).

    Raises:
        TypeError: the model is nothing of these, or an argument does not exist.
    """

    _esm = bundle("prediction_panel.js")
    _css = bundle("prediction_panel.css")

    title = t.Unicode(help="The model's name.").tag(sync=True)
    facts = t.Unicode(help="Its classes in words.").tag(sync=True)
    takes = t.Enum(["pictures", "text"], "pictures", help="What it is given.").tag(sync=True)
    why_not = t.Unicode(help="Why it cannot explain its answers; empty: it can.").tag(sync=True)
    last = t.Dict(
        help="The last answer, for views that open later: request, asked, bars (label, share), "
        "more, seconds, note, picture (a small data URI), words (piece, share), words_note."
    ).tag(sync=True)

    def __init__(
        self,
        model: Any,
        *,
        labels: Sequence[object] | None = None,
        preprocessing: Any = None,
        explain: Callable[..., Any] | None = None,
        text: bool | None = None,
        **unknown: Any,
    ) -> None:
        known = ["model", "labels", "preprocessing", "explain", "text"]
        refuse_unknown("PredictionPanel", unknown, known)
        self._asked = Asked(
            model, labels=labels, preprocessing=preprocessing, explain=explain, text=text
        )
        self._shown: Shown | None = None
        self._uploads = Uploads()
        self._work = OneAtATime("mlnb-prediction")
        self._pictures: OrderedDict[str, tuple[RGBArray, Answer]] = OrderedDict()
        super().__init__(
            title=self._asked.title,
            facts=self._asked.facts,
            takes="text" if self._asked.takes_text else "pictures",
            why_not=self._asked.why_not,
        )

    @property
    def answer(self) -> Answer | None:
        """The last answer."""
        return None if self._shown is None else self._shown.answer

    def predict(self, asked: Any) -> Answer:
        """Ask the model from Python, and show the answer in the panel.

        >>> panel.predict("my cat.jpg")
        Answer(cat 97.3%, dog 2.7%)

        Args:
            asked: a text, where the model takes text; else the path of a picture, or
                `uint8 [height, width, 3]`.

        Raises:
            ImageError: the file is no picture.
            DataError: it is no text, or no picture.
        """
        if self._asked.takes_text:
            return self._judge_text("python", _text(asked))
        image, name = _picture(asked)
        return self._judge_picture("python", image, name)

    def explain(self) -> Answer:
        """The last answer about a text, with what each of its words adds to it.

        >>> panel.explain().words
        (('The', 0.01), (' ', None), ('soup', 0.02), ...)

        Raises:
            DataError: nothing was asked, or a picture, which "Why?" explains.
            MlnbError: nobody can tell.
        """
        if self.answer is None or not self._asked.takes_text:
            raise DataError("there is no answer about a text to explain; panel.predict(text) first")
        answer = self._with_words(self.answer)
        self._show("python", Shown(answer))
        return answer

    # ----------------------------------------------------------------------------- the two outputs

    def static_html(self) -> Markup:
        """The last picture or text with its bars, without a script."""
        head = html("<p><b>{title}</b> {facts}</p>", title=self.title, facts=self.facts)
        if self._shown is None:
            return html("{head}<p>run this cell to ask the model</p>", head=head)
        shown = self._shown
        body = answer_html(shown.answer, shown.picture)
        return html("{head}{body}", head=head, body=body)

    def static_text(self) -> str:
        """The same as plain text."""
        head = " · ".join(part for part in (self.title, self.facts) if part)
        return head if self._shown is None else f"{head}\n{answer_text(self._shown.answer)}"

    def __repr__(self) -> str:
        said = f", {self._shown.answer!r}" if self._shown else ""
        return f"PredictionPanel({self.title}, takes {self.takes}{said})"

    # ------------------------------------------------------------------------------------- messages

    def _receive_piece(self, message: Mapping[str, Any]) -> None:
        """A piece of a picture; with the last one it is judged."""
        request, index = str(message["request"]), message["index"]
        data = self._uploads.take(message)
        self.send({"kind": "received", "request": request, "pieces": index + 1})
        if data is None:
            return
        name, unseen = str(message.get("name", "")), bool(message.get("unseen"))
        self._do(request, lambda: self._answer_picture(request, data, name, unseen))

    def _receive_cancel(self, message: Mapping[str, Any]) -> None:
        self._uploads.drop(str(message["request"]))

    def _receive_text(self, message: Mapping[str, Any]) -> None:
        request, text = str(message["request"]), _text(message["text"])
        self._do(request, lambda: self._answer_text(request, text), lane="text")

    def _receive_why(self, message: Mapping[str, Any]) -> None:
        """Explain a picture that was answered, or a text."""
        request = str(message["request"])
        if self._asked.takes_text:
            text = _text(message["text"])
            self._do(request, lambda: self._explain_text(request, text), lane="why")
        else:
            of = str(message["of"])
            self._do(request, lambda: self._explain_picture(request, of), lane="why")

    def _do(self, request: str, job: Callable[[], object], lane: str = "") -> None:
        def tell(label: str, done: int, total: int) -> None:
            text = progress_text(label, done, total)
            self.send({"kind": "progress", "request": request, "message": text})

        def carefully() -> None:
            try:
                with shown_by(tell):  # a line of the cell's would outlast the answer
                    job()
            except Exception as error:  # noqa: BLE001 - it stands below the picture
                self.send({"kind": "error", "request": request, "message": error_line(error)})

        self._work.ask(carefully, lane)

    # --------------------------------------------------------------------------------- the thread's

    def _answer_picture(self, request: str, data: bytes, name: str, unseen: bool) -> None:
        image = picture_of(data, name)
        answer = self._judge_picture(request, image, name)
        content = {"kind": "answer", "request": request, **answer_json(answer)}
        self.send(content, [small_picture(image, _VIEW_SIDE)] if unseen else [])

    def _answer_text(self, request: str, text: str) -> None:
        answer = self._judge_text(request, text)
        self.send({"kind": "answer", "request": request, **answer_json(answer)})

    def _judge_picture(self, request: str, image: RGBArray, name: str) -> Answer:
        answer = self._asked.answer(image, name or "picture")
        self._pictures[request] = (image, answer)
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)
        self._show(
            request, Shown(answer, image_uri(small_picture(image, _SAVED_SIDE, _SAVED_BYTES)))
        )
        return answer

    def _judge_text(self, request: str, text: str) -> Answer:
        answer = self._asked.answer(text)
        self._show(request, Shown(answer))
        return answer

    def _explain_picture(self, request: str, of: str) -> None:
        if of not in self._pictures:
            raise MlnbError(f"the last {KEPT} pictures can be explained; give it this one again")
        image, answer = self._pictures[of]
        heat = _small_heat(self._asked.heat(image, answer.order[0]))
        content = {"kind": "why", "request": request, "of": of, "label": answer.label}
        height, width = heat.shape
        self.send(content | {"width": width, "height": height}, [heat.tobytes()])

    def _explain_text(self, request: str, text: str) -> None:
        answer = self.answer
        if answer is None or answer.asked != text:
            answer = self._asked.answer(text)
        answer = self._with_words(answer)
        content = {"kind": "why", "request": request, "label": display_text(answer.label, 60)}
        self.send(content | {"words": list(answer.words), "words_note": answer.words_note})
        self._show(request, Shown(answer))

    def _with_words(self, answer: Answer) -> Answer:
        words, note = self._asked.words(answer.asked, answer.order[0])
        return replace(answer, words=words, words_note=note)

    def _show(self, request: str, shown: Shown) -> None:
        """Keep the answer for views that open later, and for the saved notebook."""
        self._shown = shown
        self.last = {"request": request, **shown.to_json()}
        with suppress(Exception):  # the answer is there, whether or not the notebook hears it
            self._renew_static()


def _text(asked: Any) -> str:
    if not isinstance(asked, str):
        raise DataError(f"the model takes a text; received {type(asked).__name__}")
    if not asked.strip():
        raise DataError("the text is empty")
    if len(asked) > TEXT:
        raise DataError(f"the text has {len(asked):,} characters; the limit is {TEXT:,}")
    return asked


def _picture(asked: Any) -> tuple[RGBArray, str]:
    if isinstance(asked, str | os.PathLike):
        path = Path(asked)
        return picture_at(path), path.name
    return rgb_pixels(asked), "picture"


def _small_heat(heat: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    from PIL import Image as pillow

    grey = pillow.fromarray((heat * 255).round().astype(np.uint8))
    grey.thumbnail((_HEAT_SIDE, _HEAT_SIDE))
    return np.array(grey)
