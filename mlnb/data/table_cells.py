"""A text with separators to rows of cells: which separator, and whether quotes are quotes.

Quotation marks are the trouble. In a CSV they hold a cell together; in a file of sentences with a
TAB before the label they are letters, and one that nothing closes would swallow the rest of the
file. So both readings are tried, and only one that gives every row the same width is taken. The
reading is Python's `csv`; what is ours finds the place of a mistake.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from typing import NamedTuple

from mlnb.data.table_file import place
from mlnb.errors import DataError
from mlnb.formatting import plural
from mlnb.progress import progress

Rows = list[list[str]]

SEPARATORS = {"\t": "TABs", ";": "semicolons", "|": "bars", ",": "commas"}
"""Those that are tried, in this order: the rarer one is in sentences, the more it says."""

_BY_SUFFIX = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_MOST_COLUMNS = 10_000
_HEAD = 1 << 20
_HEAD_ROWS = 200
_BLOCK = 10_000
_LONGEST_CELL = 2**31 - 1
_CLOSED = re.compile(r'"[^"]*(?:""[^"]*)*"')
_limit = Lock()


class Grid(NamedTuple):
    """Rows of equal width.

    Args:
        rows: of cells, as text.
        sep: what divides them; `None` where a line is a cell.
        quoted: whether quotation marks hold cells together; `None` where there are none that could.
        blank: how many blank lines were passed over.
    """

    rows: Rows
    sep: str | None
    quoted: bool | None
    blank: int


def read_cells(text: str, sep: str | None, quote: str | None, suffix: str, name: str) -> Grid:
    """The rows of a text.

    Args:
        text: without a byte order mark.
        sep: one character, `"auto"`, or `None`: a line is a cell.
        quote: `'"'`, `None` where quotation marks are letters, or `"auto"`.
        suffix: of the file, which decides where its content does not.
        name: of the file, for messages.

    Raises:
        DataError: a quotation that nothing closes, rows of different widths, too many columns; with
            line and column.
    """
    with _long_cells_allowed():
        if sep == "auto":
            sep = _separator(text, suffix)
        delimiter = sep or "\0"  # which no text has
        opens = re.search(rf'(?:^|[\r\n{re.escape(delimiter)}])"', text) is not None
        if quote is None or not opens:
            return _checked(text, sep, None if quote and not opens else False, name)
        if quote == "auto" and _quotes_are_letters(text, sep):
            return _checked(text, sep, False, name)
        return _checked(text, sep, True, name)


def _separator(text: str, suffix: str) -> str | None:
    """What divides the first rows evenly, else what divides most of them, else by the suffix."""
    widths = {sep: [_widths(text, sep, quoted) for quoted in (True, False)] for sep in SEPARATORS}
    for even in (1.0, 0.5):
        for sep, readings in widths.items():
            for found in readings:
                width, rows = Counter(found).most_common(1)[0] if found else (1, 0)
                if width > 1 and found[0] == width and rows >= even * len(found):
                    return sep
    return _BY_SUFFIX.get(suffix)


def _widths(text: str, sep: str, quoted: bool) -> list[int]:
    head = text[:_HEAD]
    rows = [len(row) for row in islice(_reader(head, sep, quoted, strict=False), _HEAD_ROWS) if row]
    is_cut = len(head) < len(text) and 1 < len(rows) < _HEAD_ROWS
    return rows[:-1] if is_cut else rows


def _quotes_are_letters(text: str, sep: str | None) -> bool:
    """Whether a quotation mark at the beginning of a cell is a part of its text.

    It is, where the lines are rows of equal width and no writer of CSV would have quoted so: it
    quotes a column throughout, or what has quotes, separators or line breaks inside. With commas a
    reading that takes quotes for quotes comes first, because a sentence has commas.
    """
    if sep not in ("\t", None) and _is_sound(text, sep):
        return False
    lines = [row for row in _reader(text, sep or "\0", quoted=False) if row]
    if len({len(row) for row in lines}) > 1:
        return False
    for column in zip(*lines, strict=True):
        closed = [cell for cell in column if cell[:1] == '"' and _CLOSED.fullmatch(cell)]
        if 2 * len(closed) >= len(column) or any('""' in cell for cell in closed):
            return False
    return True


def _is_sound(text: str, sep: str) -> bool:
    try:
        return len({len(row) for row in _reader(text, sep, quoted=True) if row}) == 1
    except csv.Error:
        return False


def _checked(text: str, sep: str | None, quoted: bool | None, name: str) -> Grid:
    """All rows, if they have one width."""
    rows: Rows = []
    reader = _reader(text, sep or "\0", bool(quoted))
    try:
        with progress(f"reading {name}", total=0) as done:
            while block := list(islice(reader, _BLOCK)):
                rows += block
                done(len(rows))
    except csv.Error as error:
        raise _quotation_error(text, sep, name) from error
    width = len(next(filter(None, rows)))
    if width > _MOST_COLUMNS:
        raise DataError(f"{name}, line 1: {width:,} columns; the limit is {_MOST_COLUMNS:,}")
    kept = [row for row in rows if not _is_blank(row, width)]
    if any(len(row) != width for row in kept):
        raise _width_error(text, sep, bool(quoted), width, name)
    return Grid(kept, sep, quoted, len(rows) - len(kept))


def _is_blank(row: list[str], width: int) -> bool:
    return not row or (len(row) == 1 < width and not row[0].strip())


def _reader(text: str, sep: str, quoted: bool, strict: bool = True) -> Iterator[list[str]]:
    lines = io.StringIO(text, newline="")
    if quoted:
        return csv.reader(lines, delimiter=sep, strict=strict)
    return csv.reader(lines, delimiter=sep, quoting=csv.QUOTE_NONE)


@contextmanager
def _long_cells_allowed() -> Iterator[None]:
    """csv's limit of 131,072 characters is one for the whole process, and is put back."""
    with _limit:
        before = csv.field_size_limit(_LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


# --------------------------------------------------------------------------- where a mistake is


def _quotation_error(text: str, sep: str | None, name: str) -> DataError:
    """The first quotation that is not closed, or that something follows."""
    for _, starts, end in _walk(text, sep or "\0", quoted=True):
        if end is None:
            start = starts[-1]
            closed = _CLOSED.match(text, start)
            what = "goes on after its end" if closed else "is never closed"
            return DataError(
                f"{name}, {place(text, start)}: a quotation {what}; double the quotation marks "
                "that are inside of it, or say quote=None if they are letters"
            )
    return DataError(f"{name}: a quotation that cannot be read; say quote=None")


def _width_error(text: str, sep: str | None, quoted: bool, width: int, name: str) -> DataError:
    for row, starts, end in _walk(text, sep or "\0", quoted):
        if len(starts) == width or end is None or not text[row:end].strip(" \r\n"):
            continue
        where = place(text, starts[width] if len(starts) > width else end)
        first = "1 cell" if width == 1 else f"{width:,} cells"
        return DataError(
            f"{name}, {where}: a row of {plural(len(starts), 'cell')}, and the first row has "
            f"{first}; a cell with {SEPARATORS.get(sep or '', 'the separator')} in it stands in "
            "quotes; or say what divides them, sep=, and sep=None where a line is one text"
        )
    return DataError(f"{name}: rows of different widths")


def _walk(text: str, sep: str, quoted: bool) -> Iterator[tuple[int, list[int], int | None]]:
    """Of each row where it and its cells begin, and its end; `None` for one that has a mistake."""
    plain = re.compile(rf"[^\r\n{re.escape(sep)}]*")
    at, row, starts = 0, 0, [0]
    while at <= len(text):
        is_quotation = quoted and text.startswith('"', at)
        cell = (_CLOSED if is_quotation else plain).match(text, at)
        end = cell.end() if cell else at
        follows = text[end : end + 1]
        if cell is None or follows not in (sep, "\r", "\n", ""):
            yield row, starts, None
            return
        if follows == sep:
            at = end + 1
            starts.append(at)
            continue
        yield row, starts, end
        at = end + (2 if text.startswith("\r\n", end) else 1)
        row, starts = at, [at]
