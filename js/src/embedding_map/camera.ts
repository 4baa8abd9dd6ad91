// Which part of the map is seen. A place on the map is x and y from 0 to 1, y upwards.
export interface Camera {
  x: number;
  y: number;
  zoom: number; // 1: the whole map fits
}

/** The canvas in pixels, and how much of a unit the map takes to the right and upwards. */
export interface Size {
  width: number;
  height: number;
  spanX: number;
  spanY: number;
}

export const WHOLE: Camera = { x: 0.5, y: 0.5, zoom: 1 };
const MARGIN = 0.92;
const ZOOM = [0.5, 200] as const;

/** Pixels a unit of the map takes, to the right and upwards. */
export const scaleOf = ({ zoom }: Camera, { width, height, spanX, spanY }: Size): number =>
  Math.min(width / spanX, height / spanY) * MARGIN * zoom;

export function toScreen(camera: Camera, size: Size, x: number, y: number): [number, number] {
  const scale = scaleOf(camera, size);
  return [size.width / 2 + (x - camera.x) * scale, size.height / 2 - (y - camera.y) * scale];
}

export function toMap(camera: Camera, size: Size, px: number, py: number): [number, number] {
  const scale = scaleOf(camera, size);
  return [camera.x + (px - size.width / 2) / scale, camera.y - (py - size.height / 2) / scale];
}

export function panned(camera: Camera, size: Size, dx: number, dy: number): Camera {
  const scale = scaleOf(camera, size);
  return within({ ...camera, x: camera.x - dx / scale, y: camera.y + dy / scale });
}

/** Nearer or farther, while the place under the pointer stays there. */
export function zoomed(camera: Camera, size: Size, px: number, py: number, factor: number): Camera {
  const [x, y] = toMap(camera, size, px, py);
  const zoom = Math.min(ZOOM[1], Math.max(ZOOM[0], camera.zoom * factor));
  const next = { ...camera, zoom };
  const [nx, ny] = toMap(next, size, px, py);
  return within({ x: next.x + x - nx, y: next.y + y - ny, zoom });
}

const within = (camera: Camera): Camera => ({
  ...camera,
  x: Math.min(1.2, Math.max(-0.2, camera.x)),
  y: Math.min(1.2, Math.max(-0.2, camera.y)),
});
