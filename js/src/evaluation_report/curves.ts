// Calibration, ROC and precision-recall as small charts; the last two of one class at a time.
import { h, option, svg } from "../dom";
import { Cleanup, type Model } from "../host";
import { countText } from "../numbers";
import type { Curve, Report } from "./report";

const SIZE = 150;
const LEFT = 30;
const BOTTOM = 30;
const TOP = 8;

interface Answer {
  kind: string;
  column: number;
  roc: Curve | null;
  recall: Curve | null;
}

/** The three charts; a class's curves are asked for when they are looked at. */
export class Curves {
  readonly element: HTMLElement;
  private readonly drawn = h("div", { class: "mlnb-charts" });
  private readonly known = new Map<number, Answer>();
  private readonly select = h("select", { label: "the class of ROC and precision-recall" });

  constructor(private readonly model: Model, private readonly report: Report, cleanup: Cleanup) {
    this.select.append(...report.classes.map((_, at) => option(report.name(at), String(at))));
    this.select.value = String(report.classes.length === 2 ? 1 : 0); // of two the second is the positive one
    this.select.addEventListener("change", () => this.show());
    this.element = h("div", { class: "mlnb-curves" },
      h("label", { class: "mlnb-which mlnb-muted" }, "class ", this.select), this.drawn);
    cleanup.follow(model, "msg:custom", ((answer: Answer) => {
      if (answer.kind !== "curves") return;
      this.known.set(answer.column, answer);
      this.draw();
    }) as never);
  }

  show(): void {
    const column = Number(this.select.value);
    if (!this.known.has(column)) this.model.send({ kind: "curves", request: column, column });
    this.draw();
  }

  private draw(): void {
    const found = this.known.get(Number(this.select.value));
    const curve = (one: Curve | null | undefined, name: string, x: string, y: string, diagonal: boolean) =>
      chart({
        title: one ? `${name} ${one.area.toFixed(3)}` : `${name} ${found ? "–: one class only" : "…"}`,
        x, y, diagonal, line: one ? one.x.map((at, i) => [at, one.y[i]!]) : [], dots: [],
      });
    const bins = this.report.calibration;
    this.drawn.replaceChildren(
      chart({
        title: "calibration", x: "how sure", y: "how often right", diagonal: true,
        line: bins.map(([sure, right]) => [sure!, right!]), dots: bins,
      }),
      curve(found?.roc, "ROC, area", "false positive rate", "true positive rate", true),
      curve(found?.recall, "average precision", "recall", "precision", false),
    );
  }
}

interface Chart {
  title: string;
  x: string;
  y: string;
  diagonal: boolean;
  line: number[][];
  dots: number[][];
}

function chart({ title, x, y, diagonal, line, dots }: Chart): HTMLElement {
  const at = ([a, b]: readonly number[]) => [round(LEFT + SIZE * a!), round(TOP + SIZE * (1 - b!))] as const;
  const path = (points: readonly (readonly number[])[]) => points.map((point, i) => `${i ? "L" : "M"}${at(point).join(",")}`).join("");
  const most = Math.max(1, ...dots.map(([, , count]) => count!));
  const ticks = [0, 0.5, 1].flatMap((value) => [
    svg("path", { d: `${path([[0, value], [1, value]])}${path([[value, 0], [value, 1]])}`, class: "mlnb-grid" }),
    words(at([value, 0])[0], TOP + SIZE + 13, String(value), "middle"),
    words(LEFT - 5, at([0, value])[1] + 4, String(value), "end"),
  ]);
  const picture = svg("svg", {
    viewBox: `0 0 ${LEFT + SIZE + 10} ${TOP + SIZE + BOTTOM}`, width: LEFT + SIZE + 10, height: TOP + SIZE + BOTTOM,
    role: "img", "aria-label": `${title}: ${y} by ${x}`,
  },
    ...ticks,
    ...(diagonal ? [svg("path", { d: path([[0, 0], [1, 1]]), class: "mlnb-even" })] : []),
    svg("path", { d: path(line), class: "mlnb-line" }),
    ...dots.map(([sure, right, count]) => {
      const [cx, cy] = at([sure!, right!]);
      const dot = svg("circle", { cx, cy, r: round(2 + 4 * Math.sqrt(count! / most)), class: "mlnb-dot" });
      dot.append(svg("title", {}, document.createTextNode(`sure ${sure!.toFixed(3)}, right ${right!.toFixed(3)}: ${countText(count!)}`)));
      return dot;
    }),
    words(LEFT + SIZE / 2, TOP + SIZE + 27, x, "middle"),
  );
  return h("figure", {}, h("figcaption", { title: `${y} by ${x}` }, title), picture);
}

function words(x: number, y: number, text: string, anchor: string): SVGElement {
  return svg("text", { x, y, "text-anchor": anchor }, document.createTextNode(text));
}

const round = (value: number) => Number(value.toFixed(2));
