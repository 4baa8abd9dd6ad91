"""Batches of a Dataset's items, in an order of our own: `FromDataset`.

Without a DataLoader, so that the order is a function of the seed and the epoch, and an item that
raises is known by its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import default_collate

from mlnb.errors import DataError, MlnbError
from mlnb.formatting import plural
from mlnb.train.feed.batches import batch_ends, check_batch_size, epoch_order, seed_of
from mlnb.train.feed.pairs import Pair, Source, error_text, kind_of

if TYPE_CHECKING:
    from mlnb.train.feed.arrays import Target


class FromDataset(Source):
    """Batches of a Dataset's items, in an order that seed and epoch give.

    Args:
        dataset: items by number: `(inputs, target)`, or a dict.
        batch_size: items a batch.
        shuffle: whether every epoch has an order of its own.
        seed: of that order.
        device: where the batches come out.
        rows: which items; all of them where it is `None`.
        target: the key of the target, where items are dicts.
    """

    exact = True

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        device: torch.device | str = "cpu",
        rows: Tensor | None = None,
        target: Target = None,
    ) -> None:
        super().__init__(device, target)
        check_batch_size(batch_size)
        self.dataset, self.batch_size = dataset, batch_size
        self.shuffle, self.seed = shuffle, seed
        self._rows = torch.arange(len(dataset)) if rows is None else rows
        if not len(self._rows):
            raise DataError(f"the {kind_of(dataset)} has no items; training needs at least one")
        self.samples = len(self._rows)
        self._ends = batch_ends(self.samples, batch_size)
        self.steps = len(self._ends)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Pair]:
        """The batches of one epoch; the items of its first `start` are not fetched."""
        order = self._rows
        if self.shuffle:
            order = order[epoch_order(len(order), self.seed, epoch)]
        # Not one ahead: what an item draws at random would be drawn before a snapshot, not after.
        return self.brought(self._drawn(order.tolist(), start), ahead=False)

    def state_dict(self) -> dict[str, Any]:
        """The seed; where in the epoch it stands, the loop knows."""
        return {"seed": self.seed, "samples": self.samples, "batch_size": self.batch_size}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the seed of a checkpoint."""
        self.seed = seed_of(state, self.state_dict())

    @property
    def kind(self) -> str:
        """What it is called in messages."""
        return kind_of(self.dataset)

    def drawn(self) -> Iterator[Pair]:
        """The batches on the host, in the Dataset's own order."""
        return self._drawn(self._rows.tolist(), 0)

    def _drawn(self, order: list[int], start: int) -> Iterator[Pair]:
        for number in range(start, len(self._ends)):
            begin = self._ends[number - 1] if number else 0
            rows = order[begin : self._ends[number]]
            yield self.pair(self._collated(self._items(rows), rows), number)

    def _items(self, rows: list[int]) -> list[Any]:
        items = []
        for row in rows:
            try:
                items.append(self.dataset[row])
            except MlnbError:
                raise
            except Exception as error:
                raise DataError(
                    f"item {row} of the {kind_of(self.dataset)} raised {error_text(error)}"
                ) from error
        return items

    def _collated(self, items: list[Any], rows: list[int]) -> Any:
        try:
            return default_collate(items)
        except Exception as error:
            for row, item in zip(rows, items, strict=True):
                if _shapes(item) != _shapes(items[0]):
                    raise DataError(
                        f"item {row} of the {kind_of(self.dataset)} has the shapes {_shapes(item)} "
                        f"and item {rows[0]} {_shapes(items[0])}: a batch needs one shape. Pad or "
                        "cut them, or pass a DataLoader with a collate_fn of its own"
                    ) from error
            raise DataError(
                f"items of the {kind_of(self.dataset)} make no batch: {error_text(error)}"
            ) from error


def _shapes(item: Any) -> str:
    """The shapes in an item, as text."""
    if isinstance(item, Mapping):
        return str({key: _shapes(part) for key, part in item.items()})
    if isinstance(item, tuple | list) and any(hasattr(part, "shape") for part in item):
        return ", ".join(_shapes(part) for part in item if hasattr(part, "shape"))
    if hasattr(item, "shape"):
        return str(list(item.shape))
    return plural(len(item), "value") if isinstance(item, tuple | list) else type(item).__name__
