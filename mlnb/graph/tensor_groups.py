"""Tensors grouped by the modules in their names: `grouped`.

`layers.0.attention.weight` lies in `layers`, in `layers.0`, in `layers.0.attention`. A group with
one group alone in it is one group, `model.layers`. Groups side by side that are alike but for a
number become one, with the first one's tensors in sight.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.graph.graph import Value

DEPTH = 12
"""Levels of groups; what is nested more deeply stands in the last one."""

_STEP = re.compile(r"[./]")


@dataclass(frozen=True, slots=True)
class Group:
    """Tensors whose names begin alike.

    Args:
        label: what is shown: the beginning, or the first and the last of several alike.
        items: groups and tensors in it; of several alike those of the first.
        count: tensors in it, those of its repeats too; so are the next two.
        elements: of these tensors; those that share another's bytes do not count.
        nbytes: the same in bytes.
        likeness: equal in two groups that are alike.
    """

    label: str
    items: tuple[Group | Value, ...]
    count: int
    elements: int
    nbytes: int
    likeness: int


def grouped(
    tensors: Sequence[Value], ties: Container[str] = frozenset()
) -> tuple[Group | Value, ...]:
    """Groups and single tensors, in the order in which they begin in the file.

    >>> grouped(tensors)[0].label
    'layers.0 … layers.31 (×32)'

    Args:
        tensors: in the order of the file.
        ties: names of tensors that share another's bytes.
    """
    steps = [_STEP.split(tensor.name[:1000])[:DEPTH] for tensor in tensors]
    return _level(tensors, steps, range(len(tensors)), 0, ties)


def elements(tensor: Value) -> int:
    """How many elements a tensor has; 0 where its shape is not known."""
    if tensor.shape is None:
        return 0
    return prod(size for size in tensor.shape if isinstance(size, int))


def _level(
    tensors: Sequence[Value],
    steps: Sequence[Sequence[str]],
    members: Iterable[int],
    depth: int,
    ties: Container[str],
) -> tuple[Group | Value, ...]:
    parts: dict[str, list[int]] = {}
    for i in members:
        # A tensor's own last step names no group: it stands by itself under a key of its own.
        row = steps[i]
        parts.setdefault(row[depth] if len(row) > depth + 1 else f"\0{i}", []).append(i)
    found: list[Group | Value] = []
    for key, inner in parts.items():
        if key.startswith("\0") and len(inner) == 1:
            found.append(tensors[inner[0]])
        else:
            items = _level(tensors, steps, inner, depth + 1, ties)
            alone = items[0] if len(items) == 1 else None
            if alone is not None and not (isinstance(alone, Group) and "(×" in alone.label):
                found.append(alone)
            else:
                found.append(_group(_beginning(tensors[inner[0]].name, depth + 1), items, ties))
    return tuple(_joined(found))


def _group(beginning: str, items: tuple[Group | Value, ...], ties: Container[str]) -> Group:
    count = size = nbytes = 0
    rows = []
    for item in items:
        if isinstance(item, Group):
            count, size, nbytes = count + item.count, size + item.elements, nbytes + item.nbytes
            rows.append((item.label.replace(beginning, ""), item.likeness))
        else:
            count += 1
            rows.append((item.name[len(beginning) :], hash((item.dtype, item.shape))))
            if item.name not in ties:
                size, nbytes = size + elements(item), nbytes + (item.nbytes or 0)
    likeness = hash(tuple(rows))
    return Group(display_text(beginning, 60), items, count, size, nbytes, likeness)


def _beginning(name: str, depth: int) -> str:
    """The first `depth` steps of a name, with the dots and slashes between them."""
    ends = [match.start() for match in _STEP.finditer(name[:1000])]
    return name[: ends[depth - 1]] if len(ends) >= depth else name


def _joined(items: list[Group | Value]) -> Iterator[Group | Value]:
    """Groups in a row that are alike but for a number in their names become one."""
    i = 0
    while i < len(items):
        first = items[i]
        j = i + 1
        while isinstance(first, Group) and j < len(items) and _are_alike(first, items[j]):
            j += 1
        row = [item for item in items[i:j] if isinstance(item, Group)]
        yield _row(row) if len(row) > 1 else first
        i = j


def _are_alike(first: Group, other: Group | Value) -> bool:
    if not isinstance(other, Group) or other.likeness != first.likeness:
        return False
    return _numberless(other.label) == _numberless(first.label) != other.label


def _numberless(label: str) -> str:
    return _NUMBER.sub("#", label)


_NUMBER = re.compile(r"\d+")


def _row(row: list[Group]) -> Group:
    return replace(
        row[0],
        label=f"{row[0].label} … {row[-1].label} (×{len(row)})",
        count=sum(group.count for group in row),
        elements=sum(group.elements for group in row),
        nbytes=sum(group.nbytes for group in row),
    )
