// Beside the grid: the current picture, larger, and what is known of it.
import { displayText } from "../display_text";
import { expandable, h } from "../dom";
import type { Thumbnails } from "../thumbnails";
import { captionOf, type PictureRow } from "./tile";

export class Panel {
  private picture = h("div", { class: "mlnb-large" });
  private about = h("div", { class: "mlnb-about" });
  readonly elements = [this.picture, this.about];
  private shown = "";

  constructor(private large: Thumbnails) {}

  draw(row: PictureRow | undefined, current: number): void {
    if (current >= 0 && !row?.reason) this.large.want([current]);
    this.drawPicture(current, row?.name ?? "");
    if (row) {
      this.about.replaceChildren(
        h("div", { class: row.wrong ? "mlnb-name mlnb-wrong" : "mlnb-name" }, captionOf(row)),
        h("div", { class: "mlnb-muted" }, expandable(row.name, 60)),
        ...[...row.facts, row.left_out ? "left out" : ""].filter(Boolean).map((line) => h("div", { class: "mlnb-muted" }, displayText(line, 300))),
      );
    } else this.about.replaceChildren();
  }

  private drawPicture(current: number, name: string): void {
    const found = current < 0 ? undefined : this.large.get(current);
    const key = `${current} ${found?.url ?? ""} ${found?.reason ?? ""}`;
    if (key === this.shown) return;
    this.shown = key;
    if (found?.url) {
      const image = h("img", {});
      image.src = found.url;
      image.alt = name;
      this.picture.replaceChildren(image);
    } else if (current < 0) this.picture.replaceChildren(h("span", { class: "mlnb-muted" }, "Click a picture, or press an arrow key."));
    else if (found?.reason) this.picture.replaceChildren(h("span", { class: "mlnb-warn" }, displayText(found.reason, 300)));
  }
}
