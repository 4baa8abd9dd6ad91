import { beforeEach, expect, test } from "vitest";
import widget from "../src/evaluation_report/index";
import { probabilityText } from "../src/numbers";
import { FakeModel } from "./fixtures";

const CLASSES = ["cat", "dog"];
const row = (at: number, label: number, answer: number, more = {}) => ({
  row: at, labels: [label], answers: [answer], probability: 0.97, of_label: null, wrong: label !== answer, name: `${at}.jpg`, ...more,
});
const traits = (more = {}) => ({
  facts: ["98.7%", "96.6 to 99.5", "300 photographs"], beside: "always the same answer 50.0%", notes: ["pixels: BGR"],
  noun: "photograph", content: "picture", many: false, classes: CLASSES, matrix: [[148, 2], [0, 150]], pairs: [],
  table: [{ precision: 1, recall: 0.987, f1: 0.993, support: 150 }, { precision: null, recall: 1, f1: 0.5, support: 150 }],
  calibration: [[0.6, 0.5, 10], [0.99, 1, 290]], order: "wrong", chosen: {}, static_id: "", ...more,
});

let page: HTMLElement;
let model: FakeModel;
let close: () => void;

function open(more = {}): void {
  model = new FakeModel(traits(more));
  page = document.createElement("div");
  document.body.replaceChildren(page);
  close = widget.render({ model, el: page });
}
const sent = (kind: string) => (model.sent as { kind: string }[]).filter((message) => message.kind === kind) as Record<string, unknown>[];
const button = (label: string) => page.querySelector<HTMLButtonElement>(`button[aria-label="${label}"]`)!;
const texts = (selector: string) => [...page.querySelectorAll(selector)].map((element) => element.textContent);
const answer = (rows: unknown[], total = rows.length) =>
  model.emit("msg:custom", { kind: "rows", request: sent("rows").at(-1)!["request"], total, rows }, []);
const press = (element: Element, key: string) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));

beforeEach(() => open());

test("the header says what the mockup says", () => {
  expect(page.querySelector(".mlnb-bar b")!.textContent).toBe("98.7%");
  expect(page.querySelector(".mlnb-facts")!.textContent).toBe("96.6 to 99.5 · 300 photographs");
  expect(texts(".mlnb-beside div")).toEqual(["always the same answer 50.0%", "pixels: BGR"]);
  expect(page.querySelector(".mlnb-hint")!.textContent).toBe("most wrong first · click a cell of the matrix to see its photographs");
});

test("the cells of the matrix are buttons that say what they hold", () => {
  expect(texts(".mlnb-cell")).toEqual(["148", "2", "0", "150"]);
  expect(button("2 photographs: cat, said to be dog").className).toContain("mlnb-wrong");
  expect(button("148 photographs: cat, and said so").className).toContain("mlnb-right");
  expect(button("0 photographs: dog, said to be cat").className).toContain("mlnb-none");
});

test("a cell chooses its rows, and once more lets them go", () => {
  const cell = button("2 photographs: cat, said to be dog");
  cell.click();
  expect(model.get("chosen")).toEqual({ label: 0, answer: 1 });
  expect(model.saved).toBe(1);
  expect(cell.getAttribute("aria-pressed")).toBe("true");
  expect(sent("rows").at(-1)).toMatchObject({ first: 0, count: 24, order: "wrong", chosen: { label: 0, answer: 1 } });
  cell.click();
  expect(model.get("chosen")).toEqual({});
  expect(cell.getAttribute("aria-pressed")).toBe("false");
});

test("a choice asks for its rows once, and a name in the table of classes shows them again", () => {
  const before = sent("rows").length;
  button("2 photographs: cat, said to be dog").click();
  expect(sent("rows").length).toBe(before + 1);
  button("all that are dog").click();
  page.querySelector<HTMLButtonElement>(".mlnb-tabs button[aria-label='classes']")!.click();
  expect(page.querySelector(".mlnb-rows")).toBeNull();
  page.querySelector<HTMLButtonElement>(".mlnb-classes [aria-label='all that are dog']")!.click();
  expect(page.querySelector(".mlnb-rows")).not.toBeNull();
});

test("an arrow key goes one row on, however many answers came before", () => {
  for (let i = 0; i < 3; i++) {
    button("most wrong").click();
    answer([row(1, 0, 0), row(2, 0, 0), row(3, 0, 0), row(4, 0, 0)]);
  }
  const rows = [...page.querySelectorAll<HTMLButtonElement>(".mlnb-row")];
  expect(rows.map(({ tabIndex }) => tabIndex)).toEqual([0, -1, -1, -1]);
  rows[0]!.focus();
  press(rows[0]!, "ArrowRight");
  expect(document.activeElement).toBe(rows[1]);
});

test("a heading chooses all rows of a label, or all of an answer", () => {
  button("all that are dog").click();
  expect(model.get("chosen")).toEqual({ label: 1, answer: -1 });
  button("all said to be cat").click();
  expect(model.get("chosen")).toEqual({ label: -1, answer: 0 });
});

test("one stop for the Tab key, and arrow keys from cell to cell", () => {
  const cells = [...page.querySelectorAll<HTMLButtonElement>(".mlnb-matrix button")];
  expect(cells.filter(({ tabIndex }) => tabIndex === 0).length).toBe(1);
  const first = button("148 photographs: cat, and said so");
  first.focus();
  press(first, "ArrowRight");
  expect(document.activeElement!.textContent).toBe("2");
  press(document.activeElement!, "ArrowDown");
  expect(document.activeElement!.textContent).toBe("150");
  press(document.activeElement!, "ArrowDown");
  expect(document.activeElement!.textContent).toBe("150");
  press(document.activeElement!, "Home");
  expect(document.activeElement!.textContent).toBe("cat");
  expect(cells.filter(({ tabIndex }) => tabIndex === 0)).toEqual([document.activeElement]);
});

test("rows say the answer, and where it is wrong the label", () => {
  answer([row(7, 0, 1), row(8, 1, 1, { probability: 0.998 })]);
  expect(texts(".mlnb-said")).toEqual(["dog .97 · is cat", "dog .99"]);
  expect(page.querySelectorAll(".mlnb-mistake").length).toBe(1);
  expect(page.querySelector(".mlnb-which")!.textContent).toContain("all 2 photographs");
  expect(sent("thumbnails").at(-1)).toMatchObject({ rows: [7, 8], side: 128 });
});

test("of three classes the label's own probability is said too", () => {
  open({ classes: ["a", "b", "c"], matrix: [] });
  answer([row(1, 2, 0, { of_label: 0.02 })]);
  expect(texts(".mlnb-said")).toEqual(["a .97 · is c .02"]);
});

test("pictures take their places, and a broken one says why", () => {
  answer([row(7, 0, 1), row(8, 1, 1)]);
  const jpeg = new DataView(new Uint8Array([0xff, 0xd8, 0xff]).buffer);
  model.emit("msg:custom", { kind: "thumbnails", side: 128, rows: [7, 8], reasons: ["", "truncated"] }, [jpeg, new DataView(new ArrayBuffer(0))]);
  expect(page.querySelectorAll("img").length).toBe(1);
  expect(page.querySelector(".mlnb-row .mlnb-warn")!.textContent).toBe("truncated");
});

test("more rows come on demand, and an answer that is late is not taken", () => {
  const late = sent("rows").at(-1)!["request"];
  answer([row(1, 0, 0), row(2, 0, 0)], 30);
  const more = [...page.querySelectorAll("button")].find(({ textContent }) => textContent === "show 24 of 28 more")!;
  more.click();
  expect(sent("rows").at(-1)).toMatchObject({ first: 2 });
  model.emit("msg:custom", { kind: "rows", request: late, total: 30, rows: [row(3, 0, 0)] }, []);
  expect(page.querySelectorAll(".mlnb-row").length).toBe(2);
  answer([row(4, 0, 0)], 3);
  expect(page.querySelectorAll(".mlnb-row").length).toBe(3);
  expect(more.hidden).toBe(true);
});

test("a row that is clicked is picked alone, and clicked again let go", () => {
  answer([row(1, 0, 0), row(2, 0, 1)]);
  const [first, second] = [...page.querySelectorAll<HTMLButtonElement>(".mlnb-row")];
  first!.click();
  second!.click();
  expect(first!.getAttribute("aria-pressed")).toBe("false");
  expect(second!.getAttribute("aria-pressed")).toBe("true");
  second!.click();
  expect(sent("pick").map(({ rows }) => rows)).toEqual([[1], [2], []]);
});

test("what is chosen in another widget is shown here", () => {
  model.set("chosen", { rows: 5, turn: 1 });
  answer([row(1, 0, 0)]);
  expect(page.querySelector(".mlnb-which")!.textContent).toBe("chosen elsewhere · 1 photographshow all");
  page.querySelector<HTMLButtonElement>(".mlnb-which button")!.click();
  expect(model.get("chosen")).toEqual({});
});

test("the least sure are asked for in their order", () => {
  button("least sure").click();
  expect(model.get("order")).toBe("unsure");
  expect(sent("rows").at(-1)).toMatchObject({ order: "unsure" });
  expect(button("least sure").getAttribute("aria-pressed")).toBe("true");
  expect(page.querySelector(".mlnb-hint")!.textContent).toMatch(/^least sure first/);
});

test("classes are sorted, and where there is nothing to divide a dash stands", () => {
  button("classes").click();
  expect(texts("tbody td")).toContain("–");
  button("sort by F1").click();
  expect(texts(".mlnb-classes tbody button")).toEqual(["dog", "cat"]);
  button("sort by F1").click();
  expect(texts(".mlnb-classes tbody button")).toEqual(["cat", "dog"]);
  expect(page.querySelectorAll(".mlnb-classes th")[3]!.getAttribute("aria-sort")).toBe("descending");
  [...page.querySelectorAll<HTMLButtonElement>(".mlnb-classes tbody button")][1]!.click();
  expect(model.get("chosen")).toEqual({ label: 1, answer: -1 });
  expect(page.querySelector(".mlnb-rows")).not.toBeNull();
});

test("curves are asked for once a class", () => {
  button("curves").click();
  expect(sent("curves").map(({ column }) => column)).toEqual([1]);
  const curve = { x: [0, 1], y: [0, 1], area: 0.987 };
  model.emit("msg:custom", { kind: "curves", column: 1, roc: curve, recall: null }, []);
  expect(texts("figcaption")).toEqual(["calibration", "ROC, area 0.987", "average precision –: one class only"]);
  expect(page.querySelectorAll("circle").length).toBe(2);
  button("classes").click();
  button("curves").click();
  expect(sent("curves").length).toBe(1);
});

test("many classes are a list of what was taken for what", () => {
  open({ matrix: [], pairs: [[0, 1, 12], [1, 0, 3]] });
  expect(texts(".mlnb-pair")).toEqual(["cat → dog12", "dog → cat3"]);
  page.querySelector<HTMLButtonElement>(".mlnb-pair")!.click();
  expect(model.get("chosen")).toEqual({ label: 0, answer: 1 });
});

test("of many labels a class is found, missed or wrongly given", () => {
  open({ many: true, matrix: [[5, 1, 0], [2, 0, 3]] });
  expect(texts("thead th")).toEqual(["found", "missed", "wrongly given"]);
  const cell = button("3 photographs: dog: wrongly given");
  cell.focus();
  press(cell, "ArrowUp");
  expect(document.activeElement!.textContent).toBe("0");
  answer([row(0, 0, 0, { labels: [], answers: [0, 1], wrong: true })]);
  expect(texts(".mlnb-said")).toEqual(["cat, dog .97 · is nothing"]);
});

test("what a stranger wrote stays text", () => {
  const bad = "<img src=x onerror=alert(1)>\u202e";
  open({ classes: [bad, "b"], content: "text", beside: bad, notes: [bad], facts: [bad], noun: bad });
  answer([row(1, 0, 1, { text: bad, name: bad })]);
  button("classes").click();
  model.emit("msg:custom", { kind: "error", message: bad }, []);
  expect(page.querySelector("img")).toBeNull();
  expect(page.textContent).not.toContain("\u202e");
});

test("nothing listens when the view is gone", () => {
  close();
  expect(model.listening).toBe(0);
  expect(page.children.length).toBe(0);
});

test("a probability is said in two digits", () => {
  expect([0.973, 0.5, 0.999, 0.004, 1].map(probabilityText)).toEqual([".97", ".50", ".99", ".00", "1.0"]);
});

test("a click on a sentence asks the model why, and colours its words", () => {
  const hostile = "<img src=x onerror=alert(1)>\u202e";
  open({ content: "text", noun: "sentence", explains: true });
  expect(page.querySelector(".mlnb-hint")!.textContent).toContain(", a sentence to see which words speak for its answer");
  answer([row(7, 0, 1, { text: "cold soup" }), row(8, 1, 1, { text: "good tea" }), row(9, 1, 1, { text: "" })]);
  const [first, second, empty] = page.querySelectorAll<HTMLButtonElement>(".mlnb-row");
  first!.click();
  expect(sent("why")).toEqual([{ kind: "why", row: 7 }]);
  expect(first!.textContent).toContain("asking the model why…");
  const explain = (at: number, more: object) => model.emit("msg:custom", { kind: "why", row: at, ...more }, []);
  explain(8, { label: "cat", words: [["late", 1]] });
  explain(7, { label: hostile, words: [["cold", 0.8], [" ", null], ["soup", -0.3]], words_note: "the first 2 words" });
  expect(texts(".mlnb-words > .mlnb-for")).toEqual(["cold"]);
  expect(texts(".mlnb-words > .mlnb-against")).toEqual(["soup"]);
  expect(texts(".mlnb-key")).toEqual(["speaks for <img src=x onerror=alert(1)>\\u202e · against it · the first 2 words"]);
  second!.click();
  expect(texts(".mlnb-words")).toEqual(["cold soup", "good teaasking the model why…", "(empty)"]);
  explain(8, { problem: "the model is gone" });
  expect(texts(".mlnb-warn")).toEqual(["the model is gone"]);
  empty!.click();
  expect(sent("why").length).toBe(2);
  expect(texts(".mlnb-words")).toEqual(["cold soup", "good tea", "(empty)"]);
  expect(page.querySelector("img")).toBeNull();
});

test("without a model nobody is asked why", () => {
  open({ content: "text", noun: "sentence" });
  answer([row(7, 0, 1, { text: "cold soup" })]);
  page.querySelector<HTMLButtonElement>(".mlnb-row")!.click();
  expect(sent("pick").length).toBe(1);
  expect(sent("why")).toEqual([]);
  expect(page.querySelector(".mlnb-hint")!.textContent).not.toContain("words");
});
