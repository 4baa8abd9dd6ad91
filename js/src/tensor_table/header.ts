// The header line that every widget of ours has: the name, the facts, what is going on.
import { expandable, foreign, h } from "../dom";

/** Name bold, facts muted, `actions` at the right; null where there is nothing to say. */
export function header(title: string, facts: string, status = "", ...actions: Node[]): HTMLElement | null {
  if (!title && !facts && !status && actions.length === 0) return null;
  const bar = h("div", { class: "mlnb-bar" });
  if (title) bar.append(h("b", { class: "mlnb-title" }, expandable(title, 80)));
  if (facts) bar.append(foreign(facts, 300, "mlnb-muted mlnb-facts"));
  bar.append(h("span", { class: "mlnb-space" }));
  const state = h("span", { class: "mlnb-muted mlnb-status" }, status ? foreign(status, 120) : null);
  state.setAttribute("role", "status");
  bar.append(state, h("span", { class: "mlnb-doing" }, ...actions));
  return bar;
}
