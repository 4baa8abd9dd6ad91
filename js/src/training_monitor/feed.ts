// What the kernel tells of the runs, put together: `Feed`. A part says between which places of the
// history it lies; whoever finds a gap asks for the whole, and goes on asking until it has come.
import type { Cleanup, Model } from "../host";
import { Curve, floats, uints, type Block } from "./curve";
import { Smoother } from "./smoothing";

export const ASK_MS = [0, 600, 900, 1500, 3000, 6000]; // a subshell takes a moment to be there
export const RANGE_MS = 150;
const STRIP = 2000;

export type Epoch = Record<string, number | null>;

export interface Mark {
  step: number;
  kind: string;
  text: string;
}

/** A value that was looked at once a tick. */
export interface Strip {
  x: number[];
  y: (number | null)[];
}

interface Part {
  whole?: boolean;
  again?: Part; // the whole, for views that cannot ask
  generation: number;
  from: number;
  to: number;
  block?: Block;
  lr?: Block;
  epochs?: Epoch[];
  best?: Epoch | null;
  marks?: Mark[];
  given_up?: Block[];
  gauges?: Record<string, number>;
  seen?: Record<string, number | null> | null;
  facts?: Record<string, unknown>;
  first?: number;
  last?: number;
}

interface Message {
  kind?: string;
  request?: number;
  runs?: Part[];
}

/** Everything that a view holds of one run. */
export class RunData {
  curve = new Curve();
  epochs: Epoch[] = [];
  best: Epoch | null = null; // which may not be among those that crossed
  marks: Mark[] = [];
  strips: Record<string, Strip> = {};
  givenUp: Curve[] = [];
  closer: { first: number; last: number; data: RunData } | null = null;
  generation = -1;
  to = -1; // how much of the history has been told; -1: nothing yet
  private smoothers = new Map<string, Smoother>();

  smoothed(name: string, span: number): Float32Array {
    let smoother = this.smoothers.get(name);
    if (!smoother) this.smoothers.set(name, (smoother = new Smoother(this.curve, name)));
    return smoother.smoothed(span);
  }

  /** Take a part; false where something before it is missing. */
  take(part: Part, buffers: readonly DataView[]): boolean {
    if (part.whole) {
      const missed = this.to < 0 || part.generation !== this.generation || part.to > this.to;
      if (missed) this.begin(part, buffers);
      return true;
    }
    if (part.generation !== this.generation || part.from !== this.to) return part.again ? this.take(part.again, buffers) : false;
    if (part.block) this.curve.append(part.block, buffers);
    this.to = part.to;
    if (part.epochs) {
      this.epochs.push(...part.epochs);
      this.best = part.best ?? null;
    }
    if (part.marks) this.marks.push(...part.marks);
    if (part.seen) this.see(part.seen);
    return true;
  }

  private begin(part: Part, buffers: readonly DataView[]): void {
    this.curve = new Curve();
    this.smoothers = new Map();
    this.closer = null;
    [this.generation, this.to] = [part.generation, part.to];
    if (part.block) this.curve.append(part.block, buffers);
    this.epochs = part.epochs ?? [];
    this.best = part.best ?? null;
    this.marks = part.marks ?? [];
    this.givenUp = (part.given_up ?? []).map((block) => {
      const curve = new Curve();
      curve.append(block, buffers);
      return curve;
    });
    this.strips = {};
    const { gauges } = part;
    if (gauges) {
      const x = [...uints(buffers[gauges.x!]!)];
      for (const [name, at] of Object.entries(gauges)) {
        if (name !== "x") this.strips[name] = { x, y: [...floats(buffers[at]!)].map((v) => (Number.isFinite(v) ? v : null)) };
      }
    }
    for (const numbers of Object.values(part.lr?.series ?? {})) { // of all steps, not of those looked at
      const curve = new Curve();
      curve.append({ ...part.lr!, series: { lr: numbers } }, buffers);
      if (curve.length) this.strips.lr = { x: [...curve.x.subarray(0, curve.length)], y: [...curve.series.get("lr")!.mean.subarray(0, curve.length)] };
    }
    for (const name of Object.keys(this.strips)) this.strips[name] = { x: [...this.strips[name]!.x], y: this.strips[name]!.y };
  }

  private see(seen: Record<string, number | null>): void {
    for (const [name, value] of Object.entries(seen)) {
      if (name === "step") continue;
      const strip = (this.strips[name] ??= { x: [], y: [] });
      strip.x.push(seen.step ?? 0);
      strip.y.push(value);
      if (strip.x.length <= STRIP) continue;
      const kept = (_: unknown, i: number) => i % 2 === 1;
      [strip.x, strip.y] = [strip.x.filter(kept), strip.y.filter(kept)];
    }
  }
}

export class Feed {
  readonly runs: RunData[] = [];
  private asked = 0;
  private asking: ReturnType<typeof setTimeout> | undefined;
  private wanted: { first: number; last: number } | null = null;
  private wanting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly model: Model,
    private readonly post: (content: object) => void,
    private readonly changed: () => void,
    cleanup: Cleanup,
  ) {
    cleanup.follow(model, "msg:custom", (message: Message, buffers: DataView[]) => this.hear(message, buffers ?? []));
    cleanup.add(() => {
      clearTimeout(this.asking);
      clearTimeout(this.wanting);
    });
    this.ask();
  }

  /** Ask for the steps between two places, unless they are here as they are. */
  want(first: number, last: number): void {
    const pad = 0.1 * (last - first);
    const [from, to] = [Math.max(0, first - pad), last + pad];
    const coarse = this.runs.some(({ curve, closer }) => {
      if (closer && closer.first <= first && closer.last >= Math.min(last, curve.last)) return false;
      return curve.find(first) < curve.coarse;
    });
    if (!coarse) return;
    this.wanted = { first: from, last: to };
    clearTimeout(this.wanting);
    this.wanting = setTimeout(() => this.post({ kind: "range", ...this.wanted }), RANGE_MS);
  }

  private ask(): void {
    if (this.asking !== undefined) return;
    const wait = ASK_MS[this.asked];
    if (wait === undefined) return; // nobody answers; the kernel tells it by itself then
    this.asking = setTimeout(() => {
      this.asking = undefined;
      this.asked += 1;
      this.post({ kind: "sync" });
      this.ask();
    }, wait);
  }

  private hear(message: Message, buffers: DataView[]): void {
    if (message.kind === "range") return this.takeRange(message, buffers);
    if (message.kind !== "tick" || !message.runs) return;
    let missing = false;
    for (const [at, part] of message.runs.entries()) {
      const run = (this.runs[at] ??= new RunData());
      if (!run.take(part, buffers)) missing = true;
    }
    this.takeFacts(message.runs);
    if (missing) this.ask();
    else {
      clearTimeout(this.asking);
      [this.asking, this.asked] = [undefined, 0];
    }
    this.changed();
  }

  // The traits are what a new view begins with; the kernel does not send them again at every tick.
  private takeFacts(parts: Part[]): void {
    const runs = this.model.get("runs") as Record<string, unknown>[] | undefined;
    if (!runs || !parts.some(({ facts }) => facts && Object.keys(facts).length)) return;
    this.model.set("runs", runs.map((run, at) => ({ ...run, ...parts[at]?.facts })));
  }

  private takeRange(message: Message, buffers: DataView[]): void {
    for (const [at, part] of (message.runs ?? []).entries()) {
      const run = this.runs[at];
      if (!run || part.generation !== run.generation || !part.block) continue;
      const data = new RunData();
      data.curve.append(part.block, buffers);
      run.closer = { first: part.first!, last: part.last!, data };
    }
    this.changed();
  }
}
