"""Layers as lines of text: a layer a line, the words and keywords of Python, blocks by indentation.

    conv2d 32 3 relu            # what the word needs, its activation, then keywords
    residual relu:
        conv2d 32 3 padding=1
        batch_norm
    shortcut:                   # only where the short way is no plain one
        conv2d 32 1
    branches merge=add:
        branch:
            dense {width}       # Python, where names are given to evaluate it with
        branch:
            pass
    {nn.Hardtanh()}

A value is a number, a size such as `3x3`, a word, or anything that Python's literals can say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlnb.errors import MlnbError
from mlnb.formatting import display_text
from mlnb.networks import layers as written
from mlnb.networks.layers import Layer, layer, recipe
from mlnb.networks.mistakes import layer_error, misspelt
from mlnb.networks.places import written_at
from mlnb.networks.printing import BARE
from mlnb.networks.text_lines import TextLine, text_lines
from mlnb.networks.vocabulary import BLOCKS, VOCABULARY

PARTS = ("branch", "shortcut", "pass")
"""What stands in blocks beside layers."""

_SIZE = re.compile(r"\d+(x\d+)+")
_KEYWORD = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_PLAIN = (int, float, str, bool, type(None))


@dataclass(frozen=True)
class Written:
    """What a text says.

    Args:
        layers: in order, outermost.
        sources: for a module or function that an expression gave, by its id, the expression.
    """

    layers: tuple[Layer, ...]
    sources: Mapping[int, str] = field(default_factory=dict)


def parse_layers(
    text: str,
    names: dict[str, Any] | None = None,
    *,
    first_line: int = 1,
    cell: int | None = None,
) -> Written:
    """The layers that a text says.

    >>> parse_layers("conv2d 32 3 relu\\nmax_pool2d 2").layers

    Args:
        text: a layer a line.
        names: what `{expressions}` are evaluated in; without it they are refused.
        first_line: the number of the text's first line, for what is said about mistakes.
        cell: the number of the cell that it stands in, for the same.

    Raises:
        LayerError: a line that cannot be, named by its number and its text, with the remedy.
        UnknownName: a word or keyword that does not exist.
    """
    reader = _Reader(names)
    found = reader.chain(text_lines(text, first_line, cell))
    return Written(found, reader.sources)


class _Reader:
    """Makes layers of lines, and remembers which expression gave what."""

    def __init__(self, names: dict[str, Any] | None) -> None:
        self._names = names
        self.sources: dict[int, str] = {}

    def chain(self, lines: Sequence[TextLine]) -> tuple[Layer, ...]:
        """The layers of lines that stand below each other."""
        found: list[Layer] = []
        waiting = list(reversed(lines))
        while waiting:
            line = waiting.pop()
            if line.word == "pass" and len(lines) == 1 and not line.inner:
                return ()
            short = None
            if line.word == "residual" and waiting and waiting[-1].word == "shortcut":
                short = waiting.pop()
            with written_at(line.place):
                found += self._layer(line, short)
        return tuple(found)

    def _layer(self, line: TextLine, short: TextLine | None) -> tuple[Layer, ...]:
        if line.word.startswith("{"):
            return self._expression(line)
        if line.word in PARTS:
            line.refuse(_OUT_OF_PLACE[line.word])
        args, options = self._given(line)
        if line.word in BLOCKS:
            return (self._block(line, short, args, options),)
        if line.word not in VOCABULARY:
            raise _no_word(line)
        if line.inner or line.opens:
            line.refuse(f"`{line.word}` holds no layers; {', '.join(BLOCKS)} do.")
        return (layer(line.word, *args, **options),)

    def _block(
        self, line: TextLine, short: TextLine | None, args: list[Any], options: dict[str, Any]
    ) -> Layer:
        if not line.inner:
            line.refuse(f"`{line.word}` holds layers: indent them below it, or `pass` for none.")
        ways: Any = self._ways(line) if line.word == "branches" else self.chain(line.inner)
        if short is not None:
            if len(short.words) > 1 or not short.inner:
                short.refuse("`shortcut:` stands alone, with its layers indented below it.")
            options["shortcut"] = self.chain(short.inner)
        _check_block(line, args, options)
        places = [*args[:1], ways, *args[1:]] if line.word == "repeat" else [ways, *args]
        return layer(line.word, *places, **options)

    def _ways(self, line: TextLine) -> list[tuple[Layer, ...]]:
        ways = []
        for way in line.inner:
            if way.word != "branch" or len(way.words) > 1:
                way.refuse(
                    "in `branches` every way begins with a line `branch:`, its layers below."
                )
            if not way.inner:
                way.refuse("`branch` holds layers: indent them below it, or `pass` for none.")
            ways.append(self.chain(way.inner))
        return ways

    def _given(self, line: TextLine) -> tuple[list[Any], dict[str, Any]]:
        """What stands behind a word: values by place, then by keyword."""
        args: list[Any] = []
        options: dict[str, Any] = {}
        for word in line.words[1:]:
            keyword = _KEYWORD.fullmatch(word)
            if keyword is None:
                if options:
                    line.refuse(f"{word} stands behind a keyword. Values come before keywords.")
                args.append(self._value(word, line))
            elif keyword[1] in options:
                line.refuse(f"{keyword[1]}= was given twice.")
            else:
                options[keyword[1]] = self._value(keyword[2], line)
        return args, options

    def _value(self, word: str, line: TextLine) -> Any:
        if word.startswith("{") and word.endswith("}"):
            return self._evaluated(word, line)
        if _SIZE.fullmatch(word):
            return tuple(map(int, word.split("x")))
        try:
            value = ast.literal_eval(word)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            if BARE.fullmatch(word):
                return word
            value = ...
        if not _is_plain(value) or word.endswith(","):
            line.refuse(
                f"{display_text(word)} is no value. Values stand with spaces between, as in "
                f"`conv2d 32 3 relu`: numbers, 3x3, words, text in quotes, or {{Python}}."
            )
        return value

    def _expression(self, line: TextLine) -> tuple[Layer, ...]:
        """Layers from Python: a module, a function, a chain, or several of them."""
        if not line.word.endswith("}") or line.inner or line.opens:
            line.refuse("an expression stands alone on its line: {nn.Hardtanh()}, perhaps name=….")
        value = self._evaluated(line.word, line)
        args, options = self._given(line)
        name = options.pop("name", "")
        if args or options:
            line.refuse("an expression takes name= alone; everything else stands in the brackets.")
        found = recipe(value)
        if name:
            if len(found) != 1:
                line.refuse(f"name= is for one layer; the expression gives {len(found)}.")
            found = (written.named(found[0], str(name)),)
            written._check_name(str(name), line.place)
        for one in found:
            if one.thing is not None:
                self.sources[id(one.thing)] = line.word[1:-1].strip()
        return found

    def _evaluated(self, word: str, line: TextLine) -> Any:
        if self._names is None:
            line.refuse("expressions in braces are for cells; a text on its own has none.")
        try:
            with written_at(line.place):
                return eval(word[1:-1].strip(), self._names)  # the user's own code, in their cell
        except MlnbError:
            raise
        except Exception as error:
            said = display_text(str(error).partition("\n")[0], 200)
            text = f"{word} gave {type(error).__name__}: {said}"
            raise layer_error(text, line.word, line.place) from error


_OUT_OF_PLACE = {
    "branch": "`branch:` stands in a block `branches:`, indented.",
    "shortcut": "`shortcut:` stands behind the layers of a `residual:`, indented as far as it.",
    "pass": "`pass` stands alone in a block without layers.",
}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return type(value) in _PLAIN


def _no_word(line: TextLine) -> MlnbError:
    """A word that does not exist; one that is written as a call is shown as a line."""
    call = re.match(r"(?:\w*\.)?(\w+)\(", line.word)
    if call and call[1] in (*VOCABULARY, *BLOCKS):
        plain = re.sub(r"[(),]+", " ", line.place.text.partition("#")[0])
        plain = re.sub(r"^\s*\w*\.", "", plain)
        text = f"a line has neither brackets nor commas. Write `{' '.join(plain.split())}`."
        return layer_error(text, call[1], line.place)
    return misspelt("layer", line.word, [*VOCABULARY, *BLOCKS], line.place)


def _check_block(line: TextLine, args: list[Any], options: dict[str, Any]) -> None:
    """Refuse what a block does not take, which Python would call a TypeError."""
    takes = _BLOCK_TAKES[line.word]
    for key in options:
        if key not in (*takes, *_BLOCK_KEYWORDS[line.word]):
            known = [*takes, *(k for k in _BLOCK_KEYWORDS[line.word] if k != "shortcut")]
            raise misspelt(f"keyword of `{line.word}`", key, known, line.place)
    twice = set(takes[: len(args)]) & options.keys()
    if len(args) > len(takes) or twice:
        line.refuse(f"`{line.word}` takes {' and '.join(takes)}; received {line.place.text!r}.")
    if line.word == "repeat" and not args and "times" not in options:
        line.refuse("`repeat` needs a number of times: `repeat 3:`.")
    if "times" in options:
        args.append(options.pop("times"))


_BLOCK_TAKES = {
    "residual": ("activation",),
    "branches": ("merge", "activation"),
    "repeat": ("times",),
}
_BLOCK_KEYWORDS = {
    "residual": ("name", "shortcut"),
    "branches": ("dim", "name"),
    "repeat": ("name",),
}
