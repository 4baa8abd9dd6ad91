// A histogram as bars of SVG, drawn alike in the IO card and in the side panel.
import { svg } from "./dom";

/** Bars for `counts`, in the current text colour's accent; `label` says it in words. */
export function histogram(counts: readonly number[], label: string, width = 150, height = 34): SVGElement {
  const top = Math.max(1, ...counts);
  const step = width / Math.max(1, counts.length);
  const bars = counts.map((count, i) => {
    const tall = count > 0 ? Math.max(0.75, (height * count) / top) : 0;
    return svg("rect", {
      x: round(i * step), y: round(height - tall), width: round(Math.max(0.5, step - 0.75)), height: round(tall),
    });
  });
  return svg("svg", {
    class: "mlnb-histogram", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label,
  }, ...bars);
}

const round = (value: number) => Number(value.toFixed(2));
