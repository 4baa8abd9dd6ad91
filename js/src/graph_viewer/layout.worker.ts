// The layout as a program of its own: a message in, a message out. The page runs the very same code
// where it may not start workers (build.mjs makes one self-contained function of this file).
import { layoutLevel, type LevelLayout, type LevelSpec } from "./layout";

export interface Request {
  id: number;
  levels: LevelSpec[];
}

export interface Reply {
  id: number;
  layouts: LevelLayout[];
  error: string;
}

export interface Scope {
  onmessage: ((event: { data: Request }) => void) | null;
  postMessage(reply: Reply): void;
  /** Waits between two levels; absent in a worker, where nobody else has to be let in. */
  pause?: () => Promise<void>;
}

/** Answer requests: levels in the order outer before inner, layouts in the same order. */
export function serve(scope: Scope): void {
  let before = new Map<string, LevelLayout>();
  scope.onmessage = async ({ data: { id, levels } }) => {
    const layouts: LevelLayout[] = new Array(levels.length);
    const now = new Map<string, LevelLayout>();
    try {
      for (let i = levels.length - 1; i >= 0; i--) {
        // A level whose boxes and edges stayed as they were keeps its layout; so opening one fold
        // costs only the levels around it.
        const spec = levels[i]!;
        const inside = spec.boxes.map(({ level }) => (level < 0 ? 0 : layouts[level]));
        const key = JSON.stringify([spec.edges, spec.boxes, inside.map((at) => at && [at.width, at.height, at.inX, at.outX]), spec.inPorts, spec.outPorts, spec.name]);
        const layout = before.get(key) ?? layoutLevel(spec, (level) => layouts[level]!);
        now.set(key, layout);
        layouts[i] = layout;
        if (scope.pause) await scope.pause();
      }
      before = now;
      scope.postMessage({ id, layouts, error: "" });
    } catch (error) {
      scope.postMessage({ id, layouts: [], error: String((error as Error).message ?? error) });
    }
  };
}
