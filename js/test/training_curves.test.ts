import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dots, extremes, heights, line, places } from "../src/training_monitor/columns";
import { Curve, HELD, type Block } from "../src/training_monitor/curve";
import { ASK_MS, Feed, RANGE_MS, RunData } from "../src/training_monitor/feed";
import { Legend } from "../src/training_monitor/legend";
import { scene } from "../src/training_monitor/scene";
import { Smoother, SPANS, usualSpan } from "../src/training_monitor/smoothing";
import { pointsOf } from "../src/training_monitor/strips";
import { speedText, stepText } from "../src/training_monitor/words";
import widget from "../src/training_monitor/index";
import { Cleanup } from "../src/host";
import { FakeModel } from "./fixtures";

const view = (values: Iterable<number>, Kind: typeof Float32Array | typeof Uint32Array = Float32Array) =>
  new DataView(new Kind([...values]).buffer);
const steps = (first: number, values: number[]): [Block, DataView[]] =>
  [{ per: 1, first, count: values.length, series: { loss: [0] } }, [view(values)]];

function curve(values: number[], first = 1): Curve {
  const made = new Curve();
  made.append(...steps(first, values));
  return made;
}

const loss = (made: Curve) => [...made.series.get("loss")!.mean.subarray(0, made.length)];

// ------------------------------------------------------------------------------------ what is held

test("steps are appended one by one, wherever their buffer begins", () => {
  const made = curve([3, 2, 1]);
  const padded = new Float32Array([9, 9, 0.5]);
  made.append({ per: 1, first: 4, count: 1, series: { loss: [0] } }, [new DataView(padded.buffer, 8, 4)]);
  expect(loss(made)).toEqual([3, 2, 1, 0.5]);
  expect([made.length, made.last, made.coarse]).toEqual([4, 4, 0]);
  expect([made.find(2), made.find(2.5), made.find(99)]).toEqual([1, 2, 4]);
  expect([made.nearest(0), made.nearest(2.6), made.nearest(99), new Curve().nearest(3)]).toEqual([0, 2, 3, -1]);
});

test("buckets keep their smallest and largest, and say that they stand for several steps", () => {
  const made = curve([5]);
  made.append({ per: 10, x: 0, series: { loss: [1, 2, 3] } }, [view([10, 20], Uint32Array), view([2, 3]), view([1, 2]), view([9, 4])]);
  const values = made.series.get("loss")!;
  expect([...values.low!.subarray(0, 3)]).toEqual([5, 1, 2]);
  expect([...values.high!.subarray(0, 3)]).toEqual([5, 9, 4]);
  expect(made.coarse).toBe(3);
  made.append(...steps(21, [7]));
  expect([made.coarse, made.length]).toEqual([3, 4]);
  expect(values.high![3]).toBe(7);
});

test("a series that begins later, or pauses, is not known elsewhere", () => {
  const made = curve([1, 2]);
  made.append({ per: 1, first: 3, count: 1, series: { other: [0] } }, [view([8])]);
  expect(loss(made)).toEqual([1, 2, Number.NaN]);
  expect([...made.series.get("other")!.mean.subarray(0, 3)]).toEqual([Number.NaN, Number.NaN, 8]);
});

test("a million points are held, and beyond that every spike stays", () => {
  const made = new Curve();
  const block = new Float32Array(100_000).fill(1);
  for (let at = 0; at < 12; at++) {
    const values = block.slice();
    if (at === 3) values[55_555] = 40;
    if (at === 4) values[44_444] = -3;
    made.append({ per: 1, first: 1 + at * 100_000, count: 100_000, series: { loss: [0] } }, [new DataView(values.buffer)]);
    if (at === 9) expect([made.length, made.coarse]).toEqual([1_000_000, 0]);
  }
  expect(made.length).toBeLessThanOrEqual(HELD);
  expect(made.last).toBe(1_200_000);
  expect(made.coarse).toBeGreaterThan(500_000);
  const drawn = extremes(made, "loss", 0, 1_200_000, 700).filter((v) => v !== null);
  expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([-3, 40]);
});

// ----------------------------------------------------------------------------------- what is drawn

test("a column shows its smallest and its largest value", () => {
  const made = curve(Array.from({ length: 1000 }, (_, i) => (i === 517 ? 50 : i % 7)), 0);
  const drawn = extremes(made, "loss", 0, 1000, 100);
  expect(drawn).toHaveLength(200);
  expect(drawn[2 * 51 + 1]).toBe(50);
  expect(Math.max(...drawn.map((v) => v ?? 0))).toBe(50);
  expect(Math.min(...drawn.map((v) => v ?? 9))).toBe(0);
});

test("where there is room every step has its place, and NaN leaves one empty", () => {
  const drawn = extremes(curve([3, Number.NaN, 1], 0), "loss", 0, 3, 6);
  expect(drawn.map((v) => v ?? 0).filter(Boolean)).toEqual([3, 1]);
  expect(line(curve([3, 2, 1], 0), new Float32Array([3, 2, 1]), 0.5, 1.5, 2)).toEqual([2.5, null, 2, 1.5]);
  expect(places(0, 4, 2)).toEqual([0.5, 1.5, 2.5, 3.5]);
  expect(dots([2, 9], [0.5, 0.4], 0, 4, 2)).toEqual([null, null, 0.5, null]);
});

test("a few values that dwarf the rest do not press it flat; a logarithm shows all", () => {
  const drawn = [Array.from({ length: 400 }, (_, i) => (i === 0 ? 900 : 1 + (i % 10) / 10))];
  expect(heights(drawn, false)[1]).toBeLessThan(5);
  expect(heights(drawn, true)[1]).toBeGreaterThan(900);
  expect(heights([[null]], false)).toEqual([0, 1]);
  expect(heights([[0, -1]], true)).toEqual([0.1, 1]);
  for (let loss = 0.001; loss < 1; loss *= 1.01) {
    const low = heights([[loss, 3 * loss]], true)[0];
    expect(Number(low.toExponential().split("e")[0])).toBeLessThanOrEqual(9.000001); // more: ticks without end
  }
  for (const log of [false, true]) {
    const [low, high] = heights([[2.302585, 2.302585 + 5e-16]], log); // such an axis never ended
    expect(high - low).toBeGreaterThan(0.1);
  }
  const [low, high] = heights([[2, 2]], false);
  expect(low).toBeLessThan(2);
  expect(high).toBeGreaterThan(2);
});

test("smoothing is the same however the curve was thinned", () => {
  const values = Array.from({ length: 4000 }, (_, i) => Math.sin(i / 400));
  const fine = curve(values);
  const coarse = new Curve();
  const mean = Array.from({ length: 400 }, (_, b) => values.slice(10 * b, 10 * b + 10).reduce((a, v) => a + v, 0) / 10);
  const x = Array.from({ length: 400 }, (_, b) => 10 * b + 5);
  coarse.append({ per: 10, x: 0, series: { loss: [1, 1, 1] } }, [view(x, Uint32Array), view(mean)]);
  const [a, b] = [new Smoother(fine, "loss").smoothed(200), new Smoother(coarse, "loss").smoothed(200)];
  for (const step of [1000, 2000, 3900]) expect(Math.abs(a[fine.nearest(step)]! - b[coarse.nearest(step)]!)).toBeLessThan(0.03);
});

test("smoothing goes on where it was, begins with the first value, and skips NaN", () => {
  const whole = curve([4, 2, Number.NaN, 2, 0]);
  const growing = curve([4, 2]);
  const smoother = new Smoother(growing, "loss");
  expect(smoother.smoothed(10)[0]).toBeCloseTo(4, 5);
  growing.append(...steps(3, [Number.NaN, 2, 0]));
  expect([...smoother.smoothed(10).subarray(0, 5)]).toEqual([...new Smoother(whole, "loss").smoothed(10).subarray(0, 5)]);
  expect([...smoother.smoothed(1).subarray(3, 5)]).toEqual([2, 0]);
  expect([usualSpan(0), usualSpan(1e9)]).toEqual([0, SPANS.length - 1]);
});

test("strips fit their box, and need not vary", () => {
  expect(pointsOf({ x: [0, 10], y: [1, 3] })).toBe("0.0,32.0 160.0,2.0");
  expect(pointsOf({ x: [0, 10, 20], y: [1, null, 1] })).toBe("0.0,17.0 160.0,17.0");
  expect(pointsOf({ x: [], y: [] })).toBe("");
  const long = { x: Array.from({ length: 5000 }, (_, i) => i), y: Array.from({ length: 5000 }, (_, i) => i) };
  expect(pointsOf(long).split(" ").length).toBeLessThanOrEqual(160);
});

test("steps and speeds read well", () => {
  expect([0, 500, 12_000, 1_500_000, 0.5].map(stepText)).toEqual(["0", "500", "12k", "1.5M", ""]);
  expect([41_312, 3.27].map(speedText)).toEqual(["41,300 /s", "3.3 /s"]);
});

// ------------------------------------------------------------------------------- what is asked for

let clean: Cleanup;
let model: FakeModel;
let posted: { kind: string; first?: number; last?: number }[];

beforeEach(() => {
  vi.useFakeTimers();
  clean = new Cleanup();
  model = new FakeModel({ runs: [{ title: "lenet", line: "" }], static_id: "" });
  posted = [];
});
afterEach(() => {
  clean.run();
  vi.useRealTimers();
});

const feedOf = () => new Feed(model, (content) => posted.push(content as never), () => {}, clean);
const tick = (from: number, values: number[], more: object = {}) =>
  model.emit("msg:custom", { kind: "tick", runs: [{ generation: 0, from, to: from + values.length, block: steps(from + 1, values)[0], ...more }] }, [view(values)]);
const whole = (values: number[], more: object = {}) => tick(0, values, { whole: true, ...more });

test("a new view asks for the whole curve, and goes on from there without a gap", () => {
  const feed = feedOf();
  tick(100, [1]); // of this it does not know the beginning
  vi.advanceTimersByTime(0);
  expect(posted).toEqual([{ kind: "sync" }]);
  whole([4, 3, 2]);
  tick(3, [1, 0.5]);
  expect(loss(feed.runs[0]!.curve)).toEqual([4, 3, 2, 1, 0.5]);
  vi.advanceTimersByTime(60_000);
  expect(posted).toHaveLength(1);
});

test("a missed message is noticed, and what was told twice counts once", () => {
  const feed = feedOf();
  whole([4, 3]);
  tick(2, [2]);
  whole([4, 3]); // another view asked
  tick(5, [9]); // steps 4 and 5 never came
  expect(loss(feed.runs[0]!.curve)).toEqual([4, 3, 2]);
  vi.advanceTimersByTime(0);
  expect(posted.at(-1)).toEqual({ kind: "sync" });
  whole([4, 3, 2, 1, 0, 9]);
  tick(6, [8]);
  expect(loss(feed.runs[0]!.curve)).toEqual([4, 3, 2, 1, 0, 9, 8]);
});

test("where nobody answers it does not ask for ever, and takes what it is told unasked", () => {
  const feed = feedOf();
  vi.advanceTimersByTime(3_600_000);
  expect(posted).toHaveLength(ASK_MS.length);
  const again = { generation: 0, from: 0, to: 3, whole: true, block: { per: 1, first: 1, count: 3, series: { loss: [1] } } };
  model.emit("msg:custom", { kind: "tick", runs: [{ generation: 0, from: 2, to: 3, block: steps(3, [7])[0], again }] }, [view([7]), view([5, 6, 7])]);
  expect(loss(feed.runs[0]!.curve)).toEqual([5, 6, 7]);
});

test("what is told unasked does not take the place of what is known step by step", () => {
  const feed = feedOf();
  whole([5, 6]);
  const again = { generation: 0, from: 0, to: 3, whole: true, block: { per: 3, x: 1, series: { loss: [2, 2, 2] } } };
  model.emit("msg:custom", { kind: "tick", runs: [{ generation: 0, from: 2, to: 3, block: steps(3, [7])[0], again }] }, [view([7]), view([2], Uint32Array), view([6])]);
  expect(loss(feed.runs[0]!.curve)).toEqual([5, 6, 7]);
});

test("after a rewind the curve is that of the run now, and what was given up stands behind it", () => {
  const feed = feedOf();
  whole([4, 3, 9, 9]);
  tick(2, [2], { generation: 1 });
  vi.advanceTimersByTime(0);
  expect(posted).toContainEqual({ kind: "sync" });
  model.emit("msg:custom", { kind: "tick", runs: [{ generation: 1, from: 0, to: 2, whole: true, block: steps(1, [4, 3])[0], given_up: [{ per: 1, first: 1, count: 4, series: { loss: [1] } }] }] }, [view([4, 3]), view([4, 3, 9, 9])]);
  const [run] = feed.runs;
  expect(loss(run!.curve)).toEqual([4, 3]);
  expect(loss(run!.givenUp[0]!)).toEqual([4, 3, 9, 9]);
  const drawn = scene([run!], { first: 0, last: 4, log: false, span: 1, columns: 10 });
  expect(drawn.shapes.map(({ look }) => look)).toEqual(["ghost", "line"]);
});

test("epochs, marks, facts and what was looked at are kept", () => {
  const feed = feedOf();
  model.emit("msg:custom", { kind: "tick", runs: [{ generation: 0, from: 0, to: 2, whole: true, block: steps(1, [4, 3])[0], gauges: { x: 1, norm: 2 }, epochs: [], marks: [] }] }, [view([4, 3]), view([1], Uint32Array), view([0.5])]);
  tick(2, [2], {
    epochs: [{ epoch: 1, step: 3, loss: 2, val_loss: 2.5 }], best: { epoch: 1, step: 3, loss: 2, val_loss: 2.5 },
    marks: [{ step: 3, kind: "set_lr", text: "lr 0.1" }],
    seen: { step: 3, norm: 0.4, lr: 0.1 }, facts: { line: "epoch 2/4" },
  });
  const run = feed.runs[0]!;
  expect(run.strips.norm).toEqual({ x: [1, 3], y: [0.5, expect.closeTo(0.4)] });
  expect(run.strips.lr).toEqual({ x: [3], y: [0.1] });
  expect(model.get("runs")).toEqual([{ title: "lenet", line: "epoch 2/4" }]);
  const drawn = scene([run], { first: 0, last: 4, log: false, span: 10, columns: 10 });
  expect(drawn.shapes.map(({ name, look }) => [name, look])).toEqual([["loss", "noise"], ["loss", "line"], ["validation", "dots"]]);
  expect(drawn.marks).toEqual([{ step: 3, kind: "set_lr", text: "lr 0.1", run: 0 }]);
  expect(drawn.best).toEqual([{ step: 3, value: 2.5, color: 1 }]);
  expect(drawn.shapes[2]!.drawn.filter((v) => v !== null)).toEqual([2.5]);
});

test("several runs have a colour each", () => {
  const feed = feedOf();
  const part = (generation: number, at: number) => ({ generation, from: 0, to: 2, whole: true, block: { per: 1, first: 1, count: 2, series: { loss: [at] } } });
  model.emit("msg:custom", { kind: "tick", runs: [part(0, 0), part(3, 1)] }, [view([4, 3]), view([2, 1])]);
  const drawn = scene(feed.runs, { first: 0, last: 3, log: true, span: 1, columns: 10 });
  expect(drawn.shapes.map(({ run, color }) => [run, color])).toEqual([[0, 0], [1, 1]]);
});

test("a zoom into buckets asks for the steps in it, once the reader has stopped", () => {
  const feed = feedOf();
  model.emit("msg:custom", { kind: "tick", runs: [{ generation: 0, from: 0, to: 900, whole: true, block: { per: 100, x: 0, series: { loss: [1, 1, 1] } } }] }, [view([100, 400, 800], Uint32Array), view([3, 2, 1])]);
  feed.want(300, 500);
  feed.want(320, 420);
  vi.advanceTimersByTime(RANGE_MS);
  expect(posted).toEqual([{ kind: "range", first: 310, last: 430 }]);
  const values = Array.from({ length: 121 }, () => 7);
  model.emit("msg:custom", { kind: "range", runs: [{ generation: 0, first: 310, last: 430, block: steps(310, values)[0] }] }, [view(values)]);
  const drawn = scene(feed.runs, { first: 320, last: 420, log: false, span: 1, columns: 200 });
  expect(drawn.shapes[0]!.drawn.filter((v) => v !== null)).toHaveLength(101);
  feed.want(330, 400);
  vi.advanceTimersByTime(RANGE_MS);
  expect(posted).toHaveLength(1); // it is here already
});

test("what is known step by step is not asked for", () => {
  const feed = feedOf();
  whole([1, 2, 3]);
  feed.want(1, 2);
  vi.advanceTimersByTime(RANGE_MS);
  expect(posted).toEqual([]);
});

// -------------------------------------------------------------------------------------- the widget

function shown(): [HTMLElement, () => void] {
  model.traits.runs = ["lenet", "lenet-2"].map((title) => ({ title, line: "", progress: 0.1, state: "training", lr: 1e-3, note: "", total: 100, kept: [0, 40] }));
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const undo = widget.render({ model, el });
  vi.advanceTimersByTime(0);
  return [el.querySelector<HTMLElement>(".mlnb-training-monitor")!, undo];
}

const sent = () => model.sent as { kind: string; action?: string; run?: number; value?: unknown; request: number }[];
const press = (root: HTMLElement, key: string) =>
  root.querySelector(".mlnb-plot")!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));

test("space pauses, l changes the scale, s stops when it is meant", () => {
  const [root, undo] = shown();
  press(root, " ");
  expect(sent().at(-1)).toMatchObject({ kind: "control", action: "pause", run: 0 });
  press(root, "l");
  expect(root.querySelector("[aria-label='logarithmic scale']")!.getAttribute("aria-pressed")).toBe("true");
  press(root, "s");
  expect(root.querySelector(".mlnb-hint")!.textContent).toContain("press s again");
  expect(sent().filter(({ action }) => action === "stop")).toHaveLength(0);
  press(root, "s");
  expect(sent().filter(({ action }) => action === "stop")).toHaveLength(1);
  undo();
});

test("a tick leaves the legend's elements where they are, so that a press outlasts it", () => {
  const [root, undo] = shown();
  const part = (values: number[], at: number, whole = true) => ({ generation: 0, from: whole ? 0 : 2, to: whole ? 2 : 3, whole, block: { per: 1, first: whole ? 1 : 3, count: values.length, series: { loss: [at] } } });
  const tick = (...runs: number[][]) => {
    model.emit("msg:custom", { kind: "tick", runs: runs.map((values, at) => part(values, at, values.length > 1)) }, runs.map((values) => view(values)));
    vi.advanceTimersByTime(50);
  };
  tick([4, 3], [2, 1]);
  const legend = root.querySelector<HTMLElement>(".mlnb-legend")!;
  const elements = [...legend.querySelectorAll("*")];
  const [first, second] = [...legend.querySelectorAll("button")];
  expect([first!.textContent, second!.textContent]).toEqual(["lenet", "lenet-2"]);
  const before = legend.textContent;
  tick([2.5], [0.5]);
  expect(legend.textContent).not.toBe(before);
  expect([...legend.querySelectorAll("*")]).toEqual(elements);
  second!.click();
  vi.advanceTimersByTime(50);
  expect([first, second].map((one) => one!.getAttribute("aria-pressed"))).toEqual(["false", "true"]);
  expect([...legend.querySelectorAll("*")]).toEqual(elements);
  undo();
});

test("one run needs no button; its values come and go with what it tells", () => {
  const legend = new Legend(() => {});
  const reading = { titles: ["lenet"], steered: 0, cursor: null, step: "", span: 1 };
  const run = new RunData();
  run.take({ generation: 0, from: 0, to: 2, whole: true, block: steps(1, [4, 3])[0], epochs: [{ epoch: 1, step: 2, val_loss: 2 }] }, [view([4, 3])]);
  legend.draw([run], reading);
  expect(legend.element.querySelector("button")!.hidden).toBe(true);
  expect(legend.element.textContent).toBe("loss 3.000validation 2.000");
  legend.draw([run], { ...reading, cursor: 1, step: "step 1" });
  expect(legend.element.textContent).toBe("loss 4.000validation 2.000step 1");
  run.epochs = [];
  legend.draw([run, undefined], { ...reading, titles: ["lenet", "other"] });
  expect([...legend.element.querySelectorAll(".mlnb-group")].map((group) => group.textContent)).toEqual(["lenetloss 3.000", "other"]);
});

test("one goes back to a kept step, in the run or in a copy of it", () => {
  const [root, undo] = shown();
  const row = root.querySelector<HTMLElement>(".mlnb-branch")!;
  const named = (caption: string) => [...root.querySelectorAll("button")].find((b) => b.textContent === caption)!;
  expect(row.hidden).toBe(true);
  named("Go back…").click();
  expect(row.hidden).toBe(false);
  const [step, rate] = [row.querySelector("select")!, row.querySelector("input")!];
  expect([...step.options].map((o) => o.textContent)).toEqual(["40", "0"]);
  rate.value = "fast";
  named("Fork").click();
  expect(row.textContent).toContain("above 0");
  expect(sent().some(({ action }) => action === "fork")).toBe(false);
  rate.value = "3e-4";
  named("Fork").click();
  expect(sent().at(-1)).toMatchObject({ action: "fork", run: 0, value: { step: 40, lr: 3e-4 } });
  rate.value = "";
  named("Rewind").click();
  expect(sent().at(-1)).toMatchObject({ action: "rewind", value: { step: 40, lr: null } });
  undo();
});

test("a page that lost its monitor gets the second one, a page that has one does not", async () => {
  const place = document.createElement("div");
  place.dataset.mlnbStatic = "abc";
  document.body.replaceChildren(place);
  const made = { el: document.createElement("p"), remove: vi.fn() };
  const create = vi.fn((_model: unknown) => Promise.resolve(made));
  model.traits.static_id = "abc";
  const managed = Object.assign(model, { widget_manager: { kernel: null, create_view: create, get_model: (id: string) => Promise.resolve(id) } });
  expect(widget.initialize({ model: managed })).toBeUndefined(); // the first one
  model.traits.stands_in = "id";
  const there = document.createElement("section");
  there.className = "mlnb-training-monitor";
  there.dataset.monitor = "abc";
  document.body.append(there);
  const undo = widget.initialize({ model: managed })!;
  await vi.advanceTimersByTimeAsync(2000);
  expect(create).not.toHaveBeenCalled();
  there.remove();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(create.mock.calls).toEqual([["id"]]);
  expect(place.nextSibling).toBe(made.el);
  undo();
  expect(made.remove).toHaveBeenCalled();
});
