// The smoothed curve: at every step the mean of about the last N steps, older ones counting less.
// A point that stands for several steps counts as so many, so that thinning does not change it.
import type { Curve } from "./curve";

export const SPANS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];

/** The place in `SPANS` of a fiftieth of the steps: what one sees before one has chosen. */
export function usualSpan(steps: number): number {
  let at = 0;
  while (at + 1 < SPANS.length && SPANS[at + 1]! <= steps / 50) at += 1;
  return at;
}

/** Smooths one series, going on where it was when points are appended. */
export class Smoother {
  private values = new Float32Array(0);
  private done = 0;
  private total = 0;
  private weight = 0;
  private span = 0;
  private version = -1;

  constructor(private readonly curve: Curve, private readonly name: string) {}

  smoothed(span: number): Float32Array {
    const { curve } = this;
    if (span !== this.span || curve.version !== this.version || curve.length < this.done) {
      [this.done, this.total, this.weight, this.span, this.version] = [0, 0, 0, span, curve.version];
    }
    if (this.values.length < curve.length) {
      const grown = new Float32Array(curve.x.length);
      grown.set(this.values.subarray(0, this.done));
      this.values = grown;
    }
    const mean = curve.series.get(this.name)?.mean;
    if (mean) this.goOn(mean, Math.exp(-1 / span), span);
    return this.values;
  }

  private goOn(mean: Float32Array, keep: number, span: number): void {
    const { x, length } = this.curve;
    let { total, weight } = this;
    for (let i = this.done; i < length; i++) {
      const value = mean[i]!;
      if (Number.isFinite(value)) {
        const steps = i === 0 ? 1 : x[i]! - x[i - 1]!;
        const kept = steps === 1 ? keep : Math.exp(-steps / span);
        total = total * kept + value * (1 - kept);
        weight = weight * kept + (1 - kept);
      }
      this.values[i] = span <= 1 ? value : weight > 0 ? total / weight : Number.NaN;
    }
    [this.total, this.weight, this.done] = [total, weight, length];
  }
}
