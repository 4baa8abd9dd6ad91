"""How long the monitor takes to repaint a growing curve, in Chromium without a notebook."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import Watch
from playwright.sync_api import Page, Route

from mlnb.widgets.base import STATIC

MEASURE = """
async ([held, ticks]) => {
    const { default: widget } = await import('/monitor.js');
    const listeners = [];
    const facts = { title: 'lenet', line: 'epoch 1/2', progress: 0.5, state: 'training', lr: 1e-3,
        note: '', total: null, device: 'cpu', there: 8e9, kept: [] };
    const traits = { runs: [facts], static_id: '', stands_in: '' };
    const model = {
        get: name => traits[name],
        set: (name, value) => { traits[name] = value; },
        send: () => {}, save_changes: () => {},
        on: (event, callback) => event === 'msg:custom' && listeners.push(callback), off: () => {},
    };
    const el = document.body.appendChild(document.createElement('div'));
    widget.render({ model, el });
    const value = () => 1 + Math.random();
    const noise = n => new DataView(Float32Array.from({ length: n }, value).buffer);
    const tell = (part, buffers) =>
        listeners.forEach(hear => hear({ kind: 'tick', runs: [part] }, buffers));
    const block = (first, count) => ({ per: 1, first, count, series: { loss: [0] } });
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
    tell({ whole: true, generation: 0, from: 0, to: held, block: block(1, held) }, [noise(held)]);
    await frame();
    await frame();
    const took = [];
    for (let at = held; at < held + 100 * ticks; at += 100) {
        const part = { generation: 0, from: at, to: at + 100, block: block(at + 1, 100) };
        const buffers = [noise(100)];
        const paint = requestAnimationFrame;
        let spent = 0;
        window.requestAnimationFrame = callback => paint(now => {
            const began = performance.now();
            callback(now);
            spent += performance.now() - began;
        });
        const began = performance.now();
        tell(part, buffers);
        spent += performance.now() - began;
        window.requestAnimationFrame = paint;
        await frame();
        took.push(spent);
    }
    took.sort((a, b) => a - b);
    const { points } = el.querySelector('.mlnb-curves').dataset;
    return [took[ticks >> 1], took[Math.floor(0.95 * ticks)], Number(points)];
}
"""


@pytest.mark.parametrize(("held", "bound"), [(100_000, 33), (1_000_000, 150)])
def test_a_repaint_is_quick(page: Page, watch: Watch, screenshots: Path, held: int, bound: float):
    body = '<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="/m.css">'
    files = {
        "/": (body.encode(), "text/html"),
        "/monitor.js": ((STATIC / "training_monitor.js").read_bytes(), "text/javascript"),
        "/m.css": ((STATIC / "training_monitor.css").read_bytes(), "text/css"),
    }

    def serve(route: Route) -> None:
        body, kind = files["/" + route.request.url.removeprefix("http://monitor.test/")]
        route.fulfill(body=body, content_type=kind)

    watch.home = "monitor.test"
    page.route("http://monitor.test/**", serve)
    page.goto("http://monitor.test/")
    median, p95, points = page.evaluate(MEASURE, [held, 60])
    print(f"\n{points:,} points: median {median:.1f} ms, p95 {p95:.1f} ms")
    page.screenshot(path=screenshots / f"monitor_{held}.png")
    assert points >= held
    assert p95 <= bound
