"""What crosses between this process and its child: plain values as JSON, arrays as raw bytes.

Not pickle: what comes back was made by a process that ran a stranger's model, and unpickling it
would run whatever that process wrote. An array of a dtype that NumPy lacks (`bfloat16`, `int4` …)
crosses as its bits and the dtype's name.

A warm call finds this module's code pushed out of the processor's caches by the model it runs, so
that every line costs several times what a benchmark of it alone says: what is short here is fast.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

ALIGNMENT = 64

TEXT_LIMIT = 2**26
"""No longer text crosses, in bytes: as Python's objects it becomes ten times that."""

Array = np.ndarray[Any, np.dtype[Any]]

_SCALARS = (type(None), bool, int, float, str)
_REPEATED_TEXT = 4096


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
        ValueError: it holds more text than crosses.
    """
    packed = Packed()
    packed.text = _text(value, packed).encode("ascii")
    if len(packed.text) > TEXT_LIMIT:
        raise ValueError(
            f"{len(packed.text):,} bytes of strings and lists are more than the {TEXT_LIMIT:,} "
            f"that cross between processes"
        )
    return packed


def unpack(text: bytes, data: memoryview) -> Any:
    """Put a value together again; its arrays are views of `data`, as writeable as that is.

    Raises:
        ValueError: this is no packed value, or it points outside `data`.
    """
    try:
        # Calls resemble each other: only the bytes of the arrays differ from the last text.
        plain = _parsed(text) if len(text) <= _REPEATED_TEXT else json.loads(text)
        return _value(plain, data)
    except (ValueError, RecursionError):
        raise
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"this is no packed value: {error!r}") from error


_parsed = lru_cache(maxsize=8)(json.loads)


def dtype_named(name: str) -> np.dtype[Any]:
    """The dtype of that name, also where only `ml_dtypes` knows it (`"bfloat16"`, `"int4"`)."""
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return found


def _text(value: object, packed: Packed) -> str:
    """`value` as JSON; every JSON object is one tag and what it holds."""
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, _SCALARS):
        return json.dumps(value) if type(value) is not int else str(value)
    if isinstance(value, list):
        return f"[{_texts(value, packed)}]"
    if isinstance(value, dict):
        items = [f"[{_key(k)},{_text(item, packed)}]" for k, item in value.items()]
        return f'{{"dict":[{",".join(items)}]}}'
    if isinstance(value, np.ndarray):
        return _array_text(value, packed)
    if isinstance(value, tuple):
        return f'{{"tuple":[{_texts(value, packed)}]}}'
    if isinstance(value, bytes | bytearray | memoryview):
        offset, length = packed.add(memoryview(value).cast("B"))
        return f'{{"bytes":[{offset},{length}]}}'
    raise TypeError(f"{type(value).__name__} cannot cross between processes")


def _texts(values: Iterable[object], packed: Packed) -> str:
    return ",".join([_text(value, packed) for value in values])


def _key(key: object) -> str:
    if isinstance(key, str):
        return _quoted(key)
    if isinstance(key, _SCALARS):
        return json.dumps(key)
    raise TypeError(f"a dict with a key of {type(key).__name__} cannot cross between processes")


def _array_text(array: Array, packed: Packed) -> str:
    kind, shape = array.dtype, list(array.shape)
    if kind.kind in "OUST":
        strings = json.dumps([_string(item) for item in array.reshape(-1).tolist()])
        return f'{{"strings":[{strings},{shape}]}}'
    foreign = kind.isbuiltin == 2
    if not foreign and kind.kind not in "biufc":
        raise TypeError(f"an array of {kind} cannot cross between processes")
    # dtype.str of an ml_dtypes array may be a bare "V2": only its name tells bfloat16 from others.
    name = kind.name if foreign else kind.str
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return f'{{"array":[{packed.add(flat.data)[0]},"{name}",{shape}]}}'


_quoted = json.encoder.encode_basestring_ascii


def _string(item: object) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, bytes):
        return item.decode("utf-8", "surrogateescape")
    raise TypeError(f"an array that holds {type(item).__name__} cannot cross between processes")


def _value(plain: Any, data: memoryview) -> Any:
    if isinstance(plain, _SCALARS):
        return plain
    if isinstance(plain, list):
        return [_value(item, data) for item in plain]
    ((tag, content),) = plain.items()
    if tag == "dict":
        return {key: _value(item, data) for key, item in content}
    if tag == "array":
        offset, dtype, shape = content
        return _array(offset, _received_dtype(dtype), shape, data)
    if tag == "tuple":
        return tuple(_value(item, data) for item in content)
    if tag == "bytes":
        offset, length = content
        _require_inside(offset, length, data)
        return bytes(data[offset : offset + length])
    if tag == "strings":
        return _strings(*content)
    raise ValueError(f"{tag!r} is no tag")


def _array(offset: int, dtype: np.dtype[Any], shape: Sequence[int], data: memoryview) -> Array:
    _require_inside(offset, prod(shape) * dtype.itemsize, data)
    return np.ndarray(shape, dtype, data, offset)


def _require_inside(offset: int, length: int, data: memoryview) -> None:
    if not 0 <= offset <= offset + length <= data.nbytes:
        raise ValueError(f"bytes {offset} to {offset + length} of {data.nbytes}")


@lru_cache(maxsize=64)
def _received_dtype(name: str) -> np.dtype[Any]:
    """The dtype of that name, of numbers only: an array of objects would be one of pointers."""
    found = dtype_named(name)
    if found.hasobject or not (found.kind in "biufc" or found.isbuiltin == 2):
        raise ValueError(f"no arrays of {name} cross between processes")
    return found


def _strings(items: Sequence[str], shape: Sequence[int]) -> Array:
    if not all(isinstance(item, str) for item in items):
        raise ValueError("these are no strings")
    strings = np.empty(len(items), object)
    strings[:] = [_bytes_again(item) if _ESCAPED.search(item) else item for item in items]
    return strings.reshape(shape)


_ESCAPED = re.compile("[\udc80-\udcff]")


def _bytes_again(item: str) -> str | bytes:
    """What was bytes and no UTF-8 before the crossing is bytes after it."""
    try:
        return item.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return item
