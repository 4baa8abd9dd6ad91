"""What a person does in JupyterLab and Notebook 7, in words: open, run, save, reopen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from nbformat.sign import NotebookNotary
from playwright.sync_api import ConsoleMessage, Page, Request

# Said by Notebook 7 for a plain notebook without a line of ours, too; each was seen.
NOT_OURS = (
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered.",
)


@dataclass
class Watch:
    """Records dialogs, console errors and requests that leave the page's own server."""

    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    home: str = ""
    ignored: tuple[str, ...] = ()  # what the browser says by itself in this one test

    def attach(self, page: Page) -> None:
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._error(str(error)))
        page.on("request", self._request)

    def check(self) -> None:
        assert self.dialogs == []
        assert self.errors == []
        assert self.requests == []

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
        """Open a notebook in JupyterLab and wait until its cells are there."""
        watch.home = urlsplit(self.url).netloc
        page.goto(f"{self.url}/lab/tree/{name}?token={self.token}&reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)

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
