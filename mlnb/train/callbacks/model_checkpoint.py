"""`ModelCheckpoint`: the weights alone, to take away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mlnb.train.callbacks.monitor import checked_mode, copied_weights, is_better, watched


class ModelCheckpoint:
    """Write the weights to a safetensors file after an epoch.

    >>> trainer = Trainer(net, callbacks=[ModelCheckpoint("best.safetensors")])

    A run's folder keeps everything that training needs to go on; this is for taking weights away.
    What is best is the best of one run: the next one writes over the file.

    Args:
        path: the file; `{epoch}` in it is the epoch's number.
        monitor: a key of the epochs; "auto" is val_loss, else loss.
        best_only: whether only a better epoch is written.
        mode: "min" or "max"; "auto" knows by the metric's name.
    """

    def __init__(
        self,
        path: str | Path,
        monitor: str = "auto",
        best_only: bool = True,
        *,
        mode: str = "auto",
    ) -> None:
        self.path, self.monitor, self.best_only = Path(path), monitor, best_only
        self.mode = checked_mode(mode)
        self.best: float | None = None

    def on_fit_begin(self, run: Any) -> None:
        """Make the folder, so that a wrong place is known before the first step."""
        if not run.step:
            self.best = None  # of another run
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, run: Any) -> None:
        """Write the weights, if they are the best or all are wanted."""
        if self.best_only:
            _, value, best_high = watched(self, run, self.monitor, self.mode)
            if not is_better(value, self.best, best_high, 0.0):
                return
            self.best = value
        path = Path(str(self.path).replace("{epoch}", str(run.epoch)))
        _write_weights(path, copied_weights(run.model))

    def state_dict(self) -> dict[str, Any]:
        """What was best."""
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self.best = state["best"]

    def __repr__(self) -> str:
        return f"ModelCheckpoint({str(self.path)!r}, best_only={self.best_only})"


def _write_weights(path: Path, weights: dict[str, Any]) -> None:
    """The file as a whole or not at all; tensors that share memory each get their own."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    save_file({name: value.cpu().contiguous() for name, value in weights.items()}, str(draft))
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(path)
