// The whole graph in a corner, with the part in view framed; a press or drag there moves the view. A
// long graph gets a strip along the whole side, since in a corner it would be a smudge.
import type { Camera, Size } from "./camera";
import { shadeOf, type Look } from "./draw";
import type { Scene } from "./scene";

const ROOM = { width: 104, height: 118, margin: 6, gap: 8 };
const LONG = 4;
const NARROW = 520;
const STRETCH = 5;

export class Minimap {
  readonly canvas = document.createElement("canvas");
  private scale = { x: 1, y: 1 };
  private left = 0;
  private top = 0;

  constructor(private readonly goTo: (x: number, y: number) => void) {
    this.canvas.className = "mlnb-minimap";
    this.canvas.setAttribute("aria-hidden", "true");
    const follow = (event: PointerEvent) => {
      if (event.buttons === 0) return;
      this.canvas.setPointerCapture(event.pointerId);
      const box = this.canvas.getBoundingClientRect();
      this.goTo((event.clientX - box.left - this.left) / this.scale.x, (event.clientY - box.top - this.top) / this.scale.y);
      event.preventDefault();
    };
    this.canvas.addEventListener("pointerdown", follow);
    this.canvas.addEventListener("pointermove", follow);
  }

  /** Draw, or hide where the whole scene is in view anyway. */
  draw(scene: Scene, camera: Camera, view: Size, look: Pick<Look, "theme" | "families" | "paint" | "model">): void {
    const { theme, families } = look;
    const shown = { width: view.width / camera.scale, height: view.height / camera.scale };
    const whole = camera.x <= 0 && camera.y <= 0 && camera.x + shown.width >= scene.width && camera.y + shown.height >= scene.height;
    this.canvas.hidden = whole || view.width < 300;
    const pen = this.canvas.hidden ? null : this.canvas.getContext("2d");
    if (!pen) return;
    const ratio = window.devicePixelRatio || 1;
    const strip = scene.height > LONG * scene.width && view.width > NARROW;
    const room = strip ? Math.max(ROOM.height, view.height - 2 * ROOM.gap - 2) : ROOM.height;
    this.canvas.style.height = `${room}px`;
    this.canvas.width = ROOM.width * ratio;
    this.canvas.height = room * ratio;
    // A long thin graph would be a hairline: the narrow side may stretch.
    const [wide, tall] = [(ROOM.width - 2 * ROOM.margin) / scene.width, (room - 2 * ROOM.margin) / scene.height];
    this.scale = { x: Math.min(wide, tall * STRETCH), y: Math.min(tall, wide * STRETCH) };
    this.left = (ROOM.width - scene.width * this.scale.x) / 2;
    this.top = (room - scene.height * this.scale.y) / 2;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.globalAlpha = 0.7;
    for (const placed of scene.boxes) {
      const { box, x, y, width, height } = placed;
      if (box.inner) continue;
      pen.fillStyle = shadeOf(placed, look)?.fill || (box.family < 0 || look.paint ? theme.edge : families[box.family]![1]);
      pen.fillRect(this.left + x * this.scale.x, this.top + y * this.scale.y, Math.max(1, width * this.scale.x), Math.max(1, height * this.scale.y));
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = theme.accent;
    pen.lineWidth = 1.5;
    const x0 = Math.max(1, this.left + camera.x * this.scale.x);
    const y0 = Math.max(1, this.top + camera.y * this.scale.y);
    const x1 = Math.min(ROOM.width - 1, this.left + (camera.x + shown.width) * this.scale.x);
    const y1 = Math.min(room - 1, this.top + (camera.y + shown.height) * this.scale.y);
    pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }
}
