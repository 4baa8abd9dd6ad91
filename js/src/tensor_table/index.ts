// TensorTable: the IO card as a widget. Traits: rows, feed, title, facts; nothing goes back.
import { h } from "../dom";
import { Cleanup, text, type RenderProps } from "../host";
import { hideStaticOutput } from "../static_output";
import { followWidth } from "../width";
import { header } from "./header";
import { tensorTable, type Row } from "./rows";

function render({ model, el }: RenderProps): () => void {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const root = h("div", { class: "mlnb mlnb-tensor-table" });
  root.dataset.lmSuppressShortcuts = "true";
  const draw = () => {
    const rows = (model.get("rows") ?? []) as Row[];
    const bar = header(text(model, "title"), text(model, "facts"));
    const table = rows.length > 0
      ? tensorTable(rows, text(model, "feed"))
      : h("div", { class: "mlnb-note" }, "no inputs and no outputs");
    root.replaceChildren(...(bar ? [bar] : []), table);
    root.dataset.state = "ready";
  };
  draw();
  for (const trait of ["rows", "feed", "title", "facts"]) cleanup.follow(model, `change:${trait}`, draw);
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);
  return () => cleanup.run();
}

export default { render };
