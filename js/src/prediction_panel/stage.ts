// Where a picture stands with the map of "why?" over it, and where files are dropped.
import { button, foreign, h } from "../dom";
import { displayText } from "../display_text";
import { drawHeat } from "./heat";
import type { Given } from "./picture_list";
import type { Webcam } from "./webcam";

export class Stage {
  private readonly picture = h("img");
  private readonly heat = h("canvas", { class: "mlnb-heat", role: "img" });
  private readonly frame = h("div", { class: "mlnb-frame" }, this.picture, this.heat);
  private readonly name = h("div", { class: "mlnb-muted mlnb-name" });
  private readonly invite: HTMLButtonElement;
  private webcam: Webcam | null = null;
  readonly element: HTMLElement;

  constructor(open: () => void) {
    this.invite = button("Drop, paste or choose a picture", "drop, paste or choose a picture", open);
    this.invite.className = "mlnb-invite";
    this.element = h("div", { class: "mlnb-stage-of-one" }, this.invite, this.frame, this.name);
    this.show(null, 0);
  }

  /** Show a picture, with its map at an opacity of 0 to 1; 0 is without. */
  show(given: Given | null, opacity: number): void {
    this.frame.hidden = !given?.url;
    this.invite.hidden = Boolean(given?.url) || this.webcam !== null;
    this.name.replaceChildren(...(given ? [foreign(given.name, 80)] : []));
    if (given?.url && this.picture.getAttribute("src") !== given.url) this.picture.src = given.url;
    this.picture.alt = given ? displayText(given.name) : "";
    this.heat.hidden = !given?.heat || opacity === 0;
    this.heat.style.opacity = String(opacity);
    if (!given?.heat) return;
    drawHeat(this.heat, given.heat.map, given.heat.width, given.heat.height);
    this.heat.setAttribute("aria-label", `where the picture speaks for ${displayText(given.heat.label, 60)}: the brighter the more`);
  }

  /** The live picture of the webcam in place of a picture, or no more of it. */
  film(webcam: Webcam | null, given: Given | null, opacity: number): void {
    this.webcam = webcam;
    if (webcam) this.element.prepend(webcam.element);
    this.show(webcam ? null : given, opacity);
  }
}
