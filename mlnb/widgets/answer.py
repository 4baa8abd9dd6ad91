"""`Answer`: what a model said of one picture or one text, and how it is written down.

Probabilities in words, as HTML without a script, and as the rows that the front end draws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlnb.figures.words import coloured
from mlnb.formatting import Markup, display_text, html, seconds_text

if TYPE_CHECKING:
    from pandas import DataFrame

BARS = 5
"""Classes that are shown, the likeliest first."""
_BLOCKS, _TRACK = 20, 240  # characters, pixels: the length of a bar that stands for 1
_TEXT = 400

Word = tuple[str, float | None]
"""A piece of a text and its share in the answer, -1 to 1; `None` for what lies between words."""


@dataclass(frozen=True)
class Answer:
    """Classes and their probabilities, the likeliest first.

    >>> answer = PredictionPanel(classifier).predict("my cat.jpg")
    >>> answer.label, answer["cat"]
    ('cat', 0.973)

    Args:
        probabilities: by class.
        order: the number that each class has in the model, in the same order.
        asked: the text, or the picture's name.
        seconds: how long the model took.
        note: what was assumed on the way; empty for nothing.
        words: the text in pieces, where it was explained: each with its share, -1 to 1.
        words_note: which of its words were not looked at; empty where all were.
    """

    probabilities: dict[str, float]
    order: tuple[int, ...]
    asked: str
    seconds: float
    note: str = ""
    words: tuple[Word, ...] = field(default=(), repr=False)
    words_note: str = field(default="", repr=False)

    @property
    def label(self) -> str:
        """The likeliest class."""
        return next(iter(self.probabilities))

    def __getitem__(self, label: str) -> float:
        return self.probabilities[label]

    @property
    def bars(self) -> list[dict[str, Any]]:
        """The first classes as the front end draws them."""
        first = list(self.probabilities.items())[:BARS]
        return [{"label": display_text(label, 60), "share": share} for label, share in first]

    @property
    def more(self) -> str:
        """The classes that have no bar, in words."""
        rest = list(self.probabilities.values())[BARS:]
        if not rest:
            return ""
        noun = "class" if len(rest) == 1 else "classes"
        return f"{len(rest):,} more {noun}: {percent(max(rest))} at most"

    def to_frame(self) -> DataFrame:
        """The same as a pandas frame with the columns `label` and `probability`."""
        import pandas as pd

        rows = list(self.probabilities.items())
        return pd.DataFrame(rows, columns=["label", "probability"])

    def __repr__(self) -> str:
        first = list(self.probabilities.items())[:BARS]
        shares = ", ".join(f"{display_text(label, 40)} {percent(share)}" for label, share in first)
        return f"Answer({shares}{', …' if self.more else ''})"

    def _repr_html_(self) -> str:
        return answer_html(self)


@dataclass(frozen=True)
class Shown:
    """An answer with what a saved notebook keeps of the question.

    Args:
        answer: what the model said.
        picture: a small data URI; empty for a text.
    """

    answer: Answer
    picture: str = ""

    def to_json(self) -> dict[str, Any]:
        """What crosses to a view that opens later."""
        answer = self.answer
        return answer_json(answer) | {
            "asked": answer.asked[:20_000],
            "picture": self.picture,
            "words": list(answer.words),
            "words_note": answer.words_note,
        }


def answer_json(answer: Answer) -> dict[str, Any]:
    """The answer as the front end takes it."""
    return {
        "bars": answer.bars,
        "more": answer.more,
        "seconds": answer.seconds,
        "note": answer.note,
    }


def percent(share: float) -> str:
    """A probability as one reads it: `97.3%`, `100%`, `0.02%`.

    >>> percent(0.9731), percent(0.00021), percent(1.0)
    ('97.3%', '0.02%', '100%')
    """
    if share >= 0.9995:
        return "100%"
    if share >= 0.00095:
        return f"{share:.1%}"
    return f"{share:.2%}" if share >= 0.0001 else "0%" if share == 0 else "<0.01%"


def answer_html(answer: Answer, picture: str = "") -> Markup:
    """The answer without a script, in the panel's colours."""
    asked = display_text(answer.asked, _TEXT)
    rows = [
        html(
            '<tr><td>{label}</td><td><div style="width:{track}px;background-color:{grey}">'
            '<div style="width:{width}px;height:10px;background-color:{blue}"></div></div></td>'
            "<td>{share}</td></tr>",
            label=bar["label"],
            track=_TRACK,
            grey="rgba(128,138,150,.2)",
            blue="rgb(25,118,210)",
            width=round(_TRACK * min(max(bar["share"], 0.0), 1.0)),
            share=percent(bar["share"]),
        )
        for bar in answer.bars
    ]
    image = html('<p><img src="{uri}" alt="{name}"></p>', uri=Markup(picture), name=asked)
    facts = (f"in {seconds_text(answer.seconds)}", answer.more, answer.note)
    return html(
        "{image}<p>{asked}</p><table>{rows}</table><p>{facts}</p>",
        image=image if picture else "",
        asked=_words_html(answer) or asked,
        rows=rows,
        facts=" · ".join(part for part in facts if part),
    )


def answer_text(answer: Answer) -> str:
    """The answer as plain text, a line a class."""
    width = max(len(bar["label"]) for bar in answer.bars)
    lines = [
        f"{bar['label'].ljust(width)}  {percent(bar['share']).rjust(6)}  "
        f"{_blocks(bar['share'])}".rstrip()
        for bar in answer.bars
    ]
    return "\n".join([display_text(answer.asked, _TEXT), *lines])


def _blocks(share: float) -> str:
    return "█" * round(min(max(share, 0.0), 1.0) * _BLOCKS)


def _words_html(answer: Answer) -> Markup | None:
    if not answer.words:
        return None
    return html(
        "{pieces}<br>bold speaks for {label}, italic against it{note}",
        pieces=coloured(answer.words, _TEXT),
        label=answer.label,
        note=f" · {answer.words_note}" if answer.words_note else "",
    )
