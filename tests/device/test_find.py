"""Which device a word stands for, and what is said where it is not there."""

from __future__ import annotations

import re

import pytest
import torch

from mlnb.device import describe_device, find_device, free_memory, why_not
from mlnb.errors import TrainError, UnknownName


def _refuse(text: str):
    def init() -> None:
        raise RuntimeError(text)

    return init


def _there(patch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    patch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    patch.setattr(torch.cuda, "device_count", lambda: cuda)
    patch.setattr(torch.backends.cuda, "is_built", lambda: True)
    patch.setattr(torch.cuda, "init", _refuse("CUDA unknown error"))
    patch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_auto_takes_cuda_then_mps_then_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    _there(monkeypatch, cuda=1, mps=True)
    assert find_device("auto") == torch.device("cuda")
    _there(monkeypatch, mps=True)
    assert find_device() == torch.device("mps")
    _there(monkeypatch)
    assert find_device() == torch.device("cpu")


def test_a_device_that_is_not_there_is_an_error_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _there(monkeypatch)
    with pytest.raises(TrainError, match=r'"cuda" is not there: torch finds no NVIDIA GPU.*cpu'):
        find_device("cuda")
    with pytest.raises(TrainError, match="mps"):
        find_device("mps")


def test_a_gpu_beyond_the_last_one_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    _there(monkeypatch, cuda=2)
    assert find_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(TrainError, match="there are 2 GPUs, counted from 0"):
        find_device("cuda:2")


def test_a_build_without_cuda_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    assert "CPUs only" in why_not(torch.device("cuda"))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Found no NVIDIA driver on your system. Please check …", "there is no NVIDIA driver"),
        (
            "The NVIDIA driver on your system is too old (found version 11040). Please update …",
            r"too old: it knows CUDA 11\.4, and torch was built for CUDA 13\.0; update the driver",
        ),
        ("No CUDA GPUs are available", "CUDA_VISIBLE_DEVICES='7' hides every GPU"),
        ("Unexpected error … Error 802: system not yet initialized", "Error 802: system not yet"),
        ("\x1b[31m something else", "no NVIDIA GPU with a driver that it can use$"),
        ("", "no NVIDIA GPU with a driver that it can use$"),
    ],
)
def test_why_there_is_no_cuda_is_what_torch_says_in_fewer_words(
    monkeypatch: pytest.MonkeyPatch, said: str, why: str
) -> None:
    _there(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "init", _refuse(said) if said else lambda: None)
    assert re.search(why, why_not(torch.device("cuda")))


@pytest.mark.parametrize("word", ["gpu", "cdua", "", "xla", "cuda:x", "meta"])
def test_an_unknown_device_lists_those_there_are(word: str) -> None:
    with pytest.raises(UnknownName, match="auto, cuda, mps, cpu"):
        find_device(word)


def test_a_torch_device_is_taken_as_it_is() -> None:
    assert find_device(torch.device("cpu")) == torch.device("cpu")


def test_the_cpu_is_described_and_shares_its_memory() -> None:
    assert describe_device(torch.device("cpu")) == "cpu"
    assert free_memory(torch.device("cpu")) is None


@pytest.mark.gpu
def test_a_gpu_tells_its_name_and_its_free_memory() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    device = find_device("cuda")
    assert "GB)" in describe_device(device)
    assert (free_memory(device) or 0) > 0
