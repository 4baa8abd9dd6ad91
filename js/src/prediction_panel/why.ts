// The switch "Why?": greyed with its reason where nobody can explain the model.
import { h } from "../dom";

export class WhySwitch {
  readonly element: HTMLButtonElement;

  constructor(private readonly whyNot: string, changed: (on: boolean) => void, refused: (reason: string) => void) {
    this.element = h("button", { type: "button", label: "why? explain the answer", title: whyNot || "explain the answer" }, "Why?");
    this.element.setAttribute("aria-pressed", "false");
    if (whyNot) this.element.setAttribute("aria-disabled", "true");
    this.element.addEventListener("click", () => {
      if (this.whyNot) return refused(this.whyNot);
      this.element.setAttribute("aria-pressed", String(!this.on));
      changed(this.on);
    });
  }

  get on(): boolean {
    return this.element.getAttribute("aria-pressed") === "true";
  }
}
