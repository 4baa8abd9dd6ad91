// The pictures that were given, the newest first to be seen: one button each, with its answer below.
import { foreign, h } from "../dom";
import { displayText } from "../display_text";
import { percent } from "./bars";
import type { Message } from "./talk";

export const LISTED = 48;

export interface Given {
  name: string;
  state: "waiting" | "asked" | "answered" | "wrong";
  file?: File;
  url: string; // empty where there is nothing to show yet
  request: string; // by which the kernel knows it
  answer?: Message;
  milliseconds?: number;
  reason: string;
  heat?: { map: DataView; width: number; height: number; label: string };
}

export class PictureList {
  readonly element = h("div", { class: "mlnb-given", role: "list", label: "the pictures so far" });
  readonly given: Given[] = [];
  chosen: Given | null = null;
  private readonly buttons = new Map<Given, HTMLButtonElement>();

  constructor(private readonly choose: (given: Given) => void) {
    this.element.addEventListener("keydown", (event) => this.move(event));
  }

  /** Put new ones in front, in their order; the oldest ones are let go. */
  add(several: Given[]): void {
    this.given.unshift(...several);
    for (const old of this.given.splice(LISTED)) forget(old);
    this.draw();
  }

  draw(): void {
    for (const [given, element] of this.buttons) {
      if (this.given.includes(given)) continue;
      element.parentElement!.remove();
      this.buttons.delete(given);
    }
    this.given.forEach((given, i) => {
      const element = this.buttons.get(given) ?? this.buttonOf(given);
      fill(element, given, given === this.chosen);
      const item = element.parentElement!;
      if (this.element.children[i] !== item) this.element.insertBefore(item, this.element.children[i] ?? null);
    });
    this.element.hidden = this.given.length < 2;
  }

  /** Let all pictures go. */
  forget(): void {
    this.given.splice(0).forEach(forget);
  }

  private buttonOf(given: Given): HTMLButtonElement {
    const element = h("button", { type: "button", on: () => this.choose(given) });
    this.buttons.set(given, element);
    h("div", { role: "listitem" }, element);
    return element;
  }

  private move(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = this.given.findIndex((given) => this.buttons.get(given) === document.activeElement);
    const next = step === undefined || at < 0 ? undefined : this.given[at + step];
    if (!next) return;
    event.preventDefault();
    this.choose(next);
    this.buttons.get(next)!.focus();
  }
}

const forget = (given: Given) => given.url.startsWith("blob:") && URL.revokeObjectURL(given.url);

function fill(element: HTMLButtonElement, given: Given, chosen: boolean): void {
  element.setAttribute("aria-pressed", String(chosen));
  const said = words(given);
  element.title = `${displayText(given.name, 200)}: ${said}`;
  element.setAttribute("aria-label", element.title);
  const picture = given.url ? h("img") : h("span", { class: "mlnb-blank" }, given.state === "wrong" ? "!" : "…");
  if (picture instanceof HTMLImageElement) Object.assign(picture, { src: given.url, alt: "" });
  const caption = h("span", { class: given.state === "wrong" ? "mlnb-warn" : "" }, foreign(said, 24));
  element.replaceChildren(picture, caption);
}

function words(given: Given): string {
  const first = given.answer?.bars?.[0];
  if (first) return `${first.label} ${percent(first.share)}`;
  return given.state === "wrong" ? given.reason : given.state;
}
