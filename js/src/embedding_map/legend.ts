// What the colours mean: a button a group, which chooses its rows, or a ramp from low to high.
import { displayText } from "../display_text";
import { button, h } from "../dom";
import { countText, valueText } from "../numbers";
import { rampCss } from "./palette";

export interface Group {
  name: string;
  code: number;
  count: number;
}

export interface Legend {
  column: string;
  kind: "groups" | "numbers" | "none";
  groups?: Group[];
  low?: number;
  high?: number;
}

export function legendOf(legend: Legend, colors: readonly string[], choose: (code: number, add: boolean) => void): HTMLElement {
  const element = h("div", { class: "mlnb-key" });
  if (legend.kind === "numbers") {
    const ramp = h("span", { class: "mlnb-ramp" });
    ramp.style.background = rampCss();
    element.append(valueText(legend.low), ramp, valueText(legend.high));
  }
  for (const { name, code, count } of legend.kind === "groups" ? legend.groups ?? [] : []) {
    const one = button("", `choose the ${countText(count)} rows of ${displayText(name, 60)}`, (event) =>
      choose(code, (event as MouseEvent).shiftKey || (event as MouseEvent).ctrlKey));
    const dot = h("span", { class: "mlnb-dot" });
    dot.style.background = colors[code] ?? "";
    one.append(dot, displayText(name, 28), h("span", { class: "mlnb-muted" }, ` ${countText(count)}`));
    element.append(one);
  }
  return element;
}
