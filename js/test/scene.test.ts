import { expect, test } from "vitest";
import { LayoutClient } from "../src/graph_viewer/layout_client";
import { fitText, type Measure } from "../src/graph_viewer/measure";
import { neighbour } from "../src/graph_viewer/navigate";
import { headerWidth, hit, placeScene, type Scene } from "../src/graph_viewer/scene";
import { touching } from "../src/graph_viewer/touching";
import { visible } from "../src/graph_viewer/visible";
import { boxWords } from "../src/graph_viewer/words";
import { chain, modelOf, type Sketch } from "./fixtures";

const measure: Measure = (text, size) => text.length * size * 0.6;
const nameWidth = (frame: Parameters<typeof headerWidth>[0]) => headerWidth(frame, measure);

function scene(sketch: Sketch, open: string[] = []): Promise<Scene> {
  return placeScene(visible(modelOf(sketch), new Set(open), false), new LayoutClient(), measure);
}

test("an open frame holds its boxes, and lines meet at its edges", async () => {
  const placed = await scene(chain, ["layer/"]);
  const frame = placed.byId.get("layer/")!;
  for (const id of ["b", "c"]) {
    const box = placed.byId.get(id)!;
    expect(box.x).toBeGreaterThan(frame.x);
    expect(box.y).toBeGreaterThan(frame.y + 24);
    expect(box.x + box.width).toBeLessThan(frame.x + frame.width);
    expect(box.y + box.height).toBeLessThan(frame.y + frame.height);
  }
  const outside = placed.edges.find(({ segment }) => segment.to.box === frame.box)!;
  const inside = placed.edges.find(({ segment }) => segment.from.side === "in" && segment.from.box === null)!;
  expect(outside.points.slice(-2)).toEqual(inside.points.slice(0, 2));
});

test("a box lights its own lines, an open frame those that cross it", async () => {
  const lit = async (id: string, open: string[]) => {
    const placed = await scene(chain, open);
    const ends = [...touching(placed, placed.byId.get(id)!.box)].map(({ from, to }) => `${from.box?.id ?? "port"} > ${to.box?.id ?? "port"}`);
    return ends.sort();
  };
  expect(await lit("c", ["layer/"])).toEqual(["b > c", "c > port", "layer/ > d"]);
  expect(await lit("layer/", ["layer/"])).toEqual(["a > layer/", "c > port", "layer/ > d", "port > b"]);
  expect(await lit("layer/", [])).toEqual(["a > layer/", "layer/ > d"]);
});

test("a click finds the innermost box, and the part that opens or closes it", async () => {
  const closed = await scene(chain);
  const stack = closed.byId.get("layer/")!;
  expect(hit(closed, stack.x + 4, stack.y + 4, nameWidth)).toEqual({ placed: stack, fold: false });
  expect(hit(closed, stack.x + stack.width - 4, stack.y + 4, nameWidth)!.fold).toBe(true);
  expect(hit(closed, -50, -50, nameWidth)).toBeNull();
  const open = await scene(chain, ["layer/"]);
  const frame = open.byId.get("layer/")!;
  expect(hit(open, frame.x + 14, frame.y + 12, nameWidth)!.fold).toBe(true);
  expect(hit(open, frame.x + 4, frame.y + frame.height - 4, nameWidth)).toEqual({ placed: frame, fold: false });
  const b = open.byId.get("b")!;
  expect(hit(open, b.x + 4, b.y + 4, nameWidth)!.placed).toBe(b);
});

test("arrows walk along the edges, between neighbours, and into an open frame", async () => {
  const placed = await scene(chain, ["layer/"]);
  const walk = (from: string | null, ...directions: ("up" | "down" | "left" | "right")[]) =>
    directions.reduce((at, direction) => neighbour(placed, at, direction) ?? at, from === null ? null : placed.byId.get(from)!)?.box.id;
  expect(walk(null, "down")).toBe("in:x");
  expect(walk("in:x", "down")).toBe("a");
  expect(walk("layer/", "down")).toBe("b");
  expect(walk("c", "up")).toBe("b");
  expect(walk("layer/", "up")).toBe("a");
  expect(walk("out:y", "down")).toBe("out:y");
});

test("neighbours of a level are left and right", async () => {
  const nodes = [{ id: "a", op: "Relu", in: ["x"] }, { id: "b", op: "Relu", in: ["x"] }];
  const placed = await scene({ inputs: ["x"], nodes });
  const [left, right] = [placed.byId.get("a")!, placed.byId.get("b")!].sort((p, q) => p.x - q.x);
  expect(neighbour(placed, left!, "right")).toBe(right);
  expect(neighbour(placed, right!, "left")).toBe(left);
  expect(neighbour(placed, left!, "left")).toBeNull();
});

test("the shape is written once for what one box hands on", async () => {
  const placed = await scene(chain);
  expect(placed.edges.filter(({ label }) => label?.text === "1×8×4×4").length).toBe(1);
});

test("a long name is clipped to its box, a short one is not", () => {
  expect(fitText(measure, "conv1", 200, 12)).toBe("conv1");
  const clipped = fitText(measure, "😀".repeat(300), 100, 12);
  expect(clipped.endsWith("…")).toBe(true);
  expect(measure(clipped, 12)).toBeLessThanOrEqual(100);
  expect(clipped).not.toMatch(/\ud83d(?!\ude00)/);
});

test("a box is said in words", async () => {
  const closed = await scene(chain);
  expect(boxWords(closed.byId.get("layer/")!.box)).toBe("layer, Conv · Relu, group of 2 operations, closed. Enter opens it.");
  expect(boxWords(closed.byId.get("in:x")!.box)).toBe("input, x · float32.");
  expect(boxWords((await scene(chain, ["layer/"])).byId.get("layer/")!.box)).toContain("open. Enter closes it.");
});

test("where the worker breaks down, the page answers what it was asked", async () => {
  const posted: unknown[] = [];
  let broken: LayoutClient | null = null;
  const client = new LayoutClient((made) => {
    broken = made;
    return { post: (request) => void posted.push(request), close: () => {} };
  });
  const answer = placeScene(visible(modelOf(chain), new Set(), false), client, measure);
  expect(posted.length).toBe(1);
  broken!.fallBack();
  expect((await answer).boxes.length).toBe(5);
});

test("five thousand boxes without a fold are placed in a few seconds at most", async () => {
  const nodes = Array.from({ length: 5000 }, (_, i) => ({ id: `n${i}`, op: "Relu", in: [`v${i}`, `v${Math.max(0, i - 7)}`], out: [`v${i + 1}`] }));
  const placed = await scene({ inputs: ["v0"], nodes });
  expect(placed.boxes.length).toBe(5001);
});
