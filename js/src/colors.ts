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

// Jupyter names its theme on the body, VS Code and others give a class or an attribute to it or to
// the page, the system answers a media query.
const THEME = ["class", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-id", "theme"];

/** Call `changed` whenever the page may have become light or dark; the returned step ends it. */
export function followTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true, attributeFilter: THEME });
  }
  const query = window.matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    query.removeEventListener("change", changed);
  };
}
