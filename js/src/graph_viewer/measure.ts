// Text widths on the canvas, remembered; and clipping to a width.
export const FONT = { title: 12, text: 11, label: 10 };

export type Measure = (text: string, size: number, bold?: boolean) => number;

/** Measures in the font family of the theme; a page without canvas text gets an estimate. */
export function measurer(family: string): Measure {
  const context = document.createElement("canvas").getContext("2d");
  const widths = new Map<string, number>();
  return (text, size, bold = false) => {
    if (!context) return text.length * size * 0.58;
    const key = `${size}${bold ? "b" : ""}${text}`;
    let width = widths.get(key);
    if (width === undefined) {
      context.font = `${bold ? "600 " : ""}${size}px ${family}`;
      width = context.measureText(text).width;
      widths.set(key, width);
    }
    return width;
  };
}

/** `text` as far as it fits, ending in "…" where it does not. */
export function fitText(measure: Measure, text: string, room: number, size: number, bold = false): string {
  if (measure(text, size, bold) <= room) return text;
  const characters = Array.from(text);
  let low = 0;
  let high = characters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(`${characters.slice(0, middle).join("")}…`, size, bold) <= room) low = middle;
    else high = middle - 1;
  }
  return `${characters.slice(0, low).join("")}…`;
}
