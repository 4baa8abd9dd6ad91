"""The table that compares backends: data, its text and its HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlnb.errors import unknown
from mlnb.formatting import html, html_table, seconds_text, text_table


@dataclass(frozen=True)
class BackendRow:
    """One backend on one batch.

    Args:
        name: of the backend.
        seconds: for one batch, the middle of several; `None` where it is unavailable.
        first_call: seconds of the first call, with all compiling or exporting.
        difference: the largest from eager.
        device: where it ran.
        unavailable: why it cannot be used here, in one sentence.
    """

    name: str
    seconds: float | None = None
    first_call: float | None = None
    difference: float | None = None
    device: str = ""
    unavailable: str = ""


@dataclass(frozen=True)
class BackendTable:
    """The backends side by side on one sample.

    Args:
        rows: one for each backend, eager first.
        samples: in the batch that was timed.
    """

    rows: tuple[BackendRow, ...]
    samples: int

    def __getitem__(self, name: str) -> BackendRow:
        for row in self.rows:
            if row.name == name:
                return row
        raise unknown("backend", name, [row.name for row in self.rows])

    def __iter__(self) -> Iterator[BackendRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_frame(self) -> Any:
        """The rows as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame([vars(row) for row in self.rows])

    def __repr__(self) -> str:
        return "\n".join([*text_table([self._heads(), *map(self._cells, self.rows)]), *self._why()])

    def _repr_html_(self) -> str:
        table = html_table(self._heads(), map(self._cells, self.rows))
        return html("{table}{why}", table=table, why=[html("<p>{t}</p>", t=t) for t in self._why()])

    def _heads(self) -> list[str]:
        timed = f"a batch of {self.samples}"
        return ["backend", "device", timed, "first call", "largest difference"]

    def _why(self) -> list[str]:
        return [f"{row.name}: {row.unavailable}" for row in self.rows if row.unavailable]

    def _cells(self, row: BackendRow) -> list[str]:
        if row.seconds is None or row.first_call is None:
            return [row.name, "", "unavailable", "", ""]
        apart = "" if row.name == "eager" else f"{row.difference:.1e}"
        return [row.name, row.device, _time(row.seconds), _time(row.first_call), apart]


def _time(seconds: float) -> str:
    return seconds_text(seconds) if seconds >= 1 else f"{seconds * 1e3:.3g} ms"
