"""Paint: numbers become colours, and what is not a number does not."""

from __future__ import annotations

import math
import re

import pytest

from mlnb.errors import MlnbError, UnknownName
from mlnb.graph.card import card
from mlnb.graph.graph import Graph, Node
from mlnb.graph.paint import RAMPS, ink_on, make_paint, value_text
from mlnb.graph.svg import picture


def chain(count: int, block: int = 4) -> Graph:
    """Nodes in a row, `block` of them in each scope."""
    nodes = tuple(
        Node(f"n{i}", "Relu", (f"v{i}",), (f"v{i + 1}",), scope=(f"block{i // block}", f"l{i}"))
        for i in range(count)
    )
    return Graph("g", nodes, ("v0",), (f"v{count}",))


def test_the_ends_of_the_ramp_are_the_smallest_and_the_largest():
    paint = make_paint({"a": 2.0, "b": 4.0, "c": 3.0}, colors=["#000000", "#ffffff"])
    colors = [paint.color(value) for value in (2.0, 3.0, 4.0, -9.0, 99.0)]
    assert colors == ["#000000", "#808080", "#ffffff", "#000000", "#ffffff"]


def test_a_log_scale_has_equal_steps_for_equal_factors_and_a_place_for_zero():
    values = {"a": 0.001, "b": 0.1, "c": 10.0, "zero": 0.0, "negative": -1.0}
    paint = make_paint(values, scale="log", colors=["#000000", "#ffffff"])
    assert (paint.low, paint.high) == (0.001, 10.0)
    assert [paint.color(values[name]) for name in "abc"] == ["#000000", "#808080", "#ffffff"]
    assert paint.color(0.0) == "#000000"
    assert paint.color(-1.0) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_what_is_not_a_number_has_no_colour_and_moves_no_limit(value: float | None):
    paint = make_paint({"a": value, "b": 1.0, "c": 2.0})
    assert paint.color(value) == ""
    assert (paint.low, paint.high) == (1.0, 2.0)


def test_one_value_and_none_at_all_are_fine():
    assert make_paint({"a": 5}).color(5.0) == make_paint({}, limits=(0, 10)).color(5.0)
    empty = make_paint({"a": None, "b": math.nan})
    assert (empty.low, empty.high) == (None, None)
    assert make_paint({"a": -1.7e308, "b": 1.7e308}).color(0.0).startswith("#")
    assert make_paint({"a": 0.0, "b": 0}, scale="log").color(0.0).startswith("#")


@pytest.mark.parametrize("groups", ["mean", "max", "min"])
def test_a_group_shows_the_mean_or_the_worst_and_never_hides_a_nan(groups: str):
    paint = make_paint({"a": 1.0}, groups=groups)
    assert paint.together([1.0, None, 4.0]) == {"mean": 2.5, "max": 4.0, "min": 1.0}[groups]
    assert math.isnan(paint.together([1.0, math.nan, 4.0]) or 0.0)
    assert paint.together([None, None]) is None


@pytest.mark.parametrize("name", RAMPS)
def test_what_is_written_on_a_ramp_can_be_read_everywhere(name: str):
    paint = make_paint({"a": 0.0, "b": 1.0}, colors=name)
    for step in range(101):
        color = paint.color(step / 100)
        assert contrast(color, ink_on(color)) >= 4.5, color


@pytest.mark.parametrize("name", ["viridis", "blues", "reds"])
def test_a_ramp_is_in_order_without_colours_too(name: str):
    light = [luminance(color) for color in RAMPS[name]]
    assert light in (sorted(light), sorted(light, reverse=True))


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"scale": "logarithmic"}, UnknownName, "scale 'logarithmic'"),
        ({"colors": "virids"}, UnknownName, "did you mean 'viridis'"),
        ({"colors": ["red", "blue"]}, MlnbError, "'#0b5fa5'; received 'red'"),
        ({"colors": ["#ffffff"]}, MlnbError, "two or more colours"),
        ({"groups": "worst"}, UnknownName, "way of grouping"),
        ({"limits": (2, 1)}, MlnbError, "low < high"),
        ({"limits": (0, 1), "scale": "log"}, MlnbError, "0 < low < high on a log scale"),
        ({"limits": 3}, MlnbError, "limits is"),
    ],
)
def test_wrong_words_are_refused(given: dict, error: type, words: str):
    with pytest.raises(error, match=re.escape(words)):
        make_paint({"a": 1.0}, **given)


def test_a_value_that_is_no_number_is_refused_by_name():
    with pytest.raises(MlnbError, match="expects a number for 'fc', or None; received str"):
        make_paint({"fc": "high"})


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0312, "0.0312"), (-2.1249, "−2.12"), (1234567.0, "1.23e+6"), (7.0, "7"), (None, "–"),
     (math.nan, "NaN"), (-math.inf, "−∞"), (0.00001, "1.00e−5"), (1234.56, "1230")],
)  # fmt: skip
def test_values_are_said_in_three_digits(value: float | None, text: str):
    assert value_text(value) == text


def test_the_static_picture_bears_the_colours_a_legend_and_the_values():
    graph = chain(4)
    paint = make_paint({"n0": 0.25, "n3": math.nan}, label="dead <units>", colors="blues")
    svg = picture(graph, paint=paint)
    assert svg.count(f"fill:{paint.color(0.25)}") == 1
    assert "url(#h)" in svg
    assert "dead &lt;units&gt;" in svg
    assert "0.25" in svg
    plain = picture(graph)
    assert "linearGradient" not in plain
    assert "url(#h)" not in plain


def test_a_closed_group_of_the_picture_shows_the_mean_of_what_is_inside():
    graph = chain(120)
    paint = make_paint({f"n{i}": i for i in range(120)})
    svg = picture(graph, 12, paint=paint)
    assert "1.5" in re.findall(r">([0-9.]+)</text>", svg)


def test_the_card_has_the_values_as_a_table_sorted_with_what_is_wrong_first():
    values = {"n0": 1.0, "n1": None, "n2": math.inf, "n3": 30.0}
    page = card("t", "f", [], [], chain(4), paint=make_paint(values, label="cost"))
    table = page[page.index("<details>") :]
    assert re.findall(r">(n\d)<", table) == ["n2", "n3", "n0", "n1"]
    assert len(page) < 60_000


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
