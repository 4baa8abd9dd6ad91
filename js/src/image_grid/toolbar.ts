// Above the pictures: what is shown of how many, search, a filter a column, the order, the size.
import { displayText } from "../display_text";
import { button, h } from "../dom";
import type { Model } from "../host";
import { countText, plural } from "../numbers";
import type { Facet, GridState } from "./grid_state";

const PATIENCE = 150; // ms between the last letter and the search

export class Toolbar {
  readonly element = h("div", {});
  private bar = h("div", { class: "mlnb-bar" });
  private tools = h("div", { class: "mlnb-tools" });
  private facts = h("span", { class: "mlnb-muted", role: "status" });
  private title = h("b", { class: "mlnb-title" });
  private search = field("search", "search by file name", "Find a file");
  private undo = button("Undo", "undo the last edit", () => this.model.send({ kind: "undo" }));
  private labelling = button("Label", "label one picture after the other with the keys 1 to 9", () =>
    this.state.change({ labelling: !this.state.look.labelling, tab: "pictures" }));
  private tabs = h("span", { class: "mlnb-choices", role: "tablist" });
  private size = field("range", "size of the thumbnails", "");
  private timer = 0;

  constructor(private model: Model, private state: GridState) {
    this.search.addEventListener("input", () => {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.state.change({ search: this.search.value }), PATIENCE);
    });
    [this.size.min, this.size.max, this.size.step] = ["64", "256", "16"];
    this.size.addEventListener("input", () => {
      model.set("size", Number(this.size.value));
      model.save_changes();
    });
    this.bar.append(this.title, this.facts, h("span", { class: "mlnb-space" }), this.size, this.tabs, this.undo, this.labelling);
    this.element.append(this.bar, this.tools);
    this.draw();
  }

  /** All of it; a control that is in use keeps the focus. */
  draw(): void {
    const { look } = this.state;
    const focused = (document.activeElement as HTMLElement | null)?.dataset?.["control"];
    this.title.textContent = displayText(String(this.model.get("facts")), 200);
    this.undo.disabled = Number(this.model.get("edits")) === 0;
    this.labelling.setAttribute("aria-pressed", String(look.labelling));
    if (document.activeElement !== this.search) this.search.value = look.search;
    this.size.hidden = look.tab === "broken";
    this.size.value = String(this.model.get("size"));
    this.drawTabs();
    const facets = (this.model.get("facets") as Facet[]).filter((facet) => facet.values.length > 1);
    this.tools.replaceChildren(
      this.search,
      ...(look.tab === "broken" ? [] : facets.map((facet) => this.filter(facet))),
      this.order(),
    );
    if (focused) this.tools.querySelector<HTMLElement>(`[data-control="${CSS.escape(focused)}"]`)?.focus();
    this.count();
  }

  /** How many are shown and chosen. */
  count(): void {
    const shown = this.state.view.length;
    const parts = [`${countText(shown)} shown`];
    if (this.state.chosen.size > 0) parts.push(`${countText(this.state.chosen.size)} chosen`);
    this.facts.textContent = parts.join(" · ");
  }

  private drawTabs(): void {
    const broken = Number(this.model.get("broken"));
    const { tab } = this.state.look;
    this.tabs.hidden = broken === 0;
    const made = (["pictures", "broken"] as const).map((name) => {
      const caption = name === "broken" ? `${countText(broken)} broken` : "Pictures";
      const label = name === "broken" ? `show the ${plural(broken, "file")} that cannot be shown` : "show the pictures";
      const one = button(caption, label, () => this.state.change({ tab: name }));
      one.setAttribute("role", "tab");
      one.setAttribute("aria-selected", String(tab === name));
      return one;
    });
    this.tabs.replaceChildren(...made);
  }

  private filter(facet: Facet): HTMLSelectElement {
    const chosen = this.state.look.filters[facet.name];
    const select = menu(`filter by ${facet.name}`, `filter ${facet.name}`);
    select.append(option(`any ${facet.name}`, ""));
    facet.values.forEach((value, i) => select.append(option(`${displayText(value, 40)}  ${countText(facet.counts[i] ?? 0)}`, String(i))));
    select.value = chosen === undefined ? "" : String(chosen);
    select.classList.toggle("mlnb-on", chosen !== undefined);
    select.addEventListener("change", () => {
      const { [facet.name]: _, ...filters } = this.state.look.filters;
      this.state.change({ filters: select.value === "" ? filters : { ...filters, [facet.name]: Number(select.value) } });
    });
    return select;
  }

  private order(): HTMLSelectElement {
    const select = menu("order", "order");
    for (const name of this.model.get("orders") as string[]) select.append(option(name, name));
    select.value = this.state.look.order;
    select.addEventListener("change", () => this.state.change({ order: select.value }));
    return select;
  }
}

function field(type: string, label: string, placeholder: string): HTMLInputElement {
  const input = h("input", { type, label, title: label });
  input.placeholder = placeholder;
  input.dataset["control"] = label;
  return input;
}

function menu(label: string, control: string): HTMLSelectElement {
  const select = h("select", { label, title: label });
  select.dataset["control"] = control;
  return select;
}

function option(caption: string, value: string): HTMLOptionElement {
  const made = h("option", {}, caption);
  made.value = value;
  return made;
}
