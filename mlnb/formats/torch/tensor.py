"""One tensor in what PyTorch pickles: `tensor_of`, from the records that `read_pickle` makes.

A tensor is a call of one of the functions in torch/_utils.py (`_rebuild_tensor_v2` …) with its
storage, offset, shape and strides; the storage is a persistent object of five parts, whose bytes
lie outside the pickle.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from mlnb.errors import ModelFormatError
from mlnb.formats.element_types import ITEM_BYTES, contiguous, extent
from mlnb.formats.torch.pickle.records import Call, Global, Persistent
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.graph.graph import Value
    from mlnb.limits import Limits


class Storage(NamedTuple):
    """A block of elements that tensors look into.

    Args:
        key: where its bytes are found: the member's name, or its place in an old file.
        dtype: of its elements; `"uint8"` where it has none of its own.
        length: how many elements it has.
        first: the element with which it begins there; not 0 for views in files of old versions.
    """

    key: str
    dtype: str
    length: int
    first: int = 0

    @property
    def nbytes(self) -> int:
        """Its size, in bytes."""
        return self.length * ITEM_BYTES[self.dtype]

    @property
    def end(self) -> int:
        """How many bytes have to lie there."""
        return self.first * ITEM_BYTES[self.dtype] + self.nbytes


class TorchTensor(NamedTuple):
    """A tensor as it looks into a storage.

    Args:
        name: the path to it.
        dtype: as in `TensorSpec`, or a quantised type of PyTorch, such as `"qint8"`.
        shape: its dimensions.
        strides: in elements.
        offset: of its first element, in elements.
        storage: `None` for a tensor without content (PyTorch's "meta" device).
        flags: `"conj"` and `"neg"`, where the elements are stored conjugated or negated.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    storage: Storage | None
    flags: tuple[str, ...] = ()

    @property
    def span(self) -> tuple[int, int]:
        """The bytes of its storage that it looks at: from and to."""
        size = ITEM_BYTES[self.dtype]
        start = (self.offset + (self.storage.first if self.storage else 0)) * size
        return start, start + extent(self.shape, self.strides) * size

    @property
    def value(self) -> Value:
        """What a table shows of it; elements that are repeated by a stride of 0 count once."""
        from mlnb.graph.graph import Value

        start, stop = self.span
        nbytes = min(prod(self.shape) * ITEM_BYTES[self.dtype], stop - start)
        stored = nbytes if self.storage else 0
        return Value(self.name, self.dtype, self.shape, initializer=True, nbytes=stored)


def tensor_of(name: str, value: object, limits: Limits, depth: int = 0) -> TorchTensor | None:
    """The tensor that a record would make; `None` where it would make something else.

    Args:
        name: the path to it.
        value: as `read_pickle` gives it.
        limits: `rank` caps its dimensions.
        depth: how many records it is wrapped in.

    Raises:
        ModelFormatError: it contradicts itself.
        LimitExceeded: it has more dimensions than `limits` allow.
    """
    if isinstance(value, Persistent):
        storage = _storage(name, value)
        return (
            storage
            if storage is None
            else TorchTensor(name, storage.dtype, (storage.length,), (1,), 0, storage)
        )
    if not isinstance(value, Call) or not isinstance(value.function, Global) or depth > 8:
        return None
    module, function = value.function
    arguments = value.arguments
    if not isinstance(arguments, tuple):
        return None
    if module == "torch._tensor" and function == "_rebuild_from_type_v2" and len(arguments) > 2:
        return tensor_of(name, Call(arguments[0], arguments[2]), limits, depth + 1)
    if module == "torch.nn.parameter" and function in ("Parameter", "Buffer"):
        return tensor_of(name, arguments[0], limits, depth + 1) if arguments else None
    if module != "torch._utils":
        return None
    if function.startswith("_rebuild_parameter") and arguments:
        return tensor_of(name, arguments[0], limits, depth + 1)
    if function == "_rebuild_meta_tensor_no_storage" and len(arguments) > 2:
        dtype = _dtype(name, arguments[0])
        return _checked(
            TorchTensor(name, dtype, _sizes(name, arguments[1], limits), (), 0, None), limits
        )
    if function in _PLAIN_TENSORS and len(arguments) > 3:
        return _plain_tensor(name, function, arguments, limits)
    return None


_PLAIN_TENSORS = ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor")


def _plain_tensor(
    name: str, function: str, arguments: tuple[Any, ...], limits: Limits
) -> TorchTensor:
    held, offset, shape, strides = arguments[:4]
    storage = _storage(name, held)
    if storage is None:
        raise _unfit(name, "it has no storage")
    dtype = storage.dtype
    flags: tuple[str, ...] = ()
    if function == "_rebuild_tensor_v3" and len(arguments) > 6:
        dtype = _dtype(name, arguments[6])
    position = {"_rebuild_tensor_v2": 6, "_rebuild_tensor_v3": 7}.get(function, len(arguments))
    if position < len(arguments) and isinstance(arguments[position], dict):
        flags = tuple(flag for flag in ("conj", "neg") if arguments[position].get(flag))
    tensor = TorchTensor(
        name,
        dtype,
        _sizes(name, shape, limits),
        _sizes(name, strides, limits),
        offset,
        storage,
        flags,
    )
    return _checked(tensor, limits)


def _checked(tensor: TorchTensor, limits: Limits) -> TorchTensor:
    """The tensor, once it is seen to lie within its storage."""
    if tensor.storage is None:
        return tensor._replace(strides=contiguous(tensor.shape))
    if not _is_count(tensor.offset) or len(tensor.strides) != len(tensor.shape):
        raise _unfit(tensor.name, "its offset or its strides are none")
    end = tensor.span[1] - tensor.storage.first * ITEM_BYTES[tensor.dtype]
    if end > tensor.storage.nbytes and 0 not in tensor.shape:
        raise _unfit(
            tensor.name, f"it ends at byte {end:,} of a storage of {tensor.storage.nbytes:,}"
        )
    return tensor


def _sizes(name: str, value: object, limits: Limits) -> tuple[int, ...]:
    if isinstance(value, Call) and is_global(value.function, "torch", "Size"):
        inner = value.arguments
        value = inner[0] if isinstance(inner, tuple) and inner else ()
    if not isinstance(value, list | tuple) or not all(map(_is_count, value)):
        raise _unfit(name, "its shape is no row of whole numbers")
    limits.check("rank", len(value), f"the tensor '{display_text(name, 60)}'")
    return tuple(value)


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 1 << 62


def _storage(name: str, value: object) -> Storage | None:
    """The storage behind `("storage", class, key, device, count)`."""
    if not isinstance(value, Persistent) or not isinstance(value.id, tuple) or len(value.id) < 5:
        return None
    kind, made, key, _, count = value.id[:5]
    if kind != "storage" or not isinstance(made, Global):
        return None
    dtype = STORAGES.get(made.name)
    if dtype is None or not isinstance(key, str | int) or not _is_count(count):
        raise _unfit(name, f"its storage, {display_text(str(made), 60)}, is none that is known")
    view = value.id[5] if len(value.id) > 5 else None
    if isinstance(view, tuple) and len(view) == 3 and _is_count(view[1]) and _is_count(view[2]):
        return Storage(str(key), dtype, view[2], view[1])
    return Storage(str(key), dtype, count)


def _dtype(name: str, value: object) -> str:
    dtype = DTYPES.get(value.name) if isinstance(value, Global) else None
    if dtype is None:
        raise _unfit(name, "its dtype is none that is known")
    return dtype


def _unfit(name: str, reason: str) -> ModelFormatError:
    return ModelFormatError(f"the tensor '{display_text(name, 60)}' makes no sense: {reason}")


def is_global(function: object, module: str, name: str) -> bool:
    """Whether a record is the name `module.name`."""
    return function == Global(module, name)


STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
    "UntypedStorage": "uint8",
    "_UntypedStorage": "uint8",
}
"""The class of a storage to the type of its elements, from torch/storage.py."""

DTYPES = {
    **{name: name for name in ITEM_BYTES},
    "double": "float64",
    "float": "float32",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "cfloat": "complex64",
    "cdouble": "complex128",
}
"""The name of a dtype in the module `torch` to ours."""
