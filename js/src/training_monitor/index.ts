// TrainingMonitor: runs while they train: their line, their curves, their controls. Traits: runs,
// static_id. Messages: hello, control, sync and range up; done, error, tick and range down.
import { displayText } from "../display_text";
import { h, put } from "../dom";
import { Cleanup, text, type Model, type RenderProps } from "../host";
import { hideStaticOutput } from "../static_output";
import { followWidth } from "../width";
import { Controls } from "./controls";
import { Curves } from "./curves";
import { Feed } from "./feed";
import { Reach } from "./reach";
import { standIn } from "./reload";
import { Strips } from "./strips";

interface Facts {
  title: string;
  line: string;
  progress: number;
  state: string;
  lr: number | null;
  note: string;
  total: number | null;
  device: string;
  there: number | null;
  kept: number[];
}

const NOTHING: Facts = { title: "", line: "", progress: -1, state: "preparing", lr: null, note: "", total: null, device: "", there: null, kept: [] };

function render({ model, el }: RenderProps): () => void {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const title = h("b", { class: "mlnb-title" });
  const line = h("span", { class: "mlnb-muted mlnb-facts mlnb-line" });
  const bar = h("div", { class: "mlnb-progress", role: "progressbar", label: "how far the run has come" });
  const note = h("div", { class: "mlnb-muted mlnb-hint", role: "status" });
  let said = ""; // the answer to a click stands before what the run says of itself

  const say = (sentence: string) => {
    said = sentence;
    draw();
  };
  const reach = new Reach(model, () => draw(), cleanup);
  const controls = new Controls(reach, say);
  const feed = new Feed(model, (content) => reach.post(content), () => draw(), cleanup);
  const strips = new Strips();
  const choose = (run: number) => {
    controls.choose(run);
    draw();
  };
  const curves = new Curves(feed, { pause: () => controls.togglePause(), stop: () => controls.stopNow(), choose, say }, cleanup);
  const head = h("div", { class: "mlnb-bar" }, title, line, controls.element);
  const body = h("div", { class: "mlnb-body" }, curves.element, strips.element);
  const root = h("section", { class: "mlnb mlnb-training-monitor" }, head, controls.branch.element, bar, body, note);
  root.dataset.lmSuppressShortcuts = "true";
  root.dataset.monitor = text(model, "static_id");

  function draw(): void {
    const all = factsOf(model);
    const facts = all[controls.run] ?? all[0] ?? NOTHING;
    const name = displayText(facts.title, 60);
    if (title.textContent !== name) {
      title.textContent = name;
      title.title = displayText(facts.title, 4000);
      root.setAttribute("aria-label", `training of ${name}`);
    }
    put(line, displayText(facts.line, 300));
    line.title = line.textContent!;
    drawProgress(bar, Number(facts.progress ?? -1), facts.state);
    controls.draw({ state: facts.state, lr: Number(facts.lr ?? Number.NaN), kept: facts.kept });
    strips.draw(feed.runs[controls.run], facts);
    curves.update(all, controls.run);
    const sentence = displayText(said || hint(reach.path, facts.state) || facts.note, 300);
    put(note, sentence);
    root.dataset.state = facts.state;
    root.dataset.path = reach.path;
  }

  draw();
  cleanup.follow(model, "change:runs", draw);
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);
  draw(); // once more: colours and widths are known in the page only
  return () => cleanup.run();
}

function factsOf(model: Model): Facts[] {
  return ((model.get("runs") ?? []) as Partial<Facts>[]).map((one) => ({ ...NOTHING, ...one }));
}

// A run of unknown length has no share that is done: its bar is striped.
function drawProgress(bar: HTMLElement, share: number, state: string): void {
  const known = share >= 0;
  const width = `${(100 * Math.min(1, Math.max(0, share))).toFixed(1)}%`;
  bar.style.setProperty("--mlnb-share", known ? width : "100%");
  bar.classList.toggle("mlnb-unknown", !known && state === "training");
  bar.classList.toggle("mlnb-paused", state === "paused");
  if (known) bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  else bar.removeAttribute("aria-valuenow");
}

function hint(path: string, state: string): string {
  if (state === "ended") return "";
  if (path === "interrupt") {
    return "This cell keeps the kernel busy. Stop interrupts it and keeps the run; to pause or to change the rate, train with background=True.";
  }
  if (path === "none") return "This cell keeps the kernel busy: use this cell's stop button, it stops and keeps. With background=True these controls work.";
  return path === "no kernel" ? "No kernel is connected: this is how it was saved." : "";
}

export default { render, initialize: standIn };
