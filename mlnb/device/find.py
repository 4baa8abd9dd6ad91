"""Where the work is done: `find_device("auto")` is CUDA, else MPS, else the CPU.

A device that was asked for by name and is not there is an error with its reason, never a silent
CPU: training that takes a hundred times as long looks like training that hangs.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text

if TYPE_CHECKING:
    import torch

KINDS = ("auto", "cuda", "mps", "cpu")


def find_device(device: str | torch.device = "auto") -> torch.device:
    """The device that a word stands for.

    >>> find_device("cpu")
    device(type='cpu')

    Args:
        device: `"auto"` (CUDA, MPS, CPU, the first that is there), `"cuda"`, `"cuda:1"`, `"mps"`,
            `"cpu"`, or a `torch.device`.

    Raises:
        TrainError: the device is not there; the message says why.
        UnknownName: no such kind of device.
    """
    import torch

    if device == "auto":
        return torch.device(_first_there())
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise unknown("device", str(device), KINDS) from error
    if found.type not in KINDS:
        raise unknown("device", found.type, KINDS)
    reason = why_not(found)
    if reason:
        raise TrainError(
            f'device="{display_text(str(device))}" is not there: {reason}. '
            f'device="auto" takes {_first_there()} here.'
        )
    return found


def why_not(device: torch.device) -> str:
    """Why a device cannot be used; empty where it can.

    >>> why_not(torch.device("cpu"))
    ''
    """
    import torch

    if device.type == "cuda":
        return _why_no_cuda(device.index)
    if device.type == "mps" and not torch.backends.mps.is_available():
        if not torch.backends.mps.is_built():
            return "this build of torch has no MPS, which Apple's chips need"
        return "macOS 12.3 or newer on an Apple chip is needed"
    return ""


def describe_device(device: torch.device) -> str:
    """A device in words.

    >>> describe_device(torch.device("cpu"))
    'cpu'
    >>> describe_device(torch.device("cuda"))
    'cuda (NVIDIA A100, 40 GB)'
    """
    if device.type != "cuda":
        return str(device.type)
    import torch

    properties: Any = torch.cuda.get_device_properties(device)
    return f"{device} ({properties.name}, {round(properties.total_memory / 1e9)} GB)"


def free_memory(device: torch.device) -> int | None:
    """Bytes that are free on a GPU; `None` where the device shares the computer's memory.

    >>> free_memory(torch.device("cpu")) is None
    True
    """
    if device.type != "cuda":
        return None
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return int(free)


def _first_there() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _why_no_cuda(index: int | None) -> str:
    import torch

    if not torch.backends.cuda.is_built():
        return "this build of torch is for CPUs only; install one for CUDA from pytorch.org"
    if not torch.cuda.is_available():
        return _why_cuda_does_not_begin()
    count = torch.cuda.device_count()
    if index is not None and index >= count:
        return f"there {'is one GPU' if count == 1 else f'are {count} GPUs'}, counted from 0"
    return ""


def _why_cuda_does_not_begin() -> str:
    """What torch says when it is made to try, in fewer words."""
    import torch

    try:
        torch.cuda.init()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason that is asked for
        said = str(error)
    else:
        said = ""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if "no NVIDIA driver" in said:
        return "there is no NVIDIA driver"
    if old := re.search(r"too old \(found version (\d+)\)", said):
        known = f"{int(old[1]) // 1000}.{int(old[1]) % 1000 // 10}"
        return (
            f"the NVIDIA driver is too old: it knows CUDA {known}, and torch was built for CUDA "
            f"{torch.version.cuda}; update the driver, or install a torch for CUDA {known}"
        )
    if "No CUDA GPUs" in said and hidden is not None:
        return f"CUDA_VISIBLE_DEVICES='{display_text(hidden)}' hides every GPU"
    why = re.search(r"Error \d+: [^\n.]+", said)
    reason = f" ({display_text(why[0])})" if why else ""
    return f"torch finds no NVIDIA GPU with a driver that it can use{reason}"
