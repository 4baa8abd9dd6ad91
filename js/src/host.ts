// What anywidget hands to `render`: the widget's model, as far as we use it.
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: (...parts: never[]) => void): void;
  off(event: string, callback: (...parts: never[]) => void): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  widget_manager?: { kernel?: unknown }; // what builds widgets here; Jupyter's own knows the kernel
}

export interface RenderProps {
  model: Model;
  el: HTMLElement;
}

/** Undo steps of one view, run once, last first. */
export class Cleanup {
  private steps: (() => void)[] = [];

  add(step: () => void): void {
    this.steps.push(step);
  }

  /** Listen to a DOM target until the view goes. */
  listen<E extends Event>(
    target: EventTarget,
    type: string,
    listener: (event: E) => void,
    options?: AddEventListenerOptions,
  ): void {
    target.addEventListener(type, listener as EventListener, options);
    this.add(() => target.removeEventListener(type, listener as EventListener, options));
  }

  /** Listen to the widget's model until the view goes. */
  follow(model: Model, event: string, callback: (...parts: never[]) => void): void {
    model.on(event, callback);
    this.add(() => model.off(event, callback));
  }

  run(): void {
    for (const step of this.steps.splice(0).reverse()) step();
  }
}

/** A trait of bytes, apart from the buffer that it came in: a view may begin anywhere in that. */
export function bytesOf(model: Model, name: string): ArrayBuffer {
  const view = model.get(name);
  if (!(view instanceof DataView)) return new ArrayBuffer(0);
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
}

export const text = (model: Model, name: string): string => String(model.get(name) ?? "");
