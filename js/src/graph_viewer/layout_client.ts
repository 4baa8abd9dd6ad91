// Asks the layout worker. A page may refuse workers (a content security policy does it silently, by
// an error event); then the same program runs on the page, with a pause after every level.
import { serve, type Reply, type Request, type Scope } from "./layout.worker";
import type { LevelLayout, LevelSpec } from "./layout";

interface Port {
  post(request: Request): void;
  close(): void;
}

export class LayoutClient {
  private port: Port;
  private readonly waiting = new Map<number, { request: Request; resolve: (layouts: LevelLayout[]) => void; reject: (error: Error) => void }>();
  private last = 0;

  constructor(startPort: (client: LayoutClient) => Port | null = startWorker) {
    this.port = startPort(this) ?? startOnPage(this);
  }

  layout(levels: LevelSpec[]): Promise<LevelLayout[]> {
    return new Promise((resolve, reject) => {
      const request = { id: ++this.last, levels };
      this.waiting.set(request.id, { request, resolve, reject });
      this.port.post(request);
    });
  }

  answer({ id, layouts, error }: Reply): void {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) asked?.reject(new Error(error));
    else asked?.resolve(layouts);
  }

  /** The worker never came up: go on here with what it was asked. */
  fallBack(): void {
    this.port.close();
    this.port = startOnPage(this);
    for (const { request } of this.waiting.values()) this.port.post(request);
  }

  close(): void {
    this.waiting.clear();
    this.port.close();
  }
}

function startWorker(client: LayoutClient): Port | null {
  const url = URL.createObjectURL(new Blob([`(${serve.toString()})(self)`], { type: "text/javascript" }));
  try {
    const worker = new Worker(url);
    worker.onmessage = ({ data }: MessageEvent<Reply>) => client.answer(data);
    worker.onerror = (event) => {
      event.preventDefault();
      client.fallBack();
    };
    return {
      post: (request) => worker.postMessage(request),
      close: () => {
        worker.terminate();
        URL.revokeObjectURL(url);
      },
    };
  } catch {
    URL.revokeObjectURL(url);
    return null;
  }
}

function startOnPage(client: LayoutClient): Port {
  let closed = false;
  const scope: Scope = {
    onmessage: null,
    postMessage: (reply) => {
      if (!closed) client.answer(reply);
    },
    pause: () => new Promise((resolve) => setTimeout(resolve)),
  };
  serve(scope);
  return {
    post: (data) => void scope.onmessage?.({ data }),
    close: () => (closed = true),
  };
}
