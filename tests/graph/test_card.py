from __future__ import annotations

import re
from base64 import b64decode
from html.parser import HTMLParser

import pytest
from graph.made_graphs import EXPORTS, chain, export, light

from mlnb.graph.card import LARGEST, ROWS, card
from mlnb.graph.graph import Graph, Node
from mlnb.specs import TensorSpec

ONE = [TensorSpec("data", "float32", ("N", 3, 224, 224))]


class Tags(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_card_has_the_table_and_the_picture():
    html = card("net.onnx", "2 nodes", ONE, [TensorSpec("y", "int64", ())], chain("Conv", "Relu"))
    assert "net.onnx" in html
    assert "[N, 3, 224, 224]" in html
    assert "scalar" in html
    (uri,) = [attrs["src"] for tag, attrs in Tags(html).found if tag == "img"]
    assert b64decode(uri.removeprefix("data:image/svg+xml;base64,")).startswith(b"<svg ")


def test_what_an_untrusted_notebook_strips_is_not_in_it():
    tags = Tags(card("net.onnx", "", ONE, ONE, export("resnet18_dynamo"))).found
    allowed = {"p", "strong", "span", "table", "thead", "tbody", "tr", "th", "td", "img"}
    assert {tag for tag, _ in tags} <= allowed
    assert {name for _, attrs in tags for name in attrs} <= {"style", "src", "alt"}


@pytest.mark.parametrize("graph", [*map(export, EXPORTS), light("densenet121")], ids=repr)
def test_it_takes_at_most_60_kilobytes(graph):
    assert len(card("net.onnx", "facts", ONE, ONE, graph).encode()) <= LARGEST == 60_000


def test_a_thousand_inputs_of_long_names_still_take_at_most_60_kilobytes():
    specs = [TensorSpec("x" * 500 + str(i), "float32", (None,) * 900) for i in range(1_000)]
    nodes = tuple(Node("n" * 900, "O" * 900, (s.name,), (f"y{i}",)) for i, s in enumerate(specs))
    graph = Graph("g", nodes, tuple(s.name for s in specs), tuple(f"y{i}" for i in range(1_000)))
    html = card("n" * 9_000, "f" * 9_000, specs, specs, graph)
    assert len(html.encode()) <= LARGEST
    assert f"and {1_000 - ROWS} more" in html


def test_strings_of_strangers_are_no_markup():
    evil = '"><img src=x onerror=alert(1)>\u202e'
    spec = TensorSpec(evil, evil, (evil,), kind="sequence")
    html = card(evil, evil, [spec], [spec], chain("Relu"))
    assert [tag for tag, _ in Tags(html).found].count("img") == 1
    assert "\u202e" not in html
    assert not re.search(r"onerror=(?!alert)", html)
    assert all("onerror" not in attrs for _, attrs in Tags(html).found)


def test_a_sequence_says_that_it_is_one():
    html = card("m", "", [TensorSpec("s", "float32", None, "sequence")], [], chain("Relu"))
    assert "sequence of float32" in html
    assert "unknown shape" in html


def test_a_model_without_nodes_is_a_table_only():
    assert "<img" not in card("m", "", ONE, ONE, Graph("g", ()))
