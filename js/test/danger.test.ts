import { expect, test } from "vitest";
import { panelFor } from "../src/graph_viewer/panel";
import { SearchIndex } from "../src/graph_viewer/search";
import { visible } from "../src/graph_viewer/visible";
import { boxWords } from "../src/graph_viewer/words";
import { group, modelOf, type Sketch } from "./fixtures";

const reading: Sketch = {
  inputs: ["x"], outputs: ["y"],
  nodes: [
    { id: "load/read", op: "ReadFile", in: ["x"], out: ["bytes"], danger: "reads files" },
    { id: "load/decode", op: "DecodeJpeg", in: ["bytes"], out: ["picture"] },
    { id: "call", op: "PartitionedCall", in: ["picture"], out: ["y"], subgraphs: [["body", 1]] },
  ],
  tree: [group("load/", [0, 1]), 2],
};
const calling: Sketch = {
  inputs: ["a"], outputs: ["c"],
  nodes: [{ id: "again", op: "PartitionedCall", in: ["a"], out: ["c"], subgraphs: [["body", 2]] }],
};
const python: Sketch = {
  inputs: ["p"], outputs: ["q"],
  nodes: [{ id: "run", op: "PyFunc", in: ["p"], out: ["q"], danger: "runs Python" }],
};
const model = () => modelOf(reading, calling, python);
const act = { go: () => {}, statistics: null, showHidden: false };

test("a closed group says what is dangerous inside it, and an open one leaves that to its nodes", () => {
  const closed = visible(model(), new Set(), false).boxes;
  expect(closed.get("load/")).toMatchObject({ danger: "inside: reads files", subtitle: "inside: reads files" });
  const open = visible(model(), new Set(["load/"]), false).boxes;
  expect(open.get("load/")!.danger).toBe("");
  expect(open.get("load/read")).toMatchObject({ danger: "reads files", subtitle: "reads files" });
  expect(open.get("load/decode")!.danger).toBe("");
});

test("a call is marked for what the functions do that it calls, however deep", () => {
  const boxes = visible(model(), new Set(["call"]), false).boxes;
  expect(boxes.get("call")!.danger).toBe("inside: runs Python");
  expect(boxes.get("call:body:again")!.danger).toBe("inside: runs Python");
});

test("the details name the danger, and how it is allowed", () => {
  const built = model();
  const said = (id: string) => panelFor(built, built.find(id), act).textContent;
  expect(said("load/read")).toContain("reads files · runs only with allow_io=True");
  expect(said("load/")).toContain("inside: reads files");
  expect(said("load/decode")).not.toContain("allow_io");
});

test("screen readers hear it, and the search finds it", () => {
  const built = model();
  expect(boxWords(visible(built, new Set(), false).boxes.get("load/")!)).toContain("inside: reads files");
  expect(new SearchIndex(built).find("runs python", false).ids).toEqual(["call:body:again:body:run"]);
});

test("functions that call each other in a circle end", () => {
  const endless = modelOf(reading, { ...calling, nodes: [{ ...calling.nodes[0]!, subgraphs: [["body", 1]] }] });
  expect(visible(endless, new Set(), false).boxes.get("call")!.danger).toBe("");
});
