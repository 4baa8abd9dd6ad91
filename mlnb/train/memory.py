"""Out of memory: what is freed, and the largest batch that would fit: `out_of_memory`.

An error keeps its frames alive, and those the activations; so they are let go of before a smaller
batch is tried. The trial takes no optimizer step and puts buffers and random state back.
"""

from __future__ import annotations

import gc
import traceback
from typing import TYPE_CHECKING, Any

import torch

from mlnb.errors import MlnbError, TrainError
from mlnb.formatting import plural
from mlnb.train.ledger import rows_of
from mlnb.train.trees import tree_map

if TYPE_CHECKING:
    from mlnb.train.run import Run

CPU_WORDS = ("can't allocate memory", "not enough memory", "Cannot allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is used up, on a GPU or on the CPU.

    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: …"))
    True
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if not isinstance(error, RuntimeError) or isinstance(error, MlnbError):  # which has said why
        return False
    return any(word in str(error) for word in CPU_WORDS)


def out_of_memory(error: BaseException, run: Run) -> TrainError:
    """The error to raise instead, with the largest batch that fits; memory is freed first."""
    where = "GPU" if run._plan.device.type != "cpu" else "CPU"
    free(error)
    gc.collect()
    for optimizer in run._state.optimizers.values():
        optimizer.zero_grad(set_to_none=True)
    rows, fits, least = _largest_batch(run)
    if fits:
        smaller = f"batch_size={fits} fits; accumulate={max(2, -(-rows // fits))} keeps the steps"
        advice = f"{smaller} as they are"
    elif least:
        advice = (
            f"not even {plural(least, 'row')} fit{'s' * (least == 1)}: use a smaller model or "
            "smaller inputs"
        )
    else:
        advice = "use a smaller batch_size, or a smaller model"
    batches = f" with batches of {plural(rows, 'row')}" if rows else ""
    failure = TrainError(
        f"out of memory on the {where}{batches}; {advice}. The model is as it was after step "
        f"{run._state.step:,}."
    )
    failure.__cause__ = error
    return failure


def free(error: BaseException) -> None:
    """Let go of what the error's frames hold, and of what the allocator keeps for later."""
    seen: BaseException | None = error
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen.__traceback__ = None
        seen = seen.__cause__ or seen.__context__
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _largest_batch(run: Run) -> tuple[int, int, int]:
    """The rows of a batch, halved until they fit (else 0), and the fewest that did not fit."""
    batch = next(iter(run._state.batches.epoch(run._state.epoch)), None)
    rows = least = rows_of(batch[0]) if batch else 0
    if batch is None or run._plan.loss is None:
        return rows, 0, 0
    count = rows
    while count > 1:
        count //= 2
        try:
            if _fits(run, first_rows(batch, count)):
                return rows, count, least
        except Exception:  # noqa: BLE001  so few rows fail otherwise (batch norm), and tell nothing
            break
        least = count
    return rows, 0, least


def first_rows(batch: Any, count: int) -> Any:
    """The first rows of everything in a batch."""
    return tree_map(lambda tensor: tensor[:count], batch)


def _fits(run: Run, batch: tuple[Any, Any]) -> bool:
    """Whether forward and backward go through; only gradients change, and they are freed."""
    models = run._state.models.values()
    buffers = [(buffer, buffer.clone()) for model in models for buffer in model.buffers()]
    devices = [run._plan.device] if run._plan.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices):
            run._plan.trial(run._state, *batch)
        return True
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        free(error)
        return False
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        for model in models:
            model.zero_grad(set_to_none=True)
