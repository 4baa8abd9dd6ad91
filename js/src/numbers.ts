// Numbers as people say them; the same forms as mlnb.formatting.
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `66`, `1,412`, `11.7 M`. */
export function countText(count: number): string {
  if (count < 1e6) return grouped.format(count);
  const [size, letter] = count >= 1e12 ? [1e12, "T"] : count >= 1e9 ? [1e9, "G"] : [1e6, "M"];
  return `${threeDigits(count / (size as number))} ${letter}`;
}

/** `84 B`, `4.95 MB`, `1.95 GB`. */
export function bytesText(bytes: number): string {
  for (const [size, unit] of [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]] as const) {
    if (bytes >= size) return `${threeDigits(bytes / size)} ${unit}`;
  }
  return `${bytes} B`;
}

/** A measured value in three significant digits, with a true minus sign: `−2.12`, `0.031`, `1.2e+9`. */
export function valueText(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return minus(grouped.format(value));
  const size = Math.abs(value);
  const plain = size >= 1e-3 && size < 1e6;
  return minus(plain ? String(Number(value.toPrecision(3))) : value.toExponential(2));
}

/** `.97`, and `1.0` only where it is exactly one. */
export function probabilityText(value: number): string {
  return value >= 0.995 ? (value === 1 ? "1.0" : ".99") : value.toFixed(2).replace(/^0/, "");
}

/** `1 node`, `2 nodes`. */
export function plural(count: number, noun: string): string {
  return `${grouped.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}

const threeDigits = (value: number) => String(Number(value.toPrecision(3)));
const minus = (text: string) => text.replace("-", "−");
