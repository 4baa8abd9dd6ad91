// The small curves beside the large one: metrics, learning rate, gradient norm, speed, memory.
import { displayText } from "../display_text";
import { h, svg } from "../dom";
import type { RunData, Strip } from "./feed";
import { measureText, memoryText, rateText, speedText } from "./words";

export interface Facts {
  device?: string;
  there?: number | null;
}

interface Shown {
  key: string;
  label: string;
  value: string;
  strip: Strip;
  color: number;
}

const WIDTH = 160;
const HEIGHT = 34;
const POINTS = 160;
const METRICS = 2;
const PLAIN = ["epoch", "step", "loss", "val_loss", "lr", "seconds"];

export class Strips {
  readonly element = h("div", { class: "mlnb-strips", role: "group", label: "metrics, learning rate and device" });
  private readonly rows = new Map<string, { root: HTMLElement; label: HTMLElement; value: HTMLElement; path: SVGElement }>();

  draw(run: RunData | undefined, facts: Facts): void {
    const shown = run ? [...metrics(run), ...gauges(run, facts)] : [];
    for (const [place, one] of shown.entries()) this.drawOne(one, place);
    for (const [key, { root }] of this.rows) {
      if (shown.some((one) => one.key === key)) continue;
      root.remove();
      this.rows.delete(key);
    }
    this.element.hidden = shown.length === 0;
  }

  private drawOne({ key, label, value, strip, color }: Shown, place: number): void {
    let row = this.rows.get(key);
    if (!row) {
      const path = svg("polyline", { fill: "none", "vector-effect": "non-scaling-stroke" });
      const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, path);
      const parts = { label: h("span", {}), value: h("b", {}) };
      const root = h("div", { class: `mlnb-strip mlnb-k${color}` }, h("div", { class: "mlnb-muted" }, parts.label, " ", parts.value), picture as unknown as Node);
      row = { root, path, ...parts };
      this.rows.set(key, row);
    }
    if (this.element.children[place] !== row.root) this.element.insertBefore(row.root, this.element.children[place] ?? null);
    if (row.label.textContent !== label) row.label.textContent = label;
    if (row.value.textContent !== value) row.value.textContent = value;
    row.path.setAttribute("points", pointsOf(strip));
  }
}

/** A polyline over the whole width; a value that nobody knows is left out. */
export function pointsOf({ x, y }: Strip): string {
  const every = Math.max(1, Math.ceil(x.length / POINTS));
  const kept: [number, number][] = [];
  for (let i = 0; i < x.length; i++) {
    if ((x.length - 1 - i) % every === 0 && y[i] !== null && y[i] !== undefined) kept.push([x[i]!, y[i]!]);
  }
  if (kept.length === 0) return "";
  const values = kept.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [kept[0]![0], kept.at(-1)![0]];
  const level = high - low <= 1e-6 * Math.abs(high);
  return kept
    .map(([at, value]) => {
      const left = last > first ? ((at - first) / (last - first)) * WIDTH : WIDTH;
      const top = level ? HEIGHT / 2 : HEIGHT - 2 - ((value - low) / (high - low)) * (HEIGHT - 4);
      return `${left.toFixed(1)},${top.toFixed(1)}`;
    })
    .join(" ");
}

function metrics(run: RunData): Shown[] {
  const row = run.epochs.at(-1);
  if (!row) return [];
  const names = Object.keys(row).filter((name) => !PLAIN.includes(name) && row[name] !== null && !(`val_${name}` in row));
  return names.slice(0, METRICS).map((name) => ({
    key: `metric ${name}`,
    label: displayText(name.replace(/^val_/, "").replaceAll("_", " "), 30),
    value: measureText(row[name]),
    strip: { x: run.epochs.map((one) => one.step ?? 0), y: run.epochs.map((one) => one[name] ?? null) },
    color: 2,
  }));
}

function gauges(run: RunData, facts: Facts): Shown[] {
  const device = facts.device === "cuda" ? "GPU" : facts.device === "mps" ? "GPU" : "CPU";
  const told: [string, string, number, (value: number) => string][] = [
    ["lr", "learning rate", 4, rateText],
    ["norm", "gradient norm", 3, measureText],
    ["speed", "speed", 0, speedText],
    ["busy", device, 5, (value) => `${Math.round(100 * value)}%`],
    ["memory", "memory", 6, (value) => memoryText(value, facts.there)],
  ];
  return told.flatMap(([key, label, color, text]) => {
    const strip = run.strips[key];
    const value = strip?.y.filter((one) => one !== null).at(-1);
    return strip && typeof value === "number" ? [{ key, label, value: text(value), strip, color }] : [];
  });
}
