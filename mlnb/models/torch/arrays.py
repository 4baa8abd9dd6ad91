"""Tensors and arrays: what goes into a torch module and comes out of it, whatever its type."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


def to_tensor(value: Any, place: torch.device) -> torch.Tensor:
    """A tensor of its own memory, so that a module that writes into its input harms nobody.

    Args:
        value: a tensor, an array, a number; arrays may be of ml_dtypes' bfloat16.
        place: the device it goes to.
    """
    import torch

    if isinstance(value, torch.Tensor):
        moved = value.detach().to(place)
        return moved.clone() if moved.data_ptr() == value.data_ptr() else moved
    array = np.asarray(value)
    exotic = _exotic().get(array.dtype.name)
    if exotic is not None:
        bits = torch.tensor(np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}"))
        return bits.view(exotic).reshape(array.shape).to(place)
    if array.dtype.byteorder == ">" or min(array.strides, default=0) < 0:
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    return torch.tensor(array, device=place)


def to_array(value: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """The array of a tensor or number; what NumPy lacks (bfloat16, float8) becomes float32."""
    import torch

    if not isinstance(value, torch.Tensor):
        return np.asarray(value)
    value = value.detach().cpu()
    if value.layout is not torch.strided:
        value = value.to_dense()
    if value.is_quantized:
        value = value.dequantize()
    value = value.resolve_conj().resolve_neg()
    try:
        array = value.numpy()
    except TypeError:
        array = value.float().numpy()
    return np.array(array)  # its own memory: the module may use the tensor's again


def dtype_of(tensor: torch.Tensor) -> str:
    """`float32`, as NumPy or ml_dtypes call it."""
    return str(tensor.dtype).removeprefix("torch.")


@lru_cache(maxsize=1)
def _exotic() -> dict[str, torch.dtype]:
    """Types that NumPy lacks, as far as this torch has them."""
    import torch

    names = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")
    return {name: getattr(torch, name) for name in names if hasattr(torch, name)}
