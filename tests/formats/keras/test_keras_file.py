"""`.keras` archives: inputs, outputs, graph and weights, and what is not loaded."""

from __future__ import annotations

import copy
import io
import json
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from models_made import keras_models as made

from mlnb.errors import LimitExceeded, MlnbError, ModelFormatError, ModelRunError, UnknownName
from mlnb.formats import open_model_file
from mlnb.formats.keras.graph import build
from mlnb.formats.keras.keras_file import KerasFile
from mlnb.limits import LIMITS, Limits

pytest.importorskip("h5py")


def test_a_row_of_layers_has_its_input_and_its_output() -> None:
    file = open_model_file(made.keras_zip(made.row_of_two(), made.row_weights()))
    assert isinstance(file, KerasFile)
    assert [(s.name, s.dtype, s.shape) for s in file.inputs] == [
        ("pixels", "float32", (None, 4, 4))
    ]
    assert [(s.name, s.dtype, s.shape) for s in file.outputs] == [("scores", "float32", (None, 2))]
    assert file.metadata["producer"] == "Keras 3.15.1"


@pytest.mark.parametrize("packed", [False, True])
def test_a_layer_reads_its_weights_behind_its_data(packed: bool) -> None:
    weights = made.row_weights()
    file = open_model_file(made.keras_zip(made.row_of_two(), weights, packed=packed))
    flat, hidden, scores = file.graph.nodes
    assert (flat.op, flat.inputs, flat.outputs) == ("Flatten", ("pixels",), ("flat",))
    assert hidden.inputs == ("flat", "hidden/kernel", "hidden/bias")
    assert scores.inputs == ("hidden", "scores/kernel", "scores/bias")
    assert file.graph.value("flat").shape == (None, 16)
    assert file.graph.value("scores/kernel").nbytes == 24
    assert hidden.attributes["units"] == 3
    assert not file.graph.warnings
    ours = file.tensor("scores/kernel")
    np.testing.assert_array_equal(ours, weights["layers/dense_1/vars/0"])
    with pytest.raises(UnknownName, match="scores/kernel"):
        file.tensor("scores/kernal")


def test_a_file_on_disk_is_read_in_windows(tmp_path: Path) -> None:
    path = tmp_path / "row.keras"
    path.write_bytes(made.keras_zip(made.row_of_two(), made.row_weights()))
    assert open_model_file(path).tensor("hidden/bias").shape == (3,)


def test_shared_layers_are_called_again_and_nested_models_have_a_body() -> None:
    file = open_model_file(made.keras_zip(made.branching()))
    assert file.inputs.names == ["a", "b"]
    assert [(s.name, s.shape) for s in file.outputs] == [("total", (None, 3)), ("code", (None, 5))]
    by_name = {node.name: node for node in file.graph.nodes}
    assert by_name["shared"].inputs == ("a",)
    assert by_name["shared@2"].inputs == ("b",)
    assert by_name["inner"].inputs == ("shared@2",)
    assert by_name["sum"].inputs == ("shared", "shared@2")
    body = by_name["inner"].subgraphs["body"]
    assert body.inputs == ("inner/inner_in",)
    assert [node.name for node in body.nodes] == ["inner/deep"]


def test_a_cut_ends_at_an_inner_layer() -> None:
    file = open_model_file(made.keras_zip(made.row_of_two(), made.row_weights()))
    cut = file.cut(None, ["hidden"])
    assert [(s.name, s.shape) for s in cut.outputs] == [("hidden", (None, 3))]
    assert [node.name for node in cut.graph.nodes] == ["flat", "hidden"]
    assert "scores/kernel" not in cut.graph.values
    assert file.outputs.names == ["scores"]
    with pytest.raises(UnknownName, match="hidden"):
        file.cut(None, ["hiden"])
    with pytest.raises(ModelRunError, match="outputs only"):
        file.cut(["hidden"], ["scores"])


def test_a_cut_gives_its_outputs_in_the_order_that_was_asked_for() -> None:
    file = open_model_file(made.keras_zip(made.branching()))
    for wanted in (
        ["total", "code", "shared", "shared@2"],
        ["shared@2", "shared", "code", "total"],
    ):
        assert list(file.cut(None, wanted).graph.outputs) == wanted


def lambda_layer() -> dict[str, object]:
    function = {"class_name": "__lambda__", "config": {"code": "4wEAAAAA"}}
    return made.entry("Lambda", "twice", function=function)


@pytest.mark.parametrize(
    ("layer", "op", "why"),
    [
        (lambda_layer(), "Lambda", "contains code, not loaded"),
        (
            made.dense("twice", 2) | {"config": {"name": "twice", "activation": {
                "class_name": "__lambda__", "config": {"value": "4wEAAAAA"}}}},
            "__lambda__",
            "contains code, not loaded",
        ),
        (
            made.entry("Twice", "twice", "mine.layers") | {"registered_name": "mine>Twice"},
            "mine>Twice",
            "a class that is not Keras's own, not loaded",
        ),
        (
            made.entry("Thing", "twice", "os"),
            "Thing",
            "a class that is not Keras's own, not loaded",
        ),
    ],
)  # fmt: skip
def test_what_needs_code_is_named_and_shown_and_not_loaded(
    layer: object, op: str, why: str
) -> None:
    row = made.sequential([made.input_layer("x", [None, 2]), layer, made.dense("y", 1)])
    file = open_model_file(made.keras_zip(row))
    assert [(one.op, one.node, one.why) for one in file.dangers] == [(op, "twice", why)] or (
        [one.node for one in file.dangers] == ["twice"] and file.dangers[0].why == why
    )
    assert [node.danger for node in file.graph.nodes] == [why, ""]
    assert f"twice ({file.dangers[0].op}): {why}" in file.graph.warnings
    assert not file.allows_io


def test_functions_of_keras_2_are_drawn_as_what_they_call() -> None:
    old = made.entry("TFOpLambda", "tf.math.add", function="math.add")
    del old["module"]
    row = made.sequential([made.input_layer("x", [None, 2]), old])
    file = open_model_file(made.keras_zip(row))
    assert [node.op for node in file.graph.nodes] == ["math.add"]
    assert not file.dangers
    refused = file.run_facts["refused"]
    assert refused == [["TFOpLambda", "tf.math.add", refused[0][2]]]


def test_a_class_that_makes_its_own_layers_is_one_node_without_ends() -> None:
    config = made.entry("Mine", "mine", "user.code") | {"registered_name": "Mine"}
    file = open_model_file(made.keras_zip(config, {"dense/vars/0": np.zeros((2, 3))}))
    assert (file.inputs.names, file.outputs.names) == ([], [])
    assert [node.op for node in file.graph.nodes] == ["Mine"]
    assert [value.shape for value in file.graph.weights] == [(2, 3)]


def test_weights_that_cannot_be_read_leave_the_layers_to_look_at() -> None:
    broken = {"model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(100)}
    file = open_model_file(made.keras_zip(made.row_of_two(), members=broken))
    assert len(file.graph.nodes) == 3
    assert any("weights cannot be shown" in one for one in file.graph.warnings)


@pytest.mark.parametrize("text", ["", "nope", "[]", '"x"', "null", '{"class_name": 3}', "{}"])
def test_a_config_that_is_none_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(ModelFormatError, match=r"config\.json"):
        open_model_file(made.keras_zip(text))


def test_a_config_that_nests_without_end_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        open_model_file(made.keras_zip("[" * 500_000))
    deep = made.row_of_two()
    for i in range(120):
        deep = made.sequential([deep], f"s{i}")
    with pytest.raises(LimitExceeded):
        open_model_file(made.keras_zip(deep))


def test_a_config_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = made.keras_zip(" " * (70 * 2**20), packed=True)
    assert len(bomb) < 100_000
    with pytest.raises(LimitExceeded):
        open_model_file(bomb)


def test_more_layers_than_allowed_are_refused() -> None:
    row = made.sequential(
        [made.input_layer("x", [None, 1]), *(made.dense(f"d{i}", 1) for i in range(9))]
    )
    with pytest.raises(LimitExceeded, match="nodes"):
        open_model_file(made.keras_zip(row), Limits(nodes=5))


def test_layers_in_a_circle_are_drawn_with_a_warning() -> None:
    layers = [
        made.called(made.input_layer("x", [None, 2])),
        made.called(made.dense("a", 2), [made.tensor("b", [None, 2])]),
        made.called(made.dense("b", 2), [made.tensor("a", [None, 2])]),
    ]
    file = open_model_file(made.keras_zip(made.functional(layers, ["x", 0, 0], ["b", 0, 0])))
    assert len(file.graph.nodes) == 2
    assert file.graph.warnings


@pytest.mark.parametrize("seed", range(4))
def test_configs_changed_at_random_end_in_a_graph_or_in_our_error(seed: int) -> None:
    chance = random.Random(seed)
    values = [None, 0, -1, 2**70, 1.5, "", "x", [], {}, [[]], True, [None, 3], ["inner", 5, 10**9]]
    for _ in range(150):
        config = copy.deepcopy(chance.choice([made.row_of_two(), made.branching(), made.old_row()]))
        for _ in range(chance.randint(1, 3)):
            change(config, chance, values)
        try:
            build(config, "config", LIMITS)
        except MlnbError as error:
            assert str(error)  # noqa: PT017


def change(config: object, chance: random.Random, values: list[object]) -> None:
    while isinstance(config, dict | list) and config:
        key = chance.choice(list(config) if isinstance(config, dict) else range(len(config)))
        if chance.random() < 0.3:
            config[key] = copy.deepcopy(chance.choice(values))  # type: ignore[index]
            return
        config = config[key]  # type: ignore[index]


@pytest.mark.parametrize("seed", range(4))
def test_bytes_changed_at_random_end_in_a_graph_or_in_our_error(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        content = bytearray(chance.choice(made.good_keras()[:2]))
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            open_model_file(bytes(content)).graph  # noqa: B018
        except MlnbError as error:
            assert str(error)  # noqa: PT017


def test_a_zip_with_a_config_alone_is_no_keras_model() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("config.json", json.dumps(made.row_of_two()))
    with pytest.raises(ModelFormatError):
        open_model_file(out.getvalue())


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"config": {}}'])
def test_a_config_that_is_none_is_told_as_kerass_whatever_the_file_is_called(
    text: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "thing.onnx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", text)
        archive.writestr("metadata.json", "{}")
    with pytest.raises(
        ModelFormatError, match=r"^thing\.onnx cannot be read as Keras: config\.json "
    ):
        open_model_file(path)
