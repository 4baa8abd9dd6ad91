// The page's colours for the canvas, read from the CSS of the frame.
export interface Theme {
  background: string;
  panel: string;
  text: string;
  muted: string;
  line: string;
  edge: string;
  accent: string;
  error: string;
  family: string;
}

/** What the frame's CSS says now. */
export function readTheme(root: HTMLElement): Theme {
  const style = getComputedStyle(root);
  const color = (name: string, otherwise: string) => style.getPropertyValue(`--mlnb-${name}`).trim() || otherwise;
  return {
    background: color("bg", "#fff"),
    panel: color("panel", "#f7f8fa"),
    text: color("fg", "#1f2328"),
    muted: color("muted", "#6b7280"),
    line: color("line", "#d4d8de"),
    edge: color("edge", "#98a2b3"),
    accent: color("accent", "#1976d2"),
    error: color("error", "#c8553d"),
    family: style.fontFamily || "system-ui, sans-serif",
  };
}
