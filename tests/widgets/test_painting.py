"""`viewer.paint`: names become boxes, numbers cross as JSON, the picture that stays is renewed."""

from __future__ import annotations

import json
import math

import pytest

from mlnb.errors import MlnbError, UnknownName
from mlnb.graph.graph import Graph, Node
from mlnb.models.model import Model
from mlnb.widgets import base, graph_viewer
from mlnb.widgets.graph_viewer import GraphViewer


@pytest.fixture
def viewer(graph: Graph) -> GraphViewer:
    return GraphViewer(graph)


def test_names_are_those_that_focus_takes(viewer: GraphViewer):
    viewer.paint({"layer1": 1, "layer2.conv": 2.5, "If_0:then_branch:Add_3": 3, "same#2": None})
    assert viewer.painted == ["layer1/", "layer2.conv", "If_0:then_branch:Add_3", "same#2"]
    assert viewer.painting["values"] == [1.0, 2.5, 3.0, None]
    assert (viewer.painting["low"], viewer.painting["high"]) == (1.0, 3.0)


def test_a_loaded_model_is_painted_too(model: Model):
    viewer = GraphViewer(model)
    viewer.paint({"scale/Mul": 1.0}, label="seconds")
    assert viewer.painted == ["scale/Mul"]
    assert viewer.painting["label"] == "seconds"


def test_a_module_without_a_box_paints_its_nodes():
    nodes = (
        Node("n0", "Conv", ("x",), ("a",), scope=("stem", "conv")),
        Node("n1", "Add", ("a",), ("b",), scope=("stem", "conv")),
        Node("n2", "Relu", ("b",), ("c",), scope=("stem", "act")),
    )
    viewer = GraphViewer(Graph("g", nodes, ("x",), ("c",)))
    viewer.paint({"stem.act": 2.0})
    assert viewer.painted == ["n2"]


def test_an_unknown_name_is_refused_with_the_closest_and_changes_nothing(viewer: GraphViewer):
    viewer.paint({"layer1": 1.0})
    with pytest.raises(UnknownName, match="did you mean 'layer1/'"):
        viewer.paint({"layer1x": 1.0})
    with pytest.raises(MlnbError, match="a number for"):
        viewer.paint({"layer1": "high"})
    with pytest.raises(TypeError, match="expects a dictionary"):
        viewer.paint([1.0])
    assert viewer.painting["values"] == [1.0]


def test_what_json_cannot_hold_crosses_by_name(viewer: GraphViewer):
    viewer.paint({"layer1": math.nan, "layer2.conv": math.inf, "same": -math.inf, "x": 1})
    assert viewer.painting["values"] == ["NaN", "Infinity", "-Infinity", 1.0]
    json.dumps(viewer.painting, allow_nan=False)


def test_numpy_torch_and_pandas_bring_numbers(viewer: GraphViewer):
    numpy = pytest.importorskip("numpy")
    viewer.paint({"layer1": numpy.float32(0.5), "layer2.conv": numpy.array(2)})
    assert viewer.painting["values"] == [0.5, 2.0]
    pandas = pytest.importorskip("pandas")
    viewer.paint(pandas.Series({"layer1": 3, "same": 4}))
    assert viewer.painting["values"] == [3.0, 4.0]


def test_painting_again_sends_the_numbers_and_not_the_names(viewer: GraphViewer, monkeypatch):
    viewer.paint({"layer1": 1.0, "same": 2.0})
    sent: list[set[str]] = []
    monkeypatch.setattr(
        viewer,
        "send_state",
        lambda key=None: sent.append({key} if isinstance(key, str) else set(key)),
    )
    monkeypatch.setattr(type(viewer), "_should_send_property", lambda *_: True)
    viewer.paint({"layer1": 3.0, "same": 4.0})
    assert [names for names in sent if names] == [{"painting"}]


def test_none_takes_the_colours_away(viewer: GraphViewer):
    plain = viewer.static_html()
    viewer.paint({"layer1": 1.0}, label="cost")
    painted = viewer.static_html()
    assert painted != plain
    assert "cost" in painted
    assert "layer1: 1" in viewer.static_text()
    viewer.paint(None)
    assert (viewer.painted, viewer.painting) == ([], {})
    assert viewer.static_html() == plain


def test_the_saved_picture_is_renewed_once_when_the_cell_ends(viewer: GraphViewer, monkeypatch):
    class Shell:
        def __init__(self):
            self.events = self
            self.hooks: list = []

        def register(self, event: str, hook):
            assert event == "post_run_cell"
            self.hooks.append(hook)

        def unregister(self, _: str, hook):
            self.hooks.remove(hook)

    shell, shown = Shell(), []
    monkeypatch.setattr(graph_viewer, "get_ipython", lambda: shell)
    monkeypatch.setattr(base, "update_display", lambda b, **k: shown.append((b, k)))
    viewer.paint({"layer1": 1.0}, label="before it is shown")
    assert shell.hooks == []
    viewer._displayed = True
    viewer.paint({"layer1": 2.0}, label="cost")
    viewer.paint({"layer1": 3.0}, label="cost")
    assert len(shell.hooks) == 1
    shell.hooks[0](None)
    assert shell.hooks == []
    [(bundle, words)] = shown
    assert words == {"raw": True, "display_id": viewer.static_id}
    assert "layer1: 3" in bundle["text/plain"]
