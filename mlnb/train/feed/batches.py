"""Batches of what is in memory: one permutation an epoch, then plain slices.

No DataLoader: some rows of the permutation are gathered at once and every batch is a view of
them, which is the fastest way there is: on a CPU about as many as stay in its cache until the
steps have used them, on a GPU as many as make the copies few. The order is a function of the seed
and the epoch alone, so that a run can go on from the middle of an epoch, and the global random
state is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import Any, Protocol

import torch
from torch import Tensor

from mlnb.errors import DataError
from mlnb.train.feed.placing import on_device, pinned
from mlnb.train.trees import first_leaf, leaves, nbytes, tree_map, tree_of

GATHERED_AT_ONCE = {"cpu": 2**20, "cuda": 2**26}
BATCHES_AT_ONCE = {"cpu": 64, "cuda": 1024}
SLICED_AT_ONCE = 1024

Pair = tuple[Any, Any]


class Batches(Protocol):
    """What the loop draws from: `for inputs, targets in batches.epoch(0)`.

    Args:
        samples: rows in an epoch; `None` where nobody knows.
        steps: batches in an epoch; `None` where nobody knows.
        exact: whether `epoch(number, start=k)` gives just what would have come after k batches.
    """

    samples: int | None
    steps: int | None
    exact: bool

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Pair]:
        """The batches of one epoch on the device, without its first `start`."""

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, as a checkpoint keeps it."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""


class InMemory:
    """Batches of tensors that are in memory, on the device where they fit.

    >>> batches = InMemory(torch.zeros(100, 4), torch.zeros(100), 32)
    >>> batches.steps
    4

    Args:
        inputs: a tensor `[n, …]`, or a tuple or a dict of them.
        targets: the same, or `None`.
        batch_size: rows a batch; the last one may be shorter.
        shuffle: whether every epoch has an order of its own.
        seed: of that order.
        device: where the batches come out.
        rows: which rows, as int64 `[k]`; all of them where it is `None`.
        finish: what is done to the inputs of a batch on the device, such as `uint8` to floats.
        join_last: whether a last batch of one row joins the one before it: batch norm cannot
            train on one row.
    """

    exact = True

    def __init__(
        self,
        inputs: Any,
        targets: Any,
        batch_size: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        device: torch.device | str = "cpu",
        rows: Tensor | None = None,
        finish: Callable[[Any], Any] | None = None,
        join_last: bool = False,
    ) -> None:
        check_batch_size(batch_size)
        self.inputs, self.targets, self.rows = inputs, targets, rows
        self.device = torch.device(device)
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self._finish = finish
        held = len(first_leaf(inputs))
        self.samples: int | None = held if rows is None else len(rows)
        self._ends = batch_ends(self.samples, batch_size, join_last)
        self.steps: int | None = len(self._ends)
        self._row_bytes = (nbytes(inputs) + nbytes(targets)) / max(1, held)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Pair]:
        """The batches of one epoch, without its first `start`, which are not touched."""
        pairs = self._pairs(self._order(epoch), start)
        if first_leaf(self.inputs).device.type != self.device.type:
            pairs = on_device(pairs, self.device)
        if self._finish is None:
            return pairs
        finish = self._finish
        return ((finish(inputs), targets) for inputs, targets in pairs)

    def state_dict(self) -> dict[str, Any]:
        """The seed, and what must be the same for the order to be."""
        return {
            "seed": self.seed,
            "samples": self.samples,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the seed of a checkpoint.

        Raises:
            DataError: other rows, another batch size: the order would be another one.
        """
        self.seed = seed_of(state, self.state_dict())

    def _order(self, epoch: int) -> Tensor | None:
        """The rows of an epoch in order; `None` for all of them as they lie."""
        if not self.shuffle:
            return self.rows
        order = epoch_order(self.samples or 0, self.seed, epoch)
        return order if self.rows is None else self.rows[order]

    def _pairs(self, order: Tensor | None, start: int) -> Iterator[Pair]:
        """The batches, some at a time: `Tensor.split` slices without Python."""
        ends = self._ends
        kind = first_leaf(self.inputs).device
        if order is not None:
            order = order.to(kind)
        many = SLICED_AT_ONCE if order is None else self._at_once(kind.type)
        for first in range(start, len(ends), many):
            some = ends[first : first + many]
            begin = ends[first - 1] if first else 0
            sizes = [end - before for before, end in zip([begin, *some], some, strict=False)]
            rows = slice(begin, some[-1])
            inputs, targets = self._rows(order, rows)
            yield from zip(_pieces(inputs, sizes), _pieces(targets, sizes), strict=True)

    def _at_once(self, kind: str) -> int:
        """How many batches are gathered together."""
        size = GATHERED_AT_ONCE.get(kind, 2**20) / max(1.0, self._row_bytes * self.batch_size)
        return max(1, min(BATCHES_AT_ONCE.get(kind, 64), int(size)))

    def _rows(self, order: Tensor | None, rows: slice) -> Pair:
        if order is None:
            return tree_map(lambda leaf: leaf[rows], (self.inputs, self.targets))  # type: ignore[no-any-return]
        picked = order[rows]
        lock = self.device.type == "cuda" and picked.device.type == "cpu"
        return tree_map(  # type: ignore[no-any-return]
            lambda leaf: pinned(leaf.index_select(0, picked), lock), (self.inputs, self.targets)
        )


def mixed(seed: int, epoch: int) -> int:
    """One seed of two numbers, by the finalizer of splitmix64: near pairs are far apart."""
    mask = 2**64 - 1
    value = (seed * 0x9E3779B97F4A7C15 + epoch * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & mask
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return (value ^ (value >> 31)) >> 1


def epoch_order(samples: int, seed: int, epoch: int) -> Tensor:
    """The rows of an epoch in their order, from a generator of its own."""
    return torch.randperm(samples, generator=torch.Generator().manual_seed(mixed(seed, epoch)))


def batch_ends(samples: int, batch_size: int, join_last: bool = False) -> list[int]:
    """Where each batch ends.

    >>> batch_ends(9, 4), batch_ends(9, 4, join_last=True)
    ([4, 8, 9], [4, 9])
    """
    ends = [*range(batch_size, samples, batch_size), samples]
    if join_last and len(ends) > 1 and ends[-1] - ends[-2] == 1:
        del ends[-2]
    return ends


def seed_of(state: dict[str, Any], mine: dict[str, Any]) -> int:
    """The seed in the state of a checkpoint, where all else in it is as in `mine`.

    Raises:
        DataError: other rows, another batch size: the order would be another one.
    """
    for name, value in mine.items():
        if name != "seed" and state.get(name, value) != value:
            raise DataError(
                f"the run has {name} {state[name]}, the data given now {value}; its order "
                "of rows is another one: pass what the run was begun with"
            )
    return int(state["seed"])


def check_batch_size(batch_size: object) -> None:
    """Whether it is a whole number from 1 up.

    Raises:
        DataError: it is none.
    """
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
        raise DataError(f"batch_size={batch_size!r} is no whole number from 1 up")


def _pieces(tree: Any, sizes: list[int]) -> Iterable[Any]:
    """The pieces of a tensor, or of every one in a tuple or a dict, one after another."""
    if tree is None:
        return repeat(None, len(sizes))
    if isinstance(tree, Tensor):
        pieces: tuple[Tensor, ...] = tree.split(sizes)
        return pieces
    rows = zip(*(leaf.split(sizes) for leaf in leaves(tree)), strict=True)
    return (tree_of(tree, row) for row in rows)
