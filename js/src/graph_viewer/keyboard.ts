// Keys on the canvas. Jupyter's own shortcuts are kept out by data-lm-suppress-shortcuts on the frame.
import type { Cleanup } from "../host";
import type { Direction } from "./navigate";

export interface KeyActions {
  walk(direction: Direction): void;
  toggle(): void;
  zoomBy(factor: number): void;
  fit(): void;
  search(): void;
  clear(): boolean;
}

const ARROWS: Record<string, Direction> = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };

export function listenToKeys(canvas: HTMLCanvasElement, cleanup: Cleanup, act: KeyActions): void {
  cleanup.listen<KeyboardEvent>(canvas, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!handle(event.key, act)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function handle(key: string, act: KeyActions): boolean {
  const arrow = ARROWS[key];
  if (arrow) act.walk(arrow);
  else if (key === "Enter" || key === " ") act.toggle();
  else if (key === "+" || key === "=") act.zoomBy(1.25);
  else if (key === "-") act.zoomBy(0.8);
  else if (key === "0") act.fit();
  else if (key === "/") act.search();
  else if (key === "Escape") return act.clear();
  else return false;
  return true;
}
