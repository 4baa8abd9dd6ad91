// One frame of the canvas: frames, edges, boxes, labels; only what is in view. A box too small for
// text is drawn without it, so that a picture of thousands stays quick and quiet.
import type { Camera, Size } from "./camera";
import { arrivesDown, tracePath } from "./edge_path";
import { FONT, type Measure } from "./measure";
import { badgeText, type PlacedBox, type PlacedEdge, type Rect, type Scene } from "./scene";
import type { Theme } from "./theme";
import type { Segment } from "./visible";

export interface Look {
  theme: Theme;
  families: readonly [name: string, color: string][];
  selected: PlacedBox | null;
  /** The lines of the selected box. */
  lit: ReadonlySet<Segment>;
  hits: ReadonlySet<string>;
  measure: Measure;
  /** 0 to 1 while edges come back after a change of layout. */
  edgeAlpha: number;
}

const READABLE = 5.5;

/** Draw `scene` as `camera` sees it into a canvas of `view` CSS pixels. */
export function drawScene(pen: CanvasRenderingContext2D, scene: Scene, camera: Camera, view: Size, ratio: number, look: Look): void {
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = look.theme.background;
  pen.fillRect(0, 0, view.width, view.height);
  const { scale } = camera;
  pen.setTransform(ratio * scale, 0, 0, ratio * scale, -camera.x * scale * ratio, -camera.y * scale * ratio);
  const window: Rect = { x: camera.x, y: camera.y, width: view.width / scale, height: view.height / scale };
  const boxes = scene.boxes.filter((placed) => meets(placed, window));
  const edges = scene.edges.filter((edge) => meets(edge.bounds, window));
  for (const placed of boxes) if (placed.box.inner) drawFrame(pen, placed, look, scale);
  pen.globalAlpha = look.edgeAlpha;
  drawEdges(pen, edges, look, scale);
  pen.globalAlpha = 1;
  for (const placed of boxes) placed.box.inner ? drawFrameName(pen, placed, look, scale) : drawBox(pen, placed, look, scale);
  pen.globalAlpha = look.edgeAlpha;
  if (FONT.label * scale >= READABLE) drawLabels(pen, edges, look);
  pen.globalAlpha = 1;
}

function meets(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width + 8 && a.y < b.y + b.height && b.y < a.y + a.height + 8;
}

function drawFrame(pen: CanvasRenderingContext2D, placed: PlacedBox, look: Look, scale: number): void {
  const { theme } = look;
  const selected = placed === look.selected;
  outline(pen, placed, 8);
  pen.fillStyle = placed.depth % 2 === 0 ? theme.panel : theme.background;
  pen.fill();
  pen.strokeStyle = selected ? theme.accent : theme.line;
  pen.lineWidth = selected ? 2 : Math.max(1, 0.6 / scale);
  pen.stroke();
}

function drawFrameName(pen: CanvasRenderingContext2D, placed: PlacedBox, look: Look, scale: number): void {
  if (FONT.title * scale < READABLE) return;
  const { theme } = look;
  const { box, x, y } = placed;
  pen.font = `600 ${FONT.title}px ${theme.family}`;
  pen.fillStyle = look.hits.has(box.id) ? theme.accent : theme.text;
  const ground = placed.depth % 2 === 0 ? theme.panel : theme.background;
  overLines(pen, (box.kind === "branch" ? "" : "▾ ") + placed.title, x + 12, y + 18, ground);
}

// Text with a rim of the ground's colour, so that a line behind it does not strike it out.
function overLines(pen: CanvasRenderingContext2D, text: string, x: number, y: number, ground: string): void {
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = ground;
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}

function drawBox(pen: CanvasRenderingContext2D, placed: PlacedBox, look: Look, scale: number): void {
  const { theme } = look;
  const { box, x, y, width, height } = placed;
  const selected = placed === look.selected;
  if (box.count > 0) {
    outline(pen, { x: x + 4, y: y + 4, width, height }, 6);
    pen.fillStyle = theme.panel;
    pen.fill();
    pen.strokeStyle = theme.line;
    pen.lineWidth = 1;
    pen.stroke();
  }
  outline(pen, placed, 6);
  pen.fillStyle = theme.background;
  pen.fill();
  if (look.hits.has(box.id)) {
    pen.globalAlpha = 0.16;
    pen.fillStyle = theme.accent;
    pen.fill();
    pen.globalAlpha = 1;
  }
  pen.strokeStyle = selected ? theme.accent : theme.line;
  pen.lineWidth = selected ? 2 : 1;
  if (box.hidden) pen.setLineDash([3, 3]);
  pen.stroke();
  pen.setLineDash([]);
  pen.fillStyle = box.family < 0 ? theme.edge : look.families[box.family]![1];
  pen.fillRect(x, y + 1, FONT.title * scale < READABLE ? width : 4, height - 2);
  if (FONT.title * scale >= READABLE) drawText(pen, placed, look);
}

function drawText(pen: CanvasRenderingContext2D, placed: PlacedBox, look: Look): void {
  const { theme } = look;
  const { box, x, y, width, height } = placed;
  const middle = placed.subtitle ? y + 17 : y + height / 2 + 4;
  pen.font = `600 ${FONT.title}px ${theme.family}`;
  pen.fillStyle = box.hidden ? theme.muted : theme.text;
  pen.fillText(placed.title, x + 13, middle);
  pen.font = `${FONT.text}px ${theme.family}`;
  pen.fillStyle = theme.muted;
  if (placed.subtitle) pen.fillText(placed.subtitle, x + 13, y + 31);
  if (box.count > 0) {
    pen.textAlign = "right";
    pen.fillText(badgeText(box), x + width - 9, middle);
    pen.textAlign = "left";
  }
}

function drawEdges(pen: CanvasRenderingContext2D, edges: PlacedEdge[], look: Look, scale: number): void {
  const { theme } = look;
  const strokes: [PlacedEdge[], string, number][] = [
    [edges.filter(({ segment }) => !look.lit.has(segment)), theme.edge, 1.2],
    [edges.filter(({ segment }) => look.lit.has(segment)), theme.accent, 2],
  ];
  for (const [some, color, width] of strokes) {
    pen.strokeStyle = color;
    pen.fillStyle = color;
    pen.lineWidth = Math.max(width, (width * 0.5) / scale);
    pen.beginPath();
    for (const edge of some) tracePath(pen, edge.points);
    pen.stroke();
    if (scale < 0.25) continue;
    pen.beginPath();
    for (const edge of some) if (edge.segment.to.box) arrowHead(pen, edge.points);
    pen.fill();
  }
}

function arrowHead(pen: CanvasRenderingContext2D, points: readonly number[]): void {
  const x = points[points.length - 2]!;
  const y = points[points.length - 1]!;
  const back = arrivesDown(points) ? -6 : 6;
  pen.moveTo(x, y);
  pen.lineTo(x - 3.5, y + back);
  pen.lineTo(x + 3.5, y + back);
  pen.closePath();
}

function drawLabels(pen: CanvasRenderingContext2D, edges: PlacedEdge[], look: Look): void {
  const { theme, measure } = look;
  pen.font = `${FONT.label}px ${theme.family}`;
  const taken: Rect[] = [];
  for (const { label } of edges) {
    if (!label) continue;
    const place = { x: label.x, y: label.y - 6, width: measure(label.text, FONT.label), height: 12 };
    if (taken.some((other) => meets(place, other))) continue;
    taken.push(place);
    pen.fillStyle = theme.muted;
    overLines(pen, label.text, label.x, label.y + 3.5, theme.background);
  }
}

function outline(pen: CanvasRenderingContext2D, { x, y, width, height }: Rect, radius: number): void {
  pen.beginPath();
  pen.roundRect(x, y, width, height, radius);
}
