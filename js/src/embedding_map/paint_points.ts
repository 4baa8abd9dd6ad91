// Points as pixels: each is a small disc blended into an array, which goes to the canvas in one
// piece. A hundred thousand calls of `arc` and `fill` would take ten times as long.
import { scaleOf, type Camera, type Size } from "./camera";
import { NOWHERE, UNIT } from "./point_index";

export interface Stamp {
  radius: number;
  dx: Int8Array;
  dy: Int8Array;
  cover: Uint16Array; // 0 to 256
}

/** A disc with a soft edge, `opacity` 0 to 1. */
export function stampOf(radius: number, opacity: number): Stamp {
  const reach = Math.ceil(radius);
  const cells: [number, number, number][] = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(dx, dy)));
      if (cover > 0) cells.push([dx, dy, Math.round(cover * opacity * 256)]);
    }
  }
  return {
    radius: reach,
    dx: Int8Array.from(cells, (cell) => cell[0]),
    dy: Int8Array.from(cells, (cell) => cell[1]),
    cover: Uint16Array.from(cells, (cell) => cell[2]),
  };
}

export interface Scene {
  points: Uint16Array;
  codes: Uint8Array;
  palette: Uint32Array; // by code, as `pixelOf` gives them
  camera: Camera;
}

/** Blend the points `from` whose `mark` is `wanted` into `pixels`. */
export function paintPoints(
  pixels: Uint32Array,
  size: Size,
  { points, codes, palette, camera }: Scene,
  stamp: Stamp,
  marks: Uint8Array,
  wanted: number,
): void {
  const { width, height } = size;
  const scale = scaleOf(camera, size);
  const step = scale / UNIT;
  const left = width / 2 - camera.x * scale;
  const top = height / 2 + camera.y * scale;
  const { radius, dx, dy, cover } = stamp;
  const count = points.length / 2;
  const cells = dx.length;
  for (let i = 0; i < count; i++) {
    if (marks[i] !== wanted || points[2 * i] === NOWHERE) continue;
    const x = Math.round(left + points[2 * i]! * step);
    const y = Math.round(top - points[2 * i + 1]! * step);
    if (x < -radius || y < -radius || x >= width + radius || y >= height + radius) continue;
    const color = palette[codes[i]!]!;
    const redBlue = color & 0xff00ff;
    const green = color & 0x00ff00;
    const whole = x >= radius && y >= radius && x < width - radius && y < height - radius;
    for (let c = 0; c < cells; c++) {
      const px = x + dx[c]!;
      const py = y + dy[c]!;
      if (!whole && (px < 0 || py < 0 || px >= width || py >= height)) continue;
      const at = py * width + px;
      const under = pixels[at]!;
      const over = cover[c]!;
      const rest = 256 - over;
      const rb = ((Math.imul(redBlue, over) + Math.imul(under & 0xff00ff, rest)) >>> 8) & 0xff00ff;
      const g = ((Math.imul(green, over) + Math.imul(under & 0x00ff00, rest)) >>> 8) & 0x00ff00;
      pixels[at] = 0xff000000 | rb | g;
    }
  }
}

/** A colour as one pixel of an ImageData seen as 32-bit numbers (little-endian machines: all of them). */
export const pixelOf = ([red, green, blue]: readonly number[]): number =>
  (0xff000000 | (blue! << 16) | (green! << 8) | red!) >>> 0;
