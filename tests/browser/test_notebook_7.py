"""Monitor and layer health in Notebook 7, as a person uses them: by keys and clicks alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from lab import Lab, Watch
from playwright.sync_api import Page, expect

SETUP = """\
%load_ext mlnb
import torch
from torch import nn
torch.set_num_threads(1)
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
x = torch.randn(4096, 20)
data = x, (x @ torch.randn(20, 3)).argmax(1)"""
TRAIN = (
    "run = %mltrain net --data data --epochs 100000 --batch_size 32 --folder no --name lenet "
    "--health --background"
)


def run_cell(page: Page, index: int) -> None:
    """Notebook 7 moves the focus while it opens, and a key that comes then is lost: once more."""
    prompt = page.locator(".jp-InputPrompt").nth(index)
    for _ in range(6):
        page.locator(".jp-CodeCell .cm-content").nth(index).click()
        page.keyboard.press("Control+Enter")
        with suppress(AssertionError):
            expect(prompt).not_to_have_text("[ ]:", timeout=5_000)
            return
    raise AssertionError(f"cell {index} never ran")


def test_a_run_is_watched_and_stopped_and_its_picture_stays(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    server.write("seven.ipynb", SETUP, TRAIN)
    server.open_notebook_7(page, watch, "seven.ipynb")
    prompts = page.locator(".jp-InputPrompt")
    run_cell(page, 0)
    expect(prompts.nth(0)).to_have_text("[1]:", timeout=120_000)
    run_cell(page, 1)
    page.locator(".mlnb-training-monitor[data-state='training'][data-path='message']").wait_for(
        timeout=90_000
    )
    monitor = page.locator(".mlnb-training-monitor")
    expect(monitor.locator(".mlnb-line")).to_contain_text("epoch")
    page.locator(".mlnb-graph-viewer[data-state='ready']").wait_for(timeout=60_000)
    expect(page.locator(".mlnb-graph-viewer")).to_contain_text("layer health · step")
    page.wait_for_timeout(1_500)
    page.screenshot(path=screenshots / "notebook_7_training.png")
    monitor.get_by_role("button", name="stop the run and keep it", exact=True).click()
    expect(monitor).to_have_count(0, timeout=30_000)
    picture = page.locator("img[src^='data:image/svg+xml']").first
    picture.wait_for()
    assert picture.is_visible()
    page.screenshot(path=screenshots / "notebook_7_ended.png")
