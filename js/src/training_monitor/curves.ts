// The curves of the runs: plot, smoothing, scale, zoom and keys. `Curves` holds what the reader
// chose; the numbers are the feed's, the pixels the plot's, the words below them the legend's.
import { button, h } from "../dom";
import { Cleanup } from "../host";
import { countText } from "../numbers";
import { colorsOf, followTheme, type Colors } from "../colors";
import type { Feed } from "./feed";
import { Legend } from "./legend";
import { Plot } from "./plot";
import { scene } from "./scene";
import { SPANS, usualSpan } from "./smoothing";

export interface RunFacts {
  title: string;
  total: number | null;
  state: string;
}

/** What a key on the curve asks of the run. */
export interface Steering {
  pause: () => void;
  stop: () => void;
  choose: (run: number) => void;
  say: (sentence: string) => void;
}

const KEYS = "arrow keys move the cursor, + and − zoom, Escape shows all, l changes between linear and logarithmic, space pauses or resumes, s twice stops";
const TWICE_MS = 2000;
const SHARE_AHEAD = 0.2; // done of what is planned, before the axis shows all of it

export class Curves {
  readonly element: HTMLElement;
  private readonly host = h("div", { class: "mlnb-plot", role: "application", label: `curve; ${KEYS}`, title: "drag to zoom, double click to come back" });
  private readonly legend: Legend;
  private readonly spoken = h("span", { class: "mlnb-spoken", role: "status" });
  private readonly slider = h("input", { type: "range", label: "how many steps the smoothed curve is the mean of" });
  private readonly smooth = h("span", { class: "mlnb-smooth-value" });
  private readonly scale: HTMLButtonElement;
  private readonly whole: HTMLButtonElement;
  private readonly plot: Plot;
  private colors: Colors;
  private facts: RunFacts[] = [];
  private zoom: [number, number] | null = null;
  private log = false;
  private chosenSpan: number | null = null;
  private cursor: number | null = null;
  private steered = 0;
  private frame = 0;
  private stopAsked = -TWICE_MS;

  constructor(private readonly feed: Feed, private readonly steering: Steering, cleanup: Cleanup) {
    this.legend = new Legend((run) => steering.choose(run));
    this.scale = button("log", "logarithmic scale", () => this.toggleLog());
    this.scale.setAttribute("aria-pressed", "false");
    this.whole = button("show all", "show the whole curve again", () => this.show(null));
    this.whole.hidden = true;
    Object.assign(this.slider, { min: "0", max: String(SPANS.length - 1), step: "1", value: "0" });
    this.slider.addEventListener("input", () => {
      this.chosenSpan = Number(this.slider.value);
      this.draw();
    });
    const smoothing = h("label", { class: "mlnb-muted mlnb-smooth", title: "the mean over about so many steps" }, "smooth", this.slider, this.smooth);
    const tools = h("div", { class: "mlnb-tools" }, this.whole, smoothing, this.scale);
    this.element = h("div", { class: "mlnb-curves" }, this.host, h("div", { class: "mlnb-below" }, this.legend.element, tools), this.spoken);
    this.host.tabIndex = 0;
    cleanup.listen<KeyboardEvent>(this.host, "keydown", (event) => this.key(event));
    this.colors = colorsOf(this.element);
    this.plot = new Plot(this.host, () => this.colors, {
      zoom: (first, last) => this.show([first, last]),
      back: () => this.show(null),
      cursor: (step) => this.point(step),
    });
    cleanup.add(() => this.plot.destroy());
    cleanup.add(() => cancelAnimationFrame(this.frame));
    cleanup.add(followTheme(() => this.draw()));
    const observer = new ResizeObserver(() => {
      this.plot.fit();
      this.draw();
    });
    observer.observe(this.host);
    cleanup.add(() => observer.disconnect());
  }

  /** Something is new: repaint with the screen's next frame. */
  update(facts: RunFacts[], steered: number): void {
    [this.facts, this.steered] = [facts, steered];
    this.draw();
  }

  private draw(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  private paint(): void {
    const { runs } = this.feed;
    const empty = !runs.some((run) => run && run.curve.length > 0);
    this.element.classList.toggle("mlnb-empty", empty);
    if (empty) return;
    this.colors = colorsOf(this.element);
    const [first, last] = this.zoom ?? this.all();
    const at = this.chosenSpan ?? usualSpan(Math.max(...runs.map((run) => run?.curve.last ?? 0)));
    if (this.chosenSpan === null && this.slider.value !== String(at)) this.slider.value = String(at);
    const span = SPANS[at]!;
    const said = span > 1 ? `${countText(span)} steps` : "off";
    if (this.smooth.textContent !== said) this.smooth.textContent = said;
    this.slider.setAttribute("aria-valuetext", said);
    const view = { first, last, log: this.log, span, columns: this.plot.columns };
    const drawn = scene(runs, view);
    this.plot.draw(drawn, view);
    if (this.zoom) this.feed.want(first, last);
    this.element.dataset.painted = this.plot.painted.toFixed(1);
    this.element.dataset.points = String(runs.reduce((sum, run) => sum + (run?.curve.length ?? 0), 0));
    this.element.dataset.last = String(Math.max(0, ...runs.map((run) => run?.curve.last ?? 0)));
    this.element.dataset.first = String(Math.min(...runs.map((run) => (run?.curve.length ? run.curve.x[0]! : Infinity))));
    this.drawLegend(span);
  }

  /** From the first step to the last one, or to the last one planned when that is not far. */
  private all(): [number, number] {
    let [first, last] = [Infinity, 1];
    for (const [at, run] of this.feed.runs.entries()) {
      if (!run?.curve.length) continue;
      first = Math.min(first, run.curve.x[0]!);
      last = Math.max(last, run.curve.last);
      const { total, state } = this.facts[at] ?? { total: null, state: "" };
      if (total && state !== "ended" && run.curve.last > SHARE_AHEAD * total) last = Math.max(last, total);
    }
    first = first > 0.5 * last && first < last ? first : 0; // a run that was resumed begins late
    return [first, last + 0.5];
  }

  private show(zoom: [number, number] | null): void {
    const [first, last] = this.all();
    if (zoom) {
      const width = Math.min(last - first, Math.max(4, zoom[1] - zoom[0]));
      const from = Math.min(Math.max(first, zoom[0]), last - width);
      zoom = width >= last - first ? null : [from, from + width];
    }
    this.zoom = zoom;
    this.whole.hidden = !zoom;
    this.draw();
  }

  private toggleLog(): void {
    this.log = !this.log;
    this.scale.setAttribute("aria-pressed", String(this.log));
    this.draw();
  }

  private point(step: number | null): void {
    if (step === this.cursor) return;
    this.cursor = step;
    this.draw();
  }

  private drawLegend(span: number): void {
    const step = this.cursor === null ? "" : `step ${countText(Math.round(this.stepAt()))}`;
    const titles = this.facts.map(({ title }) => title);
    this.legend.draw(this.feed.runs, { titles, steered: this.steered, cursor: this.cursor, step, span });
  }

  private stepAt(): number {
    for (const run of this.feed.runs) {
      const at = run?.curve.nearest(this.cursor!) ?? -1;
      if (at >= 0) return run!.curve.x[at]!;
    }
    return this.cursor!;
  }

  // --------------------------------------------------------------------------------------- the keys

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target !== this.host) return;
    const deed = this.deeds()[event.key];
    event.stopPropagation(); // a notebook has shortcuts of its own
    if (!deed) return;
    event.preventDefault();
    deed(event.shiftKey);
  }

  private deeds(): Record<string, (far: boolean) => void> {
    const zoomBy = (factor: number) => {
      const [first, last] = this.zoom ?? this.all();
      const at = this.cursor ?? last;
      this.show([at - (at - first) * factor, at + (last - at) * factor]);
    };
    return {
      ArrowLeft: (far) => this.move(far ? -0.1 : -0.01),
      ArrowRight: (far) => this.move(far ? 0.1 : 0.01),
      Home: () => this.move(-Infinity),
      End: () => this.move(Infinity),
      "+": () => zoomBy(0.5),
      "=": () => zoomBy(0.5),
      "-": () => zoomBy(2),
      Escape: () => {
        this.plot.point(null);
        this.show(null);
      },
      l: () => this.toggleLog(),
      " ": () => this.steering.pause(),
      s: () => this.stopTwice(),
    };
  }

  private move(share: number): void {
    const [first, last] = this.zoom ?? this.all();
    const from = this.cursor ?? last;
    const to = share === -Infinity ? first : share === Infinity ? last : from + share * (last - first);
    const curve = this.feed.runs.find((run) => run?.curve.length)?.curve;
    if (!curve) return;
    let at = curve.nearest(Math.min(last, Math.max(first, to)));
    if (Number.isFinite(share) && curve.x[at] === Math.round(from)) at = Math.min(curve.length - 1, Math.max(0, at + Math.sign(share)));
    const step = Math.min(last, Math.max(first, curve.x[at]!));
    this.plot.point(step);
    this.cursor = step;
    this.paint();
    this.spoken.textContent = this.legend.element.textContent;
  }

  private stopTwice(): void {
    const now = performance.now();
    if (now - this.stopAsked < TWICE_MS) this.steering.stop();
    else this.steering.say("press s again to stop the run and keep it");
    this.stopAsked = now;
  }
}
