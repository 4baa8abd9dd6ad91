// The graph's part of the frame: canvas, toolbar, minimap, search and side panel around one Viewer,
// tied to the widget's traits and messages.
import { followTheme } from "../colors";
import { button, foreign, h } from "../dom";
import { displayText } from "../display_text";
import { text, type Cleanup, type Model } from "../host";
import { countText } from "../numbers";
import { listenToKeys } from "./keyboard";
import { Legend } from "./legend";
import { Minimap } from "./minimap";
import { Paint, type Painting } from "./paint";
import { PaintedLine } from "./painted_line";
import { hiddenNodes, panelFor } from "./panel";
import { decode } from "./payload";
import { listenToPointer } from "./pointer";
import { SearchBox } from "./search_box";
import { Viewer } from "./viewer";
import { TensorReader } from "./weights";
import { boxWords } from "./words";

type State = "loading" | "ready" | "empty" | "error";

const HINT_MS = 2500;
const NOTICE_MS = 10_000;
let hinted = false;

export class GraphPane {
  private readonly viewer: Viewer;
  private readonly search: SearchBox;
  private readonly minimap: Minimap;
  private readonly reader: TensorReader;
  private readonly legend: Legend;
  private readonly danger = h("div", { class: "mlnb-danger", role: "note" });
  private readonly painted = new PaintedLine();
  private readonly tip = h("div", { class: "mlnb-tip" });
  private readonly body = h("div", { class: "mlnb-body" });
  private readonly stage = h("div", { class: "mlnb-stage" });
  private readonly panel = h("div", { class: "mlnb-panel", role: "region", label: "details of the selection" });
  private readonly spoken = h("div", { class: "mlnb-spoken", role: "status" });
  private readonly cover = h("div", { class: "mlnb-cover" }, "reading the model…");
  private readonly hint = h("div", { class: "mlnb-hint" }, h("span", {}, "click the graph to scroll it · Ctrl + wheel zooms"));
  private readonly hiddenToggle = button("", "show constants, shape arithmetic and identities", () => void this.toggleHidden());
  private readonly notice = h("div", { class: "mlnb-notice mlnb-warn", role: "status" });
  private noticeTimer: ReturnType<typeof setTimeout> | undefined;
  private loads = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly model: Model,
    private readonly cleanup: Cleanup,
  ) {
    this.reader = new TensorReader(model, cleanup);
    this.viewer = new Viewer(root, {
      selected: (id) => this.selected(id),
      drawn: () => this.drawn(),
      laidOut: (scene) => {
        root.dataset.boxes = String(scene.boxes.length);
        this.say();
      },
      failed: (message) => this.fail(message),
    });
    cleanup.add(() => this.viewer.close());
    this.minimap = new Minimap((x, y) => this.viewer.centre(x, y));
    this.search = new SearchBox(this.viewer, cleanup, this.detailsButton());
    this.legend = new Legend((id) => void this.viewer.focus(id), (choice) => model.send({ kind: "choose", choice }));
    this.setState("loading");
    this.build();
    this.listen();
    this.followModel();
    void this.load();
  }

  boxes() {
    return this.viewer.view.boxRects();
  }

  private build(): void {
    const { viewer, stage } = this;
    const { canvas } = viewer.view;
    canvas.className = "mlnb-graph";
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label",
      "the model's graph: arrows walk, Enter opens and closes, slash finds, plus and minus zoom, 0 shows all");
    const toolbar = h("div", { class: "mlnb-tools", role: "toolbar", label: "view" },
      button("+", "zoom in", () => viewer.zoomBy(1.25)),
      button("−", "zoom out", () => viewer.zoomBy(0.8)),
      button("fit", "show the whole graph", () => viewer.fit()),
      this.hiddenToggle);
    this.hint.hidden = this.hiddenToggle.hidden = true;
    this.notice.hidden = this.tip.hidden = this.danger.hidden = true;
    this.tip.setAttribute("aria-hidden", "true");
    stage.append(canvas, this.minimap.canvas, toolbar, this.hint, this.notice, this.tip, this.cover);
    this.body.append(stage, h("div", { class: "mlnb-side" }, this.search.element, this.panel));
    this.root.append(this.danger, this.legend.element, this.body, this.spoken);
    this.setHeight();
    this.repaint();
  }

  private detailsButton(): HTMLButtonElement {
    const fold = button("Details", "show the details of the selection", () => {
      const open = this.body.classList.toggle("mlnb-unfolded");
      fold.setAttribute("aria-expanded", String(open));
    });
    fold.classList.add("mlnb-fold");
    fold.setAttribute("aria-expanded", "false");
    return fold;
  }

  private listen(): void {
    const { viewer, cleanup } = this;
    listenToPointer(viewer.view.canvas, cleanup, {
      pan: (dx, dy) => viewer.pan(dx, dy),
      zoom: (x, y, factor) => viewer.zoom(x, y, factor),
      press: (x, y) => viewer.press(x, y),
      open: (x, y) => viewer.openAt(x, y),
      cursor: (x, y) => viewer.cursorAt(x, y),
      hint: () => this.showHint(),
      hover: (place) => this.showTip(place),
    });
    listenToKeys(viewer.view.canvas, cleanup, {
      walk: (direction) => viewer.walk(direction),
      toggle: () => viewer.toggleSelected(),
      zoomBy: (factor) => viewer.zoomBy(factor),
      fit: () => viewer.fit(),
      search: () => this.search.input.focus(),
      clear: () => this.clear(),
    });
    const sized = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      if (width > 0) viewer.resize(width, height);
    });
    sized.observe(this.stage);
    cleanup.add(() => sized.disconnect());
    cleanup.add(followTheme(() => void viewer.themeChanged()));
  }

  private followModel(): void {
    const { model, cleanup, viewer } = this;
    cleanup.follow(model, "change:payload", () => void this.load());
    cleanup.follow(model, "change:height", () => this.setHeight());
    cleanup.follow(model, "change:readable", () => this.say());
    cleanup.follow(model, "change:painting", () => this.repaint());
    cleanup.follow(model, "change:selected", () => {
      if (viewer.selectedId === text(model, "selected")) return;
      viewer.select(text(model, "selected"));
      this.say();
    });
    cleanup.follow(model, "msg:custom", (message: { kind?: string; id?: string; request?: unknown; message?: unknown }) => {
      if (message?.kind === "focus") void viewer.focus(String(message.id));
      if (message?.kind === "error" && message.request == null) this.showNotice(String(message.message));
    });
    cleanup.add(() => clearTimeout(this.noticeTimer));
    cleanup.add(() => (this.loads += 1));
  }

  private async load(): Promise<void> {
    const bytes = this.model.get("payload") as DataView | Uint8Array | null;
    if (!bytes || bytes.byteLength === 0) return;
    const load = ++this.loads;
    try {
      const payload = await decode(bytes);
      if (load !== this.loads) return;
      if (!this.viewer.shows(payload)) this.reader.forget();
      this.danger.hidden = payload.danger === "";
      this.danger.replaceChildren(foreign(payload.danger, 300));
      if (payload.graphs[0]!.nodes.id.length === 0) {
        this.cover.replaceChildren("this model has no operations");
        this.setState("empty");
        return;
      }
      this.viewer.selectedId ||= text(this.model, "selected");
      this.viewer.marked = new Set((this.model.get("marked") ?? []) as string[]);
      this.sizeUnobserved();
      await this.viewer.setPayload(payload);
      this.search.reset();
    } catch (error) {
      if (load === this.loads) this.fail((error as Error).message);
    }
  }

  // JupyterLab skips what is scrolled away, and no observer speaks of it until it comes into view.
  private sizeUnobserved(): void {
    const { clientWidth, clientHeight } = this.stage;
    if (this.viewer.view.size.width === 0 && clientWidth > 0) this.viewer.resize(clientWidth, clientHeight);
  }

  private drawn(): void {
    const { scene, view, theme, model, paint } = this.viewer;
    this.minimap.draw(scene!, view.camera, view.size, { theme, families: model!.payload.families, paint, model });
    if (this.root.dataset.state === "ready") return;
    this.setState("ready");
    performance.mark("mlnb-first-picture");
  }

  private selected(id: string): void {
    if (text(this.model, "selected") !== id) {
      this.model.set("selected", id);
      this.model.save_changes();
    }
    this.say();
  }

  // What is selected: spoken, in the panel, and what the toolbar offers.
  private say(): void {
    const { viewer, model } = this;
    if (!viewer.model) return;
    const placed = viewer.selectedBox;
    this.spoken.textContent = placed ? boxWords(placed.box) + this.valueWords() : "nothing selected";
    this.sayValue();
    this.panel.replaceChildren(this.painted.element, panelFor(viewer.model, viewer.target, {
      go: (id) => void viewer.focus(id),
      statistics: model.get("readable") ? (graph, value) => this.reader.element(graph, value) : null,
      showHidden: viewer.showHidden,
    }));
    const hidden = hiddenNodes(viewer.model.payload);
    this.hiddenToggle.hidden = hidden === 0;
    this.hiddenToggle.textContent = `hidden: ${countText(hidden)}`;
    this.hiddenToggle.setAttribute("aria-pressed", String(viewer.showHidden));
  }

  // Colours by numbers of the user's own: only what shows them changes, nothing is laid out anew.
  private repaint(): void {
    const painting = (this.model.get("painting") ?? {}) as Partial<Painting>;
    const ids = (this.model.get("painted") ?? []) as string[];
    const paint = painting.values ? new Paint(ids, painting as Painting) : null;
    this.viewer.setPaint(paint);
    this.legend.show(paint);
    this.legend.offer((this.model.get("choices") ?? []) as string[], paint?.label ?? "");
    this.sayValue();
    this.tip.hidden = true;
  }

  private sayValue(): void {
    const placed = this.viewer.selectedBox;
    this.painted.show(this.viewer.paint, placed && this.viewer.shadeOf(placed));
  }

  private valueWords(): string {
    const placed = this.viewer.selectedBox;
    const shade = placed && this.viewer.shadeOf(placed);
    return shade ? ` ${displayText(this.viewer.paint!.label)} ${shade.text}.` : "";
  }

  private showTip(place: { x: number; y: number } | null): void {
    const { viewer, tip } = this;
    const placed = place && viewer.paint ? viewer.boxAt(place.x, place.y) : null;
    const shade = placed && viewer.shadeOf(placed);
    tip.hidden = !shade;
    if (!shade) return;
    tip.replaceChildren(foreign(placed.box.title, 60), h("br"), h("strong", {}, shade.text), " ", foreign(viewer.paint!.label, 60, "mlnb-muted"));
    const { width } = viewer.view.size;
    tip.style.left = `${Math.max(4, Math.min(place!.x + 14, width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${place!.y + 18}px`;
  }

  private async toggleHidden(): Promise<void> {
    await this.viewer.setShowHidden(!this.viewer.showHidden);
    this.search.refresh();
  }

  private clear(): boolean {
    const something = this.viewer.selectedId !== "" || this.search.input.value !== "";
    this.search.clear();
    this.viewer.choose("");
    return something;
  }

  private showHint(): void {
    if (hinted) return;
    hinted = true;
    this.hint.hidden = false;
    const timer = setTimeout(() => (this.hint.hidden = true), HINT_MS);
    this.cleanup.add(() => clearTimeout(timer));
  }

  // An error that answers no request of ours, such as a trait that Python refused.
  private showNotice(words: string): void {
    this.notice.replaceChildren(foreign(words, 400));
    this.notice.hidden = false;
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => (this.notice.hidden = true), NOTICE_MS);
  }

  private setHeight(): void {
    const height = Number(this.model.get("height")) || 460;
    this.root.style.setProperty("--mlnb-height", `${height}px`);
  }

  private setState(state: State): void {
    this.root.dataset.state = state;
    this.cover.hidden = state === "ready";
  }

  private fail(message: string): void {
    this.cover.replaceChildren(h("div", { class: "mlnb-warn", role: "alert" }, foreign(message, 400)));
    this.setState("error");
  }
}
