import { expect, test } from "vitest";
import { SearchIndex } from "../src/graph_viewer/search";
import { chain, group, modelOf, type NodeSketch } from "./fixtures";

test("boxes are found by name, operation, tensor and weight, in the order of the data", () => {
  const index = new SearchIndex(modelOf(chain));
  expect(index.find("conv", false).ids).toEqual(["a", "b"]);
  expect(index.find(" LAYER ", false).ids).toEqual(["layer/"]);
  expect(index.find("vb", false).ids).toEqual(["b"]);
  expect(index.find("w", false).ids).toEqual(["a"]);
  expect(index.find("x", false).ids).toEqual(["in:x"]);
  expect(index.find("nothing like it", false).ids).toEqual([]);
  expect(index.find("", false).ids).toEqual([]);
});

test("hidden matches are counted, and found once hidden nodes are shown", () => {
  const index = new SearchIndex(modelOf({ nodes: [{ id: "c0", op: "Constant", hidden: true }, { id: "c1", op: "Conv" }] }));
  expect(index.find("c", false)).toEqual({ ids: ["c1"], hidden: 1 });
  expect(index.find("c", true)).toEqual({ ids: ["c0", "c1"], hidden: 0 });
});

test("nested graphs are searched, and a function that calls itself ends", () => {
  const index = new SearchIndex(modelOf(
    { nodes: [{ id: "f", op: "Outer", subgraphs: [["body", 1]] }] },
    { nodes: [{ id: "n", op: "Neg" }, { id: "again", op: "Outer", subgraphs: [["body", 1]] }] },
  ));
  expect(index.find("neg", false).ids).toEqual(["f:body:n"]);
});

test("a key stroke in 50,000 nodes takes less than 50 ms", () => {
  const nodes = Array.from({ length: 50_000 }, (_, i): NodeSketch => ({ id: `encoder/layer.${i >> 6}/node_${i}`, op: i % 3 ? "MatMul" : "Conv" }));
  const index = new SearchIndex(modelOf({ nodes, tree: [group("encoder/", nodes.map((_, i) => i))] }));
  const times = ["n", "node_49", "zzzz"].map((query) => {
    const start = performance.now();
    index.find(query, false);
    return performance.now() - start;
  });
  expect(Math.max(...times)).toBeLessThan(50);
  expect(index.find("node_49999", false).ids).toEqual(["encoder/layer.781/node_49999"]);
});
