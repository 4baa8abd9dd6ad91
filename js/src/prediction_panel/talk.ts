// Questions to the kernel and their answers: each question has a name, and what comes back under it
// goes to whoever asked. A view's names are its own, so that two views do not hear each other.
import type { Cleanup, Model } from "../host";
import type { Word } from "../words";

export interface Bar {
  label: string;
  share: number;
}

/** What `mlnb/widgets/prediction_panel.py` sends; `kind` says which of these are there. */
export interface Message {
  kind: "received" | "progress" | "answer" | "why" | "error";
  request: string;
  pieces?: number;
  bars?: Bar[];
  more?: string;
  seconds?: number;
  note?: string;
  message?: string;
  label?: string;
  words?: Word[];
  words_note?: string;
  width?: number;
  height?: number;
}

export type Hear = (message: Message, buffers: DataView[]) => void;

const PATIENCE = 3000; // ms
export const WAITING = "waiting for the kernel; a cell may be running";

export class Talk {
  private readonly view = Math.random().toString(36).slice(2, 10);
  private readonly asked = new Map<string, Hear>();
  private readonly slow = new Map<string, ReturnType<typeof setTimeout>>();
  private count = 0;

  constructor(private readonly model: Model, cleanup: Cleanup, private readonly tell: (text: string) => void) {
    cleanup.follow(model, "msg:custom", ((message: Message, buffers: DataView[]) => {
      if (message.kind === "error" && message.request === null) this.tell(message.message ?? "");
      const hear = this.asked.get(message.request);
      if (!hear) return;
      this.clear(message.request);
      if (message.kind === "progress") return this.tell(message.message ?? "");
      if (message.kind !== "received") this.asked.delete(message.request);
      hear(message, buffers ?? []);
    }) as never);
    cleanup.add(() => [...this.slow.keys()].forEach((request) => this.clear(request)));
  }

  /** Whether a question was asked in this view. */
  mine(request: string): boolean {
    return request.startsWith(`${this.view}-`);
  }

  /** A name for a question, and who hears what comes back. */
  open(hear: Hear): string {
    const request = `${this.view}-${++this.count}`;
    this.asked.set(request, hear);
    return request;
  }

  /** Hear no more of it. */
  close(request: string): void {
    this.clear(request);
    this.asked.delete(request);
  }

  send(kind: string, request: string, content: object = {}, buffer?: ArrayBuffer): void {
    this.clear(request);
    if (this.asked.has(request)) this.slow.set(request, setTimeout(() => this.tell(WAITING), PATIENCE));
    const message = { kind, request, ...content };
    if (buffer) this.model.send(message, undefined, [buffer]);
    else this.model.send(message);
  }

  private clear(request: string): void {
    clearTimeout(this.slow.get(request));
    this.slow.delete(request);
  }
}
