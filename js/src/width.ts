// How wide the frame is, as classes for the style sheet. Not container queries: in a cell that
// JupyterLab has scrolled away (content-visibility) Chromium leaves what is inside a size container
// in its old style, and the reader comes back to a viewer that is empty for ever.
import type { Cleanup } from "./host";

const NARROW = 620; // px; the rows of the table wrap
const SINGLE = 760; // px; the side panel goes below the graph

/** Keep the classes for narrow columns true to the width of `root`. */
export function followWidth(root: HTMLElement, cleanup: Cleanup): void {
  const apply = (width: number) => {
    if (width === 0) return; // not in the page, or out of sight
    root.classList.toggle("mlnb-narrow", width <= NARROW);
    root.classList.toggle("mlnb-single", width < SINGLE);
  };
  const observer = new ResizeObserver(([entry]) => apply(entry!.contentRect.width));
  observer.observe(root);
  cleanup.add(() => observer.disconnect());
  apply(root.clientWidth);
}
