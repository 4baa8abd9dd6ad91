"""The panel of pictures in a real JupyterLab: drop, paste, choose, pieces, webcam, what is kept."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path

import ipykernel
import numpy as np
import pytest
from lab import Lab, Watch
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from mlnb.data.samples import load_sample

SETUP = """\
%load_ext mlnb
import time
import numpy as np
from mlnb.widgets.prediction_panel import PredictionPanel

class Scenes:
    classes_ = ["temple", "flower", "car", "tree", "animal", "boat", "a class with a long name"]
    def predict_proba(self, pictures):
        scores = []
        for picture in pictures:
            r, g, b = picture.reshape(-1, 3).mean(0) / 255
            scores.append([6 * b, 4 - 8 * b, 0.5, g, 0.3, 2 * b, 0.1])
        scores = np.exp(2 * np.array(scores))
        return scores / scores.sum(1, keepdims=True)
    def explain(self, picture):
        h, w = picture.shape[:2]
        y, x = np.mgrid[0:h, 0:w]
        return np.exp(-(((x / w - 0.45) / 0.2) ** 2 + ((y / h - 0.45) / 0.25) ** 2))
"""
PICTURES = "panel = PredictionPanel(Scenes())\npanel"
DROP = """([selector, files]) => {
    const transfer = new DataTransfer();
    for (const [name, type, data] of files) {
        const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type }));
    }
    const root = document.querySelector(selector);
    for (const type of ['dragenter', 'dragover', 'drop']) {
        const init = { bubbles: true, cancelable: true, dataTransfer: transfer };
        root.dispatchEvent(new DragEvent(type, init));
    }
}"""
COPY = """async data => {
    const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
    const item = new ClipboardItem({ 'image/png': new Blob([bytes], { type: 'image/png' }) });
    await navigator.clipboard.write([item]);
}"""
ROOT = ".mlnb-prediction-panel"

needs_subshells = pytest.mark.skipif(
    ipykernel.version_info[0] < 7, reason="ipykernel has subshells from 7 on"
)


class Panel:
    """The panel of the notebook that is open."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root: Locator = page.locator(ROOT)

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name)

    def drop(self, *files: tuple[str, str, bytes]) -> None:
        encoded = [[n, t, base64.b64encode(data).decode()] for n, t, data in files]
        self.page.evaluate(DROP, [ROOT, encoded])

    def expect_first(self, label: str) -> None:
        first = self.root.locator(".mlnb-shares li").first.locator(".mlnb-label")
        expect(first).to_have_text(label, timeout=20_000)

    def shoot(self, path: Path) -> None:
        self.page.wait_for_timeout(300)
        self.root.screenshot(path=path)


def photograph(name: str) -> tuple[str, str, bytes]:
    return f"{name}.jpg", "image/jpeg", Path(load_sample(name)).read_bytes()


def encoded(image: np.ndarray, kind: str) -> bytes:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def opened(server: Lab, page: Page, watch: Watch, name: str, *cells: str) -> Panel:
    server.write(name, SETUP, *cells)
    server.open(page, watch, name)
    server.run_all(page)
    page.locator(f"{ROOT}[data-state='ready']").wait_for(timeout=30_000)
    return Panel(page)


def test_pictures_are_dropped_explained_chosen_and_pasted(
    server: Lab, page: Page, watch: Watch, screenshots: Path, tmp_path: Path
):
    panel = opened(server, page, watch, "panel_pictures.ipynb", PICTURES)
    panel.shoot(screenshots / "prediction_panel_empty.png")
    panel.drop(photograph("china"))
    panel.expect_first("temple")
    expect(panel.root.locator(".mlnb-frame img")).to_have_js_property("naturalWidth", 640)
    expect(panel.root.locator(".mlnb-behind")).to_contain_text("2 more classes")

    panel.button("why?").press("Enter")
    expect(panel.root.locator(".mlnb-heat")).to_be_visible()
    opacity = panel.root.get_by_label("opacity of the map")
    opacity.fill("60")
    expect(panel.root.locator(".mlnb-heat")).to_have_css("opacity", "0.6")

    notes = tmp_path / "notes.txt"
    notes.write_text("no picture at all")
    flower = tmp_path / "flower.jpg"
    flower.write_bytes(photograph("flower")[2])
    small = tmp_path / "small.png"
    small.write_bytes(encoded(np.full((24, 32, 3), (30, 60, 250), np.uint8), "PNG"))
    panel.root.locator("input[type=file]").set_input_files([flower, notes, small])
    panel.expect_first("flower")
    given = panel.root.locator(".mlnb-given button")
    expect(given).to_have_count(4)
    expect(given.nth(2)).to_contain_text("temple")
    expect(panel.root.locator(".mlnb-heat")).to_be_visible()
    for theme in ("dark", "light"):  # the server keeps what another test chose
        server.theme(page, f"JupyterLab {theme.title()}")
        panel.shoot(screenshots / f"prediction_panel_{theme}.png")
    given.nth(1).click()
    expect(panel.root.locator(".mlnb-told")).to_contain_text("notes.txt is no picture")
    panel.shoot(screenshots / "prediction_panel_no_picture.png")
    given.nth(1).press("ArrowLeft")
    panel.expect_first("flower")

    red = base64.b64encode(encoded(np.full((30, 40, 3), (250, 90, 10), np.uint8), "PNG")).decode()
    page.evaluate(COPY, red)
    panel.root.locator(".mlnb-said").click()
    page.keyboard.press("Control+V")
    expect(given).to_have_count(5, timeout=20_000)
    expect(given.first).to_contain_text("flower")
    assert server.execute(page, "print(panel.answer.label)").strip() == "flower"
    page.set_viewport_size({"width": 620, "height": 1000})
    panel.shoot(screenshots / "prediction_panel_narrow.png")


def test_a_file_of_12_megabytes_goes_in_pieces(
    server: Lab, page: Page, watch: Watch, screenshots: Path, tmp_path: Path
):
    panel = opened(server, page, watch, "panel_pieces.ipynb", PICTURES)
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), np.uint8)
    scan = tmp_path / "scan.tif"
    scan.write_bytes(encoded(noise, "TIFF"))
    assert scan.stat().st_size >= 12_000_000
    page.evaluate(
        f"""() => {{
            window.seen = [];
            const bar = document.querySelector('{ROOT} progress');
            const look = () => bar.hidden || window.seen.push(bar.value);
            new MutationObserver(look).observe(bar, {{ attributes: true }});
        }}"""
    )
    panel.root.locator("input[type=file]").set_input_files(scan)
    panel.expect_first("temple")
    assert len(page.evaluate("[...new Set(window.seen)]")) >= 5
    expect(panel.root.locator(".mlnb-frame img")).to_have_js_property("naturalWidth", 640)
    expect(panel.root.locator("progress")).to_be_hidden()
    panel.shoot(screenshots / "prediction_panel_scan.png")

    large = tmp_path / "large.jpg"
    Image.fromarray(noise).resize((4000, 3000)).save(large, quality=95)
    panel.root.locator("input[type=file]").set_input_files(large)
    frame = panel.root.locator(".mlnb-frame img")
    expect(frame).to_have_js_property("naturalWidth", 1024, timeout=20_000)
    expect(panel.root.locator(".mlnb-given button").first).to_contain_text("%", timeout=20_000)
    shape = server.execute(page, "print(list(panel._pictures.values())[-1][0].shape)")
    assert shape.strip() == "(768, 1024, 3)"


@needs_subshells
def test_a_picture_is_judged_while_a_cell_runs(server: Lab, page: Page, watch: Watch):
    panel = opened(server, page, watch, "panel_busy.ipynb", PICTURES)
    server.start_cell(page, "end = time.time() + 8\nwhile time.time() < end: sum(range(1000))")
    panel.drop(photograph("china"))
    panel.expect_first("temple")
    assert page.evaluate("window.running.done") is False


def test_the_webcam_is_asked_for_and_where_it_is_forbidden_the_button_says_so(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    panel = opened(server, page, watch, "panel_webcam.ipynb", PICTURES)
    expect(panel.button("no webcam")).to_have_attribute("aria-disabled", "true")
    panel.button("no webcam").click(force=True)
    expect(panel.root.locator(".mlnb-told")).to_contain_text("webcam is forbidden")
    panel.shoot(screenshots / "prediction_panel_no_webcam.png")
    page.context.grant_permissions(["camera"])
    panel.button("no webcam").click(force=True)
    video = panel.root.locator("video")
    expect(video).to_be_visible(timeout=20_000)
    page.wait_for_function(f"document.querySelector('{ROOT} video').videoWidth > 0")
    panel.shoot(screenshots / "prediction_panel_webcam.png")
    panel.button("take the picture").press("Enter")
    expect(panel.root.locator(".mlnb-shares li")).to_have_count(5, timeout=20_000)
    expect(video).to_be_hidden()
    expect(panel.root.locator(".mlnb-stage-of-one .mlnb-name")).to_have_text("webcam.jpg")


def test_the_saved_notebook_keeps_the_last_answer(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    panel = opened(server, page, watch, "panel_saved.ipynb", PICTURES)
    panel.drop(photograph("flower"))
    panel.expect_first("flower")
    page.wait_for_timeout(500)
    expect(page.locator("[data-mlnb-static]")).to_be_hidden()
    server.save(page)
    path = server.root / "panel_saved.ipynb"
    outputs = json.loads(path.read_text())["cells"][1]["outputs"]
    kept = "".join(outputs[0]["data"]["text/html"])
    assert "data:image/jpeg;base64," in kept
    assert len(kept) < 45_000
    server.sign(path)
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.goto("about:blank")
    server.open(page, watch, "panel_saved.ipynb")
    static = page.locator("[data-mlnb-static]")
    expect(static).to_contain_text("flower.jpg", timeout=30_000)
    expect(static.locator("img")).to_be_visible()
    static.screenshot(path=screenshots / "prediction_panel_saved.png")
