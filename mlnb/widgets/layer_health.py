"""`health_view`: the graph of what trains, painted by how each layer learns, beside its curve.

A network of ours has its graph; another module is followed by torch.fx, and where that does not
lead to its layers they stand in a chain, in the order in which they were called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import traitlets as t

from mlnb.errors import MlnbError, UnknownName, unknown
from mlnb.formatting import display_text
from mlnb.graph.graph import Graph, Node
from mlnb.graph.payload import graph_payload
from mlnb.train.health import MEASURES
from mlnb.train.steer.copies import for_prediction
from mlnb.widgets.boxes import Boxes
from mlnb.widgets.graph_viewer import GraphViewer

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.health import LayerHealth
    from mlnb.train.run import Run

_STYLES: dict[str, dict[str, Any]] = {
    "gradient": {"scale": "log"},
    "update": {"scale": "log"},
    "idle": {"limits": (0.0, 1.0), "groups": "max"},
}
_BY_LABEL = {label: measure for measure, label in MEASURES.items()}


class HealthViewer(GraphViewer):
    """The graph of a run, painted anew at each measurement until the run ends.

    >>> viewer = health_view(run)
    >>> viewer.show("idle")  # dead or saturated units

    Args:
        run: one that was begun with `health=True`.
        graph: of its model.
        height: of the canvas, in pixels.
    """

    choices = t.List(t.Unicode(), help="What can be painted.").tag(sync=True)

    def __init__(self, run: Run, graph: Graph, height: int = 360) -> None:
        super().__init__(graph, io=False, height=height)
        self._health = _health_of(run)
        self._measure = "gradient"
        self._seen = -1
        self.update(
            title=display_text(run.name),
            facts="layer health",
            status="no step was measured yet",
            choices=list(MEASURES.values()),
        )
        self._follow()
        if run.active:
            self._forget = [run.on_tick(self._follow), run.on_end(self._finish)]

    def show(self, measure: str) -> None:
        """Paint another measure: "gradient", "update" or "idle".

        Raises:
            UnknownName: another word, with the closest.
        """
        if measure not in MEASURES:
            raise unknown("measure", str(measure), MEASURES)
        self._measure = measure
        self._painted_anew()

    def _follow(self, _: object = None) -> None:
        if len(self._health.measurements) and self._health.step != self._seen:
            self._painted_anew()

    def _static_facts(self) -> str:
        return f"{self.facts} · {self.status}"

    def _finish(self, _: object) -> None:
        """The run has ended; what stays in the notebook is its last measurement."""
        for forget in self._forget:
            forget()
        self._follow()
        self.renew_static(now=True)

    def _painted_anew(self) -> None:
        health = self._health
        if not health.measurements:
            return
        self._seen = health.step
        places = self._places
        known = {
            name: value
            for name, value in health[self._measure].items()
            if name in places and (value is not None or self._measure != "idle")
        }
        with self._lock, self.hold_sync():
            self.paint(known, label=MEASURES[self._measure], **_STYLES[self._measure])
            self.facts = f"layer health · step {health.step:,}"
            self.status = health.trouble or "all layers learn"

    @property
    def _places(self) -> frozenset[str]:
        """The layers that have a box; one that was added later has none."""
        found = set()
        for layer in self._health.layers:
            try:
                self._ids_of(layer.name)
            except UnknownName:
                continue
            found.add(layer.name)
        return frozenset(found)

    def _receive_choose(self, message: Mapping[str, Any]) -> None:
        choice = str(message.get("choice"))
        if choice not in _BY_LABEL:
            raise unknown("measure", choice, _BY_LABEL)
        self.show(_BY_LABEL[choice])


def health_view(run: Run, height: int = 360) -> HealthViewer:
    """The graph of a run's model, painted by the health of its layers while it trains.

    >>> run = trainer.fit(data, health=True, background=True)
    >>> health_view(run)

    Args:
        run: begun with `health=True`.
        height: of the canvas, in pixels.

    Raises:
        MlnbError: the run measures no health.
    """
    health = _health_of(run)
    return HealthViewer(run, health_graph(run, health), height)


def health_graph(run: Run, health: LayerHealth) -> Graph:
    """A graph in which every layer of the run's model has a box.

    Args:
        run: its model is copied, and left alone.
        health: which modules were called, where torch.fx does not follow the model.
    """
    models = _copied(run)
    wanted = _layers(run._state.models)  # a copy wants no gradients, so it has no layers
    if len(models) == 1:
        model = next(iter(models.values()))
        for inputs in (_sample(run), None):
            graph = _traced(model, inputs, run.name, wanted)
            if graph is not None:
                return graph
    return _chain(run.name, health.called or list(wanted.items()))


def _copied(run: Run) -> dict[str, nn.Module]:
    """The models, by name; before the first step there is nobody yet who could be asked."""
    if run.status == "preparing":
        return for_prediction(run._state.models)
    model = run.copy()
    return model if isinstance(model, dict) else {"model": model}


def _sample(run: Run) -> list[Any] | None:
    """Two rows of the data, for the shapes along the edges."""
    inputs = run._plan.prepared.sample[0]
    if isinstance(inputs, dict):
        return None
    return list(inputs) if isinstance(inputs, tuple) else [inputs]


def _traced(
    model: nn.Module, inputs: list[Any] | None, title: str, wanted: Iterable[str]
) -> Graph | None:
    """The graph of a module, where every layer has a box in it."""
    from mlnb.networks.graph import module_graph

    try:
        graph = module_graph(model, inputs, title)
        boxes = Boxes(graph, graph_payload(graph))
        for name in wanted:
            boxes.find_all(name)
    except Exception:  # noqa: BLE001 - torch.fx fails in many ways, as do guests on a dry batch
        return None
    return graph


def _layers(models: Mapping[str, nn.Module]) -> dict[str, str]:
    """The layers of a model or of several, by name, with their classes."""
    found = {}
    for key, one in models.items():
        for path, module in one.named_modules():
            if any(p.requires_grad for p in module.parameters(recurse=False)):
                name = path if len(models) == 1 else f"{key}.{path}".rstrip(".")
                found[name or type(module).__name__.lower()] = type(module).__name__
    return found


def _chain(title: str, called: list[tuple[str, str]]) -> Graph:
    """Modules one after the other; their scopes are those of the model."""
    from mlnb.networks.operations import op_of

    nodes, flow = [], "input"
    for path, kind in called:
        scope = tuple(path.split("."))
        name = "/".join(scope)
        nodes.append(Node(name, op_of(kind), (flow,), (name,), scope=scope))
        flow = name
    return Graph(title, tuple(nodes), ("input",), (flow,))


def _health_of(run: Run) -> LayerHealth:
    health = run.health
    if health is None:
        name = display_text(run.name)
        raise MlnbError(f"'{name}' measures no layers: begin it with fit(…, health=True)")
    return health
