// A text with its words coloured by what they add to an answer, and what the colours mean. Colours
// stand in words.css.
import { foreign, h } from "./dom";

/** A piece of a text and its share in the answer, -1 to 1; null for what lies between words. */
export type Word = [string, number | null];

export interface Explained {
  words?: Word[];
  words_note?: string;
  label?: string;
}

const WEAK = 0.05; // of the strongest word's share: what is weaker has no colour

/** The pieces of a text, by the share of the strongest of its words. */
export function coloured(words: readonly Word[]): Node[] {
  const most = Math.max(WEAK, ...words.map(([, share]) => Math.abs(share ?? 0)));
  return words.map((word) => span(word, most));
}

/** `speaks for cat · against it`, and what was not looked at. */
export function keyOf({ label = "", words_note: note = "" }: Explained): HTMLElement {
  const key = h("span", { class: "mlnb-muted mlnb-key" });
  key.append(
    h("span", { class: "mlnb-for" }, "speaks for"), " ", foreign(label, 60), " · ",
    h("span", { class: "mlnb-against" }, "against it"),
  );
  if (note) key.append(" · ", foreign(note, 300));
  return key;
}

// White space is kept by the style sheet; whatever else cannot be seen becomes visible.
function span([piece, share]: Word, most: number): Node {
  const lines = piece.split("\n").flatMap((part, i) => (i === 0 ? [shown(part)] : [document.createTextNode("\n"), shown(part)]));
  if (share === null || Math.abs(share) < WEAK * most) return h("span", {}, ...lines);
  const element = h("span", { class: share > 0 ? "mlnb-for" : "mlnb-against", title: `${share > 0 ? "+" : "−"}${Math.abs(share).toFixed(2)}` }, ...lines);
  element.style.setProperty("--mlnb-weight", `${Math.round(15 + 55 * Math.abs(share) / most)}%`);
  return element;
}

const shown = (part: string): Node => foreign(part, 4000);
