"""What `.keras` and old `.h5` models have in common: `KerasModelFile`, a config and its weights.

Inputs and outputs come from the config alone. The graph asks the child for the weights; where that
cannot read them, the layers are shown without them, and a warning says so.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlnb.errors import MlnbError, ModelRunError, unknown
from mlnb.formats.cutting import kept, unknown_tensor
from mlnb.formats.keras.graph import Parsed, build
from mlnb.formats.keras.weights import CountedWeights
from mlnb.formats.model_file import Danger, ModelFile
from mlnb.formatting import display_text, first_line, plural
from mlnb.specs import TensorSpec, TensorSpecs

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.keras.hdf5 import Hdf5
    from mlnb.formats.keras.weights import Weights
    from mlnb.formats.source import Source
    from mlnb.graph.graph import Graph
    from mlnb.limits import Limits


class KerasModelFile(ModelFile):
    """A Keras model with its config; a subclass says where the weights lie.

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.
        config: of the outermost model.
        name: what errors call the config.
    """

    format = "Keras"
    runtime = "keras"
    allows_io = False
    advice = (
        "to run it, let whoever has its code replace these layers by Keras's own, or call "
        "model.export('folder') where it was made, and load that folder"
    )

    def __init__(
        self, source: Source, limits: Limits, config: Mapping[str, Any], name: str
    ) -> None:
        super().__init__(source, limits)
        self._config = config
        self._name = name
        self._bare = build(config, name, limits)
        self._inputs, self._outputs = self._bare.inputs, self._bare.outputs

    @property
    def inputs(self) -> TensorSpecs:
        """What goes in, by the names of the input layers; the batch is `?`."""
        return self._inputs

    @property
    def outputs(self) -> TensorSpecs:
        """What comes out, by the names of the layers that give it."""
        return self._outputs

    @cached_property
    def graph(self) -> Graph:
        """One node for each call of a layer; a nested model has its layers as a body."""
        graph = self._parsed.graph
        names = tuple(spec.name for spec in self._outputs)
        return graph if names == graph.outputs else _ending(graph, names)

    @property
    def dangers(self) -> tuple[Danger, ...]:
        """The layers that bring code along, or need a class that is not Keras's; none is loaded."""
        return self._bare.dangers

    @property
    def run_facts(self) -> Mapping[str, Any]:
        """The inputs in their order, and the layers because of which it does not run."""
        return {
            "inputs": self._bare.inputs.names,
            "outputs": self._bare.outputs.names,
            "refused": [[one.op, one.node, one.why] for one in self._bare.refused[:20]],
        }

    def cut(self, inputs: Sequence[str] | None, outputs: Sequence[str]) -> ModelFile:
        """The model up to inner layers: `cut(None, ["backbone/conv5"])`.

        Raises:
            UnknownName: no layer gives a tensor of that name.
            ModelRunError: inputs inside of it were asked for.
        """
        if inputs is not None and list(inputs) != self._inputs.names:
            raise ModelRunError("a Keras model is cut at its outputs only: leave inputs= out")
        cut = copy(self)
        cut.__dict__.pop("graph", None)
        specs = [_spec(self._parsed.graph, name) for name in outputs]
        cut._outputs = TensorSpecs(specs, "output")
        return cut

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """A stored weight, read by the child now; see `ModelFile.tensor`."""
        stored = self._parsed.stored
        if name not in stored or self._hdf5_kept is None:
            raise unknown("stored tensor", name, stored)
        return self._hdf5_kept.array(stored[name], display_text(name))

    @abstractmethod
    def _hdf5(self) -> Hdf5 | None:
        """Where the weights lie; `None` where there are none."""

    def _weights(self, hdf5: Hdf5) -> Weights:
        return CountedWeights(hdf5.tensors)

    @cached_property
    def _hdf5_kept(self) -> Hdf5 | None:
        return self._hdf5()

    @cached_property
    def _parsed(self) -> Parsed:
        try:
            hdf5 = self._hdf5_kept
        except MlnbError as error:
            first = first_line(error, 300)
            warnings = (*self._bare.graph.warnings, f"its weights cannot be shown: {first}")
            return replace(self._bare, graph=replace(self._bare.graph, warnings=warnings))
        if hdf5 is None:
            return self._bare
        parsed = build(self._config, self._name, self.limits, self._weights(hdf5))
        outside = hdf5.described["outside"]
        if not outside:
            return parsed
        warning = (
            f"{plural(len(outside), 'weight')} in other files, not opened, such as "
            f"{display_text(outside[0])}"
        )
        graph = replace(parsed.graph, warnings=(*parsed.graph.warnings, warning))
        return replace(parsed, graph=graph)


def _spec(graph: Graph, name: str) -> TensorSpec:
    every = {
        value.name: value
        for one in (graph, *graph.subgraphs)
        for value in one.values.values()
        if not value.initializer
    }
    if name not in every:
        raise unknown_tensor(name, every)
    return TensorSpec(name, every[name].dtype, every[name].shape)


def _ending(graph: Graph, outputs: tuple[str, ...]) -> Graph:
    """The graph up to these values; one inside a nested model keeps the whole of it.

    All inputs stay: Keras is fed them, needed or not.
    """
    outer = [name if name in graph.producers else name.partition("/")[0] for name in outputs]
    part = kept(graph, None, outer)
    values = {n: value for n, value in graph.values.items() if n in {*part.names, *graph.inputs}}
    nodes = tuple(graph.nodes[i] for i in part.nodes)
    return replace(graph, nodes=nodes, outputs=part.outputs, values=values)
