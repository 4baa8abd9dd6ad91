"""Both widgets on a bare page: any width, name and theme, by keyboard, whatever the kernel does.

The page plays Python's part: it hears what a widget sends, and answers when a test says so.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from bare_page import ORIGIN, show
from graph_view import GraphView
from lab import Watch
from models_made import onnx_models
from models_made.build import FLOAT, VALUE, model, weight
from onnx import helper
from playwright.sync_api import Locator, Page, expect

from mlnb.models.loading import load_model
from mlnb.widgets.graph_viewer import GraphViewer
from mlnb.widgets.tensor_table import TensorTable
from mlnb.widgets.tensor_view import picture_uri, stats_json

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LONG = "encoder." * 38  # 304 characters
THEMES = """
body { background: var(--jp-layout-color0); }
body[data-jp-theme-light="true"] { --jp-layout-color0: #ffffff; --jp-ui-font-color0: #111111;
  --jp-ui-font-color2: #555555; --jp-ui-font-color3: #888888; --jp-border-color2: #cccccc; }
body[data-jp-theme-light="false"] { --jp-layout-color0: #111111; --jp-ui-font-color0: #eeeeee;
  --jp-ui-font-color2: #aaaaaa; --jp-ui-font-color3: #888888; --jp-border-color2: #444444; }
"""


@pytest.fixture
def bare(page: Page, watch: Watch) -> Page:
    """A page whose only server is the one of the bundles."""
    watch.home = ORIGIN.removeprefix("http://")
    return page


def traits(widget: GraphViewer | TensorTable) -> dict[str, Any]:
    """The state of a widget as the front end gets it, without its code."""
    state = widget.get_state()
    return {k: v for k, v in state.items() if k[0] != "_" and k != "layout"}


def show_viewer(page: Page, content: bytes, *, width: int = 1000) -> GraphView:
    """The viewer of a model's bytes."""
    show(page, "graph_viewer", traits(GraphViewer(load_model(content))), width=width)
    return GraphView.on(page)


def show_table(page: Page, rows: list[dict[str, Any]], *, width: int = 1000) -> Locator:
    """A table of these rows."""
    state = {
        "rows": rows,
        "feed": "model.predict({})",
        "title": "made",
        "facts": "",
        "static_id": "",
    }
    show(page, "tensor_table", state, width=width)
    table = page.locator(".mlnb-tensor-table[data-state='ready']")
    table.wait_for()
    return table


def row(name: str, values: np.ndarray | None = None, **more: Any) -> dict[str, Any]:
    """A row as Python sends it, with values or without."""
    stats = None if values is None else stats_json(values)
    picture = None if values is None else picture_uri(values)
    plain = {"role": "in", "name": name, "dtype": "float32", "shape": "[2, 3]", "note": ""}
    return plain | {"stats": stats, "picture": picture} | more


def sent(page: Page, kind: str) -> list[dict[str, Any]]:
    """What the widget has asked of Python."""
    return [message for message in page.evaluate("window.sent") if message["kind"] == kind]


def answer(page: Page, **message: Any) -> None:
    """What Python sends."""
    page.evaluate("message => window.receive(message)", message)


# -------------------------------------------------------------------------------------- any width


def long_names() -> bytes:
    """A small network, each name of which has 304 characters."""
    x, w, middle, y = (LONG + end for end in "xwmy")
    nodes = [
        helper.make_node("MatMul", [x, w], [middle], name=f"{LONG}matmul"),
        helper.make_node("Relu", [middle], [y], name=f"{LONG}relu"),
    ]
    shape = [f"{LONG}batch", 4]
    return model(nodes, [VALUE(x, FLOAT, shape)], [VALUE(y, FLOAT, shape)], {w: weight(4, 4)})


@pytest.mark.parametrize("width", [400, 1000])
def test_names_of_300_characters_stay_within_the_column(bare: Page, screenshots, width: int):
    bare.set_viewport_size({"width": width, "height": 800})
    viewer = show_viewer(bare, long_names(), width=width)
    nothing_sticks_out(bare, width)
    name = viewer.root.locator(".mlnb-name button").first
    expect(name).to_have_attribute("aria-expanded", "false")
    name.click()
    expect(name).to_have_text(f"{LONG}x")
    nothing_sticks_out(bare, width)
    bare.screenshot(path=screenshots / f"bare_long_names_{width}.png")


def test_a_column_of_400_pixels_has_the_details_behind_a_button(bare: Page, screenshots):
    bare.set_viewport_size({"width": 400, "height": 800})
    viewer = show_viewer(bare, onnx_models.convnet(), width=400)
    bare.screenshot(path=screenshots / "bare_400.png")
    assert viewer.panel.is_hidden()
    viewer.click("conv")
    details = viewer.root.get_by_role("button", name="show the details")
    details.click()
    expect(details).to_have_attribute("aria-expanded", "true")
    expect(viewer.panel).to_contain_text("conv.weight")
    nothing_sticks_out(bare, 400)
    bare.screenshot(path=screenshots / "bare_400_details.png")
    details.click()
    assert viewer.panel.is_hidden()


def test_a_table_of_values_fits_400_pixels(bare: Page, screenshots):
    bare.set_viewport_size({"width": 400, "height": 900})
    values = np.random.default_rng(3).normal(size=(16, 16)).astype(np.float32)
    values[0, :3] = np.nan
    table = show_table(bare, [row("image", values), row(LONG, values)], width=400)
    nothing_sticks_out(bare, 400)
    expect(table).to_contain_text("3 NaN")
    bare.screenshot(path=screenshots / "bare_table_400.png")


def nothing_sticks_out(page: Page, width: int) -> None:
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.locator(".mlnb").first.evaluate("el => el.scrollWidth <= el.clientWidth + 1")


# --------------------------------------------------------------------------------------- any name


def no_markup_came_of_it(root: Locator) -> None:
    """Text stayed text: no element of a stranger's, no character that cannot be seen."""
    foreign = "script, iframe, object, u, b:not(.mlnb-title), i:not(.mlnb-share), [onerror]"
    assert root.locator(foreign).count() == 0
    assert root.locator("img:not([src^='data:image/png;base64,'])").count() == 0
    said = root.evaluate(
        "el => [el.innerText, ...[...el.querySelectorAll('[title], [aria-label]')]"
        ".flatMap(e => [e.title, e.getAttribute('aria-label') ?? ''])].join('\\n')"
    )
    assert not UNSEEN.search(said)


def test_hostile_names_are_text_wherever_a_viewer_shows_them(bare: Page, screenshots):
    viewer = show_viewer(bare, onnx_models.hostile_names())
    no_markup_came_of_it(viewer.root)
    for identity in viewer.boxes():
        bare.evaluate("id => window.model.set('selected', id)", identity)
        no_markup_came_of_it(viewer.root)
    viewer.root.get_by_role("searchbox").fill("<img src=x onerror")
    viewer.root.get_by_role("searchbox").press("Enter")
    expect(viewer.panel).to_contain_text("<img src=x onerror=alert(1)>")
    no_markup_came_of_it(viewer.root)
    bare.screenshot(path=screenshots / "bare_hostile.png")


def test_hostile_rows_are_text_in_a_table(bare: Page, screenshots):
    names = [name for name in onnx_models.HOSTILE_NAMES if name][:6]
    pictures = [
        *("javascript:alert(1)", "http://evil.test/x.png", "data:text/html,<script>alert(1)"),
        *("data:image/svg+xml,<svg onload=alert(1)>", "data:image/png;base64,AAAA", ""),
    ]
    rows = [
        row(name, picture=picture, dtype=name, shape=name, note=name, role=name)
        for name, picture in zip(names, pictures, strict=True)
    ]
    table = show_table(bare, rows)
    no_markup_came_of_it(table)
    expect(table).to_contain_text("<img src=x onerror=alert(1)>")
    expect(table).to_contain_text("\\u202e")
    bare.screenshot(path=screenshots / "bare_hostile_table.png")


# -------------------------------------------------------------------------------------- by keyboard


def test_the_keyboard_alone_walks_opens_finds_and_clears(bare: Page):
    viewer = show_viewer(bare, onnx_models.scoped(3))
    viewer.canvas.focus()
    said = [press(viewer, "ArrowDown") for _ in range(3)]
    assert len(set(said)) == 3
    assert said[0].startswith("input")
    assert press(viewer, "ArrowUp") == said[1]
    group = next(name for name in viewer.boxes() if name.endswith("/"))
    bare.evaluate("id => window.model.set('selected', id)", group)
    words = [viewer.spoken, press(viewer, "Enter"), press(viewer, "Enter")]
    assert sorted({word.rpartition(", ")[2] for word in words}) == [
        "closed. Enter opens it.",
        "open. Enter closes it.",
    ]
    assert words[0] == words[2]
    bare.keyboard.press("/")
    expect(viewer.root.get_by_role("searchbox")).to_be_focused()
    bare.keyboard.type("relu")
    bare.keyboard.press("Enter")
    expect(viewer.root.locator(".mlnb-count")).to_contain_text("1 of 4")
    expect(viewer.panel).to_contain_text("Relu")
    bare.keyboard.press("Escape")
    expect(viewer.canvas).to_be_focused()
    assert press(viewer, "Escape") == "nothing selected"


def press(viewer: GraphView, key: str) -> str:
    """What is spoken after a key."""
    viewer.page.keyboard.press(key)
    viewer.settle()
    return viewer.spoken


@pytest.mark.parametrize("widget", ["viewer", "table"])
def test_tab_reaches_every_control_and_each_has_a_name_and_a_visible_focus(bare: Page, widget):
    if widget == "viewer":
        root = show_viewer(bare, long_names()).root
    else:
        root = show_table(bare, [row(f"{LONG}{i}") for i in range(10)])
    controls = root.locator("button:visible, input:visible, canvas[tabindex='0']").count()
    names, focus = [], []
    for _ in range(controls):
        bare.keyboard.press("Tab")
        names.append(
            bare.evaluate(
                "(e => e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText)"
                "(document.activeElement)"
            )
        )
        focus.append(bare.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
    assert all(names), names
    assert set(focus) == {"solid"}
    assert root.evaluate("el => el.contains(document.activeElement)")
    assert controls >= 3


# --------------------------------------------------------------------------------------- any theme


def test_the_colours_follow_the_theme_while_the_widget_lives(bare: Page, screenshots):
    viewer = show_viewer(bare, onnx_models.convnet())
    bare.add_style_tag(content=THEMES)
    colours = {}
    for light in ("true", "false", "true"):
        bare.evaluate("light => document.body.setAttribute('data-jp-theme-light', light)", light)
        bare.wait_for_timeout(100)
        seen = (corner(viewer), text_colour(viewer))
        assert colours.setdefault(light, seen) == seen
        bare.screenshot(
            path=screenshots / f"bare_theme_{'light' if light == 'true' else 'dark'}.png"
        )
    assert colours == {
        "true": ([255, 255, 255], "rgb(17, 17, 17)"),
        "false": ([17, 17, 17], "rgb(238, 238, 238)"),
    }


def test_a_page_without_jupyters_colours_follows_the_system(bare: Page):
    bare.emulate_media(color_scheme="light")
    viewer = show_viewer(bare, onnx_models.convnet())
    light = corner(viewer)
    bare.emulate_media(color_scheme="dark")
    bare.wait_for_timeout(100)
    assert light == [255, 255, 255]
    assert max(corner(viewer)) < 64


def corner(viewer: GraphView) -> list[int]:
    """The colour of the canvas in its first pixel; where it is clear, the colour behind it."""
    return viewer.canvas.evaluate(
        """canvas => {
            const [r, g, b, a] = canvas.getContext("2d").getImageData(2, 2, 1, 1).data;
            if (a === 255) return [r, g, b];
            const style = getComputedStyle(canvas.closest(".mlnb")).backgroundColor;
            return style.match(/\\d+/g).slice(0, 3).map(Number);
        }"""
    )


def text_colour(viewer: GraphView) -> str:
    return viewer.root.evaluate("el => getComputedStyle(el).color")


# ----------------------------------------------------------------------------- whatever Python does


def test_statistics_appear_when_the_answer_comes_and_a_busy_kernel_is_told(bare: Page, screenshots):
    bare.clock.install()
    viewer = show_viewer(bare, onnx_models.convnet())
    viewer.click("conv")
    viewer.root.get_by_role("button", name="statistics of conv.weight").click()
    place = viewer.panel.locator(".mlnb-tensor").first
    expect(place).to_have_text("reading…")
    bare.clock.run_for(2_100)
    expect(place).to_have_text("no answer yet: the kernel is busy, or none is running")
    (asked,) = sent(bare, "tensor")
    assert (asked["graph"], asked["value"]) == (0, "conv.weight")
    values = weight(16, 3, 3, 3)
    values[0, 0, 0, :2] = np.inf
    of = {"name": "conv.weight", "dtype": "float32", "shape": "[16, 3, 3, 3]"}
    filled = {"stats": stats_json(values), "picture": picture_uri(values), "slice": "1.5 2.5"}
    answer(bare, kind="tensor", request=asked["request"] + 1, **of, **filled)
    expect(place).to_contain_text("the kernel is busy")
    answer(bare, kind="tensor", request=asked["request"], **of, **filled)
    expect(place).to_contain_text("2 infinite")
    expect(place).to_contain_text("1.5 2.5")
    assert place.locator("img").evaluate("img => img.complete && img.naturalWidth") > 0
    bare.screenshot(path=screenshots / "bare_statistics.png")
    viewer.click("fc")
    viewer.click("conv")
    expect(viewer.panel).to_contain_text("2 infinite")
    assert len(sent(bare, "tensor")) == 1


def test_an_error_of_the_kernel_is_shown_as_text(bare: Page):
    viewer = show_viewer(bare, onnx_models.convnet())
    viewer.click("conv")
    viewer.root.get_by_role("button", name="statistics of conv.bias").click()
    (asked,) = sent(bare, "tensor")
    said = "net.onnx has changed since it was loaded; run %mlload again<img src=x>\x1b[31m"
    answer(bare, kind="error", request=asked["request"], message=said)
    expect(viewer.panel.get_by_role("alert")).to_contain_text("run %mlload again<img src=x>\\x1b")
    no_markup_came_of_it(viewer.root)


def test_a_busy_kernel_is_asked_for_nothing_but_values(bare: Page):
    viewer = show_viewer(bare, onnx_models.scoped(3))
    viewer.root.get_by_role("searchbox").fill("relu")
    viewer.root.get_by_role("searchbox").press("Enter")
    viewer.fit()
    group = next(name for name in viewer.boxes() if name.endswith("/"))
    before = len(viewer.boxes())
    viewer.page.evaluate("id => window.model.set('selected', id)", group)
    viewer.canvas.press("Enter")
    viewer.settle()
    assert len(viewer.boxes()) != before
    viewer.canvas.press("+")
    assert bare.evaluate("window.sent") == [{"kind": "ready"}]


def test_a_view_that_goes_leaves_nothing_behind(bare: Page):
    viewer = show_viewer(bare, onnx_models.convnet())
    bare.evaluate("window.close()")
    expect(viewer.root).to_have_count(0)
    bare.evaluate("window.model.set('title', 'after')")
    answer(bare, kind="focus", id="conv")
