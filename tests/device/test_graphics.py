"""GPUs as their driver tells of them, whatever it tells."""

from __future__ import annotations

import subprocess

import pytest

from mlnb.device import graphics
from mlnb.device.graphics import gpus
from mlnb.errors import MlnbError


def test_a_gpu_has_a_name_memory_a_capability_and_a_driver(nvidia_smi):
    nvidia_smi("echo '0, NVIDIA H200, 143000, 143771, 570.86.15, 9.0'")
    (gpu,) = gpus()
    assert (gpu.name, gpu.model, gpu.capability) == ("GPU 0", "NVIDIA H200", (9, 0))
    assert (gpu.free, gpu.total) == (143000 * 2**20, 143771 * 2**20)
    assert gpu.facts == ("compute capability 9.0", "driver 570.86.15")


def test_several_keep_their_order_and_empty_lines_are_none(nvidia_smi):
    nvidia_smi("printf '0, A, 1, 2, 570.1, 8.0\\n\\n1, B, 1, 2, 570.1, 12.0\\n'")
    assert [(gpu.model, gpu.capability) for gpu in gpus()] == [("A", (8, 0)), ("B", (12, 0))]


def test_what_the_driver_does_not_tell_is_unknown(nvidia_smi):
    nvidia_smi("echo '0, NVIDIA A100, [N/A], [Insufficient Permissions], 535.1, [N/A]'")
    (gpu,) = gpus()
    assert (gpu.free, gpu.total, gpu.capability) == (None, None, None)
    assert gpu.facts == ("driver 535.1",)


def test_an_old_driver_that_knows_no_capability_is_asked_for_the_rest(nvidia_smi):
    nvidia_smi(
        'case "$1" in *compute_cap*) echo "Field compute_cap is not a valid field"; exit 2;; esac\n'
        "echo '0, Tesla K80, 11000, 11441, 390.1'"
    )
    (gpu,) = gpus()
    assert (gpu.model, gpu.facts) == ("Tesla K80", ("driver 390.1",))


def test_without_a_driver_there_are_none(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert gpus() == []


def test_a_driver_that_does_not_answer_says_why(nvidia_smi):
    nvidia_smi('echo "NVIDIA-SMI has failed because it couldn\'t communicate"; echo two; exit 9')
    with pytest.raises(MlnbError, match=r"^nvidia-smi says: NVIDIA-SMI has failed .*communicate$"):
        gpus()


def test_a_driver_that_hangs_is_left(nvidia_smi, monkeypatch):
    monkeypatch.setattr(graphics, "SECONDS", 0.2)
    nvidia_smi("exec sleep 20")
    with pytest.raises(subprocess.TimeoutExpired):
        gpus()


@pytest.mark.gpu
def test_the_gpu_of_this_machine_is_told():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    gpu = gpus()[0]
    assert gpu.model in torch.cuda.get_device_name(0)
    assert gpu.capability == torch.cuda.get_device_capability(0)
