// Tiles in rows, of which only those in sight exist. Each is an absolutely placed element that keeps
// its row while it can, so that scrolling on moves nothing that is in sight already. A head, where
// there is one, stays above them.
import { h } from "../dom";
import type { Cleanup } from "../host";

export interface Measures {
  columns: number; // 0: as many as fit
  width: number; // of a tile at least
  extra: number; // what its height is beyond its width
  height: number; // 0: as the width gives
  gap: number;
}

export class Scroller {
  readonly element = h("div", { class: "mlnb-scroll" });
  private space = h("div", { class: "mlnb-scroll-space" });
  private tiles = new Map<number, HTMLElement>(); // by index
  private view: Int32Array = new Int32Array();
  private measures: Measures = { columns: 0, width: 128, extra: 22, height: 0, gap: 8 };
  private frame = 0;

  /** `make` an element once, `draw` a row into it, `sight` is told the rows that are to be seen. */
  constructor(
    cleanup: Cleanup,
    private hooks: {
      make: () => HTMLElement;
      draw: (tile: HTMLElement, row: number, index: number) => void;
      sight: (rows: number[]) => void;
    },
    private head?: HTMLElement,
  ) {
    this.element.tabIndex = 0;
    this.element.setAttribute("role", head ? "grid" : "listbox");
    this.space.setAttribute("role", head ? "rowgroup" : "presentation");
    this.element.setAttribute("aria-multiselectable", "true");
    this.element.append(...(head ? [head] : []), this.space);
    cleanup.listen(this.element, "scroll", () => this.later(), { passive: true });
    const observer = new ResizeObserver(() => this.later());
    observer.observe(this.element);
    cleanup.add(() => observer.disconnect());
    cleanup.add(() => cancelAnimationFrame(this.frame));
  }

  get columns(): number {
    const { columns, width, gap } = this.measures;
    return columns || Math.max(1, Math.floor((this.element.clientWidth - gap) / (width + gap)));
  }

  /** Rows of tiles that fit at once. */
  get page(): number {
    return Math.max(1, Math.floor(this.tall / this.step));
  }

  show(view: Int32Array, measures: Measures): void {
    this.view = view;
    this.measures = measures;
    this.later();
  }

  /** Draw again what is in sight. */
  refresh(): void {
    for (const [index, tile] of this.tiles) this.hooks.draw(tile, this.view[index]!, index);
  }

  reveal(index: number): void {
    if (index < 0) return;
    const top = Math.floor(index / this.columns) * this.step;
    const { tall, step } = this;
    const { scrollTop } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + step > scrollTop + tall) this.element.scrollTop = top + step + this.measures.gap - tall;
    this.draw();
  }

  toTop(): void {
    this.element.scrollTop = 0;
  }

  /** Pixels of height that show tiles. */
  private get tall(): number {
    return this.element.clientHeight - (this.head?.offsetHeight ?? 0);
  }

  private get width(): number {
    const { gap } = this.measures;
    return (this.element.clientWidth - gap) / this.columns - gap;
  }

  private get height(): number {
    return this.measures.height || Math.round(this.width) + this.measures.extra;
  }

  private get step(): number {
    return this.height + this.measures.gap;
  }

  private later(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    const { scrollTop, clientWidth } = this.element;
    if (clientWidth === 0) return; // out of sight
    const { columns, width, height, step, tall } = this;
    const { gap } = this.measures;
    this.space.style.height = `${Math.ceil(this.view.length / columns) * step + gap}px`;
    const first = Math.max(0, Math.floor(scrollTop / step) - 1) * columns;
    const last = Math.min(this.view.length, (Math.ceil((scrollTop + tall) / step) + 1) * columns);
    for (const [index, tile] of this.tiles) if (index < first || index >= last) this.leave(index, tile);
    for (let index = first; index < last; index++) {
      const tile = this.tiles.get(index) ?? this.enter(index);
      tile.style.width = `${width}px`;
      tile.style.height = `${height}px`;
      tile.style.transform = `translate(${gap + (index % columns) * (width + gap)}px, ${gap + Math.floor(index / columns) * step}px)`;
      this.hooks.draw(tile, this.view[index]!, index);
    }
    const near = Math.max(first, Math.floor(scrollTop / step) * columns);
    this.hooks.sight([...this.view.subarray(near, last), ...this.view.subarray(first, near)]);
  }

  private enter(index: number): HTMLElement {
    const tile = this.hooks.make();
    this.tiles.set(index, tile);
    this.space.append(tile);
    return tile;
  }

  private leave(index: number, tile: HTMLElement): void {
    tile.remove();
    this.tiles.delete(index);
  }
}
