// The graph as a thing that changes: which folds are open, what is selected, where the camera looks.
// Every change of folds is a new layout; the newest wins, and what the reader looked at stays put.
import { CanvasView } from "./canvas_view";
import { anchor, centred, centreOn, firstLook, fit, pan, reveal, toScene, zoomAt } from "./camera";
import { shadeOf, type Look } from "./draw";
import { GraphModel, type Instance, type Target } from "./graph_model";
import type { Group } from "./graph_index";
import { LayoutClient } from "./layout_client";
import { measurer, type Measure } from "./measure";
import { neighbour, type Direction } from "./navigate";
import type { Paint, Shade } from "./paint";
import type { Payload } from "./payload";
import { headerWidth, hit, nearest, placeScene, type PlacedBox, type Scene } from "./scene";
import { readTheme, type Theme } from "./theme";
import { touching } from "./touching";
import { visible, type Box, type Segment } from "./visible";

export interface ViewerEvents {
  selected(id: string): void;
  drawn(): void;
  laidOut(scene: Scene): void;
  failed(message: string): void;
}

const DOUBLE_CLICK_MS = 500;

export class Viewer {
  model: GraphModel | null = null;
  selectedId = "";
  showHidden = false;
  theme: Theme;
  readonly view = new CanvasView(() => this.look());
  private measure: Measure;
  private readonly layouts = new LayoutClient();
  private open = new Set<string>();
  private hits: ReadonlySet<string> = new Set();
  /** The ids of what is drawn as new. */
  marked: ReadonlySet<string> = new Set();
  paint: Paint | null = null;
  private layoutRun = 0;
  private lastToggle = 0;
  private focusNext: string | null = null;
  /** A box to be brought into view as soon as it is laid out and the canvas has a size. */
  private sought: string | null = null;
  private lit: { scene: Scene; box: Box; segments: Set<Segment> } | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly events: ViewerEvents,
  ) {
    this.theme = readTheme(root);
    this.measure = measurer(this.theme.family);
    this.view.onDrawn = () => this.events.drawn();
  }

  /** Show another payload. One with the same nodes keeps folds, camera and selection. */
  async setPayload(payload: Payload): Promise<void> {
    const same = this.shows(payload);
    this.model = new GraphModel(payload);
    if (!same) {
      this.open = new Set(openAtFirst(this.model.main));
      this.view.scene = null;
      this.selectedId = this.model.find(this.selectedId) ? this.selectedId : "";
    }
    // What was selected before this page came up is looked for as well: its message is long gone.
    const wanted = this.focusNext ?? (same ? null : this.selectedId || null);
    this.focusNext = null;
    await this.relayout(null);
    if (wanted !== null) await this.focus(wanted);
    else if (!same) this.select("");
  }

  /** Whether `payload` is of the model that is shown, perhaps with more shapes. */
  shows(payload: Payload): boolean {
    return this.model !== null && sameNodes(this.model.payload, payload);
  }

  get scene(): Scene | null {
    return this.view.scene;
  }

  get target(): Target | null {
    return this.selectedId === "" ? null : (this.model?.find(this.selectedId) ?? null);
  }

  /** The drawn box that is selected, or the closed one around it. */
  get selectedBox(): PlacedBox | null {
    const { scene, target } = this;
    return scene && target ? nearest(scene, [...this.model!.folds(target), this.idOf(target)]) : null;
  }

  select(id: string): void {
    this.selectedId = id;
    this.sought = null;
    const placed = this.selectedBox;
    if (placed && this.scene) this.view.lookAt(reveal(this.view.camera, placed, this.view.size));
    this.view.requestDraw();
  }

  /** Open the folds around `id`, select it and look at it; nothing happens where nothing has that id. */
  async focus(id: string): Promise<void> {
    if (!this.model) this.focusNext = id;
    const target = this.model?.find(id) ?? null;
    if (!target) return;
    const found = this.idOf(target);
    this.selectedId = this.sought = found;
    const folds = this.model!.folds(target).filter((fold) => !this.open.has(fold));
    const hidden = target.kind === "node" && target.instance.index.hidden[target.node] === 1 && !this.showHidden;
    for (const fold of folds) this.openFold(fold);
    if (hidden) this.showHidden = true;
    if (folds.length > 0 || hidden) await this.relayout(null);
    this.lookAtSought();
    this.events.selected(found);
  }

  /** Open or close a box; it stays where it is on the screen. */
  async toggle(placed: PlacedBox): Promise<void> {
    const { box } = placed;
    if (box.kind === "branch" || box.count === 0) return;
    this.lastToggle = performance.now();
    if (box.inner) this.open.delete(box.id);
    else this.openFold(box.id);
    await this.relayout(box.id);
  }

  async setShowHidden(shown: boolean): Promise<void> {
    this.showHidden = shown;
    await this.relayout(this.selectedBox?.box.id ?? null);
  }

  /** Other colours on the same picture: nothing moves. */
  setPaint(paint: Paint | null): void {
    this.paint = paint;
    this.view.requestDraw();
  }

  /** How a drawn box is painted; null where it is not. */
  shadeOf(placed: PlacedBox): Shade | null {
    return shadeOf(placed, this);
  }

  /** The box at a place of the canvas. */
  boxAt(x: number, y: number): PlacedBox | null {
    return this.hitAt(x, y)?.placed ?? null;
  }

  setHits(ids: readonly string[]): void {
    this.hits = new Set(ids);
    this.view.requestDraw();
  }

  press(x: number, y: number): void {
    const found = this.hitAt(x, y);
    this.choose(found?.placed.box.id ?? "");
    if (found?.fold) void this.toggle(found.placed);
  }

  openAt(x: number, y: number): void {
    if (performance.now() - this.lastToggle < DOUBLE_CLICK_MS) return;
    const found = this.hitAt(x, y);
    if (found && !found.placed.box.inner) void this.toggle(found.placed);
  }

  cursorAt(x: number, y: number): string {
    const found = this.hitAt(x, y);
    return found && (found.fold || !found.placed.box.inner) ? "pointer" : "grab";
  }

  walk(direction: Direction): void {
    const next = this.scene && neighbour(this.scene, this.selectedBox, direction);
    if (next) this.choose(next.box.id);
  }

  toggleSelected(): void {
    const placed = this.selectedBox;
    if (placed) void this.toggle(placed);
  }

  pan(dx: number, dy: number): boolean {
    return this.view.lookAt(pan(this.view.camera, dx, dy));
  }

  zoom(x: number, y: number, factor: number): void {
    this.view.lookAt(zoomAt(this.view.camera, x, y, factor));
  }

  zoomBy(factor: number): void {
    this.zoom(this.view.size.width / 2, this.view.size.height / 2, factor);
  }

  /** Move the scene point (x, y) to the middle. */
  centre(x: number, y: number): void {
    this.view.lookAt(centred(x, y, this.view.camera.scale, this.view.size));
  }

  fit(): void {
    if (this.scene) this.view.lookAt(fit(this.scene, this.view.size));
  }

  async themeChanged(): Promise<void> {
    const { family } = this.theme;
    this.theme = readTheme(this.root);
    if (this.theme.family !== family) {
      this.measure = measurer(this.theme.family);
      if (this.model) await this.relayout(null);
    }
    this.view.requestDraw();
  }

  close(): void {
    this.layoutRun += 1;
    this.layouts.close();
    this.view.stop();
  }

  choose(id: string): void {
    this.select(id);
    this.events.selected(id);
  }

  private hitAt(x: number, y: number) {
    return this.scene && hit(this.scene, ...toScene(this.view.camera, x, y), (placed) => headerWidth(placed, this.measure));
  }

  private openFold(id: string): void {
    this.open.add(id);
    const target = this.model!.find(id);
    if (target?.kind !== "node") return;
    for (const inner of this.model!.nested(target.instance, target.node)) {
      for (const fold of openAtFirst(inner)) this.open.add(fold);
    }
  }

  // `held` is the box that keeps its place on the screen.
  private async relayout(held: string | null): Promise<void> {
    const run = ++this.layoutRun;
    try {
      const scene = await placeScene(visible(this.model!, this.open, this.showHidden), this.layouts, this.measure);
      if (run !== this.layoutRun) return;
      this.show(scene, held);
    } catch (error) {
      this.events.failed(`The graph could not be laid out: ${(error as Error).message}`);
    }
  }

  /** The canvas got its size, or another one. */
  resize(width: number, height: number): void {
    const first = this.view.size.width === 0;
    this.view.resize(width, height);
    if (first) void this.themeChanged(); // made before it stood on the page, it knew no colours
    if (first && this.scene) this.view.lookAt(firstLook(this.scene, this.scene.boxes[0] ?? null, this.view.size));
    this.lookAtSought();
  }

  private show(scene: Scene, held: string | null): void {
    const { view } = this;
    const before = view.scene;
    let camera = before ? view.camera : firstLook(scene, scene.boxes[0] ?? null, view.size);
    const old = held === null ? undefined : before?.byId.get(held);
    const now = held === null ? undefined : scene.byId.get(held);
    if (old && now) camera = anchor(camera, old, now);
    view.show(scene, camera, before !== null);
    this.lookAtSought();
    this.events.laidOut(scene);
  }

  private idOf(target: Target): string {
    const { model } = this;
    const { instance } = target;
    if (target.kind === "node") return model!.nodeId(instance, target.node);
    if (target.kind === "group") return instance.prefix + target.group.id;
    if (target.kind === "in") return model!.inputId(instance, target.at);
    if (target.kind === "out") return model!.outputId(instance, target.at);
    if (target.kind === "ins" || target.kind === "outs") return `${instance.prefix}${target.kind.slice(0, -1)}:`;
    return instance.prefix;
  }

  private look(): Look {
    const selected = this.selectedBox;
    return {
      theme: this.theme, families: this.model?.payload.families ?? [], selected,
      lit: selected ? this.litBy(selected.box) : new Set(), hits: this.hits, marked: this.marked,
      paint: this.paint, model: this.model, measure: this.measure, edgeAlpha: 1,
    };
  }

  private lookAtSought(): void {
    const placed = this.sought === null ? undefined : this.scene?.byId.get(this.sought);
    if (!placed || this.view.size.width === 0) return;
    this.sought = null;
    this.view.lookAt(centreOn(this.view.camera, placed, this.view.size));
  }

  // Found once a selection, not once a frame.
  private litBy(box: Box): Set<Segment> {
    const scene = this.scene!;
    if (this.lit?.scene !== scene || this.lit.box !== box) this.lit = { scene, box, segments: touching(scene, box) };
    return this.lit.segments;
  }
}

function openAtFirst(instance: Instance): string[] {
  const ids: string[] = [];
  const walk = (group: Group): void => {
    if (group.parent && group.open) ids.push(instance.prefix + group.id);
    for (const child of group.children) if (typeof child !== "number") walk(child);
  };
  walk(instance.index.root);
  return ids;
}

function sameNodes(a: Payload, b: Payload): boolean {
  const ids = (payload: Payload) => payload.graphs.map((graph) => graph.nodes.id.join("\n")).join("\n\n");
  return ids(a) === ids(b);
}
