import { expect, test } from "vitest";
import { header } from "../src/tensor_table/header";
import { oddText, pictureOf, rangeText, shapeText, tensorTable, type Row, type Stats } from "../src/tensor_table/rows";

const stats: Stats = {
  count: 10, minimum: -2.118, maximum: 2.64, mean: 0.0312, std: 1, nan: 0, inf: 0, zeros: 1, histogram: [1, 2, 3], low: -2.2, high: 2.7,
};
const row = (more: Partial<Row> = {}): Row => ({ role: "in", name: "data", dtype: "float32", shape: "[1, 3, N]", ...more });
const cells = (table: HTMLTableElement) => [...table.querySelectorAll("tbody td")].map((cell) => cell.textContent);

test("a row without values says name, dtype and shape", () => {
  const table = tensorTable([row()], "");
  expect([...table.querySelectorAll("th")].map((cell) => cell.textContent)).toEqual(["", "name", "dtype", "shape", ""]);
  expect(cells(table)).toEqual(["in", "data", "float32", "1 × 3 × N", ""]);
});

test("a row with values says range and mean and draws a histogram", () => {
  const table = tensorTable([row({ stats, note: "tabby .91" })], "");
  expect(cells(table)).toEqual(["in", "data", "float32", "1 × 3 × N", "−2.12 … 2.64", "0.0312", "", "tabby .91"]);
  expect(table.querySelectorAll("rect").length).toBe(3);
});

test("the first row carries the button that copies the feed", () => {
  const table = tensorTable([row(), row({ name: "more" })], "m.predict(…)");
  expect(table.querySelectorAll("button").length).toBe(1);
  expect(table.querySelector("tbody tr button")!.textContent).toBe("Copy feed");
});

test("of a thousand inputs eight are shown, and the rest on demand", () => {
  const table = tensorTable(Array.from({ length: 1000 }, (_, i) => row({ name: `in_${i}` })), "");
  expect(table.querySelectorAll("tbody tr").length).toBe(9);
  const more = table.querySelector<HTMLButtonElement>(".mlnb-more")!;
  expect(more.textContent).toBe("and 992 more");
  more.click();
  expect(table.querySelectorAll("tbody tr").length).toBe(1000);
});

test("what is not finite is counted, and what is empty or constant is said", () => {
  expect(oddText({ ...stats, nan: 2, inf: 1200 })).toBe("2 NaN, 1,200 infinite");
  expect(rangeText({ ...stats, count: 0, minimum: null, maximum: null })).toBe("empty");
  expect(rangeText({ ...stats, minimum: null, maximum: null })).toBe("–");
  expect(rangeText({ ...stats, minimum: 3, maximum: 3 })).toBe("3");
});

test("shapes of rows are said like those of edges", () => {
  expect(shapeText("[]")).toBe("scalar");
  expect(shapeText("unknown")).toBe("unknown");
});

test("only an inline PNG becomes an image", () => {
  expect(pictureOf("data:image/png;base64,AAAA", "x")!.alt).toBe("x");
  for (const address of ["https://example.org/x.png", "data:image/svg+xml;base64,AAAA", "javascript:alert(1)", null]) {
    expect(pictureOf(address, "x")).toBeNull();
  }
});

test("a name that is markup stays text, and a long one opens", () => {
  const name = `<img src=x onerror=alert(1)>\u202e${"n".repeat(300)}`;
  const table = tensorTable([row({ name, dtype: "<b>", role: "<i>", shape: "<u>", note: "<s>" })], "<script>");
  document.body.append(table);
  expect(table.querySelector("img, b, i, u, s, script")).toBeNull();
  const clip = table.querySelector<HTMLButtonElement>(".mlnb-clip")!;
  expect(clip.textContent).toMatch(/^<img src=x onerror=alert\(1\)>\\u202en+…$/);
  clip.click();
  expect(clip.textContent!.length).toBe(28 + 6 + 300);
  expect(clip.getAttribute("aria-expanded")).toBe("true");
  table.remove();
});

test("a table with nothing to say in its header has none", () => {
  expect(header("", "")).toBeNull();
  expect(header("m.onnx", "66 nodes", "inferring shapes…")!.textContent).toBe("m.onnx66 nodesinferring shapes…");
});
