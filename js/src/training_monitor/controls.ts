// The controls of a run: Pause or Resume, Stop, learning rate, Checkpoint. One that cannot reach the
// loop is greyed out, can still be focused, and says why; none is ever dead.
import { button, h } from "../dom";
import type { Path, Reach } from "./reach";
import { Branch } from "./branch";
import { rateText } from "./words";

export interface RunState {
  state: string; // preparing, training, paused, ended
  lr: number;
  kept: number[]; // the steps that one can go back to
}

const WHY: Partial<Record<Path, string>> = {
  interrupt: "this cell keeps the kernel busy: train with background=True for this; Stop works",
  none: "this cell keeps the kernel busy: train with background=True for this",
  "no kernel": "no kernel is connected: this is how it was saved",
};
const STOP_YOURSELF = "use this cell's stop button: it stops and keeps";

export class Controls {
  readonly element = h("span", { class: "mlnb-controls", role: "group", label: "steer the run" });
  private readonly pause = button("Pause", "pause the run", () => this.togglePause());
  private readonly stop = button("Stop", "stop the run and keep it", () => this.stopNow());
  private readonly checkpoint = button("Checkpoint", "write a checkpoint now", () => this.ask(this.checkpoint, "checkpoint"));
  private readonly back = button("Go back…", "rewind to a kept step, or fork from one", () => this.toggleBranch());
  private readonly rate = h("input", { class: "mlnb-rate", type: "text", label: "learning rate: Enter sets it, Escape leaves it" });
  run = 0; // which of the runs is steered
  readonly branch: Branch;
  private state: RunState = { state: "preparing", lr: Number.NaN, kept: [] };
  private asked = ""; // what was clicked and has not happened yet

  constructor(private readonly reach: Reach, private readonly say: (sentence: string) => void) {
    this.rate.inputMode = "decimal";
    this.rate.autocomplete = "off";
    this.rate.spellcheck = false;
    this.rate.addEventListener("keydown", (event) => this.typed(event));
    this.rate.addEventListener("change", () => this.setRate());
    const field = h("label", { class: "mlnb-muted mlnb-rate-label" }, "lr", this.rate);
    this.branch = new Branch((action, value) => this.ask(this.back, action, value));
    this.back.setAttribute("aria-expanded", "false");
    this.element.append(this.pause, this.stop, field, this.checkpoint, this.back);
  }

  /** Show what the run does now; a field that one types in is left alone. */
  draw(state: RunState): void {
    if (state.state !== this.state.state) this.asked = "";
    this.state = state;
    const paused = state.state === "paused";
    this.name(this.pause, paused ? "Resume" : "Pause", paused ? "let the run go on" : "pause the run");
    this.name(this.stop, this.asked === "stop" ? "Stopping…" : "Stop", "stop the run and keep it");
    const typing = document.activeElement === this.rate || this.rate.getAttribute("aria-invalid") === "true";
    if (!typing) this.showRate();
    const ended = state.state === "ended" ? "the run has ended" : "";
    const why = ended || (WHY[this.reach.path] ?? "");
    for (const control of [this.pause, this.checkpoint, this.rate]) this.grey(control, why);
    this.grey(this.back, why || (state.kept.length ? "" : "no step has been kept yet"));
    this.branch.draw(state.kept);
    const { path } = this.reach;
    this.grey(this.stop, ended || (path === "none" ? STOP_YOURSELF : path === "no kernel" ? why : ""));
    this.rate.readOnly = why !== "";
  }

  /** Steer another run; what was typed for the one before is none of its business. */
  choose(run: number): void {
    if (run !== this.run) this.rate.removeAttribute("aria-invalid");
    [this.run, this.asked] = [run, ""];
  }

  togglePause(): void {
    this.ask(this.pause, this.state.state === "paused" ? "resume" : "pause");
  }

  stopNow(): void {
    if (this.refuses(this.stop) || this.asked === "stop") return;
    this.asked = "stop";
    this.draw(this.state);
    this.say("");
    this.reach.stop(this.run, (problem) => {
      if (problem) this.asked = "";
      this.draw(this.state);
      this.say(problem);
    });
  }

  private toggleBranch(): void {
    if (this.refuses(this.back)) return;
    const open = this.branch.element.hidden;
    this.branch.element.hidden = !open;
    this.back.setAttribute("aria-expanded", String(open));
  }

  private ask(control: HTMLElement, action: string, value: unknown = null): void {
    if (this.refuses(control)) return;
    this.reach.ask(this.run, action, value, (problem) => this.say(problem));
  }

  private typed(event: KeyboardEvent): void {
    event.stopPropagation(); // a notebook's shortcuts are not for whoever types a number
    if (event.key !== "Escape") return;
    this.showRate();
    this.rate.blur();
    this.say("");
  }

  private setRate(): void {
    if (this.refuses(this.rate)) return this.showRate();
    const value = Number(this.rate.value.trim());
    const right = this.rate.value.trim() !== "" && Number.isFinite(value) && value > 0;
    this.rate.setAttribute("aria-invalid", String(!right));
    if (!right) return this.say("the learning rate is a number above 0, such as 3e-4");
    if (value === this.state.lr) this.say("");
    else this.ask(this.rate, "lr", value);
  }

  private showRate(): void {
    this.rate.value = rateText(this.state.lr);
    this.rate.removeAttribute("aria-invalid");
  }

  private refuses(control: HTMLElement): boolean {
    const why = control.getAttribute("aria-disabled") === "true" ? control.title : "";
    if (why) this.say(why);
    return why !== "";
  }

  private grey(control: HTMLElement, why: string): void {
    control.setAttribute("aria-disabled", String(why !== ""));
    if (control.title !== why) control.title = why;
  }

  private name(control: HTMLButtonElement, caption: string, label: string): void {
    if (control.textContent !== caption) control.textContent = caption;
    control.setAttribute("aria-label", label);
  }
}
