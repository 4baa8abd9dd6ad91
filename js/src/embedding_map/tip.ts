// What is said of the point under the pointer: its picture or text, and what it is called.
import { displayText } from "../display_text";
import { h } from "../dom";
import type { Thumbnail } from "../thumbnails";

export interface About {
  row: number;
  name: string;
  text: string;
  lines: string[];
}

export class Tip {
  readonly element = h("div", { class: "mlnb-tip", role: "status" });
  private shown = "";

  constructor() {
    this.hide();
  }

  hide(): void {
    this.element.hidden = true;
    this.shown = "";
  }

  /** Beside a place of the map, on the side where there is room. */
  show(about: About, picture: Thumbnail | undefined, x: number, y: number, width: number, height: number): void {
    const key = `${about.row} ${picture?.url ?? ""} ${picture?.reason ?? ""} ${about.lines.join("\n")}`;
    if (key !== this.shown) {
      this.shown = key;
      const parts: Node[] = [];
      if (picture?.url) {
        const image = h("img", {});
        image.src = picture.url;
        image.alt = "";
        image.addEventListener("load", () => this.place(x, y, width, height));
        parts.push(image);
      }
      if (picture?.reason) parts.push(h("div", { class: "mlnb-warn" }, displayText(picture.reason, 200)));
      if (about.text) parts.push(h("div", { class: "mlnb-said" }, displayText(about.text, 280)));
      about.lines.forEach((line, i) => parts.push(h("div", { class: i === 0 ? "" : "mlnb-muted" }, displayText(line, 120))));
      if (about.name) parts.push(h("div", { class: "mlnb-muted" }, displayText(about.name, 80)));
      this.element.replaceChildren(...parts);
    }
    this.element.hidden = false;
    this.place(x, y, width, height);
  }

  private place(x: number, y: number, width: number, height: number): void {
    const right = x < width / 2;
    const { offsetHeight } = this.element;
    const top = Math.max(4, Math.min(height - offsetHeight - 4, y - offsetHeight / 2));
    Object.assign(this.element.style, {
      left: right ? `${x + 14}px` : "",
      right: right ? "" : `${width - x + 14}px`,
      top: `${top}px`,
    });
  }
}
