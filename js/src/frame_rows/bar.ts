// Above the rows: how many are shown, what undoes and labels, search, a filter a column, the order.
import { displayText } from "../display_text";
import { button, h, option } from "../dom";
import type { Model } from "../host";
import { countText } from "../numbers";
import type { Kind } from "./frame_rows";
import type { Facet, Look, Row, RowState } from "./row_state";

const PATIENCE = 150; // ms between the last letter and the search

export class Bar<R extends Row, L extends Look> {
  readonly element = h("div", {});
  private tools = h("div", { class: "mlnb-tools" });
  private facts = h("span", { class: "mlnb-muted", role: "status" });
  private title = h("b", { class: "mlnb-title" });
  private search: HTMLInputElement;
  private undo = button("Undo", "undo the last edit", () => this.model.send({ kind: "undo" }));
  private labelling: HTMLButtonElement;

  constructor(private model: Model, private state: RowState<R, L>, private kind: Kind<R, L>) {
    this.search = field("search", kind.search.label, kind.search.placeholder);
    patiently(this.search, () => this.state.change({ search: this.search.value } as Partial<L>));
    this.labelling = button("Label", `label one ${kind.noun} after the other with the keys 1 to 9`, () =>
      this.state.change({ labelling: !this.state.look.labelling, ...kind.whenLabelling } as Partial<L>));
    this.element.append(
      h("div", { class: "mlnb-bar" }, this.title, this.facts, h("span", { class: "mlnb-space" }),
        h("span", { class: "mlnb-doing" }, ...(kind.bar ?? []), this.undo, this.labelling)),
      this.tools);
  }

  /** All of it; a control that is in use keeps the focus. */
  draw(): void {
    const { look } = this.state;
    const focused = (document.activeElement as HTMLElement | null)?.dataset?.["control"];
    this.title.textContent = displayText(String(this.model.get("facts")), 200);
    this.undo.disabled = Number(this.model.get("edits")) === 0;
    this.labelling.setAttribute("aria-pressed", String(look.labelling));
    if (document.activeElement !== this.search) this.search.value = look.search;
    this.kind.drawBar?.();
    const facets = (this.model.get("facets") as Facet[]).filter((facet) => divides(facet) || look.filters[facet.name] !== undefined);
    const filters = this.kind.hasFilters?.() ?? true;
    this.tools.replaceChildren(
      this.search,
      ...(filters ? facets.map((facet) => this.filter(facet)) : []),
      ...(this.kind.tools ?? []),
      this.order(),
    );
    if (focused) this.tools.querySelector<HTMLElement>(`[data-control="${CSS.escape(focused)}"]`)?.focus();
    this.count();
  }

  /** How many are shown and chosen. */
  count(): void {
    const parts = [`${countText(this.state.view.length)} shown`];
    if (this.state.chosen.size > 0) parts.push(`${countText(this.state.chosen.size)} chosen`);
    this.facts.textContent = parts.join(" · ");
  }

  private filter(facet: Facet): HTMLSelectElement {
    const chosen = this.state.look.filters[facet.name];
    const select = menu(`filter by ${facet.name}`, `filter ${facet.name}`);
    select.append(option(`any ${facet.name}`, ""));
    facet.values.forEach((value, i) => select.append(option(`${displayText(value, 40)}  ${countText(facet.counts[i] ?? 0)}`, String(i))));
    select.value = chosen === undefined ? "" : String(chosen);
    select.classList.toggle("mlnb-on", chosen !== undefined);
    select.addEventListener("change", () => {
      const { [facet.name]: _, ...others } = this.state.look.filters;
      const filters = select.value === "" ? others : { ...others, [facet.name]: Number(select.value) };
      this.state.change({ filters } as Partial<L>);
    });
    return select;
  }

  private order(): HTMLSelectElement {
    const select = menu("order", "order");
    const { order } = this.state.look;
    const orders = this.model.get("orders") as string[];
    for (const name of new Set([...orders, order])) select.append(option(displayText(name, 40), name));
    select.value = order;
    select.addEventListener("change", () => this.state.change({ order: select.value } as Partial<L>));
    return select;
  }
}

/** Whether it has rows of more than one value. */
const divides = (facet: Facet): boolean => facet.counts.filter((count) => count > 0).length > 1;

/** A field of the bar, which `draw` gives the focus back. */
export function field(type: string, label: string, placeholder = ""): HTMLInputElement {
  const input = h("input", { type, label, title: label });
  input.placeholder = placeholder;
  input.dataset["control"] = label;
  return input;
}

/** Call `changed` a moment after the last letter, or at once when the field is left. */
export function patiently(input: HTMLInputElement, changed: () => void): void {
  let timer = 0;
  const now = () => {
    window.clearTimeout(timer);
    timer = 0;
    changed();
  };
  input.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(now, PATIENCE);
  });
  input.addEventListener("change", () => timer && now());
}

function menu(label: string, control: string): HTMLSelectElement {
  const select = h("select", { label, title: label });
  select.dataset["control"] = control;
  return select;
}
