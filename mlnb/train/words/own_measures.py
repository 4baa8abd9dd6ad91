"""Measures of the user's own: metrics of torchmetrics, and functions of the whole set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from mlnb.errors import TrainError
from mlnb.formatting import display_text
from mlnb.train.trees import joined
from mlnb.train.words.measures import NAN, Part


class Torchmetric:
    """A `torchmetrics.Metric`, or what has its three methods."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric
        self.part: Part = self

    def reset(self) -> None:
        """Start anew."""
        self._metric.reset()

    def update(self, outputs: Any, targets: Any) -> None:
        """Hand a batch on, on its device."""
        if isinstance(outputs, Tensor) and hasattr(self._metric, "to"):
            self._metric = self._metric.to(outputs.device)
        self._metric.update(outputs, targets)

    def values(self, name: str) -> dict[str, float]:
        """Its value; a collection or a tensor of several gives several."""
        return _numbers(name, self._metric.compute())


class Kept:
    """A function of all outputs and all targets, called once at the end."""

    def __init__(self, function: Callable[[Any, Any], Any], name: str) -> None:
        self._function, self._name = function, name
        self.part: Part = self
        self.reset()

    def reset(self) -> None:
        """Start anew."""
        self._outputs: list[Any] = []
        self._targets: list[Any] = []

    def update(self, outputs: Any, targets: Any) -> None:
        """Keep a batch."""
        self._outputs.append(outputs)
        self._targets.append(targets)

    def values(self, name: str) -> dict[str, float]:
        """What the function gives for the whole set."""
        if not self._outputs:
            return {name: NAN}
        try:
            return _numbers(name, self._function(joined(self._outputs), joined(self._targets)))
        except TrainError:
            raise
        except Exception as error:
            raise TrainError(
                f"the metric {self._name} failed: {display_text(str(error), 200)}"
            ) from error


def _numbers(name: str, value: Any) -> dict[str, float]:
    if isinstance(value, dict):
        return {key: v for inner, part in value.items() for key, v in _numbers(inner, part).items()}
    if isinstance(value, Tensor) and value.numel() != 1:
        return {f"{name}_{at}": float(v) for at, v in enumerate(value.reshape(-1).tolist())}
    try:
        return {name: float(value)}
    except (TypeError, ValueError) as error:
        raise TrainError(
            f"the metric {display_text(name)} gave a {type(value).__name__}, expected a number"
        ) from error
