"""A bare page that shows whole widgets by `@jupyter-widgets/html-manager`: no Jupyter, no kernel.

This is how an exported page, a documentation site or nbviewer shows a widget: its state stands in
the page, nothing answers its messages, and `widget_manager` has no `kernel`. The manager's own
scripts are those of npm, served from js/node_modules; anywidget's is the one in its wheel.
"""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from ipywidgets import Widget
from ipywidgets.embed import dependency_state, embed_data
from playwright.sync_api import Page, Route

MODULES = Path(__file__).parents[2] / "js" / "node_modules"
ORIGIN = "http://exported.test"
HOST = "exported.test"

PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<body style="margin:0;width:{width}px">
<script src="/require.js"></script>
<script>requirejs.config({{baseUrl: "/", paths: {{anywidget: "/anywidget"}}}});</script>
<script src="/embed-amd.js"></script>
<script type="application/vnd.jupyter.widget-state+json">{state}</script>
{views}
</body>"""
VIEW = '<script type="application/vnd.jupyter.widget-view+json">{spec}</script>'


def show(page: Page, *widgets: Widget, width: int = 1000, policy: str = "") -> None:
    """Open a page of these widgets.

    Args:
        page: of Chromium.
        widgets: whole, as Python made them.
        width: of the page's column, in pixels.
        policy: a Content-Security-Policy to serve the page with.
    """
    files = _scripts()
    data = embed_data(views=list(widgets), state=dependency_state(list(widgets)))
    document = PAGE.format(
        width=width,
        state=_script_text(data["manager_state"]),
        views="".join(VIEW.format(spec=_script_text(spec)) for spec in data["view_specs"]),
    )

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).lstrip("/")
        if path == "":
            headers = {"Content-Security-Policy": policy} if policy else {}
            route.fulfill(body=document, content_type="text/html", headers=headers)
        elif path in files:
            route.fulfill(path=files[path])
        else:
            route.fulfill(status=404)

    page.route(f"{ORIGIN}/**", serve)
    page.goto(f"{ORIGIN}/")


def _scripts() -> dict[str, Path]:
    """The scripts by address; where npm has not brought them, a skip, and in CI a failure."""
    spec = find_spec("anywidget")
    assert spec is not None
    assert spec.origin is not None
    files = {
        "require.js": MODULES / "requirejs" / "require.js",
        "embed-amd.js": MODULES / "@jupyter-widgets" / "html-manager" / "dist" / "embed-amd.js",
        "anywidget.js": Path(spec.origin).parent / "nbextension" / "index.js",
    }
    missing = [file.name for file in files.values() if not file.is_file()]
    if missing:
        message = f"{', '.join(missing)} not there; run: make js"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return files


def _script_text(value: object) -> str:
    return json.dumps(value).replace("<", "\\u003c")
