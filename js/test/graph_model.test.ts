import { expect, test } from "vitest";
import { chain, group, modelOf } from "./fixtures";

test("ids are found, groups with or without their slash", () => {
  const model = modelOf(chain);
  expect(model.find("b")!.kind).toBe("node");
  expect(model.find("layer/")!.kind).toBe("group");
  expect(model.find("layer")!.kind).toBe("group");
  expect(model.find("in:x")!.kind).toBe("in");
  expect(model.find("out:y")!.kind).toBe("out");
  expect(model.find("nobody")).toBeNull();
  expect(model.find("")).toBeNull();
});

test("a node's folds are the groups around it, outermost first, through nested graphs", () => {
  const model = modelOf(
    { nodes: [{ id: "loop", op: "Loop", subgraphs: [["body", 1]] }], tree: [group("outer/", [0])] },
    { nodes: [{ id: "n", op: "Neg" }], tree: [group("a/", [group("a/b/", [0])])] },
  );
  expect(model.folds(model.find("loop:body:n")!)).toEqual(["outer/", "loop", "loop:body:a/", "loop:body:a/b/"]);
});

test("a node whose name has a colon is no nested graph", () => {
  expect(modelOf({ nodes: [{ id: "x:0", op: "Neg" }] }).find("x:0")!.kind).toBe("node");
});
