"""`GraphViewer`: a model as a graph that one walks through, with its inputs and outputs on top.

The whole graph goes to the browser once, folded and packed; expanding, searching and laying out
need no kernel. It is asked for two things only: shapes that the file lacks, and a weight's values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import traitlets as t
from IPython import get_ipython

from mlnb.errors import MlnbError
from mlnb.formatting import Markup, display_text, plural
from mlnb.graph.card import card
from mlnb.graph.graph import Graph
from mlnb.graph.paint import Paint, make_paint
from mlnb.graph.payload import graph_payload, pack
from mlnb.models.model import Model
from mlnb.specs import TensorSpec, TensorSpecs, shape_text
from mlnb.widgets.base import Widget, bundle, error_line, refuse_unknown
from mlnb.widgets.boxes import Boxes
from mlnb.widgets.model_words import model_words
from mlnb.widgets.painting import painting_json, painting_text
from mlnb.widgets.rows import rows_text
from mlnb.widgets.tensor_table import io_traits
from mlnb.widgets.tensor_view import dtype_text, picture_uri, slice_text, stats_json

if TYPE_CHECKING:
    from mlnb.graph.fold import Group
    from mlnb.graph.graph import Node
    from mlnb.networks.holder import Holder


_inferring = Lock()
_inferred: WeakSet[Model] = WeakSet()  # asked once each: what is not found once never is


class GraphViewer(Widget):
    """The graph of a model: fold, search, select, and see what is inside.

    >>> viewer = GraphViewer(model)
    >>> viewer  # as the last line of a cell
    >>> viewer.focus("layer4")  # opens it and brings it into view
    >>> viewer.node  # what is selected, as a Node or a Group

    Args:
        model: a `Model`, a network of ours, or a `Graph` alone.
        io: whether a model's inputs and outputs stand above its graph.
        height: of the canvas, in pixels.
        marked: names of nodes and modules that are drawn as new; a module marks all in it.

    Raises:
        TypeError: for something else, or for an argument that does not exist.
    """

    _esm = bundle("graph_viewer.js")
    _css = bundle("graph_viewer.css")

    payload = t.Bytes(help="The graph, packed by `mlnb.graph.payload`.").tag(sync=True)
    selected = t.Unicode(help="The id of the selected box, both ways; empty: none.").tag(sync=True)
    title = t.Unicode(help="The file's name, or the graph's.").tag(sync=True)
    facts = t.Unicode(help="One line about it.").tag(sync=True)
    rows = t.List(t.Dict(), help="The IO card; empty for a graph alone.").tag(sync=True)
    feed = t.Unicode(help="Python code that feeds the model with zeros.").tag(sync=True)
    height = t.Int(460, min=120, max=4000, help="Of the canvas, in pixels.").tag(sync=True)
    status = t.Unicode(help="A muted line such as “inferring shapes…”; empty: none.").tag(sync=True)
    marked = t.List(t.Unicode(), help="The ids of the boxes that are drawn as new.").tag(sync=True)
    painted = t.List(t.Unicode(), help="The ids of the boxes that are painted.").tag(sync=True)
    painting = t.Dict(help="Their values and colours; empty: none are.").tag(sync=True)
    readable = t.Bool(False, help="Whether the values of weights can be read.").tag(sync=True)

    def __init__(
        self,
        model: Model | Holder | Graph,
        *,
        io: bool = True,
        height: int = 460,
        marked: Collection[str] = (),
        **unknown: Any,
    ) -> None:
        refuse_unknown("GraphViewer", unknown, ["model", "io", "height", "marked"])
        graph = model if isinstance(model, Graph) else getattr(model, "graph", None)
        if not isinstance(graph, Graph):
            raise TypeError(
                "GraphViewer expects a Model, a network, a Graph, or load_model(module, sample=…) "
                f"of a torch module; received {type(model).__name__}"
            )
        self._model = model if isinstance(model, Model) else None
        self._io = io
        self._asked_for_shapes = False
        self._new = tuple(marked)
        self._paint: Paint | None = None
        self._named: dict[str, list[str]] = {}
        self._renewing = False
        super().__init__(height=height, readable=self._model is not None, **self._drawn(graph))

    # --------------------------------------------------------------------------------- selection

    @property
    def node(self) -> Node | Group | None:
        """What is selected: a `Node`, a `Group`, or `None` (nothing, an input, an output)."""
        return self._boxes[self.selected] if self.selected else None

    def focus(self, name: str) -> None:
        """Open the folds around a box, bring it into view and select it.

        >>> viewer.focus("layer4")

        Args:
            name: an id as `viewer.selected` has it, with or without its slash; a module's path with
                dots; a node's name.

        Raises:
            UnknownName: nothing is called so, with the closest ids.
        """
        identity = self._boxes.find(name)
        self.selected = identity
        self.send({"kind": "focus", "id": identity})

    def paint(
        self,
        values: Mapping[str, Any] | None,
        *,
        label: str = "",
        scale: str = "linear",
        colors: str | Sequence[str] = "viridis",
        groups: str = "mean",
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Colour boxes by numbers, with a legend and a table; painting again moves nothing.

        >>> viewer.paint({"conv1": 0.2, "layer4": 1.5}, label="gradient norm", scale="log")
        >>> viewer.paint(None)  # the colours of operations again

        A closed group that has no value of its own shows that of what is inside it.

        Args:
            values: a number for each name, as `focus` takes names; `None` where there is none.
                NaN and infinities are hatched. A `Series` serves as well.
            label: what the numbers are, with their unit.
            scale: "linear", or "log" for numbers from 0 up.
            colors: "viridis", "blues", "reds", "diverging", or colours from low to high,
                `["#ffffff", "#08306b"]`.
            groups: what a closed group shows of what is inside: "mean", "max" or "min".
            limits: the numbers of the first and the last colour; by default the smallest and the
                largest that were given.

        Raises:
            UnknownName: nothing is called so, with the closest ids.
            MlnbError: a value is no number, or a colour none.
        """
        if values is None:
            self._paint = None
            self.update(painted=[], painting={})
        else:
            if not callable(getattr(values, "items", None)):
                raise TypeError(
                    "paint expects a dictionary of names and numbers, or None; "
                    f"received {type(values).__name__}"
                )
            named = {
                identity: value
                for name, value in values.items()
                for identity in self._ids_of(str(name))
            }
            self._paint = make_paint(
                named, label=label, scale=scale, colors=colors, groups=groups, limits=limits
            )
            self.update(painted=list(named), painting=painting_json(self._paint))
        self.renew_static()

    def _ids_of(self, name: str) -> list[str]:
        found = self._named.get(name)
        if found is None:
            found = self._named[name] = self._boxes.find_all(name)
        return found

    @t.validate("selected")
    def _known(self, proposal: Mapping[str, Any]) -> str:
        identity: str = proposal["value"]
        return identity if not identity or identity in self._boxes else self._boxes.find(identity)

    # ----------------------------------------------------------------------- the picture that stays

    def renew_static(self, *, now: bool = False) -> None:
        """Put the colours into the picture that a saved notebook keeps, once a cell.

        Args:
            now: at once, and not when the cell ends.
        """
        shell = get_ipython()
        if now:
            self._renew_static()
        elif self._displayed and not self._renewing and shell is not None:
            self._renewing = True
            shell.events.register("post_run_cell", self._renew)

    def _renew(self, *_: object) -> None:
        self._renewing = False
        shell = get_ipython()
        if shell is not None:
            shell.events.unregister("post_run_cell", self._renew)
        self._renew_static()

    # ---------------------------------------------------------------------------------- messages

    def _receive_ready(self, _: Mapping[str, Any]) -> None:
        """The first picture stands: now is the time for the shapes that the file lacks."""
        with self._lock:
            asked, self._asked_for_shapes = self._asked_for_shapes, True
        if not asked and self._model is not None and lacks_shapes(self._model.graph):
            self.update(status="inferring shapes…")
            Thread(target=self._infer_shapes, name="mlnb-shapes", daemon=True).start()

    def _infer_shapes(self) -> None:
        model = self._model
        assert model is not None
        status = ""
        try:
            with _inferring:  # a second viewer of the model waits, and finds the shapes there
                if model not in _inferred:
                    _inferred.add(model)
                    model.infer_shapes()
            drawn = {} if model.graph is self._graph else self._drawn(model.graph)
        except Exception as error:  # noqa: BLE001 - shapes are extra: the graph stands without them
            drawn, status = {}, f"no shapes: {error_line(error)}"
        self.update(status=status, **drawn)

    def _receive_tensor(self, message: Mapping[str, Any]) -> None:
        """Read one weight and answer with what it holds."""
        if self._model is None:
            raise MlnbError("this viewer shows a graph alone; open it on the model to read weights")
        name = self._boxes.value_name(message["graph"], message["value"])
        array = self._model.tensor(name)
        self.send(
            {
                "kind": "tensor",
                "request": message["request"],
                "name": display_text(name, limit=400),
                "dtype": dtype_text(array),
                "shape": shape_text(array.shape),
                "stats": stats_json(array),
                "picture": picture_uri(array),
                "slice": slice_text(array),
            }
        )

    # ----------------------------------------------------------------------------- what is drawn

    def _drawn(self, graph: Graph) -> dict[str, Any]:
        """The traits that say what is shown; they change together when shapes arrive."""
        payload = graph_payload(graph)
        self._graph, self._boxes = graph, Boxes(graph, payload)
        self._named = {}
        self._marked = marked_nodes(graph, self._new)
        drawn = {"payload": pack(payload), "marked": self._boxes.holding(self._marked)}
        if self._model is not None:
            title, facts = display_text(self._model.title), model_words(self._model)
            card_above = io_traits(self._model) if self._io else {}
            return drawn | {"title": title, "facts": facts} | card_above
        return drawn | {
            "title": display_text(graph.name),
            "facts": plural(len(graph.nodes), "node"),
        }

    def static_html(self) -> Markup:
        """The IO table and the folded picture, without scripts, at most 60 kB."""
        ins, outs = _specs(self._model or self._graph) if self._io else ((), ())
        return card(
            self.title, self._static_facts(), ins, outs, self._graph, self._marked, self._paint
        )

    def static_text(self) -> str:
        """The IO card as plain text."""
        text = rows_text(self.title, self._static_facts(), self.rows)
        return text if self._paint is None else f"{text}\n{painting_text(self._paint)}"

    def _static_facts(self) -> str:
        """The line beside the title of the picture that stays."""
        return self.facts

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.title!r}, {plural(len(self._graph.nodes), 'node')})"


def marked_nodes(graph: Graph, names: Collection[str]) -> frozenset[int]:
    """The nodes of those names, and those in modules of those names."""
    wanted = set(names)
    return frozenset(
        at
        for at, node in enumerate(graph.nodes)
        if node.name in wanted
        or any("/".join(node.scope[:cut]) in wanted for cut in range(1, len(node.scope) + 1))
    )


def lacks_shapes(graph: Graph) -> bool:
    """Whether some value inside has no shape, in the graph or in one nested in it."""
    return any(
        name and graph.value(name).shape is None
        for level in (graph, *graph.subgraphs)
        for node in level.nodes
        for name in node.outputs
    )


def _specs(source: Model | Graph) -> tuple[TensorSpecs, TensorSpecs]:
    if isinstance(source, Model):
        return source.inputs, source.outputs
    ins, outs = (
        [source.value(name) for name in names] for names in (source.inputs, source.outputs)
    )
    return (
        TensorSpecs([TensorSpec(v.name, v.dtype, v.shape) for v in ins], "input"),
        TensorSpecs([TensorSpec(v.name, v.dtype, v.shape) for v in outs], "output"),
    )
