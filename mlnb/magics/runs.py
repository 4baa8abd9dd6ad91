"""Find runs again: `%mlruns` lists what was trained, and what was typed for a run or its folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class
from IPython.display import display

from mlnb.formatting import display_text
from mlnb.magics import run_views
from mlnb.magics.shell import Argument, Call, magic

if TYPE_CHECKING:
    from mlnb.train.keep.run_table import RunRow, RunTable
    from mlnb.train.run import Run


@magics_class
class RunMagics(Magics):
    """The magic that finds runs again."""

    @magic(
        Argument("runs", completes="run", many=True),
        Argument("--folder", completes="path", shown="DIR"),
    )
    def mlruns(self, call: Call) -> Run | RunRow | RunTable | None:
        """List the runs, open the monitor of one that still trains, or lay several over each other.

        %mlruns [RUN …] [--folder DIR]

        RUN       a run's name, or the variable that holds it. Without one all are listed, those on
                  disk and those of this session: state, epoch, best, settings, note, folder. One
                  that trains gets its monitor, one that has ended its curve; several are drawn in
                  one picture.
        --folder  where to look; without it MLNB_RUNS, or mlnb_runs here.

        Examples
        --------
        %mlruns
        %mlruns net-1
        %mlruns net-1 net-2

        The same in Python: `mlnb.list_runs()`.
        """
        from mlnb.train.keep.runs import list_runs
        from mlnb.train.run import Run

        names, folder = call.options.runs, call.options.folder
        folder = place(call, folder) if folder else None
        if not names:
            table = list_runs(folder)
            call.show(table)
            return table
        found = [_run(call, name, folder) for name in names]
        if len(found) == 1 and isinstance(found[0], Run):
            call.show(found[0])
        elif not call.silent and not run_views.overlay(found):
            display(_overlaid(found), raw=True)
        return found[0] if len(found) == 1 else None


def place(call: Call, text: str) -> Path:
    """A folder; where there is none of that name, the one that a variable of that name holds."""
    path = Path(text).expanduser()
    held = call.local.get(text, call.shell.user_ns.get(text))
    return path if path.exists() or not isinstance(held, str | os.PathLike) else Path(held)


def _run(call: Call, name: str, folder: Path | None) -> Run | RunRow:
    """A run by its variable, or by its name: one that trains, else the newest that there is."""
    from mlnb.train import active
    from mlnb.train.keep.runs import list_runs
    from mlnb.train.run import Run

    for scope in (call.local, call.shell.user_ns):
        if isinstance(scope.get(name), Run):
            return scope[name]
    live = {run.name: run for run in active.live_runs()}
    if name in live:
        return live[name]
    row = list_runs(folder)[name]
    return row.run or row


def _overlaid(runs: list[Any]) -> dict[str, str]:
    """Several runs in one picture."""
    from mlnb.train.run import Run
    from mlnb.train.show import report

    pairs = [(run.name, run.history if isinstance(run, Run) else run.history()) for run in runs]
    names = ", ".join(display_text(run.name) for run in runs)
    return {"text/html": report.overlay(pairs), "text/plain": f"runs: {names}"}
