// The classes and their probabilities: rows that keep their bars, so that a bar moves to its new
// length when the probabilities change.
import { foreign, h } from "../dom";
import type { Bar } from "./talk";

/** `97.3%`, `100%`, `0.02%`; the same as in mlnb/widgets/answer.py. */
export function percent(share: number): string {
  if (share >= 0.9995) return "100%";
  if (share >= 0.00095) return `${(100 * share).toFixed(1)}%`;
  if (share >= 0.0001) return `${(100 * share).toFixed(2)}%`;
  return share === 0 ? "0%" : "<0.01%";
}

/** `cat 97.3%, dog 2.7%`, to be spoken. */
export const spoken = (bars: readonly Bar[]): string => bars.map((bar) => `${bar.label} ${percent(bar.share)}`).join(", ");

export class Bars {
  readonly element = h("ol", { class: "mlnb-shares", label: "classes, the likeliest first" });
  private rows = new Map<string, HTMLLIElement>();

  draw(bars: readonly Bar[]): void {
    const rows = new Map<string, HTMLLIElement>();
    for (const { label, share } of bars) {
      const row = this.rows.get(label) ?? rowOf(label);
      row.querySelector<HTMLElement>(".mlnb-length")!.style.width = `${Math.max(0.5, Math.min(100, 100 * share))}%`;
      row.querySelector(".mlnb-percent")!.textContent = percent(share);
      rows.set(label, row);
    }
    for (const [label, row] of this.rows) if (!rows.has(label)) row.remove();
    const order = [...rows.values()];
    if (order.some((row, i) => this.element.children[i] !== row)) this.element.replaceChildren(...order);
    this.rows = rows;
  }
}

function rowOf(label: string): HTMLLIElement {
  const length = h("span", { class: "mlnb-length" });
  const track = h("span", { class: "mlnb-track" }, length);
  track.setAttribute("aria-hidden", "true");
  return h("li", {}, foreign(label, 60, "mlnb-label"), track, h("span", { class: "mlnb-percent" }));
}
