"""The first tutorial in a real JupyterLab, as its reader meets it: run, walk, search, copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from graph_view import GraphView
from lab import Lab, Watch
from playwright.sync_api import Page, expect

TUTORIAL = Path(__file__).parents[2] / "notebooks" / "01_look_into_a_model.ipynb"


@pytest.fixture
def view(server: Lab, page: Page, watch: Watch) -> GraphView:
    """The first viewer of the tutorial, live."""
    shutil.copy(TUTORIAL, server.root / TUTORIAL.name)
    server.open(page, watch, TUTORIAL.name)
    server.run_all(page)
    view = GraphView.on(page)
    view.root.scroll_into_view_if_needed()
    return view


def test_a_reader_runs_walks_searches_and_copies(
    view: GraphView, server: Lab, page: Page, screenshots: Path
):
    viewer, panel = view.root, view.panel
    page.wait_for_timeout(1_000)  # Lab scrolls to a far cell in several steps
    viewer.scroll_into_view_if_needed()
    page.screenshot(path=screenshots / "tutorial_light.png")

    viewer.get_by_role("searchbox").fill("conv")
    page.keyboard.press("Enter")
    expect(viewer.locator(".mlnb-count")).to_contain_text("1 of ")
    page.keyboard.press("Enter")
    expect(viewer.locator(".mlnb-count")).to_contain_text("2 of ")
    expect(panel).to_contain_text("Conv")
    page.keyboard.press("Escape")

    view.fit()
    came = view.open(view.closed_group())
    node = next(name for name in view.in_view() if name in came and not name.endswith("/"))
    view.click(node)
    expect(panel).to_contain_text(node)
    expect(panel).to_contain_text("outputs")

    viewer.get_by_text("Copy feed").click()
    expect(viewer.get_by_text("Copied")).to_be_visible()
    assert ".predict({" in page.evaluate("navigator.clipboard.readText()")
    page.screenshot(path=screenshots / "tutorial_walked.png")

    server.theme(page, "JupyterLab Dark")
    page.wait_for_timeout(500)
    page.screenshot(path=screenshots / "tutorial_dark.png")
