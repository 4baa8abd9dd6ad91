"""TensorFlow's protobufs written as text (`.pbtxt`): translated to their bytes, then read as those.

One reader is enough: the text becomes the wire format by a table of TensorFlow's fields
(`pbtxt_fields`), and the readers of `.pb` do the rest. What the table does not name is passed over.

The format: https://protobuf.dev/reference/protobuf/textformat-spec/
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlnb.errors import ModelFormatError
from mlnb.formats.source import Source
from mlnb.formats.tensorflow.graphdef import GraphDefFile
from mlnb.formats.tensorflow.pbtxt_fields import MESSAGES
from mlnb.formats.tensorflow.types import ENUMS
from mlnb.formats.wire import FIXED32, FIXED64, VARINT, encode, encode_varint, key
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.limits import Limits

GRAPH, SAVED_MODEL = "GraphDef", "SavedModel"

_TOKEN = re.compile(
    r"""(?:[\s,;]|\#[^\n]*+)*+(?:
    (?P<mark>[{}<>\[\]:/])
    |(?P<name>[A-Za-z_][\w.]*)
    |(?P<number>-?\s*(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?|inf\b|nan\b))
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<minus>-)
    |(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PLAIN = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_COMMENTS = re.compile(rb"(?:\s|#[^\n]*+)*+")
_BEGINNINGS = {
    GRAPH: re.compile(rb"(node|library|versions)\s*:?\s*[{<]"),
    SAVED_MODEL: re.compile(rb"saved_model_schema_version\s*:|meta_graphs\s*:?\s*[{<]"),
}


def looks(head: bytes, source: Source) -> bool:
    """Whether the file begins like a GraphDef written as text.

    >>> looks(b'node {\\n  name: "x"', source)
    True
    """
    return looks_like_text(head, GRAPH)


def looks_like_text(head: bytes, message: str) -> bool:
    """Whether bytes begin like a message written as text: with one of its fields."""
    start = _COMMENTS.match(head.removeprefix(b"\xef\xbb\xbf"))
    rest = head.removeprefix(b"\xef\xbb\xbf")[start.end() if start else 0 :]
    return bool(_BEGINNINGS[message].match(rest))


class GraphDefTextFile(GraphDefFile):
    """A TensorFlow graph written as text, `.pbtxt`.

    >>> GraphDefTextFile(Source.of("graph.pbtxt")).inputs
    TensorSpecs(x: float32 [?, 3])
    """

    @cached_property
    def content(self) -> Source:
        """The bytes that the text says."""
        return Source.of(from_text(self.source, GRAPH, self.limits, self.format))

    @property
    def run_facts(self) -> Mapping[str, Any]:
        """As of a binary file, and that it is text."""
        return {**super().run_facts, "text": True}


def from_text(source: Source, message: str, limits: Limits, called: str) -> bytes:
    """The bytes of a message that is written as text.

    Args:
        source: the text.
        message: the outermost one, `GRAPH` or `SAVED_MODEL`.
        limits: `structure_bytes` holds for the text, `depth` for its nesting.
        called: the format, for errors.

    Raises:
        ModelFormatError: it breaks off or is no such text; the message says in which line.
        LimitExceeded: it is too long, or nests too deeply.
    """
    limits.check("structure_bytes", source.size, display_text(source.name, 40))
    written = source.read(0, source.size).removeprefix(b"\xef\xbb\xbf")
    text = written.decode("utf-8", "surrogateescape")
    try:
        return _Reader(text, limits).message(message)
    except _Wrong as wrong:
        line = text.count("\n", 0, wrong.position) + 1
        name = display_text(source.name, 60)
        raise ModelFormatError(
            f"{name} cannot be read as {called}: {wrong}, in line {line:,}"
        ) from None


class _Wrong(Exception):
    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


class _Reader:
    """Reads one message after the other off a text; what it holds grows with the nesting only."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.limits = limits
        self.position = 0
        self.kind = ""
        self.token = ""
        self._advance()

    def message(self, name: str | None, close: str = "", depth: int = 1) -> bytes:
        """The fields up to the bracket that closes the message; `None` for one that is unknown."""
        self.limits.check("depth", depth, "the text's messages")
        known = MESSAGES.get(name or "", {})
        parts: list[bytes] = []
        while not (self.kind == "mark" and self.token == close):
            if self.kind == "end":
                if close:
                    raise _Wrong(self.position, "it is cut off: a bracket is not closed")
                return b"".join(parts)
            field = known.get(self._field_name())
            number, kind = field or (0, "")
            for value in self._values(kind, depth):
                if number:
                    parts.append(_encoded(number, kind, value))
        self._advance()
        return b"".join(parts)

    def _field_name(self) -> str:
        if self.kind == "mark" and self.token == "[":  # an extension, or an Any
            while self.token != "]":
                self._advance()
                if self.kind == "end":
                    raise _Wrong(self.position, "it is cut off in a name")
            self._advance()
            return ""
        if self.kind != "name":
            raise self._unexpected("the name of a field")
        name = self.token
        self._advance()
        return name

    def _values(self, kind: str, depth: int) -> list[Any]:
        """The value of a field, or the list of them in brackets."""
        if self.token == ":" and self.kind == "mark":
            self._advance()
        if not (self.kind == "mark" and self.token == "["):
            return [self._value(kind, depth)]
        self._advance()
        found = []
        while not (self.kind == "mark" and self.token == "]"):
            found.append(self._value(kind, depth))
        self._advance()
        return found

    def _value(self, kind: str, depth: int) -> Any:
        if self.kind == "mark" and self.token in "{<":
            close = "}" if self.token == "{" else ">"
            self._advance()
            return self.message(kind if kind in MESSAGES else None, close, depth + 1)
        if self.kind == "text":
            return self._text()
        if self.kind not in ("name", "number"):
            raise self._unexpected("a value")
        token, at = self.token, self.position
        self._advance()
        if kind in MESSAGES or kind == "bytes":
            raise _Wrong(at, f"expected {'text' if kind == 'bytes' else 'a message'}")
        return _scalar(token, kind, at) if kind else token

    def _text(self) -> bytes:
        pieces = []
        while self.kind == "text":
            pieces.append(_unescaped(self.token[1:-1]))
            self._advance()
        return b"".join(pieces)

    def _advance(self) -> None:
        found = _TOKEN.match(self.text, self.position)
        if found is None:
            raise _Wrong(self.position, "what stands there is no text of protobuf")
        self.position = found.end()
        self.kind = found.lastgroup or "end"
        self.token = found[self.kind]

    def _unexpected(self, expected: str) -> _Wrong:
        came = display_text(self.token, 40) if self.kind != "end" else "the end"
        return _Wrong(self.position, f"expected {expected}, found {came!r}")


def _scalar(token: str, kind: str, at: int) -> int | float:
    """A number, a truth value or a name of an enumeration, as the field wants it."""
    plain = token.replace(" ", "").lower()
    try:
        if kind in ("float", "double"):
            return float(plain.rstrip("f") if plain not in ("inf", "-inf") else plain)
        if plain in ("true", "t"):
            return 1
        if plain in ("false", "f"):
            return 0
        if token in ENUMS:
            return ENUMS[token]
        base = 16 if "0x" in plain else 8 if re.fullmatch(r"-?0[0-7]+", plain) else 10
        return int(plain, base)
    except (ValueError, OverflowError):
        raise _Wrong(at, f"{display_text(token, 40)!r} is no value for this field") from None


def _encoded(number: int, kind: str, value: Any) -> bytes:
    if isinstance(value, bytes):
        return encode(number, value)
    if kind == "float":
        return encode_varint(key(number, FIXED32)) + _float("<f", value)
    if kind == "double":
        return encode_varint(key(number, FIXED64)) + _float("<d", value)
    return encode_varint(key(number, VARINT)) + encode_varint(int(value) & 0xFFFFFFFFFFFFFFFF)


def _float(code: str, value: float) -> bytes:
    try:
        return struct.pack(code, value)
    except OverflowError:
        return struct.pack(code, float("inf") if value > 0 else float("-inf"))


def _unescaped(written: str) -> bytes:
    raw = written.encode("utf-8", "surrogateescape")
    return _ESCAPE.sub(_one, raw) if b"\\" in raw else raw


def _one(escape: re.Match[bytes]) -> bytes:
    octal, hexadecimal, unicode, plain = escape.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if unicode:
        return chr(int(unicode, 16)).encode("utf-8", "surrogatepass")
    return _PLAIN.get(plain, plain)
