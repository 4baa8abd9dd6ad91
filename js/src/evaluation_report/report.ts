// What a report is told by Python, and how it says things.
import { displayText } from "../display_text";
import type { Model } from "../host";
import { plural, probabilityText } from "../numbers";

export interface Row {
  row: number;
  labels: number[];
  answers: number[];
  probability: number;
  of_label?: number | null;
  wrong: boolean;
  name: string;
  text?: string;
}

/** A cell of the matrix, -1 for any; nothing for all rows; `rows` were chosen in another widget. */
export interface Chosen {
  label?: number;
  answer?: number;
  rows?: number;
  turn?: number;
}

export interface Scores {
  precision: number | null;
  recall: number | null;
  f1: number | null;
  support: number;
}

export interface Curve {
  x: number[];
  y: number[];
  area: number;
}

export type Order = "wrong" | "unsure";

export const MANY_COLUMNS = ["found", "missed", "wrongly given"];

/** The traits of one report; they do not change but for `chosen` and `order`. */
export class Report {
  readonly classes: string[];
  readonly noun: string;
  readonly many: boolean;
  readonly matrix: number[][];
  readonly pairs: number[][];
  readonly table: Scores[];
  readonly calibration: number[][];
  readonly content: string;
  readonly explains: boolean;

  constructor(private readonly model: Model) {
    const trait = <T>(name: string, otherwise: T) => (model.get(name) ?? otherwise) as T;
    this.classes = trait("classes", []);
    this.noun = displayText(trait("noun", "row"), 20);
    this.many = trait("many", false);
    this.matrix = trait("matrix", []);
    this.pairs = trait("pairs", []);
    this.table = trait("table", []);
    this.calibration = trait("calibration", []);
    this.content = trait("content", "");
    this.explains = trait("explains", false);
  }

  get chosen(): Chosen {
    return (this.model.get("chosen") ?? {}) as Chosen;
  }

  get order(): Order {
    return this.model.get("order") === "unsure" ? "unsure" : "wrong";
  }

  set<T>(trait: string, value: T): void {
    this.model.set(trait, value);
    this.model.save_changes();
  }

  name(column: number, limit = 40): string {
    return displayText(this.classes[column] ?? "?", limit);
  }

  names(columns: readonly number[]): string {
    return columns.map((column) => this.name(column, 24)).join(", ") || "nothing";
  }

  /** `2 photographs` */
  count(rows: number): string {
    return plural(rows, this.noun);
  }

  /** Which rows are shown, in words. */
  words({ label = -1, answer = -1, rows }: Chosen): string {
    if (rows !== undefined) return "chosen elsewhere";
    if (this.many && label >= 0) return `${this.name(label)}${answer < 0 ? "" : `: ${MANY_COLUMNS[answer]}`}`;
    if (label < 0 && answer < 0) return "all";
    if (answer < 0) return `all that are ${this.name(label)}`;
    if (label < 0) return `all said to be ${this.name(answer)}`;
    return label === answer ? `${this.name(label)}, and said so` : `${this.name(label)}, said to be ${this.name(answer)}`;
  }

  /** `dog .97 · is cat`, or `cat .99` where that is right. */
  said(row: Row): string {
    const answer = `${this.names(row.answers)} ${probabilityText(row.probability)}`;
    const label = typeof row.of_label === "number" ? ` ${probabilityText(row.of_label)}` : "";
    return row.wrong ? `${answer} · is ${this.names(row.labels)}${label}` : answer;
  }
}

export const same = (a: Chosen, b: Chosen) => JSON.stringify([a.label, a.answer, a.turn]) === JSON.stringify([b.label, b.answer, b.turn]);
