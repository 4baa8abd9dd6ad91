// What the page knows of the frame: the order, the chosen rows, and the rows that were in sight.
import { bytesOf, type Cleanup, type Model } from "../host";
import type { How } from "./choice";
import { picked } from "./choice";

export interface Row {
  row: number;
  name: string;
  left_out: boolean;
  edited: boolean;
  label?: string;
  predicted?: string;
  probability?: number;
  wrong?: boolean;
}

export interface Facet {
  name: string;
  values: string[];
  counts: number[];
}

export interface Look {
  filters: Record<string, number>;
  search: string;
  order: string;
  labelling: boolean;
}

const KEPT = 5000; // rows

export type Changed = "view" | "rows" | "chosen";

export class RowState<R extends Row = Row, L extends Look = Look> {
  view: Int32Array = new Int32Array();
  chosen = new Set<number>();
  anchor = -1;
  private place = { row: -1, view: this.view, at: -1 }; // of the last row that was looked for
  private rows = new Map<number, R>();
  private stale = new Map<number, R>(); // as they were before the last edit; better than nothing
  private asked = new Set<number>();
  private wanted: Partial<L> = {}; // that the kernel has not heard of yet
  private waiting = 0; // choices that the kernel has not heard of yet

  constructor(readonly model: Model, cleanup: Cleanup, private changed: (what: Changed) => void) {
    this.readView();
    this.readChosen();
    cleanup.follow(model, "change:view", () => this.readView());
    cleanup.follow(model, "change:chosen", () => this.readChosen());
    cleanup.follow(model, "change:look", () => this.readLook());
    cleanup.follow(model, "change:version", () => this.forgetRows());
    cleanup.follow(model, "msg:custom", ((content: { kind: string; version: number; rows: R[] }) => {
      if (content.kind === "rows") this.arrive(content.rows);
      if (content.kind === "chosen") this.heard();
      if (content.kind === "error") this.wanted = {}; // it was refused
    }) as never);
  }

  /** What is looked at, and what was asked for since: who clicks twice means both clicks. */
  get look(): L {
    return { ...(this.model.get("look") as L), ...this.wanted };
  }

  /** The row that the keyboard is on, where it is in the view; else -1. */
  get current(): number {
    return this.at < 0 ? -1 : this.view[this.at]!;
  }

  /** Its place in the view. */
  get at(): number {
    const row = Number(this.model.get("current"));
    if (row !== this.place.row || this.view !== this.place.view) this.place = { row, view: this.view, at: this.view.indexOf(row) };
    return this.place.at;
  }

  set current(row: number) {
    if (row === this.current) return;
    this.model.set("current", row);
    this.model.save_changes();
  }

  row(row: number): R | undefined {
    return this.rows.get(row) ?? this.stale.get(row);
  }

  /** Ask for what is said of these rows, where it is not here. */
  want(rows: readonly number[]): void {
    const missing = rows.filter((row) => !this.rows.has(row) && !this.asked.has(row));
    if (missing.length === 0) return;
    for (const row of missing) this.asked.add(row);
    this.model.send({ kind: "rows", rows: missing });
  }

  change(part: Partial<L>): void {
    this.wanted = { ...this.wanted, ...part };
    this.model.send({ kind: "look", ...part });
  }

  pick(row: number, how: How): void {
    if (how !== "range") this.anchor = row;
    this.choose(picked(this.chosen, this.view, row, this.anchor, how));
  }

  choose(rows: Iterable<number>): void {
    this.chosen = new Set(rows);
    this.waiting += 1;
    this.model.send({ kind: "choose", rows: [...this.chosen] });
    this.changed("chosen");
  }

  /** The rows that an edit means: the chosen ones, in labelling mode the current one. */
  meant(): number[] {
    const current = this.current;
    if (this.look.labelling) return current < 0 ? [] : [current];
    if (this.chosen.size > 0) return [...this.chosen];
    return current < 0 ? [] : [current];
  }

  private heard(): void {
    this.waiting = Math.max(0, this.waiting - 1);
    this.readChosen();
  }

  private readLook(): void {
    const look = this.model.get("look") as L;
    const there = (name: keyof L) => JSON.stringify(look[name]) === JSON.stringify(this.wanted[name]);
    if ((Object.keys(this.wanted) as (keyof L)[]).every(there)) this.wanted = {};
  }

  private readView(): void {
    this.view = new Int32Array(bytesOf(this.model, "view"));
    this.changed("view");
  }

  private readChosen(): void {
    if (this.waiting > 0) return; // what was clicked meanwhile is newer
    const before = this.chosen;
    this.chosen = new Set(new Int32Array(bytesOf(this.model, "chosen")));
    const isMine = before.size === this.chosen.size && [...before].every((row) => this.chosen.has(row));
    if (!isMine && !this.look.labelling && !this.chosen.has(this.current)) {
      this.current = this.view.find((row) => this.chosen.has(row)) ?? this.current; // what is told beside is of these
    }
    this.changed("chosen");
  }

  private forgetRows(): void {
    this.stale = new Map([...this.stale, ...this.rows].slice(-KEPT));
    this.rows.clear();
    this.asked.clear();
    this.changed("rows");
  }

  private arrive(rows: R[]): void {
    if (this.rows.size > KEPT) this.rows.clear();
    for (const row of rows) {
      this.rows.set(row.row, row);
      this.asked.delete(row.row);
    }
    this.changed("rows");
  }
}
