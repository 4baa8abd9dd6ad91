"""TFLite files that were cut off, that lie, or that want to be expensive."""

from __future__ import annotations

import time

import pytest
from models_made import tflite_models as made

from mlnb.errors import LimitExceeded, MlnbError, ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.source import Source
from mlnb.formats.tflite.file import TfliteFile, looks
from mlnb.limits import Limits


def look(content: bytes, limits: Limits | None = None) -> None:
    """All that a person looks at."""
    file = TfliteFile(Source.of(content), limits or Limits())
    for graph in (file.graph, *file.graph.subgraphs):
        for node in graph.nodes:
            dict(node.attributes)
    assert file.metadata is not None
    assert file.inputs is not None
    for weight in file.graph.weights:
        file.tensor(weight.name)
    assert file.labels is not None


def test_a_model_cut_off_at_any_byte_is_an_error_that_says_where() -> None:
    for content in (made.add(), made.loop()):
        for cut in range(8, len(content) - 16, 3):
            with pytest.raises(ModelFormatError, match=rf"at byte [\d,]+ of {cut:,}"):
                look(content[:cut])


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0\0\0\0TFL3", b"\x1c\0\0\0TFL3" + bytes(8)])
def test_what_only_begins_like_one_is_an_error(content: bytes) -> None:
    with pytest.raises(ModelFormatError):
        open_model_file(content)
    with pytest.raises(ModelFormatError):
        TfliteFile(Source.of(content))


def test_an_onnx_file_whose_producer_is_called_tfl3_is_none() -> None:
    content = b"\x08\x0a\x12\x04TFL3" + bytes(100)
    assert not looks(content[:100], Source.of(content))


def test_a_subgraph_that_calls_itself_is_drawn_with_a_warning() -> None:
    file = open_model_file(made.calling_itself())
    assert any("calls itself" in warning for warning in file.graph.warnings)
    assert len(file.graph.subgraphs) == 1


def test_numbers_that_lead_nowhere_are_errors_that_say_which() -> None:
    y = made.tensor("y")
    with pytest.raises(ModelFormatError, match="no subgraph 99 among 1"):
        look(made.calling_nothing())
    for tensor, node, match in (
        (made.tensor("x"), made.node(0, [0, 700], [1]), "no tensor 700 among 2"),
        (made.tensor("x"), made.node(0, [0, -2], [1]), "no tensor -2 among 2"),
        (made.tensor("x"), made.node(33, [0], [1]), "no operator code 33 among 1"),
        (made.tensor("x", buffer=9), made.node(0, [0], [1]), "no buffer 9 among 1"),
    ):
        with pytest.raises(ModelFormatError, match=match):
            look(made.model([made.RELU], [made.graph([tensor, y], [0], [1], [node], "")]))


def test_a_model_without_anything_in_it_is_an_error() -> None:
    with pytest.raises(ModelFormatError, match="no subgraph"):
        look(made.model([], []))
    with pytest.raises(ModelFormatError, match="graph is empty"):
        look(made.model([], [made.graph([], [], [], [], "")]))


def test_the_limits_hold_and_are_named() -> None:
    for cap, limits in (
        ("nodes", Limits(nodes=2)),
        ("values", Limits(values=10)),
        ("structure_bytes", Limits(structure_bytes=200)),
    ):
        with pytest.raises(LimitExceeded, match=cap):
            look(made.chain(30), limits)
    with pytest.raises(LimitExceeded, match="rank"):
        look(
            made.model([made.RELU], [made.graph([made.tensor("x", [1] * 40)], [0], [0], [], "")]),
            Limits(rank=20),
        )


def test_a_long_name_is_clipped_and_told() -> None:
    content = made.model(
        [made.RELU],
        [
            made.graph(
                [made.tensor("n" * 500), made.tensor("y")],
                [0],
                [1],
                [made.node(0, [0], [1])],
                "main",
            )
        ],
    )
    graph = TfliteFile(Source.of(content), Limits(name_length=100)).graph
    assert graph.inputs == ("n" * 100,)
    assert "1 name over 100 characters, clipped" in graph.warnings


def test_names_made_to_collide_stay_apart() -> None:
    names = ["y", "y", "y#1", "y#1#2", "tensor_4", ""]
    tensors = [made.tensor(name) for name in names]
    nodes = [made.node(0, [i], [i + 1]) for i in range(5)]
    graph = TfliteFile(
        Source.of(made.model([made.RELU], [made.graph(tensors, [0], [5], nodes, "")]))
    )
    assert len(graph.graph.values) == 6


def test_a_promise_of_more_strings_than_there_are_is_an_error() -> None:
    content = made.text_constant()
    at = content.index(b"\x03\0\0\0\x14\0\0\0")
    for count in (2, 2**31 - 1):
        spoiled = content[:at] + count.to_bytes(4, "little") + content[at + 4 :]
        with pytest.raises(ModelFormatError, match="3 strings"):
            TfliteFile(Source.of(spoiled)).tensor("vocabulary")


def test_two_thousand_mutants_end_in_a_graph_or_in_our_error() -> None:
    import random

    chance = random.Random(7)
    slowest = 0.0
    good = made.good_tflite()
    for _ in range(2_000):
        content = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] = chance.choice((0, 255, chance.randrange(256)))
        began = time.monotonic()
        try:
            look(bytes(content))
        except MlnbError as error:
            assert str(error)  # noqa: PT017
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 5
