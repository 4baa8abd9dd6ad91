// Mouse, trackpad and touch on the canvas. A plain wheel scrolls the page until the canvas was
// clicked: a graph in a long notebook must not catch those who only scroll past.
import type { Cleanup } from "../host";

export interface PointerActions {
  pan(dx: number, dy: number): boolean;
  zoom(x: number, y: number, factor: number): void;
  press(x: number, y: number): void;
  open(x: number, y: number): void;
  cursor(x: number, y: number): string;
  hint(): void;
  /** The pointer rests over a place, or left. */
  hover(place: { x: number; y: number } | null): void;
}

const STILL = 4;

export function listenToPointer(canvas: HTMLCanvasElement, cleanup: Cleanup, act: PointerActions): void {
  const down = new Map<number, { x: number; y: number }>();
  let travelled = 0;
  const place = (event: MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  cleanup.listen<PointerEvent>(canvas, "pointerdown", (event) => {
    if (event.button !== 0) return;
    act.hover(null);
    canvas.focus({ preventScroll: true });
    capture(canvas, event.pointerId);
    down.set(event.pointerId, place(event));
    if (down.size === 1) travelled = 0;
  });
  cleanup.listen<PointerEvent>(canvas, "pointermove", (event) => {
    const now = place(event);
    const before = down.get(event.pointerId);
    if (!before) {
      canvas.style.cursor = act.cursor(now.x, now.y);
      act.hover(now);
      return;
    }
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) pinch(other, before, now, act);
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (travelled > STILL) {
      canvas.style.cursor = "grabbing";
      act.pan((before.x - now.x) / down.size, (before.y - now.y) / down.size);
    }
    down.set(event.pointerId, now);
  });
  const up = (event: PointerEvent) => {
    const pressed = down.delete(event.pointerId);
    const { x, y } = place(event);
    canvas.style.cursor = act.cursor(x, y);
    if (pressed && event.type === "pointerup" && travelled <= STILL) act.press(x, y);
  };
  cleanup.listen<PointerEvent>(canvas, "pointerup", up);
  cleanup.listen<PointerEvent>(canvas, "pointercancel", up);
  cleanup.listen<PointerEvent>(canvas, "pointerleave", () => act.hover(null));
  cleanup.listen<MouseEvent>(canvas, "dblclick", (event) => {
    const { x, y } = place(event);
    act.open(x, y);
  });
  cleanup.listen<WheelEvent>(canvas, "wheel", (event) => wheel(event, canvas, place(event), act), { passive: false });
}

// A browser may refuse to capture a pointer that is already gone.
function capture(canvas: HTMLCanvasElement, pointer: number): void {
  try {
    canvas.setPointerCapture(pointer);
  } catch {
    /* The drag then ends at the canvas's edge. */
  }
}

function wheel(event: WheelEvent, canvas: HTMLCanvasElement, { x, y }: { x: number; y: number }, act: PointerActions): void {
  const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 320 : 1;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    // A pinch sends many small steps, a mouse wheel few large ones.
    const step = Math.max(-25, Math.min(25, event.deltaY * unit));
    act.zoom(x, y, Math.exp(-step * 0.01));
  } else if (!canvas.matches(":focus")) act.hint();
  else {
    const sideways = event.shiftKey && event.deltaX === 0;
    const dx = (sideways ? event.deltaY : event.deltaX) * unit;
    const dy = (sideways ? 0 : event.deltaY) * unit;
    // At the end of the graph the page goes on scrolling.
    if (act.pan(dx, dy)) event.preventDefault();
  }
}

type Point = { x: number; y: number };

function pinch(fixed: Point, before: Point, now: Point, act: PointerActions): void {
  const old = Math.hypot(before.x - fixed.x, before.y - fixed.y);
  const wide = Math.hypot(now.x - fixed.x, now.y - fixed.y);
  if (old > 10) act.zoom((now.x + fixed.x) / 2, (now.y + fixed.y) / 2, wide / old);
}
