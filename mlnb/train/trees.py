"""Tensors in a tuple or a dict: what a model with several inputs takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def tree_map(function: Callable[[Tensor], Any], tree: Any) -> Any:
    """The same tuple, list or dict with `function` done to every tensor; the rest as it is.

    >>> tree_map(torch.sum, {"a": torch.ones(2), "b": None})
    {'a': tensor(2.), 'b': None}
    """
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, Mapping):
        return {key: tree_map(function, value) for key, value in tree.items()}
    if isinstance(tree, tuple | list):
        return tuple(tree_map(function, value) for value in tree)
    return tree


def leaves(tree: Any) -> list[Tensor]:
    """Every tensor, in order."""
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, Mapping):
        return [leaf for value in tree.values() for leaf in leaves(value)]
    if isinstance(tree, tuple | list):
        return [leaf for value in tree for leaf in leaves(value)]
    return []


def tree_of(like: Any, tensors: Iterable[Any]) -> Any:
    """A tuple or dict as `like`, with other tensors in the same order."""
    following = iter(tensors)
    return tree_map(lambda _: next(following), like)


def joined(parts: Sequence[Any]) -> Any:
    """What a model gave for one batch after another, as it would give it for all of them.

    >>> joined([torch.zeros(2, 3), torch.zeros(1, 3)]).shape
    torch.Size([3, 3])
    """
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(list(parts)) if first.ndim else torch.stack(list(parts))
    if isinstance(first, Mapping):
        return {key: joined([part[key] for part in parts]) for key in first}
    if isinstance(first, tuple | list):
        return tuple(joined(column) for column in zip(*parts, strict=True))
    return None if first is None else list(parts)


def first_leaf(tree: Any) -> Tensor:
    """The first tensor, which tells how many rows there are and where they lie."""
    return leaves(tree)[0]


def nbytes(tree: Any) -> int:
    """What all the tensors take."""
    return sum(leaf.numel() * leaf.element_size() for leaf in leaves(tree))


def dtype_text(dtype: torch.dtype) -> str:
    """A dtype as one writes it: `float32`."""
    return str(dtype).removeprefix("torch.")


def named_leaves(tree: Any, name: str = "inputs") -> list[tuple[str, Tensor]]:
    """Every tensor with the name that a person would give it: `inputs`, `inputs["a"]`."""
    if isinstance(tree, Tensor):
        return [(name, tree)]
    if isinstance(tree, Mapping):
        pairs = [(f"{name}[{key!r}]", value) for key, value in tree.items()]
    elif isinstance(tree, tuple | list):
        pairs = [(f"{name}[{index}]", value) for index, value in enumerate(tree)]
    else:
        pairs = []
    return [leaf for path, value in pairs for leaf in named_leaves(value, path)]
