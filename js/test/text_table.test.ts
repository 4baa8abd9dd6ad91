import { afterEach, beforeEach, expect, test } from "vitest";
import widget from "../src/text_table/index";
import { nextOrder } from "../src/text_table/head";
import { captionOf, drawRow, highlighted, makeRow, type Column, type TextRow } from "../src/text_table/row";
import { FakeModel, until } from "./fixtures";

const HOSTILE = "<img src=x onerror=alert(1)>\u202e";
const SAFE = "<img src=x onerror=alert(1)>\\u202e";
const COLUMNS: Column[] = [
  { kind: "text", name: "Text" }, { kind: "label", name: "Liked" }, { kind: "predicted", name: "predicted" },
  { kind: "probability", name: "probability" }, { kind: "other", name: HOSTILE },
];
const bytes = (...values: number[]) => new DataView(Int32Array.from(values).buffer);
const row = (at: number, more: Partial<TextRow> = {}): TextRow => ({
  row: at, name: String(at), text: `text ${at}`, split: "", others: ["x"], marked: false, left_out: false, edited: false, ...more,
});
const look = (more: Record<string, unknown> = {}) => ({ filters: {}, search: "", order: "as they stand", labelling: false, sure: [0, 1], ...more });
const traits = (more: Record<string, unknown> = {}) => ({
  static_id: "s", facts: "4 texts", facets: [], labels: ["bad", "good"], orders: ["as they stand"], columns: COLUMNS, look: look(),
  view: bytes(3, 1, 0, 2), chosen: bytes(), current: -1, edits: 0, version: 0, ...more,
});
const state = { chosen: false, current: false, index: 4, count: 9, id: "x" };
const sent = (model: FakeModel, kind: string) => model.sent.filter((one) => (one as { kind: string }).kind === kind) as Record<string, unknown>[];
const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 5)));
let close: (() => void) | undefined;

beforeEach(() => {
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
  return document.querySelector<HTMLElement>(".mlnb-text-table")!;
}
const press = (root: HTMLElement, key: string) =>
  root.querySelector(".mlnb-scroll")!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

test("of 100,000 rows only those in sight are in the page and asked for", async () => {
  const model = new FakeModel(traits({ view: new DataView(Int32Array.from({ length: 100_000 }, (_, i) => i).buffer) }));
  const root = await shown(model);
  expect(root.querySelectorAll(".mlnb-tile").length).toBeLessThan(20);
  expect((sent(model, "rows")[0]!["rows"] as number[]).length).toBeLessThan(20);
  press(root, "End");
  await frame();
  expect(root.querySelector(".mlnb-tile[data-row='99999']")!.getAttribute("aria-rowindex")).toBe("100001");
  expect(root.querySelector("[role='grid']")!.getAttribute("aria-rowcount")).toBe("100001");
});

test("what a stranger wrote is text in cells, headings, the whole text and what is spoken", async () => {
  const model = new FakeModel(traits());
  const root = await shown(model);
  model.emit("msg:custom", { kind: "rows", rows: [row(3, { text: HOSTILE, label: HOSTILE, predicted: HOSTILE, others: [HOSTILE], name: HOSTILE })] }, []);
  press(root, "ArrowDown");
  model.emit("msg:custom", { kind: "text", row: 3, text: `${HOSTILE}\n${HOSTILE}` }, []);
  await frame();
  expect(root.querySelector("img")).toBeNull();
  expect(root.textContent).not.toContain("\u202e");
  expect([...root.querySelectorAll(".mlnb-whole p")].map((line) => line.textContent)).toEqual([SAFE, SAFE]);
  expect(root.querySelector(".mlnb-tile .mlnb-of-other")!.textContent).toBe(SAFE);
  expect(root.querySelector(".mlnb-head .mlnb-of-other")!.textContent).toContain("<img src=x");
  expect(root.querySelector(".mlnb-tile")!.getAttribute("aria-label")).not.toContain("\u202e");
});

test("a row says what was predicted, how surely, and that its label was doubted", () => {
  const tile = makeRow(COLUMNS);
  drawRow(tile, COLUMNS, row(1, { label: "bad", predicted: "good", probability: 0.97, wrong: true, marked: true }), state, "");
  expect([...tile.children].map((cell) => cell.textContent)).toEqual(["text 1", "bad", "good", ".97", "x"]);
  expect(tile.className).toBe("mlnb-tile mlnb-wrong mlnb-marked");
  expect(tile.getAttribute("aria-label")).toBe("text 1, label bad, predicted good .97 · is bad, label looks wrong");
  drawRow(tile, COLUMNS, row(2, { text: "" }), state, "");
  expect(tile.children[0]!.textContent).toBe("(empty)");
  expect(captionOf(row(1, { label: "bad" }))).toBe("bad");
});

test("what was searched for is marked, in whatever case", () => {
  const element = document.createElement("span");
  highlighted(element, "Cold soup, cold tea", " COLD ");
  expect([...element.querySelectorAll("mark")].map((one) => one.textContent)).toEqual(["Cold", "cold"]);
  expect(element.textContent).toBe("Cold soup, cold tea");
  highlighted(element, "İ cold", "cold"); // lower case is longer here: better no mark than a wrong one
  expect(element.textContent).toBe("İ cold");
});

test("a heading sorts up, then down, then not at all", async () => {
  expect(nextOrder("a", "as they stand")).toBe("a ↑");
  expect(nextOrder("a", "a ↑")).toBe("a ↓");
  expect(nextOrder("a", "a ↓")).toBe("as they stand");
  expect(nextOrder("a", "b ↓")).toBe("a ↑");
  const model = new FakeModel(traits());
  const root = await shown(model);
  root.querySelector<HTMLElement>(".mlnb-head .mlnb-of-label button")!.click();
  expect(sent(model, "look").at(-1)).toEqual({ kind: "look", order: "Liked ↑" });
  model.set("look", look({ order: "Liked ↑" }));
  expect(root.querySelector(".mlnb-head .mlnb-of-label")!.getAttribute("aria-sort")).toBe("ascending");
  expect(root.querySelector<HTMLSelectElement>("[aria-label='order']")!.value).toBe("Liked ↑");
});

test("two clicks on a heading are two clicks, however late the kernel hears of them", async () => {
  const model = new FakeModel(traits());
  const root = await shown(model);
  const sort = () => root.querySelector<HTMLElement>(".mlnb-head .mlnb-of-label button")!.click();
  sort();
  sort();
  expect(sent(model, "look").map((one) => one["order"])).toEqual(["Liked ↑", "Liked ↓"]);
  model.set("look", look({ order: "Liked ↑" }));
  sort();
  expect(sent(model, "look").at(-1)!["order"]).toBe("as they stand");
  model.emit("msg:custom", { kind: "error", message: "no" }, []);
  sort();
  expect(sent(model, "look").at(-1)!["order"]).toBe("Liked ↓"); // what was refused is not where one is
});

test("the range of the confidence is asked for, and nonsense is all of it", async () => {
  const model = new FakeModel(traits());
  const root = await shown(model);
  const [low, high] = [...root.querySelectorAll<HTMLInputElement>(".mlnb-range input")] as [HTMLInputElement, HTMLInputElement];
  low.value = "0.7";
  high.value = "";
  low.dispatchEvent(new Event("input"));
  await until(() => sent(model, "look").length > 0);
  expect(sent(model, "look").at(-1)).toEqual({ kind: "look", sure: [0.7, 1] });
  high.value = "0.9";
  high.dispatchEvent(new Event("input"));
  high.dispatchEvent(new Event("change")); // the field is left: no waiting
  expect(sent(model, "look").at(-1)).toEqual({ kind: "look", sure: [0.7, 0.9] });
  const without = new FakeModel(traits({ columns: COLUMNS.slice(0, 2) }));
  close!();
  expect((await shown(without)).querySelector(".mlnb-range")).toBeNull();
});

test("the keyboard marks, opens the whole text and comes back", async () => {
  const model = new FakeModel(traits());
  const root = await shown(model);
  model.emit("msg:custom", { kind: "rows", rows: [3, 1, 0, 2].map((at) => row(at)) }, []);
  press(root, "ArrowDown");
  press(root, "w");
  expect(sent(model, "mark").at(-1)).toEqual({ kind: "mark", rows: [3], value: true });
  model.emit("msg:custom", { kind: "rows", rows: [row(3, { marked: true })] }, []);
  press(root, "w");
  expect(sent(model, "mark").at(-1)).toEqual({ kind: "mark", rows: [3], value: false });
  await until(() => sent(model, "text").length > 0);
  expect(sent(model, "text")).toEqual([{ kind: "text", row: 3 }]);
  press(root, "Enter");
  const whole = root.querySelector<HTMLElement>(".mlnb-whole")!;
  expect(document.activeElement).toBe(whole);
  whole.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  expect(document.activeElement).toBe(root.querySelector(".mlnb-scroll"));
  press(root, "2");
  expect(sent(model, "label").at(-1)).toEqual({ kind: "label", rows: [3], at: 1 });
});

test("keys on a heading are its own", async () => {
  const model = new FakeModel(traits({ current: 3 }));
  const root = await shown(model);
  root.querySelector(".mlnb-head button")!.dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true }));
  expect(sent(model, "leave_out")).toEqual([]);
});

test("who runs through the rows asks for the text where they stop", async () => {
  const model = new FakeModel(traits());
  const root = await shown(model);
  for (let i = 0; i < 4; i++) press(root, "ArrowDown");
  await until(() => sent(model, "text").length > 0);
  expect(sent(model, "text")).toEqual([{ kind: "text", row: 2 }]);
});

test("a view that goes lets its listeners go", async () => {
  const model = new FakeModel(traits());
  await shown(model);
  close!();
  close = undefined;
  expect(model.listening).toBe(0);
  expect(document.querySelector(".mlnb")).toBeNull();
});
