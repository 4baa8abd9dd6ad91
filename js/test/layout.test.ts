import { expect, test } from "vitest";
import { breakCycles } from "../src/graph_viewer/cycles";
import { dagreEngine } from "../src/graph_viewer/dagre_engine";
import { DAGRE_LIMIT, layoutLevel, type LevelLayout, type LevelSpec } from "../src/graph_viewer/layout";
import { closest, layeredEngine } from "../src/graph_viewer/layered_engine";
import { rankNodes } from "../src/graph_viewer/ranks";
import { FRAME } from "../src/graph_viewer/spacing";

const nothingInside = (): LevelLayout => {
  throw new Error("no level inside");
};

function spec(boxes: number, edges: [number, number][], inPorts = 0, outPorts = 0): LevelSpec {
  return {
    boxes: Array.from({ length: boxes }, () => ({ width: 100, height: 38, level: -1 })),
    edges: edges.map(([from, to]) => ({ from, to, fromPort: -1, toPort: -1, label: 0 })),
    inPorts, outPorts, name: 0,
  };
}

/** Deterministic "random" numbers, so that a failure comes again. */
function dice(seed: number): (sides: number) => number {
  return (sides) => (seed = (seed * 48271) % 2147483647) % sides;
}

function randomEdges(boxes: number, count: number, roll: (sides: number) => number): [number, number][] {
  const edges = new Map<string, [number, number]>();
  while (edges.size < count) {
    const [from, to] = [roll(boxes), roll(boxes)];
    if (from !== to) edges.set(`${from}>${to}`, [from, to]);
  }
  return [...edges.values()];
}

function overlaps({ boxes }: LevelLayout): string[] {
  const found: string[] = [];
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
    const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
    if (!apart) found.push(`${JSON.stringify(a)} over ${JSON.stringify(b)}`);
  }));
  return found;
}

/** No piece of a line, straight or curved, shares the inside of a box. */
function linesOverBoxes({ boxes, edges }: LevelLayout): string[] {
  const found: string[] = [];
  for (const points of edges) {
    for (let i = 2; i < points.length; i += 2) {
      const [x0, y0, x1, y1] = [points[i - 2]!, points[i - 1]!, points[i]!, points[i + 1]!];
      const [top, bottom] = [Math.min(y0, y1) + 0.01, Math.max(y0, y1) - 0.01];
      const [left, right] = [Math.min(x0, x1) + 0.01, Math.max(x0, x1) - 0.01];
      for (const box of boxes) {
        const crosses = left < box.x + box.width && box.x < right && top < box.y + box.height && box.y < bottom;
        if (crosses) found.push(`line ${[x0, y0, x1, y1]} over ${JSON.stringify(box)}`);
      }
    }
  }
  return found;
}

test("a chain stands in one column, downwards", () => {
  const { boxes, edges } = layoutLevel(spec(3, [[0, 1], [1, 2]]), nothingInside);
  expect(boxes.map((box) => box.x)).toEqual([boxes[0]!.x, boxes[0]!.x, boxes[0]!.x]);
  expect(boxes[1]!.y).toBeGreaterThan(boxes[0]!.y + boxes[0]!.height);
  expect(edges[0]!.slice(0, 2)).toEqual([boxes[0]!.x + 50, boxes[0]!.y + 38]);
  expect(edges[0]!.slice(-2)).toEqual([boxes[1]!.x + 50, boxes[1]!.y]);
});

test.each([1, 2, 3, 4, 5])("no box over another, no line over a box, cycles and skips included (%i)", (seed) => {
  const roll = dice(seed);
  const boxes = 8 + roll(24);
  const layout = layoutLevel({ ...spec(boxes, randomEdges(boxes, boxes * 2, roll)), name: FRAME.least }, nothingInside);
  expect(overlaps(layout)).toEqual([]);
  expect(linesOverBoxes(layout)).toEqual([]);
});

test("beyond dagre's limit the same holds, and it is done at once", () => {
  const boxes = DAGRE_LIMIT.boxes + 200;
  const roll = dice(7);
  const chain = Array.from({ length: boxes - 1 }, (_, i): [number, number] => [i, Math.min(boxes - 1, i + 1 + roll(3))]);
  const skips = Array.from({ length: 50 }, (): [number, number] => [roll(100), 300 + roll(200)]);
  const start = performance.now();
  const layout = layoutLevel(spec(boxes, [...chain, ...skips]), nothingInside);
  expect(performance.now() - start).toBeLessThan(1500);
  expect(overlaps(layout)).toEqual([]);
  expect(linesOverBoxes(layout)).toEqual([]);
});

test("a thousand boxes without edges do not overlap", () => {
  expect(overlaps(layoutLevel(spec(1000, []), nothingInside))).toEqual([]);
});

test("boxes without lines stand in a grid about as wide as a page, in their order", () => {
  const { width, height, boxes } = layoutLevel({ ...spec(1000, []), name: FRAME.least }, nothingInside);
  expect(width / height).toBeGreaterThan(1);
  expect(width / height).toBeLessThan(3);
  const order = boxes.map((box, i) => [box.y, box.x, i]).sort(([ay, ax], [by, bx]) => ay! - by! || ax! - bx!);
  expect(order.map(([, , i]) => i)).toEqual(boxes.map((_, i) => i));
});

test("a hundred boxes beside each other stand in several rows, and no line runs over one", () => {
  const edges = Array.from({ length: 100 }, (_, i): [number, number][] => [[0, i + 1], [i + 1, 101]]).flat();
  const layout = layoutLevel({ ...spec(102, edges), name: FRAME.least }, nothingInside);
  expect(new Set(layout.boxes.slice(1, 101).map((box) => box.y)).size).toBe(5);
  expect(layout.width).toBeLessThan(100 * 40);
  expect(overlaps(layout)).toEqual([]);
  expect(linesOverBoxes(layout)).toEqual([]);
});

test("a frame is as wide as its name, and what it holds stands in the middle", () => {
  const level = spec(1, [[1, 0], [0, 2]], 1, 1);
  const { width, boxes, inX } = layoutLevel({ ...level, name: 220 }, nothingInside);
  expect(width).toBe(220);
  expect(boxes[0]!.x).toBe(60);
  expect(inX).toEqual([110]);
});

test("lines come in at the frame's top edge and leave at its bottom edge", () => {
  const level = spec(2, [[2, 0], [0, 1], [1, 3]], 1, 1);
  const { edges, inX, outX, height, boxes } = layoutLevel({ ...level, name: FRAME.least }, nothingInside);
  expect(edges[0]!.slice(0, 2)).toEqual([inX[0], 0]);
  expect(edges[2]!.slice(-2)).toEqual([outX[0], height]);
  expect(boxes[0]!.y).toBeGreaterThanOrEqual(28);
});

test("a line to an open frame ends above its port", () => {
  const inner = layoutLevel({ ...spec(2, [[2, 0], [3, 1]], 2), name: FRAME.least }, nothingInside);
  const outer: LevelSpec = {
    boxes: [{ width: 100, height: 38, level: -1 }, { width: 0, height: 0, level: 1 }],
    edges: [{ from: 0, to: 1, fromPort: -1, toPort: 1, label: 0 }], inPorts: 0, outPorts: 0, name: 0,
  };
  const { boxes, edges } = layoutLevel(outer, () => inner);
  expect(boxes[1]).toMatchObject({ width: inner.width, height: inner.height });
  expect(edges[0]!.slice(-2)).toEqual([boxes[1]!.x + inner.inX[1]!, boxes[1]!.y]);
});

test("an edge that closes a cycle turns below its source and above its target", () => {
  const { edges, boxes } = layoutLevel(spec(2, [[0, 1], [1, 0]]), nothingInside);
  const ys = edges[1]!.filter((_, i) => i % 2 === 1);
  expect(Math.max(...ys)).toBeGreaterThan(boxes[1]!.y + boxes[1]!.height);
  expect(Math.min(...ys)).toBeLessThan(boxes[0]!.y);
});

test("breaking cycles leaves every edge that closes none as it is", () => {
  const { edges, turns } = breakCycles(3, [[0, 1], [1, 2], [2, 0]]);
  expect(turns).toBe(1);
  expect(edges.map((edge) => edge.parts)).toEqual([[[0, 1]], [[1, 2]], [[2, 3], [4, 3], [4, 0]]]);
});

test("an input stands right above its first reader, not at the far top", () => {
  const none = () => false;
  expect(rankNodes(4, [[0, 1], [1, 2], [3, 2]], none, none)).toEqual([0, 1, 2, 1]);
});

test("both engines put a rank on one line", () => {
  const task = {
    sizes: [{ width: 100, height: 38 }, { width: 80, height: 200 }, { width: 80, height: 38 }],
    edges: [[0, 1], [0, 2]] as [number, number][], ranks: [0, 1, 1],
  };
  for (const engine of [dagreEngine, layeredEngine]) {
    const { y } = engine(task);
    expect(y[1]).toBe(y[2]);
    expect(y[0]! + 19).toBeLessThan(y[1]! - 100);
  }
});

test("places nearest to their wishes keep order and distance", () => {
  expect(closest([0, 100], [0, 20])).toEqual([0, 100]);
  expect(closest([50, 50], [0, 20])).toEqual([40, 60]);
  expect(closest([10, 0, 0], [0, 10, 10])).toEqual([-20 / 3, 10 / 3, 40 / 3].map((x) => expect.closeTo(x)));
});
