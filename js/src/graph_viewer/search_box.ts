// The field that finds boxes: counts the hits as one types, walks through them with Enter.
import { button, h } from "../dom";
import type { Cleanup } from "../host";
import { plural } from "../numbers";
import { SearchIndex, type Found } from "./search";
import type { Viewer } from "./viewer";

let fields = 0;

export class SearchBox {
  readonly input = h("input", { type: "search", label: "find a node, an operation or a tensor" });
  readonly count = h("div", { class: "mlnb-muted mlnb-count", role: "status" });
  readonly element: HTMLElement;
  private index: SearchIndex | null = null;
  private found: Found = { ids: [], hidden: 0 };
  private at = -1;

  constructor(
    private readonly viewer: Viewer,
    cleanup: Cleanup,
    fold: HTMLElement,
  ) {
    const label = h("label", {}, "Find");
    this.input.id = label.htmlFor = `mlnb-find-${++fields}`;
    this.input.placeholder = "name, op or tensor";
    this.input.autocomplete = "off";
    this.input.spellcheck = false;
    this.element = h("div", { class: "mlnb-search", role: "search" }, label, this.input, fold, this.count);
    cleanup.listen(this.input, "focus", () => this.prepare());
    cleanup.listen(this.input, "input", () => this.search());
    cleanup.listen<KeyboardEvent>(this.input, "keydown", (event) => {
      if (event.key === "Enter") void this.step(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") this.clear();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** Another graph: its lines are made when the field is entered, before the first key. */
  reset(): void {
    this.index = null;
    if (this.input.value) this.search();
  }

  /** What is hidden changed: the same words find other boxes. */
  refresh(): void {
    if (this.input.value) this.search();
  }

  clear(): void {
    this.input.value = "";
    this.search();
    this.viewer.view.canvas.focus({ preventScroll: true });
  }

  private prepare(): SearchIndex | null {
    const { model } = this.viewer;
    if (model) this.index ??= new SearchIndex(model);
    return this.index;
  }

  private search(): void {
    const index = this.prepare();
    if (!index) return;
    this.found = index.find(this.input.value, this.viewer.showHidden);
    this.at = -1;
    this.viewer.setHits(this.found.ids);
    this.say();
  }

  private async step(by: number): Promise<void> {
    const { ids } = this.found;
    if (ids.length === 0) return;
    this.at = this.at < 0 ? (by > 0 ? 0 : ids.length - 1) : (this.at + by + ids.length) % ids.length;
    this.say();
    await this.viewer.focus(ids[this.at]!);
  }

  private say(): void {
    const { ids, hidden } = this.found;
    const more = hidden > 0 ? ` · ${hidden} among the hidden` : "";
    if (this.input.value.trim() === "") this.count.replaceChildren();
    else if (ids.length === 0) this.count.replaceChildren(`nothing found${more}`);
    else {
      const place = this.at < 0 ? plural(ids.length, "hit") : `${this.at + 1} of ${ids.length}`;
      const next = button("↵ next", "next hit (Enter)", () => void this.step(1));
      next.className = "mlnb-link";
      this.count.replaceChildren(`${place} · `, next, more);
    }
  }
}
