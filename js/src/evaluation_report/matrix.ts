// The confusion matrix: a table of buttons, each of which shows its rows. Of many classes the list
// of what was taken for what, because nobody reads a matrix of a million cells.
import { h } from "../dom";
import { countText } from "../numbers";
import { MANY_COLUMNS, same, type Chosen, type Report } from "./report";
import { roveList, roveTable } from "./roving";

type Choose = (chosen: Chosen) => void;

/** The matrix, or the list; `mark` shows which cell is chosen. */
export function matrixView(report: Report, choose: Choose): { element: HTMLElement; mark: (chosen: Chosen) => void } {
  const cells: [Chosen, HTMLButtonElement][] = [];
  const cell = (caption: string, label: string, chosen: Chosen, className: string) => {
    const button = h("button", { type: "button", class: className, label, title: label }, caption);
    button.addEventListener("click", () => choose(same(report.chosen, chosen) ? {} : chosen));
    cells.push([chosen, button]);
    return button;
  };
  const element = report.matrix.length > 0 ? matrix(report, cell) : pairs(report, cell);
  const mark = (chosen: Chosen) => {
    for (const [one, button] of cells) button.setAttribute("aria-pressed", String(same(one, chosen)));
  };
  mark(report.chosen);
  return { element, mark };
}

type MakeCell = (caption: string, label: string, chosen: Chosen, className: string) => HTMLButtonElement;

function matrix(report: Report, cell: MakeCell): HTMLElement {
  const columns = report.many ? MANY_COLUMNS : report.classes.map((_, at) => report.name(at, 18));
  const head = h("tr", {}, h("td"), ...columns.map((name, at) => {
    const title = report.many ? name : cell(name, report.words({ answer: at }), { label: -1, answer: at }, "mlnb-link");
    return heading("col", title);
  }));
  const large = report.classes.length > 8;
  const lines = report.matrix.map((counts, label) => {
    const total = Math.max(1, report.table[label]!.support);
    const name = cell(report.name(label, 18), report.words({ label }), { label, answer: -1 }, "mlnb-link");
    return h("tr", {}, heading("row", name), ...counts.map((count, answer) => {
      const right = report.many ? answer === 0 : answer === label;
      const chosen = { label, answer };
      const kind = count === 0 ? "mlnb-none" : right ? "mlnb-right" : "mlnb-wrong";
      const caption = large && count === 0 ? "" : countText(count);
      const button = cell(caption, `${report.count(count)}: ${report.words(chosen)}`, chosen, `mlnb-cell ${kind}`);
      button.style.setProperty("--mlnb-share", String(Math.round(100 * Math.min(1, count / total))));
      return h("td", {}, button);
    }));
  });
  const table = h("table", { class: `mlnb-matrix${large ? " mlnb-large" : ""}`, label: "confusion: a row a label, a column an answer" },
    h("thead", {}, head), h("tbody", {}, ...lines));
  roveTable(table);
  return h("div", { class: "mlnb-matrix-box" },
    h("div", { class: "mlnb-muted" }, report.many ? "a row a class" : "a row a label, a column an answer"),
    h("div", { class: "mlnb-scroll" }, table));
}

function pairs(report: Report, cell: MakeCell): HTMLElement {
  const list = h("ul", { class: "mlnb-pairs", label: "what was taken for what, the most often first" },
    ...report.pairs.map(([label, answer, count]) => {
      const chosen = { label: label!, answer: answer! };
      const button = cell("", `${report.count(count!)}: ${report.words(chosen)}`, chosen, "mlnb-pair");
      button.append(
        h("span", { class: "mlnb-name" }, `${report.name(label!, 28)} → ${report.name(answer!, 28)}`),
        h("span", { class: "mlnb-number" }, countText(count!)),
      );
      return h("li", {}, button);
    }));
  roveList(list);
  const said = report.pairs.length > 0 ? "what was taken for what" : "nothing was taken for anything else";
  return h("div", { class: "mlnb-matrix-box" }, h("div", { class: "mlnb-muted" }, said), list);
}

function heading(scope: "col" | "row", content: Node | string): HTMLTableCellElement {
  const element = h("th", {}, content);
  element.scope = scope;
  return element;
}
