// How a control reaches the loop from here: by message, by interrupting the kernel, or not at all.
// A cell that trains in the main thread blocks its kernel; where the kernel answers messages beside
// it (on a subshell) all controls work, elsewhere an interrupt is the one thing that gets through.
import type { Cleanup, Model } from "../host";

// A greeting that comes before the front end has its subshell waits for the cell, hence several, ever
// more rarely. The verdict comes after half a second, and an answer that comes later overrules it.
export const GREETINGS_MS = [0, 200, 400, 1000];
export const VERDICT_MS = 500;
export const STOP_MS = 400; // how long a stop by message may take before the kernel is interrupted

// An exported page bears its widgets' state; its manager knows no kernel, as do Colab's and others
// that have one.
const STATE = "script[type='application/vnd.jupyter.widget-state+json']";

export type Path = "asking" | "message" | "interrupt" | "none" | "no kernel";

interface Kernel {
  interrupt(): Promise<void>;
}

interface Answer {
  kind?: string;
  request?: number;
  message?: string;
}

interface Waiting {
  timer: ReturnType<typeof setTimeout>;
  done: (problem: string) => void;
}

/** Sends controls to one run and learns which way they can go. */
export class Reach {
  path: Path = "asking";
  private last = Math.floor(Math.random() * 1e9); // another view of the same run counts elsewhere
  private readonly waiting = new Map<number, Waiting>();
  private greeting: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly model: Model, private readonly changed: () => void, cleanup: Cleanup) {
    cleanup.follow(model, "msg:custom", (answer: Answer) => this.hear(answer));
    cleanup.add(() => {
      for (const { timer } of this.waiting.values()) clearTimeout(timer);
    });
    const verdict = setTimeout(() => this.path === "asking" && this.take(this.otherPath()), VERDICT_MS);
    cleanup.add(() => [this.greeting, verdict].forEach(clearTimeout));
    this.greetAfter(0, 0);
  }

  /** Ask for something by message; `done` hears what went wrong, or nothing. */
  ask(run: number, action: string, value: unknown, done: (problem: string) => void): void {
    const unheard = () => {
      this.take(this.otherPath());
      done("no answer: the kernel hears of it after this cell only");
    };
    this.send({ kind: "control", run, action, value }, 4 * STOP_MS, unheard, done);
  }

  /** Stop by message, and where none gets through by an interrupt, which stops and keeps as well. */
  stop(run: number, done: (problem: string) => void): void {
    const unheard = () => {
      const kernel = this.kernel();
      if (!kernel) {
        this.take(this.otherPath());
        done("this cell's stop button stops it, and keeps it");
        return;
      }
      if (this.path === "asking") this.take("interrupt");
      kernel.interrupt().then(() => done(""), (error) => done(`the kernel could not be interrupted: ${String(error)}`));
    };
    this.send({ kind: "control", run, action: "stop", value: null }, STOP_MS, unheard, done);
  }

  /** Ask for what comes in its own time, in a message of its own kind. */
  post(content: object): void {
    this.model.send({ ...content, request: ++this.last });
  }

  private greetAfter(now: number, next: number): void {
    this.greeting = setTimeout(() => {
      if (this.path === "message") return;
      this.send({ kind: "hello" }, VERDICT_MS, () => {}, () => {});
      this.greetAfter(next, GREETINGS_MS.find((at) => at > next) ?? 2 * next);
    }, next - now);
  }

  private send(content: object, patience: number, unheard: () => void, done: (problem: string) => void): void {
    const request = ++this.last;
    const timer = setTimeout(unheard, patience);
    this.waiting.set(request, { timer, done });
    this.model.send({ ...content, request });
  }

  // An answer that comes late tells that messages get through after all.
  private hear(answer: Answer): void {
    if ((answer.kind !== "done" && answer.kind !== "error") || typeof answer.request !== "number") return;
    const waiting = this.waiting.get(answer.request);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.waiting.delete(answer.request);
    this.take("message");
    waiting.done(answer.kind === "error" ? answer.message ?? "it failed" : "");
  }

  private take(path: Path): void {
    if (path === this.path) return;
    this.path = path;
    this.changed();
  }

  private otherPath(): Path {
    const manager = this.model.widget_manager;
    const saved = manager && ("kernel" in manager ? !manager.kernel : document.querySelector(STATE) !== null);
    if (saved) return "no kernel";
    return this.kernel() ? "interrupt" : "none";
  }

  private kernel(): Kernel | null {
    const kernel = this.model.widget_manager?.kernel as Kernel | null | undefined;
    return typeof kernel?.interrupt === "function" ? kernel : null;
  }
}
