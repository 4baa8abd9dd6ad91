"""`EarlyStopping`: no more epochs than get better."""

from __future__ import annotations

from typing import Any

from mlnb.errors import TrainError
from mlnb.train.callbacks.monitor import checked_mode, copied_weights, is_better, watched


class EarlyStopping:
    """Stop when nothing gets better for some epochs; the best weights come back.

    >>> trainer = Trainer(net, callbacks=[EarlyStopping(patience=3)])

    It may serve one run after another: with each it begins anew.

    Args:
        monitor: a key of the epochs, such as "val_accuracy"; "auto" is val_loss, else loss.
        patience: epochs without improvement that are borne.
        min_delta: by how much better counts as better.
        restore_best: whether the weights of the best epoch come back at the end, however the run
            ended.
        mode: "min" or "max"; "auto" knows by the metric's name.
    """

    def __init__(
        self,
        monitor: str = "auto",
        patience: int = 5,
        min_delta: float = 0.0,
        restore_best: bool = True,
        *,
        mode: str = "auto",
    ) -> None:
        if patience < 0:
            raise TrainError(f"patience is a number of epochs, at least 0; received {patience!r}")
        self.monitor, self.patience, self.min_delta = monitor, patience, abs(min_delta)
        self.restore_best, self.mode = restore_best, checked_mode(mode)
        self.best: float | None = None
        self.best_epoch = 0
        self._waited = 0
        self._weights: dict[str, Any] = {}

    def on_fit_begin(self, run: Any) -> None:
        """Forget another run; one that goes on goes on here too."""
        if not run.step:
            self.best, self.best_epoch, self._waited, self._weights = None, 0, 0, {}

    def on_epoch_end(self, run: Any) -> None:
        """Compare, keep the weights of the best, and stop after too many that were not."""
        name, value, best_high = watched(self, run, self.monitor, self.mode)
        if is_better(value, self.best, best_high, self.min_delta):
            self.best, self.best_epoch, self._waited = value, int(run.epoch), 0
            if self.restore_best:
                self._weights = copied_weights(run.model)
            return
        self._waited += 1
        if self._waited > self.patience:
            run.say(
                f"stopped early: {name} has not got better since epoch {self.best_epoch}"
                + (f" ({self.best:.4g})" if self.best is not None else "")
            )
            run.stop("early")

    def on_fit_end(self, run: Any) -> None:
        """Put the best weights back."""
        if not self._weights or self.best_epoch == int(run.epoch):
            return
        _put(run.model, self._weights)
        run.say(f"the weights are those of epoch {self.best_epoch}, the best")

    def state_dict(self) -> dict[str, Any]:
        """What was best, and its weights as tensors."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "waited": self._waited,
            "weights": dict(self._weights),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self.best, self.best_epoch = state["best"], int(state["best_epoch"])
        self._waited = int(state["waited"])
        self._weights = {name: value.clone() for name, value in state["weights"].items()}

    def __repr__(self) -> str:
        return f"EarlyStopping(monitor={self.monitor!r}, patience={self.patience})"


def _put(model: Any, weights: dict[str, Any]) -> None:
    import torch

    models = model if isinstance(model, dict) else {"": model}
    with torch.no_grad():
        for key, one in models.items():
            for name, value in one.state_dict().items():
                kept = weights.get(f"{key}.{name}" if key else name)
                if kept is not None:
                    value.copy_(kept)
