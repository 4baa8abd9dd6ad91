// The steps of one run as its view holds them: step numbers, and for every series the mean of what
// each point stands for, with smallest and largest where it stands for several steps.

export const HELD = 1 << 20; // points; beyond that, neighbours are joined in pairs

/** What Python's `block` sends: steps one by one (`per` is 1) or in buckets. */
export interface Block {
  per: number;
  first?: number;
  count?: number;
  x?: number;
  series: Record<string, number[]>;
}

export interface Values {
  mean: Float32Array;
  low: Float32Array | null; // the same as `mean` where every point is one step
  high: Float32Array | null;
}

export class Curve {
  x = new Uint32Array(1024);
  length = 0;
  coarse = 0; // the first points stand for several steps: this many of them
  readonly series = new Map<string, Values>();
  version = 0; // grows when points that were there have changed

  get last(): number {
    return this.length ? this.x[this.length - 1]! : 0;
  }

  get names(): string[] {
    return [...this.series.keys()];
  }

  append(block: Block, buffers: readonly DataView[]): void {
    const steps = block.x === undefined ? null : uints(buffers[block.x]!);
    const count = steps ? steps.length : (block.count ?? 0);
    if (count === 0) return;
    this.makeRoom(count);
    const at = this.length;
    for (let i = 0; i < count; i++) this.x[at + i] = steps ? steps[i]! : block.first! + i;
    for (const [name, numbers] of Object.entries(block.series)) this.put(name, at, numbers.map((n) => floats(buffers[n]!)));
    for (const [name, values] of this.series) {
      if (!(name in block.series)) for (const part of parts(values)) part.fill(Number.NaN, at, at + count);
    }
    this.length = at + count;
    if (block.per > 1) this.coarse = this.length;
    while (this.length > HELD) this.joinPairs();
  }

  /** The place of the first point at `step` or after it. */
  find(step: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.x[middle]! < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The place of the point next to `step`; -1 where there is none. */
  nearest(step: number): number {
    const at = this.find(step);
    if (at === 0) return this.length ? 0 : -1;
    if (at === this.length) return at - 1;
    return step - this.x[at - 1]! <= this.x[at]! - step ? at - 1 : at;
  }

  private put(name: string, at: number, [mean, low, high]: Float32Array[]): void {
    let values = this.series.get(name);
    if (!values) {
      values = { mean: new Float32Array(this.x.length).fill(Number.NaN), low: null, high: null };
      this.series.set(name, values);
    }
    if (low && !values.low) [values.low, values.high] = [values.mean.slice(), values.mean.slice()];
    values.mean.set(mean!, at);
    values.low?.set(low ?? mean!, at);
    values.high?.set(high ?? mean!, at);
  }

  private makeRoom(count: number): void {
    let room = this.x.length;
    while (room < this.length + count) room *= 2;
    if (room === this.x.length) return;
    const x = new Uint32Array(room);
    x.set(this.x);
    this.x = x;
    const grown = (old: Float32Array) => {
      const values = new Float32Array(room);
      values.set(old);
      return values;
    };
    for (const values of this.series.values()) {
      values.mean = grown(values.mean);
      values.low &&= grown(values.low);
      values.high &&= grown(values.high);
    }
  }

  private joinPairs(): void {
    const half = this.length >> 1;
    for (const values of this.series.values()) {
      values.low ??= values.mean.slice();
      values.high ??= values.mean.slice();
      for (let i = 0; i < half; i++) {
        values.mean[i] = known(values.mean, 2 * i, (a, b) => (a + b) / 2);
        values.low[i] = known(values.low, 2 * i, Math.min);
        values.high[i] = known(values.high, 2 * i, Math.max);
      }
      for (const part of parts(values)) if (this.length & 1) part[half] = part[this.length - 1]!;
    }
    for (let i = 0; i < half; i++) this.x[i] = this.x[2 * i + 1]!;
    if (this.length & 1) this.x[half] = this.x[this.length - 1]!;
    this.length = half + (this.length & 1);
    this.coarse = this.length;
    this.version += 1;
  }
}

export function floats(view: DataView): Float32Array {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer);
}

export function uints(view: DataView): Uint32Array {
  return new Uint32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer);
}

function parts({ mean, low, high }: Values): Float32Array[] {
  return low && high ? [mean, low, high] : [mean];
}

// Of a pair with one NaN the other counts.
function known(values: Float32Array, at: number, join: (a: number, b: number) => number): number {
  const [a, b] = [values[at]!, values[at + 1]!];
  return Number.isNaN(a) ? b : Number.isNaN(b) ? a : join(a, b);
}
