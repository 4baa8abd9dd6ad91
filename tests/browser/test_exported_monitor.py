"""The monitor in a page without Jupyter, by `@jupyter-widgets/html-manager`: saved mid-run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from html_manager import HOST, show
from lab import Watch
from playwright.sync_api import Page, expect

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from mlnb.train.run import Run  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402
from mlnb.widgets.training_monitor import TrainingMonitor  # noqa: E402

CONTROLS = (
    "let the run go on",
    "stop the run and keep it",
    "write a checkpoint now",
    "rewind to a kept step, or fork from one",
)


@pytest.fixture
def paused() -> Iterator[Run]:
    """A run that is held in the middle."""
    x = torch.randn(256, 4)
    data = x, (x.sum(1) > 0).long()
    trainer = Trainer(nn.Linear(4, 2))
    run = trainer.fit(data, epochs=10**6, background=True, folder=False, name="lenet <b>")
    while run.step < 20:
        time.sleep(0.01)
    run.pause()
    while run.status != "paused":
        time.sleep(0.01)
    yield run
    run.stop()
    run.wait()


@pytest.mark.parametrize("width", [1000, 400])
def test_a_monitor_without_a_kernel_shows_what_was_saved_and_says_why_nothing_works(
    page: Page, watch: Watch, screenshots: Path, paused: Run, width: int
):
    watch.home = HOST
    show(page, TrainingMonitor(paused), width=width)
    root = page.locator(".mlnb-training-monitor[data-path='no kernel']")
    root.wait_for()
    expect(root.locator(".mlnb-title")).to_have_text("lenet <b>")
    expect(root.locator(".mlnb-line")).to_contain_text("paused")
    said = "No kernel is connected: this is how it was saved."
    expect(root.locator(".mlnb-hint")).to_have_text(said)
    for label in CONTROLS:
        button = root.get_by_role("button", name=label, exact=True)
        expect(button).to_have_attribute("aria-disabled", "true")
        button.press("Enter")
        expect(root.locator(".mlnb-hint")).to_contain_text("no kernel is connected")
    rate = root.locator(".mlnb-controls").get_by_role("textbox")
    expect(rate).to_have_value("0.001")
    expect(rate).to_have_attribute("aria-disabled", "true")
    assert root.evaluate("one => one.scrollWidth <= one.clientWidth")
    page.screenshot(path=screenshots / f"monitor_exported_{width}.png")
