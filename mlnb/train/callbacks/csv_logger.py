"""`CSVLogger`: the epochs as a table in a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any


class CSVLogger:
    """One line an epoch in a CSV file; a run that is resumed goes on in it.

    >>> trainer = Trainer(net, callbacks=[CSVLogger("log.csv")])

    Args:
        path: the file. A run that starts anew writes it anew; one that goes on, or goes back, cuts
            the lines of the epochs that come again.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._columns: list[str] = []
        self._epoch = 0

    def on_fit_begin(self, run: Any) -> None:
        """Keep the lines of the epochs that the run has already; drop all others."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._epoch = int(run.epoch)
        kept = [row for row in self._rows() if 0 < _whole(row.get("epoch")) <= self._epoch]
        self._columns = list(dict.fromkeys(key for row in kept for key in row))
        self._rewrite(kept)

    def on_epoch_end(self, run: Any) -> None:
        """Append the epoch's line; with new columns, or where it comes again, write all of them."""
        row = dict(run.history.epochs[-1])
        again, self._epoch = row["epoch"] <= self._epoch, row["epoch"]
        if again or set(row) - set(self._columns):
            kept = [one for one in self._rows() if _whole(one.get("epoch")) < row["epoch"]]
            self._columns = list(dict.fromkeys([*self._columns, *row]))
            self._rewrite([*kept, row])
            return
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns).writerow(row)

    def _rows(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [{k: v for k, v in row.items() if k and v is not None} for row in rows]

    def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        draft = self.path.with_name(self.path.name + ".part")
        with draft.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns)
            if self._columns:
                writer.writeheader()
            writer.writerows(rows)
        draft.replace(self.path)

    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("CSVLogger writes to one place, so a fork does without it")

    def __repr__(self) -> str:
        return f"CSVLogger({str(self.path)!r})"


def _whole(text: Any) -> int:
    try:
        return int(float(text))
    except (TypeError, ValueError):
        return 0
