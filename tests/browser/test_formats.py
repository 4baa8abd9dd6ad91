"""Models of other formats in a real JupyterLab: what is dangerous is red, weights are a table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graph_view import GraphView
from lab import Lab, Watch
from models_made.format_files import write_formats
from playwright.sync_api import Page, expect

THEMES = ("Light", "Dark")
NOTE = "reads files · runs only with allow_io=True"
RED_PIXELS = """() => {
    const canvas = document.querySelector('canvas.mlnb-graph');
    const error = getComputedStyle(canvas.closest('.mlnb')).getPropertyValue('--mlnb-error').trim();
    const probe = document.createElement('canvas').getContext('2d');
    probe.fillStyle = error;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
        const far = [r, g, b].map((channel, i) => Math.abs(data[at + i] - channel));
        count += far[0] + far[1] + far[2] < 12;
    }
    return count;
}"""


@pytest.fixture
def lab(server: Lab) -> Lab:
    """The server with a file of each kind in its folder."""
    if not (server.root / "reader").exists():
        write_formats(server.root)
    return server


def open_and_run(lab: Lab, page: Page, watch: Watch, name: str, *cells: str) -> None:
    lab.write(f"{name}.ipynb", "%load_ext mlnb", *cells)
    lab.open(page, watch, f"{name}.ipynb")
    lab.run_all(page)


def take(lab: Lab, page: Page, screenshots: Path, name: str) -> None:
    """A picture in both themes."""
    for theme in THEMES:
        lab.theme(page, f"JupyterLab {theme}")
        page.wait_for_timeout(500)
        page.screenshot(path=screenshots / f"{name}_{theme.lower()}.png")
    lab.theme(page, "JupyterLab Light")


def test_what_reads_a_file_is_red_however_it_is_folded(
    lab: Lab, page: Page, watch: Watch, screenshots: Path
):
    open_and_run(lab, page, watch, "danger", "%mlload reader")
    view = GraphView.on(page)
    expect(page.locator(".mlnb-danger")).to_have_text(NOTE)
    expect(view.panel.locator(".mlnb-warnings")).to_contain_text("reads files")
    page.wait_for_function(f"() => ({RED_PIXELS})() > 100", timeout=10_000)
    take(lab, page, screenshots, "formats_danger_closed")
    view.click("secret/call")
    expect(view.panel).to_contain_text(f"inside: {NOTE}")
    assert "inside: reads files" in view.spoken
    inside = view.open("secret/call")
    view.fit()
    (read,) = [name for name in inside if "ReadFile" in name]
    view.click(read)
    expect(view.panel.locator(".mlnb-warn")).to_have_text(NOTE)
    for _ in range(3):
        view.canvas.press("+")
    take(lab, page, screenshots, "formats_danger")


def test_a_frozen_graph_shows_its_network_without_constants(
    lab: Lab, page: Page, watch: Watch, screenshots: Path
):
    open_and_run(lab, page, watch, "frozen", "%mlload frozen.pb")
    view = GraphView.on(page)
    expect(page.locator(".mlnb-danger")).to_be_hidden()
    assert {"dense/MatMul", "dense/add", "softmax2"} <= set(view.boxes())
    assert not [name for name in view.boxes() if "read" in name or "kernel" in name]
    view.click("dense/MatMul")
    expect(view.panel).to_contain_text("MatMul")
    take(lab, page, screenshots, "formats_frozen")


def test_a_quantised_file_shows_how_its_integers_are_read(
    lab: Lab, page: Page, watch: Watch, screenshots: Path
):
    open_and_run(
        lab,
        page,
        watch,
        "quantised",
        "%mlload small.tflite",
        "%mlload named.tflite;",
        "%mlio named",
    )
    view = GraphView.on(page)
    expect(view.root).to_contain_text("scale 0.5, zero point 128")
    expect(page.locator(".mlnb-tensor-table")).to_contain_text("2 labels: cat, dog")
    take(lab, page, screenshots, "formats_tflite")


def test_weights_are_a_table_that_opens_without_a_script(
    lab: Lab, page: Page, watch: Watch, screenshots: Path
):
    open_and_run(lab, page, watch, "weights", "%mlload weights.safetensors")
    output = page.locator(".jp-OutputArea-output").last
    expect(output).to_contain_text("weights.safetensors")
    expect(output).to_contain_text("load_state_dict")
    assert page.locator(".mlnb-graph-viewer").count() == 0
    summaries = output.locator("summary")
    assert summaries.count() >= 1
    expect(output).to_contain_text(re.compile("layers.0 … .*2"))
    take(lab, page, screenshots, "formats_weights")


def test_a_live_module_is_a_graph_by_its_name(
    lab: Lab, page: Page, watch: Watch, screenshots: Path
):
    pytest.importorskip("torch")
    code = """from torch import nn
block = lambda: nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
net = nn.Sequential(nn.Conv2d(3, 8, 3), block(), block(), nn.Flatten(), nn.Linear(8 * 36, 10))"""
    open_and_run(lab, page, watch, "module", code, "%mlgraph net --sample 2x3x8x8")
    view = GraphView.on(page)
    assert any(name.startswith("1/") for name in view.boxes())
    take(lab, page, screenshots, "formats_module")
