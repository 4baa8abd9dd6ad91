"""The nearest thing to do when an array does not fit an input: `remedy`.

Candidates are tried on an array of the same shape that takes no memory, so that what is proposed is
known to fit; the order is that of likelihood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from mlnb.specs import TensorSpec

Array = np.ndarray[Any, np.dtype[Any]]
Fits = Callable[[tuple[int, ...]], bool]


def remedy(array: Array, fits: Fits, spec: TensorSpec, *, cast: str, reshape: bool) -> str:
    """A sentence with the expression that makes `x` fit; empty where none is known.

    Args:
        array: what was fed.
        fits: whether a shape is right.
        spec: the input.
        cast: the dtype to convert to, as one writes it; empty where the dtype is right.
        reshape: whether the shape is wrong.
    """
    expression = _shape_expression(array.shape, fits, spec) if reshape else "x"
    if expression is None:
        size = _picture_size(array.shape, spec)
        return f"Resize the pictures to {size} pixels first." if size else ""
    why = "add a batch axis: " if expression == "x[None]" else ""
    if cast:
        expression += f".astype({cast})"
    return f"Try {why}{expression}." if expression != "x" else ""


def _shape_expression(shape: tuple[int, ...], fits: Fits, spec: TensorSpec) -> str | None:
    dummy = np.broadcast_to(np.uint8(0), shape)
    for expression, change in _candidates(shape, spec):
        try:
            if fits(change(dummy).shape):
                return expression
        except (ValueError, IndexError):
            continue
    return None


def _candidates(
    shape: tuple[int, ...], spec: TensorSpec
) -> Iterator[tuple[str, Callable[[Array], Array]]]:
    rank = len(shape)
    yield "x[None]", lambda x: x[None]
    if rank == 4:
        yield "x.transpose(0, 3, 1, 2)", lambda x: x.transpose(0, 3, 1, 2)
        yield "x.transpose(0, 2, 3, 1)", lambda x: x.transpose(0, 2, 3, 1)
    if rank == 3:
        yield "x.transpose(2, 0, 1)[None]", lambda x: x.transpose(2, 0, 1)[None]
        yield "x.transpose(1, 2, 0)[None]", lambda x: x.transpose(1, 2, 0)[None]
        yield "x.transpose(2, 0, 1)", lambda x: x.transpose(2, 0, 1)
        yield "x.transpose(1, 2, 0)", lambda x: x.transpose(1, 2, 0)
        yield "x[:, None]", lambda x: x[:, None]
    yield "x[None, None]", lambda x: x[None, None]
    yield "x[..., None]", lambda x: x[..., None]
    yield "x[None, ..., None]", lambda x: x[None, ..., None]
    if rank == 2:
        yield "x.T", lambda x: x.T
    if rank and shape[0] == 1:
        yield "x[0]", lambda x: x[0]
    if 1 in shape:
        yield "x.squeeze()", lambda x: x.squeeze()
    if rank and shape[-1] == 1:
        yield "x[..., 0]", lambda x: x[..., 0]
    yield from _reshapes(shape, spec)


def _reshapes(
    shape: tuple[int, ...], spec: TensorSpec
) -> Iterator[tuple[str, Callable[[Array], Array]]]:
    """The input's own shape where the values are as many, the rows kept where there are several."""
    wanted = spec.shape
    if wanted is None or not all(isinstance(d, int) for d in wanted[1:]):
        return
    inner = tuple(d for d in wanted[1:] if isinstance(d, int))
    if not wanted or prod(inner) == 0 or (shape and prod(shape) % prod(inner)):
        return
    rows = prod(shape) // prod(inner)
    target = (rows, *inner)
    if rows and (rows == 1 or (shape and rows == shape[0])):
        yield f"x.reshape({', '.join(map(str, target))})", lambda x: x.reshape(target)


def _picture_size(shape: tuple[int, ...], spec: TensorSpec) -> str:
    """Height × width that a picture model takes, where a picture of another size came."""
    wanted = spec.shape
    if wanted is None or len(wanted) != 4 or not 2 <= len(shape) <= 4:
        return ""
    for axis, sides in ((1, wanted[2:]), (3, wanted[1:3])):
        channels = wanted[axis]
        if (
            channels in (1, 3, 4)
            and channels in (*shape, 1)
            and all(isinstance(side, int) for side in sides)
        ):
            return f"{sides[0]} × {sides[1]}"
    return ""
