// The saved notebook keeps a static picture in front of the widget (DESIGN.md, decision 4). While a
// live view stands, that picture steps aside; when the last view goes, it comes back.
const OUTPUT = ".jp-OutputArea-child, .output_area";

interface Hidden {
  views: number;
  restore: () => void;
}

const hidden = new Map<string, Hidden>();

/** Hide the static picture marked `data-mlnb-static="id"`; the returned step shows it again. */
export function hideStaticOutput(id: string, root: ParentNode = document): () => void {
  if (id === "") return () => {};
  const entry = hidden.get(id) ?? { views: 0, restore: hideWhenThere(id, root) };
  hidden.set(id, entry);
  entry.views += 1;
  let done = false;
  return () => {
    if (done) return;
    done = true;
    entry.views -= 1;
    if (entry.views > 0) return;
    hidden.delete(id);
    entry.restore();
  };
}

// A notebook may build a cell before it stands in the page, so the search goes on until it is found.
function hideWhenThere(id: string, root: ParentNode): () => void {
  let restore = hideNow(id, root);
  if (restore) return restore;
  const observer = new MutationObserver(() => {
    restore = hideNow(id, root);
    if (restore) observer.disconnect();
  });
  observer.observe(root instanceof Document ? root.body : (root as Node), { childList: true, subtree: true });
  return () => {
    observer.disconnect();
    restore?.();
  };
}

function hideNow(id: string, root: ParentNode): (() => void) | null {
  const marked = root.querySelector<HTMLElement>(`[data-mlnb-static="${CSS.escape(id)}"]`);
  if (!marked) return null;
  const output = marked.closest<HTMLElement>(OUTPUT) ?? marked;
  const before = output.style.display;
  output.style.display = "none";
  const style = root.querySelector(`style[id="${CSS.escape(`mlnb-style-${id}`)}"]`);
  const place = style && { parent: style.parentNode, next: style.nextSibling };
  style?.remove();
  return () => {
    output.style.display = before;
    if (style && place?.parent) place.parent.insertBefore(style, place.next?.parentNode === place.parent ? place.next : null);
  };
}
