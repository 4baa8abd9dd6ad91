"""What is asked of a model from outside in order to explain it: probabilities of any input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlnb.errors import DataError

Array = np.ndarray[Any, np.dtype[Any]]
Predict = Callable[[Any], Any]


def answers(predict: Predict, given: Array | Sequence[str]) -> Array:
    """Probabilities `[n, classes]` of n pictures or texts.

    Raises:
        DataError: the model answers something else.
    """
    found = np.asarray(predict(given), np.float64)
    if found.ndim == 1 and len(given) == 1:
        found = found[None]
    if found.ndim != 2 or len(found) != len(given) or not found.size:
        raise DataError(
            f"expected probabilities, [{len(given)}, classes]; the model answered "
            f"{list(found.shape)}"
        )
    return found


def checked_target(target: int | None, answer: Array) -> int:
    """The output that is meant: as asked, else the largest.

    Raises:
        DataError: there is no such output.
    """
    if target is None:
        return int(np.argmax(answer))
    if not 0 <= int(target) < len(answer):
        raise DataError(f"target is {target}; the model has the outputs 0 to {len(answer) - 1}")
    return int(target)
