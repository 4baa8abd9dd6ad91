// The row below the controls from which one goes back to a kept step: this run, or a copy of it.
import { button, h, option } from "../dom";
import { countText } from "../numbers";

export class Branch {
  readonly element: HTMLElement;
  private readonly step = h("select", { label: "kept step to go back to" });
  private readonly rate = h("input", { class: "mlnb-rate", type: "text", label: "learning rate from there on; empty: as it was" });
  private readonly problem = h("span", { class: "mlnb-warn", role: "status" });
  private shown = "";

  constructor(private readonly ask: (action: string, value: { step: number; lr: number | null }) => void) {
    this.rate.placeholder = "as it was";
    this.rate.addEventListener("keydown", (event) => event.stopPropagation());
    this.element = h("div", { class: "mlnb-branch", role: "group", label: "go back to a kept step" },
      h("label", { class: "mlnb-muted" }, "step ", this.step),
      h("label", { class: "mlnb-muted" }, "lr ", this.rate),
      button("Fork", "train a copy from this step on, beside the run", () => this.send("fork")),
      button("Rewind", "take the run itself back to this step", () => this.send("rewind")),
      this.problem);
    this.element.hidden = true;
  }

  draw(kept: readonly number[]): void {
    const key = kept.join();
    if (key === this.shown) return;
    this.shown = key;
    const before = this.step.value;
    this.step.replaceChildren(...[...kept].reverse().map((step) => option(countText(step), String(step))));
    if (kept.map(String).includes(before)) this.step.value = before;
  }

  private send(action: string): void {
    const text = this.rate.value.trim();
    const lr = text === "" ? null : Number(text);
    const right = lr === null || (Number.isFinite(lr) && lr > 0);
    this.rate.setAttribute("aria-invalid", String(!right));
    this.problem.textContent = right ? "" : "the learning rate is a number above 0, such as 3e-4";
    if (right && this.step.value !== "") this.ask(action, { step: Number(this.step.value), lr });
  }
}
