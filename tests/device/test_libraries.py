"""What torch and onnxruntime can use, and the reason where they cannot."""

from __future__ import annotations

import sys
from importlib import metadata
from types import SimpleNamespace

import pytest

from mlnb.device import libraries
from mlnb.device.libraries import onnxruntime_library, torch_library
from mlnb.device.parts import Part

torch = pytest.importorskip("torch")

H200 = Part("GPU 0", "NVIDIA H200", 1, 2, (), (9, 0))


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch):
    """A torch that finds a GPU of capability 9.0 and was built for some."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(libraries, "why_not", lambda device: "")
    monkeypatch.setattr(libraries, "describe_device", lambda device: f"{device} (H200)")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (9, 0))

    def built(*archs: str) -> None:
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: list(archs))

    return built


def test_without_a_gpu_torch_uses_the_cpu_and_says_why_not_more(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(libraries, "why_not", lambda device: "there is no NVIDIA driver")
    told = torch_library([])
    assert told.version == torch.__version__
    assert told.uses[0].startswith(f"cpu ({torch.get_num_threads()} thread")
    assert told.lacks[0] == "no cuda: there is no NVIDIA driver"


def test_a_build_for_cpus_beside_a_gpu_names_the_gpu(monkeypatch):
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    (line,) = torch_library([H200]).lacks[:1]
    assert line.startswith(
        "no cuda: NVIDIA H200 is here, but this build of torch is for CPUs only;"
    )


@pytest.mark.parametrize(
    "archs", [(), ("sm_80", "sm_90a"), ("sm_80", "compute_80"), ("gfx942",), ("nonsense",)]
)
def test_a_gpu_that_the_build_has_code_for_is_used(cuda, archs):
    cuda(*archs)
    told = torch_library([H200])
    assert told.uses[1] == "cuda:0 (H200)"
    assert told.lacks == ()


@pytest.mark.parametrize("archs", [("sm_75", "sm_80"), ("sm_100", "compute_120")])
def test_a_gpu_that_the_build_has_no_code_for_is_told(cuda, archs):
    cuda(*archs)
    (line,) = torch_library([H200]).lacks
    assert line.startswith("no cuda:0: its compute capability is 9.0, and this build of torch is ")


def test_gpus_that_a_variable_hides_are_mentioned(cuda, monkeypatch):
    cuda("sm_90")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert torch_library([H200, H200]).lacks == ("CUDA_VISIBLE_DEVICES='0' hides the others",)


def test_what_is_not_installed_is_not_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "pip install 'mlnb[train]'" in torch_library([]).lacks[0]
    assert torch_library([]).version == ""
    assert "not installed" in onnxruntime_library([]).lacks[0]


# ---------------------------------------------------------------------------------- onnxruntime


@pytest.fixture
def ort(monkeypatch: pytest.MonkeyPatch):
    """An onnxruntime of these packages, with these providers."""

    def made(*providers: str, packages: tuple[str, ...] = ("onnxruntime",)) -> None:
        def version(name: str) -> str:
            if name in packages:
                return "1.24"
            raise metadata.PackageNotFoundError(name)

        names = [f"{name}ExecutionProvider" for name in providers]
        fake = SimpleNamespace(
            get_available_providers=lambda: names, __version__="1.24", __spec__=object()
        )
        monkeypatch.setitem(sys.modules, "onnxruntime", fake)
        monkeypatch.setattr(libraries.metadata, "version", version)

    return made


def test_the_real_one_uses_the_cpu():
    assert onnxruntime_library([]).uses[0] == "CPU"


def test_onnxruntime_for_cpus_beside_a_gpu_tells_the_remedy(ort):
    ort("Azure", "CPU")
    told = onnxruntime_library([H200])
    assert told.uses == ("CPU",)
    assert told.lacks[0].endswith("pip uninstall onnxruntime, then pip install onnxruntime-gpu")
    assert onnxruntime_library([]).lacks == ()


def test_with_a_gpu_it_uses_cuda_and_without_one_it_says_so(ort):
    ort("Tensorrt", "CUDA", "CPU", packages=("onnxruntime-gpu",))
    assert onnxruntime_library([H200]).uses == ("CPU", "Tensorrt", "CUDA")
    told = onnxruntime_library([])
    assert told.uses == ("CPU",)
    assert told.lacks == ("no CUDA: no NVIDIA GPU with a driver is here",)


def test_two_packages_over_each_other_are_told(ort):
    ort("CPU", packages=("onnxruntime", "onnxruntime-gpu"))
    assert (
        "onnxruntime and onnxruntime-gpu are installed over each other"
        in (onnxruntime_library([]).lacks[0])
    )
