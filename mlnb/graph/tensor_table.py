"""`TensorTable`: the tensors of a file, grouped by the beginnings of their names, with totals.

Groups are the modules that dots and slashes tell of. What repeats is said once: blocks that differ
in their number only become one row, `layers.0 … layers.31 (×32)`. The HTML has no script; a group
opens by `<details>`, and a large file shows its groups and says how many tensors it leaves out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, overload

from mlnb.errors import unknown
from mlnb.formatting import Markup, bytes_text, count_text, display_text, html, plural, text_table
from mlnb.graph.tensor_groups import Group, elements, grouped

if TYPE_CHECKING:
    from mlnb.graph.graph import Value

ROWS = 800
"""Rows of the HTML, groups and tensors together."""
ROWS_OF_ONE = 100
"""Rows of the HTML in one group."""
LINES = 60
"""Lines of the text."""
_MANY = 24
"""Tensors up to which the HTML shows a group opened."""


class TensorTable(Sequence["Value"]):
    """Tensors by position and by name, shown in groups.

    >>> model.tensors
    >>> model.tensors["features.0.0.weight"].shape
    (32, 3, 3, 3)

    Args:
        tensors: in the order of the file.
        ties: tensors that share their bytes with an earlier one, and its name; they count once.
    """

    def __init__(
        self, tensors: Sequence[Value], ties: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._tensors = tuple(tensors)
        self.ties = ties

    @property
    def names(self) -> list[str]:
        """The names, in the order of the file."""
        return [tensor.name for tensor in self._tensors]

    @cached_property
    def parameters(self) -> int:
        """Elements of all tensors, shared ones once."""
        return sum(elements(tensor) for tensor in self._own)

    @cached_property
    def bytes(self) -> int:
        """Bytes of all tensors, shared ones once."""
        return sum(tensor.nbytes or 0 for tensor in self._own)

    @property
    def line(self) -> str:
        """The totals in one line: `314 tensors · 3.54 M elements · 7.29 MB · float16, int64`."""
        dtypes = list(dict.fromkeys(tensor.dtype for tensor in self._tensors))
        shown = ", ".join(dtypes[:4]) + (" …" if len(dtypes) > 4 else "")
        parts = [plural(len(self), "tensor"), f"{count_text(self.parameters)} elements"]
        parts += [bytes_text(self.bytes), shown]
        if self.ties:
            parts.append(f"{len(self.ties):,} share their bytes with another and count once")
        return " · ".join(part for part in parts if part)

    def to_frame(self) -> Any:
        """All tensors as a pandas DataFrame: name, dtype, shape, elements, bytes, shares."""
        import pandas as pd

        return pd.DataFrame(
            {
                "name": self.names,
                "dtype": [tensor.dtype for tensor in self._tensors],
                "shape": [tensor.shape for tensor in self._tensors],
                "elements": [elements(tensor) for tensor in self._tensors],
                "bytes": [tensor.nbytes or 0 for tensor in self._tensors],
                "shares": [self.ties.get(tensor.name, "") for tensor in self._tensors],
            }
        )

    @overload
    def __getitem__(self, key: int | str) -> Value: ...
    @overload
    def __getitem__(self, key: slice) -> TensorTable: ...
    def __getitem__(self, key: int | str | slice) -> Value | TensorTable:
        if isinstance(key, slice):
            return TensorTable(self._tensors[key], self.ties)
        if isinstance(key, int):
            return self._tensors[key]
        if key not in self._by_name:
            raise unknown("tensor", key, self.names)
        return self._by_name[key]

    def __len__(self) -> int:
        return len(self._tensors)

    def __iter__(self) -> Iterator[Value]:
        return iter(self._tensors)

    def __repr__(self) -> str:
        shown = _shown_rows(self._groups, LINES, LINES)
        rows = list(self._lines(self._groups, 0, shown))
        if not rows:
            return self.line
        cells = [("tensor", "dtype", "shape", "elements", "bytes"), *rows]
        return "\n".join([*text_table(cells, right=(3, 4), ruled=True), "", self.line])

    def _repr_html_(self) -> str:
        shown = _shown_rows(self._groups, ROWS, ROWS_OF_ONE)
        return html(
            '<p style="margin:4px 0">{line}</p><div style="{style}">{body}</div>',
            line=self.line,
            style=_BLOCK,
            body=self._html_items(self._groups, shown),
        )

    @cached_property
    def _own(self) -> tuple[Value, ...]:
        return tuple(tensor for tensor in self._tensors if tensor.name not in self.ties)

    @cached_property
    def _by_name(self) -> dict[str, Value]:
        return {tensor.name: tensor for tensor in self._tensors}

    @cached_property
    def _groups(self) -> tuple[Group | Value, ...]:
        return grouped(self._tensors, self.ties)

    def _lines(
        self, items: Sequence[Group | Value], depth: int, shown: Mapping[int, int]
    ) -> Iterator[tuple[str, str, str, str, str]]:
        """Rows of text: name, dtype, shape, elements, bytes."""
        room = shown.get(id(items), 0)
        for item in items[:room]:
            if not isinstance(item, Group):
                yield self._cells(item, depth)
                continue
            label, count = "  " * depth + item.label, plural(item.count, "tensor")
            yield label, "", count, f"{item.elements:,}", bytes_text(item.nbytes)
            yield from self._lines(item.items, depth + 1, shown)
        if 0 < room < len(items):
            yield "  " * depth + f"and {len(items) - room:,} more", "", "", "", ""

    def _cells(self, tensor: Value, depth: int) -> tuple[str, str, str, str, str]:
        nbytes = bytes_text(tensor.nbytes) if tensor.nbytes is not None else "?"
        if tensor.name in self.ties:
            nbytes = f"shares {display_text(self.ties[tensor.name], 40)}"
        return (
            "  " * depth + display_text(tensor.name, 70),
            tensor.dtype,
            _shape(tensor),
            f"{elements(tensor):,}" if tensor.shape is not None else "?",
            nbytes,
        )

    def _html_items(self, items: Sequence[Group | Value], shown: Mapping[int, int]) -> list[Markup]:
        """Groups that open, and the tensors between them in tables."""
        room = shown.get(id(items), 0)
        found: list[Markup] = []
        for is_group, row in groupby(items[:room], lambda item: isinstance(item, Group)):
            if is_group:
                found += [self._html_group(item, shown) for item in row if isinstance(item, Group)]
            else:
                cells = [self._cells(item, 0) for item in row if not isinstance(item, Group)]
                found.append(_html_tensors(cells))
        if room < len(items):
            text = f"and {len(items) - room:,} more"
            found.append(html('<p style="{style}">{text}</p>', style=_INNER, text=text))
        return found

    def _html_group(self, group: Group, shown: Mapping[int, int]) -> Markup:
        facts = f"{plural(group.count, 'tensor')} · {count_text(group.elements)} elements"
        return html(
            '<details{opened} style="{style}"><summary><span style="{code}">{label}</span>'
            ' <span style="opacity:0.65">{facts}</span></summary>{inside}</details>',
            opened=Markup(" open" if len(self) <= _MANY else ""),
            style=_INNER,
            code=_CODE,
            label=group.label,
            facts=f"{facts} · {bytes_text(group.nbytes)}",
            inside=self._html_items(group.items, shown),
        )


_CODE = "font-family:monospace"
_BLOCK = "margin:4px 0"
_INNER = "margin-left:1.2em"
_LEFT = "text-align:left"
"""Jupyter aligns every cell of a table to the right."""


def _html_tensors(rows: Sequence[Sequence[str]]) -> Markup:
    if not rows:
        return Markup()
    lines = [
        html(
            '<tr style="background:none"><td style="{left}">{name}</td><td style="{left}">{dtype}'
            '</td><td style="{left}">{shape}</td><td>{nbytes}</td></tr>',
            left=_LEFT,
            name=row[0],
            dtype=row[1],
            shape=row[2],
            nbytes=row[4],
        )
        for row in rows
    ]
    return html('<table style="margin:2px 0 2px 1.2em">{lines}</table>', lines=lines)


def _shape(tensor: Value) -> str:
    if tensor.shape is None:
        return "?"
    return "[" + ", ".join(map(str, tensor.shape[:8])) + (", …]" if len(tensor.shape) > 8 else "]")


def _shown_rows(items: Sequence[Group | Value], room: int, most: int) -> dict[int, int]:
    """How many rows each group shows, by the identity of its items: the outer ones first.

    A group that has no room stays shut, so that one with 100,000 tensors leaves some to the others.
    """
    shown: dict[int, int] = {}
    waiting = deque([items])
    while waiting:
        inner = waiting.popleft()
        count = min(len(inner), most)
        if count > room and shown:
            continue
        count = min(count, room)
        shown[id(inner)] = count
        room -= count
        waiting.extend(item.items for item in inner[:count] if isinstance(item, Group))
    return shown
