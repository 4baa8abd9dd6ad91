"""The first tutorial in a real JupyterLab, as its reader meets it: run, walk, search, copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lab import Lab, Watch
from playwright.sync_api import Locator, Page, expect

TUTORIAL = Path(__file__).parents[2] / "notebooks" / "01_look_into_a_model.ipynb"


@pytest.fixture
def viewer(server: Lab, page: Page, watch: Watch) -> Locator:
    """The first viewer of the tutorial, live."""
    shutil.copy(TUTORIAL, server.root / TUTORIAL.name)
    server.open(page, watch, TUTORIAL.name)
    server.run_all(page)
    viewer = page.locator(".mlnb[data-state='ready']").first
    viewer.scroll_into_view_if_needed()
    return viewer


def boxes(viewer: Locator) -> dict[str, dict]:
    """Where the boxes of the picture stand, in pixels of its canvas."""
    return {box["id"]: box for box in viewer.evaluate("el => el.mlnb.boxes()")}


def click(viewer: Locator, name: str) -> None:
    """Click a box in its middle."""
    box = boxes(viewer)[name]
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    viewer.locator("canvas.mlnb-graph").click(position=middle)


def in_view(viewer: Locator) -> dict[str, dict]:
    """The boxes that stand wholly on the canvas."""
    size = viewer.locator("canvas.mlnb-graph").bounding_box()
    return {
        name: box
        for name, box in boxes(viewer).items()
        if box["x"] > 0
        and box["y"] > 0
        and box["x"] + box["width"] < size["width"]
        and box["y"] + box["height"] < size["height"]
    }


def closed_group(viewer: Locator) -> str:
    """A group in view that is no frame around other boxes."""

    def inside(box: dict, other: dict) -> bool:
        return (
            box is not other
            and other["x"] < box["x"] < other["x"] + other["width"]
            and other["y"] < box["y"] < other["y"] + other["height"]
        )

    every = boxes(viewer).values()
    return next(
        name
        for name, group in in_view(viewer).items()
        if name.endswith("/") and not any(inside(box, group) for box in every)
    )


def test_a_reader_runs_walks_searches_and_copies(
    viewer: Locator, server: Lab, page: Page, screenshots: Path
):
    page.wait_for_timeout(1_000)  # Lab scrolls to a far cell in several steps
    page.screenshot(path=screenshots / "tutorial_light.png")
    panel = viewer.locator(".mlnb-panel")

    viewer.get_by_role("searchbox").fill("conv")
    page.keyboard.press("Enter")
    assert " of " in viewer.locator(".mlnb-count").inner_text()
    page.keyboard.press("Enter")
    assert viewer.locator(".mlnb-count").inner_text().startswith("2 of ")
    assert "Conv" in panel.inner_text()
    page.keyboard.press("Escape")

    viewer.locator("canvas.mlnb-graph").press("0")
    page.wait_for_timeout(600)
    before = boxes(viewer)
    click(viewer, closed_group(viewer))
    page.keyboard.press("Enter")
    page.wait_for_function(
        "([el, n]) => el.mlnb.boxes().length > n", arg=[viewer.element_handle(), len(before)]
    )
    page.wait_for_timeout(600)
    node = next(n for n in in_view(viewer) if n not in before and not n.endswith("/"))
    click(viewer, node)
    expect(panel).to_contain_text(node)
    expect(panel).to_contain_text("outputs")

    viewer.get_by_text("Copy feed").click()
    expect(viewer.get_by_text("Copied")).to_be_visible()
    assert ".predict({" in page.evaluate("navigator.clipboard.readText()")
    page.screenshot(path=screenshots / "tutorial_walked.png")

    server.theme(page, "JupyterLab Dark")
    page.wait_for_timeout(500)
    page.screenshot(path=screenshots / "tutorial_dark.png")
