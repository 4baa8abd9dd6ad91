"""What torch and onnxruntime can compute on here, and why not on the rest.

A package that is not installed is not imported, and tensorflow, which takes seconds and most of a
GPU's memory, not at all.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec

from mlnb.device.find import describe_device, why_not
from mlnb.device.parts import Library, Part
from mlnb.formatting import display_text, plural


def torch_library(gpus: Sequence[Part]) -> Library:
    """What torch can use."""
    if find_spec("torch") is None:
        return Library("torch", "", lacks=("it is not installed; run: pip install 'mlnb[train]'",))
    import torch

    kind = torch.backends.cpu.get_cpu_capability()
    uses = [f"cpu ({plural(torch.get_num_threads(), 'thread')}, {kind})"]
    lacks = []
    reason = why_not(torch.device("cuda"))
    if reason:
        there = f"{_named(gpus)} here, but " if gpus else ""
        lacks.append(f"no cuda: {there}{reason}")
    for index in range(0 if reason else torch.cuda.device_count()):
        uses.append(describe_device(torch.device("cuda", index)))
        if old := _too_old_or_new(index):
            lacks.append(f"no cuda:{index}: {old}")
    if sys.platform == "darwin":
        reason = why_not(torch.device("mps"))
        lacks += [f"no mps: {reason}"] if reason else []
        uses += [] if reason else ["mps"]
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and "CUDA_VISIBLE" not in "".join(lacks):
        lacks.append(f"CUDA_VISIBLE_DEVICES='{display_text(hidden)}' hides the others")
    return Library("torch", str(torch.__version__), tuple(uses), tuple(lacks))


def _too_old_or_new(index: int) -> str:
    """Why this build of torch has no code for a GPU; empty where it has."""
    import torch

    built = [re.fullmatch(r"(sm|compute)_(\d+)\w?", arch) for arch in torch.cuda.get_arch_list()]
    known = [(arch[1], int(arch[2])) for arch in built if arch]
    major, minor = torch.cuda.get_device_capability(index)
    mine = major * 10 + minor
    # Compiled code runs on GPUs of its generation from its version on, the portable one on all.
    runs = any(
        number <= mine and (kind == "compute" or number // 10 == major) for kind, number in known
    )
    if runs or not known:
        return ""
    low, high = min(known, key=_number)[1], max(known, key=_number)[1]
    return (
        f"its compute capability is {major}.{minor}, and this build of torch is made for "
        f"{low // 10}.{low % 10} to {high // 10}.{high % 10}; install another from pytorch.org"
    )


def _number(arch: tuple[str, int]) -> int:
    return arch[1]


_ORT = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")


def onnxruntime_library(gpus: Sequence[Part]) -> Library:
    """What onnxruntime can use."""
    if find_spec("onnxruntime") is None:
        return Library("onnxruntime", "", lacks=("it is not installed; run: pip install mlnb",))
    import onnxruntime

    names = [n.removesuffix("ExecutionProvider") for n in onnxruntime.get_available_providers()]
    # Azure is somebody else's computer.
    uses, lacks = [n for n in names if n not in ("CPU", "Azure")], []
    packages = [name for name in _ORT if _installed(name)]
    if "CUDA" in names and not gpus:
        uses = [name for name in uses if name not in ("CUDA", "Tensorrt", "NvTensorRTRTX")]
        lacks.append("no CUDA: no NVIDIA GPU with a driver is here")
    if "CUDA" not in names and gpus:
        lacks.append(
            f"no CUDA: {_named(gpus)} here, but this is onnxruntime for CPUs; run: "
            "pip uninstall onnxruntime, then pip install onnxruntime-gpu"
        )
    if len(packages) > 1:
        lacks.append(
            f"{' and '.join(packages)} are installed over each other; uninstall all, then "
            "install one"
        )
    return Library("onnxruntime", str(onnxruntime.__version__), ("CPU", *uses), tuple(lacks))


def _installed(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def _named(gpus: Sequence[Part]) -> str:
    shown = display_text(gpus[0].model) + (f" and {len(gpus) - 1} more" if len(gpus) > 1 else "")
    return f"{shown} {'is' if len(gpus) == 1 else 'are'}"
