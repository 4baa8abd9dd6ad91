"""What a person does in JupyterLab and Notebook 7, in words: open, run, save, reopen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
from nbformat.sign import NotebookNotary
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Request,
)

# Said by Notebook 7 for a plain notebook without a line of ours, too; each was seen.
NOT_OURS = (
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered.",
)

CLEAR = """() => {
    if (!window.jupyterapp?.name.startsWith('JupyterLab')) return;
    for (const widget of [...window.jupyterapp.shell.widgets('main')]) widget.dispose();
    window.mlnbCleared = true;
}"""
OPEN_HERE = """async path => {
    window.mlnbCleared = false;
    const { commands, shell } = window.jupyterapp;
    const opened = await commands.execute('docmanager:open', { path });
    for (const other of [...shell.widgets('main')]) if (other !== opened) other.dispose();
}"""


@dataclass
class Watch:
    """Records dialogs, console errors and requests that leave the page's own server."""

    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    home: str = ""
    ignored: tuple[str, ...] = ()  # what the browser says by itself in this one test

    def attach(self, page: Page) -> None:
        for event, hear in self._listeners().items():
            page.on(event, hear)

    def detach(self, page: Page) -> None:
        for event, hear in self._listeners().items():
            page.remove_listener(event, hear)

    def check(self) -> None:
        assert self.dialogs == []
        assert self.errors == []
        assert self.requests == []

    def _listeners(self) -> dict[str, Callable[[Any], None]]:
        return {
            "dialog": self._dialog,
            "console": self._console,
            "pageerror": self._page_error,
            "request": self._request,
        }

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _page_error(self, error: Error) -> None:
        self._error(str(error))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._error(f"{message.text} ({message.location.get('url', '')})")

    def _error(self, text: str) -> None:
        if not any(known in text for known in (*NOT_OURS, *self.ignored)):
            self.errors.append(text)

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.netloc != self.home:
            self.requests.append(request.url)


class Desk:
    """A page that is kept from test to test, as a new one finds it: its size and its rights."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._context: BrowserContext | None = None

    def page(self) -> Page:
        """The page; a new one after `close`."""
        if self._context is None:
            self._context = self._browser.new_context()
            self._context.new_page()
        self._context.clear_permissions()
        self._context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = self._context.pages[0]
        page.set_viewport_size({"width": 1400, "height": 1000})
        return page

    def close(self) -> None:
        """Forget the page and all that it holds."""
        if self._context is not None:
            self._context.close()
            self._context = None


@dataclass(frozen=True)
class Lab:
    """A running server and the folder that it shows."""

    url: str
    token: str
    root: Path

    def write(self, name: str, *cells: str, kernel: bool = True) -> Path:
        """A notebook of code cells in the served folder."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        if kernel:
            notebook.metadata["kernelspec"] = {
                "name": "python3",
                "display_name": "Python 3",
                "language": "python",
            }
        path = self.root / name
        nbformat.write(notebook, path)
        return path

    def sign(self, path: Path) -> None:
        """Trust a notebook as its author does, with this server's own secret."""
        notary = NotebookNotary(data_dir=str(self.root.parent / "data"))
        notary.sign(nbformat.read(path, as_version=4))

    def open(self, page: Page, watch: Watch, name: str) -> None:
        """Open a notebook and wait until its cells are there.

        Where JupyterLab stands cleared it is opened in there; else JupyterLab is loaded anew, so
        that what a test opens for the second time is opened as by somebody who comes back.
        """
        watch.home = urlsplit(self.url).netloc
        if page.evaluate("window.mlnbCleared === true"):
            page.evaluate(OPEN_HERE, name)
        else:
            page.goto(f"{self.url}/lab/tree/{name}?token={self.token}&reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)

    @staticmethod
    def clear(page: Page) -> None:
        """Close every document unsaved; does nothing in a page that is no JupyterLab."""
        page.evaluate(CLEAR)

    def open_notebook_7(self, page: Page, watch: Watch, name: str) -> None:
        """Open a notebook in Notebook 7."""
        watch.home = urlsplit(self.url).netloc
        page.goto(f"{self.url}/notebooks/{name}?token={self.token}")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)

    @staticmethod
    def wait_for_kernel(page: Page) -> None:
        """Wait until the notebook's kernel answers."""
        page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
            " === 'idle'",
            timeout=60_000,
        )

    def run_all(self, page: Page, timeout: float = 120_000) -> None:
        """Run every cell and wait for the last one."""
        self.wait_for_kernel(page)
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(
            """() => {
                const cells = window.jupyterapp.shell.currentWidget.content.widgets
                    .filter(cell => cell.model.type === 'code' && cell.model.sharedModel.source);
                return cells.every(cell => cell.model.executionCount !== null);
            }""",
            timeout=timeout,
        )
        self.wait_for_kernel(page)

    @staticmethod
    def execute(page: Page, code: str) -> str:
        """Run code in the notebook's kernel, in no cell, and return what it prints."""
        return page.evaluate(
            """async code => {
                const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
                const future = kernel.requestExecute({ code });
                let printed = '';
                future.onIOPub = ({ header, content }) => {
                    if (header.msg_type === 'stream') printed += content.text;
                };
                const { content } = await future.done;
                if (content.status !== 'ok') throw new Error(`${content.ename}: ${content.evalue}`);
                return printed;
            }""",
            code,
        )

    @staticmethod
    def start_cell(page: Page, code: str) -> None:
        """Start code in the notebook's kernel as a cell does, and do not wait for it."""
        page.evaluate(
            """code => {
                const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
                window.running = { done: false };
                kernel.requestExecute({ code }).done.finally(() => (window.running.done = true));
            }""",
            code,
        )

    @staticmethod
    def save(page: Page) -> None:
        """Save the notebook, as Ctrl+S does."""
        page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")

    @staticmethod
    def theme(page: Page, name: str) -> None:
        """Switch to `JupyterLab Light` or `JupyterLab Dark`."""
        page.evaluate(
            "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})",
            name,
        )
        light = str("Light" in name).lower()
        page.locator(f"body[data-jp-theme-light='{light}']").wait_for(state="attached")
        page.locator("#jupyterlab-splash").wait_for(state="detached")
