"""A report in JupyterLab: the matrix chooses pictures, and what stays in the file."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from lab import Lab, Watch
from playwright.sync_api import Locator, Page, expect

pytest.importorskip("sklearn")

IMPORTS = """
import numpy as np, pandas as pd
from pathlib import Path
from PIL import Image, ImageDraw
random = np.random.default_rng(5)
"""
PICTURES = """
class Eye:
    '''Takes warm pictures for cats; some cats are blue.'''
    classes_ = np.array(['cat', 'dog'])
    def predict_proba(self, frame):
        blue = np.array([np.asarray(Image.open(p))[..., 2].mean() for p in frame['path']])
        dog = 1 / (1 + np.exp(-(blue - 110) / 12))
        return np.stack([1 - dog, dog], axis=1)

folder = Path('pictures'); folder.mkdir(exist_ok=True)
rows = []
for i in range(60):
    label = 'cat' if i % 2 else 'dog'
    odd = i in (7, 20, 33)
    warm = (label == 'cat') != odd
    picture = np.zeros((90, 120, 3)); slope = np.linspace(0, 60, 120)
    picture[..., 0] = (150 if warm else 60) + slope
    picture[..., 1] = 110 + random.integers(-30, 30)
    picture[..., 2] = (60 if warm else 140) + random.integers(-12, 12)
    image = Image.fromarray(picture.clip(0, 255).astype('uint8'))
    face = (90, 70, 50) if label == 'cat' else (230, 220, 200)
    ImageDraw.Draw(image).ellipse((35, 20, 85, 70), fill=face)
    path = folder / f'{label}.{i}.png'; image.save(path)
    rows.append((str(path), label))
test = pd.DataFrame(rows, columns=['path', 'label'], index=range(1000, 1060))
eye = Eye()
"""
MANY = """
from mlnb.train.evaluation import evaluate
from mlnb.widgets.evaluation_report import EvaluationReport
names = np.array([f'species {i:02}' for i in range(40)])
truth = random.integers(0, 40, 2000); scores = random.normal(size=(2000, 40))
scores[np.arange(2000), truth] += 3; scores[:, 7] += (truth == 3) * 3
powers = np.exp(scores); many = evaluate(names[truth], powers / powers.sum(1, keepdims=True), names)
EvaluationReport(many)
"""
TAGS = """
tags = evaluate([['wet'], ['dark'], [], ['wet', 'dark']],
                [[.9, .2], [.6, .7], [.1, .2], [.3, .9]], ['wet', 'dark'])
EvaluationReport(tags)
"""


def opened(server: Lab, page: Page, watch: Watch, name: str, *cells: str) -> None:
    path = server.write(name, "%load_ext mlnb", *cells)
    server.open(page, watch, path.name)
    server.run_all(page)
    page.locator(".mlnb-evaluation-report[data-state='ready']").first.wait_for()


def report(page: Page, at: int = 0) -> Locator:
    return page.locator(".mlnb-evaluation-report").nth(at)


def shots(server: Lab, page: Page, folder: Path, name: str, element: Locator) -> None:
    for theme in ("Light", "Dark"):
        server.theme(page, f"JupyterLab {theme}")
        element.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        element.screenshot(path=folder / f"evaluation_{name}_{theme.lower()}.png")
    server.theme(page, "JupyterLab Light")


def test_a_cell_of_the_matrix_shows_and_chooses_its_pictures(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    select = "from mlnb.widgets.selection import Selection\nselection = Selection(test)"
    call = "pets = %mlevaluate eye test --selection selection"
    opened(server, page, watch, "pictures.ipynb", IMPORTS, PICTURES, select, call)
    view = report(page)
    expect(view.locator(".mlnb-bar")).to_contain_text("60 photographs")
    images = view.locator(".mlnb-list img")
    expect(images).to_have_count(24)
    expect(view.locator(".mlnb-mistake")).to_have_count(3)
    expect(view.locator(".mlnb-row").nth(3)).not_to_have_class("mlnb-row mlnb-mistake")
    page.wait_for_function(
        "[...document.querySelectorAll('.mlnb-list img')].every(i => i.naturalWidth === 120)"
    )
    shots(server, page, screenshots, "pictures", view)

    view.get_by_role("button", name="29 photographs: dog, and said so").click()
    expect(view.locator(".mlnb-which")).to_contain_text("dog, and said so · 29 photographs")
    assert server.execute(page, "print(len(selection.ids))").strip() == "29"
    cell = view.get_by_role("button", name="2 photographs: cat, said to be dog")
    cell.focus()
    cell.press("Enter")
    expect(view.locator(".mlnb-row")).to_have_count(2)
    expect(view.locator(".mlnb-said").first).to_contain_text("· is cat")
    expect(cell).to_have_attribute("aria-pressed", "true")
    chosen = server.execute(page, "print(sorted(selection.ids), list(selection.frame.label))")
    assert chosen.strip() == "[1007, 1033] ['cat', 'cat']"
    cell.press("ArrowDown")
    assert "dog, and said so" in page.evaluate("document.activeElement.ariaLabel")

    view.locator(".mlnb-row").first.click()
    expect(view.locator(".mlnb-row").first).to_have_attribute("aria-pressed", "true")
    assert len(server.execute(page, "print(selection.ids)").split(",")) == 2
    server.execute(page, "selection.ids = [1000, 1001, 1002]")
    expect(view.locator(".mlnb-which")).to_contain_text("chosen elsewhere · 3 photographs")
    expect(view.locator(".mlnb-row")).to_have_count(3)
    view.get_by_role("button", name="show all").click()
    expect(view.locator(".mlnb-row")).to_have_count(24)
    assert server.execute(page, "print(selection.ids)").strip() == "()"
    view.get_by_role("button", name="show 24 of 36 more").click()
    expect(view.locator(".mlnb-row")).to_have_count(48)

    view.get_by_role("button", name="copy the code").click()
    expect(view.locator(".mlnb-status")).to_contain_text("copied: pets.figure()")
    assert page.evaluate("navigator.clipboard.readText()") == "pets.figure()"


def test_classes_and_curves_are_a_click_away(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    opened(server, page, watch, "curves.ipynb", IMPORTS, PICTURES, "%mlevaluate eye test")
    view = report(page)
    view.get_by_role("button", name="classes").click()
    expect(view.locator(".mlnb-classes tbody tr")).to_have_count(2)
    view.get_by_role("button", name="sort by recall").click()
    expect(view.locator(".mlnb-classes th").nth(2)).to_have_attribute("aria-sort", "ascending")
    view.get_by_role("button", name="curves").click()
    expect(view.locator("figcaption").nth(1)).to_contain_text("ROC, area 0.9")
    assert view.locator("figure .mlnb-line").nth(2).get_attribute("d").count("L") > 3
    shots(server, page, screenshots, "curves", view)
    view.get_by_role("button", name="least sure").click()
    expect(view.locator(".mlnb-list img")).to_have_count(24)


def test_many_classes_are_a_list_and_many_labels_a_short_matrix(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    opened(server, page, watch, "many.ipynb", IMPORTS, MANY, TAGS)
    first = report(page)
    expect(first.locator(".mlnb-pair").first).to_contain_text("species 03 → species 07")
    first.locator(".mlnb-pair").first.click()
    expect(first.locator(".mlnb-which")).to_contain_text("species 03, said to be species 07")
    expect(first.locator(".mlnb-row").first).to_be_visible()
    shots(server, page, screenshots, "many", first)
    second = report(page, 1)
    expect(second.locator(".mlnb-which")).to_contain_text("all 4 rows")
    second.get_by_role("button", name="wet: missed").click()
    expect(second.locator(".mlnb-row")).to_have_count(1)
    expect(second.locator(".mlnb-said")).to_contain_text("dark .70 · is wet, dark")
    shots(server, page, screenshots, "labels", second)


def test_numbers_and_most_wrong_pictures_stay_in_the_file(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    opened(server, page, watch, "stays.ipynb", IMPORTS, PICTURES, "%mlevaluate eye test")
    server.save(page)
    notebook = nbformat.read(server.root / "stays.ipynb", as_version=4)
    kept = notebook.cells[-1].outputs[0]["data"]["text/html"]
    assert "60 photographs" in kept
    assert kept.count("data:image/") == 3
    assert len(kept) < 200_000
    watch.ignored = ("widget model not found",)  # JupyterLab's own, of any reopened widget
    nbformat.write(notebook, server.root / "stranger.ipynb")
    server.open(page, watch, "stranger.ipynb")
    picture = page.locator("[data-mlnb-static]")
    expect(picture).to_contain_text("most wrong")
    expect(picture.locator("img")).to_have_count(3)
    for theme in ("Light", "Dark"):
        server.theme(page, f"JupyterLab {theme}")
        picture.screenshot(path=screenshots / f"evaluation_static_{theme.lower()}.png")
    server.theme(page, "JupyterLab Light")
