import { afterEach, expect, test, vi } from "vitest";
import { decode, shapeOf } from "../src/graph_viewer/payload";
import { chain, pack, payload } from "./fixtures";

afterEach(() => vi.unstubAllGlobals());

test("what Python packed comes out as it was, left-out inputs and groups included", async () => {
  const made = payload({ ...chain, nodes: [...chain.nodes, { id: "e", op: "Clip", in: ["", "va"], out: ["z"], hidden: true }] });
  made.graphs[0]!.tree.children.push(4);
  const decoded = await decode(new DataView(pack(made).buffer));
  expect(decoded).toEqual(made);
  expect(decoded.graphs[0]!.nodes.inputs[4]).toEqual([-1, made.graphs[0]!.values.name.indexOf("va")]);
});

test("damaged bytes are told in words", async () => {
  await expect(decode(new Uint8Array([1, 2, 3]))).rejects.toThrow(/came in damaged/);
});

test("a payload of another version asks for a reload", async () => {
  await expect(decode(pack({ ...payload(chain), version: 99 }))).rejects.toThrow(/version 99.*reload the page/);
});

test("a browser without DecompressionStream is told so", async () => {
  vi.stubGlobal("DecompressionStream", undefined);
  await expect(decode(pack(payload(chain)))).rejects.toThrow(/no DecompressionStream/);
});

test("shapes are said as people say them", () => {
  expect(shapeOf([1, "N", null])).toBe("1 × N × ?");
  expect(shapeOf([])).toBe("scalar");
  expect(shapeOf(null)).toBe("");
});
