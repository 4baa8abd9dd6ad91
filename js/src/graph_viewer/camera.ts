// Where the page looks: screen = (scene - origin) * scale. All arithmetic, no DOM.
import type { Rect } from "./scene";

export interface Camera {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

export const ZOOM = { least: 0.02, most: 3, readable: 0.6, comfortable: 0.85 };
const MARGIN = 16;

export function toScreen(camera: Camera, x: number, y: number): [number, number] {
  return [(x - camera.x) * camera.scale, (y - camera.y) * camera.scale];
}

export function toScene(camera: Camera, x: number, y: number): [number, number] {
  return [x / camera.scale + camera.x, y / camera.scale + camera.y];
}

export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x + dx / camera.scale, y: camera.y + dy / camera.scale };
}

/** Zoom by `factor`; what is at the screen point (x, y) stays there. */
export function zoomAt(camera: Camera, x: number, y: number, factor: number): Camera {
  const scale = Math.min(ZOOM.most, Math.max(ZOOM.least, camera.scale * factor));
  const [sx, sy] = toScene(camera, x, y);
  return { x: sx - x / scale, y: sy - y / scale, scale };
}

/** The whole scene, never larger than life. */
export function fit(scene: Size, view: Size): Camera {
  const scale = Math.max(ZOOM.least, Math.min(1, (view.width - MARGIN) / scene.width, (view.height - MARGIN) / scene.height));
  return centred(scene.width / 2, scene.height / 2, scale, view);
}

/** The first look: the whole scene where it stays readable, else its beginning. */
export function firstLook(scene: Size, first: Rect | null, view: Size): Camera {
  const whole = fit(scene, view);
  if (whole.scale >= ZOOM.readable) return whole;
  const scale = Math.max(ZOOM.readable, Math.min(ZOOM.comfortable, (view.width - MARGIN) / scene.width));
  const wide = scene.width * scale > view.width;
  const middle = wide && first ? first.x + first.width / 2 : scene.width / 2;
  return { x: middle - view.width / 2 / scale, y: 0, scale };
}

export function centred(x: number, y: number, scale: number, view: Size): Camera {
  return { x: x - view.width / 2 / scale, y: y - view.height / 2 / scale, scale };
}

/** The least move that brings `rect` into view; its top left corner wins where it is too large. */
export function reveal(camera: Camera, rect: Rect, view: Size): Camera {
  const room = { width: view.width / camera.scale, height: view.height / camera.scale };
  const gap = MARGIN / camera.scale;
  const into = (at: number, size: number, from: number, span: number) => {
    if (at - gap < from || size + 2 * gap > span) return at - gap < from || at + gap > from + span ? at - gap : from;
    return at + size + gap > from + span ? at + size + gap - span : from;
  };
  return {
    ...camera,
    x: into(rect.x, rect.width, camera.x, room.width),
    y: into(rect.y, rect.height, camera.y, room.height),
  };
}

/** Centre on `rect`, at a scale where its text can be read. */
export function centreOn(camera: Camera, rect: Rect, view: Size): Camera {
  const scale = Math.max(ZOOM.readable, camera.scale);
  const tall = rect.height * scale > view.height;
  const y = tall ? rect.y + view.height / 2 / scale - MARGIN : rect.y + rect.height / 2;
  return centred(rect.x + rect.width / 2, y, scale, view);
}

/** The camera that shows the scene point (x, y) at the screen point where `camera` showed (oldX, oldY). */
export function anchor(camera: Camera, old: Pick<Rect, "x" | "y">, now: Pick<Rect, "x" | "y">): Camera {
  return { ...camera, x: camera.x + now.x - old.x, y: camera.y + now.y - old.y };
}

/** Keep a strip of the scene in view. */
export function clamp(camera: Camera, scene: Size, view: Size): Camera {
  const strip = 64 / camera.scale;
  const room = { width: view.width / camera.scale, height: view.height / camera.scale };
  return {
    ...camera,
    x: Math.min(scene.width - strip, Math.max(strip - room.width, camera.x)),
    y: Math.min(scene.height - strip, Math.max(strip - room.height, camera.y)),
  };
}
