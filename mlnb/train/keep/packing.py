"""Nested state as JSON and tensors, and back exactly: `pack` and `unpack`.

A state_dict holds what JSON cannot say: tensors, arrays, tuples, None beside 0, True beside 1, NaN,
keys that are numbers. Each of those becomes an object with one key that begins with "$"; all else
stays plain JSON. What is none of these is refused by name, since the only general way to write it
down, pickle, runs code when it is read.
"""

from __future__ import annotations

import base64
import math
import re
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from mlnb.errors import CheckpointError
from mlnb.formatting import display_text

Json: TypeAlias = Any
"""What `json.dumps` writes."""

DEPTH = 64
_EXACT_INT = 2**63
_ARRAY = re.compile(r"[<>|=]?(?:[biufcSU?]\d*|[mM]8(?:\[\w+\])?)")
_DICTS: dict[str, type[dict[Any, Any]]] = {
    "$dict": dict,
    "$ordered": OrderedDict,
    "$counter": Counter,
}
_LISTS: dict[str, type[Any]] = {
    "$tuple": tuple,
    "$size": torch.Size,
    "$set": set,
    "$frozenset": frozenset,
}


def pack(value: Any, tensors: dict[str, Tensor], where: str, *, own: bool = True) -> Json:
    """What `value` is, as JSON; its tensors and arrays are copied into `tensors`.

    >>> tensors = {}
    >>> pack({"lr": (0.1, None), 3: torch.ones(2)}, tensors, "optimizer")
    {'$dict': [['lr', {'$tuple': [0.1, None]}], [3, {'$tensor': 'optimizer/3'}]]}

    Args:
        value: dicts, lists, tuples, sets, numbers, strings, bytes, None, tensors, arrays.
        tensors: takes copies in the memory of the CPU, named after where they stood.
        where: what `value` is, for those names and for the error.
        own: False to take the tensors on the CPU themselves, for those that nobody writes again.

    Raises:
        CheckpointError: something else stands in it; the message says where.
    """
    return _Packer(tensors, own).pack(value, where, DEPTH)


def unpack(plan: Json, tensors: Mapping[str, Tensor], *, own: bool = True) -> Any:
    """The value that `pack` took; its tensors are copies, on the device they came from.

    Args:
        plan: the JSON.
        tensors: those that it names.
        own: False to hand out the tensors of `tensors` themselves, for a reader that only copies.

    Raises:
        CheckpointError: `plan` is nothing that `pack` makes.
    """
    try:
        return _unpack(plan, tensors, own, DEPTH + 1)
    except CheckpointError:
        raise
    except (TypeError, ValueError, KeyError, LookupError, RuntimeError, OverflowError) as error:
        raise CheckpointError(
            f"the state in the checkpoint makes no sense: {display_text(str(error), 200)}"
        ) from error


class _Packer:
    def __init__(self, tensors: dict[str, Tensor], own: bool) -> None:
        self.tensors = tensors
        self.own = own

    def pack(self, value: Any, where: str, depth: int) -> Json:
        kind = type(value)
        if kind in (str, bool, type(None)):
            return value
        if kind is int:
            return value if abs(value) < _EXACT_INT else {"$int": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"$float": str(value)}
        if isinstance(value, Tensor):
            return self._tensor(value, where)
        if not depth:
            raise CheckpointError(f"{where} is nested over {DEPTH} deep, or holds itself")
        if kind is list:
            return self._items(value, where, depth)
        for word, mapping in _DICTS.items():
            if kind is mapping:
                return self._dict(word, value, where, depth)
        for word, sequence in _LISTS.items():
            if kind is sequence:
                return {word: self._items(list(value), where, depth)}
        if isinstance(value, Mapping) and hasattr(kind, "default_factory"):
            return self._dict("$dict", dict(value), where, depth)
        return self._leaf(value, where)

    def _items(self, values: list[Any], where: str, depth: int) -> list[Json]:
        if _is_plain(values):
            return list(values)
        return [self.pack(item, f"{where}/{i}", depth - 1) for i, item in enumerate(values)]

    def _dict(self, word: str, value: Mapping[Any, Any], where: str, depth: int) -> Json:
        if word == "$dict" and all(type(key) is str and key[:1] != "$" for key in value):
            return {
                key: self.pack(item, f"{where}/{key}", depth - 1) for key, item in value.items()
            }
        return {
            word: [
                [
                    self.pack(key, f"{where}/(key {position})", depth - 1),
                    self.pack(item, f"{where}/{key}", depth - 1),
                ]
                for position, (key, item) in enumerate(value.items())
            ]
        }

    def _leaf(self, value: Any, where: str) -> Json:
        kind = type(value)
        if kind is complex:
            return {"$complex": [value.real.hex(), value.imag.hex()]}
        if kind is bytes:
            return {"$bytes": base64.b64encode(value).decode()}
        if isinstance(value, np.ndarray | np.generic):
            return self._array(value, where)
        if kind is torch.dtype:
            return {"$dtype": str(value).removeprefix("torch.")}
        if kind is torch.device:
            return {"$device": str(value)}
        raise CheckpointError(
            f"{_shown(where)} is a {_shown(f'{kind.__module__}.{kind.__qualname__}')}, which a "
            "checkpoint cannot hold; a state_dict may hold tensors, arrays, numbers, strings, "
            "None, and lists, tuples, sets and dicts of them"
        )

    def _tensor(self, value: Tensor, where: str) -> Json:
        if value.layout is not torch.strided or value.is_meta or value.is_quantized:
            kind = "on the meta device" if value.is_meta else f"of layout {value.layout}"
            raise CheckpointError(
                f"{_shown(where)} is a tensor {kind}, and a checkpoint holds dense ones only"
            )
        name = self._name(where)
        alone = self.own or value.device.type != "cpu"
        self.tensors[name] = copied(value) if alone else value
        if value.device.type == "cpu":
            return {"$tensor": name}
        return {"$tensor": name, "device": str(value.device)}

    def _array(self, value: Any, where: str) -> Json:
        array = np.ascontiguousarray(value)
        kind = array.dtype.str
        if not _ARRAY.fullmatch(kind):
            raise CheckpointError(
                f"{_shown(where)} is an array of {_shown(str(array.dtype))}, and a checkpoint "
                "holds numbers and text only"
            )
        if isinstance(value, np.generic):
            return {"$scalar": [kind, base64.b64encode(array.tobytes()).decode()]}
        name = self._name(where)
        self.tensors[name] = torch.frombuffer(
            bytearray(array.tobytes()) or bytearray(1), dtype=torch.uint8
        )[: array.nbytes]
        return {"$array": name, "dtype": kind, "shape": list(np.shape(value))}

    def _name(self, where: str) -> str:
        name, number = where, 1
        while name in self.tensors:
            number += 1
            name = f"{where} ({number})"
        return name


def copied(tensor: Tensor) -> Tensor:
    """A copy in memory of its own on the CPU, with the same strides."""
    bare = tensor.detach()
    if bare.is_conj() or bare.is_neg():
        bare = bare.resolve_conj().resolve_neg()
    return bare.to("cpu", copy=True)


def _is_plain(values: list[Any]) -> bool:
    """Whether JSON says them as they are, told at once for many numbers of one type."""
    kinds = set(map(type, values))
    if kinds == {float}:
        return all(map(math.isfinite, values))
    return kinds == {int} and max(map(abs, values)) < _EXACT_INT


def _unpack(plan: Json, tensors: Mapping[str, Tensor], own: bool, depth: int) -> Any:
    if not depth:
        raise CheckpointError(f"the state in the checkpoint is nested over {DEPTH} deep")
    if isinstance(plan, list):
        return [_unpack(item, tensors, own, depth - 1) for item in plan]
    if not isinstance(plan, dict):
        return plan
    word = next(iter(plan), "")
    if word[:1] != "$":
        return {key: _unpack(item, tensors, own, depth - 1) for key, item in plan.items()}
    held = plan[word]
    if word in _DICTS:
        pairs = [
            (_unpack(key, tensors, own, depth - 1), _unpack(item, tensors, own, depth - 1))
            for key, item in held
        ]
        return _DICTS[word](dict(pairs))
    if word in _LISTS:
        return _LISTS[word]([_unpack(item, tensors, own, depth - 1) for item in held])
    if word == "$tensor":
        return _tensor(tensors[held], str(plan.get("device", "cpu")), own)
    if word == "$array":
        return _array(tensors[held].numpy().tobytes(), plan["dtype"], plan["shape"])
    if word == "$scalar":
        return _array(base64.b64decode(held[1]), held[0], [])[()]
    return _LEAVES[word](held)


def _tensor(tensor: Tensor, device: str, own: bool) -> Tensor:
    if not own:
        return tensor
    if device != "cpu":
        try:
            return tensor.to(device, copy=True)
        except (
            RuntimeError,
            AssertionError,
        ):  # saved where there was one, read where there is none
            pass
    return tensor.clone()


def _array(content: bytes, kind: str, shape: list[int]) -> Any:
    if not isinstance(kind, str) or not _ARRAY.fullmatch(kind):
        raise CheckpointError("the checkpoint holds an array of something other than numbers")
    if any(type(size) is not int or size < 0 for size in shape):
        raise CheckpointError("the checkpoint holds an array of no possible shape")
    dtype = np.dtype(kind)
    if not dtype.itemsize:
        return np.empty(shape, dtype)
    return np.frombuffer(bytearray(content), dtype).reshape(shape)


def _dtype(name: str) -> torch.dtype:
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype):
        raise ValueError(f"no dtype {name}")
    return found


_LEAVES: dict[str, Any] = {
    "$int": lambda text: int(text, 16),
    "$float": float,
    "$complex": lambda parts: complex(*map(float.fromhex, parts)),
    "$bytes": lambda text: base64.b64decode(text, validate=True),
    "$dtype": _dtype,
    "$device": torch.device,
}


def _shown(text: str) -> str:
    return display_text(text, 160)
