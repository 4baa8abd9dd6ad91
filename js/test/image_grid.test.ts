import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { moved, picked } from "../src/frame_rows/choice";
import { RowState } from "../src/frame_rows/row_state";
import { bytesOf, Cleanup } from "../src/host";
import widget from "../src/image_grid/index";
import { captionOf, drawTile, makeTile, type PictureRow as Row } from "../src/image_grid/tile";
import { probabilityText } from "../src/numbers";
import { Thumbnails } from "../src/thumbnails";
import { FakeModel } from "./fixtures";

const HOSTILE = "<img src=x onerror=alert(1)>\u202e";
const bytes = (...values: number[]) => new DataView(Int32Array.from(values).buffer);
const row = (at: number, more: Partial<Row> = {}): Row => ({ row: at, name: `${at}.jpg`, facts: [], left_out: false, edited: false, ...more });
const traits = (more: Record<string, unknown> = {}) => ({
  static_id: "s", facts: "6 pictures", columns: 3, broken: 0, facets: [], labels: ["cat", "dog"], orders: ["as they stand"],
  look: { filters: {}, search: "", order: "as they stand", tab: "pictures", labelling: false },
  view: bytes(5, 3, 1, 0, 2, 4), chosen: bytes(), current: -1, size: 128, edits: 0, version: 0, ...more,
});
let close: (() => void) | undefined;

beforeEach(() => {
  URL.createObjectURL = vi.fn(() => `blob:${Math.random()}`);
  URL.revokeObjectURL = vi.fn();
  Object.defineProperty(HTMLElement.prototype, "clientWidth", { configurable: true, get: () => 500 });
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, get: () => 400 });
});
afterEach(() => {
  close?.();
  close = undefined;
  document.body.replaceChildren();
});

async function shown(model: FakeModel): Promise<HTMLElement> {
  close = widget.render({ model, el: document.body });
  await frame();
  return document.querySelector<HTMLElement>(".mlnb-image-grid")!;
}
const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 5)));
const last = (model: FakeModel, kind: string) => model.sent.filter((one) => (one as { kind: string }).kind === kind).at(-1) as Record<string, unknown>;
const press = (root: HTMLElement, key: string, more: KeyboardEventInit = {}) =>
  root.querySelector(".mlnb-scroll")!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));

test("a click chooses alone, with ctrl one more or less, with shift everything between", () => {
  const view = Int32Array.of(5, 3, 1, 0, 2, 4);
  expect([...picked(new Set([5]), view, 3, -1, "alone")]).toEqual([3]);
  expect([...picked(new Set([5]), view, 3, 5, "toggle")]).toEqual([5, 3]);
  expect([...picked(new Set([5, 3]), view, 3, 5, "toggle")]).toEqual([5]);
  expect([...picked(new Set(), view, 0, 3, "range")]).toEqual([3, 1, 0]);
  expect([...picked(new Set(), view, 5, 1, "range")]).toEqual([5, 3, 1]);
  expect([...picked(new Set(), view, 5, 77, "range")]).toEqual([5]);
});

test("keys move by one, by a row, by a page, and stay inside", () => {
  expect(moved("ArrowRight", 2, 10, 4, 2)).toBe(3);
  expect(moved("ArrowDown", 2, 10, 4, 2)).toBe(6);
  expect(moved("ArrowDown", 7, 10, 4, 2)).toBe(9);
  expect(moved("ArrowDown", 9, 10, 4, 2)).toBe(9);
  expect(moved("ArrowUp", 2, 10, 4, 2)).toBe(2);
  expect(moved("PageDown", 0, 10, 4, 2)).toBe(8);
  expect(moved("End", 3, 10, 4, 2)).toBe(9);
  expect(moved("Home", 3, 10, 4, 2)).toBe(0);
  expect(moved("ArrowRight", -1, 10, 4, 2)).toBe(0);
  expect(moved("ArrowRight", 0, 0, 4, 2)).toBeNull();
  expect(moved("q", 0, 10, 4, 2)).toBeNull();
});

test("bytes that begin in the middle of a buffer are whole numbers all the same", () => {
  const buffer = new Uint8Array(9);
  buffer.set(new Uint8Array(Int32Array.of(7, 258).buffer), 1);
  const model = new FakeModel({ view: new DataView(buffer.buffer, 1) });
  expect([...new Int32Array(bytesOf(model, "view"))]).toEqual([7, 258]);
  expect([...new Int32Array(bytesOf(model, "chosen"))]).toEqual([]);
});

test("a caption says what was predicted, how surely, and what it is", () => {
  expect(captionOf(row(1))).toBe("1.jpg");
  expect(captionOf(row(1, { label: "cat" }))).toBe("cat");
  expect(captionOf(row(1, { label: "cat", predicted: "dog", probability: 0.971, wrong: true }))).toBe("dog .97 · is cat");
  expect(captionOf(row(1, { label: "cat", predicted: "cat", probability: 1 }))).toBe("cat 1.0");
  expect([0.9999, 0.996, 0.05].map(probabilityText)).toEqual([".99", ".99", ".05"]);
});

test("what a stranger wrote is text in the tile, its tooltip and its label", () => {
  const tile = makeTile();
  drawTile(tile, row(1, { name: HOSTILE, label: HOSTILE, reason: HOSTILE }), undefined, { chosen: true, current: true, index: 0, count: 1, id: "x" });
  expect(tile.querySelectorAll("img")).toHaveLength(1);
  expect(tile.querySelector(".mlnb-why")!.textContent).toBe("<img src=x onerror=alert(1)>\\u202e");
  expect(tile.getAttribute("aria-label")).not.toContain("\u202e");
});

test("only what is in sight is in the page, and only that is asked for", async () => {
  const many = traits({ view: new DataView(Int32Array.from({ length: 25_000 }, (_, i) => i).buffer) });
  const model = new FakeModel(many);
  const root = await shown(model);
  expect(root.querySelectorAll(".mlnb-tile").length).toBeLessThan(30);
  expect((last(model, "thumbnails")["rows"] as number[])[0]).toBe(0);
  expect((last(model, "rows")["rows"] as number[]).length).toBeLessThan(30);
  press(root, "End");
  await frame();
  expect(root.querySelector(".mlnb-tile[data-row='24999']")).not.toBeNull();
  expect(root.querySelectorAll(".mlnb-tile").length).toBeLessThan(40);
});

test("the keyboard chooses, labels, leaves out and undoes", async () => {
  const model = new FakeModel(traits());
  const root = await shown(model);
  press(root, "ArrowRight");
  expect(model.get("current")).toBe(5);
  press(root, "ArrowRight");
  press(root, " ");
  expect(last(model, "choose")["rows"]).toEqual([3]);
  press(root, "ArrowRight", { shiftKey: true });
  expect(last(model, "choose")["rows"]).toEqual([3, 1]);
  press(root, "2");
  expect(last(model, "label")).toEqual({ kind: "label", rows: [3, 1], at: 1 });
  press(root, "3"); // there are two labels
  expect(model.sent.filter((one) => (one as { kind: string }).kind === "label")).toHaveLength(1);
  press(root, "x");
  expect(last(model, "leave_out")).toEqual({ kind: "leave_out", rows: [3, 1], value: true });
  press(root, "u");
  expect(last(model, "undo")).toEqual({ kind: "undo" });
  press(root, "a");
  expect(last(model, "choose")["rows"]).toEqual([5, 3, 1, 0, 2, 4]);
  press(root, "Escape");
  expect(last(model, "choose")["rows"]).toEqual([]);
});

test("what the view does not show is not told beside it, and no key means it", async () => {
  const model = new FakeModel(traits({ current: 3 }));
  const root = await shown(model);
  const beside = () => root.querySelector(".mlnb-large")!.textContent;
  expect(beside()).toBe("");
  model.set("view", bytes(5, 1)); // as by a filter, or the tab of the broken ones
  expect(beside()).toContain("Click a picture");
  press(root, "x");
  expect(model.sent.some((one) => (one as { kind: string }).kind === "leave_out")).toBe(false);
  model.set("view", bytes(5, 3, 1));
  press(root, "x");
  expect(last(model, "leave_out")).toEqual({ kind: "leave_out", rows: [3], value: true });
});

test("in labelling mode a key labels one picture and goes on", async () => {
  const model = new FakeModel(traits({ current: 5, chosen: bytes(0, 1, 2), look: { filters: {}, search: "", order: "as they stand", tab: "pictures", labelling: true } }));
  const root = await shown(model);
  press(root, "1");
  press(root, "2");
  const labels = model.sent.filter((one) => (one as { kind: string }).kind === "label");
  expect(labels).toEqual([{ kind: "label", rows: [5], at: 0 }, { kind: "label", rows: [3], at: 1 }]);
  expect(model.get("current")).toBe(1);
});

test("a choice that the kernel has not heard of yet is not taken back by an older one", () => {
  const model = new FakeModel(traits());
  const state = new RowState(model, new Cleanup(), () => {});
  state.pick(3, "alone");
  state.pick(1, "toggle");
  model.set("chosen", bytes(3));
  model.emit("msg:custom", { kind: "chosen" }, []);
  expect([...state.chosen]).toEqual([3, 1]);
  model.set("chosen", bytes(3, 1));
  model.emit("msg:custom", { kind: "chosen" }, []);
  expect([...state.chosen]).toEqual([3, 1]);
  model.set("chosen", bytes(9));
  expect([...state.chosen]).toEqual([9]);
  expect(model.get("current")).toBe(-1); // 9 is not in sight
  model.set("chosen", bytes(2, 5));
  expect(model.get("current")).toBe(5); // the first of them on the page
  state.pick(5, "toggle");
  model.set("chosen", bytes(2));
  model.emit("msg:custom", { kind: "chosen" }, []);
  expect(model.get("current")).toBe(5); // let go here: the keyboard stays
});

test("filters and orders are asked for, and a label is text in its menu", async () => {
  const facets = [{ name: "label", values: [HOSTILE, "dog"], counts: [3, 3] }, { name: "split", values: ["train"], counts: [6] }];
  const model = new FakeModel(traits({ facets, orders: ["as they stand", "by name"] }));
  const root = await shown(model);
  const menu = root.querySelector<HTMLSelectElement>("select[aria-label='filter by label']")!;
  expect(menu.options[1]!.textContent).toBe("<img src=x onerror=alert(1)>\\u202e  3");
  expect(root.querySelector("[aria-label='filter by split']")).toBeNull(); // one value filters nothing
  menu.value = "1";
  menu.dispatchEvent(new Event("change"));
  expect(last(model, "look")).toEqual({ kind: "look", filters: { label: 1 } });
});

test("a view that goes lets its pictures and its listeners go", async () => {
  const model = new FakeModel(traits());
  await shown(model);
  model.emit("msg:custom", { kind: "thumbnails", side: 192, rows: [5], reasons: [""] }, [new DataView(Uint8Array.of(0xff, 0xd8).buffer)]);
  expect(document.querySelector<HTMLImageElement>(".mlnb-tile img")!.src).toContain("blob:");
  close!();
  close = undefined;
  expect(model.listening).toBe(0);
  expect(URL.revokeObjectURL).toHaveBeenCalledTimes(1);
});

test("pictures not looked at for longest are let go, and asked for again", () => {
  const model = new FakeModel({});
  const pictures = new Thumbnails(model, new Cleanup(), 128, 2);
  pictures.want([1, 2, 3]);
  const buffer = new DataView(Uint8Array.of(0x89).buffer);
  model.emit("msg:custom", { kind: "thumbnails", side: 128, rows: [1, 2], reasons: ["", ""] }, [buffer, buffer]);
  expect(pictures.get(1)!.url).toContain("blob:");
  model.emit("msg:custom", { kind: "thumbnails", side: 128, rows: [3], reasons: ["gone"] }, [new DataView(new ArrayBuffer(0))]);
  expect(pictures.get(2)).toBeUndefined();
  expect(pictures.get(3)).toEqual({ url: "", reason: "gone" });
  expect(URL.revokeObjectURL).toHaveBeenCalledTimes(1);
  model.emit("msg:custom", { kind: "thumbnails", side: 384, rows: [9], reasons: [""] }, [buffer]);
  expect(pictures.get(9)).toBeUndefined();
  pictures.want([1, 3]);
  expect(model.sent).toHaveLength(1);
  pictures.want([2, 1]);
  expect(model.sent.at(-1)).toEqual({ kind: "thumbnails", rows: [2], side: 128 });
});
