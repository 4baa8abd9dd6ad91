// PredictionPanel: a model at hand. Traits: title, facts, takes, why_not, last (the answer that a
// view begins with). Messages: pieces of pictures, texts and "why" go to the kernel, answers come.
import { h } from "../dom";
import { Cleanup, text, type RenderProps } from "../host";
import { hideStaticOutput } from "../static_output";
import { header } from "../tensor_table/header";
import { followWidth } from "../width";
import { Line } from "./line";
import { PicturePane } from "./picture_pane";
import { Talk, type Message } from "./talk";
import { TextPane } from "./text_pane";

type Last = Message & { asked: string; picture: string };

function render({ model, el }: RenderProps): () => void {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const root = h("div", { class: "mlnb mlnb-prediction-panel" });
  root.dataset.lmSuppressShortcuts = "true";
  root.tabIndex = -1; // a click anywhere in it makes it the one that a paste is for
  const line = new Line(() => pane instanceof PicturePane && pane.cancel());
  const talk = new Talk(model, cleanup, (told) => line.tell(told));
  const pane = text(model, "takes") === "text"
    ? new TextPane(model, cleanup, talk, line)
    : new PicturePane(root, model, cleanup, talk, line);
  const adopt = () => {
    const last = (model.get("last") ?? {}) as Last;
    if (last.request && !talk.mine(last.request)) pane.adopt(last);
  };
  root.append(header(text(model, "title"), text(model, "facts"), "", ...pane.actions)!, pane.element, line.element);
  cleanup.follow(model, "change:last", adopt);
  adopt();
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);
  root.dataset.state = "ready";
  return () => cleanup.run();
}

export default { render };
