// Beside the table: the whole of the current text, line by line, and what is known of it.
import { displayText } from "../display_text";
import { h } from "../dom";
import type { Cleanup, Model } from "../host";
import { captionOf, highlighted, type Column, type TextRow } from "./row";

const LONGEST = 1_300_000; // characters of a line; Python sends 200,000, each at most six when escaped
const KEPT = 50;
const PAUSE = 80; // ms; who runs through the rows with an arrow key asks for none of them

export class Whole {
  private said = h("div", { class: "mlnb-name" });
  private facts = h("div", { class: "mlnb-muted" });
  private text = h("div", { class: "mlnb-whole", role: "region", label: "the whole text" });
  readonly elements = [h("div", { class: "mlnb-about" }, this.said, this.facts), this.text];
  private known = new Map<number, string>();
  private current = -1;
  private search = "";
  private shown = "";
  private timer = 0;

  constructor(private model: Model, cleanup: Cleanup, private columns: readonly Column[], back: () => void) {
    this.text.tabIndex = 0;
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Escape") back();
      event.stopPropagation(); // Jupyter has keys of its own
    });
    cleanup.follow(model, "msg:custom", ((message: { kind: string; row: number; text: string }) => {
      if (message.kind !== "text") return;
      if (this.known.size >= KEPT) this.known.clear();
      this.known.set(message.row, message.text);
      if (message.row === this.current && message.text) this.show(message.text);
    }) as never);
    cleanup.add(() => window.clearTimeout(this.timer));
  }

  /** Go into the text, to scroll it. */
  enter(): void {
    this.text.focus();
  }

  draw(row: TextRow | undefined, current: number, search: string): void {
    if (current !== this.current) this.ask(current);
    this.search = search;
    this.said.textContent = row ? captionOf(row) : "";
    this.said.classList.toggle("mlnb-wrong", row?.wrong ?? false);
    this.facts.replaceChildren(...(row ? this.factsOf(row) : []).map((line) => h("div", {}, displayText(line, 300))));
    if (current < 0) this.show("Click a text, or press an arrow key.", "mlnb-muted");
    else if (row?.text === "") this.show("(empty)", "mlnb-muted");
    else if (row) this.show(this.known.get(current) ?? row.text);
  }

  private ask(current: number): void {
    this.current = current;
    window.clearTimeout(this.timer);
    if (current < 0 || this.known.has(current)) return;
    this.timer = window.setTimeout(() => this.model.send({ kind: "text", row: current }), PAUSE);
  }

  private factsOf(row: TextRow): string[] {
    const names = this.columns.filter(({ kind }) => kind === "other").map(({ name }) => name);
    const others = row.others.map((value, at) => (value ? `${names[at]}: ${value}` : ""));
    const state = [row.marked ? "label looks wrong" : "", row.left_out ? "left out" : ""].filter(Boolean).join(", ");
    return [`row ${row.name}${row.split ? ` · ${row.split}` : ""}`, state, ...others].filter(Boolean);
  }

  private show(text: string, className = ""): void {
    const key = `${this.current}\n${this.search}\n${text}`;
    if (key === this.shown) return;
    this.shown = key;
    this.text.className = `mlnb-whole ${className}`;
    this.text.scrollTop = 0;
    this.text.replaceChildren(...text.split("\n").map((line) => {
      const made = h("p", {});
      highlighted(made, displayText(line, LONGEST), this.search);
      return made;
    }));
  }
}
