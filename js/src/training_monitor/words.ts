// Numbers of a run as people say them.

/** A learning rate as one types it: `0.001`, `3e-4`, `1.25e-5`. */
export function rateText(rate: number): string {
  if (!Number.isFinite(rate)) return "";
  if (rate !== 0 && (Math.abs(rate) < 1e-3 || Math.abs(rate) >= 1e4)) {
    return rate.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
  }
  return String(Number(rate.toPrecision(4)));
}

/** A step on the axis: `0`, `500`, `12k`, `1.5M`. */
export function stepText(step: number): string {
  if (Math.abs(step) >= 1e6) return `${Number((step / 1e6).toPrecision(4))}M`;
  if (Math.abs(step) >= 1e4) return `${Number((step / 1e3).toPrecision(4))}k`;
  return Number.isInteger(step) ? String(step) : "";
}

/** `41,300 /s`. */
export function speedText(rate: number): string {
  const round = rate >= 10 ? Math.round(Number(rate.toPrecision(3))) : Number(rate.toPrecision(2));
  return `${round.toLocaleString("en-US")} /s`;
}
