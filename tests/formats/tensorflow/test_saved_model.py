"""SavedModel folders, as their saved_model.pb has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from models_made import tensorflow_models as made
from models_made.tensorflow_models import F, const, graph_def, node, placeholder, saved_model

from mlnb.errors import ModelFormatError, UnknownName
from mlnb.formats import open_model_file
from mlnb.formats.model_file import Part
from mlnb.formats.tensorflow.saved_model import SavedModelFile
from mlnb.specs import TensorSpec

X = ("x:0", "float32", (None,))
SERVE = {"serving_default": ({"a": X}, {"b": ("y:0", "float32", (None,))})}


def neg(*more: bytes, control: str = "") -> list[bytes]:
    controls = [control] if control else []
    return [placeholder("x", "float32", (None,)), node("y", "Neg", "x", *controls, T=F), *more]


def read(content: bytes) -> SavedModelFile:
    file = open_model_file(content)
    assert type(file) is SavedModelFile
    return file


def test_inputs_and_outputs_have_the_keys_of_the_signature() -> None:
    file = read(made.classifier_folder())
    assert list(file.inputs) == [TensorSpec("features", "float32", (None, 3))]
    assert list(file.outputs) == [TensorSpec("scores", "float32", (None, 2))]
    assert file.run_facts == {
        "inputs": {"features": "input"},
        "outputs": {"scores": "softmax2"},
        "tags": ["serve"],
        "signature": "serving_default",
    }
    assert file.metadata == {
        "producer": "TensorFlow 2.21.0",
        "tags": "serve",
        "signature": "serving_default",
        "method": "tensorflow/serving/predict",
    }


def test_the_graph_is_what_the_signature_runs() -> None:
    optimizer = [
        placeholder("label", "float32", (None,)),
        node("loss", "Sub", "y", "label", T=F),
        node("step", "NoOp", "^loss"),
    ]
    graph = read(saved_model(graph_def(neg(*optimizer)), SERVE)).graph
    assert [node.name for node in graph.nodes] == ["y"]
    assert (graph.inputs, graph.outputs) == (("x",), ("y",))
    assert graph.value("y").shape == (None,)


def test_a_signature_is_chosen_by_name() -> None:
    nodes = neg(node("z", "Exp", "x", T=F))
    signatures = {f"s{i:02}": ({"a": X}, {"b": ("z", "float32", None)}) for i in range(39)}
    file = read(saved_model(graph_def(nodes), {**signatures, **SERVE}))
    assert len(file.signatures) == 40
    assert file.signature == "serving_default"
    assert file.metadata["signatures"] == "40"
    other = file.with_signature("s07")
    assert (file.signature, other.signature) == ("serving_default", "s07")
    assert [node.op for node in other.graph.nodes] == ["Exp"]
    assert [node.op for node in file.graph.nodes] == ["Neg"]
    assert other.metadata["signature"] == "s07"
    with pytest.raises(UnknownName, match=r"no signature 's7'; did you mean 's\d7'\?"):
        file.with_signature("s7")


def test_without_serving_default_the_first_is_taken() -> None:
    ends = SERVE["serving_default"]
    assert read(saved_model(graph_def(neg()), {"b": ends, "a": ends})).signature == "a"


def test_what_starts_a_model_is_no_signature() -> None:
    file = read(saved_model(graph_def(neg(node("init", "NoOp"))), SERVE, start="init"))
    assert file.signatures == ("serving_default",)


def test_without_signatures_everything_is_shown_and_the_error_says_what_to_do() -> None:
    uncalled = made.function_def("call", {"x": "float32"}, {"y": "x"}, [])
    file = read(saved_model(graph_def(neg(), [uncalled]), {}))
    assert (len(file.inputs), len(file.outputs), file.signature) == (0, 0, None)
    assert [node.name for node in file.graph.nodes] == ["x", "y", "call"]
    assert set(file.graph.nodes[-1].subgraphs) == {"body"}
    with pytest.raises(ModelFormatError, match="saved without signatures="):
        file.with_signature("serving_default")
    cut = file.cut(["x"], ["y"])
    assert (cut.inputs.names, cut.outputs.names) == (["x"], ["y"])


def test_the_graph_for_serving_is_taken_whatever_its_place() -> None:
    meta = [made.meta_graph(graph_def(neg()), SERVE, tags) for tags in (["train"], ["serve"])]
    file = read(b"\x08\x01" + b"".join(made.encode(2, one) for one in meta))
    assert file.run_facts["tags"] == ["serve"]
    assert file.metadata["other tags"] == "train"
    only = read(saved_model(graph_def(neg()), SERVE, tags=["train", "gpu"]))
    assert only.run_facts["tags"] == ["train", "gpu"]


def test_a_folder_is_opened_and_its_files_are_named_and_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "assets").mkdir()
    variable = node("w", "VarHandleOp", dtype=F, shape=made.shape((2,)))
    (folder / "saved_model.pb").write_bytes(saved_model(graph_def(neg(variable)), SERVE))
    (folder / "assets" / "words.txt").write_text("dog\ncat\n")
    file = open_model_file(folder)
    assert file.path == folder
    data, index = (f"variables/variables.{end}" for end in ("data-00000-of-00001", "index"))
    assert file.parts == (
        Part("assets/words.txt", 8, True),
        Part(data, None, False),
        Part(index, None, False),
    )
    (folder / "variables" / "variables.index").write_bytes(b"1234")
    (folder / "variables" / "variables.data-00000-of-00001").symlink_to("/etc/passwd")
    found = {part.name: part.exists for part in open_model_file(folder).parts}
    assert found == {"assets/words.txt": True, index: True, data: False}


def test_a_broken_file_of_that_name_is_told_as_a_saved_model(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"<html>not found</html>")
    with pytest.raises(ModelFormatError, match="cannot be read as TensorFlow SavedModel"):
        open_model_file(tmp_path)


def test_a_saved_model_as_text_reads_the_same() -> None:
    text = b"""saved_model_schema_version: 1 meta_graphs {
      meta_info_def { tags: "serve" tensorflow_version: "1.15.0" }
      graph_def {
        node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }
        node { name: "y" op: "Neg" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
      }
      signature_def { key: "serving_default" value {
        inputs { key: "a" value { name: "x:0" dtype: DT_FLOAT tensor_shape { dim { size: -1 } } } }
        outputs { key: "b" value { name: "y:0" dtype: DT_FLOAT } }
        method_name: "predict" } } }"""
    file = read(text)
    assert list(file.inputs) == [TensorSpec("a", "float32", (None,))]
    assert file.run_facts["outputs"] == {"b": "y"}
    assert [node.op for node in file.graph.nodes] == ["Neg"]


def hostile(nodes: list[bytes], **more: str) -> list[str]:
    return [danger.op for danger in read(saved_model(graph_def(nodes), SERVE, **more)).dangers]


PATH = const("path", np.array(b"/etc/passwd", object))
WRITE = node("write", "WriteFile", "path", "path")


def test_saving_and_restoring_itself_is_no_danger() -> None:
    saver = [
        const("saver/Const", np.array(b"model", object)),
        node("save", "SaveV2", "saver/Const"),
        node("restored", "RestoreV2", "saver/Const"),
        node("restore_all", "NoOp", "^restored"),
    ]
    assert not hostile(neg(*saver), restore="restore_all")


def test_what_runs_while_the_model_is_opened_is_looked_through() -> None:
    assert hostile(neg(PATH, WRITE, node("go", "NoOp", "^write")), restore="go") == ["WriteFile"]
    assert hostile(neg(PATH, WRITE, node("go", "NoOp", "^write")), start="go") == ["WriteFile"]
    assert not hostile(neg(PATH, WRITE, node("go", "NoOp", "^write")))


def test_a_signature_that_restores_or_writes_is_a_danger() -> None:
    restore = node("restored", "RestoreV2", "path")
    assert hostile(neg(PATH, restore, control="^restored")) == ["RestoreV2"]
    assert hostile(neg(PATH, WRITE, control="^write"), restore="write") == ["WriteFile"]


def table(path: str) -> list[bytes]:
    return [
        const("words", np.array(b"words.txt", object)),
        PATH,
        node("table", "HashTableV2"),
        node("fill", "InitializeTableFromTextFileV2", "table", path),
        node("init", "NoOp", "^fill"),
    ]


def test_a_table_may_be_filled_from_the_models_own_assets_and_from_no_other_file() -> None:
    def dangers(path: str, file: str) -> int:
        content = graph_def(neg(*table(path)))
        assets = {"words:0": file}
        return len(read(saved_model(content, SERVE, start="init", assets=assets)).dangers)

    assert dangers("words", "words.txt") == 0
    assert dangers("path", "words.txt") == 1
    for escape in ("../words.txt", "/etc/passwd", "..", "", ".hidden", "a\\b", "c:words"):
        assert dangers("words", escape) == 1


def test_an_asset_that_comes_by_a_variable_counts_while_nobody_else_writes_it() -> None:
    def dangers(*more: bytes) -> int:
        nodes = [
            *table("read")[:2],
            node("handle", "VarHandleOp", shared_name=made.text(b"asset")),
            node("assign", "AssignVariableOp", "handle", "words"),
            node("read", "ReadVariableOp", "handle", "^assign"),
            *table("read")[2:],
        ]
        content = graph_def(neg(*nodes, *more))
        assets = {"words": "words.txt"}
        return len(read(saved_model(content, SERVE, start="init", assets=assets)).dangers)

    assert dangers() == 0
    assert dangers(node("again", "AssignVariableOp", "handle", "path")) == 1
    assert dangers(node("call", "PartitionedCall", "handle")) == 1
    assert dangers(node("twin", "VarHandleOp", shared_name=made.text(b"asset"))) == 1
