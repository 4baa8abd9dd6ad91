"""What stays of a viewer in a saved notebook: the static picture, wherever it is opened again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from lab import Lab, Watch
from models_made import onnx_models
from playwright.sync_api import Browser, Page

PICTURE = "img[src^='data:image/svg+xml']"
BROKEN = ("Error displaying widget", "model not found", "Loading widget")


@pytest.fixture(scope="module")
def saved(server: Lab, browser: Browser) -> Path:
    """A notebook with a viewer, run and saved in JupyterLab by the person who now reopens it."""
    (server.root / "made.onnx").write_bytes(onnx_models.convnet())
    path = server.write("saved.ipynb", "%load_ext mlnb", "m = %mlload made.onnx")
    page, watch = browser.new_page(), Watch()
    watch.attach(page)
    server.open(page, watch, path.name)
    server.run_all(page)
    page.locator(".mlnb[data-state='ready']").wait_for()
    server.save(page)
    page.close()
    watch.check()
    return path


def copy_for(reader: str, kernel: str, path: Path, server: Lab) -> Path:
    """The saved notebook as that reader gets it; without a kernel, none is named in it."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["reader"] = f"{reader}, {kernel}"
    if kernel == "without a kernel":
        del notebook.metadata["kernelspec"], notebook.metadata["language_info"]
    copy = path.with_name(f"{reader}_{kernel}.ipynb".replace(" ", "_"))
    nbformat.write(notebook, copy)
    if reader == "its author":
        server.sign(copy)
    return copy


def test_the_live_viewer_hides_the_static_picture(
    saved: Path, server: Lab, page: Page, watch: Watch
):
    server.open(page, watch, saved.name)
    server.run_all(page)
    page.locator(".mlnb[data-state='ready']").wait_for()
    assert page.locator(PICTURE).count() >= 1
    assert page.locator(PICTURE).first.is_hidden()


@pytest.mark.parametrize("front_end", ["lab", "notebook 7"])
@pytest.mark.parametrize("reader", ["its author", "a stranger"])
@pytest.mark.parametrize("kernel", ["with a kernel", "without a kernel"])
def test_a_reopened_notebook_shows_the_picture_and_no_broken_widget(
    saved: Path, server: Lab, page: Page, watch: Watch, front_end: str, reader: str, kernel: str
):
    path = copy_for(reader, kernel, saved, server)
    if front_end == "lab":
        server.open(page, watch, path.name)
    else:
        server.open_notebook_7(page, watch, path.name)
    if kernel == "without a kernel":
        page.get_by_role("dialog").get_by_role("button", name="No Kernel").click()
    picture = page.locator(PICTURE).first
    picture.wait_for()
    assert picture.evaluate("img => img.naturalWidth") > 100
    page.wait_for_timeout(1_500)  # a widget that cannot be revived says so after a moment
    assert picture.is_visible()
    for text in BROKEN:
        assert page.get_by_text(text).locator("visible=true").count() == 0, text


def convert(path: Path, to: str, folder: Path) -> str:
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", to, str(path), "--output-dir", str(folder)],
        check=True,
        capture_output=True,
    )
    return next(folder.glob(f"*.{'md' if to == 'markdown' else to}")).read_text()


def test_nbconvert_to_html_shows_the_picture_where_nothing_can_be_fetched(
    saved: Path, tmp_path: Path, browser: Browser
):
    convert(saved, "html", tmp_path)
    page = browser.new_page()  # unwatched: nbconvert's own template asks for MathJax
    page.route("http*://**", lambda route: route.abort())
    page.goto(f"file://{tmp_path}/saved.html")
    picture = page.locator(PICTURE).first
    picture.wait_for()
    assert picture.evaluate("img => img.naturalWidth") > 100
    page.close()


def test_nbconvert_to_markdown_keeps_the_table_and_the_picture(saved: Path, tmp_path: Path):
    text = convert(saved, "markdown", tmp_path)
    assert "data:image/svg+xml;base64," in text
    assert "<table" in text
