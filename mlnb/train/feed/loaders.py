"""DataLoaders, iterables of batches and functions that make one: `FromLoader`.

A DataLoader is kept as it is, workers and all. Where it can say where it stands (torchdata's
StatefulDataLoader) a run goes on from there, else from the beginning of its epoch.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from mlnb.errors import DataError, MlnbError, TrainError
from mlnb.formatting import first_line
from mlnb.train.feed.datasets import FromDataset
from mlnb.train.feed.pairs import Pair, Source, error_text, is_function, kind_of

if TYPE_CHECKING:
    from torch import Tensor

    from mlnb.train.feed.arrays import Foreign, Target

WORKER_DIED = ("DataLoader worker", "exited unexpectedly", "is killed by signal")


def batches_of(
    given: Foreign,
    batch_size: int,
    *,
    shuffle: bool = False,
    seed: int = 0,
    device: torch.device | str = "cpu",
    rows: Tensor | None = None,
) -> FromDataset | FromLoader:
    """The batches of what makes its own.

    >>> batches_of(Foreign(TensorDataset(torch.zeros(10, 2), torch.zeros(10))), 4).steps
    3

    Args:
        given: a Dataset, a DataLoader, an iterable of batches, or a function that makes one.
        batch_size: rows a batch, for a Dataset; the others have their own.
        shuffle: whether a Dataset's items come in another order every epoch.
        seed: of that order.
        device: where the batches come out.
        rows: which items of a Dataset.
    """
    source = given.source
    if isinstance(source, IterableDataset):
        source = DataLoader(source, batch_size=batch_size)
    if is_indexed(source):
        return FromDataset(
            source, batch_size, shuffle=shuffle, seed=seed, device=device, rows=rows,
            target=given.target,
        )  # fmt: skip
    return FromLoader(source, device=device, target=given.target)


def is_indexed(source: Any) -> bool:
    """Whether items can be had by number, as of a Dataset; an iterable one cannot say how many."""
    if isinstance(source, DataLoader | IterableDataset):
        return False
    return hasattr(source, "__getitem__") and hasattr(source, "__len__")


class FromLoader(Source):
    """Batches of a DataLoader, an iterable of batches, or a function that makes one.

    Args:
        source: gone through once an epoch.
        device: where the batches come out.
        target: the key of the targets, where batches are dicts.
    """

    def __init__(
        self, source: Any, *, device: torch.device | str = "cpu", target: Target = None
    ) -> None:
        super().__init__(device, target)
        self.source = source
        self.exact = hasattr(source, "state_dict") and hasattr(source, "load_state_dict")
        self.steps = _length(source)
        self.samples = _samples(source, self.steps)
        self._live: tuple[int, int, Iterator[Pair]] | None = None
        self._loaded = False

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Pair]:
        """The batches of one epoch; without its first `start`, where it stands there already.

        An epoch that was left goes on where it was left; after `load_state_dict` a loader that
        can stand anywhere begins there. Any other draws the first `start` and drops them.
        """
        skip = start
        stream = None
        if self._live is not None and self._live[:2] == (epoch, start) and start:
            stream, skip = self._live[2], 0
        elif self._loaded:
            skip = 0
        self._loaded, self._live = False, None
        number = start - skip
        if stream is None:
            stream = self.brought(self.drawn(number), ahead=not self.exact)
        for pair in stream:
            number += 1
            if number <= start:
                continue
            self._live = (epoch, number, stream)
            yield pair
        self._live = None
        if number == 0:
            raise DataError(
                f"the {kind_of(self.source)} gave no batch in epoch {epoch + 1}; it needs at least "
                "one, and the same again every epoch: where it can be gone through once only, pass "
                "the function that makes it"
            )

    def state_dict(self) -> dict[str, Any]:
        """The loader's own state, where it has one; asking may begin an epoch, and draw a seed."""
        with same_random_state():
            return {"loader": self.source.state_dict()} if self.exact else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the loader go on from there, where it can."""
        self._live = None
        if self.exact and "loader" in state:
            self.source.load_state_dict(state["loader"])
            self._loaded = True

    @property
    def kind(self) -> str:
        """What it is called in messages."""
        return kind_of(self.source)

    def drawn(self, number: int = 0) -> Iterator[Pair]:
        """The batches on the host; the first of them is counted as `number`."""
        # One that goes on within an epoch draws what was drawn when the epoch began.
        quiet = same_random_state() if self.exact and number else nullcontext()
        try:
            with quiet:
                iterator = iter(self.source() if is_function(self.source) else self.source)
        except Exception as error:
            raise DataError(f"the {kind_of(self.source)} raised {error_text(error)}") from error
        while True:
            try:
                batch = next(iterator)
            except StopIteration:
                return
            except MlnbError:
                raise
            except Exception as error:
                raise _broken(self.source, number, error) from error
            yield self.pair(batch, number)
            number += 1


@contextmanager
def same_random_state() -> Iterator[None]:
    """Leave Python's, NumPy's and torch's global generators as they were."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        return None


def _samples(source: Any, steps: int | None) -> int | None:
    """How many rows a DataLoader gives, where its sampler tells."""
    size = getattr(source, "batch_size", None)
    if steps is None or not isinstance(size, int):
        return None
    if getattr(source, "drop_last", False):
        return steps * size
    return _length(getattr(source, "sampler", None))


def _broken(source: Any, number: int, error: Exception) -> MlnbError:
    text = str(error)
    if (
        isinstance(error, RuntimeError)
        and WORKER_DIED[0] in text
        and any(words in text for words in WORKER_DIED[1:])
    ):
        return TrainError(
            f"a worker of the DataLoader died at batch {number}: "
            f"{first_line(error, 160).rstrip('.')}. It is often out of memory; try fewer workers "
            "(num_workers=0 shows the error itself)"
        )
    return DataError(f"batch {number} of the {kind_of(source)} raised {error_text(error)}")
