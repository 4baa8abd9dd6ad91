"""The map of features: 100,000 points, lasso and box, hover, and one selection with the grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bare_page import ORIGIN, show
from lab import Lab, Watch
from playwright.sync_api import Locator, Page, expect

from mlnb.widgets.embedding_map import EmbeddingMap

SETUP = """\
import numpy as np, pandas as pd
from pathlib import Path
from PIL import Image
from mlnb.widgets.embedding_map import EmbeddingMap
from mlnb.widgets.image_grid import ImageGrid
from mlnb.widgets.selection import Selection
folder = Path("spots"); folder.mkdir(exist_ok=True)
rng = np.random.default_rng(0)
names = np.array(["cat", "dog", "<img src=x onerror=alert(1)>"])
label = rng.integers(0, 3, 600)
features = rng.normal(size=(3, 16))[label] * 1.5 + rng.normal(size=(600, 16))
for at in range(30):
    Image.new("RGB", (120, 90), tuple(rng.integers(0, 255, 3).tolist())).save(folder / f"{at}.png")
frame = pd.DataFrame({"path": [str(folder / f"{at % 30}.png") for at in range(600)],
                      "label": names[label], "probability": rng.random(600)})
frame.loc[3, "path"] = "spots/gone.png"
selection = Selection(frame)
"""
MAP = "map = EmbeddingMap(features, frame, selection)\nmap"
GRID = "grid = ImageGrid(frame, selection)\ngrid"
REPAINT = """async () => {
    const root = document.querySelector('.mlnb-embedding-map');
    const canvas = root.querySelector('canvas');
    canvas.focus();
    const times = [];
    for (let i = 0; i < 60; i++) {
        const name = i % 20 < 10 ? '+' : '-';
        canvas.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        times.push(Number(root.dataset.milliseconds));
    }
    return times.sort((a, b) => a - b);
}"""


def traits(widget: EmbeddingMap) -> dict[str, Any]:
    state = widget.get_state()
    return {name: value for name, value in state.items() if name[0] != "_" and name != "layout"}


def root(page: Page) -> Locator:
    return page.locator(".mlnb-embedding-map[data-state='ready']")


def canvas(page: Page) -> Locator:
    return root(page).locator("canvas")


def drag(page: Page, *places: tuple[float, float]) -> None:
    """Draw over the map, in parts of its width and height."""
    box = canvas(page).bounding_box()
    assert box
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def many(count: int) -> EmbeddingMap:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 10, count)
    places = rng.normal(size=(10, 2))[label] * 2 + rng.normal(size=(count, 2)) * 0.5
    return EmbeddingMap(places, pd.DataFrame({"text": "a", "label": label}))


def test_100000_points_are_repainted_in_a_frame(page: Page, watch: Watch):
    watch.home = ORIGIN.removeprefix("http://")
    show(page, "embedding_map", traits(many(100_000)), width=1100)
    root(page).wait_for()
    page.wait_for_timeout(300)
    times = page.evaluate(REPAINT)
    print(f"repaint of 100,000 points: best {times[0]:.1f} ms, median {times[30]:.1f} ms")
    assert times[5] <= 33


def test_lasso_box_and_legend_choose(page: Page, watch: Watch):
    watch.home = ORIGIN.removeprefix("http://")
    places = np.array([[x, y] for y in (0.0, 1.0) for x in (0.0, 1.0)])
    widget = EmbeddingMap(places, pd.DataFrame({"label": ["a", "b", "a", "b"]}))
    show(page, "embedding_map", traits(widget), width=600)
    root(page).wait_for()
    page.wait_for_timeout(200)
    drag(page, (0.02, 0.6), (0.3, 0.6), (0.3, 0.99), (0.02, 0.99))
    assert page.evaluate("sent.at(-1)") == {"kind": "choose", "rows": [0]}
    root(page).get_by_role("button", name="draw a box").click()
    page.evaluate("receive({kind: 'chosen'})")
    page.keyboard.down("Shift")
    drag(page, (0.99, 0.01), (0.7, 0.3))
    page.keyboard.up("Shift")
    drawn = page.evaluate("sent.at(-1).rows")
    assert drawn == [0, 3] or drawn == [3]
    root(page).get_by_role("button", name="choose the 2 rows of b").click()
    assert page.evaluate("sent.at(-1).rows") == [1, 3]
    canvas(page).focus()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    assert page.evaluate("sent.at(-1).rows") == [0, 1, 2, 3]
    for _ in range(12):
        page.keyboard.press("+")
    page.keyboard.press("a")
    assert page.evaluate("sent.at(-1).rows") == []


def test_map_and_grid_share_the_choice_in_jupyterlab(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    server.write("map.ipynb", SETUP, MAP, GRID)
    server.open(page, watch, "map.ipynb")
    server.run_all(page)
    root(page).scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    root(page).get_by_role("button", name="rows of dog").click()
    dogs = server.execute(page, "print((frame.label == 'dog').sum())").strip()
    expect(root(page)).to_contain_text(f"{dogs} chosen")
    assert server.execute(page, "print(set(selection.frame.label))").strip() == "{'dog'}"
    grid = page.locator(".mlnb-image-grid")
    grid.scroll_into_view_if_needed()
    expect(grid).to_contain_text(f"{dogs} chosen")
    grid.locator(".mlnb-tile").first.click()
    expect(grid).to_contain_text("1 chosen")
    root(page).scroll_into_view_if_needed()
    expect(root(page)).to_contain_text("1 chosen")
    drag(page, (0.3, 0.2), (0.5, 0.2), (0.55, 0.6), (0.3, 0.7))
    page.wait_for_timeout(400)
    box = canvas(page).bounding_box()
    assert box
    read = """
at = np.frombuffer(map.points, np.uint16).reshape(-1, 2) / 65534
print(*at[5], *np.ptp(at, axis=0))"""
    x, y, across, up = [float(n) for n in server.execute(page, read).split()]
    scale = min(box["width"] / across, box["height"] / up) * 0.92
    left, top = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(left + (x - 0.5) * scale, top - (y - 0.5) * scale)
    tip = root(page).locator(".mlnb-tip")
    tip.wait_for()
    expect(tip).to_contain_text("label: ")
    tip.locator("img[src^='blob:']").wait_for()
    for theme in ("light", "dark"):
        server.theme(page, f"JupyterLab {theme.title()}")
        page.wait_for_timeout(500)
        page.screenshot(path=screenshots / f"embedding_map_{theme}.png")
    root(page).get_by_label("colour by").select_option("probability")
    root(page).locator(".mlnb-ramp").wait_for()
    canvas(page).click(position={"x": 5, "y": 5})
    page.mouse.move(2, 2)
    page.wait_for_timeout(400)
    page.screenshot(path=screenshots / "embedding_map_numbers.png")
