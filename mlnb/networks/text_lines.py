"""The lines of a text of layers: their words, and which are indented below which.

A word ends where Python's brackets and quotation marks let it: `name="two words"` is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from mlnb.formatting import display_text
from mlnb.networks.mistakes import layer_error
from mlnb.networks.places import Place

DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Line(Place):
    """A line of such a text, as a place: ``cell 4, line 2, `dense 10```.

    Args:
        text: the line itself.
    """

    text: str = ""

    @property
    def source(self) -> str:
        """The line itself."""
        return self.text

    def __str__(self) -> str:
        cell = "" if self.cell is None else f"cell {self.cell}, "
        return f"{cell}line {self.line}, `{display_text(self.text, 60)}`"


@dataclass
class TextLine:
    """A line in its words, and what is indented below it.

    Args:
        place: where it stands.
        indent: by how many spaces.
        words: without the comment and the colon at the end.
        opens: whether a colon ends it.
        inner: the lines below it that belong to it.
    """

    place: Line
    indent: int
    words: list[str]
    opens: bool
    inner: list[TextLine] = field(default_factory=list)

    @property
    def word(self) -> str:
        """The first one, which says what the line is."""
        return self.words[0]

    def refuse(self, text: str) -> NoReturn:
        """Raise a `LayerError` that names the line."""
        raise layer_error(text, self.word, self.place)


def text_lines(text: str, first_line: int = 1, cell: int | None = None) -> list[TextLine]:
    """The outermost lines of a text that hold a word, each with those that are indented below it.

    >>> [line.words for line in text_lines("residual relu:\n    dense 10")]
    [['residual', 'relu']]

    Args:
        text: what somebody wrote.
        first_line: the number of its first line, for what is said about mistakes.
        cell: the number of the cell that it stands in, for the same.

    Raises:
        LayerError: a bracket that is not closed on its line, or an indent that no block has.
    """
    lines = []
    for at, raw in enumerate(text.splitlines()):
        place = Line("", first_line + at, cell, raw.strip())
        words, opens = _words(raw, place)
        if words:
            lines.append(TextLine(place, _indent(raw), words, opens))
    return _nested(lines)


def _indent(raw: str) -> int:
    spaces = raw.expandtabs(4)
    return len(spaces) - len(spaces.lstrip())


def _words(raw: str, place: Place) -> tuple[list[str], bool]:
    """The words of a line without its comment, and whether a colon ends it."""
    words: list[str] = []
    begun, at = -1, 0
    while at < len(raw):
        letter = raw[at]
        if letter.isspace() or letter == "#":
            words += [raw[begun:at]] if begun >= 0 else []
            begun = -1
            if letter == "#":
                break
            at += 1
            continue
        begun = at if begun < 0 else begun
        at = _closing(raw, at, place) + 1 if letter in _CLOSES else at + 1
    else:
        words += [raw[begun:]] if begun >= 0 else []
    opens = bool(words) and words[-1].endswith(":")
    if opens:
        words[-1] = words[-1][:-1].rstrip()
    return [word for word in words if word], opens


_CLOSES = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'"}


def _closing(raw: str, start: int, place: Place) -> int:
    """Where the bracket or quotation mark at `start` is closed."""
    waiting: list[str] = []
    at = start
    while at < len(raw):
        letter = raw[at]
        quoted = bool(waiting) and waiting[-1] in "\"'"
        if quoted and letter == "\\":
            at += 1
        elif waiting and letter == waiting[-1]:
            waiting.pop()
        elif not quoted and letter in _CLOSES:
            waiting.append(_CLOSES[letter])
        if not waiting:
            return at
        at += 1
    raise layer_error(f"`{raw[start]}` is not closed on its line.", "", place)


def _nested(lines: Sequence[TextLine]) -> list[TextLine]:
    """The outermost lines, each with those that are indented below it."""
    top: list[TextLine] = []
    around: list[TextLine] = []
    first = lines[0].indent if lines else 0
    for line in lines:
        while around and around[-1].indent >= line.indent:
            around.pop()
        siblings = around[-1].inner if around else top
        expected = siblings[0].indent if siblings else line.indent
        if line.indent != expected or line.indent < first:
            line.refuse(
                f"it is indented by {line.indent} spaces, which no line before it is. Lines of "
                f"one block begin below each other; these by {expected}."
            )
        if len(around) > DEEPEST:
            line.refuse(f"Blocks lie in each other at most {DEEPEST} deep.")
        siblings.append(line)
        around.append(line)
    return top
