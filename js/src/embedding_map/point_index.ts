// Points by place: a grid of cells, each a run of point numbers, so that the nearest of 100,000 is
// found without looking at them all.
const SIDE = 128;
export const UNIT = 65534; // what 1 is on the map; 65535 marks a row without a place
export const NOWHERE = 65535;

export class PointIndex {
  readonly count: number;
  spanX = 0.05; // how much of a unit the points take
  spanY = 0.05;
  private starts = new Uint32Array(SIDE * SIDE + 1);
  private items: Uint32Array;

  /** `points`: x and y of each, 0 to `UNIT`. */
  constructor(readonly points: Uint16Array) {
    this.count = points.length / 2;
    const cells = new Int32Array(this.count);
    let placed = 0;
    for (let i = 0; i < this.count; i++) {
      const cell = points[2 * i] === NOWHERE ? -1 : column(points[2 * i]!) + SIDE * column(points[2 * i + 1]!);
      cells[i] = cell;
      if (cell < 0) continue;
      this.starts[cell + 1]! += 1;
      placed += 1;
    }
    for (let cell = 0; cell < SIDE * SIDE; cell++) this.starts[cell + 1]! += this.starts[cell]!;
    this.items = new Uint32Array(placed);
    const next = this.starts.slice();
    for (let i = 0; i < this.count; i++) if (cells[i]! >= 0) this.items[next[cells[i]!]!++] = i;
    this.measure();
  }

  private measure(): void {
    const { items, points } = this;
    const [low, high] = [[UNIT, UNIT], [0, 0]];
    for (const i of items) {
      for (let axis = 0; axis < 2; axis++) {
        const value = points[2 * i + axis]!;
        if (value < low[axis]!) low[axis] = value;
        if (value > high[axis]!) high[axis] = value;
      }
    }
    this.spanX = Math.max(0.05, (high[0]! - low[0]!) / UNIT);
    this.spanY = Math.max(0.05, (high[1]! - low[1]!) / UNIT);
  }

  x(i: number): number {
    return this.points[2 * i]! / UNIT;
  }

  y(i: number): number {
    return this.points[2 * i + 1]! / UNIT;
  }

  /** The point nearest to a place, at most `reach` away; −1: none. */
  nearest(x: number, y: number, reach: number): number {
    let best = -1;
    let least = reach * reach;
    this.each(x - reach, y - reach, x + reach, y + reach, (i) => {
      const distance = (this.x(i) - x) ** 2 + (this.y(i) - y) ** 2;
      if (distance <= least) [best, least] = [i, distance];
    });
    return best;
  }

  inBox(x0: number, y0: number, x1: number, y1: number): number[] {
    const [left, right, low, high] = [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1), Math.max(y0, y1)];
    const found: number[] = [];
    this.each(left, low, right, high, (i) => {
      const x = this.x(i);
      const y = this.y(i);
      if (x >= left && x <= right && y >= low && y <= high) found.push(i);
    });
    return found;
  }

  /** The points inside a closed line x0, y0, x1, y1, …; inside is where it winds around oddly often. */
  inLasso(line: readonly number[]): number[] {
    if (line.length < 6) return [];
    const xs = line.filter((_, i) => i % 2 === 0);
    const ys = line.filter((_, i) => i % 2 === 1);
    const found: number[] = [];
    this.each(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (i) => {
      if (encloses(xs, ys, this.x(i), this.y(i))) found.push(i);
    });
    return found;
  }

  private each(x0: number, y0: number, x1: number, y1: number, visit: (i: number) => void): void {
    const [left, right] = [column(x0 * UNIT), column(x1 * UNIT)];
    const [low, high] = [column(y0 * UNIT), column(y1 * UNIT)];
    for (let row = low; row <= high; row++) {
      const first = this.starts[row * SIDE + left]!;
      const last = this.starts[row * SIDE + right + 1]!;
      for (let at = first; at < last; at++) visit(this.items[at]!);
    }
  }
}

const column = (value: number) => Math.max(0, Math.min(SIDE - 1, Math.floor((value * SIDE) / (UNIT + 1))));

function encloses(xs: readonly number[], ys: readonly number[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
    const crosses = ys[i]! > y !== ys[j]! > y;
    if (crosses && x < ((xs[j]! - xs[i]!) * (y - ys[i]!)) / (ys[j]! - ys[i]!) + xs[i]!) inside = !inside;
  }
  return inside;
}
