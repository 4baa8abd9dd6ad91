// The canvas: all points in one pass, the chosen ones above, then the line that is being drawn.
import { toScreen, type Camera, type Size } from "./camera";
import type { Palette } from "./palette";
import { paintPoints, stampOf } from "./paint_points";
import type { PointIndex } from "./point_index";

const MANY = 20_000; // points, from which a sharp screen is painted at half its sharpness
const FAINT = 0.16;

export interface Shown {
  index: PointIndex;
  codes: Uint8Array;
  chosen: Uint8Array; // 1: chosen
  anyChosen: boolean;
  camera: Camera;
  palette: Palette;
  hovered: number;
  line: readonly number[];
  box: boolean;
}

export class Painter {
  readonly canvas: HTMLCanvasElement;
  private context: CanvasRenderingContext2D;
  private data: ImageData | null = null;
  milliseconds = 0; // the last picture took

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false })!;
  }

  sizeFor({ spanX, spanY }: PointIndex): Size {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight, spanX, spanY };
  }

  paint(shown: Shown): void {
    const began = performance.now();
    const ratio = shown.index.count > MANY ? 1 : Math.min(2, window.devicePixelRatio || 1);
    const surface = this.surface(ratio);
    if (!surface) return; // out of sight
    const { data, width, height } = surface;
    const pixels = new Uint32Array(data.data.buffer);
    pixels.fill(shown.palette.background);
    const { index, codes, camera, chosen } = shown;
    const scene = { points: index.points, codes, palette: shown.palette.pixels, camera };
    const radius = radiusOf(index.count, camera.zoom) * ratio;
    const size = { width, height, spanX: index.spanX, spanY: index.spanY };
    paintPoints(pixels, size, scene, stampOf(radius, shown.anyChosen ? FAINT : 0.85), chosen, 0);
    if (shown.anyChosen) paintPoints(pixels, size, scene, stampOf(radius + 0.6 * ratio, 1), chosen, 1);
    this.context.putImageData(data, 0, 0);
    this.over(shown, ratio, radius);
    this.milliseconds = performance.now() - began;
  }

  private over({ index, hovered, camera, palette, line, box }: Shown, ratio: number, radius: number): void {
    const context = this.context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.strokeStyle = palette.text;
    if (hovered >= 0) {
      const [x, y] = toScreen(camera, this.sizeFor(index), index.x(hovered), index.y(hovered));
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(x, y, radius / ratio + 3, 0, 2 * Math.PI);
      context.stroke();
    }
    if (line.length >= 4) {
      context.lineWidth = 1.5;
      context.setLineDash([5, 4]);
      context.beginPath();
      if (box) context.rect(line[0]!, line[1]!, line.at(-2)! - line[0]!, line.at(-1)! - line[1]!);
      else for (let i = 0; i < line.length; i += 2) context.lineTo(line[i]!, line[i + 1]!);
      if (!box) context.closePath();
      context.stroke();
      context.globalAlpha = 0.08;
      context.fillStyle = palette.text;
      context.fill();
      context.globalAlpha = 1;
      context.setLineDash([]);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  private surface(ratio: number): { data: ImageData; width: number; height: number } | null {
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (width === 0 || height === 0) return null;
    if (this.data?.width !== width || this.data.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
      this.data = this.context.createImageData(width, height);
    }
    return { data: this.data, width, height };
  }
}

/** Smaller the more there are, larger the nearer one looks; in CSS pixels. */
export function radiusOf(count: number, zoom: number): number {
  const whole = Math.max(1.1, Math.min(5, 16 / Math.cbrt(Math.max(1, count)) + 0.9));
  return Math.min(7, whole * Math.min(3, zoom ** 0.35));
}
