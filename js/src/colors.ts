// The colours of the page, for a canvas, which knows no CSS variables. The numbered ones stand in
// series.css, the others in frame.css; a theme may change under a view, so they are read when drawn.
export interface Colors {
  text: string;
  muted: string;
  grid: string;
  background: string;
  series: string[];
}

const SERIES = 8;

export function colorsOf(element: HTMLElement): Colors {
  const style = getComputedStyle(element);
  const color = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
  return {
    text: color("--mlnb-fg", "#1f2328"),
    muted: color("--mlnb-muted", "#6b7280"),
    grid: color("--mlnb-grid", "#e8eaed"),
    background: color("--mlnb-bg", "#fff"),
    series: Array.from({ length: SERIES }, (_, i) => color(`--mlnb-c${i}`, "#3b78b5")),
  };
}

/** Call `changed` when the page becomes light or dark. */
export function followTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-jp-theme-name"] });
  const query = matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    query.removeEventListener("change", changed);
  };
}
