"""`TfliteFile`: a TFLite model as its file has it, read without its weights and without LiteRT.

A file holds subgraphs, of which the first is the model and the others are bodies of loops and
branches, or entry points of their own (signatures). What goes in and out is named as LiteRT names
it: by the tensors, or, where a signature is chosen, by the names that the signature gives them.

The schema: https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mlnb.errors import ModelFormatError, ModelRunError, unknown
from mlnb.formats.cutting import cut_graph, kept, unknown_tensor
from mlnb.formats.model_file import ModelFile
from mlnb.formats.tflite.ends import nth_subgraph, read_ends, spec_of
from mlnb.formats.tflite.flatbuffer import Flatbuffer, Table
from mlnb.formats.tflite.graph import GraphReader, Named, Subgraph
from mlnb.formats.tflite.metadata import About, read_about, read_labels
from mlnb.formats.tflite.tensors import StoredTensor, Tensors, to_array
from mlnb.formats.wire import Broken
from mlnb.formatting import display_text
from mlnb.limits import LIMITS, Limits
from mlnb.specs import Quantization, TensorSpecs

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.source import Source
    from mlnb.graph.graph import Graph

Result = TypeVar("Result")

_IDENTIFIER = b"TFL3"


def looks(head: bytes, source: Source) -> bool:
    """Whether the file says that it is a TFLite model and points to a table inside itself."""
    root = int.from_bytes(head[:4], "little")
    return head[4:8] == _IDENTIFIER and 8 <= root <= source.size - 4


class _Inside(NamedTuple):
    """What is read at the first look at the graph."""

    graph: Graph
    tensors: Mapping[int, Named]

    @property
    def own(self) -> Named:
        """The tensors of the outermost graph."""
        return self.tensors[id(self.graph)]


class TfliteFile(ModelFile):
    """A TFLite model in a file or in bytes.

    >>> TfliteFile(Source.of("mobilenet_v2_1.0_224_quant.tflite")).inputs
    TensorSpecs(input: uint8 [1, 224, 224, 3])

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.
        signature: the entry point; without one the first subgraph, by the names of its tensors.
        cut: tensors that come out instead of the outputs.

    Raises:
        ModelFormatError: it is no TFLite model, or cut off; the message says at which byte.
        LimitExceeded: it asks for more than `limits` allows.
        UnknownName: it has no such signature.
    """

    format = "TFLite"
    runtime = "litert"

    def __init__(
        self,
        source: Source,
        limits: Limits = LIMITS,
        *,
        signature: str | None = None,
        cut: Sequence[str] | None = None,
    ) -> None:
        super().__init__(source, limits)
        self._signature = signature
        self._cut = None if cut is None else tuple(cut)
        self._outside = self._walk(
            lambda buffer, model: read_ends(buffer, model, signature, limits)
        )

    @property
    def inputs(self) -> TensorSpecs:
        """What goes in, with the quantisation where it is stored as integers."""
        return self._ends[0]

    @property
    def outputs(self) -> TensorSpecs:
        """What comes out, like `inputs`."""
        return self._ends[1]

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The converter, versions, and what the author wrote of the model and its tensors."""
        about = dict(self._about.texts)
        if self.signatures:
            about["signatures"] = ", ".join(self.signatures)
        return about

    @cached_property
    def graph(self) -> Graph:
        """The operators, with the subgraphs they call; in a cut, those that lead to its outputs."""
        whole = self._inside.graph
        return whole if self._cut is None else cut_graph(whole, kept(whole, None, self._cut))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The classes, from the label file in the zip that stands behind the model."""
        return read_labels(self.source, self._about.label_files, self.limits)

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of the entry points."""
        return self._outside.signatures

    @property
    def signature(self) -> str | None:
        """The entry point that was chosen; `None` for the model as LiteRT runs it by itself."""
        return self._signature

    def with_signature(self, name: str) -> TfliteFile:
        """The same model by one of its entry points; see `ModelFile.with_signature`."""
        if name not in self.signatures:
            super().with_signature(name)
        return TfliteFile(self.source, self.limits, signature=name)

    @property
    def run_facts(self) -> Mapping[str, Any]:
        """The signature, the tensors by name, a cut, and whether variables outlive a run."""
        ends = self._outside.ends
        facts: dict[str, Any] = {
            "signature": self._signature,
            "subgraph": ends.subgraph,
            "inputs": dict(ends.inputs),
            "outputs": dict(ends.outputs),
            "keeps": self._outside.keeps,
        }
        if self._cut is not None:
            facts["inner"] = {name: self._inside.own[name][0] for name in self._cut}
        return facts

    def cut(self, inputs: Sequence[str] | None, outputs: Sequence[str]) -> TfliteFile:
        """The model up to inner tensors; LiteRT always starts at the model's own inputs."""
        graph = self._inside.graph
        part = kept(graph, None, outputs)
        for name in inputs or ():
            if name not in graph.values:
                raise unknown_tensor(name, graph.values)
        for name in part.outputs:
            if graph.value(name).initializer:
                raise ModelRunError(
                    f"'{display_text(name)}' is a stored weight: read it with model.tensor(…)"
                )
        cut = TfliteFile(self.source, self.limits, signature=self._signature, cut=part.outputs)
        if inputs is not None and set(inputs) != set(cut.inputs.names):
            needed = ", ".join(display_text(name, 40) for name in cut.inputs.names)
            raise ModelRunError(
                f"a TFLite model starts at its own inputs, and these outputs need: {needed}. "
                "Leave inputs away; to start inside, cut an ONNX conversion: model.to_onnx(path)"
            )
        return cut

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """A stored weight or constant, read now, as it is stored; `quantization` tells its scale.

        See `ModelFile.tensor`.
        """
        shown = display_text(name)
        stored = self._find(name, graph)
        start, length = stored.span
        self.limits.check("tensor_bytes", length, f"the tensor {shown!r}")
        try:
            return to_array(self.source.read(start, length), stored)
        except ModelFormatError as error:
            raise ModelFormatError(f"the tensor {shown!r} cannot be read: {error}") from error

    def quantization(self, name: str, graph: Graph | None = None) -> Quantization | None:
        """How the integers of a stored tensor stand for real values; `None` where they do not.

        >>> file.quantization("conv1/weights").real(file.tensor("conv1/weights"))
        array([[[[-0.0213, …]]]], dtype=float32)

        Raises:
            UnknownName: nothing is stored under this name.
        """
        return self._find(name, graph).quantization

    @property
    def stored_names(self) -> Mapping[int, str]:
        """The tensors' names as the file has them, by number; `graph` tells apart those alike."""
        return {number: stored.name for number, stored in self._inside.own.values()}

    def _find(self, name: str, graph: Graph | None) -> StoredTensor:
        inside = self._inside
        given = inside.tensors.get(id(graph)) if graph is not None else None
        for tensors in inside.tensors.values() if given is None else [given]:
            if name in tensors:
                stored = tensors[name][1]
                if stored.span[1] or 0 in (stored.shape or ()):
                    return stored
        raise unknown("stored tensor", name, [value.name for value in inside.graph.weights])

    @cached_property
    def _ends(self) -> tuple[TensorSpecs, TensorSpecs]:
        if self._cut is None:
            return self._outside.inputs, self._outside.outputs
        own = self._inside.own
        outputs = [spec_of(name, own[name][1]) for name in self._cut]
        needed = {own[name][0] for name in self.graph.inputs}
        numbers = self._outside.ends.inputs
        inputs = [spec for spec in self._outside.inputs if numbers[spec.name] in needed]
        return TensorSpecs(inputs, "input"), TensorSpecs(outputs, "output")

    @cached_property
    def _about(self) -> About:
        return self._walk(
            lambda buffer, model: read_about(
                buffer.read, model, Tensors(buffer, model, self.limits), self.limits
            )
        )

    @cached_property
    def _inside(self) -> _Inside:
        return self._walk(self._read_inside)

    def _read_inside(self, buffer: Flatbuffer, model: Table) -> _Inside:
        reader = GraphReader(buffer, model, self.limits)
        ends = self._outside.ends
        table = nth_subgraph(model, ends.subgraph)
        subgraph = Subgraph(
            table,
            reader.tensors,
            ends.names,
            list(ends.inputs.values()),
            list(dict.fromkeys(ends.outputs.values())),
        )
        return _Inside(*reader.graph(ends.subgraph, subgraph))

    def _walk(self, visit: Callable[[Flatbuffer, Table], Result]) -> Result:
        """What `visit` finds in the file; what breaks on the way is told with its byte."""
        with self.source.reading() as read, self._told():
            buffer = Flatbuffer(read, self.source.size, self.limits)
            if buffer.identifier() != _IDENTIFIER:
                raise Broken(4, "it does not say that it is one")
            return visit(buffer, buffer.root())
