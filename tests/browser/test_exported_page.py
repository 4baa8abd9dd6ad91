"""Both widgets in a page without Jupyter, by `@jupyter-widgets/html-manager`: nothing is dead.

No kernel answers there, `widget_manager` has no `kernel`, and the page may refuse workers.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from graph_view import GraphView
from html_manager import HOST, show
from lab import Watch
from models_made import onnx_models
from playwright.sync_api import Page, expect

from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.widgets.graph_viewer import GraphViewer
from mlnb.widgets.tensor_table import TensorTable

SKELETONS = Path(__file__).parents[1] / "skeletons"

THROWS = """window.Worker = class {
    constructor() { throw new DOMException("no workers here", "SecurityError"); }
};"""
MISSING = "delete window.Worker;"
POLICY = "worker-src 'none'"
# Chromium says so by itself, whatever the page does about it.
SAID_OF_THE_POLICY = "violates the following Content Security Policy directive"


@pytest.fixture(scope="module")
def transformer() -> Model:
    """ViT-B as torch exports it, without its weights' values."""
    return load_model(gzip.decompress((SKELETONS / "vit_b_16_dynamo.onnx.gz").read_bytes()))


@pytest.fixture
def exported(page: Page, watch: Watch) -> Page:
    """A page whose only server is the one of the exported files."""
    watch.home = HOST
    return page


def refuse_workers(page: Page, watch: Watch, how: str) -> str:
    """Make the page refuse workers in one of three ways; the policy to serve it with."""
    if how == "by policy":
        watch.ignored = (SAID_OF_THE_POLICY,)
        return POLICY
    page.add_init_script(THROWS if how == "by throwing" else MISSING)
    return ""


@pytest.mark.parametrize("workers", ["allowed", "by throwing", "missing", "by policy"])
def test_no_control_is_dead_without_a_kernel_and_without_workers(
    exported: Page, watch: Watch, transformer: Model, screenshots: Path, workers: str
):
    policy = "" if workers == "allowed" else refuse_workers(exported, watch, workers)
    started = []
    exported.on("worker", lambda worker: started.append(worker.url))
    show(exported, GraphViewer(transformer), policy=policy)
    viewer = GraphView.on(exported)
    assert len(started) == (1 if workers == "allowed" else 0)
    find_walks_through_its_hits(viewer)
    folds_open_and_close(viewer)
    the_toolbar_moves_the_picture(viewer)
    what_is_hidden_can_be_shown(viewer)
    the_feed_is_copied(viewer)
    exported.screenshot(path=screenshots / f"exported_workers_{workers}.png".replace(" ", "_"))


def find_walks_through_its_hits(viewer: GraphView) -> None:
    viewer.root.get_by_role("searchbox").fill("softmax")
    viewer.page.keyboard.press("Enter")
    count = viewer.root.locator(".mlnb-count")
    expect(count).to_contain_text("1 of 12")
    heading = viewer.panel.locator("h4")
    expect(heading).to_contain_text("Softmax")
    first = heading.inner_text()
    count.get_by_role("button", name="next hit").click()
    expect(count).to_contain_text("2 of 12")
    expect(heading).not_to_have_text(first)
    expect(heading).to_contain_text("Softmax")
    viewer.root.get_by_role("searchbox").press("Escape")
    expect(count).to_be_empty()


def folds_open_and_close(viewer: GraphView) -> None:
    viewer.fit()
    before = set(viewer.boxes())
    group = viewer.closed_group()
    assert len(viewer.open(group)) >= 2
    viewer.canvas.press("Enter")
    viewer.page.wait_for_function(
        "([el, n]) => el.mlnb.boxes().length === n",
        arg=[viewer.root.element_handle(), len(before)],
    )
    viewer.settle()
    assert set(viewer.boxes()) == before


def the_toolbar_moves_the_picture(viewer: GraphView) -> None:
    widths = [next(iter(viewer.boxes().values()))["width"]]
    for label in ("zoom in", "zoom in", "zoom out", "show the whole graph"):
        viewer.root.get_by_role("button", name=label).click()
        viewer.settle()
        widths.append(next(iter(viewer.boxes().values()))["width"])
    first, larger, largest, smaller, _ = widths
    assert first < larger < largest
    assert smaller == pytest.approx(larger)
    before = viewer.boxes()
    viewer.root.get_by_role("button", name="zoom in").click()
    viewer.root.locator("canvas.mlnb-minimap").click(position={"x": 50, "y": 20})
    viewer.settle()
    assert viewer.boxes() != before


def what_is_hidden_can_be_shown(viewer: GraphView) -> None:
    toggle = viewer.root.get_by_role("button", name="show constants")
    if toggle.is_hidden():  # nothing is hidden in this model
        return
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")


def the_feed_is_copied(viewer: GraphView) -> None:
    """Over plain http, where a page has no `navigator.clipboard`."""
    viewer.root.get_by_text("Copy feed").click()
    expect(viewer.root.get_by_text("Copied")).to_be_visible()
    field = viewer.root.get_by_role("searchbox")
    field.press("Control+V")
    assert ".predict({" in field.input_value()
    field.press("Escape")


def test_statistics_say_in_words_that_no_kernel_answers(exported: Page, screenshots: Path):
    exported.clock.install()
    show(exported, GraphViewer(load_model(onnx_models.convnet())))
    viewer = GraphView.on(exported)
    viewer.click("conv")
    viewer.root.get_by_role("button", name="statistics of conv.weight").click()
    words = viewer.panel.locator(".mlnb-tensor").first
    expect(words).to_have_text("reading…")
    exported.clock.run_for(31_000)
    expect(words).to_contain_text("is a kernel running?")
    exported.screenshot(path=screenshots / "exported_statistics.png")


@pytest.mark.parametrize("workers", ["allowed", "by policy"])
def test_a_graph_of_thousands_of_nodes_is_laid_out_while_the_page_goes_on(
    exported: Page, watch: Watch, screenshots: Path, workers: str
):
    policy = "" if workers == "allowed" else refuse_workers(exported, watch, workers)
    exported.add_init_script("""
        window.ticks = [];
        const tick = () => { window.ticks.push(performance.now()); setTimeout(tick, 5); };
        tick();
    """)
    file = SKELETONS / "swin_t_torchscript.onnx.gz"
    show(exported, GraphViewer(load_model(gzip.decompress(file.read_bytes()))), policy=policy)
    viewer = GraphView.on(exported)
    begin, end = exported.evaluate(
        "['mlnb-render', 'mlnb-first-picture']"
        ".map(mark => performance.getEntriesByName(mark)[0].startTime)"
    )
    ticks = [tick for tick in exported.evaluate("window.ticks") if begin < tick < end]
    assert len(ticks) >= 5
    assert 3 <= len(viewer.boxes()) <= 160
    exported.screenshot(path=screenshots / f"exported_swin_{workers}.png".replace(" ", "_"))


def test_a_table_of_values_stands_whole(exported: Page, screenshots: Path):
    rng = np.random.default_rng(5)
    model = load_model(onnx_models.convnet())
    answer = model.predict(rng.normal(size=(1, 3, 8, 8)).astype(np.float32))
    show(exported, TensorTable(answer), TensorTable(model))
    values, specs = (exported.locator(".mlnb-tensor-table").nth(i) for i in (0, 1))
    expect(values).to_have_attribute("data-state", "ready")
    expect(values).to_contain_text("image")
    assert values.locator("svg").count() == 2
    picture = values.locator("img.mlnb-picture").first
    assert picture.evaluate("img => img.complete && img.naturalWidth") > 0
    specs.get_by_role("button", name="Copy the call").click()
    expect(specs.get_by_text("Copied")).to_be_visible()
    exported.screenshot(path=screenshots / "exported_tables.png")
