"""safetensors against its own library, headers that lie, and models in several files."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models_made import weights_models
from models_made.weights_models import safetensors

from mlnb.errors import LimitExceeded, MlnbError, ModelFormatError, UnknownName
from mlnb.formats import open_model_file
from mlnb.formats.weights.safetensors import SafetensorsFile
from mlnb.formats.weights.shards import ShardedSafetensorsFile
from mlnb.limits import Limits

DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"]
DTYPES += ["bool", "uint16", "uint32", "uint64", "complex64", "float8_e4m3fn", "float8_e5m2"]


def test_every_dtype_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.torch")
    path = tmp_path / "all.safetensors"
    made = {name: torch.arange(6).reshape(2, 3).to(getattr(torch, name)) for name in DTYPES}
    made |= {"scalar": torch.tensor(1.5), "empty": torch.zeros(0, 3)}
    library.save_file(made, path, metadata={"author": "me"})
    file = open_model_file(path)
    assert isinstance(file, SafetensorsFile)
    assert file.metadata == {"author": "me"}
    theirs = library.load_file(path)
    assert {tensor.name for tensor in file.tensors} == set(theirs)
    for value in file.tensors:
        tensor = theirs[value.name]
        assert value.dtype == str(tensor.dtype).removeprefix("torch.")
        assert value.shape == tuple(tensor.shape)
        assert value.nbytes == tensor.numel() * tensor.element_size()
        flat = tensor.contiguous().reshape(-1).view(torch.uint8)
        assert file.tensor(value.name).tobytes() == flat.numpy().tobytes()


def test_tensors_by_hand_are_read_and_unknown_ones_name_the_closest() -> None:
    file = open_model_file(weights_models.two_tensors())
    np.testing.assert_array_equal(file.tensor("layer.bias"), [7, 8])
    with pytest.raises(UnknownName, match=r"did you mean 'layer\.bias'"):
        file.tensor("layer.bia")
    assert "safetensors.torch.load_file(path)" in file.advice


def one(**changed: Any) -> bytes:
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changed}
    return safetensors({"a": entry}, bytes(8))


def row(start: int, stop: int) -> dict[str, Any]:
    return {"dtype": "U8", "shape": [stop - start], "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (one(data_offsets=[0, 800]), "bytes 0 to 800 of 8"),
        (one(data_offsets=[8, 0]), "bytes 8 to 0"),
        (one(data_offsets=[-8, 0]), "whole numbers"),
        (one(data_offsets=[0]), "whole numbers"),
        (one(shape=[3]), r"has 8 bytes; F32 \[3\] has 12"),
        (one(shape=[2**61, 2**61, 2**61]), "has 8 bytes"),
        (one(shape=[-2]), "whole numbers"),
        (one(shape="x"), "whole numbers"),
        (one(dtype="F31"), "dtype F31"),
        (one(dtype=7), "dtype 7"),
        (safetensors({"a": []}, bytes(8)), "is no object"),
        (safetensors([1]), "cannot be read"),
        (safetensors(b'{"a": 1, "a": 2}'), "'a' stands there twice"),
        (safetensors(b"{" + b" " * 50), "no JSON"),
        (safetensors({"a": row(0, 6), "b": row(4, 8)}, bytes(8)), "overlaps"),
        (safetensors({"a": row(0, 2), "b": row(4, 8)}, bytes(8)), "leaves a gap"),
        (safetensors({"a": row(0, 4)}, bytes(8)), "belong to no tensor"),
        (safetensors({"__metadata__": [1]}), "__metadata__ is no object"),
    ],
)
def test_headers_that_lie_are_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ModelFormatError, match=reason):
        open_model_file(content)


def test_a_header_that_nests_deeply_does_not_touch_pythons_stack() -> None:
    content = safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    with pytest.raises(ModelFormatError, match=r"nests too deeply|is no object"):
        open_model_file(content)


def test_a_file_cut_off_anywhere_is_an_error() -> None:
    content = weights_models.two_tensors()
    for cut in range(len(content)):
        with pytest.raises(ModelFormatError):
            open_model_file(content[:cut])


def test_bytes_changed_at_random_end_in_a_table_or_in_our_error() -> None:
    chance = random.Random(0)
    for _ in range(1_000):
        content = bytearray(weights_models.two_tensors())
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            file = open_model_file(bytes(content))
            for name in file.graph.values:
                file.tensor(name)
        except MlnbError as error:
            assert str(error)  # noqa: PT017


def test_caps_are_named() -> None:
    with pytest.raises(LimitExceeded, match="structure_bytes"):
        open_model_file(weights_models.two_tensors(), Limits(structure_bytes=10))
    with pytest.raises(LimitExceeded, match="values is 2, the limit is 1"):
        open_model_file(weights_models.two_tensors(), Limits(values=1))
    file = open_model_file(weights_models.two_tensors(), Limits(tensor_bytes=10))
    with pytest.raises(LimitExceeded, match="tensor_bytes"):
        file.tensor("layer.weight")


def sharded(folder: Path, places: dict[str, str] | None = None) -> Path:
    for number, name in ((1, "a"), (2, "b")):
        content = safetensors({name: row(0, 4)}, bytes([number] * 4))
        (folder / f"model-{number}.safetensors").write_bytes(content)
    index = folder / "model.safetensors.index.json"
    places = places or {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    index.write_text(json.dumps({"metadata": {"total_size": 8}, "weight_map": places}))
    return index


def test_a_model_in_several_files_is_one_table(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    for path in (index, tmp_path):
        file = open_model_file(path)
        assert isinstance(file, ShardedSafetensorsFile)
        assert [tensor.name for tensor in file.tensors] == ["a", "b"]
        np.testing.assert_array_equal(file.tensor("b"), [2, 2, 2, 2])
        assert [part.exists for part in file.parts] == [True, True]
        assert file.metadata["total_size"] == "8"


def test_a_missing_shard_is_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    (tmp_path / "model-2.safetensors").unlink()
    file = open_model_file(index)
    assert file.metadata["missing"] == "'model-2.safetensors'"
    assert "model-2.safetensors" in file.graph.warnings[0]
    assert [(t.name, t.shape) for t in file.tensors] == [("a", (4,)), ("b", None)]
    with pytest.raises(ModelFormatError, match=r"'model-2\.safetensors', which is missing"):
        file.tensor("b")


@pytest.mark.parametrize("name", ["../other.safetensors", "/etc/passwd", "", ".", "a/b"])
def test_a_shard_outside_of_the_folder_is_not_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.safetensors").write_bytes(safetensors({"a": row(0, 4)}, bytes(4)))
    folder = tmp_path / "model"
    folder.mkdir()
    file = open_model_file(sharded(folder, {"a": name}))
    assert [part.exists for part in file.parts] == [False]


def test_a_shard_without_its_tensor_is_refused(tmp_path: Path) -> None:
    index = sharded(tmp_path, {"c": "model-1.safetensors"})
    with pytest.raises(ModelFormatError, match=r"'model-1\.safetensors' lacks 1 tensor.*'c'"):
        open_model_file(index)


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"weight_map": 1}', '{"weight_map": {"a": 1}}', '{"weight_map": {', ""]
)
def test_an_index_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(text)
    with pytest.raises(ModelFormatError):
        open_model_file(index)
