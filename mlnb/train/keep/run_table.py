"""The table of runs: `RunTable` as text, HTML and a frame, and the row of one run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from mlnb.errors import CheckpointError, unknown
from mlnb.formatting import Markup, display_text, html, text_table
from mlnb.train.keep import checkpoint
from mlnb.train.keep.run_folder import entries

if TYPE_CHECKING:
    from weakref import ref

    import pandas as pd

    from mlnb.train.history import History
    from mlnb.train.run import Run

_COLUMNS = ("name", "state", "epoch", "best", "settings", "when", "note", "folder")


@dataclass(frozen=True)
class RunRow:
    """One run, as its folder or this session tells of it.

    Args:
        name: of its folder; of the run, where it has none.
        status: "training", "paused", "finished", "stopped", …; "cut off" where its process is gone,
            "unreadable" where the folder tells nothing.
        epoch: epochs finished.
        epochs: epochs planned.
        step: optimizer steps done.
        best: its best epoch, as `run.best`.
        settings: the words of `Trainer` and `fit` that were given.
        when: seconds since 1970, when it was written last.
        note: of its last checkpoint by hand, or why it cannot be read.
        folder: where it is; None for a run that lives in memory.
        title: the name of the run itself.
        nbytes: what its checkpoints take.
        held: what leads to `run`; a table in `Out` keeps no model alive.
    """

    name: str
    status: str
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    best: dict[str, Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict, repr=False)
    when: float = 0.0
    note: str = ""
    folder: Path | None = None
    title: str = ""
    nbytes: int = 0
    held: ref[Run] | None = field(default=None, repr=False)

    @property
    def run(self) -> Run | None:
        """The run, where it trains in this session or is kept in its memory, and is still held."""
        return None if self.held is None else self.held()

    def history(self) -> History:
        """Its history: the live one, or that of the newest checkpoint that is whole.

        Raises:
            CheckpointError: there is none.
        """
        from mlnb.train.history import History
        from mlnb.train.keep.packing import unpack

        run = self.run
        if run is not None:
            return run.history
        damaged: Exception | None = None
        for entry in reversed(entries(self.folder) if self.folder else []):
            try:
                snapshot = checkpoint.read(entry.path)
            except CheckpointError as error:
                damaged = error
                continue
            history = History()
            history.load_state_dict(unpack(snapshot.plan["history"], snapshot.tensors))
            return history
        raise CheckpointError(
            f"run '{display_text(self.name)}' has no checkpoint to read a history from"
        ) from damaged


class RunTable(Sequence[RunRow]):
    """Runs by name or position, the newest first; as text, HTML or a frame.

    >>> runs = list_runs()
    >>> runs["net-1-20260501-101500"].status
    'finished'

    Args:
        rows: the runs.
        folder: where they were looked for.
    """

    def __init__(self, rows: Sequence[RunRow], folder: Path) -> None:
        self._rows = list(rows)
        self.folder = folder

    @overload
    def __getitem__(self, key: int | str) -> RunRow: ...
    @overload
    def __getitem__(self, key: slice) -> list[RunRow]: ...
    def __getitem__(self, key: int | str | slice) -> RunRow | list[RunRow]:
        if not isinstance(key, str):
            return self._rows[key]
        for name in ("name", "title"):
            for row in self._rows:
                if getattr(row, name) == key:
                    return row
        raise unknown("run", key, [row.name for row in self._rows])

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[RunRow]:
        return iter(self._rows)

    def to_frame(self) -> pd.DataFrame:
        """One row a run, with a column for each of its attributes and settings."""
        import pandas as pd

        rows = []
        for row in self._rows:
            cells = {name: getattr(row, name) for name in ("name", "status", "epoch", "epochs")}
            cells |= {"step": row.step, "note": row.note, "folder": row.folder}
            cells["when"] = pd.Timestamp(row.when, unit="s")
            cells |= {f"best_{name}": value for name, value in (row.best or {}).items()}
            rows.append(cells | row.settings)
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        if not self._rows:
            return f"no runs in {display_text(str(self.folder), 200)}"
        return "\n".join(text_table([list(_COLUMNS), *map(self._cells, self._rows)]))

    def _repr_html_(self) -> Markup:
        if not self._rows:
            return html("<p>{text}</p>", text=repr(self))
        head = [html("<th>{name}</th>", name=name) for name in _COLUMNS]
        body = [
            html("<tr>{cells}</tr>", cells=[html("<td>{cell}</td>", cell=c) for c in cells])
            for cells in map(self._cells, self._rows)
        ]
        return html(
            '<table class="mlnb-runs"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>',
            head=head,
            body=body,
        )

    def _cells(self, row: RunRow) -> list[str]:
        epochs = f"{row.epoch} of {row.epochs}" if row.epochs else ""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.when)) if row.when else ""
        told = (row.title or row.name, row.status, epochs, _best(row.best))
        return [
            display_text(t)
            for t in (*told, _settings(row.settings), when, row.note, self._place(row))
        ]

    def _place(self, row: RunRow) -> str:
        """Its folder: by its name among the runs of this table, elsewhere by its path from here."""
        if row.folder is None:
            return "in memory"
        if self.folder in (row.folder, row.folder.parent):
            return row.folder.name
        here = row.folder.is_relative_to(Path.cwd())
        return str(row.folder.relative_to(Path.cwd()) if here else row.folder)


def _settings(settings: dict[str, Any]) -> str:
    told = ("optimizer", "lr", "batch_size", "schedule", "loss", "seed")
    return ", ".join(f"{name} {_word(settings[name])}" for name in told if name in settings)


def _word(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("custom", "…")).rpartition(".")[2]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _best(best: dict[str, Any] | None) -> str:
    for name in ("val_loss", "loss"):
        value = (best or {}).get(name)
        if isinstance(value, float):
            return f"{name} {value:.4g}"
    return ""
