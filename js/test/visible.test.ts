import { expect, test } from "vitest";
import { visible, type Visible } from "../src/graph_viewer/visible";
import { chain, group, modelOf, type Sketch } from "./fixtures";

const drawn = (sketch: Sketch, open: string[] = [], showHidden = false) => visible(modelOf(sketch), new Set(open), showHidden);

/** Lines as `source>target` at the level where they meet, ports told by side and number. */
function lines(scene: Visible): string[] {
  return scene.levels.flatMap((level) =>
    [...level.segments.values()].map(({ from, to }) => {
      const end = ({ box, side, port }: typeof from) => (box ? box.id : "") + (side ? `${side}${port}` : "");
      return `${level.frame?.id ?? ""}| ${end(from)} > ${end(to)}`;
    }));
}

test("a closed group is one box, and its edges are its members' edges", () => {
  const scene = drawn(chain);
  expect([...scene.boxes.keys()]).toEqual(["in:x", "a", "layer/", "d", "out:y"]);
  expect(scene.boxes.get("layer/")!.count).toBe(2);
  expect(lines(scene)).toEqual(["| in:x > a", "| a > layer/", "| layer/ > d", "| a > d", "| d > out:y"]);
});

test("an edge into an open group goes through a port at its top, one out of it through its bottom", () => {
  const scene = drawn(chain, ["layer/"]);
  expect(lines(scene)).toEqual([
    "| in:x > a", "| a > layer/in0", "| layer/out0 > d", "| a > d", "| d > out:y",
    "layer/| in0 > b", "layer/| b > c", "layer/| c > out0",
  ]);
});

test("one box that feeds two in a frame enters by one port", () => {
  const nodes = [
    { id: "a", op: "Relu", in: ["x"], out: ["va"] },
    { id: "b", op: "Relu", in: ["va"], out: ["vb"] },
    { id: "c", op: "Relu", in: ["va"], out: ["vc"] },
  ];
  const scene = drawn({ inputs: ["x"], nodes, tree: [0, group("g/", [1, 2])] }, ["g/"]);
  expect(lines(scene)).toEqual(["| in:x > a", "| a > g/in0", "g/| in0 > b", "g/| in0 > c"]);
});

test("frames within frames pass an edge on, level by level", () => {
  const nodes = [
    { id: "a", op: "Relu", in: ["x"], out: ["va"] },
    { id: "b", op: "Relu", in: ["va"], out: ["vb"] },
  ];
  const tree = [group("f/", [group("f/g/", [0])]), group("h/", [group("h/i/", [1])])];
  const scene = drawn({ inputs: ["x"], nodes, tree }, ["f/", "f/g/", "h/", "h/i/"]);
  expect(lines(scene)).toContain("| f/out0 > h/in0");
  expect(lines(scene)).toContain("f/g/| a > out0");
  expect(lines(scene)).toContain("f/| f/g/out0 > out0");
  expect(lines(scene)).toContain("h/| in0 > h/i/in0");
  expect(lines(scene)).toContain("h/i/| in0 > b");
});

const identity: Sketch = {
  inputs: ["x"],
  outputs: ["y"],
  nodes: [
    { id: "cast", op: "Cast", in: ["x"], out: ["xc"], hidden: true },
    { id: "id", op: "Identity", in: ["xc"], out: ["xi"], hidden: true },
    { id: "shape", op: "Shape", in: ["x"], out: ["s"], hidden: true },
    { id: "reshape", op: "Reshape", in: ["xi", "s"], out: ["r"] },
    { id: "last", op: "Identity", in: ["r"], out: ["y"], hidden: true },
  ],
};

test("a line runs through hidden casts and identities, and none comes from other hidden nodes", () => {
  expect(lines(drawn(identity))).toEqual(["| in:x > reshape", "| reshape > out:y"]);
});

test("hidden nodes are boxes once they are asked for", () => {
  const scene = drawn(identity, [], true);
  expect(scene.boxes.get("shape")!.hidden).toBe(true);
  expect(lines(scene)).toContain("| shape > reshape");
  expect(lines(scene)).toContain("| last > out:y");
});

test("a group of hidden nodes only is not drawn", () => {
  const sketch = { ...identity, tree: [group("g/", [0, 1, 2]), 3, 4] };
  expect(drawn(sketch).boxes.has("g/")).toBe(false);
  expect(drawn(sketch, [], true).boxes.get("g/")!.count).toBe(3);
});

test("identities that feed each other end the search for a producer", () => {
  const nodes = [
    { id: "p", op: "Identity", in: ["b"], out: ["a"], hidden: true },
    { id: "q", op: "Identity", in: ["a"], out: ["b"], hidden: true },
    { id: "r", op: "Relu", in: ["a"], out: ["c"] },
  ];
  expect(lines(drawn({ nodes }))).toEqual([]);
});

test("an edge says the shape of its one tensor, or how many there are", () => {
  const nodes = [
    { id: "a", op: "Split", in: ["x"], out: ["l", "r"] },
    { id: "b", op: "Add", in: ["l", "r"], out: ["y"] },
  ];
  const scene = drawn({ inputs: ["x"], nodes, shapes: { x: [1, "N", null] } });
  expect([...scene.top.segments.values()].map((segment) => segment.text)).toEqual(["1×N×?", "2 tensors"]);
});

test("many inputs stand as one stack that opens", () => {
  const inputs = Array.from({ length: 1000 }, (_, i) => `x${i}`);
  const sketch = { inputs, nodes: [{ id: "cat", op: "Concat", in: inputs, out: ["y"] }] };
  expect([...drawn(sketch).boxes.keys()]).toEqual(["in:", "cat"]);
  expect(drawn(sketch, ["in:"]).boxes.size).toBe(1002);
});

test("the lines of an open stack begin at the stack, and know whose values they carry", () => {
  const inputs = Array.from({ length: 30 }, (_, i) => `x${i}`);
  const nodes = [{ id: "a", op: "Add", in: ["x0", "x1"], out: ["s"] }, { id: "b", op: "Neg", in: ["x2"], out: ["y"] }];
  const open = drawn({ inputs, nodes }, ["in:"]);
  expect(lines(open)).toEqual(["| in: > a", "| in: > b"]);
  const [toA] = [...open.top.segments.values()];
  expect([...toA!.sources].map((box) => box.id)).toEqual(["in:x0", "in:x1"]);
});

const branches: Sketch[] = [
  { inputs: ["c", "x"], nodes: [
    { id: "r", op: "Relu", in: ["x"], out: ["xr"] },
    { id: "If_0", op: "If", in: ["c"], out: ["y"], subgraphs: [["then_branch", 1], ["else_branch", 1]] },
  ], outputs: ["y"] },
  { nodes: [{ id: "n", op: "Neg", in: ["xr"], out: ["z"] }], outputs: ["z"] },
];

test("a node with nested graphs opens into a frame a branch, each with its own ids", () => {
  const model = modelOf(...branches);
  expect([...visible(model, new Set(), false).boxes.keys()]).toEqual(["in:c", "in:x", "r", "If_0", "out:y"]);
  const open = visible(model, new Set(["If_0"]), false);
  expect(open.boxes.has("If_0:then_branch:n")).toBe(true);
  expect(open.boxes.has("If_0:else_branch:out:z")).toBe(true);
});

test("what a branch reads from outside ends at the frame of its node", () => {
  expect(lines(visible(modelOf(...branches), new Set(), false))).toContain("| r > If_0");
});

test("a function that calls itself opens one call at a time", () => {
  const model = modelOf({ nodes: [{ id: "f", op: "F", subgraphs: [["body", 1]] }] }, { nodes: [{ id: "f", op: "F", subgraphs: [["body", 1]] }] });
  const scene = visible(model, new Set(["f", "f:body:f"]), false);
  expect([...scene.boxes.keys()]).toEqual(["f", "f:body:f", "f:body:f:body:f"]);
  expect(model.find("f:body:f:body:f:body:f")!.kind).toBe("node");
});
