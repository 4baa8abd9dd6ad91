import { expect, test } from "vitest";
import { anchor, centreOn, clamp, firstLook, fit, pan, reveal, toScene, toScreen, zoomAt, ZOOM } from "../src/graph_viewer/camera";

const view = { width: 700, height: 460 };

test("zooming keeps what is under the pointer there", () => {
  const before = { x: 40, y: 70, scale: 0.8 };
  const point = toScene(before, 300, 200);
  const after = zoomAt(before, 300, 200, 1.25);
  expect(after.scale).toBeCloseTo(1);
  expect(toScreen(after, ...point)).toEqual([expect.closeTo(300), expect.closeTo(200)]);
});

test("zoom has ends", () => {
  expect(zoomAt({ x: 0, y: 0, scale: 1 }, 0, 0, 1000).scale).toBe(ZOOM.most);
  expect(zoomAt({ x: 0, y: 0, scale: 1 }, 0, 0, 0).scale).toBe(ZOOM.least);
});

test("panning moves by screen pixels", () => {
  expect(pan({ x: 0, y: 0, scale: 0.5 }, 10, -20)).toEqual({ x: 20, y: -40, scale: 0.5 });
});

test("fit shows all, and enlarges nothing", () => {
  const small = fit({ width: 100, height: 100 }, view);
  expect(small.scale).toBe(1);
  expect(toScreen(small, 50, 50)).toEqual([350, 230]);
  const tall = fit({ width: 200, height: 9000 }, view);
  expect(toScreen(tall, 0, 9000)[1]).toBeLessThanOrEqual(460);
});

test("the first look at a long graph is its beginning, readable", () => {
  const camera = firstLook({ width: 300, height: 9000 }, { x: 100, y: 16, width: 100, height: 38 }, view);
  expect(camera.scale).toBe(ZOOM.comfortable);
  expect(camera.y).toBe(0);
  expect(toScreen(camera, 150, 0)[0]).toBeCloseTo(350);
});

test("the first look at a wide graph is at its first box", () => {
  const camera = firstLook({ width: 90000, height: 900 }, { x: 5000, y: 16, width: 100, height: 38 }, view);
  expect(camera.scale).toBe(ZOOM.readable);
  expect(toScreen(camera, 5050, 0)[0]).toBeCloseTo(350);
});

test("revealing moves no more than it must", () => {
  const camera = { x: 0, y: 0, scale: 1 };
  expect(reveal(camera, { x: 100, y: 100, width: 100, height: 38 }, view)).toEqual(camera);
  expect(reveal(camera, { x: 100, y: 600, width: 100, height: 38 }, view)).toEqual({ x: 0, y: 600 + 38 + 16 - 460, scale: 1 });
  expect(reveal(camera, { x: -50, y: 100, width: 100, height: 38 }, view).x).toBe(-66);
});

test("a frame that is in view already, but larger than the view, stays put", () => {
  const camera = { x: 0, y: 0, scale: 1 };
  expect(reveal(camera, { x: 100, y: 100, width: 100, height: 5000 }, view)).toEqual(camera);
});

test("centring zooms in as far as text needs", () => {
  const camera = centreOn({ x: 0, y: 0, scale: 0.1 }, { x: 1000, y: 1000, width: 100, height: 40 }, view);
  expect(camera.scale).toBe(ZOOM.readable);
  expect(toScreen(camera, 1050, 1020)).toEqual([expect.closeTo(350), expect.closeTo(230)]);
});

test("an anchored box stays where it is on the screen", () => {
  const before = { x: 10, y: 20, scale: 0.7 };
  const after = anchor(before, { x: 100, y: 200 }, { x: 340, y: 260 });
  expect(toScreen(after, 340, 260)).toEqual(toScreen(before, 100, 200));
});

test("one cannot lose the graph", () => {
  const far = clamp({ x: 99999, y: -99999, scale: 1 }, { width: 300, height: 500 }, view);
  expect(toScreen(far, 300, 0)[0]).toBe(64);
  expect(toScreen(far, 0, 0)[1]).toBe(460 - 64);
});
