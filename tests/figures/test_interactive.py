"""Curves as plotly figures: small, with every spike, whatever the values and the names are."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from mlnb.errors import MissingExtra
from mlnb.figures import Note, Panel, Series, Spot, plotly_figure
from mlnb.figures.interactive import MOST_MARKS, POINTS, extremes

pytest.importorskip("plotly")


def only(series: Series, **words):
    """The figure of one series."""
    return plotly_figure([Panel("loss", [series])], **words)


def test_a_short_curve_is_what_was_given():
    (trace,) = only(Series("loss", [0, 1, 2], [3.0, 1.0, 2.0])).data
    assert trace.name == "loss"
    assert list(trace.x) == [0, 1, 2]
    assert list(trace.y) == [3.0, 1.0, 2.0]


@pytest.mark.parametrize("count", [1, 3, 40, 400])
def test_a_figure_is_small_however_many_values_and_curves(count):
    values = np.random.default_rng(0).random((count, 1_000_000 // count))
    figure = plotly_figure(
        [Panel("loss", [Series(f"run {at}", np.arange(len(row)), row, smooth=True)
                        for at, row in enumerate(values)])],
        marks=[Note(at, "something " * 9) for at in range(1000)],
    )  # fmt: skip
    assert max(len(trace.x) for trace in figure.data) <= POINTS
    assert len(figure.data) >= min(count, 40)
    assert len(figure.to_json()) < 500_000
    assert len(figure.layout.shapes) == MOST_MARKS


def test_every_spike_stays_where_it_was():
    values = np.zeros(1_000_000)
    values[[0, 123_456, 999_999]] = 7.0, 5.0, -3.0
    (trace,) = only(Series("loss", np.arange(len(values)), values)).data
    kept = {int(x): float(y) for x, y in zip(trace.x, trace.y, strict=True) if y}
    assert kept == {0: 7.0, 123_456: 5.0, 999_999: -3.0}


@pytest.mark.parametrize("length", [1, 19, 20, 21, 22, 37, 100, 1_001])
def test_extremes_keep_order_ends_and_the_range(length):
    rng = np.random.default_rng(length)
    x, y = np.arange(length), rng.normal(size=length)
    y[rng.random(length) < 0.2] = np.nan
    some_x, some_y = extremes(x, y, points=20)
    assert len(some_x) <= max(20, 1)
    assert (np.diff(some_x) > 0).all()
    assert (some_x[0], some_x[-1]) == (0, length - 1)
    if np.isfinite(y).any():
        assert (np.nanmin(some_y), np.nanmax(some_y)) == (np.nanmin(y), np.nanmax(y))
    assert np.array_equal(y[some_x], some_y, equal_nan=True)


def test_a_long_gap_stays_a_gap():
    values = np.ones(100_000)
    values[40_000:60_000] = np.nan
    (trace,) = only(Series("loss", np.arange(len(values)), values)).data
    gap = trace.x[~np.isfinite(trace.y)]
    assert len(gap) > 100
    assert gap.min() >= 40_000
    assert gap.max() < 60_000


@pytest.mark.parametrize(
    "values", [[], [np.nan] * 3, [np.inf, 1.0, -np.inf], [1e300, 1.0], [np.nan] * 5_000]
)
def test_values_that_are_no_numbers_make_gaps_and_valid_json(values):
    figure = only(Series("loss", range(len(values)), values, smooth=True))
    told = json.loads(figure.to_json(), parse_constant=lambda name: pytest.fail(name))
    assert told["data"]


def test_a_running_mean_lies_over_the_faint_values():
    noisy = np.random.default_rng(0).normal(size=4_000)
    raw, mean = only(Series("loss", np.arange(4_000), noisy, smooth=True)).data
    assert (raw.showlegend, mean.showlegend) == (False, True)
    assert raw.opacity < mean.opacity
    assert np.ptp(mean.y) < np.ptp(raw.y) / 3
    assert mean.line.color == raw.line.color


def test_panels_stand_below_each_other_and_share_the_steps():
    steps = np.arange(5)
    figure = plotly_figure(
        [
            Panel("loss", [Series("loss", steps, steps)], log=True, spots=[Spot(2, 2.0, "best")]),
            Panel("accuracy", [Series("accuracy", steps, steps), Series("loss", steps, steps)]),
        ],
        title="net",
        x_label="step",
    )
    assert (figure.layout.yaxis.type, figure.layout.yaxis2.type) == ("log", "linear")
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert figure.layout.xaxis.matches == "x2"
    assert figure.layout.xaxis2.title.text == "step"
    star = next(trace for trace in figure.data if trace.name == "best")
    assert (star.x[0], star.y[0], star.showlegend) == (2, 2.0, False)
    assert [t.showlegend for t in figure.data if t.name == "loss"] == [True, False]


def test_what_was_done_at_one_place_is_one_line():
    marks = [Note(3, "pause"), Note(3, "lr 0.1"), Note(3, "pause"), Note(4)]
    figure = only(Series("loss", range(9), range(9)), marks=marks)
    assert [shape.x0 for shape in figure.layout.shapes] == [3, 4]
    assert [note.text for note in figure.layout.annotations] == ["pause, lr 0.1", ""]


def test_on_a_logarithmic_axis_a_mark_stands_at_its_value():
    marks = [Note(0.01, "lr"), Note(0.0, "never"), Note(-1.0)]
    figure = only(Series("", [1e-3, 1e-1], [1, 2]), log_x=True, marks=marks)
    assert [shape.x0 for shape in figure.layout.shapes] == [0.01]
    assert [note.x for note in figure.layout.annotations] == [-2.0]
    assert figure.layout.xaxis.type == "log"


def test_names_are_shown_as_they_are():
    evil = "<a href='javascript:alert(1)'>x</a>\u202e&"
    figure = plotly_figure(
        [Panel(evil, [Series(evil, [1], [1])], spots=[Spot(1, 1, evil)])],
        title=evil, x_label=evil, marks=[Note(1, evil)],
    )  # fmt: skip
    told = figure.to_json()
    assert "\u202e" not in told
    assert "<a" not in told
    assert "&lt;a" in figure.data[0].name


def test_without_plotly_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(MissingExtra, match=r"pip install 'mlnb\[train\]'"):
        only(Series("loss", [1], [1]))
