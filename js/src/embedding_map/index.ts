// EmbeddingMap: rows as points on a plane. Traits: facts, points, codes, legend, columns, color,
// chosen, camera; choose and about go up.
import { followTheme } from "../colors";
import { displayText } from "../display_text";
import { button, h, option } from "../dom";
import { bytesOf, Cleanup, text, type RenderProps } from "../host";
import { countText } from "../numbers";
import { hideStaticOutput } from "../static_output";
import { Thumbnails } from "../thumbnails";
import { followWidth } from "../width";
import { panned, scaleOf, toMap, toScreen, WHOLE, zoomed, type Camera } from "./camera";
import { listenToGestures, type Mode } from "./gestures";
import { legendOf, type Legend } from "./legend";
import { Painter } from "./painter";
import { paletteOf, type Palette } from "./palette";
import { PointIndex } from "./point_index";
import { Tip, type About } from "./tip";

const REACH = 10; // pixels between the pointer and a point
const STEP = 60; // pixels an arrow key moves
const THEME = [0, 150, 800]; // ms; a page says that it is dark before its colours have come
const KEEP = 400; // ms after the last movement until the place is kept
const MODES: [Mode, string, string][] = [
  ["lasso", "Lasso", "draw around points to choose them, key l"],
  ["box", "Box", "draw a box around points to choose them, key b"],
  ["move", "Move", "drag the map, key m"],
];

function render({ model, el }: RenderProps): () => void {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const root = h("div", { class: "mlnb mlnb-embedding-map" });
  root.dataset["lmSuppressShortcuts"] = "true";

  const canvas = h("canvas", { class: "mlnb-points", role: "application" });
  canvas.tabIndex = 0;
  const title = h("b", { class: "mlnb-title" });
  const facts = h("span", { class: "mlnb-muted", role: "status" });
  const select = h("select", { label: "colour by", title: "colour by" });
  const modes = MODES.map(([mode, caption, label]) => button(caption, label, () => setMode(mode)));
  const fit = button("Fit", "see the whole map, key 0", () => move(WHOLE));
  const bar = h("div", { class: "mlnb-bar" }, title, facts, h("span", { class: "mlnb-space" }), select, ...modes, fit);
  const key = h("div", {});
  const tip = new Tip();
  const stage = h("div", { class: "mlnb-stage" }, canvas, tip.element);
  root.append(bar, stage, key);
  el.append(root);
  cleanup.add(() => root.remove());

  const painter = new Painter(canvas);
  const pictures = new Thumbnails(model, cleanup, 192, 200);
  const known = new Map<number, About>();
  let index = new PointIndex(new Uint16Array());
  let codes = new Uint8Array();
  let chosen = new Uint8Array();
  let chosenRows: number[] = [];
  let camera: Camera = { ...WHOLE, ...(model.get("camera") as Partial<Camera>) };
  let mode: Mode = "lasso";
  let hovered = -1;
  let line: readonly number[] = [];
  let frame = 0;
  let timer = 0;
  let waiting = 0; // choices that the kernel has not heard of yet
  let palette = paletteOf(root, legend().kind === "numbers");

  const size = () => painter.sizeFor(index);

  function legend(): Legend {
    return model.get("legend") as Legend;
  }

  function paint(): void {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      readTheme();
      const anyChosen = chosenRows.length > 0;
      painter.paint({ index, codes, chosen, anyChosen, camera, palette, hovered, line, box: mode === "box" });
      root.dataset["milliseconds"] = painter.milliseconds.toFixed(1);
    });
  }

  function readPoints(): void {
    index = new PointIndex(new Uint16Array(bytesOf(model, "points")));
    readChosen();
    readColors();
  }

  function readColors(): void {
    codes = new Uint8Array(bytesOf(model, "codes"));
    recolor(paletteOf(root, legend().kind === "numbers"));
  }

  /** A theme may change under a view, and before its first picture the page has none. */
  function readTheme(): void {
    const now = paletteOf(root, legend().kind === "numbers");
    if (String(now.groups) === String(palette.groups) && now.background === palette.background) return;
    recolor(now);
  }

  function recolor(now: Palette): void {
    palette = now;
    key.replaceChildren(legendOf(legend(), palette.groups, (code, add) => {
      const rows: number[] = [];
      codes.forEach((one, row) => one === code && rows.push(row));
      choose(rows, add);
    }));
    paint();
  }

  function readChosen(): void {
    if (waiting > 0) return;
    mark([...new Int32Array(bytesOf(model, "chosen"))]);
  }

  function mark(rows: number[]): void {
    chosenRows = rows;
    chosen = new Uint8Array(index.count);
    for (const row of rows) chosen[row] = 1;
    facts.textContent = rows.length > 0 ? `${countText(rows.length)} chosen` : "";
    paint();
  }

  function choose(rows: readonly number[], add: boolean): void {
    const next = add ? [...new Set([...chosenRows, ...rows])] : [...rows];
    waiting += 1;
    model.send({ kind: "choose", rows: next });
    mark(next);
  }

  function move(next: Camera): void {
    camera = next;
    paint();
    hover(null);
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      model.set("camera", camera);
      model.save_changes();
    }, KEEP);
  }

  function setMode(next: Mode): void {
    mode = next;
    modes.forEach((one, i) => one.setAttribute("aria-pressed", String(MODES[i]![0] === next)));
    canvas.style.cursor = next === "move" ? "grab" : "crosshair";
  }

  function nearest(x: number, y: number): number {
    return index.nearest(...toMap(camera, size(), x, y), REACH / scaleOf(camera, size()));
  }

  function hover(place: { x: number; y: number } | null): void {
    const row = place ? nearest(place.x, place.y) : -1;
    if (row !== hovered) {
      hovered = row;
      if (row >= 0 && !known.has(row)) model.send({ kind: "about", row });
      paint();
    }
    if (row >= 0 && model.get("pictures")) pictures.want([row]);
    showTip();
  }

  function showTip(): void {
    const about = hovered < 0 ? undefined : known.get(hovered);
    if (!about) {
      tip.hide();
      return;
    }
    const [x, y] = toScreen(camera, size(), index.x(hovered), index.y(hovered));
    const { width, height } = size();
    tip.show(about, model.get("pictures") ? pictures.get(hovered) : undefined, x, y, width, height);
  }

  listenToGestures(canvas, cleanup, {
    mode: () => mode,
    pan: (dx, dy) => move(panned(camera, size(), dx, dy)),
    zoom: (x, y, factor) => move(zoomed(camera, size(), x, y, factor)),
    hover,
    press: (x, y, add) => {
      const row = nearest(x, y);
      if (row < 0) choose(add ? chosenRows : [], false);
      else if (add && chosen[row]) choose(chosenRows.filter((one) => one !== row), false);
      else choose([row], add);
    },
    draw: (drawn) => {
      line = drawn;
      paint();
    },
    close: (drawn, how, add) => {
      const onMap: number[] = [];
      for (let i = 0; i < drawn.length; i += 2) onMap.push(...toMap(camera, size(), drawn[i]!, drawn[i + 1]!));
      const box = [onMap[0]!, onMap[1]!, onMap.at(-2)!, onMap.at(-1)!] as const;
      choose(how === "box" ? index.inBox(...box) : index.inLasso(onMap), add);
    },
  });

  cleanup.listen(canvas, "keydown", (event: KeyboardEvent) => {
    if (event.altKey || !press(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });

  function press({ key: name, shiftKey }: KeyboardEvent): boolean {
    const { width, height } = size();
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [STEP, 0],
      ArrowRight: [-STEP, 0],
      ArrowUp: [0, STEP],
      ArrowDown: [0, -STEP],
    };
    const corner = (x: number, y: number) => toMap(camera, size(), x, y);
    if (arrows[name]) move(panned(camera, size(), ...arrows[name]));
    else if (name === "+" || name === "=") move(zoomed(camera, size(), width / 2, height / 2, 1.4));
    else if (name === "-") move(zoomed(camera, size(), width / 2, height / 2, 1 / 1.4));
    else if (name === "0") move(WHOLE);
    else if (name === "Escape") choose([], false);
    else if (name === "a" || name === "A") choose(index.inBox(...corner(0, height), ...corner(width, 0)), shiftKey);
    else if (MODES.some(([one]) => one[0] === name)) setMode(MODES.find(([one]) => one[0] === name)![0]);
    else return false;
    return true;
  }

  function drawBar(): void {
    title.textContent = displayText(text(model, "facts"), 120);
    const columns = model.get("columns") as string[];
    select.replaceChildren(...["", ...columns].map((name) => option(name === "" ? "one colour" : displayText(name, 40), name)));
    select.value = text(model, "color");
    select.hidden = columns.length === 0;
    canvas.setAttribute("aria-label", `map of ${text(model, "facts")}; arrow keys move, plus and minus zoom, a chooses what is in sight`);
  }
  select.addEventListener("change", () => {
    model.set("color", select.value);
    model.save_changes();
  });

  cleanup.follow(model, "change:points", readPoints);
  cleanup.follow(model, "change:chosen", readChosen);
  for (const trait of ["codes", "legend"]) cleanup.follow(model, `change:${trait}`, readColors);
  for (const trait of ["facts", "columns", "color"]) cleanup.follow(model, `change:${trait}`, drawBar);
  cleanup.follow(model, "change:version", () => {
    known.clear();
    hovered = -1; // what is said of it is asked for again
    showTip();
  });
  cleanup.follow(model, "msg:custom", ((content: { kind: string } & About) => {
    if (content.kind === "about") {
      known.set(content.row, content);
      showTip();
    } else if (content.kind === "chosen") {
      waiting = Math.max(0, waiting - 1);
      readChosen();
    }
  }) as never);
  pictures.onArrive(showTip);
  const repaints = new Set<number>();
  cleanup.add(followTheme(() => {
    for (const wait of THEME) repaints.add(window.setTimeout(paint, wait));
  }));
  cleanup.add(() => repaints.forEach((one) => window.clearTimeout(one)));
  const observer = new ResizeObserver(paint);
  observer.observe(canvas);
  cleanup.add(() => observer.disconnect());
  cleanup.add(() => cancelAnimationFrame(frame));
  cleanup.add(() => window.clearTimeout(timer));

  followWidth(root, cleanup);
  setMode(mode);
  drawBar();
  readPoints();
  root.dataset["state"] = "ready";
  return () => cleanup.run();
}

export default { render };
