"""`OnnxFile`: an ONNX model as its file has it, read without its weights and without `onnx`.

Inputs and outputs are read at once, by a walk that jumps over nodes and weights. All the rest is
read from the skeleton (`skeleton.py`), which shape inference gets as well: what it hands back is
read by the same parser, so that a graph with inferred shapes is a graph like any other.

That `onnx.load` succeeds says nothing: any bytes that happen to be a protobuf come back as an empty
model. A file is a model here when it has a graph with something in it and names its operator sets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from mlnb.errors import LimitExceeded, ModelFormatError, unknown
from mlnb.formats.model_file import ModelFile, Part
from mlnb.formats.onnx.graph import Parsed, parse
from mlnb.formats.onnx.header import Header, read_ends, read_header
from mlnb.formats.onnx.skeleton import PLACE, Skeleton, read_skeleton
from mlnb.formats.onnx.tensor import StoredTensor, describe, number
from mlnb.formats.sniff import no_model
from mlnb.formats.wire import VARINT, Broken, Window, key
from mlnb.formatting import display_text, plural
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.source import Source
    from mlnb.graph.graph import Graph
    from mlnb.specs import TensorSpecs

Result = TypeVar("Result")

CLASSES = "classes"
"""The key of the class names, a JSON list, in the metadata of what mlnb exports."""


def looks(head: bytes, source: Source) -> bool:
    """Whether a file begins as ONNX files do: with an IR version of 3 or more.

    Others may be ONNX as well: one is told by reading it. A SavedModel begins with a version too,
    which has always been 1.
    """
    return len(head) > 2 and head[0] == 8 and 3 <= head[1] < 128 and head[2] in _SECOND


_SECOND = bytes([*map(key, (2, 3, 4, 6, 7, 8, 14)), key(5, VARINT)])


class OnnxFile(ModelFile):
    """An ONNX model in a file or in bytes.

    >>> OnnxFile(Source.of("squeezenet1.1_fp16.onnx"))
    OnnxFile('squeezenet1.1_fp16.onnx', 1 input, 1 output)

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.

    Raises:
        ModelFormatError: it is no ONNX model, or cut off; the message says at which byte.
        LimitExceeded: it asks for more than `limits` allows.
    """

    format = "ONNX"
    runtime = "onnxruntime"

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        super().__init__(source, limits)
        self._header, self._inputs, self._outputs = self._walk(self._read_outside)
        self._inferred: Parsed | None = None

    @property
    def inputs(self) -> TensorSpecs:
        """What goes in; weights that IR 3 repeats as inputs are not among them."""
        return self._inputs

    @property
    def outputs(self) -> TensorSpecs:
        """What comes out."""
        return self._outputs

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """Producer, IR version, operator sets, documentation, and `metadata_props`."""
        return self._header.metadata

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes: a JSON list under `classes`, where mlnb's exports have them."""
        try:
            names = json.loads(self.metadata.get(CLASSES, "[]"))
        except (ValueError, RecursionError):
            return ()
        plain = isinstance(names, list) and all(isinstance(one, str | int | float) for one in names)
        return tuple(map(str, names)) if plain else ()

    @property
    def graph(self) -> Graph:
        """The operations, with nested graphs and functions; read at the first look and kept."""
        return self._parsed.graph

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The files of external data, by the sizes on disk; none of them is opened."""
        names: dict[str, None] = {}
        for entries in self._parsed.external:
            # Runtimes differ on which one counts where there are several, so that all are named.
            places = [value for name, value in entries if name == "location"] or [""]
            if self._is_inside(dict(entries)):
                places.pop()
            names.update(dict.fromkeys(places))
        folder = self.source.path.parent if self.source.path else None
        return tuple(Part.beside(folder, name) for name in names)

    def skeleton(self) -> bytes:
        """The model without tensors over 256 bytes, which are marked as external data."""
        return self._skeleton.data

    def with_shapes(self, inferred: bytes) -> Graph:
        """The graph that shape inference filled in, held against this one."""
        try:
            parsed = parse(inferred, self.limits)
        except Broken as broken:
            raise ModelFormatError(f"shape inference gave no model: {broken.reason}") from broken
        ours, theirs = self.graph.nodes, parsed.graph.nodes
        if [(node.op, node.outputs) for node in ours] != [(n.op, n.outputs) for n in theirs]:
            raise ModelFormatError(
                f"shape inference gave a graph of {plural(len(theirs), 'node')}; expected the "
                f"{plural(len(ours), 'node')} of {display_text(self.source.name)}"
            )
        self._inferred = parsed
        return parsed.graph

    def cut(self, inputs: Sequence[str] | None, outputs: Sequence[str]) -> OnnxFile:
        """The nodes and weights that `outputs` need, as a model; see `ModelFile.cut`."""
        from mlnb.formats.onnx.cut import OnnxCut

        return OnnxCut(self, inputs, outputs)

    def described(self, names: Sequence[str]) -> dict[str, bytes]:
        """The ValueInfoProto of each name, the inferred one where there is any."""
        from mlnb.formats.onnx.cut import described, value_info_of

        found = {name: value_info_of(self.graph.value(name)) for name in names}
        for parsed in reversed(self._parses()):
            found.update(described(parsed.data, names, self.limits))
        return found

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """A stored weight or constant, read now; see `ModelFile.tensor`."""
        shown = display_text(name)
        parsed, tensor = self._find(name, graph)
        self.limits.check("tensor_bytes", tensor.nbytes, f"the tensor {shown!r}")
        try:
            return self._array(parsed.data, tensor)
        except (Broken, ModelFormatError) as error:
            reason = error.reason if isinstance(error, Broken) else error
            raise ModelFormatError(f"the tensor {shown!r} cannot be read: {reason}") from error

    def _find(self, name: str, graph: Graph | None) -> tuple[Parsed, StoredTensor]:
        for parsed in self._parses():
            tensor = parsed.find(name, graph)
            if tensor is not None:
                return parsed, tensor
        raise unknown("stored tensor", name, self._parsed.stored[id(self._parsed.graph)])

    def _parses(self) -> list[Parsed]:
        return [self._parsed] if self._inferred is None else [self._inferred, self._parsed]

    def _array(self, skeleton: bytes, tensor: StoredTensor) -> np.ndarray:
        from mlnb.formats.onnx.arrays import spread, to_array

        if tensor.sparse:
            raise ModelFormatError("it is sparse, and only dense tensors are read")
        if tensor.filled:
            start, stop = tensor.span
            one = describe(skeleton, start, stop, self.limits)
            return spread(self._array(skeleton, one), tensor.shape)
        if not tensor.external:
            return to_array(skeleton[slice(*tensor.span)], tensor)
        if not self._is_inside(tensor.external):
            part = display_text(tensor.external.get("location", ""))
            raise ModelFormatError(f"it lies in the file {part!r}, which is not opened for viewing")
        offset, length = number(tensor.external, "offset"), number(tensor.external, "length")
        self.limits.check("tensor_bytes", length // 2, "what is stored for it")
        return to_array(self.source.read(offset, length), tensor)

    def _is_inside(self, external: dict[str, str]) -> bool:
        """Whether the elements lie in this file, from where the skeleton left them out."""
        return (
            external.get("location") == PLACE and number(external, "offset") in self._skeleton.marks
        )

    @cached_property
    def _skeleton(self) -> Skeleton:
        return self._walk(lambda window: read_skeleton(window, self.source.size, self.limits))

    @cached_property
    def _parsed(self) -> Parsed:
        skeleton = self._skeleton
        with self._told():
            try:
                return parse(skeleton.data, self.limits)
            except Broken as broken:
                raise Broken(skeleton.origin(broken.position), broken.reason) from broken

    def _walk(self, visit: Callable[[Window], Result]) -> Result:
        """What `visit` finds in the file; what breaks on the way is told with its byte."""
        with self.source.reading() as read, self._told():
            return visit(Window(read, self.source.size, self.limits))

    @contextmanager
    def _told(self, size: int | None = None) -> Iterator[None]:
        with super()._told(size):
            try:
                yield
            except RecursionError as error:
                raise LimitExceeded(
                    "it nests more deeply than Python can follow, short of the depth of "
                    f"{self.limits.depth:,} that was allowed; no runtime reads such a file"
                ) from error

    def _broken(self, reason: str) -> ModelFormatError:
        return no_model(self.source, reason)

    def _read_outside(self, window: Window) -> tuple[Header, TensorSpecs, TensorSpecs]:
        """Versions, inputs and outputs; a protobuf without a graph in it is no model."""
        header = read_header(window, self.source.size, self.limits)
        if not header.graphs:
            raise Broken(self.source.size, "it ends without a graph")
        inputs, outputs, nodes = read_ends(window, header.graphs, self.limits)
        if not nodes and not outputs:
            raise Broken(header.graphs[0][0], "its graph is empty")
        if not header.opsets and header.ir_version >= 3:
            raise Broken(self.source.size, "it ends before it names its operator sets")
        return header, inputs, outputs
