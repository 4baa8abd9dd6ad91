// Rows of a frame, to look through, to choose and to label: what the grid of pictures and the table
// of texts share. Traits: facts, facets, labels, orders, look, view, chosen, current, edits, version;
// look, rows, choose, label, leave_out and undo go up.
import { h } from "../dom";
import { text, type Cleanup, type Model } from "../host";
import { hideStaticOutput } from "../static_output";
import { followWidth } from "../width";
import { Actions, type LabelChoice } from "./actions";
import { Bar } from "./bar";
import { howOf, moved } from "./choice";
import { RowState, type Changed, type Look, type Row } from "./row_state";
import { Scroller, type Measures } from "./scroller";

const TOLD = ["facts", "facets", "orders", "labels", "edits", "look"];

export interface TileState {
  chosen: boolean;
  current: boolean;
  index: number;
  count: number;
  id: string;
}

/** What one kind of rows has of its own. */
export interface Kind<R extends Row, L extends Look> {
  className: string;
  noun: string;
  search: { label: string; placeholder: string };
  make: () => HTMLElement;
  draw: (tile: HTMLElement, row: R | undefined, at: number, state: TileState) => void;
  measures: () => Measures;
  sight?: (rows: number[]) => void;
  head?: HTMLElement; // stays above the rows
  bar?: HTMLElement[]; // beside the title
  drawBar?: () => void;
  tools?: HTMLElement[]; // beside the filters
  hasFilters?: () => boolean;
  narrowed?: () => boolean; // whether something else than filters and search hides rows
  whenLabelling?: Partial<L>;
  about: HTMLElement[]; // of the current row, above the actions
  drawAbout: (row: R | undefined, current: number) => void;
  actions?: () => HTMLButtonElement[];
  press?: (key: string) => boolean;
  lay?: () => void;
}

export class FrameRows<R extends Row, L extends Look> {
  readonly root: HTMLElement;
  readonly state: RowState<R, L>;
  readonly scroller: Scroller;
  readonly actions: Actions<R, L>;
  private bar: Bar<R, L>;
  private note = h("div", { class: "mlnb-note" });
  private follows = true; // whether the one chosen row goes along with the arrow keys
  private ready = false;

  constructor(private model: Model, private cleanup: Cleanup, private kind: Kind<R, L>) {
    this.root = h("div", { class: `mlnb mlnb-frame-rows ${kind.className}` });
    cleanup.add(hideStaticOutput(text(model, "static_id"), this.root));
    this.root.dataset["lmSuppressShortcuts"] = "true";
    this.state = new RowState<R, L>(model, cleanup, (what) => this.ready && this.redraw(what));
    this.bar = new Bar(model, this.state, kind);
    this.actions = new Actions(model, this.state, kind, (choice) => this.label(choice));
    const draw = (tile: HTMLElement, row: number, index: number) => this.tile(tile, row, index);
    const sight = (rows: number[]) => {
      this.state.want(rows);
      kind.sight?.(rows);
    };
    this.scroller = new Scroller(cleanup, { make: kind.make, draw, sight }, kind.head);
    this.scroller.element.setAttribute("aria-label", `${kind.noun}s`);
  }

  /** Put it on the page and follow what changes. */
  show(el: HTMLElement): void {
    const { model, cleanup, kind, scroller } = this;
    cleanup.listen(scroller.element, "click", (event: MouseEvent) => this.click(event));
    cleanup.listen(scroller.element, "keydown", (event: KeyboardEvent) => {
      if (event.target !== scroller.element || !this.act(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    for (const trait of TOLD) cleanup.follow(model, `change:${trait}`, () => this.tell());
    cleanup.follow(model, "change:current", () => {
      scroller.refresh();
      this.aside();
    });
    const side = h("aside", { class: "mlnb-side", label: `the current ${kind.noun}` }, ...kind.about, this.actions.element);
    this.root.append(
      this.bar.element,
      h("div", { class: "mlnb-body" }, h("div", { class: "mlnb-main" }, scroller.element, this.note), side));
    el.append(this.root);
    cleanup.add(() => this.root.remove());
    followWidth(this.root, cleanup);
    this.ready = true;
    this.tell();
    requestAnimationFrame(() => scroller.reveal(this.state.at));
    this.root.dataset["state"] = "ready";
  }

  /** Bar, rows and what stands beside them. */
  tell(): void {
    this.bar.draw();
    this.aside();
    this.lay();
  }

  /** The rows in their places. */
  lay(): void {
    const { look, view } = this.state;
    this.root.classList.toggle("mlnb-labelling", look.labelling);
    this.kind.lay?.();
    this.scroller.show(view, this.kind.measures());
    this.note.hidden = view.length > 0;
    const narrowed = Object.keys(look.filters).length > 0 || look.search || this.kind.narrowed?.();
    this.note.textContent = narrowed ? `No ${this.kind.noun} is as the filters ask.` : `The frame has no ${this.kind.noun}s.`;
  }

  /** What stands beside the rows. */
  aside(): void {
    const { current } = this.state;
    if (current >= 0) this.state.want([current]);
    this.kind.drawAbout(current < 0 ? undefined : this.state.row(current), current);
    this.actions.draw();
  }

  private tile(tile: HTMLElement, row: number, index: number): void {
    const { state } = this;
    tile.dataset["row"] = String(row);
    this.kind.draw(tile, state.row(row), row, {
      chosen: state.chosen.has(row),
      current: row === state.current,
      index,
      count: state.view.length,
      id: this.id(row),
    });
  }

  private redraw(what: Changed): void {
    const { state, scroller } = this;
    if (what === "view") {
      this.bar.draw();
      this.lay();
      if (!state.look.labelling) scroller.toTop();
      else if (state.at < 0) this.go(0);
      else scroller.reveal(state.at);
    } else scroller.refresh();
    if (what === "rows") this.lay(); // what is in sight is asked for again
    this.bar.count();
    this.aside();
  }

  /** The keyboard on the row at this place of the view. */
  private go(index: number): void {
    const { state, scroller } = this;
    if (index < 0 || index >= state.view.length) return;
    state.current = state.view[index]!;
    scroller.reveal(index);
    scroller.refresh();
    scroller.element.setAttribute("aria-activedescendant", this.id(state.current));
    this.aside();
  }

  private label(choice: LabelChoice): void {
    const { state } = this;
    const rows = state.meant();
    if (rows.length === 0) return;
    this.model.send({ kind: "label", rows, ...choice });
    if (state.look.labelling) this.go(state.at + 1);
  }

  private click(event: MouseEvent): void {
    const { state } = this;
    const tile = (event.target as HTMLElement).closest<HTMLElement>(".mlnb-tile");
    if (!tile) return;
    const row = Number(tile.dataset["row"]);
    const how = howOf(event);
    this.follows = how === "alone";
    if (how !== "range" || state.anchor < 0) state.current = row;
    if (how === "alone" && state.chosen.size === 1 && state.chosen.has(row)) state.choose([]);
    else state.pick(row, how);
    this.go(state.view.indexOf(row));
  }

  private act(event: KeyboardEvent): boolean {
    const { key } = event;
    const { state, scroller } = this;
    const { at } = state;
    const next = moved(key, at, state.view.length, scroller.columns, scroller.page);
    if (next !== null) {
      const along = this.follows && state.chosen.size === 1 && state.chosen.has(state.current);
      if (event.shiftKey && state.anchor < 0) state.anchor = state.current;
      this.go(next);
      if (event.shiftKey) state.pick(state.current, "range");
      else if (along) state.pick(state.current, "alone");
      return true;
    }
    if (key === "a") state.choose(state.view);
    else if (key === "Escape") state.choose([]);
    else if (key === " " && at >= 0) {
      this.follows = false;
      state.pick(state.current, "toggle");
    } else if (event.ctrlKey || event.metaKey || event.altKey) return false;
    else if (key >= "1" && key <= "9" && Number(key) <= (this.model.get("labels") as string[]).length) this.label({ at: Number(key) - 1 });
    else if (key === "x") this.actions.leaveOut();
    else if (key === "u") this.model.send({ kind: "undo" });
    else return this.kind.press?.(key) ?? false;
    return true;
  }

  private id(row: number): string {
    return `mlnb-${text(this.model, "static_id")}-${row}`;
  }
}

/** The class of a tile by what is known of its row. */
export function tileClass(row: Row | undefined, state: TileState, others: Record<string, boolean> = {}): string {
  const on: Record<string, boolean> = {
    "mlnb-tile": true,
    "mlnb-chosen": state.chosen,
    "mlnb-current": state.current,
    "mlnb-left-out": row?.left_out ?? false,
    "mlnb-wrong": row?.wrong ?? false,
    "mlnb-edited": row?.edited ?? false,
    ...others,
  };
  return Object.keys(on).filter((name) => on[name]).join(" ");
}
