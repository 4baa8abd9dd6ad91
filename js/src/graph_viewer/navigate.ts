// Walking with the arrow keys: down and up along the edges, left and right between neighbours of a
// level. From an open frame, down goes to what it holds.
import type { PlacedBox, Scene } from "./scene";
import { isInside, type Box } from "./visible";

export type Direction = "up" | "down" | "left" | "right";

/** The box that an arrow key leads to; null where there is none. */
export function neighbour(scene: Scene, from: PlacedBox | null, direction: Direction): PlacedBox | null {
  if (!from) return topmost(scene.boxes.filter((placed) => placed.depth === 0));
  if (direction === "left" || direction === "right") return beside(scene, from, direction);
  if (direction === "down" && from.box.inner) return topmost(childrenOf(scene, from.box));
  const next = direction === "down" ? readersOf(scene, from.box) : sourcesOf(scene, from.box);
  return closest(from, next) ?? (from.box.level.frame ? scene.byId.get(from.box.level.frame.id)! : null);
}

function childrenOf(scene: Scene, box: Box): PlacedBox[] {
  return box.inner!.boxes.map((inner) => scene.byId.get(inner.id)!);
}

function readersOf(scene: Scene, box: Box): PlacedBox[] {
  const found = new Set<Box>();
  for (const { segment } of scene.edges) if (segment.source === box || segment.sources.has(box)) for (const target of segment.targets) found.add(target);
  return [...found].map((target) => scene.byId.get(target.id)!);
}

function sourcesOf(scene: Scene, box: Box): PlacedBox[] {
  const found = new Set<Box>();
  for (const { segment } of scene.edges) {
    for (const target of segment.targets) {
      if (target === box || (box.inner && isInside(target, box) && !isInside(segment.source, box))) found.add(segment.source);
    }
  }
  return [...found].map((source) => scene.byId.get(source.id)!);
}

function beside(scene: Scene, from: PlacedBox, direction: "left" | "right"): PlacedBox | null {
  const middle = (placed: PlacedBox) => placed.x + placed.width / 2;
  const sign = direction === "right" ? 1 : -1;
  const overlaps = (placed: PlacedBox) => placed.y < from.y + from.height && from.y < placed.y + placed.height;
  const candidates = from.box.level.boxes
    .map((box) => scene.byId.get(box.id)!)
    .filter((placed) => placed !== from && overlaps(placed) && (middle(placed) - middle(from)) * sign > 0);
  return closest(from, candidates);
}

function topmost(boxes: PlacedBox[]): PlacedBox | null {
  return boxes.reduce<PlacedBox | null>((best, placed) => (!best || placed.y < best.y || (placed.y === best.y && placed.x < best.x) ? placed : best), null);
}

function closest(from: PlacedBox, boxes: PlacedBox[]): PlacedBox | null {
  const away = (placed: PlacedBox) =>
    Math.abs(placed.x + placed.width / 2 - from.x - from.width / 2) + Math.abs(placed.y - from.y);
  return boxes.reduce<PlacedBox | null>((best, placed) => (!best || away(placed) < away(best) ? placed : best), null);
}
