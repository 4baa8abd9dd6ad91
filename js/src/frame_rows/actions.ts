// What one can do to the rows that are meant: give a label, leave out, and what else the kind has.
import { displayText } from "../display_text";
import { button, h, option } from "../dom";
import type { Model } from "../host";
import { plural } from "../numbers";
import type { Kind } from "./frame_rows";
import type { Look, Row, RowState } from "./row_state";

const KEYS = 9;
export type LabelChoice = { at: number } | { text: string };

export class Actions<R extends Row, L extends Look> {
  readonly element = h("div", { class: "mlnb-actions" });
  private typed = h("input", { type: "text", label: "another label", title: "type a label and press Enter" });
  private known = h("datalist", {});

  constructor(
    private model: Model,
    private state: RowState<R, L>,
    private kind: Kind<R, L>,
    private label: (choice: LabelChoice) => void,
  ) {
    this.known.id = `mlnb-labels-${String(model.get("static_id"))}`;
    this.typed.setAttribute("list", this.known.id);
    this.typed.placeholder = "another label";
    this.typed.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && this.typed.value.trim()) this.type();
    });
  }

  /** All of it; what is in use keeps the focus. */
  draw(): void {
    const meant = this.state.meant();
    const labels = this.model.get("labels") as string[];
    const now = meant.length === 1 ? this.state.row(meant[0]!)?.label : undefined;
    const buttons = labels.slice(0, KEYS).map((name, at) => {
      const one = button("", `label ${displayText(name, 60)}, key ${at + 1}`, () => this.label({ at }));
      one.append(h("kbd", {}, String(at + 1)), " ", displayText(name, 24));
      one.setAttribute("aria-pressed", String(now === name));
      return one;
    });
    this.known.replaceChildren(...labels.slice(KEYS).map((name) => option("", displayText(name, 200))));
    const out = this.all((row) => row.left_out);
    const leave = button(out ? "Take in" : "Leave out", out ? "take in again, key x" : "leave out, key x", () => this.leaveOut());
    const others = [...(this.kind.actions?.() ?? []), leave];
    [...buttons, ...others].forEach((one, at) => (one.dataset["control"] = String(at)));
    for (const one of [...buttons, ...others, this.typed]) one.disabled = meant.length === 0;
    const what = this.state.look.labelling ? "this one is a" : meant.length > 1 ? `${plural(meant.length, this.kind.noun)}, label` : "label";
    const active = document.activeElement as HTMLElement | null;
    const focused = this.element.contains(active) ? active : null;
    this.element.replaceChildren(
      h("span", { class: "mlnb-muted" }, what),
      h("div", { class: "mlnb-labels" }, ...buttons),
      h("div", { class: "mlnb-labels" }, this.typed, this.known, ...others),
    );
    if (focused === this.typed) this.typed.focus();
    else if (focused) this.element.querySelector<HTMLElement>(`[data-control="${focused.dataset["control"]}"]`)?.focus();
  }

  /** Whether something holds for all rows that are meant. */
  all(holds: (row: R) => boolean): boolean {
    const meant = this.state.meant();
    return meant.length > 0 && meant.every((at) => {
      const row = this.state.row(at);
      return row !== undefined && holds(row);
    });
  }

  /** Leave out what is meant, or take it in where all of it is out. */
  leaveOut(): void {
    this.turn("leave_out", (row) => row.left_out);
  }

  /** Send `kind` for the rows that are meant, with false where `holds` for all of them already. */
  turn(kind: string, holds: (row: R) => boolean): void {
    const rows = this.state.meant();
    if (rows.length > 0) this.model.send({ kind, rows, value: !this.all(holds) });
  }

  private type(): void {
    const text = this.typed.value;
    this.typed.value = "";
    this.label({ text });
  }
}
