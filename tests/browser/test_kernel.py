"""A viewer and its kernel in a real JupyterLab: selection both ways, values, and a running cell."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import ipykernel
import pytest
from graph_view import GraphView
from lab import Lab, Watch
from models_made import onnx_models
from playwright.sync_api import Locator, Page, expect

SKELETONS = Path(__file__).parents[1] / "skeletons"


def opened(server: Lab, page: Page, watch: Watch, name: str, *cells: str) -> None:
    """A notebook of these cells, run, with two models beside it."""
    (server.root / "small.onnx").write_bytes(onnx_models.convnet())
    skeleton = SKELETONS / "vit_b_16_dynamo.onnx.gz"
    (server.root / "transformer.onnx").write_bytes(gzip.decompress(skeleton.read_bytes()))
    path = server.write(name, "%load_ext mlnb\nimport mlnb, time, numpy as np", *cells)
    server.open(page, watch, path.name)
    server.run_all(page)


def test_selection_goes_both_ways_and_to_every_view(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    make = "viewer = mlnb.GraphViewer(mlnb.load_model('transformer.onnx'), height=300)"
    opened(server, page, watch, "selection.ipynb", f"{make}\nviewer", "viewer")
    first, second = GraphView.on(page, 0), GraphView.on(page, 1)
    for view in (first, second):
        assert view.spoken == "nothing selected"

    first.fit()
    name = first.closed_group()
    first.click(name)
    expect(first.panel.locator("h4")).not_to_contain_text("The model")
    heading = first.panel.locator("h4").inner_text()
    expect(second.panel.locator("h4")).to_have_text(heading)
    assert server.execute(page, "print(viewer.selected)").strip() == name
    assert "Group" in server.execute(page, "print(type(viewer.node).__name__)")

    server.execute(page, "viewer.selected = ''")
    expect(first.panel.locator("h4")).to_have_text("The model")
    expect(second.panel.locator("h4")).to_have_text("The model")

    server.execute(page, "viewer.focus('encoder.layers.encoder_layer_7.mlp')")
    inside = "encoder/layers/encoder_layer_7/mlp/"
    for view in (first, second):
        expect(view.panel.locator("h4")).to_contain_text("mlp")
        view.settle()
        assert inside in view.in_view()
    page.screenshot(path=screenshots / "kernel_two_views.png")


@pytest.mark.skipif(ipykernel.version_info[0] < 7, reason="ipykernel has subshells from 7 on")
def test_values_come_at_once_and_while_a_cell_runs(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    opened(server, page, watch, "values.ipynb", "net = %mlload small.onnx")
    view = GraphView.on(page)
    shapes_are_there(view)
    view.click("conv")
    statistics(view, "conv.weight", 0)
    expect(view.panel.locator(".mlnb-tensor").first).to_contain_text("range")

    server.start_cell(page, "time.sleep(8)")
    page.wait_for_timeout(300)
    started = time.monotonic()
    statistics(view, "conv.bias", 1)
    expect(view.panel.locator(".mlnb-tensor").nth(1)).to_contain_text("range", timeout=6_000)
    took = time.monotonic() - started
    assert page.evaluate("window.running.done") is False
    assert took < 3
    page.screenshot(path=screenshots / "kernel_values_while_busy.png")


def shapes_are_there(view: GraphView) -> None:
    expect(view.root.locator(".mlnb-status")).to_be_empty()


def statistics(view: GraphView, weight: str, place: int) -> None:
    button = view.root.get_by_role("button", name=f"statistics of {weight}")
    button.scroll_into_view_if_needed()
    button.click()


def test_folds_open_while_a_cell_runs(server: Lab, page: Page, watch: Watch):
    opened(server, page, watch, "folds.ipynb", "net = %mlload transformer.onnx")
    view = GraphView.on(page)
    shapes_are_there(view)
    server.start_cell(page, "time.sleep(8)")
    page.wait_for_timeout(300)
    view.fit()
    assert len(view.open(view.closed_group())) >= 2
    view.root.get_by_role("searchbox").fill("softmax")
    view.root.get_by_role("searchbox").press("Enter")
    expect(view.panel.locator("h4")).to_contain_text("Softmax")
    assert page.evaluate("window.running.done") is False


def test_a_prediction_shows_histograms_and_pictures_in_light_and_dark(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    opened(
        server,
        page,
        watch,
        "prediction.ipynb",
        "net = %mlload small.onnx;\nrows, columns = np.indices((8, 8)) / 8",
        "image = np.stack([rows, columns, rows * 0])[None].astype(np.float32)\n"
        "answer = %mlpredict net image=image",
    )
    server.theme(page, "JupyterLab Light")  # the server keeps what another test chose
    table = page.locator(".mlnb-tensor-table[data-state='ready']")
    table.wait_for()
    expect(table.locator("tbody tr")).to_have_count(2)
    assert table.locator("svg.mlnb-histogram").count() == 2
    assert all(drawn(picture) for picture in table.locator("img").all())
    assert table.locator("img").count() == 2
    expect(table).to_contain_text("1 × 3 × 8 × 8")
    page.screenshot(path=screenshots / "kernel_prediction_light.png")
    light = colours(table)
    server.theme(page, "JupyterLab Dark")
    page.wait_for_function(
        "([el, light]) => getComputedStyle(el).backgroundColor !== light",
        arg=[table.element_handle(), light[0]],
    )
    page.screenshot(path=screenshots / "kernel_prediction_dark.png")
    dark = colours(table)
    assert brightness(light[0]) > 200 > 100 > brightness(dark[0])
    assert brightness(light[1]) < 100 < 200 < brightness(dark[1])


def drawn(picture: Locator) -> bool:
    return picture.evaluate("img => img.complete && img.naturalWidth > 0")


def colours(table: Locator) -> tuple[str, str]:
    """Background and text of the table."""
    style = "el => (s => [s.backgroundColor, s.color])(getComputedStyle(el))"
    background, text = table.evaluate(style)
    return background, text


def brightness(colour: str) -> float:
    """Of `rgb(17, 17, 17)`, 0 to 255."""
    return sum(float(part) for part in colour[4:-1].split(",")) / 3
