// What stands where: the laid-out levels flattened to absolute places, with what a click hits.
import type { LayoutClient } from "./layout_client";
import type { BoxSpec, EdgeSpec, LevelLayout, LevelSpec } from "./layout";
import { FONT, fitText, type Measure } from "./measure";
import { BOX, FRAME, LABEL_GAP } from "./spacing";
import { countText } from "../numbers";
import type { Box, End, Level, Segment, Visible } from "./visible";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedBox extends Rect {
  box: Box;
  depth: number;
  /** The texts as far as they fit. */
  title: string;
  subtitle: string;
  /** The width of the part at the right that says how much is inside, and opens it; 0 for none. */
  badge: number;
}

export interface PlacedEdge {
  segment: Segment;
  points: number[];
  bounds: Rect;
  label: { text: string; x: number; y: number } | null;
}

export interface Scene {
  visible: Visible;
  /** Frames before what they hold. */
  boxes: PlacedBox[];
  byId: Map<string, PlacedBox>;
  edges: PlacedEdge[];
  width: number;
  height: number;
}

/** Lay `visible` out; the measured widths of texts give the widths of boxes. */
export async function placeScene(visible: Visible, client: LayoutClient, measure: Measure): Promise<Scene> {
  const levelAt = new Map(visible.levels.map((level, i) => [level, i]));
  const specs = visible.levels.map((level) => levelSpec(level, levelAt, measure));
  const layouts = await client.layout(specs);
  const scene: Scene = {
    visible, boxes: [], byId: new Map(), edges: [], width: layouts[0]!.width, height: layouts[0]!.height,
  };
  addLevel(scene, visible.top, layouts, levelAt, 0, 0, 0, measure);
  return scene;
}

function levelSpec(level: Level, levelAt: Map<Level, number>, measure: Measure): LevelSpec {
  const boxes = level.boxes.map((box): BoxSpec => ({
    ...sizeOf(box, measure), level: box.inner ? levelAt.get(box.inner)! : -1,
  }));
  const firstOut = boxes.length + level.inPorts.size;
  const number = ({ box, side, port }: End) => (box ? box.at : side === "in" ? boxes.length + port : firstOut + port);
  const edges = [...level.segments.values()].map(({ from, to, text }): EdgeSpec => ({
    from: number(from), to: number(to), label: to.box && from.box ? measure(text, FONT.label) : 0,
    fromPort: from.box && from.side ? from.port : -1, toPort: to.box && to.side ? to.port : -1,
  }));
  const title = level.frame ? measure(level.frame.title, FONT.title, true) + FRAME.beside : 0;
  const name = level.frame ? Math.max(FRAME.least, Math.min(BOX.wide, Math.ceil(title))) : 0;
  return { boxes, edges, inPorts: level.inPorts.size, outPorts: level.outPorts.size, name };
}

function sizeOf(box: Box, measure: Measure): { width: number; height: number } {
  const text = Math.max(measure(box.title, FONT.title, true) + badgeWidth(box, measure), measure(box.subtitle, FONT.text));
  const width = Math.min(BOX.wide, Math.max(BOX.narrow, Math.ceil((text + 26) / 8) * 8));
  return { width, height: BOX.height };
}

/** What the badge of a closed box says. */
export const badgeText = (box: Box): string => `${countText(box.count)} ▸`;

const badgeWidth = (box: Box, measure: Measure): number =>
  box.count > 0 ? Math.max(BOX.badge, Math.ceil(measure(badgeText(box), FONT.text)) + 14) : 0;

function addLevel(
  scene: Scene, level: Level, layouts: LevelLayout[], levelAt: Map<Level, number>, x: number, y: number, depth: number,
  measure: Measure,
): void {
  const layout = layouts[levelAt.get(level)!]!;
  level.boxes.forEach((box, i) => {
    const at = layout.boxes[i]!;
    const badge = box.inner ? 0 : badgeWidth(box, measure);
    const room = at.width - (box.inner ? FRAME.beside : 22) - badge;
    const placed: PlacedBox = {
      box, depth, badge, x: x + at.x, y: y + at.y, width: at.width, height: at.height,
      title: fitText(measure, box.title, room, FONT.title, true),
      subtitle: fitText(measure, box.subtitle, at.width - 22, FONT.text),
    };
    scene.boxes.push(placed);
    scene.byId.set(box.id, placed);
    if (box.inner) addLevel(scene, box.inner, layouts, levelAt, placed.x, placed.y, depth + 1, measure);
  });
  const labelled = new Set<string>();
  [...level.segments.values()].forEach((segment, i) => {
    const points = layout.edges[i]!.map((value, k) => value + (k % 2 === 0 ? x : y));
    const key = `${segment.source.id} ${segment.text}`;
    const outside = segment.from.side === "in"; // said where the line enters the frame
    const label = segment.text && !labelled.has(key) && segment.to.box && !outside ? labelPlace(segment.text, points) : null;
    if (label) labelled.add(key);
    scene.edges.push({ segment, points, bounds: boundsOf(points), label });
  });
}

// Beside the middle of the first gap that the line crosses.
function labelPlace(text: string, points: number[]): PlacedEdge["label"] {
  for (let i = 0; i + 3 < points.length; i += 2) {
    const [x0, y0, x1, y1] = points.slice(i, i + 4) as [number, number, number, number];
    if (y1 - y0 >= 20 && y1 - y0 <= 60) return { text, x: (x0 + x1) / 2 + LABEL_GAP, y: (y0 + y1) / 2 };
  }
  return null;
}

function boundsOf(points: number[]): Rect {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 2) {
    left = Math.min(left, points[i]!);
    right = Math.max(right, points[i]!);
    top = Math.min(top, points[i + 1]!);
    bottom = Math.max(bottom, points[i + 1]!);
  }
  return { x: left - 8, y: top - 8, width: right - left + 16, height: bottom - top + 16 };
}

export interface Hit {
  placed: PlacedBox;
  /** The part that opens or closes. */
  fold: boolean;
}

/** The innermost box at a point of the scene; null on the ground. */
export function hit(scene: Scene, x: number, y: number, nameWidth: (frame: PlacedBox) => number): Hit | null {
  for (let i = scene.boxes.length - 1; i >= 0; i--) {
    const placed = scene.boxes[i]!;
    if (x < placed.x || y < placed.y || x > placed.x + placed.width || y > placed.y + placed.height) continue;
    const { box } = placed;
    if (box.kind === "branch") return { placed, fold: false };
    if (box.inner) return { placed, fold: y < placed.y + 24 && x < placed.x + nameWidth(placed) };
    return { placed, fold: placed.badge > 0 && x > placed.x + placed.width - placed.badge };
  }
  return null;
}

/** How far the clickable name of an open frame reaches. */
export function headerWidth({ title, width }: PlacedBox, measure: Measure): number {
  return Math.min(width, 36 + measure(title, FONT.title, true));
}

/** The drawn box that is, or holds, what `id` names: itself, or the closed box around it. */
export function nearest(scene: Scene, ids: readonly string[]): PlacedBox | null {
  for (let i = ids.length - 1; i >= 0; i--) {
    const placed = scene.byId.get(ids[i]!);
    if (placed) return placed;
  }
  return null;
}
