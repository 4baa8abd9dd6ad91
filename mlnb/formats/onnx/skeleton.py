"""The skeleton of an ONNX file: the file without its weights, a few kB to a few MB.

Everything but single weights is read from the skeleton, so that a 2 GB file is walked once and its
weights are never in memory. A tensor over 256 bytes loses its elements and is marked as external
data that lies in `PLACE`, with the offset and length at which the file holds the whole TensorProto;
smaller ones stay, because shape inference needs the constants that shapes are made of.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlnb.formats.wire import VARINT, Window, encode, encode_varint, key

if TYPE_CHECKING:
    from mlnb.formats.onnx.header import Span
    from mlnb.limits import Limits

KEPT = 256
"""Bytes: a tensor up to this size keeps its elements."""

PLACE = "mlnb-weights"
"""The external location that stands for the file itself."""

MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR, SPARSE, FUNCTION = (
    "model",
    "graph",
    "node",
    "attribute",
    "tensor",
    "sparse tensor",
    "function",
)
CHILDREN: dict[str, dict[int, str]] = {
    MODEL: {key(7): GRAPH, key(25): FUNCTION},
    GRAPH: {key(1): NODE, key(5): TENSOR, key(15): SPARSE},
    FUNCTION: {key(7): NODE, key(11): ATTRIBUTE},
    NODE: {key(5): ATTRIBUTE},
    ATTRIBUTE: {
        key(5): TENSOR,
        key(6): GRAPH,
        key(10): TENSOR,
        key(11): GRAPH,
        key(22): SPARSE,
        key(23): SPARSE,
    },
    SPARSE: {key(1): TENSOR, key(2): TENSOR},
}
"""The messages on the way to a tensor: which field of which message holds which."""

_ELEMENTS = frozenset((4, 5, 6, 7, 9, 10, 11))
_TRAINING = key(20)

_LARGE_ATTRIBUTE = re.compile(rb"\x2a[\x80-\xff][\x02-\xff]")
"""The tag and length of an attribute of more than 255 bytes; a node without one has no weights."""

_NODE_SLICE = 64 * 1024


@dataclass
class Skeleton:
    """A file without its weights.

    Args:
        data: the bytes of the ONNX model that is left.
        starts: where in `data` each piece of the file begins, ascending.
        origins: where in the file that piece lies.
        marks: where in the file each tensor lies that lost its elements.
    """

    data: bytes = b""
    starts: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    marks: set[int] = field(default_factory=set)

    def origin(self, position: int) -> int:
        """The offset in the file of a position in the skeleton."""
        piece = max(0, bisect_right(self.starts, position) - 1)
        return self.origins[piece] + position - self.starts[piece] if self.starts else position


def read_skeleton(window: Window, size: int, limits: Limits) -> Skeleton:
    """Walk the file once and leave the weights out.

    Raises:
        Broken: the bytes make no sense.
        LimitExceeded: more than `structure_bytes` are left, or messages nest too deeply.
    """
    stripper = _Stripper(window, limits)
    stripper.message(MODEL, (0, size), 1)
    skeleton, position = Skeleton(marks=stripper.marks), 0
    for origin, piece in stripper.pieces:
        if origin is not None:
            skeleton.starts.append(position)
            skeleton.origins.append(origin)
        position += len(piece)
    skeleton.data = b"".join(piece for _, piece in stripper.pieces)
    return skeleton


class _Stripper:
    """Collects the pieces of the skeleton, each with its offset in the file where it has one."""

    def __init__(self, window: Window, limits: Limits) -> None:
        self.window = window
        self.limits = limits
        self.pieces: list[tuple[int | None, bytes]] = []
        self.marks: set[int] = set()
        self.total = 0

    def message(self, kind: str, span: Span, depth: int) -> int:
        """Add what is left of the message in `span`, and return how many bytes that is."""
        self.limits.check("depth", depth, "the file's messages")
        children, before = CHILDREN[kind], self.total
        copied = span[0]
        position = span[0]
        for tag, start, stop in self.window.fields(*span):
            child = children.get(tag)
            if (child and self._has_weights(child, start, stop)) or (
                kind == MODEL and tag == _TRAINING
            ):
                self._copy(copied, position)
                if child:
                    self._child(child, tag, (start, stop), depth + 1)
                copied = stop
            position = stop
        self._copy(copied, span[1])
        return self.total - before

    def _child(self, kind: str, tag: int, span: Span, depth: int) -> None:
        """A message that shrinks: its length is known, and written, only after its content."""
        place = len(self.pieces)
        self.pieces.append((None, b""))
        length = self._tensor(span) if kind == TENSOR else self.message(kind, span, depth)
        header = encode_varint(tag) + encode_varint(length)
        self.pieces[place] = (None, header)
        self.total += len(header)

    def _tensor(self, span: Span) -> int:
        """A tensor without its elements, marked as lying in the file it came from."""
        if not self._is_large(span):
            self._copy(*span)
            return span[1] - span[0]
        before, copied, position = self.total, span[0], span[0]
        for tag, _, stop in self.window.fields(*span):
            if tag >> 3 in _ELEMENTS:
                self._copy(copied, position)
                copied = stop
            position = stop
        self._copy(copied, span[1])
        self.marks.add(span[0])
        entries = (("location", PLACE), ("offset", span[0]), ("length", span[1] - span[0]))
        mark = b"".join(
            encode(13, encode(1, name.encode()) + encode(2, str(value).encode()))
            for name, value in entries
        )
        self._write(mark + encode_varint(key(14, VARINT)) + b"\x01")
        return self.total - before

    def _is_large(self, span: Span) -> bool:
        count = 0
        for tag, start, stop in self.window.fields(*span):
            count += stop - start if tag >> 3 in _ELEMENTS else 0
            if count > KEPT:
                return True
        return False

    def _has_weights(self, kind: str, start: int, stop: int) -> bool:
        """Whether a message may hold a tensor over 256 bytes; in doubt it does."""
        if stop - start <= KEPT:
            return False
        if kind == NODE and stop - start <= _NODE_SLICE:
            return _LARGE_ATTRIBUTE.search(self.window.slice(start, stop)) is not None
        return True

    def _copy(self, start: int, stop: int) -> None:
        if start < stop:
            self._grow(stop - start)
            self.pieces.append((start, self.window.slice(start, stop)))

    def _write(self, data: bytes) -> None:
        self._grow(len(data))
        self.pieces.append((None, data))

    def _grow(self, count: int) -> None:
        self.total += count
        self.limits.check("structure_bytes", self.total, "the file without its weights")
