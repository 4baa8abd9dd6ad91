import { expect, test } from "vitest";
import { panned, toMap, toScreen, WHOLE, zoomed } from "../src/embedding_map/camera";
import { legendOf } from "../src/embedding_map/legend";
import { paintPoints, pixelOf, stampOf } from "../src/embedding_map/paint_points";
import { radiusOf } from "../src/embedding_map/painter";
import { ramp } from "../src/embedding_map/palette";
import { NOWHERE, PointIndex, UNIT } from "../src/embedding_map/point_index";
import { Tip } from "../src/embedding_map/tip";

const size = { width: 300, height: 200, spanX: 1, spanY: 1 };
const WHITE = 0xffffffff;
const RED = pixelOf([255, 0, 0]);

/** Points at these places, 0 to 1; null: no place. */
function indexOf(...places: ([number, number] | null)[]): PointIndex {
  return new PointIndex(Uint16Array.from(places.flatMap((place) => (place ? place.map((v) => Math.round(v * UNIT)) : [NOWHERE, NOWHERE]))));
}

function painted(places: PointIndex, camera = WHOLE): Uint32Array {
  const pixels = new Uint32Array(size.width * size.height).fill(WHITE);
  const scene = { points: places.points, codes: new Uint8Array(places.count), palette: Uint32Array.of(RED), camera };
  paintPoints(pixels, size, scene, stampOf(2, 1), new Uint8Array(places.count), 0);
  return pixels;
}

test("a place on the map and on the screen are the same place, however near one looks", () => {
  for (const camera of [WHOLE, { x: 0.2, y: 0.9, zoom: 7 }]) {
    const [px, py] = toScreen(camera, size, 0.3, 0.8);
    const [x, y] = toMap(camera, size, px, py);
    expect(x).toBeCloseTo(0.3);
    expect(y).toBeCloseTo(0.8);
  }
  expect(toScreen(WHOLE, size, 0.5, 1)[1]).toBeLessThan(toScreen(WHOLE, size, 0.5, 0)[1]);
});

test("what lies under the pointer stays there when one zooms, and moves with it when one drags", () => {
  const before = toMap(WHOLE, size, 60, 40);
  const near = zoomed(WHOLE, size, 60, 40, 3);
  expect(toMap(near, size, 60, 40)[0]).toBeCloseTo(before[0]);
  const moved = panned(near, size, 25, -10);
  expect(toMap(moved, size, 85, 30)[0]).toBeCloseTo(before[0]);
  expect(zoomed(WHOLE, size, 0, 0, 1e9).zoom).toBe(200);
});

test("a wide map fills the width", () => {
  const wide = { width: 400, height: 100, spanX: 1, spanY: 0.25 };
  expect(toScreen(WHOLE, wide, 1, 0.5)[0] - toScreen(WHOLE, wide, 0, 0.5)[0]).toBeCloseTo(368);
});

test("the nearest point is found within reach, and none beyond it", () => {
  const index = indexOf([0.1, 0.1], [0.5, 0.5], null, [0.52, 0.5]);
  expect(index.nearest(0.515, 0.5, 0.05)).toBe(3);
  expect(index.nearest(0.3, 0.3, 0.05)).toBe(-1);
  expect(index.nearest(0, 0, 0.2)).toBe(0);
});

test("the nearest of many is the nearest", () => {
  const random = Array.from({ length: 3000 }, (_, i): [number, number] => [((i * 7919) % 1000) / 1000, ((i * 104729) % 997) / 997]);
  const index = indexOf(...random);
  for (const [x, y] of [[0.31, 0.77], [0, 1], [0.999, 0.001]] as const) {
    const distance = (i: number) => (index.x(i) - x) ** 2 + (index.y(i) - y) ** 2;
    const best = Math.min(...random.map((_, i) => distance(i)));
    expect(distance(index.nearest(x, y, 0.1))).toBeCloseTo(best, 9);
  }
});

test("a box and a lasso hold what lies inside them", () => {
  const index = indexOf([0.1, 0.1], [0.9, 0.1], [0.5, 0.5], [0.1, 0.9], null);
  expect(index.inBox(0.6, 0.6, 0, 0).sort()).toEqual([0, 2]);
  expect(index.inBox(-5, -5, 5, 5)).toHaveLength(4);
  expect(index.inLasso([0, 0, 0.8, 0, 0, 0.8])).toEqual([0]);
  expect(index.inLasso([0, 0, 0.3, 0, 0.3, 0.3, 0, 0.3])).toEqual([0]);
  expect(index.inLasso([0.1, 0.1, 0.2, 0.2])).toEqual([]);
});

test("a lasso that is not convex leaves out what lies in its bay", () => {
  const index = indexOf([0.5, 0.8], [0.2, 0.5], [0.8, 0.5]);
  const horseshoe = [0, 0, 1, 0, 1, 1, 0.7, 1, 0.7, 0.3, 0.3, 0.3, 0.3, 1, 0, 1];
  expect(index.inLasso(horseshoe).sort()).toEqual([1, 2]);
});

test("a point is painted where the camera puts it, and none without a place", () => {
  const pixels = painted(indexOf([0, 0], [1, 1], [0.5, 0.5], null));
  const [x, y] = toScreen(WHOLE, size, 0.5, 0.5).map(Math.round) as [number, number];
  expect(pixels[y * size.width + x]).toBe(RED);
  expect(pixels[0]).toBe(WHITE);
  const whole = stampOf(2, 1).cover.filter((cover) => cover === 256).length;
  expect(pixels.filter((pixel) => pixel === RED)).toHaveLength(3 * whole);
});

test("points at and beyond the edge paint inside the picture only", () => {
  const near = { x: 0, y: 1, zoom: 50 };
  const pixels = painted(indexOf([0, 1], [1, 0], [0.2, 0.9], [0.0163, 1]), near);
  expect(pixels.some((pixel) => pixel === RED)).toBe(true);
  expect(pixels).toHaveLength(size.width * size.height);
});

test("half covered is half the colour", () => {
  const pixels = new Uint32Array(1).fill(WHITE);
  const one = { width: 1, height: 1, spanX: 1, spanY: 1 };
  const half = { radius: 0, dx: Int8Array.of(0), dy: Int8Array.of(0), cover: Uint16Array.of(128) };
  const scene = { points: Uint16Array.of(UNIT / 2, UNIT / 2), codes: Uint8Array.of(0), palette: Uint32Array.of(RED), camera: { x: 0.5, y: 0.5, zoom: 1 } };
  paintPoints(pixels, one, { ...scene, camera: { x: 1, y: 0, zoom: 1 } }, half, Uint8Array.of(0), 0);
  expect(pixels[0]! & 0xff).toBe(0xff);
  expect((pixels[0]! >>> 8) & 0xff).toBeGreaterThan(125);
  expect((pixels[0]! >>> 8) & 0xff).toBeLessThan(130);
});

test("points are smaller the more there are", () => {
  expect(radiusOf(10, 1)).toBe(5);
  expect(radiusOf(1e5, 1)).toBeLessThan(1.6);
  expect(radiusOf(1e5, 30)).toBeGreaterThan(radiusOf(1e5, 1));
});

test("the ramp goes from dark to bright", () => {
  expect(ramp(0)).toEqual([0x44, 0x01, 0x54]);
  expect(ramp(1)[0]).toBeGreaterThan(250);
});

test("the legend's names are text, and a click chooses the group", () => {
  const chosen: unknown[] = [];
  const name = "<script>alert(1)</script>\u202e";
  const legend = legendOf({ column: "label", kind: "groups", groups: [{ name, code: 3, count: 12 }] }, [], (code, add) => chosen.push([code, add]));
  const one = legend.querySelector("button")!;
  expect(one.textContent).toContain("<script>alert(1)</script>\\u202e");
  expect(legend.querySelector("script")).toBeNull();
  one.dispatchEvent(new MouseEvent("click", { shiftKey: true }));
  expect(chosen).toEqual([[3, true]]);
});

test("the tip says a text as text, on the side where there is room", () => {
  const tip = new Tip();
  tip.show({ row: 1, name: "", text: "<b>good</b>\u202e", lines: ["label: x"] }, undefined, 280, 190, 300, 200);
  expect(tip.element.querySelector("b")).toBeNull();
  expect(tip.element.textContent).toContain("<b>good</b>\\u202e");
  expect([tip.element.style.left, tip.element.style.right]).toEqual(["", "34px"]);
  tip.hide();
  expect(tip.element.hidden).toBe(true);
});
