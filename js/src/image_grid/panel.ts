// Beside the grid: the current picture, larger, and what one can do to the rows that are meant.
import { displayText } from "../display_text";
import { button, expandable, h } from "../dom";
import type { Model } from "../host";
import { plural } from "../numbers";
import type { Thumbnails } from "../thumbnails";
import { captionOf } from "./tile";
import type { GridState } from "./grid_state";

const KEYS = 9;

export class Panel {
  readonly element = h("aside", { class: "mlnb-side", label: "the current picture" });
  private picture = h("div", { class: "mlnb-large" });
  private about = h("div", { class: "mlnb-about" });
  private actions = h("div", { class: "mlnb-actions" });
  private typed = h("input", { type: "text", label: "another label", title: "type a label and press Enter" });
  private known = h("datalist", {});
  private shown = "";

  constructor(
    private model: Model,
    private state: GridState,
    private large: Thumbnails,
    private label: (choice: { at: number } | { text: string }) => void,
  ) {
    this.known.id = `mlnb-labels-${String(model.get("static_id"))}`;
    this.typed.setAttribute("list", this.known.id);
    this.typed.placeholder = "another label";
    this.typed.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && this.typed.value.trim()) this.type();
    });
    this.element.append(this.picture, this.about, this.actions);
  }

  draw(): void {
    const current = this.state.current;
    const row = current < 0 ? undefined : this.state.row(current);
    if (current >= 0) {
      this.state.want([current]);
      if (!row?.reason) this.large.want([current]);
    }
    this.drawPicture(current, row?.name ?? "");
    if (row) {
      this.about.replaceChildren(
        h("div", { class: row.wrong ? "mlnb-name mlnb-wrong" : "mlnb-name" }, captionOf(row)),
        h("div", { class: "mlnb-muted" }, expandable(row.name, 60)),
        ...[...row.facts, row.left_out ? "left out" : ""].filter(Boolean).map((line) => h("div", { class: "mlnb-muted" }, displayText(line, 300))),
      );
    } else this.about.replaceChildren();
    this.drawActions();
  }

  private drawPicture(current: number, name: string): void {
    const found = current < 0 ? undefined : this.large.get(current);
    const key = `${current} ${found?.url ?? ""} ${found?.reason ?? ""}`;
    if (key === this.shown) return;
    this.shown = key;
    if (found?.url) {
      const image = h("img", {});
      image.src = found.url;
      image.alt = name;
      this.picture.replaceChildren(image);
    } else if (current < 0) this.picture.replaceChildren(h("span", { class: "mlnb-muted" }, "Click a picture, or press an arrow key."));
    else if (found?.reason) this.picture.replaceChildren(h("span", { class: "mlnb-warn" }, displayText(found.reason, 300)));
  }

  private drawActions(): void {
    const meant = this.state.meant();
    const labels = this.model.get("labels") as string[];
    const now = meant.length === 1 ? this.state.row(meant[0]!)?.label : undefined;
    const buttons = labels.slice(0, KEYS).map((name, at) => {
      const one = button("", `label ${displayText(name, 60)}, key ${at + 1}`, () => this.label({ at }));
      one.append(h("kbd", {}, String(at + 1)), " ", displayText(name, 24));
      one.setAttribute("aria-pressed", String(now === name));
      return one;
    });
    this.known.replaceChildren(...labels.slice(KEYS).map((name) => {
      const one = h("option", {});
      one.value = displayText(name, 200);
      return one;
    }));
    const out = meant.length > 0 && meant.every((row) => this.state.row(row)?.left_out);
    const leave = button(out ? "Take in" : "Leave out", out ? "take in again, key x" : "leave out, key x", () => this.leaveOut());
    const none = meant.length === 0;
    for (const one of [...buttons, leave, this.typed]) (one as HTMLButtonElement).disabled = none;
    const what = this.state.look.labelling ? "this one is a" : meant.length > 1 ? `${plural(meant.length, "picture")}, label` : "label";
    const focused = document.activeElement === this.typed;
    this.actions.replaceChildren(
      h("span", { class: "mlnb-muted" }, what),
      h("div", { class: "mlnb-labels" }, ...buttons),
      h("div", { class: "mlnb-labels" }, this.typed, this.known, leave),
    );
    if (focused) this.typed.focus();
  }

  /** Leave out what is meant, or take it in where all of it is out. */
  leaveOut(): void {
    const rows = this.state.meant();
    const value = !rows.every((row) => this.state.row(row)?.left_out);
    if (rows.length > 0) this.model.send({ kind: "leave_out", rows, value });
  }

  private type(): void {
    const text = this.typed.value;
    this.typed.value = "";
    this.label({ text });
  }
}
