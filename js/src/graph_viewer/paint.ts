// A graph in the colours of numbers of the user's own; the same rules as mlnb/graph/paint.py. A
// closed group without a value shows that of what is inside; what is not a number is hatched.
import type { Group } from "./graph_index";
import type { GraphModel } from "./graph_model";
import { valueText } from "../numbers";
import type { Box } from "./visible";

/** A value as it crosses: JSON has no NaN and no infinity. */
export type Sent = number | null | "NaN" | "Infinity" | "-Infinity";

/** The trait `painting`; empty where nothing is painted. */
export interface Painting {
  label: string;
  scale: "linear" | "log";
  colors: string[];
  groups: "mean" | "max" | "min";
  low: number | null;
  high: number | null;
  values: Sent[];
}

export interface Shade {
  value: number | null;
  text: string;
  /** "" for what is not a number: it is hatched. */
  fill: string;
  /** What is read on it; "" for the theme's own. */
  ink: string;
  /** Values inside that it stands for; 0 for a value of its own. */
  inside: number;
}

export class Paint {
  readonly values = new Map<string, number | null>();
  private readonly shades = new Map<string, Shade | null>();

  constructor(
    ids: readonly string[],
    readonly painting: Painting,
  ) {
    ids.forEach((id, at) => this.values.set(id, received(painting.values[at] ?? null)));
  }

  get label(): string {
    return this.painting.label || "value";
  }

  /** How a box is painted; null for one that is not. Found once a painting, not once a frame. */
  shadeOf(box: Box, model: GraphModel): Shade | null {
    const key = box.inner ? `${box.id} open` : box.id;
    let shade = this.shades.get(key);
    if (shade === undefined) this.shades.set(key, (shade = this.find(box, model)));
    return shade;
  }

  /** The shade of a value by itself, as in the table. */
  shade(value: number | null, inside = 0): Shade {
    const fill = this.color(value);
    return { value, text: numberText(value), fill, ink: fill ? inkOn(fill) : "", inside };
  }

  /** What is wrong first, then from high to low, then what has no value. */
  sorted(): [string, number | null][] {
    const rank = (value: number | null) => (value === null ? 2 : Number.isFinite(value) ? 1 : 0);
    return [...this.values].sort(([, a], [, b]) => rank(a) - rank(b) || (rank(a) === 1 ? b! - a! : 0));
  }

  private find(box: Box, model: GraphModel): Shade | null {
    const own = this.values.get(box.id);
    if (own !== undefined) return this.shade(own);
    if (box.inner || box.count === 0) return null;
    const inside = box.kind === "group" ? this.inGroup(box, model) : this.startingWith(`${box.id}:`);
    return inside.length > 0 ? this.shade(this.together(inside), inside.length) : null;
  }

  private inGroup({ id, instance }: Box, model: GraphModel): (number | null)[] {
    const group = instance.index.groups.get(id.slice(instance.prefix.length));
    const found: (number | null)[] = [];
    const walk = (at: Group): void => {
      for (const child of at.children) {
        const childId = typeof child === "number" ? model.nodeId(instance, child) : instance.prefix + child.id;
        const value = this.values.get(childId);
        if (value !== undefined) found.push(value);
        else if (typeof child !== "number") walk(child);
      }
    };
    if (group) walk(group);
    return found;
  }

  private startingWith(prefix: string): (number | null)[] {
    return [...this.values].filter(([id]) => id.startsWith(prefix)).map(([, value]) => value);
  }

  private together(inside: readonly (number | null)[]): number | null {
    const known = inside.filter((value): value is number => value !== null);
    const wrong = known.find((value) => !Number.isFinite(value));
    if (wrong !== undefined) return wrong;
    if (known.length === 0) return null;
    const { groups } = this.painting;
    if (groups === "mean") return known.reduce((sum, value) => sum + value, 0) / known.length;
    return known.reduce((a, b) => (groups === "max" ? Math.max(a, b) : Math.min(a, b)));
  }

  private color(value: number | null): string {
    const { scale, colors, low, high } = this.painting;
    if (value === null || !Number.isFinite(value) || low === null || high === null) return "";
    if (scale === "log" && value < 0) return "";
    const at = place(value, low, high, scale) * (colors.length - 1);
    const first = Math.min(Math.floor(at), colors.length - 2);
    return mixed(colors[first]!, colors[first + 1]!, at - first);
  }
}

/** `0.031`, `NaN`, `∞`; a dash where there is none. */
export function numberText(value: number | null): string {
  if (value === null || Number.isFinite(value)) return valueText(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
}

const received = (value: Sent): number | null => (value === null ? null : Number(value));

// Where on the ramp, 0 to 1; the middle where all values are one.
function place(value: number, low: number, high: number, scale: Painting["scale"]): number {
  if (scale === "log") {
    if (value <= 0) return high > 0 ? 0 : 0.5;
    [value, low, high] = [Math.log(value), Math.log(low), Math.log(high)];
  }
  if (!(high > low)) return 0.5;
  return Math.min(1, Math.max(0, (value / 2 - low / 2) / (high / 2 - low / 2)));
}

function mixed(first: string, second: string, part: number): string {
  const [a, b] = [rgb(first), rgb(second)];
  const mix = a.map((from, i) => Math.floor(from + (b[i]! - from) * part + 0.5));
  return `#${mix.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

const rgb = (color: string) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

/** Black or white: what is read better on a colour. */
export function inkOn(color: string): string {
  const [r, g, b] = rgb(color).map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! > 0.179 ? "#000000" : "#ffffff";
}
