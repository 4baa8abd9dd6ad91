// The painted value of what is selected, above its details; it changes without them.
import { displayText } from "../display_text";
import { h } from "../dom";
import type { Paint, Shade } from "./paint";

const HOW = { mean: "the mean", max: "the largest", min: "the smallest" };

export class PaintedLine {
  private readonly swatch = h("span", { class: "mlnb-swatch" });
  private readonly words = h("span", {});
  readonly element = h("div", { class: "mlnb-painted" }, this.swatch, this.words);

  show(paint: Paint | null, shade: Shade | null): void {
    this.element.hidden = !shade;
    if (!paint || !shade) return;
    this.swatch.style.background = shade.fill;
    this.swatch.classList.toggle("mlnb-hatched", shade.fill === "" && shade.value !== null);
    const how = shade.inside > 1 ? `, ${HOW[paint.painting.groups]} of ${shade.inside} inside` : "";
    const text = `${displayText(paint.label)}: ${shade.text}${how}`;
    if (this.words.textContent !== text) this.words.textContent = text;
  }
}
