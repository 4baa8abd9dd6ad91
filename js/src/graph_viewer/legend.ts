// What the colours mean: a line with the ramp and its numbers, and a table of all values that opens
// below it. Both are changed in place, so that neither focus nor scrolling is lost to a new value.
import { button, foreign, h, put } from "../dom";
import { countText } from "../numbers";
import { numberText, type Paint } from "./paint";

const MOST = 500;
const COLOR = /^#[0-9a-f]{6}$/i; // what is no colour goes into no style
type Order = "value" | "name";

export class Legend {
  readonly element = h("div", { class: "mlnb-legend-frame" });
  private readonly label = h("strong", {});
  private readonly low = h("span", { class: "mlnb-muted" });
  private readonly high = h("span", { class: "mlnb-muted" });
  private readonly ramp = h("span", { class: "mlnb-ramp", role: "img" });
  private readonly note = h("span", { class: "mlnb-muted" });
  private readonly choices = h("span", { class: "mlnb-choices", role: "group", label: "what is shown" });
  private readonly opener = button("Values", "show the values as a table", () => this.toggle());
  private readonly table = h("div", { class: "mlnb-values-table", role: "region", label: "the values" });
  private readonly body = h("tbody", {});
  private readonly rows: HTMLTableRowElement[] = [];
  private readonly rest = h("div", { class: "mlnb-muted" });
  private readonly heads: Record<Order, { cell: HTMLElement; sort: HTMLButtonElement }>;
  private order: Order = "value";
  private descending = true;
  private paint: Paint | null = null;

  constructor(
    private readonly go: (id: string) => void,
    private readonly choose: (choice: string) => void,
  ) {
    this.heads = { name: this.head("name"), value: this.head("value") };
    this.table.tabIndex = 0;
    this.table.append(
      h("table", {}, h("thead", {}, h("tr", {}, this.heads.name.cell, this.heads.value.cell)), this.body), this.rest);
    this.opener.setAttribute("aria-expanded", "false");
    this.element.append(
      h("div", { class: "mlnb-legend" }, this.label, this.low, this.ramp, this.high, this.note, h("span", { class: "mlnb-space" }), this.choices, this.opener),
      this.table);
    this.table.hidden = this.element.hidden = true;
  }

  show(paint: Paint | null): void {
    this.paint = paint;
    this.element.hidden = paint === null;
    if (!paint) return;
    const { colors, low, high, scale } = paint.painting;
    put(this.label, paint.label);
    put(this.low, numberText(low));
    put(this.high, numberText(high));
    this.ramp.style.background = `linear-gradient(to right, ${colors.filter((one) => COLOR.test(one)).join(", ")})`;
    this.ramp.setAttribute("aria-label", `colours from ${numberText(low)} to ${numberText(high)}`);
    const wrong = [...paint.values.values()].filter((value) => value !== null && !paint.shade(value).fill).length;
    const notes = [scale === "log" ? "log scale" : "", wrong > 0 ? `${countText(wrong)} hatched: not a number` : ""];
    put(this.note, notes.filter(Boolean).join(" · "));
    this.fill();
  }

  /** Buttons for what else could be painted; none where there is nothing to choose. */
  offer(choices: readonly string[], chosen: string): void {
    const buttons = [...this.choices.children] as HTMLButtonElement[];
    if (buttons.map((one) => one.textContent).join("\n") !== choices.join("\n")) {
      this.choices.replaceChildren(...choices.map((choice) => button(choice, `show ${choice}`, () => this.choose(choice))));
    }
    for (const one of this.choices.children) one.setAttribute("aria-pressed", String(one.textContent === chosen));
  }

  private head(order: Order) {
    const sort = button(order, `sort by ${order}`, () => {
      this.descending = this.order === order ? !this.descending : order === "value";
      this.order = order;
      this.fill();
    });
    const cell = h("th", {}, sort);
    cell.setAttribute("scope", "col");
    return { cell, sort };
  }

  private toggle(): void {
    this.table.hidden = !this.table.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.table.hidden));
    this.fill();
  }

  private fill(): void {
    const { paint, heads } = this;
    if (!paint || this.table.hidden) return;
    put(heads.value.sort, paint.label);
    for (const order of ["name", "value"] as const) {
      const sorted = order !== this.order ? "none" : this.descending ? "descending" : "ascending";
      heads[order].cell.setAttribute("aria-sort", sorted);
    }
    const focused = (document.activeElement as HTMLElement | null)?.dataset?.box;
    const rows = this.sorted(paint);
    rows.slice(0, MOST).forEach(([id, value], at) => this.row(at, id, value, paint));
    for (const left of this.rows.splice(Math.min(rows.length, MOST))) left.remove();
    put(this.rest, rows.length > MOST ? `and ${countText(rows.length - MOST)} more` : "");
    if (focused !== undefined) this.refocus(focused);
  }

  private sorted(paint: Paint): [string, number | null][] {
    const rows = paint.sorted();
    if (this.order === "name") rows.sort(([a], [b]) => (a < b ? -1 : 1));
    return this.descending === (this.order === "value") ? rows : rows.reverse();
  }

  // The rows stay, and change what they say.
  private row(at: number, id: string, value: number | null, paint: Paint): void {
    const row = this.rows[at] ?? this.newRow();
    const go = row.querySelector("button")!;
    if (go.dataset.box !== id) {
      go.dataset.box = id;
      go.setAttribute("aria-label", `go to ${id}`);
      go.replaceChildren(foreign(id.replace(/\/$/, ""), 80));
    }
    const shade = paint.shade(value);
    const swatch = row.querySelector<HTMLElement>(".mlnb-swatch")!;
    swatch.style.background = shade.fill;
    swatch.classList.toggle("mlnb-hatched", shade.fill === "" && value !== null);
    put(swatch.nextElementSibling!, shade.text);
  }

  private newRow(): HTMLTableRowElement {
    const go = h("button", { type: "button", class: "mlnb-link", on: (event) => this.go((event.currentTarget as HTMLElement).dataset.box!) });
    const row = h("tr", {}, h("td", {}, go), h("td", {}, h("span", { class: "mlnb-swatch" }), h("span", {})));
    this.body.append(row);
    this.rows.push(row);
    return row;
  }

  private refocus(id: string): void {
    const active = document.activeElement as HTMLElement | null;
    if (active?.dataset?.box === id || !this.body.contains(active)) return;
    for (const go of this.body.querySelectorAll("button")) if (go.dataset.box === id) go.focus({ preventScroll: true });
  }
}
