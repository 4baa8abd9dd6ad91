// One frame of the canvas: frames, edges, boxes, labels; only what is in view. A box too small for
// text is drawn without it, so that a picture of thousands stays quick and quiet.
import type { Camera, Size } from "./camera";
import { arrivesDown, tracePath } from "./edge_path";
import type { GraphModel } from "./graph_model";
import { FONT, fitText, type Measure } from "./measure";
import type { Paint, Shade } from "./paint";
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
  /** The ids of what is new. */
  marked: ReadonlySet<string>;
  /** Colours by numbers of the user's own, and the model whose boxes they name. */
  paint: Paint | null;
  model: GraphModel | null;
  measure: Measure;
  /** 0 to 1 while edges come back after a change of layout. */
  edgeAlpha: number;
}

const READABLE = 5.5;
const BAND = 26;

/** How a box is painted; null where it is not. */
export function shadeOf(placed: PlacedBox, { paint, model }: Pick<Look, "paint" | "model">): Shade | null {
  return paint && model ? paint.shadeOf(placed.box, model) : null;
}

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
  pen.strokeStyle = selected || look.marked.has(placed.box.id) ? theme.accent : theme.line;
  pen.lineWidth = selected ? 2 : Math.max(1, 0.6 / scale);
  pen.stroke();
  const shade = shadeOf(placed, look);
  if (!shade) return;
  const band = { x: placed.x + 1, y: placed.y + 1, width: placed.width - 2, height: Math.min(BAND, placed.height - 2) };
  outline(pen, band, 7);
  fillShade(pen, band, shade, theme);
}

// What is not a number is hatched.
function fillShade(pen: CanvasRenderingContext2D, { x, y, width, height }: Rect, shade: Shade, theme: Theme): void {
  pen.fillStyle = shade.fill || theme.panel;
  pen.fill();
  if (shade.fill || shade.value === null) return;
  pen.save();
  pen.clip();
  pen.strokeStyle = theme.edge;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let at = x - height; at < x + width; at += 7) {
    pen.moveTo(at, y + height);
    pen.lineTo(at + height, y);
  }
  pen.globalAlpha = 0.55;
  pen.stroke();
  pen.restore();
}

function drawFrameName(pen: CanvasRenderingContext2D, placed: PlacedBox, look: Look, scale: number): void {
  if (FONT.title * scale < READABLE) return;
  const { theme } = look;
  const { box, x, y } = placed;
  pen.font = `600 ${FONT.title}px ${theme.family}`;
  pen.fillStyle = look.hits.has(box.id) ? theme.accent : theme.text;
  const shade = shadeOf(placed, look);
  const plain = placed.depth % 2 === 0 ? theme.panel : theme.background;
  const ground = shade?.fill || plain;
  if (shade?.ink) pen.fillStyle = shade.ink;
  overLines(pen, (box.kind === "branch" ? "" : "▾ ") + placed.title, x + 12, y + 18, ground);
  if (!shade) return;
  pen.textAlign = "right";
  overLines(pen, shade.text, x + placed.width - 10, y + 18, ground);
  pen.textAlign = "left";
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
  const shade = shadeOf(placed, look);
  outline(pen, placed, 6);
  if (shade) {
    fillShade(pen, placed, shade, theme);
    outline(pen, placed, 6);
  } else {
    pen.fillStyle = theme.background;
    pen.fill();
  }
  if (box.danger) {
    pen.globalAlpha = 0.1;
    pen.fillStyle = theme.error;
    pen.fill();
    pen.globalAlpha = 1;
  }
  const marked = look.marked.has(box.id);
  if (marked || look.hits.has(box.id)) {
    pen.globalAlpha = look.hits.has(box.id) ? 0.16 : 0.1;
    pen.fillStyle = theme.accent;
    pen.fill();
    pen.globalAlpha = 1;
  }
  const far = FONT.title * scale < READABLE;
  const warns = box.danger !== "" && (far || !selected);
  pen.strokeStyle = warns ? theme.error : selected || marked ? theme.accent : theme.line;
  pen.lineWidth = warns && far ? 3 / scale : selected ? 2.5 : marked || warns ? 1.6 : 1;
  if (box.hidden) pen.setLineDash([3, 3]);
  pen.stroke();
  pen.setLineDash([]);
  pen.fillStyle = box.danger ? theme.error : box.family < 0 ? theme.edge : look.families[box.family]![1];
  if (!far) {
    pen.fillRect(x, y + 1, 4, height - 2);
    drawText(pen, placed, look, shade);
  } else if (!look.paint && !box.danger) pen.fillRect(x, y + 1, width, height - 2);
}

function drawText(pen: CanvasRenderingContext2D, placed: PlacedBox, look: Look, shade: Shade | null): void {
  const { theme } = look;
  const { box, x, y, width, height } = placed;
  const middle = placed.subtitle || shade ? y + 17 : y + height / 2 + 4;
  pen.font = `600 ${FONT.title}px ${theme.family}`;
  pen.fillStyle = shade?.ink || (box.hidden ? theme.muted : theme.text);
  pen.fillText(placed.title, x + 13, middle);
  pen.font = `${FONT.text}px ${theme.family}`;
  pen.fillStyle = shade?.ink || (box.danger ? theme.error : theme.muted);
  if (shade) drawValue(pen, placed, look, shade);
  else if (placed.subtitle) pen.fillText(placed.subtitle, x + 13, y + 31);
  if (box.count > 0) {
    pen.fillStyle = shade?.ink || theme.muted;
    pen.textAlign = "right";
    pen.fillText(badgeText(box), x + width - 9, middle);
    pen.textAlign = "left";
  }
}

// The value at the lower right, and of the line below the title what still fits.
function drawValue(pen: CanvasRenderingContext2D, { subtitle, x, y, width }: PlacedBox, look: Look, shade: Shade): void {
  const { theme, measure } = look;
  const room = width - 13 - 9 - 8 - measure(shade.text, FONT.text, true);
  if (subtitle && room > 16) pen.fillText(fitText(measure, subtitle, room, FONT.text), x + 13, y + 31);
  pen.font = `600 ${FONT.text}px ${theme.family}`;
  pen.fillStyle = shade.ink || theme.text;
  pen.textAlign = "right";
  pen.fillText(shade.text, x + width - 9, y + 31);
  pen.textAlign = "left";
  pen.font = `${FONT.text}px ${theme.family}`;
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
