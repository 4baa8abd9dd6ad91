"""A network built in the cells of a real JupyterLab: going on, running again, mistakes, themes."""

from __future__ import annotations

from pathlib import Path

from lab import Lab, Watch
from playwright.sync_api import Locator, Page, expect

SETUP = """\
%load_ext mlnb
import torch
torch.manual_seed(0)
images = torch.randn(64, 1, 28, 28)"""
FIRST = """\
# the convolutions
%%mlbuild lenet --input 1x28x28
conv2d 8 5 relu padding=2
max_pool2d 2"""
SECOND = """\
%%mlbuild lenet --sample images
residual relu:
    conv2d 8 3 padding=1
    batch_norm
branches:
    branch:
        max_pool2d 2
    branch:
        conv2d 8 2 relu stride=2
flatten
dense 10"""
WRONG = """\
%%mlbuild lenet
dropout p=0.2
conv2d 8 3"""


def test_cells_build_on_run_again_and_show_their_mistakes(
    server: Lab, page: Page, watch: Watch, screenshots: Path
):
    server.write("build.ipynb", SETUP, FIRST, SECOND, WRONG, "len(lenet)")
    server.open(page, watch, "build.ipynb")
    server.wait_for_kernel(page)
    for index in range(3):
        run_cell(page, index)
    first, second = cell(page, 1), cell(page, 2)
    expect(second.locator("table").first).to_contain_text("residual")
    assert marks(second) == ["new"] * 5  # the activation of `residual` has a row as well
    assert lenet(server, page) == [
        "conv2d",
        "max_pool2d",
        "residual",
        "branches",
        "flatten",
        "dense",
    ]
    ready(second)
    page.set_viewport_size({"width": 1400, "height": 2600})
    first.screenshot(path=screenshots / "build_first.png")
    second.screenshot(path=screenshots / "build_second.png")

    run_cell(page, 1)  # as it was: nothing doubles, nothing is new
    assert marks(first) == []
    assert len(lenet(server, page)) == 6

    edit(page, 1, FIRST.replace("conv2d 8 5 relu padding=2", "conv2d 8 3 relu padding=1"))
    run_cell(page, 1)
    assert marks(first)[0] == "reset"
    expect(first.locator(".jp-OutputArea")).to_contain_text("the shapes changed: conv2d")
    assert len(lenet(server, page)) == 6

    run_cell(page, 3)
    said = cell(page, 3).locator(".jp-OutputArea").inner_text()
    assert "line 3, `conv2d 8 3`" in said
    assert "expects [channels, height, width]" in said
    assert "Traceback" not in said
    assert len(lenet(server, page)) == 6
    cell(page, 3).screenshot(path=screenshots / "build_mistake.png")

    server.theme(page, "JupyterLab Dark")
    page.wait_for_timeout(1000)
    second.screenshot(path=screenshots / "build_dark.png")


def test_the_words_of_layers_are_completed(server: Lab, page: Page, watch: Watch):
    server.write("complete.ipynb", SETUP)
    server.open(page, watch, "complete.ipynb")
    server.wait_for_kernel(page)
    run_cell(page, 0)
    code = "# a comment\n%%mlbuild net --input 4\nresidual:\n    dense 4 rel"
    found = page.evaluate(
        """async code => {
            const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
            const { content } = await kernel.requestComplete({ code, cursor_pos: code.length });
            return [content.matches, content.cursor_end - content.cursor_start];
        }""",
        code,
    )
    assert found == [["relu", "relu6"], 3]


def cell(page: Page, index: int) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell").nth(index)


def marks(shown: Locator) -> list[str]:
    """The marks that are accented in a cell's table."""
    texts = shown.locator("table").first.locator("td:first-child span").all_inner_texts()
    return [text for text in texts if text in ("new", "reset")]


def ready(shown: Locator) -> None:
    shown.locator(".mlnb-graph-viewer[data-state='ready']").wait_for(timeout=60_000)


def lenet(server: Lab, page: Page) -> list[str]:
    return server.execute(page, "print(*[layer.name for layer in lenet.layers])").split()


def edit(page: Page, index: int, code: str) -> None:
    page.evaluate(
        """([index, code]) => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.widgets[index].model.sharedModel.setSource(code);
        }""",
        [index, code],
    )


def run_cell(page: Page, index: int) -> None:
    """Run one cell and wait for it."""
    page.evaluate(
        """async index => {
            const { content } = window.jupyterapp.shell.currentWidget;
            content.activeCellIndex = index;
            content.deselectAll();
            await window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        index,
    )
    Lab.wait_for_kernel(page)
