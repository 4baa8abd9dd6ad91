"""`TorchWeights`: what a checkpoint and a TorchScript file have in common, tensors in storages.

A storage lies in the file as its elements are, one after another; a tensor looks into it by an
offset and strides, so that any tensor is read without its neighbours.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from mlnb.errors import LimitExceeded, ModelFormatError, unknown
from mlnb.formats.model_file import WeightsFile
from mlnb.formats.weights.element_types import ITEM_BYTES, numpy_dtype
from mlnb.formats.wire import Broken
from mlnb.formatting import display_text
from mlnb.graph.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from mlnb.formats.torch.contents import Contents
    from mlnb.formats.torch.tensor import Storage, TorchTensor
    from mlnb.graph.graph import Value


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

    @cached_property
    def graph(self) -> Graph:
        """The tensors as values without a node."""
        values = {value.name: value for value in self.tensors}
        return Graph(self.source.name, (), values=values, warnings=self._warnings)

    @property
    def _warnings(self) -> tuple[str, ...]:
        return ()

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
            raw = _swapped(raw, dtype)
        strides = tuple(step * dtype.itemsize for step in tensor.strides)
        array: np.ndarray = np.ndarray(tensor.shape, dtype, raw, strides=strides).copy()
        if "conj" in tensor.flags:
            array = array.conj()
        return -array if "neg" in tensor.flags else array

    def _broken(self, error: Broken | ModelFormatError) -> ModelFormatError:
        """The error for this file, from one that does not know which file it is."""
        name = display_text(self.source.name, 60)
        if isinstance(error, LimitExceeded):
            return LimitExceeded(f"{name}: {error}")
        reason = str(error)
        if isinstance(error, Broken):
            reason = f"{error.reason}, at byte {error.position:,}"
        return ModelFormatError(f"{name} cannot be read as a {self.format}: {reason}")


def _swapped(raw: bytes, dtype: np.dtype) -> bytes:
    """The bytes of each number in turned order; a complex one is two numbers."""
    import numpy as np

    unit = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize
    return np.frombuffer(raw, np.uint8).reshape(-1, unit)[:, ::-1].tobytes()
