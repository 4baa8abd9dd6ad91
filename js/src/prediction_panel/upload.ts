// One picture on its way to the kernel, in pieces of 1 MB: the next piece goes when the one before
// has come, so that messages of buttons pass between them.
import type { Hear, Talk } from "./talk";

export const PIECE = 2 ** 20; // bytes

export class Upload {
  private readonly request: string;
  private readonly pieces: number;
  private done = false;

  /**
   * `progress` is told the share that has come; `hear` the answer, or the error. The kernel knows
   * the picture by the name that `id` has.
   */
  constructor(
    private readonly talk: Talk,
    private readonly blob: Blob,
    private readonly about: { name: string; unseen: boolean },
    progress: (share: number) => void,
    hear: Hear,
  ) {
    this.pieces = Math.max(1, Math.ceil(blob.size / PIECE));
    this.request = talk.open((message, buffers) => {
      if (message.kind !== "received") {
        this.done = true;
        return hear(message, buffers);
      }
      progress((message.pieces ?? 0) / this.pieces);
      if ((message.pieces ?? 0) < this.pieces) void this.send(message.pieces ?? 0);
    });
    void this.send(0);
  }

  get id(): string {
    return this.request;
  }

  /** Send nothing more, and let the kernel forget what it has. */
  cancel(): void {
    if (this.done) return;
    this.done = true;
    this.talk.close(this.request);
    this.talk.send("cancel", this.request);
  }

  private async send(index: number): Promise<void> {
    const piece = await this.blob.slice(index * PIECE, (index + 1) * PIECE).arrayBuffer();
    if (!this.done) this.talk.send("piece", this.request, { ...this.about, index, pieces: this.pieces }, piece);
  }
}
