"""Which columns of a frame are the texts and the labels: `columns_of`.

What is not said is guessed by name and kind, and only where one column alone can be meant; a guess
between two would train on the wrong one in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlnb.data.rows import columns_text, require_column
from mlnb.errors import DataError

if TYPE_CHECKING:
    from pandas import DataFrame, Series

TEXTS = ("text", "sentence", "review", "comment", "message", "content")
LABELS = ("label", "labels", "target", "class", "category", "sentiment")
OTHERS = ("split", "left_out", "status", "path", "id", "predictedlabel", "score", "part")
"""What other rooms put into frames, or what names rows; never guessed."""


@dataclass(frozen=True)
class Columns:
    """Names of columns; `None` where nothing is said.

    Args:
        text: of the texts.
        text_pair: of the second texts, where there are pairs.
        target: of the labels; of several columns of 0 and 1 a list.
    """

    text: Any = None
    text_pair: Any = None
    target: Any = None


def columns_of(frame: DataFrame, asked: Columns, *, labelled: bool) -> Columns:
    """All columns that are needed, what was asked for first.

    >>> columns_of(pd.DataFrame({"Text": ["good"], "Sentiment": [1]}), Columns(), labelled=True)
    Columns(text='Text', text_pair=None, target='Sentiment')

    Args:
        frame: whose columns they are.
        asked: what was said.
        labelled: whether labels are needed.

    Raises:
        UnknownName: there is no such column.
        DataError: none or several can be meant; they are listed.
    """
    several = isinstance(asked.target, list | tuple)
    targets = list(asked.target) if several else [asked.target]
    named = [asked.text, asked.text_pair, *(targets if labelled else ())]
    for name in named:
        if name is not None:
            require_column(frame, name)
    taken = [name for name in named if name is not None]
    text, target = asked.text, asked.target
    if text is None:
        text = _guessed(frame, taken, TEXTS, _might_hold_texts, "texts", "text=")
        taken.append(text)
    if labelled and target is None:
        target = _guessed(frame, taken, LABELS, lambda *_: True, "labels", "target=")
    return Columns(text, asked.text_pair, list(target) if several else target)


def _guessed(
    frame: DataFrame,
    taken: Sequence[Any],
    usual: Sequence[str],
    might_be: Callable[[DataFrame, Any], bool],
    what: str,
    word: str,
) -> Any:
    """The only column of a usual name, else the only one that might be it."""
    free = [name for name in frame.columns if name not in taken and not _is(name, OTHERS)]
    found = [name for name in free if _is(name, usual)]
    found = found or [name for name in free if might_be(frame, name)]
    if len(found) == 1:
        require_column(frame, found[0])
        return found[0]
    which = f"{len(found)} columns could hold the {what}" if found else f"No column holds {what}"
    raise DataError(f"{which}; the frame has {columns_text(frame)}. Name it: {word}")


def _might_hold_texts(frame: DataFrame, name: Any) -> bool:
    return not _is(name, LABELS) and holds_texts(frame.loc[:, name])


def _is(name: Any, names: Sequence[str]) -> bool:
    return str(name).casefold() in names


def holds_texts(column: Series | DataFrame) -> bool:
    """Whether there are strings in it; of a name that stands twice, in one of them."""
    if column.ndim == 2:
        return True
    some = column.dropna().head(50)
    return len(some) > 0 and all(isinstance(one, str) for one in some)
