"""Files that were cut off, that lie, or that want to be expensive."""

from __future__ import annotations

import random
import time
from pathlib import Path

import onnx
import pytest
from models_made import onnx_models

from mlnb.errors import LimitExceeded, MlnbError, ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.wire import encode, encode_varint
from mlnb.limits import LIMITS, Limits

CONVNET = onnx_models.convnet()


def test_a_file_cut_off_at_any_of_200_bytes_is_an_error_that_says_where(tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    step = len(CONVNET) / 200
    for i in range(200):
        cut = int(i * step)
        path.write_bytes(CONVNET[:cut])
        with pytest.raises(ModelFormatError, match=rf"^cut\.onnx .* of {cut:,}\)?$"):
            open_model_file(path).graph  # noqa: B018


def test_a_small_model_cut_off_anywhere_is_an_error_or_whole() -> None:
    content = onnx_models.relu()
    whole = len(content) - len(b"\x42\x09\x0a\x05local\x10\x01")
    for cut in range(len(content)):
        if cut == whole:  # only the operator set of a domain that nothing uses is missing
            assert len(open_model_file(content[:cut]).graph.nodes) == 1
        else:
            with pytest.raises(ModelFormatError):
                open_model_file(content[:cut])


@pytest.mark.parametrize("seed", range(20))
def test_bytes_changed_at_random_end_in_a_graph_or_in_our_error(seed: int) -> None:
    chance = random.Random(seed)
    models = [CONVNET[:700], onnx_models.branches(), onnx_models.functions(), CONVNET]
    for _ in range(50):
        content = bytearray(chance.choice(models))
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            file = open_model_file(bytes(content))
            for graph in (file.graph, *file.graph.subgraphs):
                for node in graph.nodes:
                    dict(node.attributes)
            for weight in file.graph.weights:
                file.tensor(weight.name)
        except MlnbError as error:
            assert str(error)  # noqa: PT017


@pytest.mark.parametrize("length", [2**31, 2**62, 2**64 - 1])
@pytest.mark.parametrize("field", [2, 7, 8, 14, 25])
def test_a_declared_length_beyond_the_file_is_not_believed(field: int, length: int) -> None:
    content = b"\x08\x0a" + encode_varint(field << 3 | 2) + encode_varint(length) + b"abc"
    with pytest.raises(ModelFormatError, match="at byte 2 of"):
        open_model_file(content)


def test_a_broken_node_is_found_at_its_byte_in_the_file_behind_a_large_weight() -> None:
    loaded = onnx.load_from_string(CONVNET)
    weight = loaded.graph.initializer[0].SerializeToString()
    node = loaded.graph.node[1].SerializeToString()
    output = loaded.graph.output[0].SerializeToString()
    broken = node + b"\x22\x70\x00"
    graph = encode(5, weight) + encode(1, broken) + encode(12, output)
    content = b"\x08\x0a" + encode(7, graph) + b"\x42\x02\x10\x15"
    file = open_model_file(content)
    with pytest.raises(ModelFormatError, match=r"at byte ([\d,]+) of") as error:
        file.graph  # noqa: B018
    at = int(str(error.value).rpartition("at byte ")[2].partition(" ")[0].replace(",", ""))
    assert 0 <= at - content.index(broken) <= len(broken)


def deep_attributes(depth: int) -> bytes:
    graph = encode(1, b"")
    for _ in range(depth):
        graph = encode(1, encode(5, encode(6, graph)))
    return b"\x08\x0a" + encode(7, graph) + b"\x42\x02\x10\x15"


def test_a_depth_bomb_of_subgraphs_is_stopped_by_the_cap_that_it_names() -> None:
    assert open_model_file(onnx_models.nested_ifs(20)).graph.nodes
    with pytest.raises(LimitExceeded, match=r"depth is 10\d, the limit is 100; .*Limits\(depth="):
        open_model_file(deep_attributes(60)).graph  # noqa: B018
    allowed = open_model_file(deep_attributes(60), Limits(depth=300)).graph
    assert len(allowed.subgraphs) == 60


def test_a_depth_bomb_of_ten_thousand_messages_does_not_touch_pythons_stack() -> None:
    for limits in (LIMITS, Limits(depth=10**9)):
        with pytest.raises(LimitExceeded, match="depth"):
            open_model_file(deep_attributes(10_000), limits).graph  # noqa: B018


def test_a_depth_bomb_of_types_is_stopped() -> None:
    kind = b""
    for _ in range(5_000):
        kind = encode(4, encode(1, kind))
    graph = encode(1, encode(4, b"Relu")) + encode(11, encode(1, b"x") + encode(2, kind))
    content = b"\x08\x0a" + encode(7, graph) + b"\x42\x02\x10\x15"
    with pytest.raises(LimitExceeded, match="depth"):
        open_model_file(content)


@pytest.mark.parametrize(
    ("cap", "limits"),
    [
        ("nodes", Limits(nodes=4)),
        ("values", Limits(values=5)),
        ("structure_bytes", Limits(structure_bytes=300)),
        ("rank", Limits(rank=3)),
        ("depth", Limits(depth=1)),
    ],
)
def test_every_cap_is_named_with_the_way_to_raise_it(cap: str, limits: Limits) -> None:
    with pytest.raises(LimitExceeded, match=rf"{cap} is .*load_model\(path, limits=Limits\({cap}="):
        open_model_file(CONVNET, limits).graph  # noqa: B018
    assert open_model_file(CONVNET).graph.nodes


def test_a_million_empty_fields_take_no_time_worth_naming() -> None:
    started = time.perf_counter()
    with pytest.raises(ModelFormatError):
        open_model_file(b"\x0a\x00" * 1_000_000)
    assert time.perf_counter() - started < 1


def test_a_graph_in_two_pieces_is_one_graph_as_protobuf_has_it() -> None:
    model = onnx.load_from_string(CONVNET)
    first, second = onnx.ModelProto(), onnx.ModelProto()
    first.CopyFrom(model)
    del first.graph.node[2:]
    second.graph.node.extend(model.graph.node[2:])
    content = first.SerializeToString() + second.SerializeToString()
    assert len(onnx.load_from_string(content).graph.node) == 5
    assert [node.name for node in open_model_file(content).graph.nodes] == [
        node.name for node in model.graph.node
    ]
