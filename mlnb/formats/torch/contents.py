"""What a pickle of PyTorch holds: `collect` finds its tensors and plain values among the records.

What is nested is named by its path, and a pickled module as its `state_dict` would name it:
`_modules`, `_parameters` and `_buffers` are left out of the path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mlnb.formats.torch.pickle.records import Call, Global, Key, Persistent
from mlnb.formats.torch.tensor import TorchTensor, is_global, tensor_of
from mlnb.limits import LIMITS, Limits

FACTS = 200
"""Plain values of one file that its metadata show."""


@dataclass
class Contents:
    """What a pickle of PyTorch holds.

    Args:
        tensors: by name, in the order of the file.
        facts: plain values by their path, such as `{"epoch": "3"}`.
        made: the class of the outermost object, where it is none of Python's containers.
    """

    tensors: dict[str, TorchTensor] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    made: Global | None = None

    @property
    def ties(self) -> dict[str, str]:
        """Tensors that look at bytes which an earlier one has, and the name of that one."""
        return _ties(list(self.tensors.values()))


def collect(value: object, limits: Limits = LIMITS) -> Contents:
    """The tensors and the plain values below `value`.

    Args:
        value: of a `Pickle`.
        limits: `depth` caps the nesting, `values` the tensors, `rank` their dimensions.

    Raises:
        ModelFormatError: a tensor contradicts itself.
        LimitExceeded: it asks for more than `limits` allows.
    """
    contents = Contents()
    if isinstance(value, Call) and not _is_mapping(value.function):
        contents.made = _class(value.function)
    seen: set[int] = set()
    letters = 0
    waiting: list[tuple[str, object, int, bool]] = [("", value, 0, False)]
    while waiting:
        path, here, depth, inside = waiting.pop()
        limits.check("depth", depth, "the nesting of what is pickled")
        tensor = tensor_of(path or "tensor", here, limits)
        if tensor is not None:
            name = tensor.name
            if name in contents.tensors:
                name = _free(name, contents.tensors)
                tensor = tensor._replace(name=name)
            contents.tensors[name] = tensor
            letters += len(name)
            limits.check("values", len(contents.tensors), "the tensors of the file")
            limits.check("structure_bytes", letters, "the names of its tensors")
        elif isinstance(here, dict | list | Call) or type(here) is tuple:
            if id(here) in seen:
                continue
            seen.add(id(here))
            if not inside and isinstance(here, list | tuple) and _is_plain_row(here):
                _note(contents.facts, path, here)
                continue
            inside = inside or (isinstance(here, Call) and not _is_mapping(here.function))
            below = [
                (_join(path, key, limits), item, depth + 1, inside) for key, item in _children(here)
            ]
            waiting.extend(reversed(below))
        elif not inside:
            _note(contents.facts, path, here)
    return contents


def _children(here: object) -> Iterator[tuple[object, object]]:
    if isinstance(here, dict):
        yield from here.items()
    elif isinstance(here, list | tuple):
        yield from enumerate(here)
    elif isinstance(here, Call):
        yield from (here.items or {}).items()
        yield from enumerate(here.elements or ())
        if not _is_mapping(here.function):
            yield from _attributes(here.state)
            if not is_global(here.function, "torch.serialization", "_get_layout"):
                yield "", here.arguments


def _attributes(state: object) -> Iterator[tuple[object, object]]:
    if isinstance(state, tuple):  # the attributes, and those in __slots__
        for part in state:
            yield from _attributes(part)
    elif isinstance(state, dict):
        for key, item in state.items():
            yield ("" if key in _OF_MODULES else key), item
    else:
        yield "", state


_OF_MODULES = ("_modules", "_parameters", "_buffers")


def _class(function: object) -> Global | None:
    """The class that makes an object; old files wrap it together with its source."""
    if isinstance(function, Persistent) and isinstance(function.id, tuple):
        function = next((part for part in function.id if isinstance(part, Global)), None)
    return function if isinstance(function, Global) else None


def _is_mapping(function: object) -> bool:
    return isinstance(function, Global) and function.module == "collections"


def _join(path: str, key: object, limits: Limits) -> str:
    step = key if isinstance(key, str) else "?" if isinstance(key, Key) else str(key)
    return (f"{path}.{step}" if path and step else path or step)[: limits.name_length]


def _free(name: str, taken: dict[str, TorchTensor]) -> str:
    """`name` with a number behind it, since two paths read alike."""
    number = len(taken)
    while f"{name}#{number}" in taken:
        number += 1
    return f"{name}#{number}"


def _is_plain_row(items: list[Any] | tuple[Any, ...]) -> bool:
    return bool(items) and all(_is_plain(item) for item in items)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, int | float | str)


def _note(facts: dict[str, str], path: str, value: object) -> None:
    if len(facts) >= FACTS or not path:
        return
    if isinstance(value, list | tuple):
        shown = ", ".join(_text(item) for item in value[:8])
        more = f", … ({len(value):,} values)" if len(value) > 8 else ""
        facts.setdefault(path, f"[{shown}{more}]")
    elif _is_plain(value):
        facts.setdefault(path, _text(value))


def _text(value: object) -> str:
    return value[:1000] if isinstance(value, str) else str(value)[:200]


def _ties(tensors: list[TorchTensor]) -> dict[str, str]:
    places: dict[str, list[int]] = {}
    for i, tensor in enumerate(tensors):
        if tensor.storage is not None and tensor.span[1] > tensor.span[0]:
            places.setdefault(tensor.storage.key, []).append(i)
    ties: dict[str, str] = {}
    for shared in places.values():
        if len(shared) > 1:
            ties.update(_overlaps([tensors[i] for i in shared]))
    return ties


def _overlaps(tensors: list[TorchTensor]) -> Iterator[tuple[str, str]]:
    """Of tensors in one storage, those whose bytes another one before them has."""
    end, owner = 0, ""
    for tensor in sorted(tensors, key=lambda t: (t.span[0], -t.span[1])):
        stop = tensor.span[1]
        if stop <= end:
            yield tensor.name, owner
        elif stop > end:
            end, owner = stop, tensor.name
