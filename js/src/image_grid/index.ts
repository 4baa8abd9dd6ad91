// ImageGrid: thumbnails of a frame's files. Traits: those of FrameRows, columns, broken, size;
// thumbnails go up.
import { FrameRows } from "../frame_rows/frame_rows";
import type { Measures } from "../frame_rows/scroller";
import { Cleanup, type RenderProps } from "../host";
import { Thumbnails } from "../thumbnails";
import { Controls, type PictureLook } from "./controls";
import { Panel } from "./panel";
import { drawTile, makeTile, type PictureRow } from "./tile";

const LARGE = 384;
const SIDES = [128, 192, 256, 320, 512]; // of a tile; none is LARGE, which is asked for apart
const CAPTION = 22;
const LINE: Measures = { columns: 1, width: 0, extra: 0, height: 40, gap: 4 };

function render({ model, el }: RenderProps): () => void {
  const cleanup = new Cleanup();
  const size = () => Number(model.get("size"));
  const sharp = () => sideFor(size() * window.devicePixelRatio);
  const small = new Thumbnails(model, cleanup, sharp());
  const large = new Thumbnails(model, cleanup, LARGE, 40);
  const panel = new Panel(large);
  const isBroken = () => rows.state.look.tab === "broken";
  const controls = new Controls(model, () => rows.state);

  const rows: FrameRows<PictureRow, PictureLook> = new FrameRows<PictureRow, PictureLook>(model, cleanup, {
    className: "mlnb-image-grid",
    noun: "picture",
    search: { label: "search by file name", placeholder: "Find a file" },
    make: makeTile,
    draw: (tile, row, at, state) => drawTile(tile, row, small.get(at), state),
    measures: () => isBroken() ? LINE : { columns: Number(model.get("columns")), width: size(), extra: CAPTION, height: 0, gap: 8 },
    sight: (shown) => {
      if (!isBroken()) small.want(shown);
    },
    bar: controls.elements,
    drawBar: () => controls.draw(),
    hasFilters: () => !isBroken(),
    narrowed: () => Number(model.get("broken")) > 0,
    whenLabelling: { tab: "pictures" },
    about: panel.elements,
    drawAbout: (row, current) => panel.draw(row, current),
    lay: () => void rows.root.classList.toggle("mlnb-broken-tab", isBroken()),
  });

  small.onArrive(() => rows.scroller.refresh());
  large.onArrive(() => rows.aside());
  cleanup.follow(model, "change:broken", () => rows.tell());
  for (const trait of ["size", "columns"]) {
    cleanup.follow(model, `change:${trait}`, () => {
      small.side = sharp();
      rows.lay();
    });
  }
  rows.show(el);
  return () => cleanup.run();
}

/** Pixels of the longer side, so that the shorter one of a photograph fills the tile. */
function sideFor(tile: number): number {
  return SIDES.find((side) => side >= 1.4 * tile) ?? SIDES.at(-1)!;
}

export default { render };
