"""A file with a table, of texts for the most part, as a pandas frame: `read_table`.

What kind of file it is its content says, not its name. The result is the table that was written, or
an error with the line; how the file was understood is told in a sentence, because a separator that
was guessed wrong makes a table too.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlnb.data.table_cells import SEPARATORS, read_cells
from mlnb.data.table_columns import Columns, chosen, column, named
from mlnb.data.table_file import decode, read_bytes
from mlnb.data.table_json import json_frame
from mlnb.errors import DataError, MissingExtra, unknown
from mlnb.formatting import display_text, first_line, plural

if TYPE_CHECKING:
    from pandas import DataFrame


def read_table(
    path: str | os.PathLike[str],
    columns: Columns | None = None,
    sep: str | None = "auto",
    *,
    header: bool | Literal["auto"] = "auto",
    quote: Literal["auto", '"'] | None = "auto",
    encoding: str = "auto",
    most_bytes: int = 512 * 2**20,
    tell: Callable[[str], object] = print,
) -> DataFrame:
    r"""The table in a file: TSV, CSV (`,` `;` `|`), JSON, JSON lines, Parquet, each gzipped too.

    >>> frame = read_table("yelp_labelled.txt", columns=["Text", "Sentiment"])
    yelp_labelled.txt: 1,000 rows of 2 columns, UTF-8, divided by TABs, no line of names

    Args:
        path: of the file; a sample does as well.
        columns: a list names the columns of a file that has no names in its first line, and picks
            columns, in this order, from one that has; a dictionary picks and renames,
            `{"Review": "text"}`, or by place, `{0: "text"}`.
        sep: what divides the cells: one character; `"auto"`, TAB, `;`, `|` or `,`, whichever
            divides the rows evenly; `None`, every line is one text.
        header: whether the first line has the names; `"auto"` looks.
        quote: `'"'` where quotation marks hold a cell together; `None` where they are letters;
            `"auto"` sees which reading gives rows of one width.
        encoding: `"auto"` is UTF-8, or what a byte order mark says; or `"latin-1"`, `"cp1252"`, ….
        most_bytes: a larger file is refused; unpacked, if it is gzipped.
        tell: takes a sentence on how the file was read, which is in `frame.attrs["read_as"]` too.

    Returns:
        Columns of whole numbers (`int64`; `Int64` where some are missing), numbers, truth values or
        texts. An empty cell is missing; in a column of numbers NA, nan and null are as well, among
        texts they are words.

    Raises:
        DataError: no table, with line and column: bytes of another encoding, a quotation that is
            not closed, rows of different widths; no file, an empty one, no row below the names.
        UnknownName: no such column.
        MissingExtra: it is Parquet, and pyarrow is not installed.
    """
    _check(columns, sep, header, quote)
    file = _path(path)
    name = display_text(file.name, 80)
    content = read_bytes(file, most_bytes)
    if content.startswith(b"PAR1"):
        frame, how = _parquet(content, name), "Parquet"
    else:
        text, encoding = decode(content, encoding, name)
        suffix = Path(file.name.lower().removesuffix(".gz")).suffix
        frame, how = (json_frame(text, suffix, name) if sep == "auto" else None) or _cells(
            text, columns, sep, header, quote, suffix, name
        )
        how = f"{encoding}, {how}"
    if frame.empty:
        raise DataError(f"{name} is a table without rows")
    frame = chosen(frame, columns, name)
    said = f"{plural(len(frame), 'row')} of {plural(len(frame.columns), 'column')}"
    frame.attrs = {"read_as": f"{name}: {said}, {how}"}
    tell(frame.attrs["read_as"])
    return frame


def _check(columns: Any, sep: Any, header: Any, quote: Any) -> None:
    if sep not in ("auto", None) and (
        not isinstance(sep, str) or len(sep) != 1 or sep in '"\r\n\0'
    ):
        raise DataError(
            f"sep is one character, 'auto', or None (a line is a text); received {sep!r}"
        )
    if header not in (True, False, "auto"):
        raise unknown("header", str(header), ("auto", "True", "False"))
    if quote not in ("auto", '"', None):
        raise unknown("quote", str(quote), ("auto", '"', "None"))
    if isinstance(columns, str) or (columns is not None and not isinstance(columns, Iterable)):
        raise DataError(f"columns is a list of names, or {{old: new}}; received {columns!r}")
    if columns is not None and not columns:
        raise DataError("columns names no column")


def _path(path: Any) -> Path:
    try:
        return Path(os.fsdecode(path))
    except TypeError as error:
        raise DataError(
            f"read_table takes the path of a file; received {type(path).__name__}"
        ) from error


def _cells(
    text: str,
    columns: Columns | None,
    sep: str | None,
    header: bool | str,
    quote: str | None,
    suffix: str,
    name: str,
) -> tuple[DataFrame, str]:
    import pandas as pd

    grid = read_cells(text, sep, quote, suffix, name)
    rows, names, has_names = named(grid.rows, columns, header, name)
    frame = pd.DataFrame(
        {place: column(cells) for place, cells in enumerate(zip(*rows, strict=True))}
    )
    frame.columns = names
    divided = SEPARATORS.get(grid.sep or "", ascii(grid.sep))
    how = ["a line each" if grid.sep is None else f"divided by {divided}"]
    how.append("names in the first line" if has_names else "no line of names")
    if grid.quoted is False:
        how.append("quotation marks are letters")
    if grid.blank:
        how.append(f"{plural(grid.blank, 'blank line')} passed over")
    return frame, ", ".join(how)


def _parquet(content: bytes, name: str) -> DataFrame:
    import pandas as pd

    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise MissingExtra(
            f"{name} is Parquet, which pyarrow reads, and it is not installed; run: "
            "pip install pyarrow"
        ) from error
    except Exception as error:  # pyarrow raises a dozen kinds of its own
        raise DataError(f"{name} is no sound Parquet file: {first_line(error)}") from error
    frame = frame.reset_index(drop=frame.index.names == [None])
    frame.columns = [str(one) for one in frame.columns]
    return frame
