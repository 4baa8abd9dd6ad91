"""Real TFLite models, read as LiteRT reads them, and other projects' broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from models_made import tflite_models as made
from models_made.litert_says import litert_says

from mlnb.errors import ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.model_file import ModelFile
from mlnb.formats.tflite.file import TfliteFile
from mlnb.specs import TensorSpec, TensorSpecs

pytest.importorskip("ai_edge_litert")


def check(file: ModelFile, said: dict) -> None:
    """Our reading of a file against LiteRT's."""
    for ours, theirs in ((file.inputs, said["inputs"]), (file.outputs, said["outputs"])):
        assert len(ours) == len(theirs)
        for spec, detail in zip(ours, theirs, strict=True):
            assert detail["name"] in (spec.name.partition("#")[0], "")
            assert spec.dtype == detail["dtype"]
            assert list(spec.shape or ()) == detail["shape"]
            scale = list(spec.quantization.scale) if spec.quantization else []
            assert scale == pytest.approx(detail["scale"])
            if spec.quantization:
                assert list(spec.quantization.zero_point) == detail["zero_point"]
    assert [node.op for node in file.graph.nodes] == said["ops"]
    assert sorted(file.signatures) == said["signatures"]
    values = {name.partition("#")[0] for name in file.graph.values}
    assert values <= {*said["tensors"], *(f"tensor_{i}" for i in range(len(said["tensors"])))}


def test_every_real_model_is_read_as_litert_reads_it(mlnb_data: Path) -> None:
    paths = sorted((mlnb_data / "models" / "tflite").glob("*.tflite"))
    assert len(paths) == 4
    for path, said in zip(paths, litert_says(*paths), strict=True):
        check(open_model_file(path), said)


def test_every_made_model_is_read_as_litert_reads_it(tmp_path: Path) -> None:
    contents = (
        made.add(),
        made.quantised(),
        made.per_axis(),
        made.strings(),
        made.text_constant(),
        made.loop(),
        made.signatures(),
        made.alike(),
        made.left_out(),
        made.initialised(),
        made.counting(),
        made.outside(),
        made.described(),
    )
    paths = [tmp_path / f"{i}.tflite" for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    for path, said in zip(paths, litert_says(*paths), strict=True):
        check(open_model_file(path), said)


def test_the_detector_has_its_operator_its_metadata_and_its_labels(mlnb_data: Path) -> None:
    file = open_model_file(mlnb_data / "models/tflite/coco_ssd_mobilenet_v1_quant.tflite")
    last = file.graph.nodes[-1]
    assert (last.op, last.domain) == ("TFLite_Detection_PostProcess", "custom")
    assert [spec.shape for spec in file.outputs] == [None] * 4
    assert file.metadata["name"] == "Coco SSD MobileNetV1"
    assert "normalized: mean 127.5, std 127.5" in file.metadata["input image"]
    assert len(file.labels) == 90
    assert file.labels[17] == "dog"


def test_the_movie_reviews_have_their_ends(mlnb_data: Path) -> None:
    file = open_model_file(mlnb_data / "models/tflite/movie_review.tflite")
    assert file.inputs == TensorSpecs([TensorSpec("input_3", "int32", (1, 256))])
    assert file.outputs == TensorSpecs([TensorSpec("Identity", "float32", (1, 2))])
    assert file.metadata["min_runtime_version"] == "1.6.0"


def test_all_broken_models_are_clear_errors(mlnb_data: Path) -> None:
    folder = mlnb_data / "malformed" / "tflite"
    reasons = {
        "0_subgraphs.bin": "it has no subgraph",
        "empty_model.bin": "its graph is empty",
        "invalid_model.bin": "a text file",
        "test_model_broken.bin": "at byte",
    }
    for name, reason in reasons.items():
        with pytest.raises(ModelFormatError, match=reason):
            open_model_file(folder / name)
    assert {path.name for path in folder.iterdir()} == {*reasons, "model_invoking_error.tflite"}
    file = open_model_file(folder / "model_invoking_error.tflite")
    assert isinstance(file, TfliteFile)
    assert [node.op for node in file.graph.nodes] == ["fake-op-double"]
