// In the bar of the grid: the size of the thumbnails, and the files that cannot be shown.
import { button, h } from "../dom";
import { field } from "../frame_rows/bar";
import type { Look, RowState } from "../frame_rows/row_state";
import type { Model } from "../host";
import { countText, plural } from "../numbers";
import type { PictureRow } from "./tile";

export interface PictureLook extends Look {
  tab: "pictures" | "broken";
}

export class Controls {
  private size = field("range", "size of the thumbnails");
  private tabs = h("span", { class: "mlnb-choices", role: "tablist" });
  readonly elements = [this.size, this.tabs];

  constructor(private model: Model, private state: () => RowState<PictureRow, PictureLook>) {
    [this.size.min, this.size.max, this.size.step] = ["64", "256", "16"];
    this.size.addEventListener("input", () => {
      model.set("size", Number(this.size.value));
      model.save_changes();
    });
  }

  draw(): void {
    const { tab } = this.state().look;
    const broken = Number(this.model.get("broken"));
    this.size.hidden = tab === "broken";
    this.size.value = String(this.model.get("size"));
    this.tabs.hidden = broken === 0;
    const made = (["pictures", "broken"] as const).map((name) => {
      const caption = name === "broken" ? `${countText(broken)} broken` : "Pictures";
      const label = name === "broken" ? `show the ${plural(broken, "file")} that cannot be shown` : "show the pictures";
      const one = button(caption, label, () => this.state().change({ tab: name }));
      one.setAttribute("role", "tab");
      one.setAttribute("aria-selected", String(tab === name));
      return one;
    });
    this.tabs.replaceChildren(...made);
  }
}
