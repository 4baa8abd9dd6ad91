// From points to what a screen has columns for. Two places a column: the smallest and the largest
// value of it, so that no spike is lost; a column with one point has it in the first place.
import type { Curve } from "./curve";

export type Drawn = (number | null)[];

/** The steps at which the places stand, for columns from `first` to `last`. */
export function places(first: number, last: number, columns: number): number[] {
  const width = (last - first) / columns;
  const made = new Array<number>(2 * columns);
  for (let c = 0; c < columns; c++) {
    made[2 * c] = first + (c + 0.25) * width;
    made[2 * c + 1] = first + (c + 0.75) * width;
  }
  return made;
}

/** Smallest and largest of every column. */
export function extremes(curve: Curve, name: string, first: number, last: number, columns: number): Drawn {
  const drawn: Drawn = new Array(2 * columns).fill(null);
  const values = curve.series.get(name);
  if (!values || last <= first) return drawn;
  const { mean } = values;
  const [low, high] = [values.low ?? mean, values.high ?? mean];
  const scale = columns / (last - first);
  const end = curve.find(last + 1e-9);
  for (let i = curve.find(first); i < end; i++) {
    const [small, large] = [low[i]!, high[i]!];
    if (!Number.isFinite(small) || !Number.isFinite(large)) continue;
    const at = 2 * Math.min(columns - 1, Math.floor((curve.x[i]! - first) * scale));
    const before = drawn[at]!;
    if (before === null) {
      drawn[at] = small;
      if (large !== small) drawn[at + 1] = large;
      continue;
    }
    const above = drawn[at + 1] ?? before;
    drawn[at] = Math.min(before, small);
    drawn[at + 1] = Math.max(above, large);
  }
  return drawn;
}

/** The last value of every column, and at the edges what lies between the neighbours. */
export function line(curve: Curve, values: Float32Array, first: number, last: number, columns: number): Drawn {
  const drawn: Drawn = new Array(2 * columns).fill(null);
  if (last <= first) return drawn;
  const scale = columns / (last - first);
  const [begin, end] = [curve.find(first), curve.find(last + 1e-9)];
  for (let i = begin; i < end; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) drawn[2 * Math.min(columns - 1, Math.floor((curve.x[i]! - first) * scale))] = value;
  }
  drawn[0] ??= between(curve, values, begin, first);
  if (end < curve.length) drawn[2 * columns - 1] = between(curve, values, end, last);
  return drawn;
}

/** Values that stand at single steps, such as one an epoch. */
export function dots(steps: readonly number[], values: readonly (number | null)[], first: number, last: number, columns: number): Drawn {
  const drawn: Drawn = new Array(2 * columns).fill(null);
  const scale = (2 * columns) / (last - first);
  for (const [i, step] of steps.entries()) {
    if (step < first || step > last || values[i] === null) continue;
    drawn[Math.min(2 * columns - 1, Math.floor((step - first) * scale))] = values[i]!;
  }
  return drawn;
}

// What differs by rounding only is flat: an axis of such a range has no end of ticks.
const FLAT = 1e-6;

/** The range of what is drawn: everything, but where a few values dwarf the rest. */
export function heights(drawn: readonly Drawn[], log: boolean): [number, number] {
  const values: number[] = [];
  for (const one of drawn) for (const value of one) if (value !== null && (!log || value > 0)) values.push(value);
  if (values.length === 0) return log ? [0.1, 1] : [0, 1];
  values.sort((a, b) => a - b);
  let [low, high] = [values[0]!, values.at(-1)!];
  if (high - low <= FLAT * Math.max(Math.abs(low), Math.abs(high))) high = low;
  if (log) return low === high ? [ticked(low / 2), high * 2] : [ticked(low / (high / low) ** 0.04), high * (high / low) ** 0.04];
  const most = values[Math.floor(0.98 * (values.length - 1))]!;
  if (values.length > 50 && high - low > 4 * (most - low) && most > low) high = low + 1.6 * (most - low);
  if (low === high) [low, high] = [low - Math.abs(low || 1) * 0.5, high + Math.abs(high || 1) * 0.5];
  const room = 0.04 * (high - low);
  return [low >= 0 && low < 0.35 * high ? 0 : low - room, high + room];
}

// uPlot's logarithmic ticks never end where the lowest begins with more than nine: 0.096 + 0.01 is
// rounded past 0.1, and the next steps to 0.
function ticked(low: number): number {
  const unit = 10 ** Math.floor(Math.log10(low));
  return Math.min(low, 9 * unit);
}

function between(curve: Curve, values: Float32Array, at: number, step: number): number | null {
  if (at <= 0 || at >= curve.length) return null;
  const [x0, x1, y0, y1] = [curve.x[at - 1]!, curve.x[at]!, values[at - 1]!, values[at]!];
  const value = y0 + ((step - x0) / (x1 - x0)) * (y1 - y0);
  return Number.isFinite(value) ? value : null;
}
