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
function option(caption, value) {
  const made = h("option", {}, caption);
  made.value = value;
  return made;
}
function put(element, text2) {
  if (element.textContent !== text2) element.textContent = text2;
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
function bytesOf(model, name) {
  const view = model.get(name);
  if (!(view instanceof DataView)) return new ArrayBuffer(0);
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}
var text = (model, name) => String(model.get(name) ?? "");

// src/static_output.ts
var OUTPUT = ".jp-OutputArea-child, .output_area";
var pictures = /* @__PURE__ */ new Map();
function hideStaticOutput(id, view) {
  if (id === "") return () => {
  };
  const picture = pictures.get(id) ?? new Picture(id);
  pictures.set(id, picture);
  picture.add(view);
  return () => {
    if (!picture.remove(view)) pictures.delete(id);
  };
}
var Picture = class {
  constructor(id) {
    this.id = id;
    this.observer.observe(document.body, { childList: true, subtree: true });
  }
  id;
  views = /* @__PURE__ */ new Set();
  output = null;
  restore = () => {
  };
  observer = new MutationObserver(() => this.look());
  add(view) {
    this.views.add(view);
    this.look();
  }
  /** A view goes; whether others are left. */
  remove(view) {
    this.views.delete(view);
    this.look();
    if (this.views.size > 0) return true;
    this.observer.disconnect();
    return false;
  }
  // A notebook may build a cell before it stands in the page, and may put another picture in place.
  look() {
    const live = [...this.views].some((view) => view.isConnected);
    if (live && !this.output?.isConnected) this.hide();
    if (!live && this.output) this.show();
  }
  hide() {
    const marked = document.querySelector(`[data-mlnb-static="${CSS.escape(this.id)}"]`);
    if (!marked) return;
    const output = marked.closest(OUTPUT) ?? marked;
    const before = output.style.display;
    output.style.display = "none";
    const style = document.querySelector(`style[id="${CSS.escape(`mlnb-style-${this.id}`)}"]`);
    const place = style && { parent: style.parentNode, next: style.nextSibling };
    style?.remove();
    this.output = output;
    this.restore = () => {
      output.style.display = before;
      if (style && place?.parent) place.parent.insertBefore(style, place.next?.parentNode === place.parent ? place.next : null);
    };
  }
  show() {
    this.restore();
    this.output = null;
  }
};

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

// src/numbers.ts
var grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
function countText(count) {
  if (count < 1e6) return grouped.format(count);
  const [size, letter] = count >= 1e12 ? [1e12, "T"] : count >= 1e9 ? [1e9, "G"] : [1e6, "M"];
  return `${threeDigits(count / size)} ${letter}`;
}
function probabilityText(value) {
  return value >= 0.995 ? value === 1 ? "1.0" : ".99" : value.toFixed(2).replace(/^0/, "");
}
function plural(count, noun) {
  return `${grouped.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}
var threeDigits = (value) => String(Number(value.toPrecision(3)));

// src/frame_rows/actions.ts
var KEYS = 9;
var Actions = class {
  constructor(model, state, kind, label) {
    this.model = model;
    this.state = state;
    this.kind = kind;
    this.label = label;
    this.known.id = `mlnb-labels-${String(model.get("static_id"))}`;
    this.typed.setAttribute("list", this.known.id);
    this.typed.placeholder = "another label";
    this.typed.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && this.typed.value.trim()) this.type();
    });
  }
  model;
  state;
  kind;
  label;
  element = h("div", { class: "mlnb-actions" });
  typed = h("input", { type: "text", label: "another label", title: "type a label and press Enter" });
  known = h("datalist", {});
  /** All of it; what is in use keeps the focus. */
  draw() {
    const meant = this.state.meant();
    const labels = this.model.get("labels");
    const now = meant.length === 1 ? this.state.row(meant[0])?.label : void 0;
    const buttons = labels.slice(0, KEYS).map((name, at) => {
      const one = button("", `label ${displayText(name, 60)}, key ${at + 1}`, () => this.label({ at }));
      one.append(h("kbd", {}, String(at + 1)), " ", displayText(name, 24));
      one.setAttribute("aria-pressed", String(now === name));
      return one;
    });
    this.known.replaceChildren(...labels.slice(KEYS).map((name) => option("", displayText(name, 200))));
    const out = this.all((row) => row.left_out);
    const leave = button(out ? "Take in" : "Leave out", out ? "take in again, key x" : "leave out, key x", () => this.leaveOut());
    const others = [...this.kind.actions?.() ?? [], leave];
    [...buttons, ...others].forEach((one, at) => one.dataset["control"] = String(at));
    for (const one of [...buttons, ...others, this.typed]) one.disabled = meant.length === 0;
    const what = this.state.look.labelling ? "this one is a" : meant.length > 1 ? `${plural(meant.length, this.kind.noun)}, label` : "label";
    const active = document.activeElement;
    const focused = this.element.contains(active) ? active : null;
    this.element.replaceChildren(
      h("span", { class: "mlnb-muted" }, what),
      h("div", { class: "mlnb-labels" }, ...buttons),
      h("div", { class: "mlnb-labels" }, this.typed, this.known, ...others)
    );
    if (focused === this.typed) this.typed.focus();
    else if (focused) this.element.querySelector(`[data-control="${focused.dataset["control"]}"]`)?.focus();
  }
  /** Whether something holds for all rows that are meant. */
  all(holds) {
    const meant = this.state.meant();
    return meant.length > 0 && meant.every((at) => {
      const row = this.state.row(at);
      return row !== void 0 && holds(row);
    });
  }
  /** Leave out what is meant, or take it in where all of it is out. */
  leaveOut() {
    this.turn("leave_out", (row) => row.left_out);
  }
  /** Send `kind` for the rows that are meant, with false where `holds` for all of them already. */
  turn(kind, holds) {
    const rows = this.state.meant();
    if (rows.length > 0) this.model.send({ kind, rows, value: !this.all(holds) });
  }
  type() {
    const text2 = this.typed.value;
    this.typed.value = "";
    this.label({ text: text2 });
  }
};

// src/frame_rows/bar.ts
var PATIENCE = 150;
var Bar = class {
  constructor(model, state, kind) {
    this.model = model;
    this.state = state;
    this.kind = kind;
    this.search = field("search", kind.search.label, kind.search.placeholder);
    patiently(this.search, () => this.state.change({ search: this.search.value }));
    this.labelling = button("Label", `label one ${kind.noun} after the other with the keys 1 to 9`, () => this.state.change({ labelling: !this.state.look.labelling, ...kind.whenLabelling }));
    this.element.append(
      h(
        "div",
        { class: "mlnb-bar" },
        this.title,
        this.facts,
        h("span", { class: "mlnb-space" }),
        h("span", { class: "mlnb-doing" }, ...kind.bar ?? [], this.undo, this.labelling)
      ),
      this.tools
    );
  }
  model;
  state;
  kind;
  element = h("div", {});
  tools = h("div", { class: "mlnb-tools" });
  facts = h("span", { class: "mlnb-muted", role: "status" });
  title = h("b", { class: "mlnb-title" });
  search;
  undo = button("Undo", "undo the last edit", () => this.model.send({ kind: "undo" }));
  labelling;
  /** All of it; a control that is in use keeps the focus. */
  draw() {
    const { look } = this.state;
    const focused = document.activeElement?.dataset?.["control"];
    this.title.textContent = displayText(String(this.model.get("facts")), 200);
    this.undo.disabled = Number(this.model.get("edits")) === 0;
    this.labelling.setAttribute("aria-pressed", String(look.labelling));
    if (document.activeElement !== this.search) this.search.value = look.search;
    this.kind.drawBar?.();
    const facets = this.model.get("facets").filter((facet) => divides(facet) || look.filters[facet.name] !== void 0);
    const filters = this.kind.hasFilters?.() ?? true;
    this.tools.replaceChildren(
      this.search,
      ...filters ? facets.map((facet) => this.filter(facet)) : [],
      ...this.kind.tools ?? [],
      this.order()
    );
    if (focused) this.tools.querySelector(`[data-control="${CSS.escape(focused)}"]`)?.focus();
    this.count();
  }
  /** How many are shown and chosen. */
  count() {
    const parts = [`${countText(this.state.view.length)} shown`];
    if (this.state.chosen.size > 0) parts.push(`${countText(this.state.chosen.size)} chosen`);
    this.facts.textContent = parts.join(" · ");
  }
  filter(facet) {
    const chosen = this.state.look.filters[facet.name];
    const select = menu(`filter by ${facet.name}`, `filter ${facet.name}`);
    select.append(option(`any ${facet.name}`, ""));
    facet.values.forEach((value, i) => select.append(option(`${displayText(value, 40)}  ${countText(facet.counts[i] ?? 0)}`, String(i))));
    select.value = chosen === void 0 ? "" : String(chosen);
    select.classList.toggle("mlnb-on", chosen !== void 0);
    select.addEventListener("change", () => {
      const { [facet.name]: _, ...others } = this.state.look.filters;
      const filters = select.value === "" ? others : { ...others, [facet.name]: Number(select.value) };
      this.state.change({ filters });
    });
    return select;
  }
  order() {
    const select = menu("order", "order");
    const { order } = this.state.look;
    const orders = this.model.get("orders");
    for (const name of /* @__PURE__ */ new Set([...orders, order])) select.append(option(displayText(name, 40), name));
    select.value = order;
    select.addEventListener("change", () => this.state.change({ order: select.value }));
    return select;
  }
};
var divides = (facet) => facet.counts.filter((count) => count > 0).length > 1;
function field(type, label, placeholder = "") {
  const input = h("input", { type, label, title: label });
  input.placeholder = placeholder;
  input.dataset["control"] = label;
  return input;
}
function patiently(input, changed) {
  let timer = 0;
  const now = () => {
    window.clearTimeout(timer);
    timer = 0;
    changed();
  };
  input.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(now, PATIENCE);
  });
  input.addEventListener("change", () => timer && now());
}
function menu(label, control) {
  const select = h("select", { label, title: label });
  select.dataset["control"] = control;
  return select;
}

// src/frame_rows/choice.ts
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

// src/frame_rows/row_state.ts
var KEPT = 5e3;
var RowState = class {
  // choices that the kernel has not heard of yet
  constructor(model, cleanup, changed) {
    this.model = model;
    this.changed = changed;
    this.readView();
    this.readChosen();
    cleanup.follow(model, "change:view", () => this.readView());
    cleanup.follow(model, "change:chosen", () => this.readChosen());
    cleanup.follow(model, "change:look", () => this.readLook());
    cleanup.follow(model, "change:version", () => this.forgetRows());
    cleanup.follow(model, "msg:custom", ((content) => {
      if (content.kind === "rows") this.arrive(content.rows);
      if (content.kind === "chosen") this.heard();
      if (content.kind === "error") this.wanted = {};
    }));
  }
  model;
  changed;
  view = new Int32Array();
  chosen = /* @__PURE__ */ new Set();
  anchor = -1;
  place = { row: -1, view: this.view, at: -1 };
  // of the last row that was looked for
  rows = /* @__PURE__ */ new Map();
  stale = /* @__PURE__ */ new Map();
  // as they were before the last edit; better than nothing
  asked = /* @__PURE__ */ new Set();
  wanted = {};
  // that the kernel has not heard of yet
  waiting = 0;
  /** What is looked at, and what was asked for since: who clicks twice means both clicks. */
  get look() {
    return { ...this.model.get("look"), ...this.wanted };
  }
  /** The row that the keyboard is on, where it is in the view; else -1. */
  get current() {
    return this.at < 0 ? -1 : this.view[this.at];
  }
  /** Its place in the view. */
  get at() {
    const row = Number(this.model.get("current"));
    if (row !== this.place.row || this.view !== this.place.view) this.place = { row, view: this.view, at: this.view.indexOf(row) };
    return this.place.at;
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
    this.wanted = { ...this.wanted, ...part };
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
  readLook() {
    const look = this.model.get("look");
    const there = (name) => JSON.stringify(look[name]) === JSON.stringify(this.wanted[name]);
    if (Object.keys(this.wanted).every(there)) this.wanted = {};
  }
  readView() {
    this.view = new Int32Array(bytesOf(this.model, "view"));
    this.changed("view");
  }
  readChosen() {
    if (this.waiting > 0) return;
    const before = this.chosen;
    this.chosen = new Set(new Int32Array(bytesOf(this.model, "chosen")));
    const isMine = before.size === this.chosen.size && [...before].every((row) => this.chosen.has(row));
    if (!isMine && !this.look.labelling && !this.chosen.has(this.current)) {
      this.current = this.view.find((row) => this.chosen.has(row)) ?? this.current;
    }
    this.changed("chosen");
  }
  forgetRows() {
    this.stale = new Map([...this.stale, ...this.rows].slice(-KEPT));
    this.rows.clear();
    this.asked.clear();
    this.changed("rows");
  }
  arrive(rows) {
    if (this.rows.size > KEPT) this.rows.clear();
    for (const row of rows) {
      this.rows.set(row.row, row);
      this.asked.delete(row.row);
    }
    this.changed("rows");
  }
};

// src/frame_rows/scroller.ts
var Scroller = class {
  /** `make` an element once, `draw` a row into it, `sight` is told the rows that are to be seen. */
  constructor(cleanup, hooks, head) {
    this.hooks = hooks;
    this.head = head;
    this.element.tabIndex = 0;
    this.element.setAttribute("role", head ? "grid" : "listbox");
    this.space.setAttribute("role", head ? "rowgroup" : "presentation");
    this.element.setAttribute("aria-multiselectable", "true");
    this.element.append(...head ? [head] : [], this.space);
    cleanup.listen(this.element, "scroll", () => this.later(), { passive: true });
    const observer = new ResizeObserver(() => this.later());
    observer.observe(this.element);
    cleanup.add(() => observer.disconnect());
    cleanup.add(() => cancelAnimationFrame(this.frame));
  }
  hooks;
  head;
  element = h("div", { class: "mlnb-scroll" });
  space = h("div", { class: "mlnb-scroll-space" });
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
    return Math.max(1, Math.floor(this.tall / this.step));
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
  reveal(index) {
    if (index < 0) return;
    const top = Math.floor(index / this.columns) * this.step;
    const { tall, step } = this;
    const { scrollTop } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + step > scrollTop + tall) this.element.scrollTop = top + step + this.measures.gap - tall;
    this.draw();
  }
  toTop() {
    this.element.scrollTop = 0;
  }
  /** Pixels of height that show tiles. */
  get tall() {
    return this.element.clientHeight - (this.head?.offsetHeight ?? 0);
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
    const { scrollTop, clientWidth } = this.element;
    if (clientWidth === 0) return;
    const { columns, width, height, step, tall } = this;
    const { gap } = this.measures;
    this.space.style.height = `${Math.ceil(this.view.length / columns) * step + gap}px`;
    const first = Math.max(0, Math.floor(scrollTop / step) - 1) * columns;
    const last = Math.min(this.view.length, (Math.ceil((scrollTop + tall) / step) + 1) * columns);
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

// src/frame_rows/frame_rows.ts
var TOLD = ["facts", "facets", "orders", "labels", "edits", "look"];
var FrameRows = class {
  constructor(model, cleanup, kind) {
    this.model = model;
    this.cleanup = cleanup;
    this.kind = kind;
    this.root = h("div", { class: `mlnb mlnb-frame-rows ${kind.className}` });
    cleanup.add(hideStaticOutput(text(model, "static_id"), this.root));
    this.root.dataset["lmSuppressShortcuts"] = "true";
    this.state = new RowState(model, cleanup, (what) => this.ready && this.redraw(what));
    this.bar = new Bar(model, this.state, kind);
    this.actions = new Actions(model, this.state, kind, (choice) => this.label(choice));
    const draw = (tile, row, index) => this.tile(tile, row, index);
    const sight = (rows) => {
      this.state.want(rows);
      kind.sight?.(rows);
    };
    this.scroller = new Scroller(cleanup, { make: kind.make, draw, sight }, kind.head);
    this.scroller.element.setAttribute("aria-label", `${kind.noun}s`);
  }
  model;
  cleanup;
  kind;
  root;
  state;
  scroller;
  actions;
  bar;
  note = h("div", { class: "mlnb-note" });
  follows = true;
  // whether the one chosen row goes along with the arrow keys
  ready = false;
  /** Put it on the page and follow what changes. */
  show(el) {
    const { model, cleanup, kind, scroller } = this;
    cleanup.listen(scroller.element, "click", (event) => this.click(event));
    cleanup.listen(scroller.element, "keydown", (event) => {
      if (event.target !== scroller.element || !this.act(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    for (const trait of TOLD) cleanup.follow(model, `change:${trait}`, () => this.tell());
    cleanup.follow(model, "change:current", () => {
      scroller.refresh();
      this.aside();
    });
    const side = h("aside", { class: "mlnb-side", label: `the current ${kind.noun}` }, ...kind.about, this.actions.element);
    this.root.append(
      this.bar.element,
      h("div", { class: "mlnb-body" }, h("div", { class: "mlnb-main" }, scroller.element, this.note), side)
    );
    el.append(this.root);
    cleanup.add(() => this.root.remove());
    followWidth(this.root, cleanup);
    this.ready = true;
    this.tell();
    requestAnimationFrame(() => scroller.reveal(this.state.at));
    this.root.dataset["state"] = "ready";
  }
  /** Bar, rows and what stands beside them. */
  tell() {
    this.bar.draw();
    this.aside();
    this.lay();
  }
  /** The rows in their places. */
  lay() {
    const { look, view } = this.state;
    this.root.classList.toggle("mlnb-labelling", look.labelling);
    this.kind.lay?.();
    this.scroller.show(view, this.kind.measures());
    this.note.hidden = view.length > 0;
    const narrowed = Object.keys(look.filters).length > 0 || look.search || this.kind.narrowed?.();
    this.note.textContent = narrowed ? `No ${this.kind.noun} is as the filters ask.` : `The frame has no ${this.kind.noun}s.`;
  }
  /** What stands beside the rows. */
  aside() {
    const { current } = this.state;
    if (current >= 0) this.state.want([current]);
    this.kind.drawAbout(current < 0 ? void 0 : this.state.row(current), current);
    this.actions.draw();
  }
  tile(tile, row, index) {
    const { state } = this;
    tile.dataset["row"] = String(row);
    this.kind.draw(tile, state.row(row), row, {
      chosen: state.chosen.has(row),
      current: row === state.current,
      index,
      count: state.view.length,
      id: this.id(row)
    });
  }
  redraw(what) {
    const { state, scroller } = this;
    if (what === "view") {
      this.bar.draw();
      this.lay();
      if (!state.look.labelling) scroller.toTop();
      else if (state.at < 0) this.go(0);
      else scroller.reveal(state.at);
    } else scroller.refresh();
    if (what === "rows") this.lay();
    this.bar.count();
    this.aside();
  }
  /** The keyboard on the row at this place of the view. */
  go(index) {
    const { state, scroller } = this;
    if (index < 0 || index >= state.view.length) return;
    state.current = state.view[index];
    scroller.reveal(index);
    scroller.refresh();
    scroller.element.setAttribute("aria-activedescendant", this.id(state.current));
    this.aside();
  }
  label(choice) {
    const { state } = this;
    const rows = state.meant();
    if (rows.length === 0) return;
    this.model.send({ kind: "label", rows, ...choice });
    if (state.look.labelling) this.go(state.at + 1);
  }
  click(event) {
    const { state } = this;
    const tile = event.target.closest(".mlnb-tile");
    if (!tile) return;
    const row = Number(tile.dataset["row"]);
    const how = howOf(event);
    this.follows = how === "alone";
    if (how !== "range" || state.anchor < 0) state.current = row;
    if (how === "alone" && state.chosen.size === 1 && state.chosen.has(row)) state.choose([]);
    else state.pick(row, how);
    this.go(state.view.indexOf(row));
  }
  act(event) {
    const { key } = event;
    const { state, scroller } = this;
    const { at } = state;
    const next = moved(key, at, state.view.length, scroller.columns, scroller.page);
    if (next !== null) {
      const along = this.follows && state.chosen.size === 1 && state.chosen.has(state.current);
      if (event.shiftKey && state.anchor < 0) state.anchor = state.current;
      this.go(next);
      if (event.shiftKey) state.pick(state.current, "range");
      else if (along) state.pick(state.current, "alone");
      return true;
    }
    if (key === "a") state.choose(state.view);
    else if (key === "Escape") state.choose([]);
    else if (key === " " && at >= 0) {
      this.follows = false;
      state.pick(state.current, "toggle");
    } else if (event.ctrlKey || event.metaKey || event.altKey) return false;
    else if (key >= "1" && key <= "9" && Number(key) <= this.model.get("labels").length) this.label({ at: Number(key) - 1 });
    else if (key === "x") this.actions.leaveOut();
    else if (key === "u") this.model.send({ kind: "undo" });
    else return this.kind.press?.(key) ?? false;
    return true;
  }
  id(row) {
    return `mlnb-${text(this.model, "static_id")}-${row}`;
  }
};
function tileClass(row, state, others = {}) {
  const on = {
    "mlnb-tile": true,
    "mlnb-chosen": state.chosen,
    "mlnb-current": state.current,
    "mlnb-left-out": row?.left_out ?? false,
    "mlnb-wrong": row?.wrong ?? false,
    "mlnb-edited": row?.edited ?? false,
    ...others
  };
  return Object.keys(on).filter((name) => on[name]).join(" ");
}

// src/text_table/head.ts
var PLAIN = "as they stand";
var Head = class {
  constructor(columns, look, change) {
    this.look = look;
    this.cells = columns.map((column) => {
      const label = `sort by ${displayText(column.name, 60)}`;
      const sort = button("", label, () => change({ order: nextOrder(column.name, look().order) }));
      const cell = h("div", { class: `mlnb-of-${column.kind}`, role: "columnheader" }, sort);
      return [column, cell, sort];
    });
    this.element.setAttribute("aria-rowindex", "1");
    this.element.append(...this.cells.map(([, cell]) => cell));
  }
  look;
  element = h("div", { class: "mlnb-head", role: "row" });
  cells;
  draw() {
    const { order } = this.look();
    for (const [{ name }, cell, sort] of this.cells) {
      const arrow = order === `${name} ↑` ? " ↑" : order === `${name} ↓` ? " ↓" : "";
      sort.textContent = `${displayText(name, 30)}${arrow}`;
      cell.setAttribute("aria-sort", arrow === "" ? "none" : arrow === " ↑" ? "ascending" : "descending");
    }
  }
};
function nextOrder(name, order) {
  if (order === `${name} ↑`) return `${name} ↓`;
  return order === `${name} ↓` ? PLAIN : `${name} ↑`;
}

// src/text_table/range.ts
var Range = class {
  constructor(look, change) {
    this.look = look;
    for (const one of [this.low, this.high]) {
      patiently(one, () => change({ sure: [within(this.low.value, 0), within(this.high.value, 1)] }));
    }
  }
  look;
  low = number("the least probability");
  high = number("the largest probability");
  element = h("span", { class: "mlnb-range", role: "group", label: "probability" }, "sure", this.low, "to", this.high);
  get isSet() {
    const [low, high] = this.look().sure;
    return low > 0 || high < 1;
  }
  draw() {
    this.look().sure.forEach((value, at) => {
      const one = at === 0 ? this.low : this.high;
      if (document.activeElement !== one) one.value = String(value);
    });
    this.element.classList.toggle("mlnb-on", this.isSet);
  }
};
function number(label) {
  const input = field("number", label);
  [input.min, input.max, input.step] = ["0", "1", "0.05"];
  return input;
}
function within(typed, otherwise) {
  const value = Number(typed);
  return typed.trim() === "" || !Number.isFinite(value) ? otherwise : Math.max(0, Math.min(1, value));
}

// src/text_table/row.ts
var LONGEST = 1200;
function makeRow(columns) {
  const cells = columns.map(({ kind }) => h("div", { class: `mlnb-of-${kind}`, role: "gridcell" }, h("span", {})));
  return h("div", { class: "mlnb-tile", role: "row" }, ...cells);
}
function drawRow(tile, columns, row, state, search) {
  const others = row ? [...row.others] : [];
  columns.forEach(({ kind }, at) => {
    const cell = tile.children[at].firstElementChild;
    if (kind === "text") drawText(cell, row?.text, search);
    else put(cell, row ? cellText(row, kind, others) : "");
    if (kind === "probability") cell.style.setProperty("--mlnb-share", `${Math.round(100 * (row?.probability ?? 0))}%`);
  });
  tile.id = state.id;
  tile.className = tileClass(row, state, { "mlnb-marked": row?.marked ?? false });
  tile.setAttribute("aria-selected", String(state.chosen));
  tile.setAttribute("aria-rowindex", String(state.index + 2));
  tile.setAttribute("aria-label", row ? spoken(row) : "not loaded yet");
}
function captionOf(row) {
  const sure = row.probability === void 0 ? "" : ` ${probabilityText(row.probability)}`;
  const label = displayText(row.label ?? "", 60);
  if (row.predicted === void 0) return label;
  return `${displayText(row.predicted, 60)}${sure}${row.wrong ? ` · is ${label}` : ""}`;
}
function highlighted(element, text2, search) {
  const wanted = search.trim().toLowerCase();
  const folded = text2.toLowerCase();
  const found = wanted !== "" && folded.length === text2.length ? folded.indexOf(wanted) : -1;
  if (found < 0) return put(element, text2);
  const parts = [];
  let from = 0;
  for (let at = found; at >= 0; at = folded.indexOf(wanted, from)) {
    parts.push(text2.slice(from, at), h("mark", {}, text2.slice(at, at + wanted.length)));
    from = at + wanted.length;
  }
  element.replaceChildren(...parts, text2.slice(from));
}
function drawText(cell, text2, search) {
  const key = `${search}
${text2}`;
  if (cell.dataset["shown"] === key) return;
  cell.dataset["shown"] = key;
  cell.classList.toggle("mlnb-muted", text2 === "");
  highlighted(cell, text2 === "" ? "(empty)" : displayText(text2 ?? "", LONGEST), search);
}
function cellText(row, kind, others) {
  if (kind === "probability") return row.probability === void 0 ? "" : probabilityText(row.probability);
  const said = kind === "other" ? others.shift() : kind === "split" ? row.split : kind === "label" ? row.label : row.predicted;
  return displayText(said ?? "", 200);
}
function spoken(row) {
  const predicted = row.predicted === void 0 ? "" : `predicted ${captionOf(row)}`;
  const parts = [row.text || "empty", row.label ? `label ${row.label}` : "", predicted, row.marked ? "label looks wrong" : "", row.left_out ? "left out" : ""];
  return displayText(parts.filter(Boolean).join(", "), 900);
}

// src/text_table/whole.ts
var LONGEST2 = 13e5;
var KEPT2 = 50;
var PAUSE = 80;
var Whole = class {
  constructor(model, cleanup, columns, back) {
    this.model = model;
    this.columns = columns;
    this.text.tabIndex = 0;
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Escape") back();
      event.stopPropagation();
    });
    cleanup.follow(model, "msg:custom", ((message) => {
      if (message.kind !== "text") return;
      if (this.known.size >= KEPT2) this.known.clear();
      this.known.set(message.row, message.text);
      if (message.row === this.current && message.text) this.show(message.text);
    }));
    cleanup.add(() => window.clearTimeout(this.timer));
  }
  model;
  columns;
  said = h("div", { class: "mlnb-name" });
  facts = h("div", { class: "mlnb-muted" });
  text = h("div", { class: "mlnb-whole", role: "region", label: "the whole text" });
  elements = [h("div", { class: "mlnb-about" }, this.said, this.facts), this.text];
  known = /* @__PURE__ */ new Map();
  current = -1;
  search = "";
  shown = "";
  timer = 0;
  /** Go into the text, to scroll it. */
  enter() {
    this.text.focus();
  }
  draw(row, current, search) {
    if (current !== this.current) this.ask(current);
    this.search = search;
    this.said.textContent = row ? captionOf(row) : "";
    this.said.classList.toggle("mlnb-wrong", row?.wrong ?? false);
    this.facts.replaceChildren(...(row ? this.factsOf(row) : []).map((line) => h("div", {}, displayText(line, 300))));
    if (current < 0) this.show("Click a text, or press an arrow key.", "mlnb-muted");
    else if (row?.text === "") this.show("(empty)", "mlnb-muted");
    else if (row) this.show(this.known.get(current) ?? row.text);
  }
  ask(current) {
    this.current = current;
    window.clearTimeout(this.timer);
    if (current < 0 || this.known.has(current)) return;
    this.timer = window.setTimeout(() => this.model.send({ kind: "text", row: current }), PAUSE);
  }
  factsOf(row) {
    const names = this.columns.filter(({ kind }) => kind === "other").map(({ name }) => name);
    const others = row.others.map((value, at) => value ? `${names[at]}: ${value}` : "");
    const state = [row.marked ? "label looks wrong" : "", row.left_out ? "left out" : ""].filter(Boolean).join(", ");
    return [`row ${row.name}${row.split ? ` · ${row.split}` : ""}`, state, ...others].filter(Boolean);
  }
  show(text2, className = "") {
    const key = `${this.current}
${this.search}
${text2}`;
    if (key === this.shown) return;
    this.shown = key;
    this.text.className = `mlnb-whole ${className}`;
    this.text.scrollTop = 0;
    this.text.replaceChildren(...text2.split("\n").map((line) => {
      const made = h("p", {});
      highlighted(made, displayText(line, LONGEST2), this.search);
      return made;
    }));
  }
};

// src/text_table/index.ts
var LINE = { columns: 1, width: 0, extra: 0, height: 42, gap: 0 };
function render({ model, el }) {
  const cleanup = new Cleanup();
  const columns = model.get("columns");
  const look = () => rows.state.look;
  const change = (part) => rows.state.change(part);
  const head = new Head(columns, look, change);
  const range = new Range(look, change);
  const whole = new Whole(model, cleanup, columns, () => rows.scroller.element.focus());
  const rows = new FrameRows(model, cleanup, {
    className: "mlnb-text-table",
    noun: "text",
    search: { label: "search in the texts", placeholder: "Find in the texts" },
    make: () => makeRow(columns),
    draw: (tile, row, _, state) => drawRow(tile, columns, row, state, look().search),
    measures: () => LINE,
    head: head.element,
    tools: columns.some(({ kind }) => kind === "probability") ? [range.element] : [],
    drawBar: () => {
      head.draw();
      range.draw();
    },
    narrowed: () => range.isSet,
    about: whole.elements,
    drawAbout: (row, current) => whole.draw(row, current, look().search),
    actions: () => {
      const marked = rows.actions.all((row) => row.marked);
      const one = button("Looks wrong", marked ? "the label looks right after all, key w" : "the label looks wrong, key w", mark);
      one.setAttribute("aria-pressed", String(marked));
      return [one];
    },
    press: (key) => {
      if (key === "w") mark();
      else if (key === "Enter" && rows.state.current >= 0) whole.enter();
      else return false;
      return true;
    },
    lay: () => rows.scroller.element.setAttribute("aria-rowcount", String(rows.state.view.length + 1))
  });
  const mark = () => rows.actions.turn("mark", (row) => row.marked);
  rows.scroller.element.setAttribute("aria-colcount", String(columns.length));
  rows.show(el);
  return () => cleanup.run();
}
var index_default = { render };
export {
  index_default as default
};
