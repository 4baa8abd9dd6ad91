// Mouse, wheel and touch on the map. A plain wheel scrolls the page until the map was clicked.
import type { Cleanup } from "../host";

export type Mode = "lasso" | "box" | "move";

export interface Actions {
  mode(): Mode;
  pan(dx: number, dy: number): void;
  zoom(x: number, y: number, factor: number): void;
  hover(place: { x: number; y: number } | null): void;
  press(x: number, y: number, add: boolean): void;
  /** A line is being drawn: x0, y0, x1, y1, … */
  draw(line: readonly number[], mode: Mode): void;
  /** It is done. */
  close(line: readonly number[], mode: Mode, add: boolean): void;
}

const STILL = 4;

export function listenToGestures(canvas: HTMLCanvasElement, cleanup: Cleanup, act: Actions): void {
  let line: number[] = [];
  let mode: Mode | null = null;
  let travelled = 0;
  const place = (event: MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  cleanup.listen<PointerEvent>(canvas, "pointerdown", (event) => {
    if (event.button > 1) return;
    canvas.focus({ preventScroll: true });
    if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
    const { x, y } = place(event);
    [line, travelled] = [[x, y], 0];
    mode = event.button === 1 || event.altKey ? "move" : act.mode();
    act.hover(null);
    event.preventDefault();
  });
  cleanup.listen<PointerEvent>(canvas, "pointermove", (event) => {
    const { x, y } = place(event);
    if (!mode) {
      act.hover({ x, y });
      return;
    }
    const [dx, dy] = [x - line.at(-2)!, y - line.at(-1)!];
    travelled += Math.hypot(dx, dy);
    line.push(x, y);
    if (mode === "move") act.pan(dx, dy);
    else if (travelled > STILL) act.draw(line, mode);
  });
  const up = (event: PointerEvent) => {
    if (!mode) return;
    const add = event.shiftKey || event.ctrlKey || event.metaKey;
    const [drawn, how] = [line, mode];
    [line, mode] = [[], null];
    act.draw([], how);
    if (event.type !== "pointerup") return;
    if (travelled <= STILL) act.press(drawn[0]!, drawn[1]!, add);
    else if (how !== "move") act.close(drawn, how, add);
  };
  cleanup.listen<PointerEvent>(canvas, "pointerup", up);
  cleanup.listen<PointerEvent>(canvas, "pointercancel", up);
  cleanup.listen<PointerEvent>(canvas, "pointerleave", () => act.hover(null));
  cleanup.listen<WheelEvent>(
    canvas,
    "wheel",
    (event) => {
      if (!(event.ctrlKey || event.metaKey) && document.activeElement !== canvas) return;
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 320 : 1;
      const { x, y } = place(event);
      act.zoom(x, y, Math.exp(-Math.max(-120, Math.min(120, event.deltaY * unit)) / 300));
    },
    { passive: false },
  );
}
