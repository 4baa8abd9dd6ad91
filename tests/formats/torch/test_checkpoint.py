"""Checkpoints of PyTorch, old and new, held against what PyTorch itself loads."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models_made import weights_models
from torch import nn

from mlnb.errors import LimitExceeded, ModelFormatError, UnknownName
from mlnb.formats import WeightsFile, open_model_file
from mlnb.formats.torch.layouts import torchvision_name
from mlnb.graph.graph import Value
from mlnb.limits import Limits

PLAIN = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
PLAIN += ["complex64", "complex128", "uint16", "uint32", "uint64"]
OTHERS = ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]


def opened(content: bytes | Path) -> WeightsFile:
    file = open_model_file(content)
    assert isinstance(file, WeightsFile)
    return file


def tensors_in(value: Any, path: str = "") -> dict[str, torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return {path: value}
    items = value.items() if isinstance(value, dict) else []
    items = enumerate(value) if isinstance(value, list | tuple) else items
    found: dict[str, torch.Tensor] = {}
    for key, item in items:
        found.update(tensors_in(item, f"{path}.{key}" if path else str(key)))
    return found


def check_against_torch(content: bytes | Path) -> None:
    source = content if isinstance(content, Path) else io.BytesIO(content)
    theirs = tensors_in(torch.load(source, weights_only=True, map_location="cpu"))
    file = opened(content)
    assert [tensor.name for tensor in file.tensors] == list(theirs)
    for ours, (name, tensor) in zip(file.tensors, theirs.items(), strict=True):
        assert ours.dtype == str(tensor.dtype).removeprefix("torch.")
        assert ours.shape == tuple(tensor.shape)
        assert ours.nbytes == tensor.numel() * tensor.element_size()
        array = file.tensor(name)
        same = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        assert array.tobytes() == same, name


@pytest.mark.parametrize("write", [weights_models.saved, weights_models.legacy])
def test_every_dtype_is_read_as_torch_reads_it(write: Any) -> None:
    torch.manual_seed(0)
    made = {}
    for name in [*PLAIN, *OTHERS]:
        made[name] = (torch.randn(3, 4) * 5).abs().to(getattr(torch, name))
    if write is weights_models.legacy:  # old files know no storage of these
        made = {name: made[name] for name in made if name in PLAIN[:11] or name == "bfloat16"}
    check_against_torch(write(made))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("write", [weights_models.saved, weights_models.legacy])
def test_views_strides_and_odd_shapes_are_read_as_torch_reads_them(
    write: Any, protocol: int
) -> None:
    base = torch.arange(24.0).reshape(4, 6)
    made = {
        "transposed": base.t(),
        "column": base[:, 2],
        "steps": base[1::2, ::3],
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "spread": torch.tensor([1.0, 2.0]).expand(3, 2).clone(),
    }
    if protocol == 2:
        check_against_torch(write(made))
    file = opened(write(made, pickle_protocol=protocol))
    for name, tensor in made.items():
        np.testing.assert_array_equal(file.tensor(name), tensor.numpy())


def test_nested_dicts_give_paths_and_plain_values(tmp_path: Path) -> None:
    path = tmp_path / "last.pth"
    path.write_bytes(weights_models.saved(weights_models.training_state()))
    file = opened(path)
    check_against_torch(path)
    names = [tensor.name for tensor in file.tensors]
    assert "state_dict.head.weight" in names
    assert "optimizer.state.0.exp_avg" in names
    assert file.metadata["epoch"] == "3"
    assert file.metadata["classes"] == "[cat, dog]"
    assert file.metadata["optimizer.param_groups.0.lr"] == "0.01"
    assert 'torch.load(path, weights_only=True)["state_dict"]' in file.advice


def test_the_real_checkpoints_are_read_as_torch_reads_them(mlnb_data: Path) -> None:
    folder = mlnb_data / "models"
    files = [*(folder / "torch").iterdir(), *(folder / "derived").glob("*.pth")]
    assert len(files) >= 4
    for path in files:
        check_against_torch(path)


def test_weights_of_torchvision_are_known_by_their_names_and_shapes(mlnb_data: Path) -> None:
    derived = mlnb_data / "models" / "derived"
    file = opened(derived / "mobilenet_v2_torchvision_from_int8.pth")
    assert 'mlnb.networks.backbone("mobilenet_v2", weights=path)' in file.advice
    assert "squeezenet1_1" in opened(derived / "squeezenet1_1_torchvision.pth").advice


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_the_table_of_layouts_is_that_of_torchvision(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        state = models.get_model(name, weights=None).state_dict()
    values = [Value(key, "float32", tuple(t.shape), True, 0) for key, t in state.items()]
    assert torchvision_name(values) == name
    wrapped = [Value(f"state_dict.module.{v.name}", v.dtype, v.shape, True, 0) for v in values]
    assert torchvision_name([*wrapped, Value("optimizer.state.0", shape=(3,))]) == name
    assert torchvision_name(values[1:]) is None


def test_a_whole_module_gives_its_tensors_and_the_code_it_would_run() -> None:
    module = weights_models.net()
    for write in (weights_models.saved, weights_models.legacy):
        file = opened(write(module))
        state = module.state_dict()
        assert {tensor.name for tensor in file.tensors} == set(state)
        for name, tensor in state.items():
            np.testing.assert_array_equal(file.tensor(name), tensor.numpy())
        assert "weights_models.Net" in file.metadata["saved as"]
        assert "torch.nn.modules.conv.Conv2d" in file.metadata["code, not loaded"]
        assert "would run code" in file.graph.warnings[0]
        assert "runs nothing of it" in file.advice
        assert "torch.load" not in file.advice


def test_tied_weights_count_once_and_are_said() -> None:
    embedding = nn.Embedding(10, 4).weight
    made = {"embed": embedding, "head": embedding, "own": torch.zeros(3), "part": embedding[2:5]}
    for write in (weights_models.saved, weights_models.legacy):
        file = opened(write(made))
        assert dict(file.ties) == {"head": "embed", "part": "embed"}
        np.testing.assert_array_equal(file.tensor("part"), embedding[2:5].detach().numpy())


def test_parts_of_one_storage_that_do_not_overlap_are_not_tied() -> None:
    base = torch.arange(10.0)
    file = opened(weights_models.saved({"a": base[:4], "b": base[4:]}))
    assert not file.ties


def test_a_repacked_checkpoint_is_read_too() -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(weights_models.saved({"w": torch.arange(5)}))) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    np.testing.assert_array_equal(opened(buffer.getvalue()).tensor("w"), np.arange(5))


def test_large_bytes_first_are_turned_round() -> None:
    content = weights_models.saved({"w": torch.tensor([1.5, 2.5]), "c": torch.tensor([1 + 2j])})
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("/byteorder"):
                data = b"big"
            if "/data/" in name:
                data = np.frombuffer(data, ">f4").astype("<f4").tobytes()
            new.writestr(name, data)
    file = opened(buffer.getvalue())
    np.testing.assert_array_equal(file.tensor("w"), [1.5, 2.5])
    np.testing.assert_array_equal(file.tensor("c"), [1 + 2j])


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantised_conjugated_and_meta_tensors_are_what_they_are() -> None:
    made = {
        "q": torch.quantize_per_tensor(torch.tensor([0.0, 1.0]), 0.5, 3, torch.qint8),
        "conj": torch.tensor([1 + 2j]).conj(),
        "meta": torch.zeros(2, 3, device="meta"),
        "parameter": nn.Parameter(torch.ones(2)),
    }
    file = opened(weights_models.saved(made))
    values = {tensor.name: tensor for tensor in file.tensors}
    assert values["q"].dtype == "qint8"
    np.testing.assert_array_equal(file.tensor("q"), made["q"].int_repr().numpy())
    np.testing.assert_array_equal(file.tensor("conj"), [1 - 2j])
    assert values["meta"].nbytes == 0
    with pytest.raises(ModelFormatError, match="without its values"):
        file.tensor("meta")


def test_a_tensor_that_is_not_there_names_the_closest() -> None:
    file = opened(weights_models.saved(weights_models.net().state_dict()))
    with pytest.raises(UnknownName, match=r"did you mean 'head\.weight'"):
        file.tensor("head.wieght")


def test_a_tensor_over_the_limit_is_not_read() -> None:
    content = weights_models.saved({"w": torch.zeros(1000)})
    with pytest.raises(LimitExceeded, match="tensor_bytes is 4,000"):
        open_model_file(content, Limits(tensor_bytes=100)).tensor("w")


@pytest.mark.slow
def test_a_checkpoint_of_100_000_tensors_reads() -> None:
    made = {f"layer{i // 10}.{i % 10}.weight": torch.zeros(1) for i in range(100_000)}
    file = opened(weights_models.saved(made))
    assert len(file.tensors) == 100_000
    assert not file.ties
