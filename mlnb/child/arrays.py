"""What crosses between this process and its child: plain values as JSON, arrays as raw bytes.

Not pickle: what comes back was made by a process that ran a stranger's model, and unpickling it
would run whatever that process wrote. An array of a dtype that NumPy lacks (`bfloat16`, `int4` …)
crosses as its bits and the dtype's name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

ALIGNMENT = 64

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(slots=True)
class Packed:
    """A value in two parts: its text, and the bytes that the text points into.

    Args:
        text: JSON.
        parts: (offset, bytes) in rising order, each offset a multiple of `ALIGNMENT`.
        size: the length of all parts together, in bytes, the gaps between them included.
    """

    text: bytes = b""
    parts: list[tuple[int, memoryview]] = field(default_factory=list)
    size: int = 0

    def add(self, data: memoryview) -> list[int]:
        """Append a part and say where it lies: offset and length."""
        offset = -(-self.size // ALIGNMENT) * ALIGNMENT
        self.parts.append((offset, data))
        self.size = offset + data.nbytes
        return [offset, data.nbytes]


def pack(value: object) -> Packed:
    """Take a value apart for the crossing; arrays are not copied unless they are strided.

    Args:
        value: `None`, bool, int, float, str, bytes, arrays of numbers or strings, and lists, tuples
            and dicts of those.

    Raises:
        TypeError: for anything else.
    """
    packed = Packed()
    packed.text = json.dumps(_plain(value, packed)).encode("ascii")
    return packed


def unpack(text: bytes, data: memoryview) -> Any:
    """Put a value together again; its arrays are views of `data`, as writeable as that is."""
    return _value(json.loads(text), data)


def dtype_named(name: str) -> np.dtype[Any]:
    """The dtype of that name, also where only `ml_dtypes` knows it (`"bfloat16"`, `"int4"`)."""
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return found


def _plain(value: object, packed: Packed) -> Any:
    """`value` as JSON has it; every JSON object is one tag and what it holds."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_plain(item, packed) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_plain(item, packed) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_key(k), _plain(item, packed)] for k, item in value.items()]}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": packed.add(memoryview(value).cast("B"))}
    if isinstance(value, np.ndarray):
        return _plain_array(value, packed)
    raise TypeError(f"{type(value).__name__} cannot cross between processes")


def _key(key: object) -> object:
    if key is None or isinstance(key, bool | int | float | str):
        return key
    raise TypeError(f"a dict with a key of {type(key).__name__} cannot cross between processes")


def _plain_array(array: Array, packed: Packed) -> dict[str, Any]:
    shape = list(array.shape)
    if array.dtype.kind in "OUST":
        return {"strings": [_string(item) for item in array.reshape(-1).tolist()], "shape": shape}
    foreign = array.dtype.isbuiltin == 2
    if not foreign and array.dtype.kind not in "biufc":
        raise TypeError(f"an array of {array.dtype} cannot cross between processes")
    # dtype.str of an ml_dtypes array may be a bare "V2": only its name tells bfloat16 from others.
    name = array.dtype.name if foreign else array.dtype.str
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return {"array": packed.add(flat.data), "dtype": name, "shape": shape}


def _string(item: object) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, bytes):
        return item.decode("utf-8", "surrogateescape")
    raise TypeError(f"an array that holds {type(item).__name__} cannot cross between processes")


def _value(plain: Any, data: memoryview) -> Any:
    if isinstance(plain, list):
        return [_value(item, data) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if "array" in plain:
        return _array(plain["array"], plain["dtype"], plain["shape"], data)
    if "strings" in plain:
        strings = np.empty(len(plain["strings"]), object)
        strings[:] = plain["strings"]
        return strings.reshape(plain["shape"])
    if "bytes" in plain:
        offset, length = plain["bytes"]
        return bytes(_cut(data, offset, length))
    if "tuple" in plain:
        return tuple(_value(item, data) for item in plain["tuple"])
    return {key: _value(item, data) for key, item in plain["dict"]}


def _array(place: Sequence[int], dtype: str, shape: Sequence[int], data: memoryview) -> Array:
    offset, length = place
    kind = dtype_named(dtype)
    if prod(shape) * kind.itemsize != length:
        raise ValueError(f"{length} bytes are no {dtype} {list(shape)}")
    return np.frombuffer(_cut(data, offset, length), np.uint8).view(kind).reshape(shape)


def _cut(data: memoryview, offset: int, length: int) -> memoryview:
    if not 0 <= offset <= offset + length <= data.nbytes:
        raise ValueError(f"bytes {offset} to {offset + length} of {data.nbytes}")
    return data[offset : offset + length]
