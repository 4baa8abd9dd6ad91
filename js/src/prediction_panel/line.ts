// The line at the bottom: how far a file has come, with a way to stop it, and what went wrong.
import { button, foreign, h } from "../dom";

export class Line {
  private readonly text = h("span", { class: "mlnb-told" });
  private readonly spoken = h("span", { class: "mlnb-spoken", role: "status" });
  private readonly bar = h("progress", { label: "sent" });
  private readonly stop: HTMLButtonElement;
  readonly element: HTMLElement;

  constructor(cancel: () => void) {
    this.stop = button("Cancel", "cancel the file that is sent", cancel);
    this.text.setAttribute("role", "alert");
    this.element = h("div", { class: "mlnb-below" }, this.text, this.bar, this.stop, this.spoken);
    this.clear();
  }

  clear(): void {
    this.show("", false);
  }

  /** One line of what is wrong. */
  wrong(text: string): void {
    this.show(text, true);
  }

  /** One line of what is going on. */
  tell(text: string): void {
    this.show(text, false);
  }

  /** A file that is sent, `share` of it so far. */
  sending(text: string, share: number): void {
    this.show(text, false);
    this.bar.value = share;
    this.bar.hidden = this.stop.hidden = false;
  }

  /** Nothing that one sees. */
  speak(text: string): void {
    this.spoken.textContent = text;
  }

  private show(text: string, wrong: boolean): void {
    this.bar.hidden = this.stop.hidden = true;
    if (this.text.textContent !== text) this.text.replaceChildren(...(text ? [foreign(text, 300)] : []));
    this.text.classList.toggle("mlnb-warn", wrong);
    this.element.classList.toggle("mlnb-empty", text === "");
  }
}
