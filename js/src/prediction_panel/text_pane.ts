// The panel of a model that takes text: probabilities move as one types, words are coloured by what
// they add to the answer.
import { h } from "../dom";
import type { Cleanup, Model } from "../host";
import { coloured, keyOf, type Explained } from "../words";
import { spoken } from "./bars";
import type { Line } from "./line";
import { Said } from "./said";
import type { Message, Talk } from "./talk";
import { WhySwitch } from "./why";

export const PAUSE = 250; // ms without a key until the model is asked
const LONGEST = 200_000;

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
    this.drawReasons({});
  }

  /** Show an answer that another view, or a cell, has got. */
  adopt(last: Message & { asked: string }): void {
    if (document.activeElement === this.field) return;
    this.field.value = this.answered = last.asked;
    this.said.draw(last);
    this.drawReasons({ ...last, label: last.bars?.[0]?.label });
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
      return this.drawReasons({});
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
    if (!this.why.on || text === "") return this.drawReasons({});
    const request = this.talk.open((message) => {
      if (text !== this.answered || !this.why.on) return;
      if (message.kind === "error") return this.line.wrong(message.message ?? "");
      this.drawReasons(message);
    });
    this.talk.send("why", request, { text });
  }

  private drawReasons(explained: Explained): void {
    const words = explained.words ?? [];
    this.reasons.hidden = words.length === 0;
    this.reasons.classList.remove("mlnb-old");
    const text = h("p", { class: "mlnb-words", label: "the words by what they add" });
    text.append(...coloured(words));
    this.reasons.replaceChildren(text, keyOf(explained));
  }
}
