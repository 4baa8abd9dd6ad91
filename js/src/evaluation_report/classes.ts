// Precision, recall and F1 of every class; a heading sorts, a name shows the rows of the class.
import { h } from "../dom";
import { countText } from "../numbers";
import type { Chosen, Report, Scores } from "./report";

const FIRST = 100;
const NUMBERS = ["precision", "recall", "f1", "support"] as const;

/** The table; the weakest are found by a click on F1. */
export function classesView(report: Report, choose: (chosen: Chosen) => void): HTMLElement {
  let by: keyof Scores | "class" = "class";
  let falling = false;
  let shown = FIRST;
  const body = h("tbody");
  const headings = (["class", ...NUMBERS] as const).map((name) => {
    const caption = name === "f1" ? "F1" : name === "support" ? `${report.noun}s` : name;
    const sort = h("button", { type: "button", class: "mlnb-link", label: `sort by ${caption}` }, caption);
    const element = h("th", {}, sort);
    element.scope = "col";
    sort.addEventListener("click", () => {
      falling = by === name ? !falling : false;
      by = name;
      draw();
    });
    return [name, element] as const;
  });
  const draw = () => {
    for (const [name, element] of headings) {
      element.setAttribute("aria-sort", name === by ? (falling ? "descending" : "ascending") : "none");
    }
    const order = report.table.map((_, at) => at);
    const value = (at: number) => (by === "class" ? at : report.table[at]![by] ?? -1);
    order.sort((a, b) => (falling ? -1 : 1) * (value(a) - value(b)));
    body.replaceChildren(...order.slice(0, shown).map((at) => line(report, at, choose)));
    const rest = order.length - shown;
    if (rest > 0) {
      const more = h("button", { type: "button", class: "mlnb-more", on: () => ((shown = order.length), draw()) }, `and ${countText(rest)} more`);
      const cell = h("td", {}, more);
      cell.colSpan = headings.length;
      body.append(h("tr", {}, cell));
    }
  };
  draw();
  const table = h("table", { class: "mlnb-classes", label: "the classes" },
    h("thead", {}, h("tr", {}, ...headings.map(([, element]) => element))), body);
  return h("div", { class: "mlnb-scroll" }, table);
}

function line(report: Report, at: number, choose: (chosen: Chosen) => void): HTMLTableRowElement {
  const scores = report.table[at]!;
  const chosen = { label: at, answer: -1 };
  const name = h("button", { type: "button", class: "mlnb-link", label: report.words(chosen), on: () => choose(chosen) }, report.name(at));
  const numbers = NUMBERS.map((column) => {
    const value = scores[column];
    const text = value === null ? "–" : column === "support" ? countText(value) : value.toFixed(3);
    const cell = h("td", { class: "mlnb-number" }, text);
    if (value !== null && column !== "support") cell.style.setProperty("--mlnb-share", `${Math.round(100 * value)}%`);
    return cell;
  });
  return h("tr", {}, h("td", {}, name), ...numbers);
}
