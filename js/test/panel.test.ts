import { expect, test, vi } from "vitest";
import { panelFor, weightsOf, type PanelActions } from "../src/graph_viewer/panel";
import { chain, group, modelOf, payload } from "./fixtures";
import { GraphModel } from "../src/graph_viewer/graph_model";
import { visible } from "../src/graph_viewer/visible";

const act = (more: Partial<PanelActions> = {}): PanelActions => ({ go: () => {}, statistics: null, showHidden: false, ...more });
const model = modelOf(chain);
const panel = (id: string, more: Partial<PanelActions> = {}) => panelFor(model, model.find(id), act(more));

test("a node says its op, scope, attributes, inputs, outputs and weights", () => {
  const words = panel("a").textContent!;
  for (const part of ["a Conv", "scopestem", "kernel_shape3 × 3", "inputsxfloat32 · 1 × 3 × N × ?input x"]) expect(words).toContain(part);
  expect(words).toContain("outputsvafloat32 · 1 × 8 × 4 × 4Conv bAdd d");
  expect(words).toContain("weightswfloat32 · 1 × 3 × 3 · 36 B");
});

test("a node that no module names is called after its operation, as on its box", () => {
  const plain = modelOf({ inputs: ["x"], nodes: [{ id: "n17", op: "Relu", in: ["x"], out: ["y"] }, { id: "Tanh", op: "Tanh", in: ["y"] }] });
  const head = (id: string) => panelFor(plain, plain.find(id), act()).querySelector("h4")!.textContent;
  expect(head("n17")).toBe("Relu n17");
  expect(head("Tanh")!.trim()).toBe("Tanh");
});

test("a weight behind the read of a variable is a weight of the node that uses it, and of its group", () => {
  const read = modelOf({
    inputs: ["x"], outputs: ["y"], weights: { w: 36 }, shapes: { w: [3, 3] },
    nodes: [
      { id: "w", op: "Const", out: ["w"], hidden: true },
      { id: "w/read", op: "Identity", in: ["w"], out: ["w/read"], hidden: true },
      { id: "mul", op: "MatMul", in: ["x", "w/read"], out: ["y"] },
    ],
  });
  const statistics = vi.fn(() => document.createElement("button"));
  const words = panelFor(read, read.find("mul"), act({ statistics })).textContent;
  expect(words).toContain("weightswfloat32 · 3 × 3 · 36 B");
  expect(statistics).toHaveBeenCalledWith(0, "w");
  expect(weightsOf(read, read.main, [2])).toEqual({ count: 9, bytes: 36 });
});

test("inputs and outputs lead to what stands at their other end", () => {
  const go = vi.fn();
  for (const link of panel("a", { go }).querySelectorAll<HTMLElement>(".mlnb-link")) link.click();
  expect(go.mock.calls.flat()).toEqual(["in:x", "b", "d"]);
});

test("a weight offers its statistics only where they can be read", () => {
  const statistics = vi.fn(() => document.createElement("button"));
  panel("a", { statistics });
  expect(statistics).toHaveBeenCalledWith(0, "w");
  expect(panel("a").querySelector(".mlnb-tensor, button[aria-label^=statistics]")).toBeNull();
});

test("a group says what it holds", () => {
  const words = panel("layer/").textContent!;
  expect(words).toContain("layer scope");
  expect(words).toContain("holdsConv · Relu");
  expect(words).toContain("operations2");
  expect(words).toContain("Conv1Relu1");
});

test("an input and an output say dtype and shape, and lead on", () => {
  expect(panel("in:x").textContent).toContain("x inputxfloat32 · 1 × 3 × N × ?a");
  expect(panel("out:y").textContent).toContain("y outputyshape unknownAdd d");
});

test("with nothing selected the model is summed up, warnings included", () => {
  const made = payload({ ...chain, nodes: chain.nodes });
  made.warnings = ["a cycle: <b>a</b> → b"];
  const shown = panelFor(new GraphModel(made), null, act());
  expect(shown.textContent).toContain("operations4parameters9 · 36 B");
  expect(shown.textContent).toContain("conv2other2");
  expect(shown.textContent).toContain("1 warninga cycle: <b>a</b> → b");
  expect(shown.querySelector("b")).toBeNull();
});

test("a weight that two nodes read counts once", () => {
  const shared = modelOf({
    nodes: [{ id: "p", op: "Gather", in: ["w"], out: ["a"] }, { id: "q", op: "MatMul", in: ["a", "w"], out: ["b"] }],
    weights: { w: 36 }, shapes: { w: [3, 3] },
  });
  expect(weightsOf(shared, shared.main, [0, 1])).toEqual({ count: 9, bytes: 36 });
});

test("a branch's node says what the graphs inside read from outside", () => {
  const nested = modelOf(
    { inputs: ["c", "x"], nodes: [{ id: "if", op: "If", in: ["c"], subgraphs: [["then_branch", 1]] }] },
    { nodes: [{ id: "n", op: "Neg", in: ["x"], out: ["z"] }] },
  );
  expect(panelFor(nested, nested.find("if"), act()).textContent).toContain("read by the graphs insidex");
});

test("no string of a file becomes an element", () => {
  const evil = '<img src="x" onerror="alert(1)"><script>alert(1)</script>';
  const hostile = modelOf({
    inputs: [evil], outputs: [`o${evil}`],
    nodes: [{ id: evil, op: evil, in: [evil, "w"], out: [`o${evil}`], scope: evil, attributes: [[evil, evil]] }],
    weights: { w: 4 }, tree: [group(`${evil}/`, [0], false, evil)],
  });
  for (const id of [evil, `${evil}/`, `in:${evil}`, `out:o${evil}`, ""]) {
    const shown = panelFor(hostile, hostile.find(id), act());
    document.body.replaceChildren(shown);
    expect(shown.querySelector("img, script"), id).toBeNull();
  }
  document.body.replaceChildren();
});

test("a module that is called by its place in a list shows its operation first", () => {
  const { boxes } = visible(model, new Set(["layer/"]), false);
  const said = (id: string) => [boxes.get(id)!.title, boxes.get(id)!.subtitle];
  expect(said("b")).toEqual(["Conv", "0"]);
  expect(said("a")).toEqual(["stem", "Conv 3×3"]);
});
