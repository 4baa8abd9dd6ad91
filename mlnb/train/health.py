"""`LayerHealth`: how each layer learns, measured on single steps, and what is wrong in words.

The measuring itself stands in `mlnb.train.steps.watched`. A layer is a module with weights of its
own; they stand in the order in which they were called.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlnb.errors import need, unknown
from mlnb.formatting import Markup, display_text, html, text_table

if TYPE_CHECKING:
    import pandas

KEPT = 600
"""Measurements: an hour of them at ten a minute."""
DEAD, SATURATED, IDLE_WITH_ZERO = 0.9, 0.9, 0.5
HUGE_GRADIENT, HUGE_UPDATE = 1e4, 0.5
TINY = 1e-6
"""Of the largest gradient: what is below hardly learns."""
MEASURES = {
    "gradient": "gradient norm",
    "update": "update to weight",
    "idle": "dead or saturated units",
}


@dataclass(frozen=True)
class LayerState:
    """One layer on one step.

    Args:
        name: its path in the model.
        kind: its class.
        gradient: the norm of its gradient; `None` where none reached it.
        update: how far the step moved its weights, as a share of their norm.
        idle: the share of the units behind it that are zero for the whole batch, or, of sigmoid
            and tanh, of outputs at their ends; `None` without such an activation.
        activation: what is called behind it.
        finite: whether all that it gave were finite numbers.
    """

    name: str
    kind: str
    gradient: float | None
    update: float | None
    idle: float | None = None
    activation: str = ""
    finite: bool = True


@dataclass(frozen=True)
class Measurement:
    """All layers on one step."""

    step: int
    layers: tuple[LayerState, ...]


@dataclass
class LayerHealth:
    """How the layers of a run learn; `run.health`.

    >>> run = trainer.fit(data, health=True)
    >>> run.health
    step 1,400 · all layers learn
    …
    >>> run.health["gradient"]["fc1"]
    0.031

    Args:
        every: seconds between two measurements; shortly after the beginning they come sooner.
    """

    every: float = 6.0
    measurements: deque[Measurement] = field(default_factory=lambda: deque(maxlen=KEPT))
    called: list[tuple[str, str]] = field(default_factory=list)
    """The modules without children in the order in which they were called, with their classes."""
    say: Callable[[str], object] | None = None
    _told: str = ""

    @property
    def step(self) -> int:
        """The last step that was measured; 0 before the first."""
        return self.measurements[-1].step if self.measurements else 0

    @property
    def layers(self) -> tuple[LayerState, ...]:
        """The layers on that step."""
        return self.measurements[-1].layers if self.measurements else ()

    @property
    def trouble(self) -> str:
        """The first layer that goes wrong, and what to do; "" where all learn."""
        return trouble_of(self.layers)

    def __getitem__(self, measure: str) -> dict[str, float | None]:
        """One measure by layer: "gradient", "update" or "idle".

        Raises:
            UnknownName: another word, with the closest.
        """
        if measure not in MEASURES:
            raise unknown("measure", str(measure), MEASURES)
        return {layer.name: getattr(layer, measure) for layer in self.layers}

    def add(self, measurement: Measurement) -> None:
        """Keep a measurement; a trouble that was not there is said."""
        self.measurements.append(measurement)
        trouble = self.trouble
        about = trouble.partition(":")[0]
        if trouble and about != self._told and self.say is not None:
            self.say(trouble)
        self._told = about

    def to_frame(self) -> pandas.DataFrame:
        """Every measurement as a pandas table: step, layer, kind, gradient, update, idle.

        Raises:
            MissingExtra: pandas is not installed.
        """
        tables = need("pandas", "extras")
        names = ["name", "kind", "gradient", "update", "idle"]
        rows = [
            {"step": one.step, **{name: getattr(layer, name) for name in names}}
            for one in self.measurements
            for layer in one.layers
        ]
        frame: pandas.DataFrame = tables.DataFrame(rows, columns=["step", *names])
        return frame

    def __repr__(self) -> str:
        if not self.measurements:
            return "no step was measured yet"
        rows = [("layer", "kind", *MEASURES.values()), *(_cells(one) for one in self.layers)]
        return "\n".join([self._heading(), *text_table(rows, range(2, len(rows[0])))])

    def _repr_html_(self) -> str:
        if not self.measurements:
            return html("<p>{text}</p>", text="no step was measured yet")
        cell = '<td style="text-align:{side};padding:2px 14px 2px 0">{text}</td>'
        rows = [
            html(
                "<tr>{cells}</tr>",
                cells=[
                    html(cell, side="left" if at < 2 else "right", text=text)
                    for at, text in enumerate(row)
                ],
            )
            for row in [("layer", "kind", *MEASURES.values()), *map(_cells, self.layers)]
        ]
        table = '<p>{heading}</p><table style="border-collapse:collapse">{rows}</table>'
        return Markup(html(table, heading=self._heading(), rows=rows))

    def _heading(self) -> str:
        return f"step {self.step:,} · {self.trouble or 'all layers learn'}"


def trouble_of(layers: Sequence[LayerState]) -> str:
    """The first layer that goes wrong, in words with what to do; "" where none does.

    >>> trouble_of(run.health.layers)
    "layer fc2: its gradient is zero: 94% of relu's units are dead. Lower the learning rate …"
    """
    bad = next((layer for layer in layers if not layer.finite), None)
    if bad is None:
        wrong = [one for one in layers if not math.isfinite(one.gradient or 0.0)]
        bad = wrong[-1] if wrong else None  # a gradient goes from the last layer to the first
    if bad is not None:
        what = "it gives NaN or infinity" if not bad.finite else "its gradient is not finite"
        return _said(bad, f"{what}. Lower the learning rate, or set clip_norm=1")
    huge = next((one for one in layers if (one.gradient or 0.0) >= HUGE_GRADIENT), None)
    if huge is not None:  # before all else: beside it every other gradient looks small
        return _said(
            huge, f"its gradient explodes: its norm is {huge.gradient:.2g}. Set clip_norm=1"
        )
    silent = [layer for layer in layers if layer.gradient == 0.0]
    if silent:  # what is dead silences all before it as well: the last one is the cause
        dead = [layer for layer in silent if (layer.idle or 0.0) >= IDLE_WITH_ZERO]
        return _said((dead or silent)[-1], f"its gradient is zero: {_why((dead or silent)[-1])}")
    reached = [layer.gradient for layer in layers if layer.gradient is not None]
    largest = max(reached, default=0.0)
    for layer in layers:
        text = _trouble(layer, largest, last=layer is layers[-1])
        if text:
            return _said(layer, text)
    return ""


def _trouble(layer: LayerState, largest: float, *, last: bool) -> str:
    idle, saturates = layer.idle or 0.0, layer.activation in _ENDS
    if layer.gradient is not None and layer.gradient <= TINY * largest:
        return f"its gradient has vanished: {_why(layer)}"
    if layer.update is not None and layer.update >= HUGE_UPDATE:
        return f"one step moves its weights by {layer.update:.0%}. Lower the learning rate"
    return _why(layer) if idle >= (SATURATED if saturates else DEAD) and not last else ""


def _why(layer: LayerState) -> str:
    """What keeps a layer from learning, and what to do."""
    share = f"{layer.idle or 0.0:.0%} of {layer.activation}'s"
    if (layer.idle or 0.0) < IDLE_WITH_ZERO:
        return "it hardly learns. Use relu, a norm between the layers, or shortcuts"
    if layer.activation in _ENDS:
        return f"{share} outputs are saturated. Use relu, or smaller first weights"
    return f"{share} units are dead. Lower the learning rate or use leaky_relu"


_ENDS = ("sigmoid", "tanh")


def _said(layer: LayerState, text: str) -> str:
    return f"layer {display_text(layer.name, 60)}: {text}"


def _cells(layer: LayerState) -> tuple[str, ...]:
    idle = "" if layer.idle is None else f"{layer.idle:.0%} of {layer.activation}"
    numbers = ("–" if value is None else f"{value:.3g}" for value in (layer.gradient, layer.update))
    return (display_text(layer.name, 60), display_text(layer.kind, 40), *numbers, idle)


def checked_every(health: Any) -> float:
    """Seconds between measurements as `fit(health=…)` was given them; -1 for none at all.

    Raises:
        TrainError: it is neither a switch nor seconds from 0 up.
    """
    from mlnb.errors import TrainError

    if health is None or health is False:
        return -1.0
    if health is True:
        return LayerHealth.every
    if not isinstance(health, int | float) or not math.isfinite(health) or health < 0:
        raise TrainError(
            "health is True, or the seconds between two measurements; "
            f"received {display_text(repr(health))}"
        )
    return float(health)
