"""A real JupyterLab and a real Chromium for the browser tests.

Every page records what a user must never meet: a dialog, a console error, a request that leaves the
server. `page` asserts at its end that none came.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from lab import Lab, Watch
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--use-fake-device-for-media-stream",  # a webcam, which a page must be allowed to use
]
FAILED = pytest.StashKey[bool]()
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless; its absence is a skip with a reason, and in CI a failure."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        message = "no Chromium on this machine: the browser tests did not run"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab (which serves Notebook 7 as well) on a folder of its own."""
    home = tmp_path_factory.mktemp("jupyter")
    root = home / "work"
    root.mkdir()
    overrides = home / "config" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps(SETTINGS))
    port, token = _free_port(), secrets.token_hex(16)
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    log = (home / "server.log").open("w")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"),
            *(f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True"),
        ],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        lab = Lab(f"http://localhost:{port}", token, root)
        _wait_for(f"{lab.url}/api/status?token={token}", process, home / "server.log")
        yield lab
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.fixture
def watch() -> Watch:
    """What the page did that no page of ours may do."""
    return Watch()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator:
    report = yield
    item.stash.setdefault(FAILED, report.failed)
    item.stash[FAILED] |= report.failed
    return report


@pytest.fixture
def page(
    browser: Browser, watch: Watch, request: pytest.FixtureRequest, screenshots: Path
) -> Iterator:
    """A page of 1400 x 1000, watched; of a test that fails a picture remains."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    watch.attach(page)
    yield page
    if request.node.stash.get(FAILED, False):
        page.screenshot(path=screenshots / f"failed_{request.node.name[:60].replace('/', '_')}.png")
    context.close()
    watch.check()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures of the pages are kept, to be looked at."""
    folder = Path(__file__).parents[1] / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(url, timeout=2).close()
            return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
