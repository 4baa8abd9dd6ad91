// Numbers of a run as people say them; those of its line and its table are mlnb.figures.number_text's.
import { bytesText, countText } from "../numbers";

/** A learning rate as one types it: `0.001`, `3e-4`, `1.25e-5`. */
export function rateText(rate: number): string {
  if (!Number.isFinite(rate)) return "";
  if (rate !== 0 && (Math.abs(rate) < 1e-3 || Math.abs(rate) >= 1e4)) {
    return rate.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
  }
  return String(Number(rate.toPrecision(4)));
}

/** A number that changes while one looks, in digits that stay as many: `0.990`, `1.250`, `6.93e−5`. */
export function measureText(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 999.95 && size < 1e7) return countText(Math.round(value));
  const plain = size >= 1e-3 && size < 1e7;
  return (plain ? value.toPrecision(size >= 1 ? 4 : 3) : value.toExponential(2).replace("e+", "e")).replaceAll("-", "−");
}

/** `0.97 of 25.3 GB`; `974 MB` where nobody knows how much there is. */
export function memoryText(used: number, there: number | null | undefined): string {
  if (!there) return bytesText(used);
  const whole = bytesText(there);
  const part = (parseFloat(whole) * used) / there;
  return `${part.toFixed(part < 10 ? 2 : 1)} of ${whole}`;
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
