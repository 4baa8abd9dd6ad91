// Which lines belong to a box: those that leave it or end at it; of an open frame, those that cross it.
import type { Scene } from "./scene";
import { isInside, type Box, type Segment } from "./visible";

/** The segments to light up while `box` is selected. */
export function touching({ edges }: Pick<Scene, "edges">, box: Box): Set<Segment> {
  const inside = (other: Box) => other === box || (box.inner !== null && isInside(other, box));
  const lit = new Set<Segment>();
  for (const { segment } of edges) {
    const [starts, ends] = [[...segment.sources], [...segment.targets]];
    const leaves = starts.some(inside) && (box.inner === null || !ends.every(inside));
    const enters = ends.some(inside) && (box.inner === null || !starts.every(inside));
    if (leaves || enters) lit.add(segment);
  }
  return lit;
}
