// The thumbnails of one widget: asked for by row, kept as addresses that an <img> takes, the ones
// not looked at for longest let go. mlnb/widgets/thumbnails.py is the other end.
import type { Cleanup, Model } from "./host";

export interface Thumbnail {
  url: string; // "" where there is no picture
  reason: string; // why not
}

interface Message {
  kind: string;
  side: number;
  rows: number[];
  reasons: string[];
}

const KEPT = 1200;
const PATIENCE = 4000; // ms; a kernel that was interrupted may have lost what was asked

export class Thumbnails {
  private kept = new Map<number, Thumbnail>(); // the one looked at last stands last
  private asked = new Set<number>();
  private askedAt = 0;
  private listeners: ((rows: number[]) => void)[] = [];

  constructor(private model: Model, cleanup: Cleanup, private ofSide = 128, private limit = KEPT) {
    cleanup.follow(model, "msg:custom", ((content: Message, buffers: DataView[]) => {
      if (content.kind === "thumbnails" && content.side === this.ofSide) this.arrive(content, buffers);
    }) as never);
    cleanup.add(() => this.forget());
  }

  /** Pixels of the longer side; those of another side are let go. */
  set side(side: number) {
    if (side === this.ofSide) return;
    this.forget();
    this.ofSide = side;
  }

  /** Call back with the rows whose pictures, or reasons, came. */
  onArrive(listener: (rows: number[]) => void): void {
    this.listeners.push(listener);
  }

  get(row: number): Thumbnail | undefined {
    const found = this.kept.get(row);
    if (found) {
      this.kept.delete(row);
      this.kept.set(row, found);
    }
    return found;
  }

  /** Ask for what is not here, in this order; what was asked for before is not waited for. */
  want(rows: readonly number[]): void {
    const missing = rows.filter((row) => !this.kept.has(row));
    const late = performance.now() - this.askedAt > PATIENCE;
    if (missing.length === 0 || (!late && missing.every((row) => this.asked.has(row)))) return;
    this.asked = new Set(missing);
    this.askedAt = performance.now();
    this.model.send({ kind: "thumbnails", rows: missing, side: this.ofSide });
  }

  /** Let all of them go. */
  forget(): void {
    for (const { url } of this.kept.values()) if (url) URL.revokeObjectURL(url);
    this.kept.clear();
    this.asked.clear();
  }

  private arrive({ rows, reasons }: Message, buffers: DataView[]): void {
    rows.forEach((row, i) => {
      this.drop(row);
      this.asked.delete(row);
      this.kept.set(row, { url: addressOf(buffers[i]), reason: reasons[i] ?? "" });
    });
    for (const row of [...this.kept.keys()].slice(0, Math.max(0, this.kept.size - this.limit))) this.drop(row);
    for (const listener of this.listeners) listener(rows);
  }

  private drop(row: number): void {
    const { url } = this.kept.get(row) ?? { url: "" };
    if (url) URL.revokeObjectURL(url);
    this.kept.delete(row);
  }
}

function addressOf(buffer: DataView | undefined): string {
  if (!buffer || buffer.byteLength === 0) return "";
  const type = buffer.getUint8(0) === 0x89 ? "image/png" : "image/jpeg";
  return URL.createObjectURL(new Blob([buffer as DataView<ArrayBuffer>], { type }));
}
