"""The graph viewer in a bare page, with a clock: first picture, folds, panning, key strokes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from random import Random
from typing import Any, NamedTuple

from playwright.sync_api import Page

from mlnb.graph.graph import Graph
from mlnb.graph.payload import graph_payload, pack

Tree = dict[str, Any]


def viewer_state(graph: Graph, title: str) -> dict[str, Any]:
    """The traits of a viewer that shows `graph` alone."""
    return {
        "payload": pack(graph_payload(graph)),
        "selected": "",
        "title": title,
        "facts": "",
        "rows": [],
        "feed": "",
        "height": 460,
        "status": "",
        "readable": False,
        "static_id": "",
    }


def first_picture_ms(page: Page) -> float:
    """Start the widget of the page; milliseconds from its `render` to the first drawn frame."""
    page.evaluate("window.start()")
    page.locator(".mlnb[data-state='ready']").wait_for()
    return page.evaluate(
        "performance.measure('first', 'mlnb-render', 'mlnb-first-picture').duration"
    )


class Opened(NamedTuple):
    """How long one group took from the key stroke to the drawn frame."""

    ms: float
    group: str


def opening_ms(page: Page, graph: Graph, wanted: Collection[str] | None = None) -> list[Opened]:
    """Open and close the groups one by one, by the keyboard, with the groups around them open."""
    tree = graph_payload(graph)["graphs"][0]["tree"]
    plan = [step for step in _walk(tree) if wanted is None or step[1] in wanted]
    return [Opened(*row) for row in page.evaluate(OPENING, plan)]


def sampled_groups(graph: Graph, count: int) -> set[str]:
    """About `count` groups drawn by lot, each with those around it."""
    paths = list(_paths(graph_payload(graph)["graphs"][0]["tree"]))
    drawn = Random(1).sample(paths, min(count, len(paths)))
    return {group for path in drawn for group in path}


def _walk(tree: Tree) -> Iterator[tuple[str, str, bool]]:
    for child in tree["children"]:
        if isinstance(child, dict):
            yield "open", child["id"], child["open"]
            yield from _walk(child)
            yield "close", child["id"], child["open"]


def _paths(tree: Tree, around: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for child in tree["children"]:
        if isinstance(child, dict):
            yield (path := (*around, child["id"]))
            yield from _paths(child, path)


# The frame after the new layout is drawn before a callback that is registered after it.
OPENING = """async plan => {
    const root = document.querySelector('.mlnb');
    const canvas = root.querySelector('canvas.mlnb-graph');
    const frame = () => new Promise(requestAnimationFrame);
    const drawn = () => new Promise(done => {
        const watch = new MutationObserver(() => {
            watch.disconnect();
            requestAnimationFrame(() => done(performance.now()));
        });
        watch.observe(root, {attributes: true, attributeFilter: ['data-boxes']});
    });
    const toggle = async id => {
        if (model.get('selected') !== id) window.receive({kind: 'focus', id});
        while (model.get('selected') !== id) await frame();
        await frame();
        const done = drawn();
        const start = performance.now();
        canvas.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
        return await done - start;
    };
    const times = [];
    for (const [act, id, atFirst] of plan) {
        if (act === 'close' && !atFirst) await toggle(id);
        if (act !== 'open') continue;
        if (atFirst) await toggle(id);
        times.push([await toggle(id), id]);
    }
    return times;
}"""


def panning_ms(page: Page, frames: int = 60) -> list[float]:
    """The work of each frame while the wheel pans back and forth over the whole graph."""
    page.keyboard.press("Escape")
    page.locator("canvas.mlnb-graph").press("0")
    return page.evaluate(PANNING, frames)


# Callbacks of a frame run in the order of their registration: the clock stands on both sides.
# Reading a pixel back waits until the frame is painted, which is otherwise put off.
PANNING = """async frames => {
    const canvas = document.querySelector('canvas.mlnb-graph');
    canvas.focus();
    const pen = canvas.getContext('2d');
    const times = [];
    for (let i = 0; i < frames; i++) {
        let start = 0;
        await new Promise(done => {
            requestAnimationFrame(() => { start = performance.now(); });
            const deltaY = i % 20 < 10 ? 24 : -24;
            canvas.dispatchEvent(new WheelEvent('wheel', {deltaY, deltaX: 7, bubbles: true}));
            requestAnimationFrame(() => {
                pen.getImageData(0, 0, 1, 1);
                times.push(performance.now() - start);
                done();
            });
        });
    }
    return times;
}"""


def typing_ms(page: Page, word: str) -> list[float]:
    """The work of each key stroke in the search field, after a click into it."""
    page.locator(".mlnb-search input").click()
    return page.evaluate(TYPING, word)


TYPING = """word => Array.from(word, (_, i) => {
    const input = document.querySelector('.mlnb-search input');
    input.value = word.slice(0, i + 1);
    const start = performance.now();
    input.dispatchEvent(new InputEvent('input', {bubbles: true}));
    return performance.now() - start;
})"""


def heap_mb(page: Page) -> float:
    """Megabytes that the page's scripts hold after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return found["JSHeapUsedSize"] / 1e6
