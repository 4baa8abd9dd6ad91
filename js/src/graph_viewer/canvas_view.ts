// The canvas: sharp on any screen, drawn only when something changed, with a short move from one
// layout to the next for those who did not ask their system for less motion.
import { clamp, toScreen, type Camera, type Size } from "./camera";
import { drawScene, type Look } from "./draw";
import type { PlacedBox, Rect, Scene } from "./scene";

const MOVE_MS = 180;
const MOST_MOVING = 1500;

export class CanvasView {
  readonly canvas = document.createElement("canvas");
  camera: Camera = { x: 0, y: 0, scale: 1 };
  scene: Scene | null = null;
  size: Size = { width: 0, height: 0 };
  onDrawn: () => void = () => {};
  private frame = 0;
  private moving: { from: Map<string, Rect>; start: number } | null = null;

  constructor(private readonly look: () => Look) {}

  /** Take the size of the element around, in CSS pixels. */
  resize(width: number, height: number): void {
    this.size = { width, height };
    this.draw();
  }

  /** Show `scene`; boxes that were there move, new ones grow out of the box that held them. */
  show(scene: Scene, camera: Camera, move: boolean): void {
    const old = this.scene;
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.moving = null;
    if (old && move && !calm && scene.boxes.length <= MOST_MOVING) {
      this.moving = { from: startRects(old, scene, camera.x - this.camera.x, camera.y - this.camera.y), start: performance.now() };
    }
    this.scene = scene;
    this.camera = camera;
    this.requestDraw();
  }

  lookAt(camera: Camera): boolean {
    const next = this.scene ? clamp(camera, this.scene, this.size) : camera;
    const moved = next.x !== this.camera.x || next.y !== this.camera.y || next.scale !== this.camera.scale;
    this.camera = next;
    this.requestDraw();
    return moved;
  }

  requestDraw(): void {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
  }

  /** Where every box stands, in CSS pixels from the canvas's corner. */
  boxRects(): ({ id: string } & Rect)[] {
    return (this.scene?.boxes ?? []).map(({ box, x, y, width, height }) => {
      const [left, top] = toScreen(this.camera, x, y);
      const { scale } = this.camera;
      return { id: box.id, x: left, y: top, width: width * scale, height: height * scale };
    });
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const pen = this.canvas.getContext("2d");
    if (!pen || !this.scene || this.size.width === 0) return;
    const part = this.moving ? Math.min(1, (performance.now() - this.moving.start) / MOVE_MS) : 1;
    const eased = 1 - (1 - part) ** 3;
    const scene = this.moving && part < 1 ? between(this.scene, this.moving.from, eased) : this.scene;
    const look = this.look();
    const selected = look.selected && (scene.byId.get(look.selected.box.id) ?? null);
    const ratio = this.sharpen();
    drawScene(pen, scene, this.camera, this.size, ratio, { ...look, selected, edgeAlpha: this.moving ? eased : 1 });
    if (part < 1) this.requestDraw();
    else this.moving = null;
    this.onDrawn();
  }

  // As many device pixels as the screen has now; it changes with the zoom of the page.
  private sharpen(): number {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.size.width * ratio);
    const height = Math.round(this.size.height * ratio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    return ratio;
  }
}

// Where each box of the new scene starts: where it was, or where the box that held it was.
function startRects(old: Scene, scene: Scene, dx: number, dy: number): Map<string, Rect> {
  const from = new Map<string, Rect>();
  for (const placed of scene.boxes) {
    const was = old.byId.get(placed.box.id);
    const frame = placed.box.level.frame;
    const holder = frame ? from.get(frame.id) : undefined;
    if (was) from.set(placed.box.id, { x: was.x + dx, y: was.y + dy, width: was.width, height: was.height });
    else if (holder) from.set(placed.box.id, { x: holder.x, y: holder.y, width: placed.width, height: placed.height });
    else from.set(placed.box.id, placed);
  }
  return from;
}

function between(scene: Scene, from: Map<string, Rect>, part: number): Scene {
  const mix = (a: number, b: number) => a + (b - a) * part;
  const boxes = scene.boxes.map((placed): PlacedBox => {
    const start = from.get(placed.box.id)!;
    return {
      ...placed, x: mix(start.x, placed.x), y: mix(start.y, placed.y),
      width: mix(start.width, placed.width), height: mix(start.height, placed.height),
    };
  });
  return { ...scene, boxes, byId: new Map(boxes.map((placed) => [placed.box.id, placed])) };
}
