"""TensorFlow files that were cut off, that lie, or that want to be expensive."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from models_made import tensorflow_models as made
from models_made.tensorflow_models import F, graph_def, node, placeholder

from mlnb.errors import LimitExceeded, MlnbError, ModelFormatError
from mlnb.formats.source import Source
from mlnb.formats.tensorflow.file import TensorFlowFile
from mlnb.formats.tensorflow.graphdef import GraphDefFile
from mlnb.formats.tensorflow.pbtxt import GraphDefTextFile
from mlnb.formats.tensorflow.saved_model import SavedModelFile
from mlnb.formats.wire import encode, encode_varint
from mlnb.limits import Limits

GOOD = [
    *((GraphDefFile, content) for content in made.good_graphdef()),
    *((SavedModelFile, content) for content in made.good_saved_model()),
    *((GraphDefTextFile, content) for content in made.good_pbtxt()),
]


def view(reader: type[TensorFlowFile], content: bytes) -> None:
    """All that looking at a model does, short of drawing it."""
    file = reader(Source.of(content))
    assert file.inputs is not None
    assert file.outputs is not None
    assert file.metadata is not None
    assert file.parts is not None
    assert file.dangers is not None
    assert repr(file.run_facts)
    for graph in (file.graph, *file.graph.subgraphs, file.cut_graph):
        for each in graph.nodes:
            assert repr(dict(each.attributes))
        for weight in graph.weights:
            read_tensor(file, weight.name)


def read_tensor(file: TensorFlowFile, name: str) -> None:
    try:
        file.tensor(name)
    except MlnbError as error:
        assert str(error)  # noqa: PT017


def broken(content: bytes, count: int) -> Iterator[bytes]:
    """The content with bytes changed, left out or doubled."""
    chance = random.Random(content)
    for _ in range(count):
        changed = bytearray(content)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(changed) or 1)
            kind = chance.random()
            if kind < 0.7 and changed:
                changed[at] = chance.randrange(256)
            elif kind < 0.85:
                del changed[at : at + chance.randint(1, 20)]
            else:
                changed[at:at] = changed[: chance.randint(1, 30)]
        yield bytes(changed)


@pytest.mark.parametrize(("reader", "content"), GOOD, ids=lambda one: getattr(one, "__name__", ""))
def test_mutants_and_truncations_end_in_a_graph_or_in_our_error(
    reader: type[TensorFlowFile], content: bytes
) -> None:
    view(reader, content)
    step = len(content) / 200
    slowest = 0.0
    failed = 0
    for changed in (*(content[: int(i * step)] for i in range(200)), *broken(content, 800)):
        start = time.monotonic()
        try:
            view(reader, changed)
        except MlnbError as error:
            assert str(error)  # noqa: PT017
            failed += 1
        slowest = max(slowest, time.monotonic() - start)
    assert slowest < 1
    assert failed > 500


def test_a_graph_cut_off_inside_a_node_says_at_which_byte() -> None:
    content = made.classifier()
    with pytest.raises(ModelFormatError, match=r"GraphDef: .* at byte [\d,]+ of 300"):
        GraphDefFile(Source.of(content[:300]))


def test_a_broken_node_behind_a_large_weight_is_found_at_its_byte() -> None:
    import numpy as np

    weight = encode(1, made.const("w", np.zeros(100_000, np.float32)))
    bad = encode(1, encode(1, b"y") + b"\x12\x70Relu")
    with pytest.raises(ModelFormatError, match=rf"at byte {len(weight) + 5:,} of"):
        GraphDefFile(Source.of(weight + bad))


@pytest.mark.parametrize("length", [2**31, 2**62, 2**64 - 1])
def test_a_declared_length_beyond_the_file_is_not_believed(length: int) -> None:
    for field in (1, 2, 4):
        content = encode_varint(field << 3 | 2) + encode_varint(length) + b"abc"
        with pytest.raises(ModelFormatError, match="at byte 0 of"):
            GraphDefFile(Source.of(content))


def test_an_empty_file_is_no_graph() -> None:
    with pytest.raises(ModelFormatError, match="it holds no node"):
        GraphDefFile(Source.of(b""))
    with pytest.raises(ModelFormatError, match="it is empty"):
        SavedModelFile(Source.of(b""))
    with pytest.raises(ModelFormatError, match="it holds no graph"):
        SavedModelFile(Source.of(b"\x08\x01"))


def test_a_tensor_that_promises_more_than_it_stores_allocates_nothing() -> None:
    proto = made.number(1, 1) + encode(2, made.shape_proto((2**20, 2**20))) + encode(4, bytes(4))
    huge = node("w", "Const", value=encode(8, proto), dtype=F)
    file = GraphDefFile(Source.of(graph_def([huge])))
    assert file.graph.value("w").nbytes == 2**42
    with pytest.raises(LimitExceeded, match="tensor_bytes"):
        file.tensor("w")


def test_a_shape_of_ten_thousand_dimensions_is_shown_as_what_it_is() -> None:
    sizes = (1,) * 10_000
    content = graph_def([node("x", "Relu", T=F, shape=made.shape(sizes))])
    attributes = GraphDefFile(Source.of(content)).graph.nodes[0].attributes
    assert "rank is 1,001, the limit is 1,000" in attributes["shape"]


@pytest.mark.parametrize(
    ("cap", "limits"),
    [
        ("nodes", Limits(nodes=3)),
        ("values", Limits(values=5)),
        ("structure_bytes", Limits(structure_bytes=200)),
    ],
)
def test_every_cap_holds_and_names_itself(cap: str, limits: Limits) -> None:
    with pytest.raises(LimitExceeded, match=rf"{cap} is .*Limits\({cap}="):
        GraphDefFile(Source.of(made.classifier()), limits)


def test_functions_that_call_each_other_twice_each_do_not_unfold() -> None:
    functions = []
    for i in range(60):
        calls = [
            node(f"c{k}", "PartitionedCall", "x", f=made.function(f"f{i + 1}")) for k in (0, 1)
        ]
        functions.append(made.function_def(f"f{i}", {"x": "float32"}, {"y": "c0:output:0"}, calls))
    nodes = [placeholder("x", "float32", ()), node("y", "f0", "x")]
    file = GraphDefFile(Source.of(graph_def(nodes, functions)))
    assert len(file.graph.subgraphs) == 60


def test_a_chain_of_three_thousand_functions_does_not_touch_pythons_stack() -> None:
    functions = [
        made.function_def(f"f{i}", {"x": "float32"}, {"y": "c:z:0"}, [node("c", f"f{i + 1}", "x")])
        for i in range(3_000)
    ]
    nodes = [placeholder("x", "float32", ()), node("y", "f0", "x")]
    file = GraphDefFile(Source.of(graph_def(nodes, functions)))
    assert len(file.graph.subgraphs) == 3_000
    assert not file.dangers


def test_names_of_control_characters_arrive_as_they_are_and_are_told_visibly() -> None:
    file = GraphDefFile(Source.of(graph_def([node("a\x1b[31m\u202e", "ReadFile")])))
    assert file.graph.nodes[0].name == "a\x1b[31m\u202e"
    assert "\x1b" not in file.graph.warnings[0]
    assert "\u202e" not in file.graph.warnings[0]
