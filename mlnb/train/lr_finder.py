"""`lr_finder`: which learning rate to begin with, by trying a hundred of them on real batches.

The rate grows a little with every step until the loss explodes (Smith, Cyclical Learning Rates,
1506.01186). Afterwards weights, buffers, optimizer and random generators are bit for bit what they
were, also when it was interrupted or failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import TrainError
from mlnb.figures import Note, Panel, Series, as_img, line_chart, number_text, plotly_figure
from mlnb.formatting import Markup, plural
from mlnb.formatting import html as markup
from mlnb.progress import progress
from mlnb.train.words.rates import rate_of, write_rate

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure

    from mlnb.train.state import TrainState
    from mlnb.train.steer.interrupts import Ladder
    from mlnb.train.steps.step import Step
    from mlnb.train.trainer import Trainer

SMOOTHING = 0.9
"""How much of the last steps stays in the running mean that tells an explosion."""
EXPLODED = 4.0
"""So many times the lowest loss is an explosion."""
FEWEST = 10
_TITLE, _X_LABEL = "Learning rate finder", "learning rate"


@dataclass(frozen=True)
class LRFinder:
    """The rates that were tried, and what the loss did.

    >>> found = lr_finder(trainer, (x, y))
    >>> trainer = Trainer(net, lr=found.suggestion)

    Args:
        lrs: the learning rate of each step.
        losses: the mean loss of each step and its neighbours.
        raw: the loss of each step as it was.
        suggestion: where the loss fell most steeply on its way to the lowest point; None where it
            did not fall.
        stopped: "exploded", "interrupted" or "end".
    """

    lrs: NDArray[Any]
    losses: NDArray[Any]
    raw: NDArray[Any]
    suggestion: float | None
    stopped: str

    @property
    def said(self) -> str:
        """The suggestion and how it was found, in a sentence."""
        if self.suggestion is None:
            return "no suggestion: the loss never fell; try other bounds, or look at the data"
        return (
            f"lr {self.suggestion:.2g}: where the loss fell most steeply before its lowest point "
            f"({number_text(float(np.nanmin(self.losses)))} at {self._lowest():.2g})"
        )

    def to_frame(self) -> pd.DataFrame:
        """A pandas frame with the columns lr, loss and raw."""
        import pandas as pd

        return pd.DataFrame({"lr": self.lrs, "loss": self.losses, "raw": self.raw})

    def figure(self) -> Figure:
        """The picture of it as a plotly figure, to hover over and to zoom into.

        Raises:
            MissingExtra: plotly is not installed.
        """
        curves, notes = self._picture()
        return plotly_figure(
            [Panel("loss", curves)], title=_TITLE, x_label=_X_LABEL, log_x=True, marks=notes
        )

    def _lowest(self) -> float:
        return float(self.lrs[int(np.nanargmin(self.losses))])

    def __repr__(self) -> str:
        tried = f"{plural(len(self.lrs), 'step')} from {self.lrs[0]:.2g} to {self.lrs[-1]:.2g}"
        shown = "none" if self.suggestion is None else f"{self.suggestion:.2g}"
        return f"LRFinder(suggestion {shown}, {tried}, {self.stopped})"

    def _repr_html_(self) -> Markup:
        curves, notes = self._picture()
        svg = line_chart(
            curves, title=_TITLE, x_label=_X_LABEL, log_x=True, y_label="loss", marks=notes
        )
        return markup(
            '<div style="font-size:13px;line-height:1.5"><div>{said}</div>{img}</div>',
            said=self.said,
            img=as_img(svg, f"Loss by learning rate. {self.said}"),
        )

    def _picture(self) -> tuple[list[Series], list[Note]]:
        """The curves without the explosion, which would press the rest against the bottom."""
        cap = float(np.nanmin(self.losses)) * EXPLODED if np.isfinite(self.losses).any() else 1.0
        start = self.losses[np.isfinite(self.losses)][:1]
        top = max(cap, float(start[0]) * 1.3) if len(start) else cap
        mean = np.where(self.losses > top, np.nan, self.losses)
        raw = np.where(self.raw > top, np.nan, self.raw)
        note = [] if self.suggestion is None else [Note(self.suggestion, f"{self.suggestion:.2g}")]
        curves = [Series("", self.lrs, y, faint=y is raw, color=0) for y in (raw, mean)]
        return curves, note


def lr_finder(
    trainer: Trainer,
    data: Any,
    *,
    target: Any = None,
    batch_size: int = 64,
    start: float = 1e-7,
    end: float = 10.0,
    steps: int = 100,
) -> LRFinder:
    """Train up to `steps` steps with a growing learning rate, and put everything back.

    >>> found = lr_finder(trainer, (x, y))
    >>> found.suggestion
    0.0123

    The first interrupt ends it with what there is by then.

    Args:
        trainer: its model, loss and optimizer are used, and left as they were.
        data: as for `fit`.
        target: which column of a frame is the target.
        batch_size: rows a step, which should be that of the training.
        start: the first learning rate.
        end: the last one.
        steps: how many, at equal distances in the logarithm.

    Raises:
        TrainError: bounds that are none, or too few steps before the loss exploded.
        DataError: the data cannot be trained on.
    """
    _check(start, end, steps)
    from mlnb.train.calling import training
    from mlnb.train.plan import Asked
    from mlnb.train.preparing import prepare_fit
    from mlnb.train.steer import interrupts

    asked = Asked(data=data, target=target, batch_size=batch_size, epochs=1, folder=False)
    with interrupts.ladder() as ladder, _kept(trainer) as keep:
        _, state, step = prepare_fit(trainer, asked)
        keep(state, step)
        rates = np.geomspace(start, end, steps)
        with training(state.models.values()), progress("learning rates tried", steps) as done:
            raw, stopped = _sweep(rates, state, step, ladder, done)
    return _result(rates[: len(raw)], np.array(raw), stopped)


def _check(start: float, end: float, steps: int) -> None:
    numbers = isinstance(start, int | float) and isinstance(end, int | float)
    if not numbers or not 0 < start < end < math.inf:
        raise TrainError(f"lr_finder goes from start to a larger end; received {start!r}, {end!r}")
    if not isinstance(steps, int) or steps < FEWEST:
        raise TrainError(f"lr_finder takes at least {FEWEST} steps; received {steps!r}")


class _kept:
    """Everything that a trial changes, put back at the end whatever happened."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def __enter__(self) -> Any:
        from mlnb.train.keep.random_state import random_state

        self._random = random_state()
        self._optimizers = dict(self._trainer.optimizers)
        self._groups = [
            [{key: group.get(key) for key in ("lr", "initial_lr")} for group in one.param_groups]
            for one in self._optimizers.values()
        ]
        self._state: TrainState | None = None
        return self._keep

    def _keep(self, state: TrainState, step: Step) -> None:
        from mlnb.train.keep.snapshot import take

        self._snapshot = take(state)
        self._state, self._step = state, step
        self._grads = {id(p): p.grad for p in state.parameters()}

    def __exit__(self, *_: Any) -> None:
        from mlnb.train.keep.random_state import set_random_state
        from mlnb.train.keep.snapshot import put_back
        from mlnb.train.steer.interrupts import shield

        with shield():
            if self._state is not None:
                self._step.close()
                put_back(self._state, self._snapshot)
                for parameter in self._state.parameters():
                    parameter.grad = self._grads.get(id(parameter))
            self._trainer.optimizers = self._optimizers
            for one, groups in zip(self._optimizers.values(), self._groups, strict=True):
                for group, kept in zip(one.param_groups, groups, strict=True):
                    for key, value in kept.items():
                        if value is None:
                            group.pop(key, None)
                        else:
                            group[key] = value
            set_random_state(self._random)


def _sweep(
    rates: NDArray[Any], state: TrainState, step: Step, ladder: Ladder, done: Callable[[int], None]
) -> tuple[list[float], str]:
    """The loss at each rate, and why it ended."""
    batches = _endless(state)
    raw: list[float] = []
    mean, lowest = 0.0, math.inf
    for at, rate in enumerate(rates):
        _set_rates(state, float(rate))
        step.lr_changed()
        parts: list[float] = []
        while True:
            batch = next(batches, None)
            if batch is None:
                raise TrainError("the data gave no batch: there is nothing to try a rate on")
            loss, _ = step(*batch)
            parts.append(float(loss["loss"] if isinstance(loss, Mapping) else loss))
            if step.stepped or not math.isfinite(parts[-1]):
                break
        raw.append(float(np.mean(parts)))
        mean = SMOOTHING * mean + (1 - SMOOTHING) * raw[-1]
        smooth = mean / (1 - SMOOTHING ** (at + 1))
        if not math.isfinite(raw[-1]) or (at >= FEWEST and smooth > EXPLODED * abs(lowest)):
            return raw[:-1], "exploded"
        lowest = min(lowest, smooth)
        done(len(raw))
        if ladder.first is not None:
            return raw, "interrupted"
    return raw, "end"


def _endless(state: TrainState) -> Iterator[tuple[Any, Any]]:
    epoch = 0
    while True:
        seen = 0
        for batch in state.batches.epoch(epoch, 0):
            seen += 1
            yield batch
        if not seen:
            return
        epoch += 1


def _set_rates(state: TrainState, rate: float) -> None:
    """The first group gets `rate`, the others as many times it as they were given."""
    for optimizer in state.optimizers.values():
        groups = optimizer.param_groups
        given = [float(group.setdefault("initial_lr", rate_of(group))) for group in groups]
        for group, own in zip(groups, given, strict=True):
            write_rate(group, rate * own / given[0] if given[0] else rate)


def _result(rates: NDArray[Any], raw: NDArray[Any], stopped: str) -> LRFinder:
    if len(raw) < FEWEST:
        raise TrainError(
            f"the loss {'exploded' if stopped == 'exploded' else 'was interrupted'} after "
            f"{plural(len(raw), 'step')}, too few to tell; begin with a smaller start="
        )
    # Neighbours on both sides: a running mean would lag, and the suggestion come out too high.
    reach = max(len(raw) // 25, 1)
    means = np.array([raw[max(at - reach, 0) : at + reach + 1].mean() for at in range(len(raw))])
    return LRFinder(rates, means, raw, _steepest(rates, means), stopped)


def _steepest(rates: NDArray[Any], losses: NDArray[Any]) -> float | None:
    """The rate at which the loss falls fastest in the logarithm of the rate, up to its minimum.

    None where it fell by less than a hundredth or than its noise, four deviations of neighbours.
    """
    lowest = int(np.argmin(losses))
    first = min(5, lowest)
    noise = float(np.abs(np.diff(losses, n=2)).mean()) if len(losses) > 2 else 0.0
    least = max(4 * noise, 0.01 * abs(float(losses[first])))
    if lowest - first < 3 or losses[first] - losses[lowest] <= least:
        return None
    slopes = np.gradient(losses[: lowest + 1], np.log(rates[: lowest + 1]))
    return float(rates[first + int(np.argmin(slopes[first:]))])
