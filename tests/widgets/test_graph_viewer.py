"""`GraphViewer`: selection and focus, weights, shapes that arrive later, the size of its state."""

from __future__ import annotations

import gzip
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets as t

from mlnb.errors import MlnbError, UnknownName
from mlnb.graph.fold import Group
from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.svg import picture
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.widgets.graph_viewer import GraphViewer, lacks_shapes, marked_nodes


@pytest.fixture
def viewer(graph: Graph) -> GraphViewer:
    return GraphViewer(graph)


@pytest.fixture
def sent(monkeypatch) -> list[Any]:
    messages: list[Any] = []
    monkeypatch.setattr(GraphViewer, "send", lambda self, m, buffers=None: messages.append(m))
    return messages


def wait_until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_a_graph_alone_is_shown_without_an_io_card(viewer, graph: Graph):
    assert (viewer.title, viewer.facts, viewer.rows, viewer.feed) == ("made", "8 nodes", [], "")
    assert not viewer.readable
    assert viewer.height == 460
    assert repr(viewer) == "GraphViewer('made', 8 nodes)"
    assert json.loads(gzip.decompress(viewer.payload))["graphs"][0]["name"] == "made"


def test_a_model_brings_its_inputs_outputs_and_feed(model):
    viewer = GraphViewer(model, height=300)
    assert [row["name"] for row in viewer.rows] == ["x", "y"]
    assert viewer.feed == model.feed_code
    assert viewer.title == "net.onnx"
    assert viewer.readable
    assert viewer.height == 300
    assert viewer.static_text().splitlines()[1].split() == ["in", "x", "float32", "[N,", "4]"]


def test_without_io_the_graph_stands_alone_live_and_saved(model):
    viewer = GraphViewer(model, io=False)
    assert (viewer.rows, viewer.feed) == ([], "")
    assert viewer.readable
    assert "<table" not in viewer.static_html()
    assert "<table" in GraphViewer(model).static_html()


@pytest.mark.parametrize("wrong", [None, "net.onnx", 3])
def test_something_else_is_refused(wrong):
    with pytest.raises(TypeError, match=r"expects a Model, a network, a Graph, or .* received"):
        GraphViewer(wrong)


def test_a_network_is_shown_by_its_graph():
    pytest.importorskip("torch")
    from mlnb.networks.sequential import Sequential

    viewer = GraphViewer(Sequential(6).dense(8, "relu").dense(2))
    assert viewer.node is None
    viewer.focus("dense_2")
    assert viewer.node.scope == ("dense_2",)


def test_wrong_arguments_are_refused(graph: Graph):
    with pytest.raises(TypeError, match="did you mean 'height'"):
        GraphViewer(graph, hight=3)
    with pytest.raises(t.TraitError):
        GraphViewer(graph, height=-1)


def test_a_selection_gives_the_node_or_the_group(viewer, graph: Graph):
    assert viewer.node is None
    viewer.selected = "layer1.conv"
    assert viewer.node is graph.nodes[0]
    viewer.selected = "layer1/"
    assert isinstance(viewer.node, Group)
    viewer.selected = "in:x"
    assert viewer.node is None


def test_an_unknown_selection_is_refused_with_the_closest(viewer):
    viewer.selected = "layer1"
    assert viewer.selected == "layer1/"
    with pytest.raises(UnknownName, match=r"did you mean 'layer1\.conv'"):
        viewer.selected = "layer1.conw"
    assert viewer.selected == "layer1/"


def test_an_unknown_selection_from_the_front_end_is_answered_not_thrown(viewer, sent):
    viewer.set_state({"selected": "in:x"})
    viewer.set_state({"selected": "nobody"})
    assert viewer.selected == "in:x"
    assert [m["kind"] for m in sent] == ["error"]


def test_focus_selects_and_tells_the_front_end(viewer, sent):
    viewer.focus("layer1")
    assert viewer.selected == "layer1/"
    assert sent == [{"kind": "focus", "id": "layer1/"}]
    with pytest.raises(UnknownName):
        viewer.focus("layer9")


def test_a_weight_is_read_when_asked(model, sent):
    viewer = GraphViewer(model)
    viewer._handle_custom_msg({"kind": "tensor", "request": 7, "graph": 0, "value": "x_w"}, [])
    (answer,) = sent
    assert (answer["kind"], answer["request"], answer["name"]) == ("tensor", 7, "x_w")
    assert (answer["dtype"], answer["shape"]) == ("float32", "[4]")
    assert (answer["stats"]["minimum"], answer["stats"]["maximum"]) == (1, 4)
    assert answer["slice"] == "[:] of 4 values\n1  2  3  4"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"graph": 0, "value": "x_v"}, "did you mean 'x_w'"),
        ({"graph": 5, "value": "x_w"}, "no graph '5'"),
        ({"graph": "0", "value": "x_w"}, "no graph '0'"),
        ({"value": "x_w"}, "KeyError"),
        ({"graph": 0, "value": {"$": 1}}, "no tensor"),
    ],
)
def test_a_weight_that_is_not_there_is_answered(model, sent, message, said: str):
    GraphViewer(model)._handle_custom_msg({"kind": "tensor", "request": 8} | message, [])
    assert [(m["kind"], m["request"]) for m in sent] == [("error", 8)]
    assert said in sent[0]["message"]


def test_a_graph_alone_has_no_weights_to_read(viewer, sent):
    viewer._handle_custom_msg({"kind": "tensor", "request": 1, "graph": 0, "value": "w1"}, [])
    assert "open it on the model" in sent[0]["message"]


def test_missing_shapes_arrive_after_the_first_picture(model):
    viewer, other = GraphViewer(model), GraphViewer(model)
    before = viewer.payload
    assert lacks_shapes(model.graph)
    viewer._handle_custom_msg({"kind": "ready"}, [])
    other._handle_custom_msg({"kind": "ready"}, [])
    wait_until(lambda: viewer.status == other.status == "" and viewer.payload != before)
    assert not lacks_shapes(model.graph)
    assert other.payload == viewer.payload


def test_shapes_are_inferred_once_and_beside_the_caller(model, monkeypatch):
    calls, go = [], threading.Event()

    def infer(self, timeout=60.0):
        calls.append(threading.current_thread())
        return not go.wait(10)

    monkeypatch.setattr(Model, "infer_shapes", infer)
    viewer = GraphViewer(model)
    viewer._handle_custom_msg({"kind": "ready"}, [])
    viewer._handle_custom_msg({"kind": "ready"}, [])
    GraphViewer(model)._handle_custom_msg({"kind": "ready"}, [])
    assert viewer.status == "inferring shapes…"
    go.set()
    wait_until(lambda: viewer.status == "")
    assert len(calls) == 1
    assert calls[0] is not threading.current_thread()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MlnbError("the child died\ntrace"), "no shapes: the child died"),
        (ValueError("bug"), "no shapes: ValueError: bug"),
    ],
)
def test_an_error_in_inference_is_a_muted_line(model, monkeypatch, capsys, error, said: str):
    def infer(self, timeout=60.0):
        raise error

    monkeypatch.setattr(Model, "infer_shapes", infer)
    viewer = GraphViewer(model)
    viewer._handle_custom_msg({"kind": "ready"}, [])
    wait_until(lambda: viewer.status == said)
    assert capsys.readouterr() == ("", "")


def test_a_graph_that_has_its_shapes_asks_for_none(monkeypatch, model):
    monkeypatch.setattr("mlnb.widgets.graph_viewer.lacks_shapes", lambda graph: False)
    viewer = GraphViewer(model)
    viewer._handle_custom_msg({"kind": "ready"}, [])
    assert viewer.status == ""


def test_what_a_stranger_named_is_never_markup():
    evil = "<img src=x onerror=alert(1)>\u202e"
    graph = Graph(evil, (Node(evil, evil, (evil,), (evil,)),), (evil,), (evil,))
    viewer = GraphViewer(graph)
    assert "<img src=x" not in viewer.static_html()
    assert "\u202e" not in viewer.title + repr(viewer) + viewer.static_text()


@pytest.mark.parametrize("exported", [False, True])
def test_the_state_of_a_model_of_5000_nodes_is_at_most_100_kb(exported: bool):
    """As a saved notebook holds it: JSON, buffers in base64, without the widget's code."""
    skeleton = Path(__file__).parents[1] / "skeletons" / "swin_t_torchscript.onnx.gz"
    made = load_model(gzip.decompress(skeleton.read_bytes())) if exported else encoder(layers=500)
    viewer = GraphViewer(made)
    state = viewer._get_embed_state()
    for key in ("_esm", "_css"):
        del state["state"][key]
    assert len(viewer._graph.nodes) >= 5000
    assert len(json.dumps(state)) <= 100_000


def encoder(layers: int) -> Graph:
    """Blocks of ten nodes in scopes, with weights and shapes, as torch exports them."""
    nodes, values, last = [], {}, "x"
    for layer in range(layers):
        scope = ("encoder", f"layer.{layer}")
        for step, op in enumerate(["MatMul", "Add", "Reshape", "Transpose", "Softmax"] * 2):
            path = f"/encoder/layer.{layer}/step_{step}"
            out, weight = f"{path}/{op}_output_0", f"encoder.layer.{layer}.step_{step}.weight"
            values[weight] = Value(weight, "float32", (768, 768 + step), True, 2359296)
            values[out] = Value(out, "float32", ("batch", 197, 768 + step))
            read = (last, weight) if op in ("MatMul", "Add") else (last,)
            nodes.append(Node(f"{path}/{op}", op, read, (out,), scope=scope))
            last = out
    return Graph("encoder", tuple(nodes), ("x",), (last,), values)


def test_the_picture_that_stays_is_small_and_bears_no_script(model):
    for viewer in (GraphViewer(model), GraphViewer(encoder(100))):
        page = viewer.static_html()
        assert len(page) <= 60_000
        assert "<script" not in page
        assert "data:image/svg+xml;base64," in page


def test_numbers_that_are_not_finite_reach_the_front_end_as_json(model, monkeypatch, sent):
    monkeypatch.setattr(Model, "tensor", lambda self, name: np.array([np.nan, np.inf]))
    viewer = GraphViewer(model)
    viewer._handle_custom_msg({"kind": "tensor", "request": 1, "graph": 0, "value": "x_w"}, [])
    json.dumps(sent, allow_nan=False)
    assert sent[0]["stats"]["minimum"] is None


def test_what_is_marked_is_drawn_as_new_live_and_saved():
    names = ("a", "block/b", "block/c", "other/d")
    flow = ("in", *names)
    nodes = [
        Node(name, "Relu", (flow[at],), (name,), scope=tuple(name.split("/")))
        for at, name in enumerate(names)
    ]
    values = {name: Value(name, "float32", ("N", 4)) for name in flow}
    graph = Graph("made", tuple(nodes), ("in",), (names[-1],), values, {("block",): "Sequential"})
    plain, marked = GraphViewer(graph), GraphViewer(graph, marked=["a", "block"])
    assert plain.marked == []
    assert {"a", "block/b", "block/c", "block/"} <= set(marked.marked)
    assert not [one for one in marked.marked if one.startswith("other")]
    assert len(marked.static_html()) > len(plain.static_html())
    assert picture(graph, 40, marked_nodes(graph, ["a", "block"])).count('class="n"') == 3
    assert 'class="n"' not in picture(graph)
