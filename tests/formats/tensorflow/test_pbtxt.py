"""TensorFlow graphs written as text."""

from __future__ import annotations

import time

import pytest
from models_made import tensorflow_models as made

from mlnb.errors import LimitExceeded, ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.source import Source
from mlnb.formats.tensorflow.pbtxt import GraphDefTextFile, looks
from mlnb.limits import Limits

TEXT = made.CLASSIFIER_TEXT


def read(text: bytes, limits: Limits | None = None) -> GraphDefTextFile:
    return GraphDefTextFile(Source.of(text), limits or Limits())


def test_a_graph_as_text_is_a_graph_like_any_other() -> None:
    file = open_model_file(TEXT)
    assert type(file) is GraphDefTextFile
    assert file.format == "TensorFlow GraphDef"
    assert str(file.inputs) == "TensorSpecs(x: float32 [?, 2])"
    assert file.outputs.names == ["y"]
    assert file.tensor("scale").tolist() == [1, 2]
    assert file.run_facts["text"] is True
    assert file.metadata["graph version"] == "1395"


def test_the_text_says_the_very_bytes_that_protobuf_writes() -> None:
    written = b'node { name: "a" op: "Const" device: "\\303\\274\\n\\x41\\"" input: "^b" }'
    node = made.encode(1, b"a") + made.encode(2, b"Const") + made.encode(4, b'\xc3\xbc\nA"')
    assert read(written).content.content == made.encode(1, node + made.encode(3, b"^b"))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("i: -5", -5),
        ("i: 0x10", 16),
        ("i: 010", 8),
        ("f: 1e-3", pytest.approx(1e-3)),
        ("f: 2.5f", 2.5),
        ("f: inf", float("inf")),
        ("f: -inf", float("-inf")),
        ("b: true", True),
        ("type: DT_INT64", "int64"),
        ("type: DT_FLOAT_REF", "float32"),
        ("type: 9", "int64"),
        ("list { i: [1, 2, 3] }", (1, 2, 3)),
        ("list { type: DT_FLOAT type: DT_STRING }", ("float32", "string")),
        ("s: 'a' \"b\"", "ab"),
        ("func { name: 'go' }", "go"),
        ("shape { unknown_rank: true }", None),
        ("placeholder: 'T'", "@T"),
    ],
)
def test_values_read_as_in_a_binary_file(written: str, value: object) -> None:
    text = f'node {{ name: "n" op: "Foo" attr {{ key: "k" value {{ {written} }} }} }}'
    assert read(text.encode()).graph.nodes[0].attributes["k"] == value


def test_fields_that_are_not_known_are_passed_over() -> None:
    text = b"""node { name: "n" op: "Foo" experimental_debug_info { original: ["a", "b"] }
      new_thing: [ { x: 1 }, { y: -2.5 } ] [some.extension/x] { z: ENUM } }"""
    assert read(text).graph.nodes[0].name == "n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'node {\n name: "n"\n', "it is cut off: a bracket is not closed, in line 3"),
        (b'node {\n name: "n\n}', "no text of protobuf, in line 2"),
        (b"node {\n attr { value {\n i: x } } }", "'x' is no value for this field, in line 3"),
        (b"node { name: 5 }", "expected text"),
        (b"node { attr: 5 }", "expected a message"),
        (b"node { : }", "expected the name of a field, found ':'"),
        (b"node { name: }", "expected a value, found '}'"),
        (b"node { [a", "it is cut off in a name"),
        (b"node { name: [", "expected a value"),
    ],
)
def test_what_is_broken_is_told_with_its_line(text: bytes, told: str) -> None:
    with pytest.raises(ModelFormatError, match=f"GraphDef: .*{told}"):
        read(text)


def test_depth_and_length_are_capped() -> None:
    with pytest.raises(LimitExceeded, match="depth"):
        read(b"node { new " + b"{ x " * 50_000)
    with pytest.raises(LimitExceeded, match="structure_bytes"):
        read(TEXT, Limits(structure_bytes=100))


def test_a_long_text_takes_time_by_its_length() -> None:
    node = b'node { name: "n" op: "Foo" input: "x" attr { key: "T" value { type: DT_INT32 } } }\n'
    start = time.monotonic()
    assert len(read(node * 5_000).graph.nodes) == 5_000
    assert time.monotonic() - start < 5
    for bomb in (b"node { name: " + b'"a" ' * 50_000 + b"}", b"#" * 10**6, b"node" + b" " * 10**6):
        start = time.monotonic()
        with pytest.raises(ModelFormatError):
            read(bomb + b"!")
        assert time.monotonic() - start < 2


def test_text_is_told_by_its_first_field() -> None:
    assert looks(b"# comment\n\nnode {", Source.of(b""))
    assert looks(b"\xef\xbb\xbfversions {", Source.of(b""))
    assert not looks(b"nodes and edges", Source.of(b""))
    assert not looks(b'name: "net"\nlayer {', Source.of(b""))
