"""Where data lies, and how it comes to the device: whole, or one batch ahead of the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from mlnb.device import free_memory
from mlnb.formatting import bytes_text
from mlnb.train.trees import leaves, nbytes, tree_map

SHARE = 4


def place(inputs: Any, targets: Any, device: torch.device) -> tuple[Any, Any, str]:
    """The whole set where it serves best, and a sentence where that needs one.

    On a GPU it lives there when it takes at most a quarter of what is free, else in page-locked
    memory, from which batches are copied while the step before still computes.

    Args:
        inputs: tensors on the CPU.
        targets: the same, or `None`.
        device: where training happens.
    """
    size = nbytes(inputs) + nbytes(targets)
    if device.type == "cpu" or all(leaf.device == device for leaf in leaves((inputs, targets))):
        return inputs, targets, ""
    free = free_memory(device)
    if free is None or size <= free // SHARE:
        moved = tree_map(lambda tensor: tensor.to(device), (inputs, targets))
        return moved[0], moved[1], f"data: all of it lives on {device} ({bytes_text(size)})"
    lock = device.type == "cuda"
    held = tree_map(lambda tensor: pinned(tensor, lock), (inputs, targets))
    return (
        held[0],
        held[1],
        f"data: {bytes_text(size)} is more than a quarter of the {bytes_text(free)} that are free "
        f"on {device}; batches are brought there one ahead",
    )


def on_device(batches: Iterator[Any], device: torch.device, *, ahead: bool = True) -> Iterator[Any]:
    """The same batches on the device, each copied while the step on the one before computes.

    Args:
        batches: on the host.
        device: where they go.
        ahead: whether a batch is drawn before the step on the one before is done.
    """
    if device.type == "cpu":
        return batches
    if device.type == "cuda" and ahead:
        return _one_ahead(batches, device)
    lock = device.type == "cuda"
    return (
        tree_map(lambda tensor: pinned(tensor, lock).to(device, non_blocking=lock), batch)
        for batch in batches
    )


def _one_ahead(batches: Iterator[Any], device: torch.device) -> Iterator[Any]:
    stream = torch.cuda.Stream(device)

    def moved(batch: Any) -> Any:
        with torch.cuda.stream(stream):
            return tree_map(
                lambda tensor: pinned(tensor, True).to(device, non_blocking=True), batch
            )

    ahead = moved(next(batches, None))
    while ahead is not None:
        current = torch.cuda.current_stream(device)
        current.wait_stream(stream)
        ready = ahead
        for leaf in leaves(ready):
            # Its memory belongs to the other stream, which must not reuse it under the step.
            leaf.record_stream(current)
        ahead = moved(next(batches, None))
        yield ready


def pinned(tensor: Tensor, lock: bool) -> Tensor:
    """The tensor in page-locked memory, which alone can be copied without waiting."""
    if not lock or tensor.device.type != "cpu" or tensor.is_pinned():
        return tensor
    return tensor.pin_memory()


def fits(size: int, device: torch.device, *, at_most: int) -> bool:
    """Whether so many bytes more are no burden: a quarter of a GPU's free memory, or a limit."""
    free = free_memory(device)
    return size <= (at_most if free is None else min(at_most, free // SHARE))
