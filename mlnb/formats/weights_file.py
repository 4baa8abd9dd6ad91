"""`WeightsFile`: a file of weights without a graph, as the table of tensors that it is."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

from mlnb.formats.model_file import ModelFile
from mlnb.graph.graph import Graph, Value
from mlnb.specs import TensorSpecs


class WeightsFile(ModelFile):
    """A table of tensors without a graph: it is looked at, and never runs.

    A format is a subclass that gives `tensors`, `metadata` and `advice`.
    """

    @property
    @abstractmethod
    def tensors(self) -> tuple[Value, ...]:
        """The tensors in the order of the file, each a weight with its size."""

    @property
    def inputs(self) -> TensorSpecs:
        """None: nothing goes in."""
        return TensorSpecs((), "input")

    @property
    def outputs(self) -> TensorSpecs:
        """None: nothing comes out."""
        return TensorSpecs((), "output")

    @cached_property
    def graph(self) -> Graph:
        """The tensors as values without a node."""
        values = {value.name: value for value in self.tensors}
        return Graph(self.source.name, (), values=values, warnings=self._warnings)

    @property
    def _warnings(self) -> tuple[str, ...]:
        """What is to be known before the weights are used, a sentence each."""
        return ()
