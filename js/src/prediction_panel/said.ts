// What stands beside the picture or below the text: bars, what is behind them, and the word "why".
import { foreign, h } from "../dom";
import { Bars } from "./bars";
import type { Message } from "./talk";

export class Said {
  readonly bars = new Bars();
  private readonly facts = h("div", { class: "mlnb-muted mlnb-behind" });
  readonly element = h("div", { class: "mlnb-said" }, this.bars.element, this.facts);

  draw(answer: Message | null, milliseconds?: number): void {
    this.bars.draw(answer?.bars ?? []);
    const time = milliseconds ?? (answer?.seconds === undefined ? undefined : 1000 * answer.seconds);
    const parts = answer ? [answer.more, time === undefined ? "" : durationText(time), answer.note] : [];
    this.facts.replaceChildren(foreign(parts.filter(Boolean).join(" · "), 300));
  }
}

/** `12 ms`, `1.4 s`. */
export const durationText = (ms: number): string => (ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
