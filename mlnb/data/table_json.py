"""JSON to a frame: an array of objects, or an object a line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from mlnb.data.table_columns import number_column
from mlnb.data.table_file import NEWLINE
from mlnb.errors import DataError
from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    from pandas import DataFrame, Series

_SUFFIXES = (".json", ".jsonl", ".ndjson")
_ARRAY = re.compile(r"\s*\[\s*\{")
_HALF = re.compile("[\ud800-\udfff]")
_HALF_WRITTEN = re.compile(r"\\u[dD][89a-fA-F]")
_LARGEST = 2**63 - 1


def json_frame(text: str, suffix: str, name: str) -> tuple[DataFrame, str] | None:
    """The table and how it was read, or `None` where the text is no JSON.

    Args:
        text: of the file.
        suffix: `.json`, `.jsonl` and `.ndjson` say that it is JSON, and a mistake in it is one.
        name: of the file, for messages.

    Raises:
        DataError: broken JSON, with line and column; or something else than rows.
    """
    import pandas as pd

    if not (suffix in _SUFFIXES or _ARRAY.match(text) or _begins_with_an_object(text)):
        return None
    try:
        is_array = text.lstrip().startswith("[")
        rows, how = (_whole(text), "JSON") if is_array else (_lines(text), "JSON lines")
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}, {_said(error)}") from error
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise DataError(
                f'{name}, row {number:,}: a row is an object, {{"text": …, "label": …}}; received '
                f"{display_text(repr(row), 40)}"
            )
    if len(rows) == 1 and all(isinstance(one, dict | list) for one in rows[0].values()):
        raise DataError(
            f"{name} is one object, and a table has an object a row; pandas writes it so: "
            "frame.to_json(path, orient='records')"
        )
    if _HALF_WRITTEN.search(text):
        rows, halves = _mended(rows)
        if halves:
            how += f", {plural(halves, 'broken letter')} replaced by \N{REPLACEMENT CHARACTER}"
    names = dict.fromkeys(key for row in rows for key in row)
    columns = {key: _column([row.get(key) for row in rows]) for key in names}
    return pd.DataFrame(columns, index=range(len(rows))), how


def _begins_with_an_object(text: str) -> bool:
    first = NEWLINE.split(text.lstrip(), maxsplit=1)[0]
    return first.startswith("{") and _is_json(first)


def _whole(text: str) -> list[Any]:
    loaded = json.loads(text, object_pairs_hook=_object)
    return loaded if isinstance(loaded, list) else [loaded]


def _lines(text: str) -> list[Any]:
    rows = []
    for number, line in enumerate(NEWLINE.split(text), 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line, object_pairs_hook=_object))
        except (ValueError, RecursionError) as error:
            if not rows and _is_json(text):
                return _whole(text)
            raise ValueError(_said(error, number)) from error
    return rows


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object with two values for {display_text(twice, 40)!r}")
    return row


def _said(error: Exception, line: int | None = None) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {line or error.lineno:,}, column {error.colno:,}: no JSON: {error.msg}"
    what = "no JSON: nested too deeply" if isinstance(error, RecursionError) else str(error)
    return f"line {line:,}: {what}" if line else what


def _mended(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Without halves of surrogate pairs, as they are left where a text was cut in an emoji."""
    halves = 0

    def mend(value: Any) -> Any:
        nonlocal halves
        if not isinstance(value, str):
            return value
        mended, count = _HALF.subn("\N{REPLACEMENT CHARACTER}", value)
        halves += count
        return mended

    return [{mend(key): mend(value) for key, value in row.items()} for row in rows], halves


def _column(values: list[Any]) -> Series:
    import pandas as pd

    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {int, float}:
        if all(value is None or type(value) is float or abs(value) <= _LARGEST for value in values):
            return number_column(values)
        return pd.Series(values, dtype=object)
    if kinds in ({str}, {bool}):
        return pd.Series(values)
    return pd.Series(values, dtype=object)
