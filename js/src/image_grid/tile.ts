// One picture of the grid: the thumbnail or the reason why there is none, and what it is called.
import { displayText } from "../display_text";
import { h, put } from "../dom";
import { tileClass, type TileState } from "../frame_rows/frame_rows";
import type { Row } from "../frame_rows/row_state";
import { probabilityText } from "../numbers";
import type { Thumbnail } from "../thumbnails";

export interface PictureRow extends Row {
  facts: string[];
  reason?: string;
}

export function makeTile(): HTMLElement {
  const image = h("img", {});
  image.draggable = false;
  image.decoding = "async";
  return h(
    "div",
    { class: "mlnb-tile", role: "option" },
    h("div", { class: "mlnb-thumb" }, image, h("span", { class: "mlnb-why" })),
    h("div", { class: "mlnb-caption" }),
  );
}

export function drawTile(tile: HTMLElement, row: PictureRow | undefined, picture: Thumbnail | undefined, state: TileState): void {
  const [thumb, caption] = tile.children as unknown as [HTMLElement, HTMLElement];
  const [image, why] = thumb.children as unknown as [HTMLImageElement, HTMLElement];
  const url = row?.reason ? "" : picture?.url ?? "";
  const reason = row?.reason ?? picture?.reason ?? "";
  if (image.getAttribute("src") !== url) {
    if (url) image.src = url;
    else image.removeAttribute("src");
  }
  image.hidden = url === "";
  image.alt = "";
  set(why, displayText(reason, 200));
  set(caption, row ? captionOf(row) : "");
  tile.title = row ? `${row.name}${reason ? `\n${displayText(reason, 400)}` : ""}` : "";
  tile.id = state.id;
  tile.className = tileClass(row, state);
  tile.setAttribute("aria-selected", String(state.chosen));
  tile.setAttribute("aria-posinset", String(state.index + 1));
  tile.setAttribute("aria-setsize", String(state.count));
  tile.setAttribute("aria-label", row ? spoken(row, reason) : "not loaded yet");
}

/** `cat`, `dog .97`, `dog .97 · is cat`; the name of the file where nothing is known of it. */
export function captionOf(row: PictureRow): string {
  if (row.reason) return row.name;
  if (row.predicted === undefined) return displayText(row.label ?? row.name, 60);
  const sure = row.probability === undefined ? "" : ` ${probabilityText(row.probability)}`;
  const label = row.wrong ? ` · is ${displayText(row.label ?? "", 40)}` : "";
  return `${displayText(row.predicted, 40)}${sure}${label}`;
}

function spoken(row: PictureRow, reason: string): string {
  const parts = [row.name, row.label, row.predicted === undefined ? "" : `predicted ${captionOf(row)}`];
  parts.push(row.left_out ? "left out" : "", reason);
  return displayText(parts.filter(Boolean).join(", "), 600);
}

function set(element: HTMLElement, text: string): void {
  put(element, text);
  element.hidden = text === "";
}
