// The IO card: one line a tensor, the same in the table of its own and on top of the graph.
import { copyButton } from "../clipboard";
import { expandable, foreign, h } from "../dom";
import { histogram } from "../histogram";
import { countText, plural, valueText } from "../numbers";

export interface Stats {
  count: number;
  minimum: number | null;
  maximum: number | null;
  mean: number | null;
  std: number | null;
  nan: number;
  inf: number;
  zeros: number;
  histogram: number[];
  low: number | null;
  high: number | null;
}

export interface Row {
  role: string;
  name: string;
  dtype: string;
  shape: string;
  stats?: Stats | null;
  picture?: string | null;
  note?: string;
}

const FIRST = 8;
const PNG = "data:image/png;base64,";

/** The table of `rows`; the first `feed` line carries the button that copies it. */
export function tensorTable(rows: readonly Row[], feed: string): HTMLTableElement {
  const filled = rows.some((row) => row.stats || row.picture);
  const shown = rows.slice(0, FIRST);
  const body = h("tbody", {}, ...shown.map((row, i) => line(row, filled, i === 0 ? feed : "")));
  const rest = rows.slice(FIRST);
  if (rest.length > 0) {
    const more = h("button", { type: "button", class: "mlnb-more" }, `and ${plural(rest.length, "more").replace(/s$/, "")}`);
    const last = h("tr", { class: "mlnb-rest" }, cell("", more, filled ? 8 : 5));
    more.addEventListener("click", () => {
      last.replaceWith(...rest.map((row) => line(row, filled, "")));
    });
    body.append(last);
  }
  const names = filled
    ? ["", "name", "dtype", "shape", "range", "mean", "values", ""]
    : ["", "name", "dtype", "shape", ""];
  const head = h("thead", {}, h("tr", {}, ...names.map((name) => heading(name))));
  return h("table", { class: `mlnb-io${filled ? " mlnb-filled" : ""}`, label: "inputs and outputs" }, head, body);
}

function line(row: Row, filled: boolean, feed: string): HTMLTableRowElement {
  const action = h("span", { class: "mlnb-action" });
  if (row.note) action.append(foreign(row.note, 120, "mlnb-muted"));
  if (feed) action.append(copyButton("Copy feed", "Copy the call that feeds this model, as Python code", () => feed));
  const cells = [
    cell("mlnb-tag", foreign(row.role, 12)),
    cell("mlnb-name", expandable(row.name, 64, "mlnb-code")),
    cell("", foreign(row.dtype, 24)),
    cell("mlnb-shape", expandable(shapeText(row.shape), 64)),
  ];
  if (filled) cells.push(...valueCells(row));
  return h("tr", {}, ...cells, cell("mlnb-last", action));
}

function valueCells({ stats, picture, name }: Row): HTMLTableCellElement[] {
  const drawn = h("span", { class: "mlnb-values" });
  const image = pictureOf(picture, `values of ${name}`);
  if (stats && stats.histogram.length > 0) drawn.append(histogram(stats.histogram, rangeText(stats)));
  if (image) drawn.append(image);
  const odd = stats ? oddText(stats) : "";
  if (odd) drawn.append(h("span", { class: "mlnb-warn" }, odd));
  return [
    labelled("range", stats ? rangeText(stats) : ""),
    labelled("mean", stats ? valueText(stats.mean) : ""),
    cell("mlnb-drawn", drawn),
  ];
}

/** `−2.12 … 2.64`, or the one value there is. */
export function rangeText(stats: Stats): string {
  if (stats.minimum === null || stats.maximum === null) return stats.count === 0 ? "empty" : "–";
  if (stats.minimum === stats.maximum) return valueText(stats.minimum);
  return `${valueText(stats.minimum)} … ${valueText(stats.maximum)}`;
}

/** What is not a finite number, in words; "" where all are. */
export function oddText(stats: Stats): string {
  const parts = [];
  if (stats.nan > 0) parts.push(`${countText(stats.nan)} NaN`);
  if (stats.inf > 0) parts.push(`${countText(stats.inf)} infinite`);
  return parts.join(", ");
}

/** `[1, 3, 224, 224]` as `1 × 3 × 224 × 224`, `[]` as `scalar`. */
export function shapeText(shape: string): string {
  if (!shape.startsWith("[") || !shape.endsWith("]")) return shape;
  const inside = shape.slice(1, -1).trim();
  return inside === "" ? "scalar" : inside.replaceAll(", ", " × ");
}

/** An image of ours, or nothing: any other address than an inline PNG is refused. */
export function pictureOf(address: string | null | undefined, label: string): HTMLImageElement | null {
  if (!address?.startsWith(PNG)) return null;
  const image = h("img", { class: "mlnb-picture" });
  image.alt = label;
  image.src = address;
  return image;
}

function cell(className: string, content: Node, span = 1): HTMLTableCellElement {
  const element = h("td", { class: className }, content);
  if (span > 1) element.colSpan = span;
  return element;
}

function labelled(label: string, value: string): HTMLTableCellElement {
  const element = h("td", { class: `mlnb-number mlnb-${label}` }, value);
  if (value) element.dataset.label = label;
  return element;
}

function heading(name: string): HTMLTableCellElement {
  const element = h("th", {}, name);
  element.scope = "col";
  return element;
}
