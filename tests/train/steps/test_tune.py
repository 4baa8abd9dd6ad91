"""Tuning measures, says what it picked, and leaves everything as it was."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mlnb.train.steps import tune as module
from mlnb.train.steps.precision import Precision
from mlnb.train.steps.tune import Tuned, tune

CPU = torch.device("cpu")


def pictures() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 2)
    )


SAMPLE = torch.randn(4, 3, 8, 8), torch.zeros(4, dtype=torch.int64)


def test_weights_buffers_and_random_state_stay() -> None:
    model = pictures().eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    strides = [parameter.stride() for parameter in model.parameters()]
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    tuned = tune(model, F.cross_entropy, SAMPLE, CPU, seconds=0.05)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert [parameter.stride() for parameter in model.parameters()] == strides
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert np.array_equal(np.random.get_state()[1], states[2])
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert list(tuned.milliseconds) == [
        "fp32",
        "fp32, channels last",
        "bf16",
        "bf16, channels last",
    ]


def test_it_says_what_it_picked_and_what_each_takes() -> None:
    tuned = tune(
        nn.Linear(4, 2), F.cross_entropy, (torch.ones(2, 4), SAMPLE[1][:2]), CPU, seconds=0
    )
    assert list(tuned.milliseconds) == ["fp32", "bf16"]
    assert repr(tuned).startswith(f"tune: {tuned.precision.name} (fp32 ")
    assert tuned.precision.said == f"precision: {tuned.precision.name} (as tuned)"


def test_bf16_has_to_gain_five_percent() -> None:
    choices = {"fp32": Precision("fp32"), "bf16": Precision("bf16")}
    assert module._best({"fp32": 1.0, "bf16": 0.97}, choices).name == "fp32"
    assert module._best({"fp32": 1.0, "bf16": 0.90}, choices).name == "bf16"


def test_what_does_not_work_in_bf16_is_left_out_and_said() -> None:
    class Picky(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if torch.is_autocast_enabled("cpu"):
                raise RuntimeError("no bfloat16 kernel")
            return super().forward(x)

    tuned = tune(Picky(4, 2), F.cross_entropy, (torch.ones(2, 4), SAMPLE[1][:2]), CPU, seconds=0)
    assert tuned.precision.name == "fp32"
    assert tuned.failed == {"bf16": "no bfloat16 kernel"}
    assert "bf16 does not work here" in tuned.said


def test_a_fault_of_the_model_itself_is_raised() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        tune(nn.Linear(5, 2), F.cross_entropy, (torch.ones(2, 4), SAMPLE[1][:2]), CPU)


def test_the_result_is_data() -> None:
    assert Tuned(Precision("fp32"), {"fp32": 1.5}).said == "tune: fp32 (fp32 1.5 ms a step)"
