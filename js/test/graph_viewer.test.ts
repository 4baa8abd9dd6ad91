import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../src/graph_viewer/index";
import { chain, FakeModel, pack, payload, until, type Sketch } from "./fixtures";

const drawnTexts: string[] = [];
const penWidths: unknown[] = [];

beforeEach(() => {
  drawnTexts.length = penWidths.length = 0;
  // happy-dom has no canvas and no layout: a pen that remembers texts, and a stage of 700 × 460.
  const pen = new Proxy({} as Record<string, unknown>, {
    get: (_, name) => (name === "measureText" ? (text: string) => ({ width: text.length * 7 }) : (text: unknown) => name === "fillText" && drawnTexts.push(String(text))),
    set: (_, name, value) => (name === "lineWidth" && penWidths.push(value), true),
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(pen as never);
  vi.stubGlobal("ResizeObserver", class {
    constructor(private readonly call: (entries: unknown[]) => void) {}
    observe() {
      this.call([{ contentRect: { width: 700, height: 460 } }]);
    }
    disconnect() {}
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

interface Root extends HTMLElement {
  mlnb: { boxes(): { id: string; x: number; y: number; width: number; height: number }[] };
}

function show(model: FakeModel) {
  const el = document.createElement("div");
  document.body.append(el);
  const cleanup = widget.render({ model, el });
  const root = el.querySelector<Root>(".mlnb")!;
  const box = (id: string) => root.mlnb.boxes().find((at) => at.id === id)!;
  const key = (name: string) => root.querySelector(".mlnb-graph")!.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const ready = () => until(() => root.dataset.state === "ready");
  return { el, root, cleanup, box, key, ready };
}

const modelOf = (sketch: Sketch, traits: Record<string, unknown> = {}) =>
  new FakeModel({ payload: new DataView(pack(payload(sketch)).buffer), selected: "", title: "m.onnx", facts: "4 nodes", rows: [], feed: "", height: 460, status: "", readable: true, static_id: "", ...traits });

const boxCount = (root: HTMLElement) => Number(root.dataset.boxes);

test("the graph is drawn, and the kernel is told once a page", async () => {
  const model = modelOf(chain);
  const { root, ready } = show(model);
  expect(root.dataset.state).toBe("loading");
  await ready();
  expect(boxCount(root)).toBe(5);
  expect(drawnTexts).toContain("layer");
  expect(performance.getEntriesByName("mlnb-first-picture").length).toBeGreaterThan(0);
  show(model);
  expect(model.sent).toEqual([{ kind: "ready" }]);
});

test("keys walk, open and close; the selection reaches the kernel and is spoken", async () => {
  const model = modelOf(chain);
  const { root, ready, key, box } = show(model);
  await ready();
  for (const name of ["ArrowDown", "ArrowDown", "ArrowDown"]) key(name);
  expect(model.get("selected")).toBe("layer/");
  expect(model.saved).toBe(3);
  const before = box("layer/");
  key("Enter");
  await until(() => boxCount(root) === 7);
  expect(root.querySelector(".mlnb-spoken")!.textContent).toContain("open. Enter closes it.");
  expect([box("layer/").x, box("layer/").y]).toEqual([expect.closeTo(before.x), expect.closeTo(before.y)]);
  key("Enter");
  await until(() => boxCount(root) === 5);
  key("Escape");
  expect(model.get("selected")).toBe("");
});

test("an error that answers no request is shown, and spoken", async () => {
  const model = modelOf(chain);
  const { root, ready } = show(model);
  await ready();
  const notice = root.querySelector<HTMLElement>(".mlnb-notice")!;
  model.emit("msg:custom", { kind: "error", request: 7, message: "of a weight" });
  expect(notice.hidden).toBe(true);
  model.emit("msg:custom", { kind: "error", request: null, message: "The 'height' trait expected\u202e an int" });
  expect(notice.hidden).toBe(false);
  expect(notice.getAttribute("role")).toBe("status");
  expect(notice.textContent).toBe("The 'height' trait expected\\u202e an int");
});

test("search counts, walks through the hits, and opens folds on the way", async () => {
  const { root, ready } = show(modelOf(chain));
  await ready();
  const input = root.querySelector("input")!;
  const count = () => root.querySelector(".mlnb-count")!.textContent;
  const enter = (shiftKey = false) => input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", shiftKey }));
  input.value = "conv";
  input.dispatchEvent(new Event("input"));
  expect(count()).toBe("2 hits · ↵ next");
  enter();
  expect(count()).toContain("1 of 2");
  enter();
  await until(() => boxCount(root) === 7);
  expect(root.querySelector(".mlnb-panel h4")!.textContent).toBe("Conv b");
  enter(true);
  expect(count()).toContain("1 of 2");
  input.value = "no such thing";
  input.dispatchEvent(new Event("input"));
  expect(count()).toBe("nothing found");
});

test("Python can select, and can focus what is folded away", async () => {
  const model = modelOf(chain);
  const { root, ready } = show(model);
  await ready();
  model.set("selected", "a");
  expect(root.querySelector(".mlnb-panel h4")!.textContent).toBe("a Conv");
  model.emit("msg:custom", { kind: "focus", id: "c" });
  await until(() => boxCount(root) === 7);
  expect(model.get("selected")).toBe("c");
  model.emit("msg:custom", { kind: "focus", id: "nobody" });
  expect(model.get("selected")).toBe("c");
});

test("a focus that comes before the graph is kept for it", async () => {
  const model = modelOf(chain);
  const { root } = show(model);
  model.emit("msg:custom", { kind: "focus", id: "c" });
  await until(() => boxCount(root) === 7);
  expect(model.get("selected")).toBe("c");
});

test("a box sought before the canvas has a size is in view once it has one", async () => {
  const long: Sketch = { inputs: ["x"], nodes: Array.from({ length: 60 }, (_, i) => ({ id: `n${i}`, op: "Relu", in: [i ? `v${i - 1}` : "x"], out: [`v${i}`] })) };
  let sized: ((entries: unknown[]) => void) | undefined;
  vi.stubGlobal("ResizeObserver", class {
    constructor(call: (entries: unknown[]) => void) {
      sized = call;
    }
    observe() {}
    disconnect() {}
  });
  const model = modelOf(long);
  const { root, box, ready } = show(model);
  await until(() => boxCount(root) === 61);
  model.emit("msg:custom", { kind: "focus", id: "n59" });
  model.traits.payload = new DataView(pack(payload({ ...long, shapes: { x: [1, 3] } })).buffer);
  model.emit("change:payload");
  sized!([{ contentRect: { width: 700, height: 460 } }]);
  await ready();
  await until(() => box("n59").y > 0 && box("n59").y < 460);
});

test("what was selected before the page came up is opened and in view", async () => {
  const { root, ready } = show(modelOf(chain, { selected: "c" }));
  await ready();
  await until(() => boxCount(root) === 7);
  expect(root.querySelector(".mlnb-panel h4")!.textContent).toBe("Relu c");
});

test("shapes that arrive later keep folds, camera and selection", async () => {
  const model = modelOf({ ...chain, shapes: {} });
  const { root, ready, key, box } = show(model);
  await ready();
  model.emit("msg:custom", { kind: "focus", id: "c" });
  await until(() => boxCount(root) === 7);
  key("+");
  const before = box("c");
  drawnTexts.length = 0;
  model.set("payload", new DataView(pack(payload(chain)).buffer));
  await until(() => drawnTexts.includes("1×8×4×4"));
  expect(boxCount(root)).toBe(7);
  expect(model.get("selected")).toBe("c");
  expect(box("c").height).toBe(before.height);
});

test("shapes that arrive later leave the statistics of a weight where they are", async () => {
  const model = modelOf({ ...chain, shapes: {} }, { selected: "a" });
  const { root, ready } = show(model);
  await ready();
  const words = () => root.querySelector(".mlnb-tensor")?.textContent;
  root.querySelector<HTMLElement>(".mlnb-tensor button")!.click();
  expect(words()).toBe("reading…");
  model.set("payload", new DataView(pack(payload(chain)).buffer));
  await until(() => root.querySelector(".mlnb-panel")!.textContent!.includes("1 × 8 × 4 × 4"));
  expect(words()).toBe("reading…");
  model.set("payload", new DataView(pack(payload({ ...chain, nodes: chain.nodes.map((node) => ({ ...node, id: `${node.id}2` })) })).buffer));
  model.set("selected", "a2");
  await until(() => root.querySelector(".mlnb-panel h4")!.textContent === "a2 Conv");
  expect(words()).toBe("Statistics");
});

test("another model starts anew", async () => {
  const model = modelOf(chain);
  const { root, ready } = show(model);
  await ready();
  model.emit("msg:custom", { kind: "focus", id: "c" });
  await until(() => boxCount(root) === 7);
  model.set("payload", new DataView(pack(payload({ nodes: [{ id: "only", op: "Neg" }] })).buffer));
  await until(() => boxCount(root) === 1);
});

test("hidden nodes come and go by the toolbar's button", async () => {
  const { root, ready } = show(modelOf({ nodes: [{ id: "k", op: "Constant", out: ["v"], hidden: true }, { id: "n", op: "Add", in: ["v"] }] }));
  await ready();
  const toggle = [...root.querySelectorAll<HTMLButtonElement>(".mlnb-tools button")].find((b) => b.textContent === "hidden: 1")!;
  expect(boxCount(root)).toBe(1);
  toggle.click();
  await until(() => boxCount(root) === 2);
  expect(toggle.getAttribute("aria-pressed")).toBe("true");
});

test("a model without operations, and one that cannot be read, say so", async () => {
  const empty = show(modelOf({ inputs: ["x"], nodes: [], outputs: ["x"] }));
  await until(() => empty.root.dataset.state === "empty");
  expect(empty.root.querySelector(".mlnb-cover")!.textContent).toBe("this model has no operations");
  const damaged = show(modelOf(chain, { payload: new DataView(new ArrayBuffer(9)) }));
  await until(() => damaged.root.dataset.state === "error");
  expect(damaged.root.querySelector("[role=alert]")!.textContent).toContain("damaged");
});

test("a plain wheel scrolls the page until the graph was clicked, and says so once", async () => {
  const { root, ready } = show(modelOf(chain));
  await ready();
  const canvas = root.querySelector<HTMLCanvasElement>(".mlnb-graph")!;
  const wheel = (ctrlKey = false) => {
    const event = new WheelEvent("wheel", { deltaY: 40, cancelable: true });
    Object.defineProperty(event, "ctrlKey", { value: ctrlKey }); // happy-dom's WheelEvent has no modifiers
    canvas.dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(wheel()).toBe(false);
  expect(root.querySelector<HTMLElement>(".mlnb-hint")!.hidden).toBe(false);
  expect(wheel(true)).toBe(true);
  canvas.focus();
  expect(wheel()).toBe(true);
});

test("two views of one model work, and leave nothing behind", async () => {
  const model = modelOf(chain);
  const [first, second] = [show(model), show(model)];
  await first.ready();
  await second.ready();
  first.key("ArrowDown");
  expect(second.root.querySelector(".mlnb-panel h4")!.textContent).toBe("x input");
  first.cleanup();
  expect(first.el.childElementCount).toBe(0);
  second.key("ArrowDown");
  expect(model.get("selected")).toBe("a");
  second.cleanup();
  expect(model.listening).toBe(0);
});

test("a hostile model makes no element", async () => {
  const evil = '<img src="x" onerror="alert(1)">';
  const model = modelOf(
    { inputs: [evil], nodes: [{ id: evil, op: evil, in: [evil] }] },
    { title: evil, facts: evil, status: evil, selected: evil, rows: [{ role: evil, name: evil, dtype: evil, shape: evil, note: evil, picture: evil }], feed: evil },
  );
  const { root, ready } = show(model);
  await ready();
  root.querySelector("input")!.value = evil;
  root.querySelector("input")!.dispatchEvent(new Event("input"));
  expect(root.querySelector("img, script")).toBeNull();
});

test("what is marked as new is outlined more boldly", async () => {
  const plain = show(modelOf(chain));
  await plain.ready();
  expect(penWidths).not.toContain(1.6);
  const id = plain.root.mlnb.boxes()[1]!.id;
  const marked = show(modelOf(chain, { marked: [id] }));
  await marked.ready();
  expect(penWidths).toContain(1.6);
});
