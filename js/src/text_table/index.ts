// TextTable: the texts of a frame. Traits: those of FrameRows, columns; text and mark go up.
import { button } from "../dom";
import { FrameRows } from "../frame_rows/frame_rows";
import type { Measures } from "../frame_rows/scroller";
import { Cleanup, type RenderProps } from "../host";
import { Head } from "./head";
import { Range } from "./range";
import { drawRow, makeRow, type Column, type TextLook, type TextRow } from "./row";
import { Whole } from "./whole";

const LINE: Measures = { columns: 1, width: 0, extra: 0, height: 42, gap: 0 };

function render({ model, el }: RenderProps): () => void {
  const cleanup = new Cleanup();
  const columns = model.get("columns") as Column[];
  const look = () => rows.state.look;
  const change = (part: Partial<TextLook>) => rows.state.change(part);
  const head = new Head(columns, look, change);
  const range = new Range(look, change);
  const whole = new Whole(model, cleanup, columns, () => rows.scroller.element.focus());

  const rows: FrameRows<TextRow, TextLook> = new FrameRows<TextRow, TextLook>(model, cleanup, {
    className: "mlnb-text-table",
    noun: "text",
    search: { label: "search in the texts", placeholder: "Find in the texts" },
    make: () => makeRow(columns),
    draw: (tile, row, _, state) => drawRow(tile, columns, row, state, look().search),
    measures: () => LINE,
    head: head.element,
    tools: columns.some(({ kind }) => kind === "probability") ? [range.element] : [],
    drawBar: () => {
      head.draw();
      range.draw();
    },
    narrowed: () => range.isSet,
    about: whole.elements,
    drawAbout: (row, current) => whole.draw(row, current, look().search),
    actions: () => {
      const marked = rows.actions.all((row) => row.marked);
      const one = button("Looks wrong", marked ? "the label looks right after all, key w" : "the label looks wrong, key w", mark);
      one.setAttribute("aria-pressed", String(marked));
      return [one];
    },
    press: (key) => {
      if (key === "w") mark();
      else if (key === "Enter" && rows.state.current >= 0) whole.enter();
      else return false;
      return true;
    },
    lay: () => rows.scroller.element.setAttribute("aria-rowcount", String(rows.state.view.length + 1)),
  });
  const mark = () => rows.actions.turn("mark", (row) => row.marked);

  rows.scroller.element.setAttribute("aria-colcount", String(columns.length));
  rows.show(el);
  return () => cleanup.run();
}

export default { render };
