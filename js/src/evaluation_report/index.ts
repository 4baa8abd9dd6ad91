// EvaluationReport: numbers, confusion matrix, and the rows behind each of its cells. Traits: facts,
// beside, notes, noun, content, many, classes, matrix, pairs, table, calibration, explains, order,
// chosen. Messages: rows, thumbnails, pick, why, curves and figure up; their answers and error down.
import { copyText } from "../clipboard";
import { displayText } from "../display_text";
import { button, foreign, h } from "../dom";
import { Cleanup, text, type Model, type RenderProps } from "../host";
import { hideStaticOutput } from "../static_output";
import { followWidth } from "../width";
import { classesView } from "./classes";
import { Curves } from "./curves";
import { Gallery } from "./gallery";
import { matrixView } from "./matrix";
import { Report, same, type Chosen } from "./report";

function render({ model, el }: RenderProps): () => void {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const report = new Report(model);
  const root = h("div", { class: "mlnb mlnb-evaluation-report" });
  root.dataset.lmSuppressShortcuts = "true";
  const tabs = new Tabs(model, report, cleanup);
  const choose = (chosen: Chosen) => {
    if (same(report.chosen, chosen)) tabs.showRows();
    else report.set("chosen", chosen); // whose change shows its rows
  };
  const matrix = matrixView(report, choose);
  tabs.add("classes", classesView(report, choose), () => {});
  tabs.addCurves();
  cleanup.follow(model, "change:chosen", () => {
    matrix.mark(report.chosen);
    tabs.showRows();
  });
  root.append(
    header(model, cleanup),
    beside(model),
    h("div", { class: "mlnb-body" }, matrix.element, tabs.element),
    tabs.hint,
  );
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);
  tabs.showRows();
  root.dataset.state = "ready";
  return () => cleanup.run();
}

/** What stands right of the matrix: rows in one of two orders, the classes, the curves. */
class Tabs {
  readonly element: HTMLElement;
  readonly hint = h("div", { class: "mlnb-hint mlnb-muted" });
  private readonly bar = h("div", { class: "mlnb-tabs", role: "group", label: "what is shown" });
  private readonly pane = h("div", { class: "mlnb-pane" });
  private readonly gallery: Gallery;
  private readonly buttons = new Map<string, HTMLButtonElement>();

  constructor(private readonly model: Model, private readonly report: Report, private readonly cleanup: Cleanup) {
    this.gallery = new Gallery(model, report, cleanup);
    this.element = h("div", { class: "mlnb-right" }, this.bar, this.pane);
    this.tab("wrong", "most wrong", () => this.sort("wrong"));
    this.tab("unsure", "least sure", () => this.sort("unsure"));
    cleanup.follow(model, "change:order", () => this.showRows());
  }

  /** Rows, those that are chosen, from the beginning. */
  showRows(): void {
    this.open(this.report.order, this.gallery.element);
    this.gallery.show();
  }

  add(name: string, element: HTMLElement, shown: () => void): void {
    this.tab(name, name, () => {
      this.open(name, element);
      shown();
    });
  }

  addCurves(): void {
    const curves = new Curves(this.model, this.report, this.cleanup);
    this.add("curves", curves.element, () => curves.show());
  }

  private sort(order: string): void {
    if (this.report.order === order) this.showRows();
    else this.report.set("order", order);
  }

  private tab(name: string, caption: string, on: () => void): void {
    const made = button(caption, caption, on);
    this.buttons.set(name, made);
    this.bar.append(made);
  }

  private open(name: string, element: HTMLElement): void {
    for (const [one, made] of this.buttons) made.setAttribute("aria-pressed", String(one === name));
    const first = name === "unsure" ? "least sure first · " : name === "wrong" ? "most wrong first · " : "";
    const why = this.report.explains ? `, a ${this.report.noun} to see which words speak for its answer` : "";
    this.hint.textContent = `${first}click a cell of the matrix to see its ${this.report.noun}s${why}`;
    if (this.pane.firstChild !== element) this.pane.replaceChildren(element);
  }
}

function header(model: Model, cleanup: Cleanup): HTMLElement {
  const [first = "", ...rest] = (model.get("facts") ?? []) as string[];
  const status = h("span", { class: "mlnb-muted mlnb-status" });
  status.setAttribute("role", "status");
  const figure = button("Figure", "copy the code that draws this as a plotly figure", () => model.send({ kind: "figure", request: 0 }));
  cleanup.follow(model, "msg:custom", (async (message: { kind: string; code: string; message: string }) => {
    if (message.kind === "error") status.textContent = displayText(message.message, 160);
    if (message.kind !== "figure") return;
    const copied = await copyText(message.code);
    status.textContent = `${copied ? "copied: " : ""}${displayText(message.code)}`;
  }) as never);
  return h("div", { class: "mlnb-bar" },
    h("b", { class: "mlnb-title" }, displayText(first)),
    foreign(rest.join(" · "), 300, "mlnb-muted mlnb-facts"),
    h("span", { class: "mlnb-space" }), status, figure);
}

function beside(model: Model): HTMLElement {
  const lines = [text(model, "beside"), ...((model.get("notes") ?? []) as string[])];
  return h("div", { class: "mlnb-beside mlnb-muted" }, ...lines.filter(Boolean).map((line) => h("div", {}, foreign(line, 300))));
}

export default { render };
