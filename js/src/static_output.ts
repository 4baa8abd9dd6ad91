// The saved notebook keeps a static picture in front of the widget (DESIGN.md, decision 4). While a
// live view stands in the page, that picture steps aside. Views are looked at rather than counted:
// where a notebook closes while a view is being made, Jupyter forgets it and never takes it away.
const OUTPUT = ".jp-OutputArea-child, .output_area";

const pictures = new Map<string, Picture>();

/** Hide the static picture marked `data-mlnb-static="id"` while `view` is in the page; the returned step ends that. */
export function hideStaticOutput(id: string, view: Node): () => void {
  if (id === "") return () => {};
  const picture = pictures.get(id) ?? new Picture(id);
  pictures.set(id, picture);
  picture.add(view);
  return () => {
    if (!picture.remove(view)) pictures.delete(id);
  };
}

class Picture {
  private readonly views = new Set<Node>();
  private output: HTMLElement | null = null;
  private restore = () => {};
  private readonly observer = new MutationObserver(() => this.look());

  constructor(private readonly id: string) {
    this.observer.observe(document.body, { childList: true, subtree: true });
  }

  add(view: Node): void {
    this.views.add(view);
    this.look();
  }

  /** A view goes; whether others are left. */
  remove(view: Node): boolean {
    this.views.delete(view);
    this.look();
    if (this.views.size > 0) return true;
    this.observer.disconnect();
    return false;
  }

  // A notebook may build a cell before it stands in the page, and may put another picture in place.
  private look(): void {
    const live = [...this.views].some((view) => view.isConnected);
    if (live && !this.output?.isConnected) this.hide();
    if (!live && this.output) this.show();
  }

  private hide(): void {
    const marked = document.querySelector<HTMLElement>(`[data-mlnb-static="${CSS.escape(this.id)}"]`);
    if (!marked) return;
    const output = marked.closest<HTMLElement>(OUTPUT) ?? marked;
    const before = output.style.display;
    output.style.display = "none";
    const style = document.querySelector(`style[id="${CSS.escape(`mlnb-style-${this.id}`)}"]`);
    const place = style && { parent: style.parentNode, next: style.nextSibling };
    style?.remove();
    this.output = output;
    this.restore = () => {
      output.style.display = before;
      if (style && place?.parent) place.parent.insertBefore(style, place.next?.parentNode === place.parent ? place.next : null);
    };
  }

  private show(): void {
    this.restore();
    this.output = null;
  }
}
