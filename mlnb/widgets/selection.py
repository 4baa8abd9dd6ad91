"""`Selection`: which rows are chosen, one truth for every widget that shows the same rows.

It holds row ids, the labels of a frame's index, and never positions: a report of the test rows, a
grid of all of them and a map in another order then mean the same picture.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from mlnb.errors import DataError
from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Index


class Selection(t.HasTraits):
    """The chosen rows, shared by grids, reports, tables and maps.

    >>> selection = Selection(frame)
    >>> ImageGrid(frame, selection=selection)   # choosing in one
    >>> EmbeddingMap(features, frame, selection=selection)  # chooses in all
    >>> selection.frame                         # the chosen rows, as a frame
    >>> selection.ids = frame.index[:10]        # and from Python
    >>> selection.observe(lambda change: print(len(change.new)), "ids")

    Args:
        frame: the rows one can choose from; its index, without repeats, are their ids. A widget
            that is given the selection adds its own rows.
        ids: those that are chosen already.

    Raises:
        DataError: two rows have the same id, or an id is of no row.
    """

    ids = t.Any((), help="The ids of the chosen rows as a tuple, in the order of their choosing.")

    version = t.Int(help="Goes up when rows become known or are edited.")

    def __init__(self, frame: DataFrame | None = None, ids: Iterable[Hashable] = ()) -> None:
        super().__init__()
        self._whole: DataFrame | None = None
        if frame is not None:
            self.take(frame)
        self.ids = ids

    @property
    def frame(self) -> DataFrame:
        """The chosen rows with all their columns, in the order in which they were chosen."""
        if self._whole is None:
            import pandas as pd

            return pd.DataFrame(index=pd.Index(list(self.ids)))
        return self._whole.loc[list(self.ids)]

    def clear(self) -> None:
        """Choose nothing."""
        self.ids = ()

    def take(self, frame: DataFrame, gone: Iterable[str] = ()) -> None:
        """Learn of rows, or of what was changed in them: by id and column, what is new counts.

        Args:
            frame: any part of the rows and columns, or new ones.
            gone: columns that no row has any more.

        Raises:
            DataError: two rows have the same id.
        """
        if frame is self._whole:
            return
        require_ids(frame)
        old = None if self._whole is None else self._whole.drop(columns=list(gone), errors="ignore")
        self._whole = frame if old is None else _merged(old, frame)
        self.version += 1

    def newest(self, frame: DataFrame, edited: Iterable[str] = ()) -> DataFrame:
        """The rows and columns of `frame`, with what was edited in them since, by any widget.

        Args:
            frame: rows that were taken.
            edited: columns that may have come since.
        """
        if self._whole is None or frame is self._whole:
            return frame
        columns = [name for name in dict.fromkeys([*frame.columns, *edited]) if name in self._whole]
        return self._whole.loc[frame.index, columns]

    def positions(self, frame: DataFrame) -> NDArray[np.int64]:
        """Where the chosen rows stand in `frame`, counted from 0; those it lacks are left out."""
        found = frame.index.get_indexer(list(self.ids)) if self.ids else np.empty(0)
        return found[found >= 0].astype(np.int64)

    def choose(self, frame: DataFrame, positions: Iterable[int]) -> None:
        """Choose the rows at these positions of `frame`, counted from 0."""
        self.ids = frame.index.take(np.fromiter(positions, np.int64)).tolist()

    def __repr__(self) -> str:
        of = "" if self._whole is None else f" of {len(self._whole):,}"
        return f"Selection({len(self.ids):,}{of} chosen)"

    @t.validate("ids")
    def _known(self, proposal: Mapping[str, Any]) -> tuple[Hashable, ...]:
        ids = _tuple(proposal["value"])
        if self._whole is not None:
            _require_known(ids, self._whole.index)
        return ids


def require_ids(frame: DataFrame) -> None:
    """Refuse a frame in which an id could mean two rows.

    Raises:
        DataError: with the id and how to number the rows anew.
    """
    if frame.index.is_unique:
        return
    repeated = frame.index[frame.index.duplicated()]
    raise DataError(
        f"the index names {plural(len(repeated), 'row')} twice, {_shown(repeated[0])} among them; "
        "give each row an id of its own: frame.reset_index(drop=True)"
    )


def _merged(old: DataFrame, new: DataFrame) -> DataFrame:
    if old.index.isin(new.index).all() and old.columns.isin(new.columns).all():
        return new
    import pandas as pd

    whole = pd.concat([old, new.loc[~new.index.isin(old.index)]])
    for name in new.columns:
        column = whole[name].astype(object) if name in old.columns else whole[name]
        column = column.copy()
        column.loc[new.index] = new[name].astype(object)
        whole[name] = column.infer_objects()
    return whole


def _tuple(ids: Any) -> tuple[Hashable, ...]:
    """Each once, as Python's own; a list, an index or an array is as good as a tuple."""
    if isinstance(ids, str):
        raise DataError(f"ids is a row of ids; for one alone: ids=[{_shown(ids)}]")
    return tuple(dict.fromkeys(ids.tolist() if hasattr(ids, "tolist") else ids))


def _require_known(ids: tuple[Hashable, ...], index: Index) -> None:
    strange = [one for one, at in zip(ids, index.get_indexer(list(ids)), strict=True) if at < 0]
    if not strange:
        return
    more = f" (nor {len(strange) - 1:,} more)" if len(strange) > 1 else ""
    known = f"from {_shown(index[0])} to {_shown(index[-1])}" if len(index) else "of no row at all"
    raise DataError(
        f"no row has the id {_shown(strange[0])}{more}; ids are the index of the frame, {known}"
    )


def _shown(one: object) -> str:
    return display_text(repr(one.item() if hasattr(one, "item") else one))
