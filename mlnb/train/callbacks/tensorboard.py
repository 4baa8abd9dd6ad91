"""`TensorBoard`: the run in event files."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class TensorBoard:
    """Event files that `%tensorboard --logdir FOLDER` shows; the package is not needed to write.

    >>> trainer = Trainer(net, callbacks=[TensorBoard("logs")])

    Args:
        folder: where the event files go; a file a run.
        every: steps between two points of the curve of the loss; epochs are always written.
    """

    def __init__(self, folder: str | Path, every: int = 10) -> None:
        self.folder, self.every = Path(folder), max(int(every), 1)
        self._writer: Any = None
        self._written = self._edits = 0

    def on_fit_begin(self, run: Any) -> None:
        """Open the file."""
        from mlnb.train.callbacks.event_file import EventWriter

        self._writer = EventWriter(self.folder)
        self._written, self._edits = len(run.history), len(run.edits)

    def on_epoch_end(self, run: Any) -> None:
        """Write the steps since the last epoch, and the epoch's values."""
        self._steps(run)
        row = run.history.epochs[-1]
        step = int(row.get("step", run.step))
        for name, value in row.items():
            if name not in ("epoch", "step") and isinstance(value, int | float):
                self._writer.scalar(f"epoch/{name}", value, step)
        self._writer.flush()

    def on_fit_end(self, run: Any) -> None:
        """Write what is left and close the file."""
        if self._writer is not None:
            self._steps(run)
            self._writer.close()
            self._writer = None

    def _steps(self, run: Any) -> None:
        history, stop = run.history, len(run.history)
        for edit in run.edits[self._edits :]:
            if edit.kind == "rewind":  # what came after that step is trained again
                self._written = min(self._written, edit.step)
        self._edits = len(run.edits)
        steps = history.part("step", self._written, stop)
        for name in history.names:
            values = history.part(name, self._written, stop)
            for step, value in zip(steps[:: self.every], values[:: self.every], strict=True):
                self._writer.scalar(f"step/{name}", float(value), int(step))
        self._written = stop

    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("TensorBoard writes to one place, so a fork does without it")

    def __repr__(self) -> str:
        return f"TensorBoard({str(self.folder)!r})"
