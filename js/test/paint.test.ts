import { expect, test } from "vitest";
import { inkOn, numberText, Paint, type Painting, type Sent } from "../src/graph_viewer/paint";
import { Legend } from "../src/graph_viewer/legend";
import { visible } from "../src/graph_viewer/visible";
import { chain, modelOf } from "./fixtures";

const painting = (values: Sent[], more: Partial<Painting> = {}): Painting => ({
  label: "gradient norm", scale: "linear", colors: ["#000000", "#ffffff"], groups: "mean", low: 0, high: 10, values, ...more,
});

function shades(ids: string[], values: Sent[], more: Partial<Painting> = {}, open: string[] = []) {
  const model = modelOf(chain);
  const paint = new Paint(ids, painting(values, more));
  const { boxes } = visible(model, new Set(open), false);
  return (id: string) => paint.shadeOf(boxes.get(id)!, model);
}

test("a box has the colour of its value, with ink that can be read on it", () => {
  const at = shades(["a", "d"], [10, 5]);
  expect(at("a")).toEqual({ value: 10, text: "10", fill: "#ffffff", ink: "#000000", inside: 0 });
  expect(at("d")!.fill).toBe("#808080");
  expect(at("in:x")).toBeNull();
});

test("a closed group shows what is inside, an open one only what is its own", () => {
  expect(shades(["b", "c"], [2, 4])("layer/")).toMatchObject({ value: 3, inside: 2 });
  expect(shades(["b", "c"], [2, 4], { groups: "max" })("layer/")!.value).toBe(4);
  expect(shades(["b", "c"], [2, 4], { groups: "min" })("layer/")!.value).toBe(2);
  expect(shades(["b", "c", "layer/"], [2, 4, 9])("layer/")).toMatchObject({ value: 9, inside: 0 });
  expect(shades(["b", "c"], [2, 4], {}, ["layer/"])("layer/")).toBeNull();
  expect(shades(["layer/"], [9], {}, ["layer/"])("layer/")!.value).toBe(9);
  expect(shades(["a"], [9])("layer/")).toBeNull();
});

test("what is not a number has no colour, and a group does not hide it", () => {
  const at = shades(["b", "c", "d"], ["NaN", 4, null]);
  expect(at("layer/")).toMatchObject({ fill: "", ink: "", text: "NaN" });
  expect(at("d")).toMatchObject({ value: null, fill: "", text: "–" });
  expect(shades(["a"], ["-Infinity"])("a")!.text).toBe("−∞");
});

test("a log scale gives zero the first colour, and a negative number none", () => {
  const at = shades(["a", "b", "c", "d"], [0, 0.1, 1000, -1], { scale: "log", low: 0.1, high: 1000 }, ["layer/"]);
  expect([at("a")!.fill, at("b")!.fill, at("c")!.fill, at("d")!.fill]).toEqual(["#000000", "#000000", "#ffffff", ""]);
});

test("ink and numbers", () => {
  expect([inkOn("#fde725"), inkOn("#440154")]).toEqual(["#000000", "#ffffff"]);
  expect([numberText(0.03123), numberText(Infinity), numberText(null)]).toEqual(["0.0312", "∞", "–"]);
});

test("the table is sorted, keeps its rows, and leads to the boxes", () => {
  const went: string[] = [];
  const legend = new Legend((id) => went.push(id), () => {});
  document.body.append(legend.element);
  const ids = ["a", "<img src=x>", "layer/", "d"];
  legend.show(new Paint(ids, painting([1, "NaN", 3, null])));
  legend.element.querySelector<HTMLElement>(".mlnb-legend button:last-child")!.click();
  const names = () => [...legend.element.querySelectorAll("tbody button")].map((one) => one.textContent);
  expect(names()).toEqual(["<img src=x>", "layer", "a", "d"]);
  expect(legend.element.querySelector("img")).toBeNull();
  expect(legend.element.querySelector(".mlnb-legend")!.textContent).toContain("1 hatched: not a number");
  const rows = [...legend.element.querySelectorAll("tbody tr")];
  legend.show(new Paint(ids, painting([9, 2, 3, null])));
  expect(names()).toEqual(["a", "layer", "<img src=x>", "d"]);
  expect([...legend.element.querySelectorAll("tbody tr")]).toEqual(rows);
  legend.element.querySelectorAll<HTMLElement>("tbody button")[1]!.click();
  expect(went).toEqual(["layer/"]);
  legend.show(null);
  expect(legend.element.hidden).toBe(true);
});

test("only colours go into the style of the ramp", () => {
  const legend = new Legend(() => {}, () => {});
  legend.show(new Paint(["a"], painting([1], { colors: ["#000000", "url(http://x/)", "#FFFFFF"] })));
  const { background } = legend.element.querySelector<HTMLElement>(".mlnb-ramp")!.style;
  expect(background).not.toContain("url");
  expect(background.toLowerCase()).toContain("#000000, #ffffff");
});

test("what else could be painted is offered, and what is painted is pressed", () => {
  const chosen: string[] = [];
  const legend = new Legend(() => {}, (choice) => chosen.push(choice));
  legend.show(new Paint(["a"], painting([1])));
  legend.offer(["gradient norm", "dead units"], "gradient norm");
  const buttons = [...legend.element.querySelectorAll<HTMLElement>(".mlnb-choices button")];
  expect(buttons.map((one) => one.getAttribute("aria-pressed"))).toEqual(["true", "false"]);
  buttons[1]!.click();
  expect(chosen).toEqual(["dead units"]);
  legend.offer(["gradient norm", "dead units"], "dead units");
  expect(legend.element.querySelectorAll(".mlnb-choices button")[1]).toBe(buttons[1]);
});
