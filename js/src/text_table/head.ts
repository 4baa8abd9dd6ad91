// The headings: a click sorts by a column, up, then down, then not at all.
import { displayText } from "../display_text";
import { button, h } from "../dom";
import type { Column, TextLook } from "./row";

const PLAIN = "as they stand";

export class Head {
  readonly element = h("div", { class: "mlnb-head", role: "row" });
  private cells: [Column, HTMLElement, HTMLButtonElement][];

  constructor(columns: readonly Column[], private look: () => TextLook, change: (part: Partial<TextLook>) => void) {
    this.cells = columns.map((column) => {
      const label = `sort by ${displayText(column.name, 60)}`;
      const sort = button("", label, () => change({ order: nextOrder(column.name, look().order) }));
      const cell = h("div", { class: `mlnb-of-${column.kind}`, role: "columnheader" }, sort);
      return [column, cell, sort];
    });
    this.element.setAttribute("aria-rowindex", "1");
    this.element.append(...this.cells.map(([, cell]) => cell));
  }

  draw(): void {
    const { order } = this.look();
    for (const [{ name }, cell, sort] of this.cells) {
      const arrow = order === `${name} ↑` ? " ↑" : order === `${name} ↓` ? " ↓" : "";
      sort.textContent = `${displayText(name, 30)}${arrow}`;
      cell.setAttribute("aria-sort", arrow === "" ? "none" : arrow === " ↑" ? "ascending" : "descending");
    }
  }
}

/** What a click on the heading of a column asks for. */
export function nextOrder(name: string, order: string): string {
  if (order === `${name} ↑`) return `${name} ↓`;
  return order === `${name} ↓` ? PLAIN : `${name} ↑`;
}
