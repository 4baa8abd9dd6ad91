// What there is to draw of the runs, between two steps, for so many columns: `scene`. No canvas here.
import { dots, extremes, heights, line, places, type Drawn } from "./columns";
import type { Mark, RunData } from "./feed";

export interface View {
  first: number;
  last: number;
  log: boolean;
  span: number;
  columns: number;
}

export type Look = "noise" | "line" | "dashed" | "dots" | "ghost";

export interface Shape {
  run: number;
  name: string;
  color: number;
  look: Look;
  drawn: Drawn;
}

export interface Scene {
  x: number[];
  shapes: Shape[];
  low: number;
  high: number;
  marks: (Mark & { run: number })[];
  best: { step: number; value: number; color: number }[];
}

/** The series of a run in the order of their colours: its losses, then validation. */
export function colorOf(at: number, series: number, runs: number): number {
  return runs > 1 ? at % 8 : series % 8;
}

export function scene(runs: readonly RunData[], view: View): Scene {
  const { first, last, columns } = view;
  const shapes: Shape[] = [];
  const best: Scene["best"] = [];
  for (const [at, run] of runs.entries()) {
    if (!run) continue;
    const { closer } = run;
    const near = closer && closer.first <= first && closer.last >= Math.min(last, run.curve.last) ? closer.data : run;
    for (const given of run.givenUp) {
      for (const name of given.names) shapes.push({ run: at, name, color: 7, look: "ghost", drawn: line(given, given.series.get(name)!.mean, first, last, columns) });
    }
    const names = near.curve.names;
    for (const [series, name] of names.entries()) {
      const color = colorOf(at, series, runs.length);
      const smoothed = view.span > 1;
      shapes.push({ run: at, name, color, look: smoothed ? "noise" : "line", drawn: extremes(near.curve, name, first, last, columns) });
      if (smoothed) shapes.push({ run: at, name, color, look: series && runs.length > 1 ? "dashed" : "line", drawn: line(near.curve, near.smoothed(name, view.span), first, last, columns) });
    }
    const told = run.epochs.filter((row) => typeof row.val_loss === "number");
    if (told.length) {
      const color = validationColor(at, names.length, runs.length);
      const steps = told.map((row) => row.step ?? 0);
      shapes.push({ run: at, name: "validation", color, look: "dots", drawn: dots(steps, told.map((row) => row.val_loss!), first, last, columns) });
    }
    const row = run.best;
    const value = row && (row.val_loss ?? row.loss);
    if (row && typeof value === "number") best.push({ step: row.step ?? 0, value, color: told.length ? validationColor(at, names.length, runs.length) : colorOf(at, 0, runs.length) });
  }
  const ranged = shapes.filter(({ look }) => look !== "ghost").map(({ drawn }) => drawn);
  const [low, high] = heights(ranged, view.log);
  const marks = runs.flatMap((run, at) => (run?.marks ?? []).filter((mark) => mark.step >= first && mark.step <= last).map((mark) => ({ ...mark, run: at })));
  for (const shape of shapes) if (view.log) shape.drawn = shape.drawn.map((value) => (value !== null && value > 0 ? value : null));
  return { x: places(first, last, columns), shapes, low, high, marks, best };
}

export function validationColor(at: number, series: number, runs: number): number {
  return runs > 1 ? at % 8 : Math.max(1, series) % 8;
}
