"""`TorchWeights`: what a checkpoint and a TorchScript file have in common, tensors in storages.

A storage lies in the file as its elements are, one after another; a tensor looks into it by an
offset and strides, so that any tensor is read without its neighbours.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError, unknown
from mlnb.formats.element_types import ITEM_BYTES, numpy_dtype, swapped
from mlnb.formats.weights_file import WeightsFile
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from mlnb.formats.torch.contents import Contents
    from mlnb.formats.torch.tensor import Storage, TorchTensor
    from mlnb.graph.graph import Graph, Value


class TorchWeights(WeightsFile):
    """Tensors that PyTorch wrote; a format adds where its storages lie.

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.
    """

    _contents: Contents
    _swapped = False

    @abstractmethod
    def _stored(self, storage: Storage, start: int, stop: int) -> bytes:
        """The bytes of a storage between two of its bytes."""

    @cached_property
    def tensors(self) -> tuple[Value, ...]:
        """The tensors in the order of the file."""
        return tuple(tensor.value for tensor in self._contents.tensors.values())

    @cached_property
    def ties(self) -> Mapping[str, str]:
        """Tensors that look at bytes of an earlier one, and its name: tied weights, views."""
        return self._contents.ties

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """The values of a tensor, read now; a quantised one as the integers that are stored."""
        tensor = self._contents.tensors.get(name)
        if tensor is None:
            raise unknown("stored tensor", name, self._contents.tensors)
        where = f"the tensor '{display_text(name, 60)}'"
        start, stop = tensor.span
        nbytes = max(prod(tensor.shape) * ITEM_BYTES[tensor.dtype], stop - start)
        self.limits.check("tensor_bytes", nbytes, where)
        try:
            return self._array(tensor)
        except ValueError as error:
            raise ModelFormatError(f"{where} cannot be read: {error}") from error

    def _array(self, tensor: TorchTensor) -> np.ndarray:
        import numpy as np

        dtype = numpy_dtype(tensor.dtype)
        if 0 in tensor.shape:
            return np.empty(tensor.shape, dtype)
        if tensor.storage is None:
            raise ModelFormatError('it was saved from the "meta" device, without its values')
        raw = self._stored(tensor.storage, *tensor.span)
        if self._swapped:
            raw = swapped(raw, dtype)
        strides = tuple(step * dtype.itemsize for step in tensor.strides)
        array: np.ndarray = np.ndarray(tensor.shape, dtype, raw, strides=strides).copy()
        if "conj" in tensor.flags:
            array = array.conj()
        return -array if "neg" in tensor.flags else array
