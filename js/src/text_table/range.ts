// From how sure to how sure: two numbers, 0 to 1.
import { h } from "../dom";
import { field, patiently } from "../frame_rows/bar";
import type { TextLook } from "./row";

export class Range {
  private low = number("the least probability");
  private high = number("the largest probability");
  readonly element = h("span", { class: "mlnb-range", role: "group", label: "probability" }, "sure", this.low, "to", this.high);

  constructor(private look: () => TextLook, change: (part: Partial<TextLook>) => void) {
    for (const one of [this.low, this.high]) {
      patiently(one, () => change({ sure: [within(this.low.value, 0), within(this.high.value, 1)] }));
    }
  }

  get isSet(): boolean {
    const [low, high] = this.look().sure;
    return low > 0 || high < 1;
  }

  draw(): void {
    this.look().sure.forEach((value, at) => {
      const one = at === 0 ? this.low : this.high;
      if (document.activeElement !== one) one.value = String(value);
    });
    this.element.classList.toggle("mlnb-on", this.isSet);
  }
}

function number(label: string): HTMLInputElement {
  const input = field("number", label);
  [input.min, input.max, input.step] = ["0", "1", "0.05"];
  return input;
}

/** A number of 0 to 1; `otherwise` where nothing sensible was typed. */
function within(typed: string, otherwise: number): number {
  const value = Number(typed);
  return typed.trim() === "" || !Number.isFinite(value) ? otherwise : Math.max(0, Math.min(1, value));
}
