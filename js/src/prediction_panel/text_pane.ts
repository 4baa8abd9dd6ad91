// The panel of a model that takes text: probabilities move as one types, words are coloured by what
// they add to the answer.
import { foreign, h } from "../dom";
import type { Cleanup, Model } from "../host";
import { spoken } from "./bars";
import type { Line } from "./line";
import { Said } from "./said";
import type { Message, Talk, Word } from "./talk";
import { WhySwitch } from "./why";

export const PAUSE = 250; // ms without a key until the model is asked
const LONGEST = 200_000;
const WEAK = 0.05;

export class TextPane {
  readonly actions: Node[];
  readonly element: HTMLElement;
  private readonly field = h("textarea", { label: "the text to judge" });
  private readonly reasons = h("div", { class: "mlnb-reasons" });
  private readonly said = new Said();
  private readonly why: WhySwitch;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private newest = "";
  private answered = "";

  constructor(model: Model, cleanup: Cleanup, private readonly talk: Talk, private readonly line: Line) {
    Object.assign(this.field, { rows: 3, placeholder: "Type or paste a text", spellcheck: false, maxLength: LONGEST });
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), PAUSE);
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation(); // JupyterLab would run the cell
      this.ask();
    });
    this.why = new WhySwitch(String(model.get("why_not") ?? ""), () => this.explain(), (reason) => line.tell(reason));
    this.actions = [this.why.element];
    const typed = h("div", { class: "mlnb-typed" }, this.field, this.reasons);
    this.element = h("div", { class: "mlnb-ask" }, typed, this.said.element);
    cleanup.add(() => clearTimeout(this.timer));
    this.drawReasons([], "");
  }

  /** Show an answer that another view, or a cell, has got. */
  adopt(last: Message & { asked: string }): void {
    if (document.activeElement === this.field) return;
    this.field.value = this.answered = last.asked;
    this.said.draw(last);
    this.drawReasons(last.words ?? [], last.bars?.[0]?.label ?? "");
  }

  private ask(): void {
    clearTimeout(this.timer);
    const text = this.field.value;
    this.talk.close(this.newest);
    this.line.clear();
    this.reasons.classList.add("mlnb-old");
    if (text.trim() === "") {
      this.answered = "";
      this.said.draw(null);
      return this.drawReasons([], "");
    }
    const began = performance.now();
    this.newest = this.talk.open((message) => {
      this.line.clear();
      if (message.kind === "error") return this.line.wrong(message.message ?? "");
      this.answered = text;
      this.said.draw(message, performance.now() - began);
      this.line.speak(spoken(message.bars ?? []));
      this.explain();
    });
    this.talk.send("text", this.newest, { text });
  }

  private explain(): void {
    const text = this.answered;
    if (!this.why.on || text === "") return this.drawReasons([], "");
    const request = this.talk.open((message) => {
      if (text !== this.answered || !this.why.on) return;
      if (message.kind === "error") return this.line.wrong(message.message ?? "");
      this.drawReasons(message.words ?? [], message.label ?? "");
    });
    this.talk.send("why", request, { text });
  }

  private drawReasons(words: Word[], label: string): void {
    this.reasons.hidden = words.length === 0;
    this.reasons.classList.remove("mlnb-old");
    const shares = words.map(([, share]) => Math.abs(share ?? 0));
    const most = Math.max(WEAK, ...shares);
    const key = h("div", { class: "mlnb-muted mlnb-key" });
    key.append(
      h("span", { class: "mlnb-for" }, "speaks for"), " ", foreign(label, 60), " · ",
      h("span", { class: "mlnb-against" }, "against it"),
    );
    const text = h("p", { class: "mlnb-words", label: "the words by what they add" });
    text.append(...words.map((word) => span(word, most)));
    this.reasons.replaceChildren(text, key);
  }
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
