"""The grid of pictures in a real JupyterLab: scrolling, choosing, labelling, reload, themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lab import Lab, Watch
from playwright.sync_api import Locator, Page, expect

# 25,000 rows over 60 files: what the page has to carry is the rows, not the disk.
SETUP = """\
import numpy as np, pandas as pd
from pathlib import Path
from PIL import Image, ImageDraw
from mlnb.widgets.image_grid import ImageGrid
folder = Path("pictures"); folder.mkdir(exist_ok=True)
rng = np.random.default_rng(0)
def draw(at):
    label = ("circle", "square", "<b>star</b>")[at % 3]
    picture = Image.new("RGB", (160, 120), tuple(rng.integers(20, 90, 3).tolist()))
    pen, x, y = ImageDraw.Draw(picture), *rng.integers(10, 70, 2).tolist()
    shape = {"circle": pen.ellipse, "square": pen.rectangle}.get(label, pen.line)
    shape([x, y, x + 45, y + 45], fill=tuple(rng.integers(120, 255, 3).tolist()))
    path = folder / f"{at:05d} <img src=x onerror=alert(1)>.png"
    picture.save(path)
    return str(path), label
made = [draw(at) for at in range(60)]
def frame_of(count):
    frame = pd.DataFrame([made[at % 60] for at in range(count)], columns=["path", "label"])
    frame["split"] = np.where(np.arange(count) % 5, "train", "test")
    frame["probability"] = 1 - rng.random(count) ** 3 * 0.6
    frame["predicted"] = np.where(rng.random(count) < 0.95, frame["label"], "circle")
    frame["status"] = "ok"
    frame.loc[frame.index[7], "status"] = "half.png is damaged: image file is truncated"
    frame.loc[frame.index[11], "path"] = "pictures/gone.png"
    return frame
"""
SMALL = "grid = ImageGrid(frame_of(400))\ngrid"
LARGE = "grid = ImageGrid(frame_of(25_000))\ngrid"


@pytest.fixture
def notebook(server: Lab, page: Page, watch: Watch, request: pytest.FixtureRequest) -> Page:
    """A notebook with one grid of 400 rows, run."""
    return opened(server, page, watch, f"{request.node.name[:40]}.ipynb", SMALL)


def opened(server: Lab, page: Page, watch: Watch, name: str, cell: str) -> Page:
    server.write(name, SETUP, cell)
    server.open(page, watch, name)
    server.run_all(page)
    root(page).wait_for()
    root(page).locator(".mlnb-tile img[src^='blob:']").first.wait_for()
    return page


def root(page: Page) -> Locator:
    return page.locator(".mlnb-image-grid[data-state='ready']")


def tile(page: Page, row: int) -> Locator:
    return root(page).locator(f".mlnb-tile[data-row='{row}']")


def prints(server: Lab, page: Page, code: str, expected: str) -> None:
    """What the kernel prints, as soon as it has heard of what was done on the page."""
    for _ in range(50):
        if (printed := server.execute(page, code).strip()) == expected:
            return
        page.wait_for_timeout(100)
    assert printed == expected


def test_pictures_are_chosen_by_mouse_and_keyboard(server: Lab, notebook: Page):
    page = notebook
    tile(page, 1).click()
    tile(page, 4).click(modifiers=["Shift"])
    expect(root(page).locator(".mlnb-tile[aria-selected='true']")).to_have_count(4)
    tile(page, 2).click(modifiers=["Control"])
    expect(root(page)).to_contain_text("3 chosen")
    prints(server, page, "print(list(grid.selection.ids))", "[1, 3, 4]")
    page.keyboard.press("Escape")
    expect(root(page)).not_to_contain_text("chosen")
    tile(page, 0).click()
    page.keyboard.press("ArrowRight")
    expect(tile(page, 1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(root(page)).to_contain_text("3 chosen")
    page.keyboard.press(" ")
    expect(root(page)).to_contain_text("2 chosen")
    page.keyboard.press("a")
    expect(root(page)).to_contain_text("399 chosen")
    prints(server, page, "print(len(grid.selection.frame))", "399")
    server.execute(page, "grid.selection.ids = [5]")
    expect(root(page)).to_contain_text("1 chosen")
    expect(tile(page, 5)).to_have_attribute("aria-selected", "true")


def test_relabelling_and_leaving_out_change_the_frame_and_can_be_undone(
    server: Lab, notebook: Page
):
    page = notebook
    tile(page, 3).click()
    page.keyboard.press("3")
    read = "print(grid.frame.label[3], 'left_out' in grid.frame and grid.frame.left_out[3])"
    expect(root(page).get_by_role("button", name="undo the last edit")).to_be_enabled()
    prints(server, page, read, "square False")
    page.keyboard.press("x")
    expect(tile(page, 3)).to_have_class(
        "mlnb-tile mlnb-chosen mlnb-current mlnb-left-out mlnb-wrong mlnb-edited"
    )
    prints(server, page, read, "square True")
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(root(page).get_by_role("button", name="undo the last edit")).to_be_disabled()
    prints(server, page, read, "circle False")
    typed = root(page).get_by_role("combobox", name="another label")
    typed.fill("<script>alert(2)</script>")
    typed.press("Enter")
    expect(tile(page, 3)).to_contain_text("is <script>alert(2)</script>")


def test_filters_search_and_orders(server: Lab, notebook: Page):
    page, shown = notebook, root(notebook).get_by_role("status")
    expect(shown).to_have_text("399 shown")
    wrong = "print((grid.frame.label != grid.frame.predicted).drop(7).sum())"
    root(page).get_by_label("filter by correctness").select_option("1")
    expect(shown).to_have_text(f"{server.execute(page, wrong).strip()} shown")
    root(page).get_by_label("filter by correctness").select_option(label="any correctness")
    root(page).get_by_label("search by file name").fill("00003 <IMG")
    expect(shown).to_have_text("7 shown")
    root(page).get_by_label("search by file name").fill("nothing like it")
    expect(root(page)).to_contain_text("No picture is as the filters ask.")
    root(page).get_by_label("search by file name").fill("")
    root(page).get_by_label("order", exact=True).select_option("least sure first")
    expect(root(page).locator(".mlnb-tile").first).to_contain_text(".4")
    root(page).get_by_role("tab", name="show the 1 file that cannot be shown").click()
    expect(root(page)).to_contain_text("half.png is damaged: image file is truncated")


def test_labelling_goes_on_by_itself_and_survives_a_reload(
    server: Lab, notebook: Page, watch: Watch, screenshots: Path
):
    page = notebook
    root(page).get_by_role("button", name="label one picture after the other").click()
    expect(root(page).get_by_label("order", exact=True)).to_have_value("least sure first")
    root(page).get_by_role("listbox").focus()
    for key in "1231":
        page.keyboard.press(key)
    expect(root(page).locator(".mlnb-edited")).to_have_count(4)
    least = "np.argsort(grid.frame.probability.where(grid.frame.index != 7, 9), kind='stable')[:4]"
    print_rows = f"print(sorted(grid._edits.rows) == sorted({least}.tolist()))"
    prints(server, page, print_rows, "True")
    page.screenshot(path=screenshots / "image_grid_labelling.png")
    current = root(page).locator(".mlnb-current").get_attribute("data-row")
    server.save(page)
    page.reload()
    root(page).locator(".mlnb-tile img[src^='blob:']").first.wait_for(timeout=60_000)
    expect(root(page).locator(".mlnb-edited")).to_have_count(4)
    expect(root(page).locator(".mlnb-current")).to_have_attribute("data-row", current or "")


def test_25000_rows_scroll_smoothly(server: Lab, page: Page, watch: Watch):
    opened(server, page, watch, "large_grid.ipynb", LARGE)
    still, moving = page.evaluate(
        """async () => {
            const box = document.querySelector('.mlnb-scroll');
            const frame = () => new Promise(requestAnimationFrame);
            const times = [[], []];
            for (let i = 0; i < 160; i++) {
                const began = performance.now();
                if (i % 2) box.scrollTop += 1700;
                await frame();
                await frame();
                times[i % 2].push((performance.now() - began) / 2);
            }
            return times.map(one => one.sort((a, b) => a - b)[40]);
        }"""
    )
    tiles = root(page).locator(".mlnb-tile").count()
    print(f"a frame at rest {still:.1f} ms, while it scrolls {moving:.1f} ms, {tiles} tiles")
    assert moving < 2 * still + 20
    assert tiles < 120
    root(page).get_by_role("listbox").focus()
    page.keyboard.press("End")
    expect(tile(page, 24_999)).to_be_visible()
    expect(tile(page, 24_999).locator("img")).to_have_attribute("src", re.compile("^blob:"))


def test_thumbnails_come_while_a_cell_runs(server: Lab, notebook: Page):
    page = notebook
    server.start_cell(page, "import time; time.sleep(8)")
    page.evaluate(
        "(box => box.scrollTop = box.scrollHeight / 2)(document.querySelector('.mlnb-scroll'))"
    )
    tile(page, 203).locator("img[src^='blob:']").wait_for(timeout=6_000)
    assert page.evaluate("window.running.done") is False


def test_how_it_looks(server: Lab, notebook: Page, screenshots: Path):
    page = notebook
    tile(page, 1).click()
    tile(page, 2).click(modifiers=["Control"])
    for theme in ("light", "dark"):
        server.theme(page, f"JupyterLab {theme.title()}")
        page.wait_for_timeout(500)
        page.screenshot(path=screenshots / f"image_grid_{theme}.png")
    root(page).get_by_role("tab", name="show the 1 file that cannot be shown").click()
    page.wait_for_timeout(300)
    page.screenshot(path=screenshots / "image_grid_broken.png")
