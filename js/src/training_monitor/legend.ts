// The legend below the curves: for every run its values, and with several a button that steers it.
// Values change ten times a second, elements do not: a press may outlast many ticks, and a button
// that was replaced meanwhile would never be clicked.
import { displayText } from "../display_text";
import { button, h, put } from "../dom";
import type { RunData } from "./feed";
import { colorOf, validationColor } from "./scene";
import { measureText } from "./words";

interface Entry {
  color: number;
  look: "solid" | "dotted" | "none";
  text: string;
  value: string;
}

/** What the reader looks at: which of the runs is steered, where the cursor stands, how smooth. */
export interface Reading {
  titles: readonly string[];
  steered: number;
  cursor: number | null;
  step: string;
  span: number;
}

export class Legend {
  readonly element = h("div", { class: "mlnb-legend" });
  private readonly step = h("span", { class: "mlnb-muted" });
  private readonly groups: Group[] = [];

  constructor(private readonly choose: (run: number) => void) {
    this.element.append(this.step);
  }

  draw(runs: readonly (RunData | undefined)[], reading: Reading): void {
    const several = runs.length > 1;
    this.element.classList.toggle("mlnb-several", several);
    for (const [at, run] of runs.entries()) {
      const group = (this.groups[at] ??= this.add(at));
      const entries = run ? entriesOf(run, at, runs.length, reading) : [];
      group.draw(several ? displayText(reading.titles[at] ?? "", 24) : "", at === reading.steered, entries);
    }
    put(this.step, reading.step);
  }

  private add(at: number): Group {
    const group = new Group(() => this.choose(at));
    this.step.before(group.element);
    return group;
  }
}

class Group {
  readonly element = h("span", { class: "mlnb-group" });
  private readonly choose: HTMLButtonElement;
  private readonly lines: Line[] = [];

  constructor(choose: () => void) {
    this.choose = button("", "", choose);
    this.element.append(this.choose);
  }

  draw(name: string, steered: boolean, entries: readonly Entry[]): void {
    put(this.choose, name);
    this.choose.hidden = name === "";
    this.choose.setAttribute("aria-label", `steer ${name}`);
    this.choose.setAttribute("aria-pressed", String(steered));
    for (const line of this.lines.splice(entries.length)) line.element.remove();
    for (const [at, entry] of entries.entries()) {
      const line = (this.lines[at] ??= this.add());
      line.draw(entry);
    }
  }

  private add(): Line {
    const line = new Line();
    this.element.append(line.element);
    return line;
  }
}

class Line {
  private readonly swatch = h("i");
  private readonly text = h("span");
  private readonly value = h("b");
  readonly element = h("span", { class: "mlnb-entry" }, this.swatch, this.text, " ", this.value);

  draw({ color, look, text, value }: Entry): void {
    const name = `mlnb-swatch mlnb-${look} mlnb-k${color}`;
    if (this.swatch.className !== name) this.swatch.className = name;
    put(this.text, text);
    put(this.value, value);
  }
}

/** The values of a run at the cursor, or the last ones. */
function entriesOf(run: RunData, at: number, runs: number, { cursor, span }: Reading): Entry[] {
  const { curve } = run;
  const place = cursor === null ? curve.length - 1 : curve.nearest(cursor);
  const entries: Entry[] = curve.names.map((name, series) => {
    const values = curve.series.get(name)!;
    const smoothed = run.smoothed(name, span)[place];
    const [low, high] = [(values.low ?? values.mean)[place], (values.high ?? values.mean)[place]];
    const raw = cursor === null || place < 0 ? "" : low === high ? ` (${measureText(low)})` : ` (${measureText(low)} to ${measureText(high)})`;
    return { color: colorOf(at, series, runs), look: "solid", text: displayText(name, 20), value: measureText(nothing(smoothed)) + (span > 1 ? raw : "") };
  });
  const rows = run.epochs.filter((row) => typeof row.val_loss === "number");
  const row = cursor === null ? rows.at(-1) : rows.filter((one) => (one.step ?? 0) <= cursor).at(-1) ?? rows[0];
  if (row) entries.push({ color: validationColor(at, curve.names.length, runs), look: "dotted", text: "validation", value: measureText(row.val_loss) });
  const { best } = run;
  if (best && cursor === null && run.epochs.length > 1) entries.push({ color: 0, look: "none", text: "best at epoch", value: String(best.epoch) });
  return entries;
}

function nothing(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
