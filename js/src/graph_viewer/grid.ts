// A level without lines, such as a thousand inputs: in rows of equal columns, about as wide as a page.
import type { LevelLayout } from "./layout";
import { FRAME, GAP } from "./spacing";

const SHAPE = 1.8;

/** Where boxes of these sizes stand, row by row in their order; `name` is the width of their frame's. */
export function gridLayout(sizes: { width: number; height: number }[], name: number): LevelLayout {
  const column = sizes.reduce((most, { width }) => Math.max(most, width), 0) + GAP.node;
  const height = sizes.reduce((sum, size) => sum + size.height + GAP.node, 0) / sizes.length;
  const columns = Math.max(1, Math.round(Math.sqrt((sizes.length * height * SHAPE) / column)));
  const boxes: LevelLayout["boxes"] = [];
  let y = name > 0 ? FRAME.header : FRAME.pad;
  for (let first = 0; first < sizes.length; first += columns) {
    const row = sizes.slice(first, first + columns);
    row.forEach((size, i) => boxes.push({ x: FRAME.pad + i * column, y, ...size }));
    y += row.reduce((most, size) => Math.max(most, size.height), 0) + GAP.node;
  }
  const width = Math.min(columns, sizes.length) * column - GAP.node + 2 * FRAME.pad;
  return { width: Math.max(width, name), height: y - GAP.node + FRAME.pad, boxes, edges: [], inX: [], outX: [] };
}
