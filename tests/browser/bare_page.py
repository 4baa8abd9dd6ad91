"""A bare page that shows one widget without Jupyter: the bundle, its traits, what it sends."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

STATIC = Path(__file__).parents[2] / "mlnb" / "widgets" / "static"
ORIGIN = "http://bare.test"

PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/{name}.css">
<link rel="icon" href="data:,"><body style="margin:0;width:{width}px"><div id="widget"></div>
<script type="module">
import widget from "/{name}.js";
const state = {state};
for (const key of {binary}) {{
  state[key] = new DataView(Uint8Array.from(atob(state[key]), c => c.charCodeAt(0)).buffer);
}}
const listeners = {{}};
window.sent = [];
window.model = {{
  get: key => state[key],
  set: (key, value) => {{
    state[key] = value;
    (listeners["change:" + key] ?? []).forEach(f => f());
  }},
  on: (event, f) => (listeners[event] ??= []).push(f),
  off: (event, f) => {{ listeners[event] = (listeners[event] ?? []).filter(g => f && g !== f); }},
  save_changes: () => {{}},
  send: content => window.sent.push(content),
}};
window.receive = message => (listeners["msg:custom"] ?? []).forEach(f => f(message, []));
window.start = async () => {{
  const el = document.getElementById("widget");
  window.close = await widget.render({{ model: window.model, el }});
}};
{start}
</script>"""


def show(page: Page, name: str, state: dict[str, Any], *, width: int = 1000, start: bool = True):
    """Open the widget `name` with these traits; bytes cross as a DataView, as in Jupyter."""
    binary = [key for key, value in state.items() if isinstance(value, bytes)]
    plain = {k: base64.b64encode(v).decode() if k in binary else v for k, v in state.items()}
    document = PAGE.format(
        name=name,
        width=width,
        state=json.dumps(plain).replace("<", "\\u003c"),
        binary=json.dumps(binary),
        start="window.start();" if start else "",
    )

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).lstrip("/")
        if path == "":
            route.fulfill(body=document, content_type="text/html")
        else:
            route.fulfill(path=STATIC / path)

    page.route(f"{ORIGIN}/**", serve)
    page.goto(f"{ORIGIN}/")
