/*! mlnb: built by js/build.mjs from js/src. MIT. */

// src/display_text.ts
var UNSEEN = /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e0fff}]/gu;
var SHORT = { "	": "\\t", "\n": "\\n", "\r": "\\r" };
function displayText(text2, limit = 80) {
  const shortEnough = text2.length <= limit;
  const characters = shortEnough ? [] : Array.from(text2);
  const whole = shortEnough || characters.length <= limit;
  const shown = (whole ? text2 : characters.slice(0, limit - 1).join("")).replace(UNSEEN, escapeOf);
  return whole ? shown : `${shown}…`;
}
function escapeOf(character) {
  const code = character.codePointAt(0);
  const hex = (digits) => code.toString(16).padStart(digits, "0");
  if (SHORT[character]) return SHORT[character];
  if (code <= 255) return `\\x${hex(2)}`;
  return code <= 65535 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

// src/dom.ts
function h(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  if (options.class) element.className = options.class;
  if (options.title) element.title = options.title;
  if (options.label) element.setAttribute("aria-label", options.label);
  if (options.role) element.setAttribute("role", options.role);
  if (options.type) element.setAttribute("type", options.type);
  if (options.on) element.addEventListener("click", options.on);
  for (const child of children) if (child) element.append(child);
  return element;
}
function button(caption, label, on) {
  return h("button", { type: "button", label, title: label === caption ? "" : label, on }, caption);
}
function expandable(text2, limit = 80, className = "") {
  const whole = displayText(text2, 4e3);
  const shown = displayText(text2, limit);
  if (shown === whole) return h("span", { class: className }, whole);
  const element = h("button", { type: "button", class: `mlnb-clip ${className}`, title: whole }, shown);
  element.setAttribute("aria-expanded", "false");
  element.addEventListener("click", () => {
    const open = element.getAttribute("aria-expanded") === "false";
    element.setAttribute("aria-expanded", String(open));
    element.textContent = open ? whole : shown;
  });
  return element;
}

// src/host.ts
var Cleanup = class {
  steps = [];
  add(step) {
    this.steps.push(step);
  }
  /** Listen to a DOM target until the view goes. */
  listen(target, type, listener, options) {
    target.addEventListener(type, listener, options);
    this.add(() => target.removeEventListener(type, listener, options));
  }
  /** Listen to the widget's model until the view goes. */
  follow(model, event, callback) {
    model.on(event, callback);
    this.add(() => model.off(event, callback));
  }
  run() {
    for (const step of this.steps.splice(0).reverse()) step();
  }
};
var text = (model, name) => String(model.get(name) ?? "");

// src/static_output.ts
var OUTPUT = ".jp-OutputArea-child, .output_area";
var hidden = /* @__PURE__ */ new Map();
function hideStaticOutput(id, root = document) {
  if (id === "") return () => {
  };
  const entry = hidden.get(id) ?? { views: 0, restore: hideWhenThere(id, root) };
  hidden.set(id, entry);
  entry.views += 1;
  let done = false;
  return () => {
    if (done) return;
    done = true;
    entry.views -= 1;
    if (entry.views > 0) return;
    hidden.delete(id);
    entry.restore();
  };
}
function hideWhenThere(id, root) {
  let restore = hideNow(id, root);
  if (restore) return restore;
  const observer = new MutationObserver(() => {
    restore = hideNow(id, root);
    if (restore) observer.disconnect();
  });
  observer.observe(root instanceof Document ? root.body : root, { childList: true, subtree: true });
  return () => {
    observer.disconnect();
    restore?.();
  };
}
function hideNow(id, root) {
  const marked = root.querySelector(`[data-mlnb-static="${CSS.escape(id)}"]`);
  if (!marked) return null;
  const output = marked.closest(OUTPUT) ?? marked;
  const before = output.style.display;
  output.style.display = "none";
  const style = root.querySelector(`style[id="${CSS.escape(`mlnb-style-${id}`)}"]`);
  const place = style && { parent: style.parentNode, next: style.nextSibling };
  style?.remove();
  return () => {
    output.style.display = before;
    if (style && place?.parent) place.parent.insertBefore(style, place.next?.parentNode === place.parent ? place.next : null);
  };
}

// src/thumbnails.ts
var KEPT = 1200;
var PATIENCE = 4e3;
var Thumbnails = class {
  constructor(model, cleanup, ofSide = 128, limit = KEPT) {
    this.model = model;
    this.ofSide = ofSide;
    this.limit = limit;
    cleanup.follow(model, "msg:custom", ((content, buffers) => {
      if (content.kind === "thumbnails" && content.side === this.ofSide) this.arrive(content, buffers);
    }));
    cleanup.add(() => this.forget());
  }
  model;
  ofSide;
  limit;
  kept = /* @__PURE__ */ new Map();
  // the one looked at last stands last
  asked = /* @__PURE__ */ new Set();
  askedAt = 0;
  listeners = [];
  /** Pixels of the longer side; those of another side are let go. */
  set side(side) {
    if (side === this.ofSide) return;
    this.forget();
    this.ofSide = side;
  }
  /** Call back with the rows whose pictures, or reasons, came. */
  onArrive(listener) {
    this.listeners.push(listener);
  }
  get(row) {
    const found = this.kept.get(row);
    if (found) {
      this.kept.delete(row);
      this.kept.set(row, found);
    }
    return found;
  }
  /** Ask for what is not here, in this order; what was asked for before is not waited for. */
  want(rows) {
    const missing = rows.filter((row) => !this.kept.has(row));
    const late = performance.now() - this.askedAt > PATIENCE;
    if (missing.length === 0 || !late && missing.every((row) => this.asked.has(row))) return;
    this.asked = new Set(missing);
    this.askedAt = performance.now();
    this.model.send({ kind: "thumbnails", rows: missing, side: this.ofSide });
  }
  /** Let all of them go. */
  forget() {
    for (const { url } of this.kept.values()) if (url) URL.revokeObjectURL(url);
    this.kept.clear();
    this.asked.clear();
  }
  arrive({ rows, reasons }, buffers) {
    rows.forEach((row, i) => {
      this.drop(row);
      this.asked.delete(row);
      this.kept.set(row, { url: addressOf(buffers[i]), reason: reasons[i] ?? "" });
    });
    for (const row of [...this.kept.keys()].slice(0, Math.max(0, this.kept.size - this.limit))) this.drop(row);
    for (const listener of this.listeners) listener(rows);
  }
  drop(row) {
    const { url } = this.kept.get(row) ?? { url: "" };
    if (url) URL.revokeObjectURL(url);
    this.kept.delete(row);
  }
};
function addressOf(buffer) {
  if (!buffer || buffer.byteLength === 0) return "";
  const type = buffer.getUint8(0) === 137 ? "image/png" : "image/jpeg";
  return URL.createObjectURL(new Blob([buffer], { type }));
}

// src/width.ts
var NARROW = 620;
var SINGLE = 760;
function followWidth(root, cleanup) {
  const apply = (width) => {
    if (width === 0) return;
    root.classList.toggle("mlnb-narrow", width <= NARROW);
    root.classList.toggle("mlnb-single", width < SINGLE);
  };
  const observer = new ResizeObserver(([entry]) => apply(entry.contentRect.width));
  observer.observe(root);
  cleanup.add(() => observer.disconnect());
  apply(root.clientWidth);
}

// src/image_grid/choice.ts
var howOf = (event) => event.shiftKey ? "range" : event.ctrlKey || event.metaKey ? "toggle" : "alone";
function picked(chosen, view, row, anchor, how) {
  if (how === "toggle") {
    const next = new Set(chosen);
    if (!next.delete(row)) next.add(row);
    return next;
  }
  if (how === "alone") return /* @__PURE__ */ new Set([row]);
  const here = view.indexOf(row);
  const there = view.indexOf(anchor);
  if (there < 0) return /* @__PURE__ */ new Set([row]);
  return new Set(view.subarray(Math.min(here, there), Math.max(here, there) + 1));
}
function moved(key, index, count, columns, page) {
  const steps = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * page,
    PageDown: columns * page,
    Home: -count,
    End: count
  };
  const step = steps[key];
  if (step === void 0 || count === 0) return null;
  if (index < 0) return key === "End" ? count - 1 : 0;
  const next = index + step;
  const vertical = Math.abs(step) === columns && columns > 1;
  if (vertical && (next < 0 || next >= count && rowOf(index, columns) === rowOf(count - 1, columns))) return index;
  return Math.max(0, Math.min(count - 1, next));
}
var rowOf = (index, columns) => Math.floor(index / columns);

// src/image_grid/grid_state.ts
var KEPT2 = 5e3;
var GridState = class {
  // choices that the kernel has not heard of yet
  constructor(model, cleanup, changed) {
    this.model = model;
    this.changed = changed;
    this.readView();
    this.readChosen();
    cleanup.follow(model, "change:view", () => this.readView());
    cleanup.follow(model, "change:chosen", () => this.readChosen());
    cleanup.follow(model, "change:version", () => this.forgetRows());
    cleanup.follow(model, "msg:custom", ((content) => {
      if (content.kind === "rows") this.arrive(content.rows);
      if (content.kind === "chosen") this.heard();
    }));
  }
  model;
  changed;
  view = new Int32Array();
  chosen = /* @__PURE__ */ new Set();
  anchor = -1;
  rows = /* @__PURE__ */ new Map();
  stale = /* @__PURE__ */ new Map();
  // as they were before the last edit; better than nothing
  asked = /* @__PURE__ */ new Set();
  waiting = 0;
  get look() {
    return this.model.get("look");
  }
  get current() {
    return Number(this.model.get("current"));
  }
  set current(row) {
    if (row === this.current) return;
    this.model.set("current", row);
    this.model.save_changes();
  }
  row(row) {
    return this.rows.get(row) ?? this.stale.get(row);
  }
  /** Ask for what is said of these rows, where it is not here. */
  want(rows) {
    const missing = rows.filter((row) => !this.rows.has(row) && !this.asked.has(row));
    if (missing.length === 0) return;
    for (const row of missing) this.asked.add(row);
    this.model.send({ kind: "rows", rows: missing });
  }
  change(part) {
    this.model.send({ kind: "look", ...part });
  }
  pick(row, how) {
    if (how !== "range") this.anchor = row;
    this.choose(picked(this.chosen, this.view, row, this.anchor, how));
  }
  choose(rows) {
    this.chosen = new Set(rows);
    this.waiting += 1;
    this.model.send({ kind: "choose", rows: [...this.chosen] });
    this.changed("chosen");
  }
  /** The rows that an edit means: the chosen ones, in labelling mode the current one. */
  meant() {
    const current = this.current;
    if (this.look.labelling) return current < 0 ? [] : [current];
    if (this.chosen.size > 0) return [...this.chosen];
    return current < 0 ? [] : [current];
  }
  heard() {
    this.waiting = Math.max(0, this.waiting - 1);
    this.readChosen();
  }
  readView() {
    this.view = integers(this.model.get("view"));
    this.changed("view");
  }
  readChosen() {
    if (this.waiting > 0) return;
    this.chosen = new Set(integers(this.model.get("chosen")));
    this.changed("chosen");
  }
  forgetRows() {
    this.stale = new Map([...this.stale, ...this.rows].slice(-KEPT2));
    this.rows.clear();
    this.asked.clear();
    this.changed("rows");
  }
  arrive(rows) {
    if (this.rows.size > KEPT2) this.rows.clear();
    for (const row of rows) {
      this.rows.set(row.row, row);
      this.asked.delete(row.row);
    }
    this.changed("rows");
  }
};
function integers(bytes) {
  if (!(bytes instanceof DataView)) return new Int32Array();
  return new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

// src/numbers.ts
var grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
function countText(count) {
  if (count < 1e6) return grouped.format(count);
  const [size, letter] = count >= 1e12 ? [1e12, "T"] : count >= 1e9 ? [1e9, "G"] : [1e6, "M"];
  return `${threeDigits(count / size)} ${letter}`;
}
function plural(count, noun) {
  return `${grouped.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}
var threeDigits = (value) => String(Number(value.toPrecision(3)));

// src/image_grid/tile.ts
function makeTile() {
  const image = h("img", {});
  image.draggable = false;
  image.decoding = "async";
  return h(
    "div",
    { class: "mlnb-tile", role: "option" },
    h("div", { class: "mlnb-thumb" }, image, h("span", { class: "mlnb-why" })),
    h("div", { class: "mlnb-caption" })
  );
}
function drawTile(tile, row, picture, state) {
  const [thumb, caption] = tile.children;
  const [image, why] = thumb.children;
  const url = row?.reason ? "" : picture?.url ?? "";
  const reason = row?.reason ?? picture?.reason ?? "";
  if (image.getAttribute("src") !== url) {
    if (url) image.src = url;
    else image.removeAttribute("src");
  }
  image.hidden = url === "";
  image.alt = "";
  set(why, displayText(reason, 200));
  set(caption, row ? captionOf(row) : "");
  tile.title = row ? `${row.name}${reason ? `
${displayText(reason, 400)}` : ""}` : "";
  tile.id = state.id;
  tile.className = classes({
    "mlnb-tile": true,
    "mlnb-chosen": state.chosen,
    "mlnb-current": state.current,
    "mlnb-left-out": row?.left_out ?? false,
    "mlnb-wrong": row?.wrong ?? false,
    "mlnb-edited": row?.edited ?? false,
    "mlnb-empty": url === "" && reason === ""
  });
  tile.setAttribute("aria-selected", String(state.chosen));
  tile.setAttribute("aria-posinset", String(state.index + 1));
  tile.setAttribute("aria-setsize", String(state.count));
  tile.setAttribute("aria-label", row ? spoken(row, reason) : "not loaded yet");
}
function captionOf(row) {
  if (row.reason) return row.name;
  if (row.predicted === void 0) return displayText(row.label ?? row.name, 60);
  const sure = row.probability === void 0 ? "" : ` ${probabilityText(row.probability)}`;
  const label = row.wrong ? ` · is ${displayText(row.label ?? "", 40)}` : "";
  return `${displayText(row.predicted, 40)}${sure}${label}`;
}
function probabilityText(value) {
  return value >= 0.995 ? value === 1 ? "1.0" : ".99" : value.toFixed(2).replace(/^0/, "");
}
function spoken(row, reason) {
  const parts = [row.name, row.label, row.predicted === void 0 ? "" : `predicted ${captionOf(row)}`];
  parts.push(row.left_out ? "left out" : "", reason);
  return displayText(parts.filter(Boolean).join(", "), 600);
}
function set(element, text2) {
  if (element.textContent !== text2) element.textContent = text2;
  element.hidden = text2 === "";
}
var classes = (on) => Object.keys(on).filter((name) => on[name]).join(" ");

// src/image_grid/panel.ts
var KEYS = 9;
var Panel = class {
  constructor(model, state, large, label) {
    this.model = model;
    this.state = state;
    this.large = large;
    this.label = label;
    this.known.id = `mlnb-labels-${String(model.get("static_id"))}`;
    this.typed.setAttribute("list", this.known.id);
    this.typed.placeholder = "another label";
    this.typed.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && this.typed.value.trim()) this.type();
    });
    this.element.append(this.picture, this.about, this.actions);
  }
  model;
  state;
  large;
  label;
  element = h("aside", { class: "mlnb-side", label: "the current picture" });
  picture = h("div", { class: "mlnb-large" });
  about = h("div", { class: "mlnb-about" });
  actions = h("div", { class: "mlnb-actions" });
  typed = h("input", { type: "text", label: "another label", title: "type a label and press Enter" });
  known = h("datalist", {});
  shown = "";
  draw() {
    const current = this.state.current;
    const row = current < 0 ? void 0 : this.state.row(current);
    if (current >= 0) {
      this.state.want([current]);
      if (!row?.reason) this.large.want([current]);
    }
    this.drawPicture(current, row?.name ?? "");
    if (row) {
      this.about.replaceChildren(
        h("div", { class: row.wrong ? "mlnb-name mlnb-wrong" : "mlnb-name" }, captionOf(row)),
        h("div", { class: "mlnb-muted" }, expandable(row.name, 60)),
        ...[...row.facts, row.left_out ? "left out" : ""].filter(Boolean).map((line) => h("div", { class: "mlnb-muted" }, displayText(line, 300)))
      );
    } else this.about.replaceChildren();
    this.drawActions();
  }
  drawPicture(current, name) {
    const found = current < 0 ? void 0 : this.large.get(current);
    const key = `${current} ${found?.url ?? ""} ${found?.reason ?? ""}`;
    if (key === this.shown) return;
    this.shown = key;
    if (found?.url) {
      const image = h("img", {});
      image.src = found.url;
      image.alt = name;
      this.picture.replaceChildren(image);
    } else if (current < 0) this.picture.replaceChildren(h("span", { class: "mlnb-muted" }, "Click a picture, or press an arrow key."));
    else if (found?.reason) this.picture.replaceChildren(h("span", { class: "mlnb-warn" }, displayText(found.reason, 300)));
  }
  drawActions() {
    const meant = this.state.meant();
    const labels = this.model.get("labels");
    const now = meant.length === 1 ? this.state.row(meant[0])?.label : void 0;
    const buttons = labels.slice(0, KEYS).map((name, at) => {
      const one = button("", `label ${displayText(name, 60)}, key ${at + 1}`, () => this.label({ at }));
      one.append(h("kbd", {}, String(at + 1)), " ", displayText(name, 24));
      one.setAttribute("aria-pressed", String(now === name));
      return one;
    });
    this.known.replaceChildren(...labels.slice(KEYS).map((name) => {
      const one = h("option", {});
      one.value = displayText(name, 200);
      return one;
    }));
    const out = meant.length > 0 && meant.every((row) => this.state.row(row)?.left_out);
    const leave = button(out ? "Take in" : "Leave out", out ? "take in again, key x" : "leave out, key x", () => this.leaveOut());
    const none = meant.length === 0;
    for (const one of [...buttons, leave, this.typed]) one.disabled = none;
    const what = this.state.look.labelling ? "this one is a" : meant.length > 1 ? `${plural(meant.length, "picture")}, label` : "label";
    const focused = document.activeElement === this.typed;
    this.actions.replaceChildren(
      h("span", { class: "mlnb-muted" }, what),
      h("div", { class: "mlnb-labels" }, ...buttons),
      h("div", { class: "mlnb-labels" }, this.typed, this.known, leave)
    );
    if (focused) this.typed.focus();
  }
  /** Leave out what is meant, or take it in where all of it is out. */
  leaveOut() {
    const rows = this.state.meant();
    const value = !rows.every((row) => this.state.row(row)?.left_out);
    if (rows.length > 0) this.model.send({ kind: "leave_out", rows, value });
  }
  type() {
    const text2 = this.typed.value;
    this.typed.value = "";
    this.label({ text: text2 });
  }
};

// src/image_grid/scroller.ts
var Scroller = class {
  /** `make` an element once, `draw` a row into it, `sight` is told the rows that are to be seen. */
  constructor(cleanup, hooks) {
    this.hooks = hooks;
    this.element.tabIndex = 0;
    this.element.setAttribute("aria-multiselectable", "true");
    this.element.append(this.space);
    cleanup.listen(this.element, "scroll", () => this.later(), { passive: true });
    const observer = new ResizeObserver(() => this.later());
    observer.observe(this.element);
    cleanup.add(() => observer.disconnect());
    cleanup.add(() => cancelAnimationFrame(this.frame));
  }
  hooks;
  element = h("div", { class: "mlnb-scroll", role: "listbox" });
  space = h("div", { class: "mlnb-scroll-space", role: "presentation" });
  tiles = /* @__PURE__ */ new Map();
  // by index
  view = new Int32Array();
  measures = { columns: 0, width: 128, extra: 22, height: 0, gap: 8 };
  frame = 0;
  get columns() {
    const { columns, width, gap } = this.measures;
    return columns || Math.max(1, Math.floor((this.element.clientWidth - gap) / (width + gap)));
  }
  /** Rows of tiles that fit at once. */
  get page() {
    return Math.max(1, Math.floor(this.element.clientHeight / this.step));
  }
  show(view, measures) {
    this.view = view;
    this.measures = measures;
    this.later();
  }
  /** Draw again what is in sight. */
  refresh() {
    for (const [index, tile] of this.tiles) this.hooks.draw(tile, this.view[index], index);
  }
  tile(row) {
    for (const [index, tile] of this.tiles) if (this.view[index] === row) return tile;
    return void 0;
  }
  reveal(index) {
    if (index < 0) return;
    const top = Math.floor(index / this.columns) * this.step;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.step > scrollTop + clientHeight) this.element.scrollTop = top + this.step + this.measures.gap - clientHeight;
    this.draw();
  }
  toTop() {
    this.element.scrollTop = 0;
  }
  get width() {
    const { gap } = this.measures;
    return (this.element.clientWidth - gap) / this.columns - gap;
  }
  get height() {
    return this.measures.height || Math.round(this.width) + this.measures.extra;
  }
  get step() {
    return this.height + this.measures.gap;
  }
  later() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }
  draw() {
    const { clientHeight, scrollTop, clientWidth } = this.element;
    if (clientWidth === 0) return;
    const { columns, width, height, step } = this;
    const { gap } = this.measures;
    this.space.style.height = `${Math.ceil(this.view.length / columns) * step + gap}px`;
    const first = Math.max(0, Math.floor(scrollTop / step) - 1) * columns;
    const last = Math.min(this.view.length, (Math.ceil((scrollTop + clientHeight) / step) + 1) * columns);
    for (const [index, tile] of this.tiles) if (index < first || index >= last) this.leave(index, tile);
    for (let index = first; index < last; index++) {
      const tile = this.tiles.get(index) ?? this.enter(index);
      tile.style.width = `${width}px`;
      tile.style.height = `${height}px`;
      tile.style.transform = `translate(${gap + index % columns * (width + gap)}px, ${gap + Math.floor(index / columns) * step}px)`;
      this.hooks.draw(tile, this.view[index], index);
    }
    const near = Math.max(first, Math.floor(scrollTop / step) * columns);
    this.hooks.sight([...this.view.subarray(near, last), ...this.view.subarray(first, near)]);
  }
  enter(index) {
    const tile = this.hooks.make();
    this.tiles.set(index, tile);
    this.space.append(tile);
    return tile;
  }
  leave(index, tile) {
    tile.remove();
    this.tiles.delete(index);
  }
};

// src/image_grid/toolbar.ts
var PATIENCE2 = 150;
var Toolbar = class {
  constructor(model, state) {
    this.model = model;
    this.state = state;
    this.search.addEventListener("input", () => {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.state.change({ search: this.search.value }), PATIENCE2);
    });
    [this.size.min, this.size.max, this.size.step] = ["64", "256", "16"];
    this.size.addEventListener("input", () => {
      model.set("size", Number(this.size.value));
      model.save_changes();
    });
    this.bar.append(this.title, this.facts, h("span", { class: "mlnb-space" }), this.size, this.tabs, this.undo, this.labelling);
    this.element.append(this.bar, this.tools);
    this.draw();
  }
  model;
  state;
  element = h("div", {});
  bar = h("div", { class: "mlnb-bar" });
  tools = h("div", { class: "mlnb-tools" });
  facts = h("span", { class: "mlnb-muted", role: "status" });
  title = h("b", { class: "mlnb-title" });
  search = field("search", "search by file name", "Find a file");
  undo = button("Undo", "undo the last edit", () => this.model.send({ kind: "undo" }));
  labelling = button("Label", "label one picture after the other with the keys 1 to 9", () => this.state.change({ labelling: !this.state.look.labelling, tab: "pictures" }));
  tabs = h("span", { class: "mlnb-choices", role: "tablist" });
  size = field("range", "size of the thumbnails", "");
  timer = 0;
  /** All of it; a control that is in use keeps the focus. */
  draw() {
    const { look } = this.state;
    const focused = document.activeElement?.dataset?.["control"];
    this.title.textContent = displayText(String(this.model.get("facts")), 200);
    this.undo.disabled = Number(this.model.get("edits")) === 0;
    this.labelling.setAttribute("aria-pressed", String(look.labelling));
    if (document.activeElement !== this.search) this.search.value = look.search;
    this.size.hidden = look.tab === "broken";
    this.size.value = String(this.model.get("size"));
    this.drawTabs();
    const facets = this.model.get("facets").filter((facet) => facet.values.length > 1);
    this.tools.replaceChildren(
      this.search,
      ...look.tab === "broken" ? [] : facets.map((facet) => this.filter(facet)),
      this.order()
    );
    if (focused) this.tools.querySelector(`[data-control="${CSS.escape(focused)}"]`)?.focus();
    this.count();
  }
  /** How many are shown and chosen. */
  count() {
    const shown = this.state.view.length;
    const parts = [`${countText(shown)} shown`];
    if (this.state.chosen.size > 0) parts.push(`${countText(this.state.chosen.size)} chosen`);
    this.facts.textContent = parts.join(" · ");
  }
  drawTabs() {
    const broken = Number(this.model.get("broken"));
    const { tab } = this.state.look;
    this.tabs.hidden = broken === 0;
    const made = ["pictures", "broken"].map((name) => {
      const caption = name === "broken" ? `${countText(broken)} broken` : "Pictures";
      const label = name === "broken" ? `show the ${plural(broken, "file")} that cannot be shown` : "show the pictures";
      const one = button(caption, label, () => this.state.change({ tab: name }));
      one.setAttribute("role", "tab");
      one.setAttribute("aria-selected", String(tab === name));
      return one;
    });
    this.tabs.replaceChildren(...made);
  }
  filter(facet) {
    const chosen = this.state.look.filters[facet.name];
    const select = menu(`filter by ${facet.name}`, `filter ${facet.name}`);
    select.append(option(`any ${facet.name}`, ""));
    facet.values.forEach((value, i) => select.append(option(`${displayText(value, 40)}  ${countText(facet.counts[i] ?? 0)}`, String(i))));
    select.value = chosen === void 0 ? "" : String(chosen);
    select.classList.toggle("mlnb-on", chosen !== void 0);
    select.addEventListener("change", () => {
      const { [facet.name]: _, ...filters } = this.state.look.filters;
      this.state.change({ filters: select.value === "" ? filters : { ...filters, [facet.name]: Number(select.value) } });
    });
    return select;
  }
  order() {
    const select = menu("order", "order");
    for (const name of this.model.get("orders")) select.append(option(name, name));
    select.value = this.state.look.order;
    select.addEventListener("change", () => this.state.change({ order: select.value }));
    return select;
  }
};
function field(type, label, placeholder) {
  const input = h("input", { type, label, title: label });
  input.placeholder = placeholder;
  input.dataset["control"] = label;
  return input;
}
function menu(label, control) {
  const select = h("select", { label, title: label });
  select.dataset["control"] = control;
  return select;
}
function option(caption, value) {
  const made = h("option", {}, caption);
  made.value = value;
  return made;
}

// src/image_grid/index.ts
var LARGE = 384;
var SIDES = [128, 192, 256, 320, 512];
var CAPTION = 22;
var LINE = { columns: 1, width: 0, extra: 0, height: 40, gap: 4 };
function render({ model, el }) {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id")));
  const root = h("div", { class: "mlnb mlnb-image-grid" });
  root.dataset["lmSuppressShortcuts"] = "true";
  let ready = false;
  const state = new GridState(model, cleanup, (what) => ready && redraw(what));
  const sharp = () => sideFor(Number(model.get("size")) * window.devicePixelRatio);
  const small = new Thumbnails(model, cleanup, sharp());
  const large = new Thumbnails(model, cleanup, LARGE, 40);
  const toolbar = new Toolbar(model, state);
  const panel = new Panel(model, state, large, label);
  const note = h("div", { class: "mlnb-note" });
  const id = (row) => `mlnb-${text(model, "static_id")}-${row}`;
  const scroller = new Scroller(cleanup, {
    make: makeTile,
    draw: (tile, row, index) => {
      tile.dataset["row"] = String(row);
      drawTile(tile, state.row(row), small.get(row), {
        chosen: state.chosen.has(row),
        current: row === state.current,
        index,
        count: state.view.length,
        id: id(row)
      });
    },
    sight: (rows) => {
      state.want(rows);
      if (state.look.tab !== "broken") small.want(rows);
    }
  });
  scroller.element.setAttribute("aria-label", "pictures");
  const measures = () => {
    if (state.look.tab === "broken") return LINE;
    const size = Number(model.get("size"));
    return { columns: Number(model.get("columns")), width: size, extra: CAPTION, height: 0, gap: 8 };
  };
  function lay() {
    root.classList.toggle("mlnb-broken-tab", state.look.tab === "broken");
    root.classList.toggle("mlnb-labelling", state.look.labelling);
    scroller.show(state.view, measures());
    note.hidden = state.view.length > 0;
    note.textContent = Number(model.get("broken")) > 0 || Object.keys(state.look.filters).length > 0 || state.look.search ? "No picture is as the filters ask." : "The frame has no pictures.";
  }
  function redraw(what) {
    if (what === "view") {
      toolbar.draw();
      lay();
      const at = state.view.indexOf(state.current);
      if (at < 0) scroller.toTop();
      if (state.look.labelling && at < 0) go(0);
    } else scroller.refresh();
    if (what === "rows") lay();
    toolbar.count();
    panel.draw();
  }
  function go(index) {
    if (index < 0 || index >= state.view.length) return;
    state.current = state.view[index];
    scroller.reveal(index);
    scroller.refresh();
    scroller.element.setAttribute("aria-activedescendant", id(state.current));
    panel.draw();
  }
  function label(choice) {
    const rows = state.meant();
    if (rows.length === 0) return;
    model.send({ kind: "label", rows, ...choice });
    if (state.look.labelling) go(state.view.indexOf(state.current) + 1);
  }
  let follows = true;
  cleanup.listen(scroller.element, "click", (event) => {
    const tile = event.target.closest(".mlnb-tile");
    if (!tile) return;
    const row = Number(tile.dataset["row"]);
    const how = howOf(event);
    follows = how === "alone";
    if (how !== "range" || state.anchor < 0) state.current = row;
    if (how === "alone" && state.chosen.size === 1 && state.chosen.has(row)) state.choose([]);
    else state.pick(row, how);
    go(state.view.indexOf(row));
  });
  cleanup.listen(scroller.element, "keydown", (event) => {
    if (act(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  });
  function act(event) {
    const { key } = event;
    const at = state.view.indexOf(state.current);
    const next = moved(key, at, state.view.length, scroller.columns, scroller.page);
    if (next !== null) {
      const along = follows && state.chosen.size === 1 && state.chosen.has(state.current);
      if (event.shiftKey && state.anchor < 0) state.anchor = state.current;
      go(next);
      if (event.shiftKey) state.pick(state.current, "range");
      else if (along) state.pick(state.current, "alone");
      return true;
    }
    if (key === "a") state.choose(state.view);
    else if (key === "Escape") state.choose([]);
    else if (key === " " && at >= 0) {
      follows = false;
      state.pick(state.current, "toggle");
    } else if (event.ctrlKey || event.metaKey || event.altKey) return false;
    else if (key >= "1" && key <= "9" && Number(key) <= model.get("labels").length) label({ at: Number(key) - 1 });
    else if (key === "x") panel.leaveOut();
    else if (key === "u") model.send({ kind: "undo" });
    else return false;
    return true;
  }
  small.onArrive(() => scroller.refresh());
  large.onArrive(() => panel.draw());
  for (const trait of ["facts", "facets", "orders", "labels", "edits", "look", "broken"]) {
    cleanup.follow(model, `change:${trait}`, () => {
      toolbar.draw();
      panel.draw();
      lay();
    });
  }
  for (const trait of ["size", "columns"]) {
    cleanup.follow(model, `change:${trait}`, () => {
      small.side = sharp();
      lay();
    });
  }
  cleanup.follow(model, "change:current", () => {
    scroller.refresh();
    panel.draw();
  });
  root.append(toolbar.element, h("div", { class: "mlnb-body" }, h("div", { class: "mlnb-main" }, scroller.element, note), panel.element));
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);
  ready = true;
  lay();
  panel.draw();
  requestAnimationFrame(() => scroller.reveal(state.view.indexOf(state.current)));
  root.dataset["state"] = "ready";
  return () => cleanup.run();
}
function sideFor(tile) {
  return SIDES.find((side) => side >= 1.4 * tile) ?? SIDES.at(-1);
}
var index_default = { render };
export {
  index_default as default
};
