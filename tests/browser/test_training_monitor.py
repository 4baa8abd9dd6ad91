"""A run steered by its buttons in a real JupyterLab: latency, reload, reopening, dark theme."""

from __future__ import annotations

from pathlib import Path

import ipykernel
import pytest
from lab import Lab, Watch
from playwright.sync_api import Locator, Page, expect

SETUP = """\
%load_ext mlnb
import torch
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
x = torch.randn(4096, 20)
data = x, (x @ torch.randn(20, 3)).argmax(1)
warm = %mltrain net --data data --epochs 1 --folder no;"""
TRAIN = "run = %mltrain net --data data --epochs 100000 --batch_size 32 --folder no --name lenet"
PICTURE = "img[src^='data:image/svg+xml']"
BROKEN = ("Error displaying widget", "model not found", "Loading widget")
STOPS = 10

needs_subshells = pytest.mark.skipif(
    ipykernel.version_info[0] < 7, reason="ipykernel has subshells from 7 on"
)


class Monitor:
    """The monitor of a cell that trains now."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root: Locator = page.locator(".mlnb-training-monitor")

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    @property
    def rate(self) -> Locator:
        return self.root.locator(".mlnb-controls").get_by_role("textbox")

    def wait_for(self, state: str, path: str = "") -> None:
        where = f"[data-path='{path}']" if path else ""
        page, selector = self.page, f".mlnb-training-monitor[data-state='{state}']{where}"
        page.locator(selector).wait_for(timeout=60_000)

    def set_rate(self, rate: str) -> float:
        """Type a learning rate, and the milliseconds until a step was taken with it."""
        return self.page.evaluate(
            """rate => new Promise((resolve, reject) => {
                const root = document.querySelector('.mlnb-training-monitor');
                const field = root.querySelector('.mlnb-controls input');
                const began = performance.now();
                const look = () => {
                    const strips = root.querySelector('.mlnb-strips').textContent;
                    if (strips.includes(rate)) resolve(performance.now() - began);
                    else if (performance.now() - began > 20000) reject(new Error('never'));
                    else setTimeout(look, 2);
                };
                field.value = rate;
                field.dispatchEvent(new Event('change'));
                look();
            })""",
            rate,
        )

    def known_after(self) -> float:
        """The milliseconds from when a monitor appears until it knows how it reaches the loop."""
        return self.page.evaluate(
            """() => new Promise(resolve => {
                let began;
                const look = () => {
                    const root = document.querySelector('.mlnb-training-monitor');
                    if (root) began ??= performance.now();
                    const path = root?.dataset.path ?? 'asking';
                    if (path === 'asking') setTimeout(look, 2);
                    else resolve(performance.now() - began);
                };
                look();
            })"""
        )

    def click_until(self, label: str, state: str) -> float:
        """Click in the page itself, and the milliseconds until the run is in that state."""
        return self.page.evaluate(
            """([label, state]) => new Promise((resolve, reject) => {
                const root = document.querySelector('.mlnb-training-monitor');
                const button = root.querySelector(`button[aria-label="${label}"]`);
                const began = performance.now();
                const look = () => {
                    const over = !root.isConnected;
                    if (over || root.dataset.state === state) resolve(performance.now() - began);
                    else if (performance.now() - began > 20000) reject(new Error('never'));
                    else setTimeout(look, 2);
                };
                button.click();
                look();
            })""",
            [label, state],
        )


@pytest.fixture
def opened(server: Lab, page: Page, watch: Watch, request: pytest.FixtureRequest) -> Monitor:
    """A notebook whose first cell has run; the second one trains when it is started."""
    name = f"train_{request.node.name[:40].replace('[', '_').replace(']', '')}.ipynb"
    server.write(name, SETUP, TRAIN, "run.stop_reason", f"{TRAIN} --background")
    server.open(page, watch, name)
    server.wait_for_kernel(page)
    run_cell(page, 0)
    page.wait_for_function(counted(0), timeout=120_000)
    server.wait_for_kernel(page)
    return Monitor(page)


def run_cell(page: Page, index: int) -> None:
    """Start one cell, and do not wait for it."""
    page.evaluate(
        """index => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = index;
            notebook.deselectAll();
            window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        index,
    )


def counted(index: int) -> str:
    cells = "window.jupyterapp.shell.currentWidget.content.widgets"
    return f"() => {cells}[{index}].model.executionCount !== null"


@needs_subshells
def test_every_control_works_while_the_cell_trains(
    opened: Monitor, server: Lab, page: Page, screenshots: Path
):
    run_cell(page, 1)
    opened.wait_for("training", "message")
    expect(opened.root).to_contain_text("lenet")
    expect(opened.root.locator(".mlnb-line")).to_contain_text("epoch")
    page.screenshot(path=screenshots / "monitor_training.png")

    paused = opened.click_until("pause the run", "paused")
    line = opened.root.locator(".mlnb-line").inner_text()
    page.wait_for_timeout(600)
    assert opened.root.locator(".mlnb-line").inner_text() == line
    page.screenshot(path=screenshots / "monitor_paused.png")
    resumed = opened.click_until("let the run go on", "training")
    expect(opened.root.locator(".mlnb-line")).not_to_have_text(line)

    rated = opened.set_rate("1e-4")
    opened.rate.fill("2.5e-4")
    opened.rate.press("Enter")
    opened.button("write a checkpoint now").focus()
    page.keyboard.press("Enter")
    expect(opened.rate).to_have_value("2.5e-4")
    opened.rate.fill("much")
    opened.rate.press("Enter")
    expect(opened.root.locator(".mlnb-hint")).to_contain_text("above 0")
    page.screenshot(path=screenshots / "monitor_wrong_rate.png")
    opened.rate.press("Escape")

    server.theme(page, "JupyterLab Dark")
    page.wait_for_timeout(500)
    page.screenshot(path=screenshots / "monitor_dark.png")
    page.set_viewport_size({"width": 620, "height": 800})
    page.wait_for_timeout(500)
    page.screenshot(path=screenshots / "monitor_narrow.png")
    page.set_viewport_size({"width": 1400, "height": 1000})
    stopped = opened.click_until("stop the run and keep it", "ended")
    print(
        f"\npause {paused:.0f} ms, resume {resumed:.0f} ms, learning rate {rated:.0f} ms, "
        f"stop {stopped:.0f} ms"
    )

    page.wait_for_function(counted(1), timeout=20_000)
    expect(opened.root).to_have_count(0)
    page.locator(PICTURE).last.wait_for()
    assert page.locator(PICTURE).last.is_visible()
    page.screenshot(path=screenshots / "monitor_ended_dark.png")
    server.theme(page, "JupyterLab Light")
    page.wait_for_timeout(500)
    page.screenshot(path=screenshots / "monitor_ended.png")
    kinds = server.execute(page, "print(*[m.kind for m in run.history.marks], run.stop_reason)")
    for kind in ("pause", "resume", "set_lr", "checkpoint", "stopped"):
        assert kind in kinds.split()
    assert max(paused, resumed, rated, stopped) < 1_000


@needs_subshells
def test_stop_is_quick(opened: Monitor, server: Lab, page: Page):
    took = []
    for _ in range(STOPS):
        run_cell(page, 1)
        opened.wait_for("training", "message")
        page.wait_for_timeout(100)
        took.append(opened.click_until("stop the run and keep it", "ended"))
        expect(opened.root).to_have_count(0)
        server.wait_for_kernel(page)
        assert server.execute(page, "print(run.stop_reason)").strip() == "stopped"
    took.sort()
    p95 = took[int(0.95 * (len(took) - 1))]
    print(f"\nclick to stopped: median {took[len(took) // 2]:.0f} ms, p95 {p95:.0f} ms")
    assert p95 <= 200


def test_where_only_an_interrupt_gets_through_stop_works_and_the_rest_says_why(
    opened: Monitor, server: Lab, page: Page, screenshots: Path
):
    page.evaluate(
        "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".commsOverSubshells = 'disabled'"
    )
    run_cell(page, 1)
    known = opened.known_after()
    print(f"\nknown after {known:.0f} ms that only an interrupt gets through")
    assert known < 1_000  # half a second, and what a busy machine adds
    opened.wait_for("training", "interrupt")
    for label in ("pause the run", "write a checkpoint now"):
        expect(opened.button(label)).to_have_attribute("aria-disabled", "true")
    expect(opened.rate).to_have_attribute("aria-disabled", "true")
    expect(opened.root.locator(".mlnb-hint")).to_contain_text("background=True")
    page.screenshot(path=screenshots / "monitor_interrupt.png")
    took = opened.click_until("stop the run and keep it", "ended")
    print(f"\nclick to stopped, by an interrupt: {took:.0f} ms")
    page.wait_for_function(counted(1), timeout=20_000)
    server.wait_for_kernel(page)
    assert server.execute(page, "print(run.stop_reason)").strip() == "interrupted"
    assert took <= 800


LOST = ("Comm not found for comm id", "Exception opening new comm", "Control comm")


def reload(page: Page, server: Lab, watch: Watch) -> None:
    """Open the saved notebook anew, as a reader does who closed the tab."""
    name = page.evaluate("window.jupyterapp.shell.currentWidget.context.path")
    server.open(page, watch, name)


def shown_steps(page: Page) -> tuple[int, int]:
    """The first and the last step that the curve holds."""
    curves = page.locator(".mlnb-training-monitor .mlnb-curves[data-last]").first
    curves.wait_for(timeout=20_000)
    return int(curves.get_attribute("data-first")), int(curves.get_attribute("data-last"))


@needs_subshells
def test_a_page_that_is_reloaded_while_it_trains_gets_its_monitor_back(
    opened: Monitor, server: Lab, page: Page, watch: Watch, screenshots: Path
):
    watch.ignored = LOST  # what JupyterLab says of the monitor that it forgot
    run_cell(page, 1)
    opened.wait_for("training", "message")
    page.wait_for_timeout(500)
    server.save(page)
    _, before = shown_steps(page)
    reload(page, server, watch)
    opened.wait_for("training", "interrupt")  # it cannot know yet that the kernel has subshells
    first, last = shown_steps(page)
    assert first <= 2 + last // 1000  # no more than the middle of the first bucket
    assert last > before
    page.wait_for_timeout(2_000)
    assert shown_steps(page)[1] > last
    page.screenshot(path=screenshots / "monitor_reloaded.png")
    opened.click_until("stop the run and keep it", "ended")
    server.wait_for_kernel(page)
    reason, steps = server.execute(page, "print(run.stop_reason, run.step)").split()
    assert reason == "interrupted"
    assert shown_steps(page)[1] == int(steps)  # the curve stays, whole
    page.screenshot(path=screenshots / "monitor_reloaded_ended.png")


@needs_subshells
@pytest.mark.slow
def test_twenty_reloads_and_a_new_tab_lose_no_point(
    opened: Monitor, server: Lab, page: Page, watch: Watch
):
    watch.ignored = LOST
    run_cell(page, 1)
    opened.wait_for("training", "message")
    server.save(page)
    last = 0
    for _ in range(20):
        reload(page, server, watch)
        opened.wait_for("training", "interrupt")
        first, now = shown_steps(page)
        assert first <= 2 + now // 1000  # no more than the middle of the first bucket
        assert now > last
        last = now
    name = page.evaluate("window.jupyterapp.shell.currentWidget.context.path")
    page.goto("about:blank")  # the tab is closed, and another comes back to the run
    tab = page.context.new_page()
    watch.attach(tab)
    server.open(tab, watch, name)
    attached = Monitor(tab)
    attached.wait_for("training", "interrupt")
    first, now = shown_steps(tab)
    assert first <= 2 + now // 1000
    assert now > last
    attached.click_until("stop the run and keep it", "ended")
    server.wait_for_kernel(tab)
    assert shown_steps(tab)[1] == int(server.execute(tab, "print(run.step)"))


@needs_subshells
def test_one_zooms_reads_values_and_forks_by_clicking(
    opened: Monitor, server: Lab, page: Page, screenshots: Path
):
    run_cell(page, 1)
    opened.wait_for("training", "message")
    page.wait_for_timeout(1_500)
    plot = opened.root.locator(".mlnb-plot .u-over")
    box = plot.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 100)
    expect(opened.root.locator(".mlnb-legend")).to_contain_text("step")
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 110, steps=5)
    page.mouse.up()
    expect(opened.button("show the whole curve again")).to_be_visible()
    page.wait_for_timeout(600)
    page.screenshot(path=screenshots / "monitor_zoomed.png")
    plot.dblclick()
    expect(opened.button("show the whole curve again")).to_be_hidden()

    curve = opened.root.locator(".mlnb-plot")
    curve.focus()
    page.keyboard.press("l")
    expect(opened.button("logarithmic scale")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowLeft")
    expect(opened.root.locator(".mlnb-spoken")).to_contain_text("step")
    page.keyboard.press(" ")
    opened.wait_for("paused")
    page.keyboard.press(" ")
    opened.wait_for("training")
    page.keyboard.press("l")

    opened.button("write a checkpoint now").click()
    opened.button("rewind to a kept step, or fork from one").click()
    opened.root.get_by_label("learning rate from there on").fill("1e-2")
    began = page.evaluate("performance.now()")
    opened.button("train a copy from this step on, beside the run").click()
    opened.button("steer lenet-1").wait_for(timeout=20_000)
    print(f"\nfork shown after {page.evaluate('performance.now()') - began:.0f} ms")
    page.wait_for_timeout(1_500)
    page.screenshot(path=screenshots / "monitor_fork.png")
    assert page.locator(".mlnb-training-monitor").count() == 1
    opened.button("steer lenet-1").click(delay=350)  # a press that lasts for several ticks
    expect(opened.rate).to_have_value("0.01")
    opened.click_until("stop the run and keep it", "ended")
    opened.root.get_by_role("button", name="steer lenet", exact=True).click()
    opened.click_until("stop the run and keep it", "ended")
    page.wait_for_function(counted(1), timeout=20_000)
    page.locator(PICTURE).last.wait_for()
    page.screenshot(path=screenshots / "monitor_fork_ended.png")


@pytest.mark.parametrize("reader", ["its author", "a stranger"])
def test_a_reopened_notebook_shows_the_curve(
    opened: Monitor, server: Lab, page: Page, watch: Watch, screenshots: Path, reader: str
):
    run_cell(page, 1)
    opened.wait_for("training")
    page.wait_for_timeout(500)
    opened.click_until("stop the run and keep it", "ended")
    page.wait_for_function(counted(1), timeout=20_000)
    expect(opened.root).to_have_count(0)
    server.save(page)
    name = page.evaluate("window.jupyterapp.shell.currentWidget.context.path")
    path = server.root / name
    assert path.stat().st_size < 60_000
    if reader == "a stranger":
        copy = path.with_name("strange.ipynb")
        copy.write_text(path.read_text().replace("4096", "4097"))
        name = copy.name
    server.open(page, watch, name)
    picture = page.locator(PICTURE).last
    picture.wait_for()
    page.wait_for_timeout(1_500)  # a widget that cannot be revived says so after a moment
    assert picture.is_visible()
    for text in BROKEN:
        assert page.get_by_text(text).locator("visible=true").count() == 0, text
    page.screenshot(path=screenshots / f"monitor_reopened_{reader.split()[-1]}.png")


def test_a_run_in_the_background_leaves_the_cells_free_and_is_whole_in_every_view(
    opened: Monitor, server: Lab, page: Page, watch: Watch, screenshots: Path
):
    run_cell(page, 3)
    opened.wait_for("training", "message")
    server.wait_for_kernel(page)
    assert server.execute(page, "print(6 * 7, run.status)").split() == ["42", "training"]
    opened.click_until("pause the run", "paused")
    page.screenshot(path=screenshots / "monitor_background.png")

    server.save(page)
    name = page.evaluate("window.jupyterapp.shell.currentWidget.context.path")
    steps = shown_steps(page)
    assert steps[0] == 1
    page.evaluate("window.jupyterapp.commands.execute('notebook:create-output-view')")
    curves = page.locator(".mlnb-training-monitor .mlnb-curves[data-last]")
    expect(curves).to_have_count(2)
    expect(curves.last).to_have_attribute("data-last", str(steps[1]))
    expect(curves.last).to_have_attribute("data-first", "1")

    watch.ignored = LOST
    server.open(page, watch, name)
    opened.wait_for("paused", "message")
    assert shown_steps(page) == steps
    opened.click_until("let the run go on", "training")
    opened.click_until("stop the run and keep it", "ended")
    server.wait_for_kernel(page)
    done = server.execute(page, "print(run.wait(), run.stop_reason, run.step)").split()
    assert done[:2] == ["True", "stopped"]
    expect(curves).to_have_attribute("data-last", done[2])  # this page lost the picture's place
    page.screenshot(path=screenshots / "monitor_background_reloaded.png")
