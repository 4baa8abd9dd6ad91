"""`GraphDefFile`: a frozen TensorFlow graph (`.pb`), read without its weights or TensorFlow.

A GraphDef does not say what goes in and what comes out. What goes in are its placeholders, or what
its iterator gives; what comes out is what nobody in it reads.

The format: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/graph.proto
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mlnb.formats.tensorflow.ends import Ends, found_ends
from mlnb.formats.tensorflow.file import TensorFlowFile
from mlnb.formats.tensorflow.nodes import RawGraph, read_graph
from mlnb.formats.wire import Broken, field_at, key

if TYPE_CHECKING:
    from mlnb.formats.source import Source

_OP = re.compile(rb"[A-Z_][\w>]*\Z")


def looks(head: bytes, source: Source) -> bool:
    """Whether the file begins with a node: a name, and then an operation.

    >>> looks(source.read(0, 4096), source)
    True
    """
    try:
        tag, start, _ = field_at(head, 0, len(head))
        name, begin, end = field_at(head, start, len(head))
        op, low, high = field_at(head, end, len(head))
    except (Broken, IndexError):
        return False
    named = begin < end and b"\0" not in head[begin:end]
    return (tag, name, op) == (key(1), key(1), key(2)) and named and bool(_OP.match(head[low:high]))


class GraphDefFile(TensorFlowFile):
    """A frozen TensorFlow graph in a file or in bytes.

    >>> GraphDefFile(Source.of("chairs_model.pb")).inputs
    TensorSpecs(Placeholder: float32 [?, 227, 227, 3])

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.

    Raises:
        ModelFormatError: it is no GraphDef, or cut off; the message says at which byte.
        LimitExceeded: it asks for more than `limits` allows.
    """

    format = "TensorFlow GraphDef"

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The version of the graph format that its writer had."""
        version = self._raw.producer
        return {"producer": "TensorFlow"} | ({"graph version": str(version)} if version else {})

    def _read(self) -> tuple[RawGraph, Ends]:
        size = self.content.size
        raw = self._walk(lambda window: read_graph(window, [(0, size)], self.limits))
        if not raw.nodes and not raw.functions:
            raise self._broken("it holds no node")
        return raw, found_ends(raw.nodes)
