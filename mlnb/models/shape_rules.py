"""Which shapes may be fed together: numbers match, names agree, and a batch may be longer.

Most files at hand fix their batch, nearly always at one, only because they were exported with one
example; a longer batch then runs piece by piece rather than being refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.formatting import count_text, display_text

if TYPE_CHECKING:
    from mlnb.specs import Shape, TensorSpecs


def fixed_batch(inputs: TensorSpecs, outputs: TensorSpecs) -> int | None:
    """The batch size that the file fixes: the same first number in every input and output."""
    firsts = {
        spec.shape[0] if spec.kind == "tensor" and spec.shape else None
        for spec in (*inputs, *outputs)
    }
    first = firsts.pop() if len(firsts) == 1 else None
    return first if isinstance(first, int) and first > 0 and inputs and outputs else None


def fits(shape: tuple[int, ...], expected: Shape | None, piece: int | None = None) -> bool:
    """Whether an array of this shape may be fed where `expected` stands.

    Args:
        shape: the array's.
        expected: the input's; names and `None` match any length.
        piece: the fixed batch; where given, the first dimension may be longer.
    """
    if expected is None:
        return True
    if len(shape) != len(expected):
        return False
    if piece is not None and shape and shape[0] > piece:
        shape = (piece, *shape[1:])
    return all(
        want == have for have, want in zip(shape, expected, strict=True) if isinstance(want, int)
    )


_NAMELESS = {"", "?", "None", "none", "-1"}


def disagreements(inputs: TensorSpecs, taken: Mapping[str, Any]) -> list[str]:
    """Dimensions of one name that came with several lengths."""
    seen: dict[str, dict[int, str]] = {}
    for spec in inputs:
        value = taken[spec.name]
        if not isinstance(value, np.ndarray) or spec.shape is None:
            continue
        for name, length in zip(spec.shape, value.shape, strict=True):
            # Exporters write "None" and "unk__12" for what has no name; those say nothing.
            if isinstance(name, str) and name not in _NAMELESS and not name.startswith("unk__"):
                seen.setdefault(name, {}).setdefault(length, display_text(spec.name))
    return [
        f"Dimension {display_text(name, 40)} must be the same everywhere; received "
        + ", ".join(f"{length} in `{where}`" for length, where in lengths.items())
        + "."
        for name, lengths in seen.items()
        if len(lengths) > 1
    ]


def batch_rows(
    inputs: TensorSpecs, taken: Mapping[str, Any], piece: int, problems: list[str]
) -> int | None:
    """The length of a batch longer than the model's own, the same in all inputs."""
    lengths = {spec.name: len(taken[spec.name]) for spec in inputs}
    if set(lengths.values()) == {piece}:
        return None
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{n} in `{display_text(name)}`" for name, n in lengths.items())
        problems.append(f"All inputs need the same number of rows; received {told}.")
        return None
    return next(iter(lengths.values()))


def pieces_note(rows: int, piece: int) -> str:
    """What is told of a batch that ran in pieces."""
    runs = -(-rows // piece)
    filled = runs * piece - rows
    tail = f", the last one filled with {filled} copies of its last row" if filled else ""
    return (
        f"the model's batch is fixed at {piece}: {count_text(rows)} rows ran in "
        f"{count_text(runs)} pieces{tail}"
    )
