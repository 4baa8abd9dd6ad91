// A row of the table: the text, what is known of it, and the words that were searched for.
import { displayText } from "../display_text";
import { h, put } from "../dom";
import { tileClass, type TileState } from "../frame_rows/frame_rows";
import type { Look, Row } from "../frame_rows/row_state";
import { probabilityText } from "../numbers";

export interface TextRow extends Row {
  text: string;
  marked: boolean;
  split: string;
  others: string[];
}

export interface TextLook extends Look {
  sure: [number, number];
}

export interface Column {
  kind: "text" | "label" | "predicted" | "probability" | "split" | "other";
  name: string;
}

const LONGEST = 1200; // a text of 400 characters with all of them escaped

export function makeRow(columns: readonly Column[]): HTMLElement {
  const cells = columns.map(({ kind }) => h("div", { class: `mlnb-of-${kind}`, role: "gridcell" }, h("span", {})));
  return h("div", { class: "mlnb-tile", role: "row" }, ...cells);
}

export function drawRow(tile: HTMLElement, columns: readonly Column[], row: TextRow | undefined, state: TileState, search: string): void {
  const others = row ? [...row.others] : [];
  columns.forEach(({ kind }, at) => {
    const cell = tile.children[at]!.firstElementChild as HTMLElement;
    if (kind === "text") drawText(cell, row?.text, search);
    else put(cell, row ? cellText(row, kind, others) : "");
    if (kind === "probability") cell.style.setProperty("--mlnb-share", `${Math.round(100 * (row?.probability ?? 0))}%`);
  });
  tile.id = state.id;
  tile.className = tileClass(row, state, { "mlnb-marked": row?.marked ?? false });
  tile.setAttribute("aria-selected", String(state.chosen));
  tile.setAttribute("aria-rowindex", String(state.index + 2)); // the headings are the first
  tile.setAttribute("aria-label", row ? spoken(row) : "not loaded yet");
}

/** What is known of a row, in a line: `good .97 · is bad`. */
export function captionOf(row: TextRow): string {
  const sure = row.probability === undefined ? "" : ` ${probabilityText(row.probability)}`;
  const label = displayText(row.label ?? "", 60);
  if (row.predicted === undefined) return label;
  return `${displayText(row.predicted, 60)}${sure}${row.wrong ? ` · is ${label}` : ""}`;
}

/** `text` in an element, with what was searched for marked. */
export function highlighted(element: HTMLElement, text: string, search: string): void {
  const wanted = search.trim().toLowerCase();
  const folded = text.toLowerCase();
  const found = wanted !== "" && folded.length === text.length ? folded.indexOf(wanted) : -1;
  if (found < 0) return put(element, text);
  const parts: (Node | string)[] = [];
  let from = 0;
  for (let at = found; at >= 0; at = folded.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), h("mark", {}, text.slice(at, at + wanted.length)));
    from = at + wanted.length;
  }
  element.replaceChildren(...parts, text.slice(from));
}

function drawText(cell: HTMLElement, text: string | undefined, search: string): void {
  const key = `${search}\n${text}`;
  if (cell.dataset["shown"] === key) return;
  cell.dataset["shown"] = key;
  cell.classList.toggle("mlnb-muted", text === "");
  highlighted(cell, text === "" ? "(empty)" : displayText(text ?? "", LONGEST), search);
}

function cellText(row: TextRow, kind: Column["kind"], others: string[]): string {
  if (kind === "probability") return row.probability === undefined ? "" : probabilityText(row.probability);
  const said = kind === "other" ? others.shift() : kind === "split" ? row.split : kind === "label" ? row.label : row.predicted;
  return displayText(said ?? "", 200);
}

function spoken(row: TextRow): string {
  const predicted = row.predicted === undefined ? "" : `predicted ${captionOf(row)}`;
  const parts = [row.text || "empty", row.label ? `label ${row.label}` : "", predicted, row.marked ? "label looks wrong" : "", row.left_out ? "left out" : ""];
  return displayText(parts.filter(Boolean).join(", "), 900);
}
