// ImageGrid: thumbnails of a frame's files. Traits: facts, columns, broken, facets, labels, orders,
// look, view, chosen, current, size, edits, version; look, choose, label, leave_out and undo go up.
import { h } from "../dom";
import { Cleanup, text, type RenderProps } from "../host";
import { hideStaticOutput } from "../static_output";
import { Thumbnails } from "../thumbnails";
import { followWidth } from "../width";
import { howOf, moved } from "./choice";
import { GridState } from "./grid_state";
import { Panel } from "./panel";
import { Scroller, type Measures } from "./scroller";
import { drawTile, makeTile } from "./tile";
import { Toolbar } from "./toolbar";

const LARGE = 384;
const SIDES = [128, 192, 256, 320, 512]; // of a tile; none is LARGE, which is asked for apart
const CAPTION = 22;
const LINE: Measures = { columns: 1, width: 0, extra: 0, height: 40, gap: 4 };

function render({ model, el }: RenderProps): () => void {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id")));
  const root = h("div", { class: "mlnb mlnb-image-grid" });
  root.dataset["lmSuppressShortcuts"] = "true";

  let ready = false;
  const state = new GridState(model, cleanup, (what) => ready && redraw(what));
  const sharp = () => sideFor(Number(model.get("size")) * window.devicePixelRatio);
  const small = new Thumbnails(model, cleanup, sharp());
  const large = new Thumbnails(model, cleanup, LARGE, 40);
  const toolbar = new Toolbar(model, state);
  const panel = new Panel(model, state, large, label);
  const note = h("div", { class: "mlnb-note" });
  const id = (row: number) => `mlnb-${text(model, "static_id")}-${row}`;

  const scroller = new Scroller(cleanup, {
    make: makeTile,
    draw: (tile, row, index) => {
      tile.dataset["row"] = String(row);
      drawTile(tile, state.row(row), small.get(row), {
        chosen: state.chosen.has(row),
        current: row === state.current,
        index,
        count: state.view.length,
        id: id(row),
      });
    },
    sight: (rows) => {
      state.want(rows);
      if (state.look.tab !== "broken") small.want(rows);
    },
  });
  scroller.element.setAttribute("aria-label", "pictures");

  const measures = (): Measures => {
    if (state.look.tab === "broken") return LINE;
    const size = Number(model.get("size"));
    return { columns: Number(model.get("columns")), width: size, extra: CAPTION, height: 0, gap: 8 };
  };

  function lay(): void {
    root.classList.toggle("mlnb-broken-tab", state.look.tab === "broken");
    root.classList.toggle("mlnb-labelling", state.look.labelling);
    scroller.show(state.view, measures());
    note.hidden = state.view.length > 0;
    note.textContent = Number(model.get("broken")) > 0 || Object.keys(state.look.filters).length > 0 || state.look.search
      ? "No picture is as the filters ask."
      : "The frame has no pictures.";
  }

  function redraw(what: "view" | "rows" | "chosen"): void {
    if (what === "view") {
      toolbar.draw();
      lay();
      const at = state.view.indexOf(state.current);
      if (at < 0) scroller.toTop();
      if (state.look.labelling && at < 0) go(0);
    } else scroller.refresh();
    if (what === "rows") lay(); // what is in sight is asked for again
    toolbar.count();
    panel.draw();
  }

  /** The keyboard on the tile at this place of the view. */
  function go(index: number): void {
    if (index < 0 || index >= state.view.length) return;
    state.current = state.view[index]!;
    scroller.reveal(index);
    scroller.refresh();
    scroller.element.setAttribute("aria-activedescendant", id(state.current));
    panel.draw();
  }

  function label(choice: { at: number } | { text: string }): void {
    const rows = state.meant();
    if (rows.length === 0) return;
    model.send({ kind: "label", rows, ...choice });
    if (state.look.labelling) go(state.view.indexOf(state.current) + 1);
  }

  let follows = true; // whether the one chosen picture goes along with the arrow keys
  cleanup.listen(scroller.element, "click", (event: MouseEvent) => {
    const tile = (event.target as HTMLElement).closest<HTMLElement>(".mlnb-tile");
    if (!tile) return;
    const row = Number(tile.dataset["row"]);
    const how = howOf(event);
    follows = how === "alone";
    if (how !== "range" || state.anchor < 0) state.current = row;
    if (how === "alone" && state.chosen.size === 1 && state.chosen.has(row)) state.choose([]);
    else state.pick(row, how);
    go(state.view.indexOf(row));
  });
  cleanup.listen(scroller.element, "keydown", (event: KeyboardEvent) => {
    if (act(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  });

  function act(event: KeyboardEvent): boolean {
    const { key } = event;
    const at = state.view.indexOf(state.current);
    const next = moved(key, at, state.view.length, scroller.columns, scroller.page);
    if (next !== null) {
      const along = follows && state.chosen.size === 1 && state.chosen.has(state.current);
      if (event.shiftKey && state.anchor < 0) state.anchor = state.current;
      go(next);
      if (event.shiftKey) state.pick(state.current, "range");
      else if (along) state.pick(state.current, "alone");
      return true;
    }
    if (key === "a") state.choose(state.view);
    else if (key === "Escape") state.choose([]);
    else if (key === " " && at >= 0) {
      follows = false;
      state.pick(state.current, "toggle");
    } else if (event.ctrlKey || event.metaKey || event.altKey) return false;
    else if (key >= "1" && key <= "9" && Number(key) <= (model.get("labels") as string[]).length) label({ at: Number(key) - 1 });
    else if (key === "x") panel.leaveOut();
    else if (key === "u") model.send({ kind: "undo" });
    else return false;
    return true;
  }

  small.onArrive(() => scroller.refresh());
  large.onArrive(() => panel.draw());
  for (const trait of ["facts", "facets", "orders", "labels", "edits", "look", "broken"]) {
    cleanup.follow(model, `change:${trait}`, () => {
      toolbar.draw();
      panel.draw();
      lay();
    });
  }
  for (const trait of ["size", "columns"]) {
    cleanup.follow(model, `change:${trait}`, () => {
      small.side = sharp();
      lay();
    });
  }
  cleanup.follow(model, "change:current", () => {
    scroller.refresh();
    panel.draw();
  });

  root.append(toolbar.element, h("div", { class: "mlnb-body" }, h("div", { class: "mlnb-main" }, scroller.element, note), panel.element));
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);
  ready = true;
  lay();
  panel.draw();
  requestAnimationFrame(() => scroller.reveal(state.view.indexOf(state.current)));
  root.dataset["state"] = "ready";
  return () => cleanup.run();
}

/** Pixels of the longer side, so that the shorter one of a photograph fills the tile. */
function sideFor(tile: number): number {
  return SIDES.find((side) => side >= 1.4 * tile) ?? SIDES.at(-1)!;
}

export default { render };
