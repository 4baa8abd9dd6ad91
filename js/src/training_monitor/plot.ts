// The curve on its canvas, by uPlot: axes, lines, cursor, drag. What is drawn comes from `scene`.
import uPlot from "uplot";
import { displayText } from "../display_text";
import { valueText } from "../numbers";
import type { Colors } from "../colors";
import type { Look, Scene, Shape, View } from "./scene";
import { stepText } from "./words";

export interface PlotEvents {
  zoom: (first: number, last: number) => void;
  back: () => void;
  cursor: (step: number | null) => void;
}

const HEIGHT = 292;
const MARK_TEXTS = 12;
const WIDTHS: Record<Look, number> = { noise: 1, line: 2, dashed: 1.5, dots: 1.75, ghost: 1 };

export class Plot {
  private plot: uPlot | null = null;
  private built = "";
  private now: Scene = { x: [], shapes: [], low: 0, high: 1, marks: [], best: [] };
  private view: View = { first: 0, last: 1, log: false, span: 1, columns: 1 };
  painted = 0; // ms that the last repaint took

  constructor(private readonly element: HTMLElement, private readonly colors: () => Colors, private readonly events: PlotEvents) {}

  /** Pixels between the axes, of the screen's own. */
  get columns(): number {
    const width = this.plot ? this.plot.over.clientWidth : this.element.clientWidth - 64;
    return Math.max(50, Math.round(width));
  }

  draw(scene: Scene, view: View): void {
    const began = performance.now();
    [this.now, this.view] = [scene, view];
    const key = JSON.stringify([view.log, scene.shapes.map(({ run, name, look, color }) => [run, name, look, color])]);
    const data = [scene.x, ...scene.shapes.map(({ drawn }) => drawn)] as uPlot.AlignedData;
    if (!this.plot || key !== this.built) this.build(key, data);
    else this.plot.setData(data, true);
    this.painted = performance.now() - began;
  }

  fit(): void {
    const width = this.element.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  /** Put the cursor on a step, or take it away. */
  point(step: number | null): void {
    if (!this.plot) return;
    const left = step === null ? -10 : this.plot.valToPos(step, "x");
    this.plot.setCursor({ left, top: step === null ? -10 : this.plot.over.clientHeight / 2 }, false);
  }

  destroy(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  private build(key: string, data: uPlot.AlignedData): void {
    this.destroy();
    const width = this.element.clientWidth;
    if (width <= 0 || !canDraw()) return; // out of sight, or a page without canvases
    this.built = key;
    this.plot = new uPlot(this.options(width), data, this.element);
    this.plot.over.addEventListener("dblclick", (event) => {
      event.stopImmediatePropagation();
      this.events.back();
    }, true);
  }

  private options(width: number): uPlot.Options {
    const font = "11px system-ui, sans-serif";
    const axis = { stroke: () => this.colors().muted, font, grid: { stroke: () => this.colors().grid, width: 1 }, ticks: { show: false } };
    return {
      width,
      height: HEIGHT,
      padding: [14, 12, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: 4 },
        points: { show: false },
      },
      scales: {
        x: { time: false, range: () => [this.view.first, this.view.last] },
        y: { distr: this.view.log ? 3 : 1, range: () => [this.now.low, this.now.high] },
      },
      axes: [
        { ...axis, size: 26, gap: 4, space: 70, values: (_, ticks) => ticks.map(stepText) },
        { ...axis, size: 52, gap: 4, space: 34, values: (_, ticks) => ticks.map((value) => (value === null ? "" : valueText(value))) },
      ],
      series: [{}, ...this.now.shapes.map((shape) => this.series(shape))],
      hooks: {
        setSelect: [(plot) => this.selected(plot)],
        setCursor: [(plot) => this.events.cursor(plot.cursor.left! >= 0 ? plot.posToVal(plot.cursor.left!, "x") : null)],
        drawClear: [(plot) => this.drawMarks(plot)],
        draw: [(plot) => this.drawBest(plot)],
      },
    };
  }

  private series({ color, look }: Shape): uPlot.Series {
    const faint: Partial<Record<Look, string>> = { noise: "59", ghost: "66" }; // of the colour, in hex
    return {
      stroke: () => this.colors().series[color]! + (faint[look] ?? ""),
      width: WIDTHS[look],
      spanGaps: true,
      dash: look === "dashed" || look === "ghost" ? [5, 3.5] : [],
      points: look === "dots" ? { show: (_plot, _at, first, last) => this.few(first, last), size: 6, fill: () => this.colors().series[color]!, width: 0 } : { show: false },
    };
  }

  private few(_first: number, _last: number): boolean {
    return this.now.shapes.filter(({ look }) => look === "dots").every(({ drawn }) => drawn.reduce((n: number, v) => n + (v === null ? 0 : 1), 0) < 60);
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [first, last] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.events.zoom(first, last);
  }

  // What was done to the run: a dashed line, and where there is room what it was.
  private drawMarks(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio || 1;
    let free = -Infinity;
    let texts = 0;
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = "bottom";
    ctx.textAlign = "left";
    ctx.lineWidth = ratio;
    for (const mark of [...this.now.marks].sort((a, b) => a.step - b.step)) {
      const x = Math.round(plot.valToPos(mark.step, "x", true)) + 0.5;
      const nan = mark.kind === "nan";
      ctx.strokeStyle = ctx.fillStyle = nan ? this.colors().series[3]! : this.colors().muted;
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const text = displayText(mark.text, 30);
      const width = ctx.measureText(text).width;
      const at = Math.min(x, bbox.left + bbox.width - width);
      if (at < free || texts >= MARK_TEXTS) continue;
      ctx.fillText(text, at, bbox.top - ratio);
      free = at + width + 8 * ratio;
      texts += 1;
    }
    ctx.restore();
  }

  private drawBest(plot: uPlot): void {
    const { ctx } = plot;
    const ratio = devicePixelRatio || 1;
    for (const { step, value, color } of this.now.best) {
      if (step < this.view.first || step > this.view.last || value < this.now.low || value > this.now.high) continue;
      ctx.save();
      ctx.strokeStyle = this.colors().series[color]!;
      ctx.lineWidth = 1.75 * ratio;
      ctx.beginPath();
      ctx.arc(plot.valToPos(step, "x", true), plot.valToPos(value, "y", true), 6 * ratio, 0, 2 * Math.PI);
      ctx.stroke();
      ctx.restore();
    }
  }
}

let drawable: boolean | undefined;

function canDraw(): boolean {
  drawable ??= typeof Path2D === "function" && Boolean(document.createElement("canvas").getContext?.("2d"));
  return drawable;
}
