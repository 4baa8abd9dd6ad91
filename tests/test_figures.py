"""Curves as pictures: small, script-free, whole; whatever the values are."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from mlnb.figures import COLUMNS, Note, Series, as_img, line_chart, number_text
from mlnb.figures.axes import Axis

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*series, **more):
    """The picture, parsed; it must be well-formed XML."""
    return ET.fromstring(line_chart(series, **more))


def texts(picture) -> list[str]:
    return [node.text for node in picture.iter(f"{SVG}text")]


def paths(picture) -> list[str]:
    (group,) = picture.findall(f"{SVG}g")
    return [node.get("d") for node in group.findall(f"{SVG}path")]


def corners(path: str) -> list[tuple[int, int]]:
    """The places that a path of `M` and `l` goes through."""
    places = []
    for part in path.replace("z", "").split("M")[1:]:
        start, _, moves = part.replace("h0", "").partition("l")
        x, y = (int(n) for n in re.findall(r"-?\d+", start))
        places.append((x, y))
        steps = [int(n) for n in re.findall(r"-?\d+", moves)]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            places.append((x, y))
    return places


def test_a_curve_goes_through_its_values():
    picture = drawn(Series("loss", [0, 1, 2], [3.0, 1.0, 2.0]), width=700, height=300)
    (path,) = paths(picture)
    (x0, y0), (x1, y1), (x2, y2) = corners(path)
    assert x0 < x1 < x2
    assert x1 - x0 == pytest.approx(x2 - x1, abs=1)
    assert y0 < y2 < y1
    assert (y1 - y0) == pytest.approx(2 * (y1 - y2), abs=2)


@pytest.mark.parametrize("count", [1, 4, 40, 400])
def test_a_picture_is_small_however_many_values_and_curves(count):
    values = np.random.default_rng(0).random((count, 1_000_000 // count))
    series = [Series(f"run {at}", np.arange(len(row)), row, smooth=True)
              for at, row in enumerate(values)]  # fmt: skip
    svg = line_chart(series, marks=[Note(at, "something " * 9) for at in range(1000)])
    assert len(svg) < 34_000
    assert len(as_img(svg, "curves")) < 50_000


def test_a_spike_between_pixels_stays():
    values = np.zeros(1_000_000)
    values[123_456] = 5.0
    picture = drawn(Series("loss", np.arange(len(values)), values))
    band, line = paths(picture)
    highest = min(y for _, y in corners(band))
    assert highest < 400
    assert len(corners(band)) <= 2 * COLUMNS
    assert min(y for _, y in corners(line)) > highest


def test_gaps_stay_gaps_and_lonely_values_are_seen():
    values = [1.0, 2.0, np.nan, 3.0, np.inf, 2.0, 1.0]
    (path,) = paths(drawn(Series("loss", range(7), values)))
    assert path.count("M") == 3
    assert path.count("h0") == 1


@pytest.mark.parametrize(
    "values",
    [[], [np.nan] * 3, [0.7], [2.0] * 5, [0.0] * 5, [1e149, -1e149], [1e300, 1.0], [1e-300, 2e-300],
     [-5.0, -5.0], [1e9, 1e9 + 1], [np.inf, -np.inf], [5e-324, 0.0]],
)  # fmt: skip
@pytest.mark.parametrize("log", [False, True])
def test_nothing_is_too_odd_to_be_drawn(values, log):
    picture = drawn(Series("loss", range(len(values)), values, smooth=True), log_y=log)
    assert "nan" not in " ".join(paths(picture)).lower()
    if not np.isfinite(values).any():
        assert paths(picture) == [""]


def test_nothing_yet_is_said():
    assert "no values yet" in texts(drawn(Series("loss", [], []), x_label="step"))
    assert "no values yet" in texts(drawn())


def test_one_value_is_a_dot_in_the_middle():
    picture = drawn(Series("loss", [5], [0.7]))
    (dot,) = picture.iter(f"{SVG}circle")
    assert 3000 < int(dot.get("cx")) < 4500


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0, 2.3, ["0", "0.5", "1.0", "1.5", "2.0"]),
        (0, 100, ["0", "20", "40", "60", "80", "100"]),
        (0, 1200, ["0", "500", "1,000"]),
        (0, 12_000, ["0", "5k", "10k"]),
        (0, 120_000, ["0", "50k", "100k"]),
        (0, 4e6, ["0", "1M", "2M", "3M", "4M"]),
        (0, 4e-5, ["0", "1e-5", "2e-5", "3e-5", "4e-5"]),
        (0.97, 1.0, ["0.97", "0.98", "0.99", "1.00"]),
        (-1, 1, ["-1.0", "-0.5", "0", "0.5", "1.0"]),
    ],
)
def test_ticks_are_round_numbers(low, high, shown):
    assert [text for _, text in Axis(low, high, log=False).ticks(5)] == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (-7, 1, ["1e-7", "1e-5", "0.001", "0.1", "10"]),
        (-3, 0, ["0.001", "0.01", "0.1", "1"]),
        (-1, 0.5, ["0.1", "0.2", "0.5", "1", "2"]),
    ],
)
def test_logarithmic_ticks_are_decades(low, high, shown):
    assert [text for _, text in Axis(low, high, log=True).ticks(5)] == shown


def test_neighbouring_ticks_never_read_alike():
    random = np.random.default_rng(1)
    for _ in range(500):
        low = random.normal() * 10.0 ** random.integers(-6, 9)
        high = low + abs(random.normal()) * 10.0 ** random.integers(-6, 9) + 1e-9 * abs(low)
        shown = [text for _, text in Axis(low, high, log=False).ticks(5)]
        assert len(set(shown)) == len(shown) <= 20, (low, high, shown)


def test_a_logarithmic_axis_leaves_out_what_has_no_logarithm():
    (path,) = paths(drawn(Series("loss", range(4), [1.0, 0.0, -1.0, 10.0]), log_y=True))
    assert path.count("M") == 2


def test_words_of_marks_do_not_stand_on_each_other():
    marks = [Note(50, "first"), Note(51, "second"), Note(52, "third"), Note(53, "fourth")]
    picture = drawn(Series("loss", range(100), range(100)), marks=marks)
    places = {n.text: n.get("y") for n in picture.iter(f"{SVG}text") if n.get("class") == "h"}
    assert len(set(places.values())) == len(places) == 3
    beyond = drawn(Series("loss", [0, 9], [0, 1]), marks=[Note(50, "beyond")])
    assert "beyond" not in texts(beyond)


def test_what_strangers_wrote_is_no_markup():
    evil = '</title><script>alert(1)</script>"\u202e'
    svg = line_chart([Series(evil, [0, 1], [0, 1])], title=evil, x_label=evil, y_label=evil,
                     marks=[Note(0.5, evil)])  # fmt: skip
    ET.fromstring(svg)
    image = as_img(svg, evil)
    for text in (svg, image):
        assert "<script" not in text
        assert "\u202e" not in text
    assert image.count('"') == 6


def test_the_picture_comes_back_out_of_its_image():
    svg = line_chart([Series("Verlust ä", [0, 1], [0, 1])])
    data = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', as_img(svg, "curve"))[1]
    assert base64.b64decode(data).decode() == svg


def test_it_is_readable_on_light_and_dark_pages():
    svg = line_chart([Series("loss", [0, 1], [0, 1])])
    assert "prefers-color-scheme:dark" in svg
    assert 'class="c"' in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_numbers_are_said_shortly():
    said = {0.15: "0.150", 98.7654: "98.77", 12345.6: "12,346", 1.234e-5: "1.23e-5", 0: "0",
            999.97: "1,000", 3e9: "3e9", -0.5: "-0.500"}  # fmt: skip
    assert {value: number_text(value) for value in said} == said
    assert number_text(float("inf")) == "inf"
