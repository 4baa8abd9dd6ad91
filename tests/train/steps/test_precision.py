"""Which precision and layout a model gets, and that asking for what is not there is an error."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mlnb.errors import TrainError, UnknownName
from mlnb.train.steps import precision
from mlnb.train.steps.precision import (
    Precision,
    autocast,
    choose,
    grad_scaler,
    is_convolutional,
    lay_out,
    pictures_last,
)

CPU = torch.device("cpu")
CUDA = torch.device("cuda")
PICTURES = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten())


def test_a_cpu_trains_in_fp32_and_pictures_lie_channels_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "has_amx", lambda: False)
    assert choose("auto", nn.Linear(2, 2), CPU) == Precision("fp32", False, "precision: fp32")
    chosen = choose("auto", PICTURES, CPU)
    assert chosen.said == "precision: fp32, channels last"
    assert chosen.channels_last


def test_amx_makes_convolutions_bf16_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_amx", lambda: True)
    chosen = choose("auto", PICTURES, CPU)
    assert chosen.name == "bf16"
    assert "AMX" in chosen.said
    assert choose("auto", nn.Linear(2, 2), CPU).name == "fp32"
    assert choose("auto", nn.GRU(2, 2), CPU).name == "fp32"
    assert choose("auto", nn.Sequential(PICTURES, nn.GRU(2, 2)), CPU).name == "fp32"
    assert choose("fp32", PICTURES, CPU).name == "fp32"


@pytest.mark.parametrize(("capability", "name"), [((7, 5), "fp32"), ((8, 0), "bf16")])
def test_a_gpu_trains_in_bf16_where_it_has_it(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], name: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: capability >= (8, 0))
    chosen = choose("auto", nn.Linear(2, 2), CUDA)
    assert chosen.name == name
    assert ("TF32" in chosen.said) == (name == "bf16")


def test_a_gpu_without_bf16_says_so_and_names_fp16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    with pytest.raises(TrainError, match='precision="fp16"'):
        choose("bf16", nn.Linear(2, 2), CUDA)


def test_an_unknown_precision_lists_those_there_are() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'bf16'.*auto, fp32, bf16, fp16"):
        choose("bfloat16", nn.Linear(2, 2), CPU)


def test_a_layout_that_was_measured_is_taken() -> None:
    assert not choose("fp32", PICTURES, CPU, channels_last=False).channels_last


def test_weights_change_their_layout_and_not_their_values() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 4, 2), nn.Linear(2, 2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    parameters = [id(parameter) for parameter in model.parameters()]
    lay_out(model, True)
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert [id(parameter) for parameter in model.parameters()] == parameters
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    lay_out(model, False)
    assert model[0].weight.is_contiguous()


def test_only_pictures_are_laid_out() -> None:
    inputs = {"image": torch.zeros(2, 3, 4, 4), "mask": torch.zeros(2, 3, 4, 4, dtype=torch.bool)}
    laid = pictures_last((inputs, torch.zeros(2, 5)))
    assert laid[0]["image"].is_contiguous(memory_format=torch.channels_last)
    assert laid[0]["mask"] is inputs["mask"]


def test_convolutions_are_found_anywhere_inside() -> None:
    assert is_convolutional(nn.Sequential(nn.Sequential(PICTURES)))
    assert not is_convolutional(nn.Conv1d(1, 1, 1))


def test_autocast_and_scaler_follow_the_precision() -> None:
    layer = nn.Linear(2, 2)
    x = torch.ones(1, 2)
    for name, dtype in {
        "fp32": torch.float32,
        "bf16": torch.bfloat16,
        "fp16": torch.float16,
    }.items():
        with autocast(CPU, name):
            assert layer(x).dtype == dtype
        assert (grad_scaler(CPU, name) is not None) == (name == "fp16")
