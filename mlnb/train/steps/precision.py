"""How exactly to calculate: `choose(...)` picks precision and memory layout for a kind of model.

Lower precision is no gain as such. bfloat16 makes a convolutional net 2.75 times as fast on a CPU
with AMX and a recurrent one slower; so "auto" looks at the device and at the kind of model, and
says what it took. `Trainer.tune(sample)` measures instead.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mlnb.device import find_device
from mlnb.errors import TrainError, unknown

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
_RECURRENT = (nn.RNNBase, nn.RNNCellBase)


@dataclass(frozen=True, slots=True)
class Precision:
    """What was chosen.

    Args:
        name: `"fp32"`, `"bf16"` or `"fp16"`.
        channels_last: whether the weights of convolutions and the pictures lie channels last.
        said: the choice in words, for the run's notices.
    """

    name: str
    channels_last: bool = False
    said: str = ""

    @property
    def dtype(self) -> torch.dtype | None:
        """What autocast takes; `None` for fp32."""
        return _DTYPES.get(self.name)


def choose(
    precision: str,
    model: nn.Module,
    device: torch.device,
    *,
    channels_last: bool | None = None,
) -> Precision:
    """Precision and layout for a model on a device.

    >>> choose("auto", nn.Linear(2, 2), torch.device("cpu")).name
    'fp32'

    Args:
        precision: `"auto"`, `"fp32"`, `"bf16"` or `"fp16"`.
        model: the convolutions in it decide the layout, and on a CPU the precision.
        device: where it trains.
        channels_last: the layout, where it was measured or is known; `None` decides.

    Raises:
        UnknownName: no such precision.
        TrainError: the device cannot calculate in it.
    """
    if precision not in PRECISIONS:
        raise unknown("precision", str(precision), PRECISIONS)
    layout = is_convolutional(model) if channels_last is None else channels_last
    name, reason = (precision, "") if precision != "auto" else _automatic(model, device)
    if name == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise TrainError(
            'precision="bf16" needs a GPU that has it (compute capability 8.0); '
            'precision="fp16" works on older ones.'
        )
    parts = [name + (f" ({reason})" if reason else "")]
    if name == "fp32" and device.type == "cuda" and precision == "auto" and has_tf32(device):
        parts = ["fp32 with TF32"]
    if layout:
        parts.append("channels last")
    return Precision(name, layout, "precision: " + ", ".join(parts))


def is_convolutional(model: nn.Module) -> bool:
    """Whether a model has two-dimensional convolutions, which like their channels last.

    >>> is_convolutional(nn.Sequential(nn.Conv2d(3, 8, 3)))
    True
    """
    return any(isinstance(module, _CONVOLUTIONS) for module in model.modules())


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """The context in which a model is called.

    >>> with autocast(torch.device("cpu"), "bf16"):
    ...     outputs = model(inputs)

    Args:
        device: where the model is.
        precision: `"fp32"` changes nothing; `"auto"` must have been decided by `choose`.
    """
    dtype = _DTYPES.get(precision)
    if dtype is None:
        return nullcontext()
    context: AbstractContextManager[Any] = torch.autocast(device.type, dtype=dtype)
    return context


def grad_scaler(device: torch.device, precision: str) -> torch.amp.GradScaler | None:
    """What scales the loss, so that fp16 gradients do not vanish; `None` for other precisions.

    >>> grad_scaler(torch.device("cpu"), "bf16") is None
    True
    """
    return torch.amp.GradScaler(device.type) if precision == "fp16" else None


def lay_out(model: nn.Module, channels_last: bool) -> None:
    """Put the weights of two-dimensional convolutions channels last, or back; values stay.

    >>> lay_out(model, True)
    """
    layout = torch.channels_last if channels_last else torch.contiguous_format
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, _CONVOLUTIONS):
                weight = module.weight
                weight.data = weight.data.contiguous(memory_format=layout)
                if weight.grad is not None:
                    weight.grad = weight.grad.contiguous(memory_format=layout)


def pictures_last(inputs: Any) -> Any:
    """Inputs with every four-dimensional float tensor channels last; values and shapes stay.

    >>> pictures_last(torch.zeros(2, 3, 4, 4)).stride()
    (48, 1, 12, 3)
    """
    if isinstance(inputs, Tensor):
        if inputs.dim() == 4 and inputs.is_floating_point():
            return inputs.contiguous(memory_format=torch.channels_last)
        return inputs
    if isinstance(inputs, dict):
        return {name: pictures_last(value) for name, value in inputs.items()}
    return tuple(pictures_last(value) for value in inputs)


def has_amx() -> bool:
    """Whether this CPU multiplies bfloat16 tiles (AMX), and torch may use it."""
    asked = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(asked and asked())


def has_tf32(device: torch.device) -> bool:
    """Whether a GPU multiplies float32 by tensor cores (compute capability 8.0 and up)."""
    return bool(device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0))


def allow_tf32(device: torch.device) -> None:
    """Let float32 products on a GPU use TF32: ten bits of mantissa, several times the speed."""
    if has_tf32(find_device(device)):
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True


def _automatic(model: nn.Module, device: torch.device) -> tuple[str, str]:
    if device.type == "cuda":
        if torch.cuda.get_device_capability(device) >= (8, 0):
            return "bf16", "with TF32"
        return "fp32", ""
    recurrent = any(isinstance(module, _RECURRENT) for module in model.modules())
    if device.type == "cpu" and has_amx() and is_convolutional(model) and not recurrent:
        return "bf16", "convolutions on a CPU with AMX"
    return "fp32", ""
