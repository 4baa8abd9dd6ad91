"""A model file that is none: specs and a function, which runs in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlnb.formats.model_file import Danger, ModelFile
from mlnb.formats.source import Source
from mlnb.graph.graph import Graph
from mlnb.specs import TensorSpec, TensorSpecs


class FakeFile(ModelFile):
    """Runs `function(**feeds)`, which gives a dict of outputs."""

    format = "fake"

    def __init__(
        self,
        inputs: Sequence[TensorSpec] = (),
        outputs: Sequence[TensorSpec] = (),
        function: Callable[..., dict[str, Any]] | None = None,
        *,
        name: str = "model.fake",
        runtime: str | None = None,
        advice: str = "",
        dangers: tuple[Danger, ...] = (),
        graph: Graph | None = None,
    ) -> None:
        super().__init__(Source(name, 0, content=b""))
        self._ends = TensorSpecs(inputs, "input"), TensorSpecs(outputs, "output")
        self._function = function
        self._graph = graph or Graph("", ())
        self._dangers = dangers
        self.runtime = runtime
        self.advice = advice

    inputs = property(lambda self: self._ends[0])
    outputs = property(lambda self: self._ends[1])
    graph = property(lambda self: self._graph)
    dangers = property(lambda self: self._dangers)

    @property
    def metadata(self) -> Mapping[str, str]:
        return {}

    def session(self) -> Any:
        return _Session(self._function) if self._function else None


class _Session:
    device = "CPU"
    notes = ("it ran here",)

    def __init__(self, function: Callable[..., dict[str, Any]]) -> None:
        self._function = function

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]:
        answer = self._function(**feeds)
        return [answer[name] for name in outputs]
