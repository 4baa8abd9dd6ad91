// GraphViewer: the IO card, the graph, and what is selected. Traits: payload, selected (both ways),
// title, facts, rows, feed, height, status, readable, marked, painted and painting (the ids and what colours
// them), choices of what to paint, static_id. Messages: ready, tensor and choose up; tensor, error and focus down.
import { h } from "../dom";
import { Cleanup, text, type Model, type RenderProps } from "../host";
import { hideStaticOutput } from "../static_output";
import { header } from "../tensor_table/header";
import { tensorTable, type Row } from "../tensor_table/rows";
import { followWidth } from "../width";
import { GraphPane } from "./graph_pane";

const greeted = new WeakSet<Model>();

function render({ model, el }: RenderProps): () => void {
  performance.mark("mlnb-render");
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const root = h("div", { class: "mlnb mlnb-graph-viewer" });
  root.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);

  root.append(card(model, cleanup));
  const pane = new GraphPane(root, model, cleanup);
  // For tests: where each box stands, in CSS pixels from the canvas's corner.
  Object.defineProperty(root, "mlnb", { value: { boxes: () => pane.boxes() } });
  if (!greeted.has(model)) {
    greeted.add(model);
    model.send({ kind: "ready" });
  }
  return () => cleanup.run();
}

// The header line and the table of inputs and outputs.
function card(model: Model, cleanup: Cleanup): HTMLElement {
  const element = h("div", {});
  const draw = () => {
    const bar = header(text(model, "title"), text(model, "facts"), text(model, "status"));
    const rows = (model.get("rows") ?? []) as Row[];
    const table = rows.length > 0 ? tensorTable(rows, text(model, "feed")) : null;
    element.replaceChildren(...[bar, table].filter((part) => part !== null));
  };
  draw();
  for (const trait of ["title", "facts", "status", "rows", "feed"]) cleanup.follow(model, `change:${trait}`, draw);
  return element;
}

export default { render };
