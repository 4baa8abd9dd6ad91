"""What a Dataset or a loader gives, as inputs and targets: `as_pair`, and `Source` over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mlnb.errors import DataError
from mlnb.formatting import display_text, plural
from mlnb.train.feed.placing import on_device
from mlnb.train.feed.target_values import as_tensor
from mlnb.train.trees import first_leaf, leaves

if TYPE_CHECKING:
    from mlnb.train.feed.arrays import Target
    from mlnb.train.feed.reading import Reading

Pair = tuple[Any, Any]


class Source:
    """What Datasets and DataLoaders have in common: reading a batch, and bringing it over."""

    samples: int | None
    steps: int | None

    def __init__(self, device: torch.device | str, target: Target) -> None:
        self.device = torch.device(device)
        self._target = target
        self.reading: Reading | None = None

    def pair(self, batch: Any, number: int) -> Pair:
        """Inputs and targets of one batch, on the host, read as the first one was."""
        inputs, targets = as_pair(batch, self._target, number)
        if targets is not None and leaves(inputs) and len(targets) != len(first_leaf(inputs)):
            raise DataError(
                f"batch {number} has {plural(len(first_leaf(inputs)), 'input')} and "
                f"{plural(len(targets), 'target')}: every row needs one target"
            )
        if self.reading is not None and self.reading.rule is not None and targets is not None:
            targets = self.reading.rule.batch(targets, f"the targets of batch {number}")
        return inputs, targets

    def brought(self, pairs: Iterator[Pair], ahead: bool) -> Iterator[Pair]:
        """The pairs on the device, inputs as the model takes them."""
        moved = on_device(pairs, self.device, ahead=ahead)
        if self.reading is None:
            return moved
        finish = self.reading.finish
        return ((finish(inputs), targets) for inputs, targets in moved)


def as_pair(batch: Any, target: Target = None, number: int = 0) -> Pair:
    """Inputs and targets of one batch: a pair, a dict of x and y, or inputs alone.

    >>> as_pair({"x": torch.zeros(2), "y": torch.ones(2)})[1]
    tensor([1., 1.])

    Raises:
        DataError: nothing of these.
    """
    targets: Any = None
    if isinstance(batch, Mapping):
        parts = dict(batch)
        if target is None and set(parts) == {"x", "y"}:
            target = "y"
        if isinstance(target, str):
            if target not in parts:
                keys = ", ".join(display_text(str(key), 40) for key in parts)
                raise DataError(f"batch {number} has no {target!r}; it has: {keys}")
            targets = parts.pop(target)
            inputs: Any = parts["x"] if set(parts) == {"x"} else parts
        else:
            inputs = parts
    elif isinstance(batch, tuple | list) and batch:
        *first, last = batch
        inputs, targets = (first[0] if len(first) == 1 else tuple(first), last) if first else (
            last, None
        )  # fmt: skip
    else:
        inputs = batch
    inputs = _converted(inputs)
    if not leaves(inputs):
        raise DataError(
            f"batch {number} is a {type(batch).__name__} without a tensor; expected "
            "(inputs, targets), or a dict of x and y"
        )
    if targets is None or isinstance(targets, Tensor):
        return inputs, targets
    if isinstance(targets, Mapping) or (isinstance(targets, list | tuple) and leaves(targets)):
        raise DataError(
            f"batch {number} has {len(targets)} targets; one is expected, and several take a "
            "step of your own: Trainer(step=…)"
        )
    return inputs, targets


def _converted(tree: Any) -> Any:
    """NumPy arrays as tensors; a list of inputs as a tuple."""
    if isinstance(tree, np.ndarray) and tree.dtype.kind in "biufc":
        return as_tensor(tree)
    if isinstance(tree, Mapping):
        return {key: _converted(part) for key, part in tree.items()}
    if isinstance(tree, tuple | list):
        return tuple(_converted(part) for part in tree)
    return tree


def is_function(source: Any) -> bool:
    """Whether it makes its batches when called."""
    return callable(source) and not hasattr(source, "__iter__")


def error_text(error: Exception) -> str:
    """The kind of error and its message; of a worker's, which is a traceback, the last line."""
    text = str(error).strip()
    lines = text.splitlines()
    if "in DataLoader worker process" in text:
        return display_text(lines[-1].strip(), 200)
    return f"{type(error).__name__}: {display_text(lines[0], 200)}" if lines else (
        type(error).__name__
    )  # fmt: skip


def kind_of(source: Any) -> str:
    """What a source is called in messages."""
    name = source.__name__ if is_function(source) and hasattr(source, "__name__") else (
        type(source).__name__
    )  # fmt: skip
    return display_text(f"function {name}" if is_function(source) else name, 60)
