"""A painted graph on a bare page: colours, legend, table and tip; nothing moves for it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from bare_page import ORIGIN, show
from graph_view import GraphView
from lab import Watch
from playwright.sync_api import Page, expect

from mlnb.graph.graph import Graph, Node, Value
from mlnb.widgets.graph_viewer import GraphViewer

THEMES = """
body { background: var(--jp-layout-color0); }
body[data-jp-theme-light="true"] { --jp-layout-color0: #ffffff; --jp-ui-font-color0: #111111;
  --jp-ui-font-color2: #555555; --jp-ui-font-color3: #888888; --jp-border-color2: #cccccc; }
body[data-jp-theme-light="false"] { --jp-layout-color0: #111111; --jp-ui-font-color0: #eeeeee;
  --jp-ui-font-color2: #aaaaaa; --jp-ui-font-color3: #888888; --jp-border-color2: #444444; }
"""
OPS = ["Conv", "BatchNormalization", "Relu"]
PIXEL = """([x, y]) => {
    const canvas = document.querySelector('canvas.mlnb-graph');
    const ratio = window.devicePixelRatio;
    const data = canvas.getContext('2d').getImageData(x * ratio, y * ratio, 1, 1).data;
    return [data[0], data[1], data[2]];
}"""
REPAINT = """painting => {
    model.set('painting', painting);
    return new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame));
}"""


def net() -> Graph:
    """Two blocks of three layers and a head, as a traced network has them."""
    nodes, values, flow = [], {"x": Value("x", "float32", ("N", 3, 32, 32))}, "x"
    for block in range(3):
        for at, op in enumerate(OPS):
            name = f"block{block}/{op.lower()}{at}"
            nodes.append(Node(name, op, (flow,), (name,), scope=(f"block{block}", f"{op}{at}")))
            values[name] = Value(name, "float32", ("N", 8, 32, 32))
            flow = name
    nodes.append(Node("fc", "Linear", (flow,), ("fc",), scope=("fc",)))
    nodes.append(Node("softmax", "Softmax", ("fc",), ("softmax",), scope=("softmax",)))
    return Graph("net", tuple(nodes), ("x",), ("softmax",), values)


def values() -> dict[str, float | None]:
    """A number for every kind of box, one that is none, and one that is missing."""
    gradients = {f"block{b}/conv0": 10.0 ** -(3 - b) for b in range(3)}
    gradients |= {f"block{b}/batchnormalization1": 3 * 10.0 ** -(3 - b) for b in range(3)}
    return gradients | {"fc": 1.25, "softmax": math.nan, "block1/relu2": None}


def traits(viewer: GraphViewer) -> dict[str, Any]:
    state = viewer.get_state()
    return {k: v for k, v in state.items() if k[0] != "_" and k != "layout"}


def boxes(page: Page) -> list[dict[str, Any]]:
    return page.evaluate("document.querySelector('.mlnb').mlnb.boxes()")


def box_of(page: Page, name: str) -> dict[str, Any]:
    """A box that was brought into view."""
    page.evaluate(f"window.receive({{kind: 'focus', id: '{name}'}})")
    page.wait_for_function(f"model.get('selected') === '{name}'")
    page.wait_for_timeout(300)
    return next(box for box in boxes(page) if box["id"] == name)


@pytest.fixture
def bare(page: Page, watch: Watch) -> Page:
    watch.home = ORIGIN.removeprefix("http://")
    return page


@pytest.fixture
def viewer() -> GraphViewer:
    made = GraphViewer(net())
    made.paint(values(), label="gradient norm", scale="log")
    return made


def test_a_painted_graph_in_both_themes(bare: Page, viewer: GraphViewer, screenshots: Path):
    show(bare, "graph_viewer", traits(viewer), width=1100)
    view = GraphView.on(bare)
    bare.add_style_tag(content=THEMES)
    legend = bare.locator(".mlnb-legend")
    expect(legend).to_contain_text("gradient norm")
    expect(legend).to_contain_text("0.001")
    expect(legend).to_contain_text("1 hatched: not a number")
    bare.get_by_role("button", name="show the values as a table").click()
    bare.locator(".mlnb-values-table button", has_text="block2/conv0").click()
    expect(bare.locator(".mlnb-painted")).to_have_text("gradient norm: 0.1")
    for theme, light in (("light", "true"), ("dark", "false")):
        bare.evaluate(f"document.body.dataset.jpThemeLight = '{light}'")
        bare.wait_for_timeout(400)
        bare.screenshot(path=screenshots / f"paint_{theme}.png")
    assert view is not None


def test_painting_again_moves_nothing_and_the_colours_are_those_of_the_values(
    bare: Page, viewer: GraphViewer
):
    show(bare, "graph_viewer", traits(viewer), width=1100)
    GraphView.on(bare)
    fc = box_of(bare, "fc")
    before = boxes(bare)
    corner = [fc["x"] + fc["width"] - 4, fc["y"] + 4]
    assert bare.evaluate(PIXEL, corner) == [0xFD, 0xE7, 0x25]
    bare.get_by_role("button", name="show the values as a table").click()
    bare.locator(".mlnb-values-table button", has_text="fc").focus()
    viewer.paint(values() | {"fc": 0.001, "softmax": 2.0}, label="gradient norm", scale="log")
    bare.evaluate(REPAINT, viewer.painting)
    assert boxes(bare) == before
    assert bare.evaluate(PIXEL, corner) == [0x44, 0x01, 0x54]
    assert bare.evaluate("document.activeElement.dataset.box") == "fc"
    bare.evaluate(REPAINT, {})
    expect(bare.locator(".mlnb-legend")).to_be_hidden()
    assert bare.evaluate(PIXEL, corner) == [255, 255, 255]


def test_the_value_stands_under_the_pointer_and_the_table_is_sorted_by_the_keyboard(
    bare: Page, viewer: GraphViewer
):
    show(bare, "graph_viewer", traits(viewer), width=1100)
    GraphView.on(bare)
    fc = box_of(bare, "fc")
    canvas = bare.locator("canvas.mlnb-graph")
    canvas.hover(position={"x": fc["x"] + 20, "y": fc["y"] + 10})
    expect(bare.locator(".mlnb-tip")).to_have_text("fc1.25 gradient norm")
    bare.mouse.move(2, 2)
    expect(bare.locator(".mlnb-tip")).to_be_hidden()
    opener = bare.get_by_role("button", name="show the values as a table")
    opener.press("Enter")
    names = bare.locator(".mlnb-values-table tbody button")
    assert names.all_inner_texts()[:2] == ["softmax", "fc"]
    assert names.all_inner_texts()[-1] == "block1/relu2"
    bare.get_by_role("button", name="sort by name").press("Enter")
    assert names.all_inner_texts() == sorted(names.all_inner_texts())
    expect(bare.locator("th").first).to_have_attribute("aria-sort", "ascending")
    names.first.press("Enter")
    expect(bare.locator(".mlnb-panel h4")).to_contain_text("block0/batchnormalization1")
    expect(bare.locator(".mlnb-spoken")).to_contain_text("gradient norm 0.003.")


def test_the_health_of_layers_in_both_themes(bare: Page, screenshots: Path):
    torch = pytest.importorskip("torch")
    from mlnb.networks.sequential import Sequential
    from mlnb.train.trainer import Trainer
    from mlnb.widgets.layer_health import health_view

    inner = Sequential().conv2d(6, 3, padding=1).batch_norm("relu")
    net = Sequential((1, 12, 12)).conv2d(6, 3, padding=1).batch_norm("relu").max_pool2d(2)
    net.residual(inner, "relu").global_avg_pool2d().dense(16, "relu").dense(3)
    with torch.no_grad():
        list(net.module.modules())[-3].bias.fill_(-9.0)
    run = Trainer(net.module).fit(
        (torch.randn(64, 1, 12, 12), torch.arange(64) % 3), epochs=2, folder=False, health=True
    )
    viewer = health_view(run)
    viewer.show("idle")
    show(bare, "graph_viewer", traits(viewer), width=1100)
    GraphView.on(bare)
    bare.add_style_tag(content=THEMES)
    expect(bare.locator(".mlnb-bar")).to_contain_text("units are dead")
    pressed = bare.locator(".mlnb-choices button[aria-pressed='true']")
    expect(pressed).to_have_text("dead or saturated units")
    bare.get_by_role("button", name="show gradient norm").press("Enter")
    assert bare.evaluate("window.sent.at(-1)") == {"kind": "choose", "choice": "gradient norm"}
    for theme, light in (("light", "true"), ("dark", "false")):
        bare.evaluate(f"document.body.dataset.jpThemeLight = '{light}'")
        bare.wait_for_timeout(400)
        bare.screenshot(path=screenshots / f"health_{theme}.png")
    bare.set_content(f"<div style='width:700px'>{viewer.static_html()}</div>")
    bare.screenshot(path=screenshots / "health_static.png")
