/*! mlnb: built by js/build.mjs from js/src. MIT. */
/*!
@dagrejs/dagre 3.1.3 (MIT), bundled below

Copyright (c) 2012-2014 Chris Pettitt

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
*/
/*!
@dagrejs/graphlib 4.0.6 (MIT), bundled below

Copyright (c) 2012-2014 Chris Pettitt

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
*/

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
function put(element, text2) {
  if (element.textContent !== text2) element.textContent = text2;
}
function foreign(text2, limit = 80, className = "") {
  const shown = displayText(text2, limit);
  const whole = displayText(text2, 4e3);
  return h("span", { class: className, title: shown === whole ? "" : whole }, shown);
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
var SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
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
    const place2 = style && { parent: style.parentNode, next: style.nextSibling };
    style?.remove();
    this.output = output;
    this.restore = () => {
      output.style.display = before;
      if (style && place2?.parent) place2.parent.insertBefore(style, place2.next?.parentNode === place2.parent ? place2.next : null);
    };
  }
  show() {
    this.restore();
    this.output = null;
  }
};

// src/tensor_table/header.ts
function header(title, facts2, status = "", ...actions) {
  if (!title && !facts2 && !status && actions.length === 0) return null;
  const bar = h("div", { class: "mlnb-bar" });
  if (title) bar.append(h("b", { class: "mlnb-title" }, expandable(title, 80)));
  if (facts2) bar.append(foreign(facts2, 300, "mlnb-muted mlnb-facts"));
  bar.append(h("span", { class: "mlnb-space" }));
  const state = h("span", { class: "mlnb-muted mlnb-status" }, status ? foreign(status, 120) : null);
  state.setAttribute("role", "status");
  bar.append(state, h("span", { class: "mlnb-doing" }, ...actions));
  return bar;
}

// src/clipboard.ts
async function copyText(text2) {
  try {
    await navigator.clipboard.writeText(text2);
    return true;
  } catch {
    return copyBySelection(text2);
  }
}
function copyBySelection(text2) {
  const area = document.createElement("textarea");
  area.value = text2;
  area.style.cssText = "position:fixed;top:0;left:0;opacity:0";
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
  }
}
function copyButton(caption, label, text2) {
  const element = button(caption, label, async () => {
    const copied = await copyText(text2());
    element.textContent = copied ? "Copied" : "The browser refused";
    setTimeout(() => element.textContent = caption, 1600);
  });
  element.title = label;
  element.setAttribute("aria-live", "polite");
  return element;
}

// src/histogram.ts
function histogram(counts, label, width = 150, height = 34) {
  const top = Math.max(1, ...counts);
  const step = width / Math.max(1, counts.length);
  const bars = counts.map((count, i) => {
    const tall = count > 0 ? Math.max(0.75, height * count / top) : 0;
    return svg("rect", {
      x: round(i * step),
      y: round(height - tall),
      width: round(Math.max(0.5, step - 0.75)),
      height: round(tall)
    });
  });
  return svg("svg", {
    class: "mlnb-histogram",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": label
  }, ...bars);
}
var round = (value) => Number(value.toFixed(2));

// src/numbers.ts
var grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
function countText(count) {
  if (count < 1e6) return grouped.format(count);
  const [size, letter] = count >= 1e12 ? [1e12, "T"] : count >= 1e9 ? [1e9, "G"] : [1e6, "M"];
  return `${threeDigits(count / size)} ${letter}`;
}
function bytesText(bytes) {
  for (const [size, unit] of [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
    if (bytes >= size) return `${threeDigits(bytes / size)} ${unit}`;
  }
  return `${bytes} B`;
}
function valueText(value) {
  if (value === null || value === void 0) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return minus(grouped.format(value));
  const size = Math.abs(value);
  const plain = size >= 1e-3 && size < 1e6;
  return minus(plain ? String(Number(value.toPrecision(3))) : value.toExponential(2));
}
function plural(count, noun) {
  return `${grouped.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}
var threeDigits = (value) => String(Number(value.toPrecision(3)));
var minus = (text2) => text2.replace("-", "−");

// src/tensor_table/rows.ts
var FIRST = 8;
var PNG = "data:image/png;base64,";
function tensorTable(rows, feed) {
  const filled = rows.some((row) => row.stats || row.picture);
  const shown = rows.slice(0, FIRST);
  const body = h("tbody", {}, ...shown.map((row, i) => line(row, filled, i === 0 ? feed : "")));
  const rest = rows.slice(FIRST);
  if (rest.length > 0) {
    const more = h("button", { type: "button", class: "mlnb-more" }, `and ${plural(rest.length, "more").replace(/s$/, "")}`);
    const last = h("tr", { class: "mlnb-rest" }, cell("", more, filled ? 8 : 5));
    more.addEventListener("click", () => {
      last.replaceWith(...rest.map((row) => line(row, filled, "")));
    });
    body.append(last);
  }
  const names = filled ? ["", "name", "dtype", "shape", "range", "mean", "values", ""] : ["", "name", "dtype", "shape", ""];
  const head = h("thead", {}, h("tr", {}, ...names.map((name) => heading(name))));
  return h("table", { class: `mlnb-io${filled ? " mlnb-filled" : ""}`, label: "inputs and outputs" }, head, body);
}
function line(row, filled, feed) {
  const action = h("span", { class: "mlnb-action" });
  if (row.note) action.append(foreign(row.note, 120, "mlnb-muted"));
  if (feed) action.append(copyButton("Copy feed", "Copy the call that feeds this model, as Python code", () => feed));
  const cells = [
    cell("mlnb-tag", foreign(row.role, 12)),
    cell("mlnb-name", expandable(row.name, 64, "mlnb-code")),
    cell("", foreign(row.dtype, 24)),
    cell("mlnb-shape", expandable(shapeText(row.shape), 64))
  ];
  if (filled) cells.push(...valueCells(row));
  return h("tr", {}, ...cells, cell("mlnb-last", action));
}
function valueCells({ stats, picture, name }) {
  const drawn = h("span", { class: "mlnb-values" });
  const image = pictureOf(picture, `values of ${name}`);
  if (stats && stats.histogram.length > 0) drawn.append(histogram(stats.histogram, rangeText(stats)));
  if (image) drawn.append(image);
  const odd = stats ? oddText(stats) : "";
  if (odd) drawn.append(h("span", { class: "mlnb-warn" }, odd));
  return [
    labelled("range", stats ? rangeText(stats) : ""),
    labelled("mean", stats ? valueText(stats.mean) : ""),
    cell("mlnb-drawn", drawn)
  ];
}
function rangeText(stats) {
  if (stats.minimum === null || stats.maximum === null) return stats.count === 0 ? "empty" : "–";
  if (stats.minimum === stats.maximum) return valueText(stats.minimum);
  return `${valueText(stats.minimum)} … ${valueText(stats.maximum)}`;
}
function oddText(stats) {
  const parts = [];
  if (stats.nan > 0) parts.push(`${countText(stats.nan)} NaN`);
  if (stats.inf > 0) parts.push(`${countText(stats.inf)} infinite`);
  return parts.join(", ");
}
function shapeText(shape) {
  if (!shape.startsWith("[") || !shape.endsWith("]")) return shape;
  const inside = shape.slice(1, -1).trim();
  return inside === "" ? "scalar" : inside.replaceAll(", ", " × ");
}
function pictureOf(address, label) {
  if (!address?.startsWith(PNG)) return null;
  const image = h("img", { class: "mlnb-picture" });
  image.alt = label;
  image.src = address;
  return image;
}
function cell(className, content, span = 1) {
  const element = h("td", { class: className }, content);
  if (span > 1) element.colSpan = span;
  return element;
}
function labelled(label, value) {
  const element = h("td", { class: `mlnb-number mlnb-${label}` }, value);
  if (value) element.dataset.label = label;
  return element;
}
function heading(name) {
  const element = h("th", {}, name);
  element.scope = "col";
  return element;
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

// src/colors.ts
var THEME = ["class", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-id", "theme"];
function followTheme(changed) {
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

// src/graph_viewer/keyboard.ts
var ARROWS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };
function listenToKeys(canvas, cleanup, act) {
  cleanup.listen(canvas, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!handle(event.key, act)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}
function handle(key, act) {
  const arrow = ARROWS[key];
  if (arrow) act.walk(arrow);
  else if (key === "Enter" || key === " ") act.toggle();
  else if (key === "+" || key === "=") act.zoomBy(1.25);
  else if (key === "-") act.zoomBy(0.8);
  else if (key === "0") act.fit();
  else if (key === "/") act.search();
  else if (key === "Escape") return act.clear();
  else return false;
  return true;
}

// src/graph_viewer/paint.ts
var Paint = class {
  constructor(ids, painting) {
    this.painting = painting;
    ids.forEach((id, at) => this.values.set(id, received(painting.values[at] ?? null)));
  }
  painting;
  values = /* @__PURE__ */ new Map();
  shades = /* @__PURE__ */ new Map();
  get label() {
    return this.painting.label || "value";
  }
  /** How a box is painted; null for one that is not. Found once a painting, not once a frame. */
  shadeOf(box, model) {
    const key = box.inner ? `${box.id} open` : box.id;
    let shade = this.shades.get(key);
    if (shade === void 0) this.shades.set(key, shade = this.find(box, model));
    return shade;
  }
  /** The shade of a value by itself, as in the table. */
  shade(value, inside = 0) {
    const fill = this.color(value);
    return { value, text: numberText(value), fill, ink: fill ? inkOn(fill) : "", inside };
  }
  /** What is wrong first, then from high to low, then what has no value. */
  sorted() {
    const rank = (value) => value === null ? 2 : Number.isFinite(value) ? 1 : 0;
    return [...this.values].sort(([, a], [, b]) => rank(a) - rank(b) || (rank(a) === 1 ? b - a : 0));
  }
  find(box, model) {
    const own = this.values.get(box.id);
    if (own !== void 0) return this.shade(own);
    if (box.inner || box.count === 0) return null;
    const inside = box.kind === "group" ? this.inGroup(box, model) : this.startingWith(`${box.id}:`);
    return inside.length > 0 ? this.shade(this.together(inside), inside.length) : null;
  }
  inGroup({ id, instance }, model) {
    const group = instance.index.groups.get(id.slice(instance.prefix.length));
    const found = [];
    const walk = (at) => {
      for (const child of at.children) {
        const childId = typeof child === "number" ? model.nodeId(instance, child) : instance.prefix + child.id;
        const value = this.values.get(childId);
        if (value !== void 0) found.push(value);
        else if (typeof child !== "number") walk(child);
      }
    };
    if (group) walk(group);
    return found;
  }
  startingWith(prefix) {
    return [...this.values].filter(([id]) => id.startsWith(prefix)).map(([, value]) => value);
  }
  together(inside) {
    const known = inside.filter((value) => value !== null);
    const wrong = known.find((value) => !Number.isFinite(value));
    if (wrong !== void 0) return wrong;
    if (known.length === 0) return null;
    const { groups } = this.painting;
    if (groups === "mean") return known.reduce((sum, value) => sum + value, 0) / known.length;
    return known.reduce((a, b) => groups === "max" ? Math.max(a, b) : Math.min(a, b));
  }
  color(value) {
    const { scale, colors, low, high } = this.painting;
    if (value === null || !Number.isFinite(value) || low === null || high === null) return "";
    if (scale === "log" && value < 0) return "";
    const at = place(value, low, high, scale) * (colors.length - 1);
    const first = Math.min(Math.floor(at), colors.length - 2);
    return mixed(colors[first], colors[first + 1], at - first);
  }
};
function numberText(value) {
  if (value === null || Number.isFinite(value)) return valueText(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
}
var received = (value) => value === null ? null : Number(value);
function place(value, low, high, scale) {
  if (scale === "log") {
    if (value <= 0) return high > 0 ? 0 : 0.5;
    [value, low, high] = [Math.log(value), Math.log(low), Math.log(high)];
  }
  if (!(high > low)) return 0.5;
  return Math.min(1, Math.max(0, (value / 2 - low / 2) / (high / 2 - low / 2)));
}
function mixed(first, second, part) {
  const [a, b] = [rgb(first), rgb(second)];
  const mix = a.map((from, i) => Math.floor(from + (b[i] - from) * part + 0.5));
  return `#${mix.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}
var rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
function inkOn(color) {
  const [r, g, b] = rgb(color).map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}

// src/graph_viewer/legend.ts
var MOST = 500;
var COLOR = /^#[0-9a-f]{6}$/i;
var Legend = class {
  constructor(go, choose) {
    this.go = go;
    this.choose = choose;
    this.heads = { name: this.head("name"), value: this.head("value") };
    this.table.tabIndex = 0;
    this.table.append(
      h("table", {}, h("thead", {}, h("tr", {}, this.heads.name.cell, this.heads.value.cell)), this.body),
      this.rest
    );
    this.opener.setAttribute("aria-expanded", "false");
    this.element.append(
      h("div", { class: "mlnb-legend" }, this.label, this.low, this.ramp, this.high, this.note, h("span", { class: "mlnb-space" }), this.choices, this.opener),
      this.table
    );
    this.table.hidden = this.element.hidden = true;
  }
  go;
  choose;
  element = h("div", { class: "mlnb-legend-frame" });
  label = h("strong", {});
  low = h("span", { class: "mlnb-muted" });
  high = h("span", { class: "mlnb-muted" });
  ramp = h("span", { class: "mlnb-ramp", role: "img" });
  note = h("span", { class: "mlnb-muted" });
  choices = h("span", { class: "mlnb-choices", role: "group", label: "what is shown" });
  opener = button("Values", "show the values as a table", () => this.toggle());
  table = h("div", { class: "mlnb-values-table", role: "region", label: "the values" });
  body = h("tbody", {});
  rows = [];
  rest = h("div", { class: "mlnb-muted" });
  heads;
  order = "value";
  descending = true;
  paint = null;
  show(paint) {
    this.paint = paint;
    this.element.hidden = paint === null;
    if (!paint) return;
    const { colors, low, high, scale } = paint.painting;
    put(this.label, paint.label);
    put(this.low, numberText(low));
    put(this.high, numberText(high));
    this.ramp.style.background = `linear-gradient(to right, ${colors.filter((one) => COLOR.test(one)).join(", ")})`;
    this.ramp.setAttribute("aria-label", `colours from ${numberText(low)} to ${numberText(high)}`);
    const wrong = [...paint.values.values()].filter((value) => value !== null && !paint.shade(value).fill).length;
    const notes = [scale === "log" ? "log scale" : "", wrong > 0 ? `${countText(wrong)} hatched: not a number` : ""];
    put(this.note, notes.filter(Boolean).join(" · "));
    this.fill();
  }
  /** Buttons for what else could be painted; none where there is nothing to choose. */
  offer(choices, chosen) {
    const buttons = [...this.choices.children];
    if (buttons.map((one) => one.textContent).join("\n") !== choices.join("\n")) {
      this.choices.replaceChildren(...choices.map((choice) => button(choice, `show ${choice}`, () => this.choose(choice))));
    }
    for (const one of this.choices.children) one.setAttribute("aria-pressed", String(one.textContent === chosen));
  }
  head(order) {
    const sort = button(order, `sort by ${order}`, () => {
      this.descending = this.order === order ? !this.descending : order === "value";
      this.order = order;
      this.fill();
    });
    const cell2 = h("th", {}, sort);
    cell2.setAttribute("scope", "col");
    return { cell: cell2, sort };
  }
  toggle() {
    this.table.hidden = !this.table.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.table.hidden));
    this.fill();
  }
  fill() {
    const { paint, heads } = this;
    if (!paint || this.table.hidden) return;
    put(heads.value.sort, paint.label);
    for (const order of ["name", "value"]) {
      const sorted = order !== this.order ? "none" : this.descending ? "descending" : "ascending";
      heads[order].cell.setAttribute("aria-sort", sorted);
    }
    const focused = document.activeElement?.dataset?.box;
    const rows = this.sorted(paint);
    rows.slice(0, MOST).forEach(([id, value], at) => this.row(at, id, value, paint));
    for (const left of this.rows.splice(Math.min(rows.length, MOST))) left.remove();
    put(this.rest, rows.length > MOST ? `and ${countText(rows.length - MOST)} more` : "");
    if (focused !== void 0) this.refocus(focused);
  }
  sorted(paint) {
    const rows = paint.sorted();
    if (this.order === "name") rows.sort(([a], [b]) => a < b ? -1 : 1);
    return this.descending === (this.order === "value") ? rows : rows.reverse();
  }
  // The rows stay, and change what they say.
  row(at, id, value, paint) {
    const row = this.rows[at] ?? this.newRow();
    const go = row.querySelector("button");
    if (go.dataset.box !== id) {
      go.dataset.box = id;
      go.setAttribute("aria-label", `go to ${id}`);
      go.replaceChildren(foreign(id.replace(/\/$/, ""), 80));
    }
    const shade = paint.shade(value);
    const swatch = row.querySelector(".mlnb-swatch");
    swatch.style.background = shade.fill;
    swatch.classList.toggle("mlnb-hatched", shade.fill === "" && value !== null);
    put(swatch.nextElementSibling, shade.text);
  }
  newRow() {
    const go = h("button", { type: "button", class: "mlnb-link", on: (event) => this.go(event.currentTarget.dataset.box) });
    const row = h("tr", {}, h("td", {}, go), h("td", {}, h("span", { class: "mlnb-swatch" }), h("span", {})));
    this.body.append(row);
    this.rows.push(row);
    return row;
  }
  refocus(id) {
    const active = document.activeElement;
    if (active?.dataset?.box === id || !this.body.contains(active)) return;
    for (const go of this.body.querySelectorAll("button")) if (go.dataset.box === id) go.focus({ preventScroll: true });
  }
};

// src/graph_viewer/edge_path.ts
function tracePath(pen, points) {
  pen.moveTo(points[0], points[1]);
  let down = true;
  for (let i = 2; i < points.length; i += 2) {
    const [x0, y0, x1, y1] = [points[i - 2], points[i - 1], points[i], points[i + 1]];
    if (Math.abs(x1 - x0) < 0.5) pen.lineTo(x1, y1);
    else if (Math.abs(y1 - y0) < 0.5) {
      const bulge = y0 + (down ? 1 : -1) * Math.abs(x1 - x0) * 0.66;
      pen.bezierCurveTo(x0, bulge, x1, bulge, x1, y1);
    } else {
      const middle = (y0 + y1) / 2;
      pen.bezierCurveTo(x0, middle, x1, middle, x1, y1);
    }
    if (y1 !== y0) down = y1 > y0;
  }
}
function arrivesDown(points) {
  for (let i = points.length - 1; i >= 3; i -= 2) if (points[i] !== points[i - 2]) return points[i] > points[i - 2];
  return true;
}

// src/graph_viewer/measure.ts
var FONT = { title: 12, text: 11, label: 10 };
function measurer(family) {
  const context = document.createElement("canvas").getContext("2d");
  const widths = /* @__PURE__ */ new Map();
  return (text2, size, bold = false) => {
    if (!context) return text2.length * size * 0.58;
    const key = `${size}${bold ? "b" : ""}${text2}`;
    let width = widths.get(key);
    if (width === void 0) {
      context.font = `${bold ? "600 " : ""}${size}px ${family}`;
      width = context.measureText(text2).width;
      widths.set(key, width);
    }
    return width;
  };
}
function fitText(measure, text2, room, size, bold = false) {
  if (measure(text2, size, bold) <= room) return text2;
  const characters = Array.from(text2);
  let low = 0;
  let high = characters.length;
  while (low < high) {
    const middle = low + high + 1 >> 1;
    if (measure(`${characters.slice(0, middle).join("")}…`, size, bold) <= room) low = middle;
    else high = middle - 1;
  }
  return `${characters.slice(0, low).join("")}…`;
}

// src/graph_viewer/spacing.ts
var FRAME = { header: 38, pad: 16, exit: 28, least: 120, beside: 38 };
var LABEL_GAP = 7;
var BOX = { height: 38, narrow: 96, wide: 232, badge: 34 };

// src/graph_viewer/scene.ts
async function placeScene(visible2, client, measure) {
  const levelAt = new Map(visible2.levels.map((level, i) => [level, i]));
  const specs = visible2.levels.map((level) => levelSpec(level, levelAt, measure));
  const layouts = await client.layout(specs);
  const scene = {
    visible: visible2,
    boxes: [],
    byId: /* @__PURE__ */ new Map(),
    edges: [],
    width: layouts[0].width,
    height: layouts[0].height
  };
  addLevel(scene, visible2.top, layouts, levelAt, 0, 0, 0, measure);
  return scene;
}
function levelSpec(level, levelAt, measure) {
  const boxes = level.boxes.map((box) => ({
    ...sizeOf(box, measure),
    level: box.inner ? levelAt.get(box.inner) : -1
  }));
  const firstOut = boxes.length + level.inPorts.size;
  const number = ({ box, side, port }) => box ? box.at : side === "in" ? boxes.length + port : firstOut + port;
  const edges = [...level.segments.values()].map(({ from, to, text: text2 }) => ({
    from: number(from),
    to: number(to),
    label: to.box && from.box ? measure(text2, FONT.label) : 0,
    fromPort: from.box && from.side ? from.port : -1,
    toPort: to.box && to.side ? to.port : -1
  }));
  const title = level.frame ? measure(level.frame.title, FONT.title, true) + FRAME.beside : 0;
  const name = level.frame ? Math.max(FRAME.least, Math.min(BOX.wide, Math.ceil(title))) : 0;
  return { boxes, edges, inPorts: level.inPorts.size, outPorts: level.outPorts.size, name };
}
function sizeOf(box, measure) {
  const text2 = Math.max(measure(box.title, FONT.title, true) + badgeWidth(box, measure), measure(box.subtitle, FONT.text));
  const width = Math.min(BOX.wide, Math.max(BOX.narrow, Math.ceil((text2 + 26) / 8) * 8));
  return { width, height: BOX.height };
}
var badgeText = (box) => `${countText(box.count)} ▸`;
var badgeWidth = (box, measure) => box.count > 0 ? Math.max(BOX.badge, Math.ceil(measure(badgeText(box), FONT.text)) + 14) : 0;
function addLevel(scene, level, layouts, levelAt, x, y, depth, measure) {
  const layout = layouts[levelAt.get(level)];
  level.boxes.forEach((box, i) => {
    const at = layout.boxes[i];
    const badge = box.inner ? 0 : badgeWidth(box, measure);
    const room = at.width - (box.inner ? FRAME.beside : 22) - badge;
    const placed = {
      box,
      depth,
      badge,
      x: x + at.x,
      y: y + at.y,
      width: at.width,
      height: at.height,
      title: fitText(measure, box.title, room, FONT.title, true),
      subtitle: fitText(measure, box.subtitle, at.width - 22, FONT.text)
    };
    scene.boxes.push(placed);
    scene.byId.set(box.id, placed);
    if (box.inner) addLevel(scene, box.inner, layouts, levelAt, placed.x, placed.y, depth + 1, measure);
  });
  const labelled2 = /* @__PURE__ */ new Set();
  [...level.segments.values()].forEach((segment, i) => {
    const points = layout.edges[i].map((value, k) => value + (k % 2 === 0 ? x : y));
    const key = `${segment.source.id} ${segment.text}`;
    const outside = segment.from.side === "in";
    const label = segment.text && !labelled2.has(key) && segment.to.box && !outside ? labelPlace(segment.text, points) : null;
    if (label) labelled2.add(key);
    scene.edges.push({ segment, points, bounds: boundsOf(points), label });
  });
}
function labelPlace(text2, points) {
  for (let i = 0; i + 3 < points.length; i += 2) {
    const [x0, y0, x1, y1] = points.slice(i, i + 4);
    if (y1 - y0 >= 20 && y1 - y0 <= 60) return { text: text2, x: (x0 + x1) / 2 + LABEL_GAP, y: (y0 + y1) / 2 };
  }
  return null;
}
function boundsOf(points) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 2) {
    left = Math.min(left, points[i]);
    right = Math.max(right, points[i]);
    top = Math.min(top, points[i + 1]);
    bottom = Math.max(bottom, points[i + 1]);
  }
  return { x: left - 8, y: top - 8, width: right - left + 16, height: bottom - top + 16 };
}
function hit(scene, x, y, nameWidth) {
  for (let i = scene.boxes.length - 1; i >= 0; i--) {
    const placed = scene.boxes[i];
    if (x < placed.x || y < placed.y || x > placed.x + placed.width || y > placed.y + placed.height) continue;
    const { box } = placed;
    if (box.kind === "branch") return { placed, fold: false };
    if (box.inner) return { placed, fold: y < placed.y + 24 && x < placed.x + nameWidth(placed) };
    return { placed, fold: placed.badge > 0 && x > placed.x + placed.width - placed.badge };
  }
  return null;
}
function headerWidth({ title, width }, measure) {
  return Math.min(width, 36 + measure(title, FONT.title, true));
}
function nearest(scene, ids) {
  for (let i = ids.length - 1; i >= 0; i--) {
    const placed = scene.byId.get(ids[i]);
    if (placed) return placed;
  }
  return null;
}

// src/graph_viewer/draw.ts
var READABLE = 5.5;
var BAND = 26;
function shadeOf(placed, { paint, model }) {
  return paint && model ? paint.shadeOf(placed.box, model) : null;
}
function drawScene(pen, scene, camera, view, ratio, look) {
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = look.theme.background;
  pen.fillRect(0, 0, view.width, view.height);
  const { scale } = camera;
  pen.setTransform(ratio * scale, 0, 0, ratio * scale, -camera.x * scale * ratio, -camera.y * scale * ratio);
  const window2 = { x: camera.x, y: camera.y, width: view.width / scale, height: view.height / scale };
  const boxes = scene.boxes.filter((placed) => meets(placed, window2));
  const edges = scene.edges.filter((edge) => meets(edge.bounds, window2));
  for (const placed of boxes) if (placed.box.inner) drawFrame(pen, placed, look, scale);
  pen.globalAlpha = look.edgeAlpha;
  drawEdges(pen, edges, look, scale);
  pen.globalAlpha = 1;
  for (const placed of boxes) placed.box.inner ? drawFrameName(pen, placed, look, scale) : drawBox(pen, placed, look, scale);
  pen.globalAlpha = look.edgeAlpha;
  if (FONT.label * scale >= READABLE) drawLabels(pen, edges, look);
  pen.globalAlpha = 1;
}
function meets(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width + 8 && a.y < b.y + b.height && b.y < a.y + a.height + 8;
}
function drawFrame(pen, placed, look, scale) {
  const { theme } = look;
  const selected = placed === look.selected;
  outline(pen, placed, 8);
  pen.fillStyle = placed.depth % 2 === 0 ? theme.panel : theme.background;
  pen.fill();
  pen.strokeStyle = selected || look.marked.has(placed.box.id) ? theme.accent : theme.line;
  pen.lineWidth = selected ? 2 : Math.max(1, 0.6 / scale);
  pen.stroke();
  const shade = shadeOf(placed, look);
  if (!shade) return;
  const band = { x: placed.x + 1, y: placed.y + 1, width: placed.width - 2, height: Math.min(BAND, placed.height - 2) };
  outline(pen, band, 7);
  fillShade(pen, band, shade, theme);
}
function fillShade(pen, { x, y, width, height }, shade, theme) {
  pen.fillStyle = shade.fill || theme.panel;
  pen.fill();
  if (shade.fill || shade.value === null) return;
  pen.save();
  pen.clip();
  pen.strokeStyle = theme.edge;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let at = x - height; at < x + width; at += 7) {
    pen.moveTo(at, y + height);
    pen.lineTo(at + height, y);
  }
  pen.globalAlpha = 0.55;
  pen.stroke();
  pen.restore();
}
function drawFrameName(pen, placed, look, scale) {
  if (FONT.title * scale < READABLE) return;
  const { theme } = look;
  const { box, x, y } = placed;
  pen.font = `600 ${FONT.title}px ${theme.family}`;
  pen.fillStyle = look.hits.has(box.id) ? theme.accent : theme.text;
  const shade = shadeOf(placed, look);
  const plain = placed.depth % 2 === 0 ? theme.panel : theme.background;
  const ground = shade?.fill || plain;
  if (shade?.ink) pen.fillStyle = shade.ink;
  overLines(pen, (box.kind === "branch" ? "" : "▾ ") + placed.title, x + 12, y + 18, ground);
  if (!shade) return;
  pen.textAlign = "right";
  overLines(pen, shade.text, x + placed.width - 10, y + 18, ground);
  pen.textAlign = "left";
}
function overLines(pen, text2, x, y, ground) {
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = ground;
  pen.strokeText(text2, x, y);
  pen.fillText(text2, x, y);
}
function drawBox(pen, placed, look, scale) {
  const { theme } = look;
  const { box, x, y, width, height } = placed;
  const selected = placed === look.selected;
  if (box.count > 0) {
    outline(pen, { x: x + 4, y: y + 4, width, height }, 6);
    pen.fillStyle = theme.panel;
    pen.fill();
    pen.strokeStyle = theme.line;
    pen.lineWidth = 1;
    pen.stroke();
  }
  const shade = shadeOf(placed, look);
  outline(pen, placed, 6);
  if (shade) {
    fillShade(pen, placed, shade, theme);
    outline(pen, placed, 6);
  } else {
    pen.fillStyle = theme.background;
    pen.fill();
  }
  if (box.danger) {
    pen.globalAlpha = 0.1;
    pen.fillStyle = theme.error;
    pen.fill();
    pen.globalAlpha = 1;
  }
  const marked = look.marked.has(box.id);
  if (marked || look.hits.has(box.id)) {
    pen.globalAlpha = look.hits.has(box.id) ? 0.16 : 0.1;
    pen.fillStyle = theme.accent;
    pen.fill();
    pen.globalAlpha = 1;
  }
  const far = FONT.title * scale < READABLE;
  const warns = box.danger !== "" && (far || !selected);
  pen.strokeStyle = warns ? theme.error : selected || marked ? theme.accent : theme.line;
  pen.lineWidth = warns && far ? 3 / scale : selected ? 2.5 : marked || warns ? 1.6 : 1;
  if (box.hidden) pen.setLineDash([3, 3]);
  pen.stroke();
  pen.setLineDash([]);
  pen.fillStyle = box.danger ? theme.error : box.family < 0 ? theme.edge : look.families[box.family][1];
  if (!far) {
    pen.fillRect(x, y + 1, 4, height - 2);
    drawText(pen, placed, look, shade);
  } else if (!look.paint && !box.danger) pen.fillRect(x, y + 1, width, height - 2);
}
function drawText(pen, placed, look, shade) {
  const { theme } = look;
  const { box, x, y, width, height } = placed;
  const middle = placed.subtitle || shade ? y + 17 : y + height / 2 + 4;
  pen.font = `600 ${FONT.title}px ${theme.family}`;
  pen.fillStyle = shade?.ink || (box.hidden ? theme.muted : theme.text);
  pen.fillText(placed.title, x + 13, middle);
  pen.font = `${FONT.text}px ${theme.family}`;
  pen.fillStyle = shade?.ink || (box.danger ? theme.error : theme.muted);
  if (shade) drawValue(pen, placed, look, shade);
  else if (placed.subtitle) pen.fillText(placed.subtitle, x + 13, y + 31);
  if (box.count > 0) {
    pen.fillStyle = shade?.ink || theme.muted;
    pen.textAlign = "right";
    pen.fillText(badgeText(box), x + width - 9, middle);
    pen.textAlign = "left";
  }
}
function drawValue(pen, { subtitle, x, y, width }, look, shade) {
  const { theme, measure } = look;
  const room = width - 13 - 9 - 8 - measure(shade.text, FONT.text, true);
  if (subtitle && room > 16) pen.fillText(fitText(measure, subtitle, room, FONT.text), x + 13, y + 31);
  pen.font = `600 ${FONT.text}px ${theme.family}`;
  pen.fillStyle = shade.ink || theme.text;
  pen.textAlign = "right";
  pen.fillText(shade.text, x + width - 9, y + 31);
  pen.textAlign = "left";
  pen.font = `${FONT.text}px ${theme.family}`;
}
function drawEdges(pen, edges, look, scale) {
  const { theme } = look;
  const strokes = [
    [edges.filter(({ segment }) => !look.lit.has(segment)), theme.edge, 1.2],
    [edges.filter(({ segment }) => look.lit.has(segment)), theme.accent, 2]
  ];
  for (const [some, color, width] of strokes) {
    pen.strokeStyle = color;
    pen.fillStyle = color;
    pen.lineWidth = Math.max(width, width * 0.5 / scale);
    pen.beginPath();
    for (const edge of some) tracePath(pen, edge.points);
    pen.stroke();
    if (scale < 0.25) continue;
    pen.beginPath();
    for (const edge of some) if (edge.segment.to.box) arrowHead(pen, edge.points);
    pen.fill();
  }
}
function arrowHead(pen, points) {
  const x = points[points.length - 2];
  const y = points[points.length - 1];
  const back = arrivesDown(points) ? -6 : 6;
  pen.moveTo(x, y);
  pen.lineTo(x - 3.5, y + back);
  pen.lineTo(x + 3.5, y + back);
  pen.closePath();
}
function drawLabels(pen, edges, look) {
  const { theme, measure } = look;
  pen.font = `${FONT.label}px ${theme.family}`;
  const taken = [];
  for (const { label } of edges) {
    if (!label) continue;
    const place2 = { x: label.x, y: label.y - 6, width: measure(label.text, FONT.label), height: 12 };
    if (taken.some((other) => meets(place2, other))) continue;
    taken.push(place2);
    pen.fillStyle = theme.muted;
    overLines(pen, label.text, label.x, label.y + 3.5, theme.background);
  }
}
function outline(pen, { x, y, width, height }, radius) {
  pen.beginPath();
  pen.roundRect(x, y, width, height, radius);
}

// src/graph_viewer/minimap.ts
var ROOM = { width: 104, height: 118, margin: 6, gap: 8 };
var LONG = 4;
var NARROW2 = 520;
var STRETCH = 5;
var Minimap = class {
  constructor(goTo) {
    this.goTo = goTo;
    this.canvas.className = "mlnb-minimap";
    this.canvas.setAttribute("aria-hidden", "true");
    const follow = (event) => {
      if (event.buttons === 0) return;
      this.canvas.setPointerCapture(event.pointerId);
      const box = this.canvas.getBoundingClientRect();
      this.goTo((event.clientX - box.left - this.left) / this.scale.x, (event.clientY - box.top - this.top) / this.scale.y);
      event.preventDefault();
    };
    this.canvas.addEventListener("pointerdown", follow);
    this.canvas.addEventListener("pointermove", follow);
  }
  goTo;
  canvas = document.createElement("canvas");
  scale = { x: 1, y: 1 };
  left = 0;
  top = 0;
  /** Draw, or hide where the whole scene is in view anyway. */
  draw(scene, camera, view, look) {
    const { theme, families } = look;
    const shown = { width: view.width / camera.scale, height: view.height / camera.scale };
    const whole = camera.x <= 0 && camera.y <= 0 && camera.x + shown.width >= scene.width && camera.y + shown.height >= scene.height;
    this.canvas.hidden = whole || view.width < 300;
    const pen = this.canvas.hidden ? null : this.canvas.getContext("2d");
    if (!pen) return;
    const ratio = window.devicePixelRatio || 1;
    const strip = scene.height > LONG * scene.width && view.width > NARROW2;
    const room = strip ? Math.max(ROOM.height, view.height - 2 * ROOM.gap - 2) : ROOM.height;
    this.canvas.style.height = `${room}px`;
    this.canvas.width = ROOM.width * ratio;
    this.canvas.height = room * ratio;
    const [wide, tall] = [(ROOM.width - 2 * ROOM.margin) / scene.width, (room - 2 * ROOM.margin) / scene.height];
    this.scale = { x: Math.min(wide, tall * STRETCH), y: Math.min(tall, wide * STRETCH) };
    this.left = (ROOM.width - scene.width * this.scale.x) / 2;
    this.top = (room - scene.height * this.scale.y) / 2;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.globalAlpha = 0.7;
    for (const placed of scene.boxes) {
      const { box, x, y, width, height } = placed;
      if (box.inner) continue;
      pen.fillStyle = shadeOf(placed, look)?.fill || (box.family < 0 || look.paint ? theme.edge : families[box.family][1]);
      pen.fillRect(this.left + x * this.scale.x, this.top + y * this.scale.y, Math.max(1, width * this.scale.x), Math.max(1, height * this.scale.y));
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = theme.accent;
    pen.lineWidth = 1.5;
    const x0 = Math.max(1, this.left + camera.x * this.scale.x);
    const y0 = Math.max(1, this.top + camera.y * this.scale.y);
    const x1 = Math.min(ROOM.width - 1, this.left + (camera.x + shown.width) * this.scale.x);
    const y1 = Math.min(room - 1, this.top + (camera.y + shown.height) * this.scale.y);
    pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }
};

// src/graph_viewer/painted_line.ts
var HOW = { mean: "the mean", max: "the largest", min: "the smallest" };
var PaintedLine = class {
  swatch = h("span", { class: "mlnb-swatch" });
  words = h("span", {});
  element = h("div", { class: "mlnb-painted" }, this.swatch, this.words);
  show(paint, shade) {
    this.element.hidden = !shade;
    if (!paint || !shade) return;
    this.swatch.style.background = shade.fill;
    this.swatch.classList.toggle("mlnb-hatched", shade.fill === "" && shade.value !== null);
    const how = shade.inside > 1 ? `, ${HOW[paint.painting.groups]} of ${shade.inside} inside` : "";
    const text2 = `${displayText(paint.label)}: ${shade.text}${how}`;
    if (this.words.textContent !== text2) this.words.textContent = text2;
  }
};

// src/graph_viewer/payload.ts
var VERSION = 4;
async function decode(bytes) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser cannot unpack the graph: it has no DecompressionStream. Any browser since 2023 has it.");
  }
  let payload;
  try {
    const packed = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    payload = JSON.parse(await new Response(packed).text());
  } catch (error) {
    throw new Error(`The graph came in damaged and cannot be unpacked (${error.message}).`);
  }
  if (payload.version !== VERSION) {
    throw new Error(
      `The graph is of version ${payload.version}, this view reads version ${VERSION}: reload the page, so that both come from one mlnb.`
    );
  }
  return { ...payload, graphs: payload.graphs.map(addUp) };
}
function addUp(graph) {
  const [value, child, hidden, weight] = [counter(), counter(), counter(), counter()];
  const inputs = [];
  const outputs = graph.nodes.outputs.map((made, node) => {
    inputs.push(graph.nodes.inputs[node].map(value));
    return made.map(value);
  });
  const tree = (group) => ({
    ...group,
    children: group.children.map((at) => typeof at === "number" ? child(at) : tree(at))
  });
  return {
    ...graph,
    nodes: { ...graph.nodes, inputs, outputs },
    parameters: graph.parameters.map(weight),
    elided: graph.elided.map(hidden),
    tree: tree(graph.tree)
  };
}
function counter() {
  let last = 0;
  return (step) => step === null ? -1 : last += step;
}
function shapeOf(shape, cross = " × ") {
  if (shape === null) return "";
  return shape.length === 0 ? "scalar" : shape.map((size) => size ?? "?").join(cross);
}

// src/graph_viewer/box_text.ts
function nodeText(model, instance, node) {
  const { index } = instance;
  const { data } = index;
  const op = index.opOf(node).split("::").at(-1);
  const settings = settingsText(model.payload.attributes[data.nodes.attributes[node]]);
  const module = moduleName(model.payload.scopes[data.nodes.scope[node]], index.groupOf[node]);
  const joined = (parts, by) => parts.filter(Boolean).join(by);
  if (/^[\d.]+$/.test(module)) return { title: op, subtitle: joined([module, settings], " · ") };
  if (module) return { title: module, subtitle: joined([op, settings], " ") };
  const name = data.nodes.id[node].split("/").at(-1);
  return { title: op, subtitle: settings || (name === op ? "" : name) };
}
function moduleName(scope, group) {
  for (let at = group; at; at = at.parent) {
    if (at.id !== "" && `${scope}/`.startsWith(at.id)) return scope.slice(at.id.length).replaceAll("/", ".");
  }
  return scope.replaceAll("/", ".");
}
function settingsText(attributes) {
  const given = new Map(attributes);
  const either = (...names) => names.map((name) => given.get(name)).find((value) => value !== void 0);
  const parts = [];
  const kernel = either("kernel_shape", "kernel_size", "pool_size");
  if (kernel) parts.push(square(kernel));
  const stride = largest(either("strides", "stride", "stride_h"));
  if (stride > 1) parts.push(`stride ${stride}`);
  for (const name of ["filters", "units"]) if (given.has(name)) parts.push(given.get(name));
  for (const name of ["axis", "perm", "to", "equation"]) if (given.has(name)) parts.push(`${name} ${given.get(name)}`);
  return parts.join(" · ");
}
var square = (kernel) => kernel.replaceAll(/ × |, /g, "×");
var largest = (strides = "") => Math.max(0, ...(strides.match(/\d+/g) ?? []).map(Number));
function groupText(group) {
  return { title: group.name, subtitle: group.label };
}
function portText(model, instance, kind, at) {
  const { data } = instance.index;
  const value = (kind === "in" ? data.inputs : data.outputs)[at];
  const dtype = typeOf(model, instance, value)[0];
  const name = data.values.name[value];
  return { title: kind === "in" ? "input" : "output", subtitle: dtype === "unknown" ? name : `${name} · ${dtype}` };
}
function portsText(instance, kind) {
  const { inputs, outputs } = instance.index.data;
  const count = kind === "in" ? inputs.length : outputs.length;
  return { title: plural(count, kind === "in" ? "input" : "output"), subtitle: "" };
}
function typeOf(model, instance, value) {
  return model.payload.types[instance.index.data.values.type[value]] ?? ["unknown", null];
}
function edgeText(model, instance, values) {
  if (values.length > 1) return plural(values.length, "tensor");
  return values.length === 0 ? "" : shapeOf(typeOf(model, instance, values[0])[1], "×");
}

// src/graph_viewer/danger.ts
var MOST2 = 3;
var NOTE = "runs only with allow_io=True";
var CODE = "contains code, not loaded";
var Dangers = class {
  constructor(payload) {
    this.payload = payload;
    this.any = payload.graphs.some((graph) => Object.keys(graph.dangers).length > 0);
  }
  payload;
  within = /* @__PURE__ */ new Map();
  any;
  /** Why a node is drawn in red: what it does, or what is done inside it; "" for most. */
  ofNode({ index: { data } }, node) {
    if (!this.any) return "";
    const nested = data.subgraphs[String(node)] ?? [];
    return data.dangers[String(node)] ?? insideText(nested.flatMap(([, graph]) => this.inGraph(graph)));
  }
  ofGroup(instance, group) {
    return this.any ? insideText(group.nodes.map((node) => this.ofNode(instance, node))) : "";
  }
  // All that a graph does and those nested in it, each looked at once.
  inGraph(graph) {
    const known = this.within.get(graph);
    if (known) return known;
    const found = [];
    const seen = /* @__PURE__ */ new Set([graph]);
    for (const at of seen) {
      const { dangers, subgraphs } = this.payload.graphs[at];
      found.push(...Object.values(dangers));
      for (const nested of Object.values(subgraphs)) for (const [, inner] of nested) seen.add(inner);
    }
    this.within.set(graph, found);
    return found;
  }
};
function dangerLine(danger2) {
  return danger2.endsWith(CODE) ? danger2 : `${danger2} · ${NOTE}`;
}
function insideText(dangers) {
  const kinds = [...new Set(dangers.filter(Boolean).map((danger2) => danger2.replace(/^inside: /, "")))];
  return kinds.length === 0 ? "" : `inside: ${kinds.slice(0, MOST2).join(", ")}${kinds.length > MOST2 ? ", …" : ""}`;
}

// src/graph_viewer/panel.ts
var MANY = 12;
function panelFor(model, target, act) {
  if (target === null) return overview(model);
  if (target.kind === "node") return nodePanel(model, target.instance, target.node, act);
  if (target.kind === "group") return groupPanel(model, target.instance, target.group);
  if (target.kind === "branch") return branchPanel(model, target.instance);
  if (target.kind === "in" || target.kind === "out") return portPanel(model, target, act);
  return portsPanel(model, target, act);
}
function nodePanel(model, instance, node, act) {
  const { index } = instance;
  const { nodes, values } = index.data;
  const inputs = index.reads(node);
  const stored = inputs.filter((value) => value >= 0 && values.bytes[value] >= 0);
  const list = definitions();
  const [id, op] = [nodes.id[node], index.opOf(node)];
  const scope = model.payload.scopes[nodes.scope[node]];
  if (scope) list.add("scope", expandable(scope.replaceAll("/", " / "), 120));
  for (const [name, value] of model.payload.attributes[nodes.attributes[node]]) {
    list.add(name, expandable(value, 80));
  }
  return section(
    isCalledByOp(model, instance, node) ? heading2(op, id === op ? "" : id) : heading2(id, op),
    danger(model.dangers.ofNode(instance, node)),
    index.hidden[node] ? note("hidden by default: a constant, shape arithmetic or an identity") : null,
    list.element,
    ...tensors("inputs", inputs.filter((value) => value >= 0 && values.bytes[value] < 0), (value) => valueLine(model, instance, value, producersOf(model, instance, value, act), act)),
    ...tensors("read by the graphs inside", capturedBy(model, instance, node), (value) => valueLine(model, instance, value, producersOf(model, instance, value, act), act)),
    ...tensors("outputs", nodes.outputs[node].filter((value) => value >= 0), (value) => valueLine(model, instance, value, readersOf(model, instance, value), act)),
    ...tensors("weights", stored, (value) => weightLine(model, instance, value, act))
  );
}
function isCalledByOp(model, instance, node) {
  return nodeText(model, instance, node).title === instance.index.opOf(node).split("::").at(-1);
}
function capturedBy(model, instance, node) {
  const names = new Set(model.nested(instance, node).flatMap((inner) => inner.index.captured()));
  const values = [...names].map((name) => instance.index.valueByName.get(name) ?? -1);
  return values.filter((value) => value >= 0 && !instance.index.data.nodes.inputs[node].includes(value));
}
function producersOf(model, instance, value, act) {
  const source = instance.index.source(value, act.showHidden);
  if (!source) return [];
  return ["node" in source ? model.nodeId(instance, source.node) : model.inputId(instance, source.input)];
}
function readersOf(model, instance, value) {
  const { data } = instance.index;
  const ids = instance.index.readers(value).map((node) => model.nodeId(instance, node));
  data.outputs.forEach((output, at) => {
    if (output === value) ids.push(model.outputId(instance, at));
  });
  return ids;
}
function valueLine(model, instance, value, ends, act) {
  const links = ends.slice(0, MANY).map((id) => link(model, id, instance, act));
  const rest = ends.length > MANY ? h("span", { class: "mlnb-muted" }, `and ${ends.length - MANY} more`) : null;
  return h(
    "div",
    { class: "mlnb-value" },
    h("div", {}, expandable(instance.index.data.values.name[value], 60, "mlnb-code")),
    h("div", { class: "mlnb-muted" }, typeText(model, instance, value)),
    ends.length > 0 ? h("div", { class: "mlnb-links" }, ...links, rest) : null
  );
}
function weightLine(model, instance, value, act) {
  const { values } = instance.index.data;
  const size = `${typeText(model, instance, value)} · ${bytesText(values.bytes[value])}`;
  return h(
    "div",
    { class: "mlnb-value" },
    h("div", {}, expandable(values.name[value], 60, "mlnb-code")),
    h("div", { class: "mlnb-muted" }, size),
    act.statistics?.(instance.graph, values.name[value])
  );
}
function groupPanel(model, instance, group) {
  const list = definitions();
  const path = (instance.prefix + group.id).replace(/\/$/, "");
  if (path !== group.name) list.add("path", expandable(path.replaceAll("/", " / "), 120));
  if (group.label) list.add("holds", foreign(group.label, 200));
  list.add("operations", countText(group.count));
  const hidden = group.nodes.length - group.count;
  if (hidden > 0) list.add("hidden", countText(hidden));
  const { bytes, count } = weightsOf(model, instance, group.nodes);
  if (count > 0) list.add("parameters", `${countText(count)} · ${bytesText(bytes)}`);
  return section(heading2(group.name, group.kind === "scope" ? "scope" : "group"), danger(model.dangers.ofGroup(instance, group)), list.element, operations(model, instance, group.nodes));
}
function branchPanel(model, instance) {
  const { root, data } = instance.index;
  return section(
    heading2(instance.owner.label, `graph ${data.name}`),
    note(`${plural(data.inputs.length, "input")}, ${plural(data.outputs.length, "output")}`),
    operations(model, instance, root.nodes)
  );
}
function portPanel(model, target, act) {
  const { instance, kind, at } = target;
  const { data } = instance.index;
  const value = (kind === "in" ? data.inputs : data.outputs)[at];
  const ends = kind === "in" ? readersOf(model, instance, value) : producersOf(model, instance, value, act);
  const role = kind === "in" ? "input" : "output";
  return section(heading2(data.values.name[value], role), valueLine(model, instance, value, ends, act));
}
function portsPanel(model, target, act) {
  const { instance, kind } = target;
  const { data } = instance.index;
  const isIn = kind === "ins";
  const values = isIn ? data.inputs : data.outputs;
  const ids = values.slice(0, 50).map((_, at) => isIn ? model.inputId(instance, at) : model.outputId(instance, at));
  return section(
    heading2(plural(values.length, isIn ? "input" : "output"), ""),
    h("div", { class: "mlnb-links" }, ...ids.map((id) => link(model, id, instance, act))),
    values.length > 50 ? note(`and ${values.length - 50} more`) : null
  );
}
function overview(model) {
  const instance = model.main;
  const { warnings } = model.payload;
  const { root } = instance.index;
  const list = definitions();
  list.add("operations", countText(root.count));
  if (hiddenNodes(model.payload) > 0) list.add("hidden", countText(hiddenNodes(model.payload)));
  const { bytes, count } = allWeights(model);
  if (count > 0) list.add("parameters", `${countText(count)} · ${bytesText(bytes)}`);
  const nested = model.payload.graphs.length - 1;
  if (nested > 0) list.add("nested", plural(nested, "graph"));
  const said = warnings.map((warning) => h("li", {}, expandable(warning, 160)));
  return section(
    heading2("The model", ""),
    list.element,
    operations(model, instance, root.nodes, true),
    said.length > 0 ? h("h5", { class: "mlnb-warn" }, plural(said.length, "warning")) : null,
    said.length > 0 ? h("ul", { class: "mlnb-warnings" }, ...said) : null
  );
}
function hiddenNodes({ graphs }) {
  return graphs.reduce((sum, graph) => sum + graph.elided.length, 0);
}
function operations(model, { index }, nodes, byFamily = false) {
  const counts = /* @__PURE__ */ new Map();
  for (const node of nodes) {
    if (index.hidden[node]) continue;
    const op = index.opOf(node);
    const [family, color] = model.payload.families[index.familyOf(node)];
    const name = byFamily ? family : op;
    const entry = counts.get(name) ?? { color, count: 0, ops: /* @__PURE__ */ new Set() };
    entry.count += 1;
    entry.ops.add(op);
    counts.set(name, entry);
  }
  if (counts.size === 0) return null;
  const sorted = [...counts].sort((a, b) => b[1].count - a[1].count);
  const most = sorted[0][1].count;
  const rows = sorted.slice(0, 24).map(([name, { color, count, ops }]) => {
    const bar = h("i", { class: "mlnb-share" });
    bar.style.width = `${Math.max(2, 100 * count / most)}%`;
    bar.style.background = color;
    const said = foreign(name, 40);
    if (byFamily) said.title = [...ops].slice(0, 30).join(", ");
    return h("div", { class: "mlnb-op" }, said, h("span", { class: "mlnb-track" }, bar), h("span", {}, countText(count)));
  });
  const rest = sorted.length > 24 ? note(`and ${sorted.length - 24} more kinds`) : null;
  return h("div", { class: "mlnb-ops" }, ...rows, rest);
}
function weightsOf(model, instance, nodes) {
  const { index } = instance;
  const read = /* @__PURE__ */ new Set();
  for (const node of nodes) for (const value of index.reads(node)) if (index.parameters.has(value)) read.add(value);
  return weigh(model, index.data, read);
}
function allWeights(model) {
  return model.payload.graphs.map((data) => weigh(model, data, data.parameters)).reduce((sum, { count, bytes }) => ({ count: sum.count + count, bytes: sum.bytes + bytes }), { count: 0, bytes: 0 });
}
function weigh({ payload }, { values }, parameters) {
  let [count, bytes] = [0, 0];
  for (const value of parameters) {
    const shape = payload.types[values.type[value]][1] ?? [0];
    count += shape.reduce((product, size) => product * (typeof size === "number" ? size : 0), 1);
    bytes += Math.max(0, values.bytes[value]);
  }
  return { count, bytes };
}
function typeText(model, instance, value) {
  const [dtype, shape] = typeOf(model, instance, value);
  const size = shapeOf(shape) || "shape unknown";
  return dtype === "unknown" ? size : `${dtype} · ${size}`;
}
function link(model, id, instance, act) {
  const local = id.slice(instance.prefix.length);
  const node = instance.index.nodes.get(local);
  const op = node === void 0 || !isCalledByOp(model, instance, node) ? "" : instance.index.opOf(node);
  const said = local.toLowerCase().includes(op.toLowerCase());
  const shown = said ? local.replace(/^(in|out):/, "$1put ") : `${op} ${local}`;
  return h("button", { type: "button", class: "mlnb-link", label: `go to ${id}`, on: () => act.go(id) }, foreign(shown, 40));
}
function heading2(name, kind) {
  return h("h4", {}, expandable(name, 80), " ", foreign(kind, 80, "mlnb-muted"));
}
var section = (...children) => h("div", { class: "mlnb-details" }, ...children);
var danger = (why) => why ? h("div", { class: "mlnb-warn" }, foreign(dangerLine(why), 200)) : null;
var note = (words) => h("div", { class: "mlnb-muted" }, words);
function tensors(title, values, line2) {
  if (values.length === 0) return [];
  const shown = values.slice(0, 40).map(line2);
  if (values.length > 40) shown.push(note(`and ${values.length - 40} more`));
  return [h("h5", {}, title), ...shown];
}
function definitions() {
  const element = h("dl", { class: "mlnb-facts-list" });
  return {
    element,
    add: (name, value) => element.append(h("dt", {}, foreign(name, 40)), h("dd", {}, value))
  };
}

// src/graph_viewer/pointer.ts
var STILL = 4;
function listenToPointer(canvas, cleanup, act) {
  const down = /* @__PURE__ */ new Map();
  let travelled = 0;
  const place2 = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  cleanup.listen(canvas, "pointerdown", (event) => {
    if (event.button !== 0) return;
    act.hover(null);
    canvas.focus({ preventScroll: true });
    capture(canvas, event.pointerId);
    down.set(event.pointerId, place2(event));
    if (down.size === 1) travelled = 0;
  });
  cleanup.listen(canvas, "pointermove", (event) => {
    const now = place2(event);
    const before = down.get(event.pointerId);
    if (!before) {
      canvas.style.cursor = act.cursor(now.x, now.y);
      act.hover(now);
      return;
    }
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) pinch(other, before, now, act);
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (travelled > STILL) {
      canvas.style.cursor = "grabbing";
      act.pan((before.x - now.x) / down.size, (before.y - now.y) / down.size);
    }
    down.set(event.pointerId, now);
  });
  const up = (event) => {
    const pressed = down.delete(event.pointerId);
    const { x, y } = place2(event);
    canvas.style.cursor = act.cursor(x, y);
    if (pressed && event.type === "pointerup" && travelled <= STILL) act.press(x, y);
  };
  cleanup.listen(canvas, "pointerup", up);
  cleanup.listen(canvas, "pointercancel", up);
  cleanup.listen(canvas, "pointerleave", () => act.hover(null));
  cleanup.listen(canvas, "dblclick", (event) => {
    const { x, y } = place2(event);
    act.open(x, y);
  });
  cleanup.listen(canvas, "wheel", (event) => wheel(event, canvas, place2(event), act), { passive: false });
}
function capture(canvas, pointer) {
  try {
    canvas.setPointerCapture(pointer);
  } catch {
  }
}
function wheel(event, canvas, { x, y }, act) {
  const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 320 : 1;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    const step = Math.max(-25, Math.min(25, event.deltaY * unit));
    act.zoom(x, y, Math.exp(-step * 0.01));
  } else if (!canvas.matches(":focus")) act.hint();
  else {
    const sideways = event.shiftKey && event.deltaX === 0;
    const dx = (sideways ? event.deltaY : event.deltaX) * unit;
    const dy = (sideways ? 0 : event.deltaY) * unit;
    if (act.pan(dx, dy)) event.preventDefault();
  }
}
function pinch(fixed, before, now, act) {
  const old = Math.hypot(before.x - fixed.x, before.y - fixed.y);
  const wide = Math.hypot(now.x - fixed.x, now.y - fixed.y);
  if (old > 10) act.zoom((now.x + fixed.x) / 2, (now.y + fixed.y) / 2, wide / old);
}

// src/graph_viewer/search.ts
var MOST3 = 6e4;
var SearchIndex = class {
  constructor(model) {
    this.model = model;
    this.addInstance(model.main, []);
  }
  model;
  entries = [];
  find(query, showHidden) {
    const wanted = query.trim().toLowerCase();
    const found = { ids: [], hidden: 0 };
    if (wanted === "") return found;
    for (const entry of this.entries) {
      if (!entry.line.includes(wanted)) continue;
      if (entry.hidden && !showHidden) found.hidden += 1;
      else found.ids.push(entry.id);
    }
    return found;
  }
  add(id, words, hidden = false) {
    this.entries.push({ id, line: words.join("\n").toLowerCase(), hidden });
  }
  addInstance(instance, above) {
    if (above.includes(instance.graph) || this.entries.length > MOST3) return;
    const { data } = instance.index;
    const valueName = (value) => data.values.name[value] ?? "";
    data.inputs.forEach((value, at) => this.add(this.model.inputId(instance, at), [valueName(value)]));
    this.addGroup(instance, instance.index.root, [...above, instance.graph]);
    data.outputs.forEach((value, at) => this.add(this.model.outputId(instance, at), [valueName(value)]));
  }
  addGroup(instance, group, above) {
    if (group.parent) this.add(instance.prefix + group.id, [group.name, group.id], group.count === 0);
    for (const child of group.children) {
      if (typeof child === "number") this.addNode(instance, child, above);
      else this.addGroup(instance, child, above);
    }
  }
  addNode(instance, node, above) {
    const { index } = instance;
    const { nodes, values } = index.data;
    const tensors2 = nodes.outputs[node].concat(nodes.inputs[node].filter((value) => value >= 0 && values.bytes[value] >= 0));
    const danger2 = index.data.dangers[String(node)] ?? "";
    const words = [nodes.id[node], index.opOf(node), danger2, ...tensors2.map((value) => values.name[value] ?? "")];
    this.add(this.model.nodeId(instance, node), words, index.hidden[node] === 1);
    for (const inner of this.model.nested(instance, node)) this.addInstance(inner, above);
  }
};

// src/graph_viewer/search_box.ts
var fields = 0;
var SearchBox = class {
  constructor(viewer, cleanup, fold) {
    this.viewer = viewer;
    const label = h("label", {}, "Find");
    this.input.id = label.htmlFor = `mlnb-find-${++fields}`;
    this.input.placeholder = "name, op or tensor";
    this.input.autocomplete = "off";
    this.input.spellcheck = false;
    this.element = h("div", { class: "mlnb-search", role: "search" }, label, this.input, fold, this.count);
    cleanup.listen(this.input, "focus", () => this.prepare());
    cleanup.listen(this.input, "input", () => this.search());
    cleanup.listen(this.input, "keydown", (event) => {
      if (event.key === "Enter") void this.step(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") this.clear();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  viewer;
  input = h("input", { type: "search", label: "find a node, an operation or a tensor" });
  count = h("div", { class: "mlnb-muted mlnb-count", role: "status" });
  element;
  index = null;
  found = { ids: [], hidden: 0 };
  at = -1;
  /** Another graph: its lines are made when the field is entered, before the first key. */
  reset() {
    this.index = null;
    if (this.input.value) this.search();
  }
  /** What is hidden changed: the same words find other boxes. */
  refresh() {
    if (this.input.value) this.search();
  }
  clear() {
    this.input.value = "";
    this.search();
    this.viewer.view.canvas.focus({ preventScroll: true });
  }
  prepare() {
    const { model } = this.viewer;
    if (model) this.index ??= new SearchIndex(model);
    return this.index;
  }
  search() {
    const index = this.prepare();
    if (!index) return;
    this.found = index.find(this.input.value, this.viewer.showHidden);
    this.at = -1;
    this.viewer.setHits(this.found.ids);
    this.say();
  }
  async step(by) {
    const { ids } = this.found;
    if (ids.length === 0) return;
    this.at = this.at < 0 ? by > 0 ? 0 : ids.length - 1 : (this.at + by + ids.length) % ids.length;
    this.say();
    await this.viewer.focus(ids[this.at]);
  }
  say() {
    const { ids, hidden } = this.found;
    const more = hidden > 0 ? ` · ${hidden} among the hidden` : "";
    if (this.input.value.trim() === "") this.count.replaceChildren();
    else if (ids.length === 0) this.count.replaceChildren(`nothing found${more}`);
    else {
      const place2 = this.at < 0 ? plural(ids.length, "hit") : `${this.at + 1} of ${ids.length}`;
      const next = button("↵ next", "next hit (Enter)", () => void this.step(1));
      next.className = "mlnb-link";
      this.count.replaceChildren(`${place2} · `, next, more);
    }
  }
};

// src/graph_viewer/camera.ts
var ZOOM = { least: 0.02, most: 3, readable: 0.6, comfortable: 0.85 };
var MARGIN = 16;
function toScreen(camera, x, y) {
  return [(x - camera.x) * camera.scale, (y - camera.y) * camera.scale];
}
function toScene(camera, x, y) {
  return [x / camera.scale + camera.x, y / camera.scale + camera.y];
}
function pan(camera, dx, dy) {
  return { ...camera, x: camera.x + dx / camera.scale, y: camera.y + dy / camera.scale };
}
function zoomAt(camera, x, y, factor) {
  const scale = Math.min(ZOOM.most, Math.max(ZOOM.least, camera.scale * factor));
  const [sx, sy] = toScene(camera, x, y);
  return { x: sx - x / scale, y: sy - y / scale, scale };
}
function fit(scene, view) {
  const scale = Math.max(ZOOM.least, Math.min(1, (view.width - MARGIN) / scene.width, (view.height - MARGIN) / scene.height));
  return centred(scene.width / 2, scene.height / 2, scale, view);
}
function firstLook(scene, first, view) {
  const whole = fit(scene, view);
  if (whole.scale >= ZOOM.readable) return whole;
  const scale = Math.max(ZOOM.readable, Math.min(ZOOM.comfortable, (view.width - MARGIN) / scene.width));
  const wide = scene.width * scale > view.width;
  const middle = wide && first ? first.x + first.width / 2 : scene.width / 2;
  return { x: middle - view.width / 2 / scale, y: 0, scale };
}
function centred(x, y, scale, view) {
  return { x: x - view.width / 2 / scale, y: y - view.height / 2 / scale, scale };
}
function reveal(camera, rect, view) {
  const room = { width: view.width / camera.scale, height: view.height / camera.scale };
  const gap = MARGIN / camera.scale;
  const into = (at, size, from, span) => {
    if (at - gap < from || size + 2 * gap > span) return at - gap < from || at + gap > from + span ? at - gap : from;
    return at + size + gap > from + span ? at + size + gap - span : from;
  };
  return {
    ...camera,
    x: into(rect.x, rect.width, camera.x, room.width),
    y: into(rect.y, rect.height, camera.y, room.height)
  };
}
function centreOn(camera, rect, view) {
  const scale = Math.max(ZOOM.readable, camera.scale);
  const tall = rect.height * scale > view.height;
  const y = tall ? rect.y + view.height / 2 / scale - MARGIN : rect.y + rect.height / 2;
  return centred(rect.x + rect.width / 2, y, scale, view);
}
function anchor(camera, old, now) {
  return { ...camera, x: camera.x + now.x - old.x, y: camera.y + now.y - old.y };
}
function clamp(camera, scene, view) {
  const strip = 64 / camera.scale;
  const room = { width: view.width / camera.scale, height: view.height / camera.scale };
  return {
    ...camera,
    x: Math.min(scene.width - strip, Math.max(strip - room.width, camera.x)),
    y: Math.min(scene.height - strip, Math.max(strip - room.height, camera.y))
  };
}

// src/graph_viewer/canvas_view.ts
var MOVE_MS = 180;
var MOST_MOVING = 1500;
var CanvasView = class {
  constructor(look) {
    this.look = look;
  }
  look;
  canvas = document.createElement("canvas");
  camera = { x: 0, y: 0, scale: 1 };
  scene = null;
  size = { width: 0, height: 0 };
  onDrawn = () => {
  };
  frame = 0;
  moving = null;
  /** Take the size of the element around, in CSS pixels. */
  resize(width, height) {
    this.size = { width, height };
    this.draw();
  }
  /** Show `scene`; boxes that were there move, new ones grow out of the box that held them. */
  show(scene, camera, move) {
    const old = this.scene;
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.moving = null;
    if (old && move && !calm && scene.boxes.length <= MOST_MOVING) {
      this.moving = { from: startRects(old, scene, camera.x - this.camera.x, camera.y - this.camera.y), start: performance.now() };
    }
    this.scene = scene;
    this.camera = camera;
    this.requestDraw();
  }
  lookAt(camera) {
    const next = this.scene ? clamp(camera, this.scene, this.size) : camera;
    const moved = next.x !== this.camera.x || next.y !== this.camera.y || next.scale !== this.camera.scale;
    this.camera = next;
    this.requestDraw();
    return moved;
  }
  requestDraw() {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }
  stop() {
    cancelAnimationFrame(this.frame);
  }
  /** Where every box stands, in CSS pixels from the canvas's corner. */
  boxRects() {
    return (this.scene?.boxes ?? []).map(({ box, x, y, width, height }) => {
      const [left, top] = toScreen(this.camera, x, y);
      const { scale } = this.camera;
      return { id: box.id, x: left, y: top, width: width * scale, height: height * scale };
    });
  }
  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const pen = this.canvas.getContext("2d");
    if (!pen || !this.scene || this.size.width === 0) return;
    const part = this.moving ? Math.min(1, (performance.now() - this.moving.start) / MOVE_MS) : 1;
    const eased = 1 - (1 - part) ** 3;
    const scene = this.moving && part < 1 ? between(this.scene, this.moving.from, eased) : this.scene;
    const look = this.look();
    const selected = look.selected && (scene.byId.get(look.selected.box.id) ?? null);
    const ratio = this.sharpen();
    drawScene(pen, scene, this.camera, this.size, ratio, { ...look, selected, edgeAlpha: this.moving ? eased : 1 });
    if (part < 1) this.requestDraw();
    else this.moving = null;
    this.onDrawn();
  }
  // As many device pixels as the screen has now; it changes with the zoom of the page.
  sharpen() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.size.width * ratio);
    const height = Math.round(this.size.height * ratio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    return ratio;
  }
};
function startRects(old, scene, dx, dy) {
  const from = /* @__PURE__ */ new Map();
  for (const placed of scene.boxes) {
    const was = old.byId.get(placed.box.id);
    const frame = placed.box.level.frame;
    const holder = frame ? from.get(frame.id) : void 0;
    if (was) from.set(placed.box.id, { x: was.x + dx, y: was.y + dy, width: was.width, height: was.height });
    else if (holder) from.set(placed.box.id, { x: holder.x, y: holder.y, width: placed.width, height: placed.height });
    else from.set(placed.box.id, placed);
  }
  return from;
}
function between(scene, from, part) {
  const mix = (a, b) => a + (b - a) * part;
  const boxes = scene.boxes.map((placed) => {
    const start = from.get(placed.box.id);
    return {
      ...placed,
      x: mix(start.x, placed.x),
      y: mix(start.y, placed.y),
      width: mix(start.width, placed.width),
      height: mix(start.height, placed.height)
    };
  });
  return { ...scene, boxes, byId: new Map(boxes.map((placed) => [placed.box.id, placed])) };
}

// src/graph_viewer/graph_index.ts
var PASS_THROUGH = /* @__PURE__ */ new Set([
  "Identity",
  "Cast",
  "CastLike",
  "CAST",
  "Dropout",
  "ReadVariableOp",
  "StopGradient",
  "PreventGradient",
  "Snapshot",
  "alias",
  "detach",
  "to"
]);
var GraphIndex = class {
  constructor(data, ops) {
    this.data = data;
    this.ops = ops;
    const { nodes, values } = data;
    this.parameters = new Set(data.parameters);
    this.hidden = new Uint8Array(nodes.id.length);
    for (const node of data.elided) this.hidden[node] = 1;
    nodes.id.forEach((id, node) => this.nodes.set(id, node));
    values.name.forEach((name, value) => this.valueByName.set(name, value));
    this.producer = new Int32Array(values.name.length).fill(-1);
    nodes.outputs.forEach((outputs, node) => {
      for (const value of outputs) if (value >= 0) this.producer[value] = node;
    });
    nodes.inputs.forEach((inputs, node) => {
      for (const value of new Set(inputs)) if (value >= 0) (this.consumers[value] ??= []).push(node);
    });
    data.inputs.forEach((value, input) => this.inputOf.set(value, input));
    this.root = this.group(data.tree, null);
  }
  data;
  ops;
  root;
  groupOf = [];
  groups = /* @__PURE__ */ new Map();
  nodes = /* @__PURE__ */ new Map();
  parameters;
  hidden;
  producer;
  inputOf = /* @__PURE__ */ new Map();
  valueByName = /* @__PURE__ */ new Map();
  consumers = [];
  group(tree, parent) {
    const group = {
      id: tree.id,
      name: tree.name,
      label: tree.label,
      kind: tree.kind,
      open: tree.open ?? false,
      parent,
      children: [],
      count: 0,
      nodes: []
    };
    this.groups.set(tree.id, group);
    for (const child of tree.children) {
      if (typeof child === "number") {
        group.children.push(child);
        group.nodes.push(child);
        this.groupOf[child] = group;
        if (!this.hidden[child]) group.count += 1;
      } else {
        const inner = this.group(child, group);
        group.children.push(inner);
        for (const node of inner.nodes) group.nodes.push(node);
        group.count += inner.count;
      }
    }
    return group;
  }
  readers(value) {
    return this.consumers[value] ?? [];
  }
  opOf(node) {
    return this.ops[this.data.nodes.op[node]][0];
  }
  familyOf(node) {
    return this.ops[this.data.nodes.op[node]][1];
  }
  /** Where `value` comes from as drawn: through hidden identities and casts, never from another hidden node. */
  source(value, showHidden) {
    const seen = /* @__PURE__ */ new Set();
    for (let current = value; current >= 0 && !seen.has(current); ) {
      seen.add(current);
      const input = this.inputOf.get(current);
      if (input !== void 0) return { input };
      const node = this.producer[current];
      if (node < 0) return null;
      if (showHidden || !this.hidden[node]) return { node };
      if (!PASS_THROUGH.has(this.opOf(node).split("::").at(-1))) return null;
      current = this.data.nodes.inputs[node][0] ?? -1;
    }
    return null;
  }
  /** What a node reads; for what is stored the stored value, past identities and reads of variables. */
  reads(node) {
    return this.data.nodes.inputs[node].map((value) => this.stored(value));
  }
  stored(value) {
    const seen = /* @__PURE__ */ new Set();
    for (let current = value; current >= 0 && !seen.has(current); ) {
      seen.add(current);
      if (this.data.values.bytes[current] >= 0) return current;
      const node = this.producer[current];
      if (node < 0 || !PASS_THROUGH.has(this.opOf(node).split("::").at(-1))) break;
      current = this.data.nodes.inputs[node][0] ?? -1;
    }
    return value;
  }
  /** Values that a nested graph reads from the graph around it: no one here makes or stores them. */
  captured() {
    const names = [];
    this.data.values.name.forEach((name, value) => {
      const outside = this.producer[value] < 0 && this.data.values.bytes[value] < 0 && !this.inputOf.has(value);
      if (outside) names.push(name);
    });
    return names;
  }
};

// src/graph_viewer/graph_model.ts
var GraphModel = class {
  constructor(payload) {
    this.payload = payload;
    this.dangers = new Dangers(payload);
    this.main = { graph: 0, index: this.index(0), prefix: "", owner: null };
  }
  payload;
  main;
  dangers;
  indices = /* @__PURE__ */ new Map();
  instances = /* @__PURE__ */ new Map();
  index(graph) {
    let index = this.indices.get(graph);
    if (!index) {
      index = new GraphIndex(this.payload.graphs[graph], this.payload.ops);
      this.indices.set(graph, index);
    }
    return index;
  }
  /** The nested graphs of a node, one a label; none for most nodes. Made when first asked for. */
  nested(instance, node) {
    const { data } = instance.index;
    return (data.subgraphs[String(node)] ?? []).map(([label, graph]) => {
      const prefix = `${instance.prefix}${data.nodes.id[node]}:${label}:`;
      let inner = this.instances.get(prefix);
      if (!inner) {
        inner = { graph, index: this.index(graph), prefix, owner: { instance, node, label } };
        this.instances.set(prefix, inner);
      }
      return inner;
    });
  }
  nodeId(instance, node) {
    return instance.prefix + instance.index.data.nodes.id[node];
  }
  inputId(instance, at) {
    const { data } = instance.index;
    return `${instance.prefix}in:${data.values.name[data.inputs[at]]}`;
  }
  outputId(instance, at) {
    const { data } = instance.index;
    return `${instance.prefix}out:${data.values.name[data.outputs[at]]}`;
  }
  /** What `id` names, in any nested graph; null where nothing has that id. A group may lack its slash. */
  find(id, instance = this.main) {
    const { index, prefix } = instance;
    const local = id.slice(prefix.length);
    const node = index.nodes.get(local);
    if (node !== void 0) return { kind: "node", instance, node };
    const group = local === "" ? void 0 : index.groups.get(local) ?? index.groups.get(`${local}/`);
    if (group) return { kind: "group", instance, group };
    if (local === "in:") return { kind: "ins", instance };
    if (local === "out:") return { kind: "outs", instance };
    return this.findPort(local, instance) ?? this.findNested(id, instance);
  }
  findPort(local, instance) {
    const { data } = instance.index;
    for (const [kind, values] of [["in", data.inputs], ["out", data.outputs]]) {
      if (!local.startsWith(`${kind}:`)) continue;
      const at = values.findIndex((value) => data.values.name[value] === local.slice(kind.length + 1));
      if (at >= 0) return { kind, instance, at };
    }
    return null;
  }
  findNested(id, instance) {
    const { data } = instance.index;
    for (const key of Object.keys(data.subgraphs)) {
      if (!id.startsWith(`${instance.prefix}${data.nodes.id[Number(key)]}:`)) continue;
      for (const inner of this.nested(instance, Number(key))) {
        if (id === inner.prefix) return { kind: "branch", instance: inner };
        const found = id.startsWith(inner.prefix) ? this.find(id, inner) : null;
        if (found) return found;
      }
    }
    return null;
  }
  /** The ids that must be open for `target` to be drawn, outermost first. */
  folds(target) {
    const { instance } = target;
    const folds = [];
    if (target.kind === "in" && this.foldsInputs(instance)) folds.push(`${instance.prefix}in:`);
    if (target.kind === "out" && this.foldsOutputs(instance)) folds.push(`${instance.prefix}out:`);
    const group = target.kind === "node" ? instance.index.groupOf[target.node] : target.kind === "group" ? target.group.parent : null;
    for (let at = group ?? null; at?.parent; at = at.parent) folds.unshift(instance.prefix + at.id);
    if (instance.owner) {
      const { instance: outer, node } = instance.owner;
      folds.unshift(...this.folds({ kind: "node", instance: outer, node }), this.nodeId(outer, node));
    }
    return folds;
  }
  foldsInputs(instance) {
    return instance.index.data.inputs.length > MANY2;
  }
  foldsOutputs(instance) {
    return instance.index.data.outputs.length > MANY2;
  }
};
var MANY2 = 20;

// src/graph_viewer/layout.worker.ts
function serve(scope) {
  "use strict";
  var program = (() => {
    var __defProp = Object.defineProperty;
    var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
    var __getOwnPropNames = Object.getOwnPropertyNames;
    var __hasOwnProp = Object.prototype.hasOwnProperty;
    var __export = (target, all) => {
      for (var name in all)
        __defProp(target, name, { get: all[name], enumerable: true });
    };
    var __copyProps = (to, from, except, desc) => {
      if (from && typeof from === "object" || typeof from === "function") {
        for (let key2 of __getOwnPropNames(from))
          if (!__hasOwnProp.call(to, key2) && key2 !== except)
            __defProp(to, key2, { get: () => from[key2], enumerable: !(desc = __getOwnPropDesc(from, key2)) || desc.enumerable });
      }
      return to;
    };
    var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);
    var layout_worker_exports = {};
    __export(layout_worker_exports, {
      serve: () => serve2
    });
    function breakCycles(count, edges) {
      const back = backEdges(count, edges);
      let turns = 0;
      const broken = edges.map(([from, to], i) => {
        if (!back.has(i)) return { parts: [[from, to]], turns: null };
        const low = count + 2 * turns;
        const high = low + 1;
        turns += 1;
        return { parts: [[from, low], [high, low], [high, to]], turns: [low, high] };
      });
      return { edges: broken, turns };
    }
    function backEdges(count, edges) {
      const leaving = Array.from({ length: count }, () => []);
      const entered = new Uint8Array(count);
      edges.forEach(([from, to], i) => {
        leaving[from].push(i);
        if (from !== to) entered[to] = 1;
      });
      const back = /* @__PURE__ */ new Set();
      const state = new Uint8Array(count);
      const walk = (start) => {
        const path = [[start, 0]];
        state[start] = 1;
        while (path.length > 0) {
          const top = path[path.length - 1];
          const edge = leaving[top[0]][top[1]++];
          if (edge === void 0) {
            state[top[0]] = 2;
            path.pop();
            continue;
          }
          const to = edges[edge][1];
          if (state[to] === 1) back.add(edge);
          else if (state[to] === 0) {
            state[to] = 1;
            path.push([to, 0]);
          }
        }
      };
      for (let node = 0; node < count; node++) if (state[node] === 0 && !entered[node]) walk(node);
      for (let node = 0; node < count; node++) if (state[node] === 0) walk(node);
      return back;
    }
    var Te = Object.defineProperty;
    var Sn = (e, n, t) => n in e ? Te(e, n, { enumerable: true, configurable: true, writable: true, value: t }) : e[n] = t;
    var Mn = (e, n) => {
      for (var t in n) Te(e, t, { get: n[t], enumerable: true });
    };
    var je = (e, n, t) => Sn(e, typeof n != "symbol" ? n + "" : n, t);
    var ie = {};
    Mn(ie, { Graph: () => T, alg: () => H });
    var Pn = Object.defineProperty;
    var Se = (e, n) => {
      for (var t in n) Pn(e, t, { get: n[t], enumerable: true });
    };
    var Q = class {
      constructor(e) {
        this._isDirected = true, this._isMultigraph = false, this._isCompound = false, this._nodes = {}, this._in = {}, this._preds = {}, this._out = {}, this._sucs = {}, this._edgeObjs = {}, this._edgeLabels = {}, this._nodeCount = 0, this._edgeCount = 0, this._defaultNodeLabelFn = () => {
        }, this._defaultEdgeLabelFn = () => {
        }, e && (this._isDirected = "directed" in e ? e.directed : true, this._isMultigraph = "multigraph" in e ? e.multigraph : false, this._isCompound = "compound" in e ? e.compound : false), this._isCompound && (this._parent = {}, this._children = {}, this._children["\0"] = {});
      }
      isDirected() {
        return this._isDirected;
      }
      isMultigraph() {
        return this._isMultigraph;
      }
      isCompound() {
        return this._isCompound;
      }
      setGraph(e) {
        return this._label = e, this;
      }
      graph() {
        return this._label;
      }
      setDefaultNodeLabel(e) {
        return typeof e != "function" ? this._defaultNodeLabelFn = () => e : this._defaultNodeLabelFn = e, this;
      }
      nodeCount() {
        return this._nodeCount;
      }
      nodes() {
        return Object.keys(this._nodes);
      }
      sources() {
        return this.nodes().filter((e) => Object.keys(this._in[e]).length === 0);
      }
      sinks() {
        return this.nodes().filter((e) => Object.keys(this._out[e]).length === 0);
      }
      setNodes(e, n) {
        return e.forEach((t) => {
          n !== void 0 ? this.setNode(t, n) : this.setNode(t);
        }), this;
      }
      setNode(e, n) {
        return e in this._nodes ? (arguments.length > 1 && (this._nodes[e] = n), this) : (this._nodes[e] = arguments.length > 1 ? n : this._defaultNodeLabelFn(e), this._isCompound && (this._parent[e] = "\0", this._children[e] = {}, this._children["\0"][e] = true), this._in[e] = {}, this._preds[e] = {}, this._out[e] = {}, this._sucs[e] = {}, ++this._nodeCount, this);
      }
      node(e) {
        return this._nodes[e];
      }
      hasNode(e) {
        return e in this._nodes;
      }
      removeNode(e) {
        if (e in this._nodes) {
          let n = (t) => this.removeEdge(this._edgeObjs[t]);
          delete this._nodes[e], this._isCompound && (this._removeFromParentsChildList(e), delete this._parent[e], this.children(e).forEach((t) => {
            this.setParent(t);
          }), delete this._children[e]), Object.keys(this._in[e]).forEach(n), delete this._in[e], delete this._preds[e], Object.keys(this._out[e]).forEach(n), delete this._out[e], delete this._sucs[e], --this._nodeCount;
        }
        return this;
      }
      setParent(e, n) {
        if (!this._isCompound) throw new Error("Cannot set parent in a non-compound graph");
        if (n === void 0) n = "\0";
        else {
          n += "";
          for (let t = n; t !== void 0; t = this.parent(t)) if (t === e) throw new Error("Setting " + n + " as parent of " + e + " would create a cycle");
          this.setNode(n);
        }
        return this.setNode(e), this._removeFromParentsChildList(e), this._parent[e] = n, this._children[n][e] = true, this;
      }
      parent(e) {
        if (this._isCompound) {
          let n = this._parent[e];
          if (n !== "\0") return n;
        }
      }
      children(e = "\0") {
        if (this._isCompound) {
          let n = this._children[e];
          if (n) return Object.keys(n);
        } else {
          if (e === "\0") return this.nodes();
          if (this.hasNode(e)) return [];
        }
        return [];
      }
      predecessors(e) {
        let n = this._preds[e];
        if (n) return Object.keys(n);
      }
      successors(e) {
        let n = this._sucs[e];
        if (n) return Object.keys(n);
      }
      neighbors(e) {
        let n = this.predecessors(e);
        if (n) {
          let t = new Set(n), r = this.successors(e);
          if (r) for (let o of r) t.add(o);
          return Array.from(t.values());
        }
      }
      isLeaf(e) {
        var n;
        let t;
        return this.isDirected() ? t = this.successors(e) : t = this.neighbors(e), ((n = t == null ? void 0 : t.length) != null ? n : 0) === 0;
      }
      filterNodes(e) {
        let n = new this.constructor({ directed: this._isDirected, multigraph: this._isMultigraph, compound: this._isCompound });
        n.setGraph(this.graph()), Object.entries(this._nodes).forEach(([o, i]) => {
          e(o) && n.setNode(o, i);
        }), Object.values(this._edgeObjs).forEach((o) => {
          n.hasNode(o.v) && n.hasNode(o.w) && n.setEdge(o, this.edge(o));
        });
        let t = {}, r = (o) => {
          let i = this.parent(o);
          return !i || n.hasNode(i) ? (t[o] = i, i) : i in t ? t[i] : r(i);
        };
        return this._isCompound && n.nodes().forEach((o) => n.setParent(o, r(o))), n;
      }
      setDefaultEdgeLabel(e) {
        return typeof e != "function" ? this._defaultEdgeLabelFn = () => e : this._defaultEdgeLabelFn = e, this;
      }
      edgeCount() {
        return this._edgeCount;
      }
      edges() {
        return Object.values(this._edgeObjs);
      }
      setPath(e, n) {
        return e.reduce((t, r) => (n !== void 0 ? this.setEdge(t, r, n) : this.setEdge(t, r), r)), this;
      }
      setEdge(e, n, t, r) {
        let o, i, s, a, l = false;
        typeof e == "object" && e !== null && "v" in e ? (o = e.v, i = e.w, s = e.name, arguments.length === 2 && (a = n, l = true)) : (o = e, i = n, s = r, arguments.length > 2 && (a = t, l = true)), o = "" + o, i = "" + i, s !== void 0 && (s = "" + s);
        let u = z(this._isDirected, o, i, s);
        if (u in this._edgeLabels) return l && (this._edgeLabels[u] = a), this;
        if (s !== void 0 && !this._isMultigraph) throw new Error("Cannot set a named edge when isMultigraph = false");
        this.setNode(o), this.setNode(i), this._edgeLabels[u] = l ? a : this._defaultEdgeLabelFn(o, i, s);
        let d = Fn(this._isDirected, o, i, s);
        return o = d.v, i = d.w, Object.freeze(d), this._edgeObjs[u] = d, Re(this._preds[i], o), Re(this._sucs[o], i), this._in[i][u] = d, this._out[o][u] = d, this._edgeCount++, this;
      }
      edge(e, n, t) {
        let r = arguments.length === 1 ? oe(this._isDirected, e) : z(this._isDirected, e, n, t);
        return this._edgeLabels[r];
      }
      edgeAsObj(e, n, t) {
        let r = arguments.length === 1 ? this.edge(e) : this.edge(e, n, t);
        return typeof r != "object" || r === null ? { label: r } : r;
      }
      hasEdge(e, n, t) {
        return (arguments.length === 1 ? oe(this._isDirected, e) : z(this._isDirected, e, n, t)) in this._edgeLabels;
      }
      removeEdge(e, n, t) {
        let r = arguments.length === 1 ? oe(this._isDirected, e) : z(this._isDirected, e, n, t), o = this._edgeObjs[r];
        if (o) {
          let i = o.v, s = o.w;
          delete this._edgeLabels[r], delete this._edgeObjs[r], Ie(this._preds[s], i), Ie(this._sucs[i], s), delete this._in[s][r], delete this._out[i][r], this._edgeCount--;
        }
        return this;
      }
      inEdges(e, n) {
        return this.isDirected() ? this.filterEdges(this._in[e], e, n) : this.nodeEdges(e, n);
      }
      outEdges(e, n) {
        return this.isDirected() ? this.filterEdges(this._out[e], e, n) : this.nodeEdges(e, n);
      }
      nodeEdges(e, n) {
        if (e in this._nodes) return this.filterEdges({ ...this._in[e], ...this._out[e] }, e, n);
      }
      _removeFromParentsChildList(e) {
        delete this._children[this._parent[e]][e];
      }
      filterEdges(e, n, t) {
        if (!e) return;
        let r = Object.values(e);
        return t ? r.filter((o) => o.v === n && o.w === t || o.v === t && o.w === n) : r;
      }
    };
    function Re(e, n) {
      e[n] ? e[n]++ : e[n] = 1;
    }
    function Ie(e, n) {
      e[n] !== void 0 && !--e[n] && delete e[n];
    }
    function z(e, n, t, r) {
      let o = "" + n, i = "" + t;
      if (!e && o > i) {
        let s = o;
        o = i, i = s;
      }
      return o + "" + i + "" + (r === void 0 ? "\0" : r);
    }
    function Fn(e, n, t, r) {
      let o = "" + n, i = "" + t;
      if (!e && o > i) {
        let a = o;
        o = i, i = a;
      }
      let s = { v: o, w: i };
      return r && (s.name = r), s;
    }
    function oe(e, n) {
      return z(e, n.v, n.w, n.name);
    }
    var Dn = {};
    Se(Dn, { read: () => Bn, write: () => An });
    function An(e) {
      let n = { options: { directed: e.isDirected(), multigraph: e.isMultigraph(), compound: e.isCompound() }, nodes: Vn(e), edges: Yn(e) }, t = e.graph();
      return t !== void 0 && (n.value = structuredClone(t)), n;
    }
    function Vn(e) {
      return e.nodes().map((n) => {
        let t = e.node(n), r = e.parent(n), o = { v: n };
        return t !== void 0 && (o.value = t), r !== void 0 && (o.parent = r), o;
      });
    }
    function Yn(e) {
      return e.edges().map((n) => {
        let t = e.edge(n), r = { v: n.v, w: n.w };
        return n.name !== void 0 && (r.name = n.name), t !== void 0 && (r.value = t), r;
      });
    }
    function Bn(e) {
      let n = new Q(e.options);
      return e.value !== void 0 && n.setGraph(e.value), e.nodes.forEach((t) => {
        n.setNode(t.v, t.value), t.parent && n.setParent(t.v, t.parent);
      }), e.edges.forEach((t) => {
        n.setEdge({ v: t.v, w: t.w, name: t.name }, t.value);
      }), n;
    }
    var H = {};
    Se(H, { CycleException: () => K, bellmanFord: () => Me, components: () => zn, dijkstra: () => J, dijkstraAll: () => $n, findCycles: () => Un, floydWarshall: () => Kn, isAcyclic: () => Zn, postorder: () => nt, preorder: () => tt, prim: () => rt, shortestPaths: () => ot, tarjan: () => Fe, topsort: () => De });
    var Wn = () => 1;
    function Me(e, n, t, r) {
      return Xn(e, String(n), t || Wn, r || function(o) {
        var i;
        return (i = e.outEdges(o)) != null ? i : [];
      });
    }
    function Xn(e, n, t, r) {
      let o = {}, i, s = 0, a = e.nodes(), l = function(c) {
        let f = o[c.v], h2 = o[c.w];
        if (!f || !h2) return;
        let g = t(c);
        f.distance + g < h2.distance && (o[c.w] = { distance: f.distance + g, predecessor: c.v }, i = true);
      }, u = function() {
        a.forEach(function(c) {
          r(c).forEach(function(f) {
            let h2 = f.v === c ? f.v : f.w, g = h2 === f.v ? f.w : f.v;
            l({ v: h2, w: g });
          });
        });
      };
      a.forEach(function(c) {
        let f = c === n ? 0 : Number.POSITIVE_INFINITY;
        o[c] = { distance: f, predecessor: "" };
      });
      let d = a.length;
      for (let c = 1; c < d && (i = false, s++, u(), !!i); c++) ;
      if (s === d - 1 && (i = false, u(), i)) throw new Error("The graph contains a negative weight cycle");
      return o;
    }
    function zn(e) {
      let n = {}, t = [], r;
      function o(i) {
        var s, a;
        i in n || (n[i] = true, r.push(i), (s = e.successors(i)) == null || s.forEach(o), (a = e.predecessors(i)) == null || a.forEach(o));
      }
      return e.nodes().forEach(function(i) {
        r = [], o(i), r.length && t.push(r);
      }), t;
    }
    var Pe = class {
      constructor() {
        this._arr = [], this._keyIndices = {};
      }
      size() {
        return this._arr.length;
      }
      keys() {
        return this._arr.map((e) => e.key);
      }
      has(e) {
        return e in this._keyIndices;
      }
      priority(e) {
        let n = this._keyIndices[e];
        if (n !== void 0) return this._arr[n].priority;
      }
      min() {
        if (this.size() === 0) throw new Error("Queue underflow");
        return this._arr[0].key;
      }
      add(e, n) {
        let t = this._keyIndices, r = String(e);
        if (!(r in t)) {
          let o = this._arr, i = o.length;
          return t[r] = i, o.push({ key: r, priority: n }), this._decrease(i), true;
        }
        return false;
      }
      removeMin() {
        if (this.size() === 0) throw new Error("Queue underflow");
        this._swap(0, this._arr.length - 1);
        let e = this._arr.pop();
        return delete this._keyIndices[e.key], this._heapify(0), e.key;
      }
      decrease(e, n) {
        let t = this._keyIndices[e];
        if (t === void 0) throw new Error(`Key not found: ${e}`);
        let r = this._arr[t].priority;
        if (n > r) throw new Error(`New priority is greater than current priority. Key: ${e} Old: ${r} New: ${n}`);
        this._arr[t].priority = n, this._decrease(t);
      }
      _heapify(e) {
        let n = this._arr, t = 2 * e, r = t + 1, o = e;
        t < n.length && (o = n[t].priority < n[o].priority ? t : o, r < n.length && (o = n[r].priority < n[o].priority ? r : o), o !== e && (this._swap(e, o), this._heapify(o)));
      }
      _decrease(e) {
        let n = this._arr, t = n[e].priority, r;
        for (; e !== 0 && (r = e >> 1, !(n[r].priority < t)); ) this._swap(e, r), e = r;
      }
      _swap(e, n) {
        let t = this._arr, r = this._keyIndices, o = t[e], i = t[n];
        t[e] = i, t[n] = o, r[i.key] = e, r[o.key] = n;
      }
    };
    var Hn = () => 1;
    function J(e, n, t, r) {
      let o = function(i) {
        var s;
        return (s = e.outEdges(i)) != null ? s : [];
      };
      return qn(e, String(n), t || Hn, r || o);
    }
    function qn(e, n, t, r) {
      let o = {}, i = new Pe(), s, a, l = function(u) {
        let d = u.v !== s ? u.v : u.w, c = o[d];
        if (!c) return;
        let f = t(u), h2 = a.distance + f;
        if (f < 0) throw new Error("dijkstra does not allow negative edge weights. Bad edge: " + u + " Weight: " + f);
        h2 < c.distance && (c.distance = h2, c.predecessor = s, i.decrease(d, h2));
      };
      for (e.nodes().forEach(function(u) {
        let d = u === n ? 0 : Number.POSITIVE_INFINITY;
        o[u] = { distance: d, predecessor: "" }, i.add(u, d);
      }); i.size() > 0; ) {
        s = i.removeMin();
        let u = o[s];
        if (!u || u.distance === Number.POSITIVE_INFINITY) break;
        a = u, r(s).forEach(l);
      }
      return o;
    }
    function $n(e, n, t) {
      return e.nodes().reduce(function(r, o) {
        return r[o] = J(e, o, n, t), r;
      }, {});
    }
    function Fe(e) {
      let n = 0, t = [], r = {}, o = [];
      function i(s) {
        var a;
        let l = r[s] = { onStack: true, lowlink: n, index: n++ };
        if (t.push(s), (a = e.successors(s)) == null || a.forEach(function(u) {
          if (u in r) {
            let d = r[u];
            d != null && d.onStack && (l.lowlink = Math.min(l.lowlink, d.index));
          } else {
            i(u);
            let d = r[u];
            d && (l.lowlink = Math.min(l.lowlink, d.lowlink));
          }
        }), l.lowlink === l.index) {
          let u = [], d;
          do {
            d = t.pop();
            let c = r[d];
            c && (c.onStack = false), u.push(d);
          } while (s !== d);
          o.push(u);
        }
      }
      return e.nodes().forEach(function(s) {
        s in r || i(s);
      }), o;
    }
    function Un(e) {
      return Fe(e).filter(function(n) {
        var t;
        let r = n[0];
        return r ? n.length > 1 || n.length === 1 && ((t = e.outEdges(r, r)) != null ? t : []).length > 0 : false;
      });
    }
    var Jn = () => 1;
    function Kn(e, n, t) {
      return Qn(e, n || Jn, t || function(r) {
        var o;
        return (o = e.outEdges(r)) != null ? o : [];
      });
    }
    function Qn(e, n, t) {
      let r = {}, o = e.nodes();
      return o.forEach(function(i) {
        let s = {};
        r[i] = s, s[i] = { distance: 0, predecessor: "" }, o.forEach(function(a) {
          i !== a && (s[a] = { distance: Number.POSITIVE_INFINITY, predecessor: "" });
        }), t(i).forEach(function(a) {
          let l = a.v === i ? a.w : a.v, u = n(a);
          s[l] = { distance: u, predecessor: i };
        });
      }), o.forEach(function(i) {
        let s = r[i];
        s && o.forEach(function(a) {
          let l = r[a];
          l && o.forEach(function(u) {
            let d = l[i], c = s[u], f = l[u];
            if (d && c && f) {
              let h2 = d.distance + c.distance;
              h2 < f.distance && (f.distance = h2, f.predecessor = c.predecessor);
            }
          });
        });
      }), r;
    }
    var K = class extends Error {
      constructor(e) {
        super(e), this.name = "CycleException";
      }
    };
    function De(e) {
      let n = {}, t = {}, r = [];
      function o(i) {
        var s;
        if (i in t) throw new K();
        i in n || (t[i] = true, n[i] = true, (s = e.predecessors(i)) == null || s.forEach(o), delete t[i], r.push(i));
      }
      if (e.sinks().forEach(o), Object.keys(n).length !== e.nodeCount()) throw new K();
      return r;
    }
    function Zn(e) {
      try {
        De(e);
      } catch (n) {
        if (n instanceof K) return false;
        throw n;
      }
      return true;
    }
    function et(e, n, t, r, o) {
      Array.isArray(n) || (n = [n]);
      let i = ((a) => {
        var l;
        return (l = e.isDirected() ? e.successors(a) : e.neighbors(a)) != null ? l : [];
      }), s = {};
      return n.forEach(function(a) {
        if (!e.hasNode(a)) throw new Error("Graph does not have node: " + a);
        o = Ae(e, a, t === "post", s, i, r, o);
      }), o;
    }
    function Ae(e, n, t, r, o, i, s) {
      return n in r || (r[n] = true, t || (s = i(s, n)), o(n).forEach(function(a) {
        s = Ae(e, a, t, r, o, i, s);
      }), t && (s = i(s, n))), s;
    }
    function Ve(e, n, t) {
      return et(e, n, t, function(r, o) {
        return r.push(o), r;
      }, []);
    }
    function nt(e, n) {
      return Ve(e, n, "post");
    }
    function tt(e, n) {
      return Ve(e, n, "pre");
    }
    function rt(e, n) {
      var t;
      let r = new Q(), o = {}, i = new Pe(), s;
      function a(d) {
        let c = d.v === s ? d.w : d.v, f = i.priority(c);
        if (f !== void 0) {
          let h2 = n(d);
          h2 < f && (o[c] = s, i.decrease(c, h2));
        }
      }
      if (e.nodeCount() === 0) return r;
      e.nodes().forEach(function(d) {
        i.add(d, Number.POSITIVE_INFINITY), r.setNode(d);
      });
      let l = e.nodes()[0];
      l !== void 0 && i.decrease(l, 0);
      let u = false;
      for (; i.size() > 0; ) {
        if (s = i.removeMin(), s in o) r.setEdge(s, o[s]);
        else {
          if (u) throw new Error("Input graph is not connected: " + e);
          u = true;
        }
        (t = e.nodeEdges(s)) == null || t.forEach(a);
      }
      return r;
    }
    function ot(e, n, t, r) {
      return it(e, n, t, r != null ? r : ((o) => {
        var i;
        return (i = e.outEdges(o)) != null ? i : [];
      }));
    }
    function it(e, n, t, r) {
      if (t === void 0) return J(e, n, t, r);
      let o = false, i = e.nodes();
      for (let s = 0; s < i.length; s++) {
        let a = i[s];
        if (a === void 0) continue;
        let l = r(a);
        for (let u = 0; u < l.length; u++) {
          let d = l[u];
          if (!d) continue;
          let c = d.v === a ? d.v : d.w, f = c === d.v ? d.w : d.v;
          t({ v: c, w: f }) < 0 && (o = true);
        }
        if (o) return Me(e, n, t, r);
      }
      return J(e, n, t, r);
    }
    var T = Q;
    function M(e, n, t, r) {
      let o = r;
      for (; e.hasNode(o); ) o = $(r);
      return t.dummy = n, e.setNode(o, t), o;
    }
    function Ye(e) {
      let n = new T().setGraph(e.graph());
      return e.nodes().forEach((t) => n.setNode(t, e.node(t))), e.edges().forEach((t) => {
        let r = n.edge(t.v, t.w) || { weight: 0, minlen: 1 }, o = e.edge(t);
        n.setEdge(t.v, t.w, { weight: r.weight + o.weight, minlen: Math.max(r.minlen, o.minlen) });
      }), n;
    }
    function Z(e) {
      let n = new T({ multigraph: e.isMultigraph() }).setGraph(e.graph());
      return e.nodes().forEach((t) => {
        e.children(t).length || n.setNode(t, e.node(t));
      }), e.edges().forEach((t) => {
        n.setEdge(t, e.edge(t));
      }), n;
    }
    function se(e, n) {
      let t = e.x, r = e.y, o = n.x - t, i = n.y - r, s = e.width / 2, a = e.height / 2;
      if (!o && !i) throw new Error("Not possible to find intersection inside of the rectangle");
      let l, u;
      return o === 0 || Math.abs(i) * s > Math.abs(o) * a ? (i < 0 && (a = -a), l = a * o / i, u = a) : (o < 0 && (s = -s), l = s, u = s * i / o), { x: t + l, y: r + u };
    }
    function P(e) {
      let n = D(de(e) + 1).map(() => []);
      return e.nodes().forEach((t) => {
        let r = e.node(t), o = r.rank;
        o !== void 0 && (n[o] || (n[o] = []), n[o][r.order] = t);
      }), n;
    }
    function Be(e) {
      let n = e.nodes().map((r) => {
        let o = e.node(r).rank;
        return o === void 0 ? Number.MAX_VALUE : o;
      }), t = S(Math.min, n);
      e.nodes().forEach((r) => {
        let o = e.node(r);
        Object.hasOwn(o, "rank") && (o.rank -= t);
      });
    }
    function We(e) {
      let n = e.nodes().map((s) => e.node(s).rank).filter((s) => s !== void 0), t = S(Math.min, n), r = [];
      e.nodes().forEach((s) => {
        let a = e.node(s).rank - t;
        r[a] || (r[a] = []), r[a].push(s);
      });
      let o = 0, i = e.graph().nodeRankFactor;
      Array.from(r).forEach((s, a) => {
        s === void 0 && a % i !== 0 ? --o : s !== void 0 && o && s.forEach((l) => e.node(l).rank += o);
      });
    }
    function ae(e, n, t, r) {
      let o = { width: 0, height: 0 };
      return arguments.length >= 4 && (o.rank = t, o.order = r), M(e, "border", o, n);
    }
    function st(e, n = Xe) {
      let t = [];
      for (let r = 0; r < e.length; r += n) {
        let o = e.slice(r, r + n);
        t.push(o);
      }
      return t;
    }
    var Xe = 65535;
    function S(e, n) {
      if (n.length > Xe) {
        let t = st(n);
        return e(...t.map((r) => e(...r)));
      } else return e(...n);
    }
    function de(e) {
      let t = e.nodes().map((r) => {
        let o = e.node(r).rank;
        return o === void 0 ? Number.MIN_VALUE : o;
      });
      return S(Math.max, t);
    }
    function ze(e, n) {
      let t = { lhs: [], rhs: [] };
      return e.forEach((r) => {
        n(r) ? t.lhs.push(r) : t.rhs.push(r);
      }), t;
    }
    function q(e, n) {
      return n();
    }
    var at = 0;
    function $(e) {
      let n = ++at;
      return e + ("" + n);
    }
    function D(e, n, t = 1) {
      n == null && (n = e, e = 0);
      let r = (i) => i < n;
      t < 0 && (r = (i) => n < i);
      let o = [];
      for (let i = e; r(i); i += t) o.push(i);
      return o;
    }
    function W(e, n) {
      let t = {};
      for (let r of n) e[r] !== void 0 && (t[r] = e[r]);
      return t;
    }
    function X(e, n) {
      let t;
      return typeof n == "string" ? t = (r) => r[n] : t = n, Object.entries(e).reduce((r, [o, i]) => (r[o] = t(i, o), r), {});
    }
    function He(e, n) {
      return e.reduce((t, r, o) => (t[r] = n[o], t), {});
    }
    var V = "\0";
    function ee(e, n, t) {
      var u, d, c, f, h2, g;
      if (!(e && n && t && n.dummy === "edge" && t.dummy === "edge" && n.edgeObj && t.edgeObj && e[n.edgeObj.v] && e[t.edgeObj.v] && e[n.edgeObj.w] && e[t.edgeObj.w])) return 0;
      let r = true;
      n.edgeObj.w === t.edgeObj.w && (r = false);
      let o = r ? (d = (u = e[n.edgeObj.v]) == null ? void 0 : u.rank) != null ? d : NaN + 1 : (f = (c = e[n.edgeObj.w]) == null ? void 0 : c.rank) != null ? f : NaN - 1, i = Object.entries(e).find((m) => {
        var L, y;
        return ((L = m[1].edgeObj) == null ? void 0 : L.v) === n.edgeObj.v && ((y = m[1].edgeObj) == null ? void 0 : y.w) === n.edgeObj.w && m[1].rank === o;
      }), s = Object.entries(e).find((m) => {
        var L, y;
        return ((L = m[1].edgeObj) == null ? void 0 : L.v) === t.edgeObj.v && ((y = m[1].edgeObj) == null ? void 0 : y.w) === t.edgeObj.w && m[1].rank === o;
      });
      if (!i || !s) return 0;
      let a = (h2 = i[1].order) != null ? h2 : NaN, l = (g = s[1].order) != null ? g : NaN;
      return isNaN(a - l) ? 0 : a - l;
    }
    var ce = class {
      constructor() {
        je(this, "_sentinel");
        let n = {};
        n._next = n._prev = n, this._sentinel = n;
      }
      dequeue() {
        let n = this._sentinel, t = n._prev;
        if (t !== n) return qe(t), t;
      }
      enqueue(n) {
        let t = this._sentinel;
        n._prev && n._next && qe(n), n._next = t._next, t._next._prev = n, t._next = n, n._prev = t;
      }
      toString() {
        let n = [], t = this._sentinel, r = t._prev;
        for (; r !== t; ) n.push(JSON.stringify(r, dt)), r = r._prev;
        return "[" + n.join(", ") + "]";
      }
    };
    function qe(e) {
      e._prev._next = e._next, e._next._prev = e._prev, delete e._next, delete e._prev;
    }
    function dt(e, n) {
      if (e !== "_next" && e !== "_prev") return n;
    }
    var $e = ce;
    var lt = () => 1;
    function be(e, n) {
      if (e.nodeCount() <= 1) return [];
      let t = ct(e, n || lt);
      return ut(t.graph, t.buckets, t.zeroIdx).flatMap((o) => e.outEdges(o.v, o.w) || []);
    }
    function ut(e, n, t) {
      var a;
      let r = [], o = n[n.length - 1], i = n[0], s;
      for (; e.nodeCount(); ) {
        for (; s = i.dequeue(); ) fe(e, n, t, s);
        for (; s = o.dequeue(); ) fe(e, n, t, s);
        if (e.nodeCount()) {
          for (let l = n.length - 2; l > 0; --l) if (s = (a = n[l]) == null ? void 0 : a.dequeue(), s) {
            r = r.concat(fe(e, n, t, s, true) || []);
            break;
          }
        }
      }
      return r;
    }
    function fe(e, n, t, r, o) {
      let i = [], s = o ? i : void 0;
      return (e.inEdges(r.v) || []).forEach((a) => {
        let l = e.edge(a), u = e.node(a.v);
        o && i.push({ v: a.v, w: a.w }), u.out -= l, he(n, t, u);
      }), (e.outEdges(r.v) || []).forEach((a) => {
        let l = e.edge(a), u = a.w, d = e.node(u);
        d.in -= l, he(n, t, d);
      }), e.removeNode(r.v), s;
    }
    function ct(e, n) {
      let t = new T(), r = 0, o = 0;
      e.nodes().forEach((a) => {
        t.setNode(a, { v: a, in: 0, out: 0 });
      }), e.edges().forEach((a) => {
        let l = t.edge(a.v, a.w) || 0, u = n(a), d = l + u;
        t.setEdge(a.v, a.w, d);
        let c = t.node(a.v), f = t.node(a.w);
        o = Math.max(o, c.out += u), r = Math.max(r, f.in += u);
      });
      let i = ft(o + r + 3).map(() => new $e()), s = r + 1;
      return t.nodes().forEach((a) => {
        he(i, s, t.node(a));
      }), { graph: t, buckets: i, zeroIdx: s };
    }
    function he(e, n, t) {
      var r, o, i;
      t.out ? t.in ? (i = e[t.out - t.in + n]) == null || i.enqueue(t) : (o = e[e.length - 1]) == null || o.enqueue(t) : (r = e[0]) == null || r.enqueue(t);
    }
    function ft(e) {
      let n = [];
      for (let t = 0; t < e; t++) n.push(t);
      return n;
    }
    function Ue(e, n) {
      (e.graph().acyclicer === "greedy" ? be(e, r(e)) : ht(e, n != null ? n : null)).forEach((o) => {
        let i = e.edge(o);
        e.removeEdge(o), i.forwardName = o.name, i.reversed = true, e.setEdge(o.w, o.v, i, $("rev"));
      });
      function r(o) {
        return (i) => o.edge(i).weight;
      }
    }
    function ht(e, n) {
      let t = [], r = {}, o = {};
      function i(l) {
        Object.hasOwn(o, l) || (o[l] = true, r[l] = true, e.outEdges(l).forEach((u) => {
          Object.hasOwn(r, u.w) ? t.push(u) : i(u.w);
        }), delete r[l]);
      }
      function s(l) {
        var u;
        Object.hasOwn(o, l) || (o[l] = true, r[l] = true, (u = e.outEdges(l)) == null || u.forEach((d) => {
          var c, f;
          Object.hasOwn(r, d.w) || ((c = n.node(l)) == null ? void 0 : c.rank) > ((f = n.node(d.w)) == null ? void 0 : f.rank) && bt(e, d.w, d) ? t.push(d) : s(d.w);
        }), delete r[l]);
      }
      let a = i;
      return n && typeof n.node == "function" && (a = s), e.sources().forEach(a), e.nodes().forEach(a), t;
    }
    function Je(e) {
      e.edges().forEach((n) => {
        let t = e.edge(n);
        if (t.reversed) {
          e.removeEdge(n);
          let r = t.forwardName;
          delete t.reversed, delete t.forwardName, e.setEdge(n.w, n.v, t, r);
        }
      });
    }
    function bt(e, n, t) {
      let r = /* @__PURE__ */ new Set();
      function o(i) {
        var s;
        if (e.sources().includes(i)) return true;
        r.add(i);
        for (let a of (s = e.inEdges(i)) != null ? s : []) if (!(a.v === t.v && a.w === t.w) && !r.has(a.v) && o(a.v)) return true;
        return false;
      }
      return o(n);
    }
    function Ke(e) {
      e.graph().dummyChains = [], e.edges().forEach((n) => pt(e, n));
    }
    function pt(e, n) {
      let t = n.v, r = e.node(t).rank, o = n.w, i = e.node(o).rank, s = n.name, a = e.edge(n), l = a.labelRank;
      if (i === r + 1) return;
      e.removeEdge(n);
      let u, d, c;
      for (c = 0, ++r; r < i; ++c, ++r) a.points = [], d = { width: 0, height: 0, edgeLabel: a, edgeObj: n, rank: r }, u = M(e, "edge", d, "_d"), r === l && (d.width = a.width, d.height = a.height, d.dummy = "edge-label", d.labelpos = a.labelpos), e.setEdge(t, u, { weight: a.weight }, s), c === 0 && e.graph().dummyChains.push(u), t = u;
      e.setEdge(t, o, { weight: a.weight }, s);
    }
    function Qe(e) {
      e.graph().dummyChains.forEach((n) => {
        let t = e.node(n), r = t.edgeLabel, o;
        for (e.setEdge(t.edgeObj, r); t.dummy; ) o = e.successors(n)[0], e.removeNode(n), r.points.push({ x: t.x, y: t.y }), t.dummy === "edge-label" && (r.x = t.x, r.y = t.y, r.width = t.width, r.height = t.height), n = o, t = e.node(n);
      });
    }
    function U(e) {
      let n = {};
      function t(r) {
        let o = e.node(r);
        if (Object.hasOwn(n, r)) return o.rank;
        n[r] = true;
        let i = e.outEdges(r), s = i ? i.map((l) => l == null ? Number.POSITIVE_INFINITY : t(l.w) - e.edge(l).minlen) : [], a = S(Math.min, s);
        return a === Number.POSITIVE_INFINITY && (a = 0), o.rank = a;
      }
      e.sources().forEach(t);
    }
    function A(e, n) {
      return e.node(n.w).rank - e.node(n.v).rank - e.edge(n).minlen;
    }
    var ne = Et;
    function Et(e) {
      let n = new T({ directed: false }), t = e.nodes();
      if (t.length === 0) throw new Error("Graph must have at least one node");
      let r = t[0], o = e.nodeCount();
      n.setNode(r, {});
      let i, s;
      for (; Lt(n, e) < o && (i = yt(n, e), !!i); ) s = n.hasNode(i.v) ? A(e, i) : -A(e, i), wt(n, e, s);
      return n;
    }
    function Lt(e, n) {
      function t(r) {
        let o = n.nodeEdges(r);
        o && o.forEach((i) => {
          let s = i.v, a = r === s ? i.w : s;
          !e.hasNode(a) && !A(n, i) && (e.setNode(a, {}), e.setEdge(r, a, {}), t(a));
        });
      }
      return e.nodes().forEach(t), e.nodeCount();
    }
    function yt(e, n) {
      return n.edges().reduce((r, o) => {
        let i = Number.POSITIVE_INFINITY;
        return e.hasNode(o.v) !== e.hasNode(o.w) && (i = A(n, o)), i < r[0] ? [i, o] : r;
      }, [Number.POSITIVE_INFINITY, null])[1];
    }
    function wt(e, n, t) {
      e.nodes().forEach((r) => n.node(r).rank += t);
    }
    var { preorder: Nt, postorder: Gt } = H;
    var en = Y;
    Y.initLowLimValues = pe;
    Y.initCutValues = ge;
    Y.calcCutValue = nn;
    Y.leaveEdge = rn;
    Y.enterEdge = on;
    Y.exchangeEdges = sn;
    function Y(e) {
      e = Ye(e), U(e);
      let n = ne(e);
      pe(n), ge(n, e);
      let t, r;
      for (; t = rn(n); ) r = on(n, e, t), sn(n, e, t, r);
    }
    function ge(e, n) {
      let t = Gt(e, e.nodes());
      t = t.slice(0, t.length - 1), t.forEach((r) => vt(e, n, r));
    }
    function vt(e, n, t) {
      let o = e.node(t).parent, i = e.edge(t, o);
      i.cutvalue = nn(e, n, t);
    }
    function nn(e, n, t) {
      let o = e.node(t).parent, i = true, s = n.edge(t, o), a = 0;
      s || (i = false, s = n.edge(o, t)), a = s.weight;
      let l = n.nodeEdges(t);
      return l && l.forEach((u) => {
        let d = u.v === t, c = d ? u.w : u.v;
        if (c !== o) {
          let f = d === i, h2 = n.edge(u).weight;
          if (a += f ? h2 : -h2, xt(e, t, c)) {
            let m = e.edge(t, c).cutvalue;
            a += f ? -m : m;
          }
        }
      }), a;
    }
    function pe(e, n) {
      arguments.length < 2 && (n = e.nodes()[0]), tn(e, {}, 1, n);
    }
    function tn(e, n, t, r, o) {
      let i = t, s = e.node(r);
      n[r] = true;
      let a = e.neighbors(r);
      return a && a.forEach((l) => {
        Object.hasOwn(n, l) || (t = tn(e, n, t, l, r));
      }), s.low = i, s.lim = t++, o ? s.parent = o : delete s.parent, t;
    }
    function rn(e) {
      return e.edges().find((n) => e.edge(n).cutvalue < 0);
    }
    function on(e, n, t) {
      let r = t.v, o = t.w;
      n.hasEdge(r, o) || (r = t.w, o = t.v);
      let i = e.node(r), s = e.node(o), a = i, l = false;
      return i.lim > s.lim && (a = s, l = true), n.edges().filter((d) => l === Ze(e, e.node(d.v), a) && l !== Ze(e, e.node(d.w), a)).reduce((d, c) => A(n, c) < A(n, d) ? c : d);
    }
    function sn(e, n, t, r) {
      let o = t.v, i = t.w;
      e.removeEdge(o, i), e.setEdge(r.v, r.w, {}), pe(e), ge(e, n), kt(e, n);
    }
    function kt(e, n) {
      let t = e.nodes().find((o) => !e.node(o).parent);
      if (!t) return;
      let r = Nt(e, [t]);
      r = r.slice(1), r.forEach((o) => {
        let s = e.node(o).parent, a = n.edge(o, s), l = false;
        a || (a = n.edge(s, o), l = true), n.node(o).rank = n.node(s).rank + (l ? a.minlen : -a.minlen);
      });
    }
    function xt(e, n, t) {
      return e.hasEdge(n, t);
    }
    function Ze(e, n, t) {
      return t.low <= n.lim && n.lim <= t.lim;
    }
    var dn = _t;
    function _t(e) {
      let n = e.graph().ranker;
      if (typeof n == "function") return n(e);
      switch (n) {
        case "network-simplex":
          an(e);
          break;
        case "tight-tree":
          Ct(e);
          break;
        case "longest-path":
          Ot(e);
          break;
        case "none":
          break;
        default:
          an(e);
      }
    }
    var Ot = U;
    function Ct(e) {
      U(e), ne(e);
    }
    function an(e) {
      en(e);
    }
    var ln = Tt;
    function Tt(e) {
      let n = Rt(e), t = e.graph();
      if (!Array.isArray(t.dummyChains)) return;
      t.dummyChains.forEach((o) => {
        let i = e.node(o), s = i.edgeObj, a = jt(e, n, s.v, s.w), l = a.path, u = a.lca, d = 0, c = l[d], f = true;
        for (; o !== s.w; ) {
          if (i = e.node(o), f) {
            for (; (c = l[d]) !== u && e.node(c).maxRank < i.rank; ) d++;
            c === u && (f = false);
          }
          if (!f) {
            for (; d < l.length - 1 && e.node(l[d + 1]).minRank <= i.rank; ) d++;
            c = l[d];
          }
          c !== void 0 && e.setParent(o, c), o = e.successors(o)[0];
        }
      });
    }
    function jt(e, n, t, r) {
      let o = [], i = [], s = Math.min(n[t].low, n[r].low), a = Math.max(n[t].lim, n[r].lim), l;
      l = t;
      do
        l = e.parent(l), o.push(l);
      while (l && (n[l].low > s || a > n[l].lim));
      let u = l, d = r;
      for (; (d = e.parent(d)) !== u; ) i.push(d);
      return { path: o.concat(i.reverse()), lca: u };
    }
    function Rt(e) {
      let n = {}, t = 0;
      function r(o) {
        let i = t;
        e.children(o).forEach(r), n[o] = { low: i, lim: t++ };
      }
      return e.children(V).forEach(r), n;
    }
    function un(e) {
      let n = M(e, "root", {}, "_root"), t = It(e), r = Object.values(t), o = S(Math.max, r) - 1, i = 2 * o + 1;
      e.graph().nestingRoot = n, e.edges().forEach((a) => e.edge(a).minlen *= i);
      let s = St(e) + 1;
      e.children(V).forEach((a) => {
        cn(e, n, i, s, o, t, a);
      }), e.graph().nodeRankFactor = i;
    }
    function cn(e, n, t, r, o, i, s) {
      var c;
      let a = e.children(s);
      if (!a.length) {
        s !== n && e.setEdge(n, s, { weight: 0, minlen: t });
        return;
      }
      let l = ae(e, "_bt"), u = ae(e, "_bb"), d = e.node(s);
      e.setParent(l, s), d.borderTop = l, e.setParent(u, s), d.borderBottom = u, a.forEach((f) => {
        var b;
        cn(e, n, t, r, o, i, f);
        let h2 = e.node(f), g = h2.borderTop ? h2.borderTop : f, m = h2.borderBottom ? h2.borderBottom : f, L = h2.borderTop ? r : 2 * r, y = g !== m ? 1 : o - ((b = i[s]) != null ? b : 0) + 1;
        e.setEdge(l, g, { weight: L, minlen: y, nestingEdge: true }), e.setEdge(m, u, { weight: L, minlen: y, nestingEdge: true });
      }), e.parent(s) || e.setEdge(n, l, { weight: 0, minlen: o + ((c = i[s]) != null ? c : 0) });
    }
    function It(e) {
      let n = {};
      function t(r, o) {
        let i = e.children(r);
        i && i.length && i.forEach((s) => t(s, o + 1)), n[r] = o;
      }
      return e.children(V).forEach((r) => t(r, 1)), n;
    }
    function St(e) {
      return e.edges().reduce((n, t) => n + e.edge(t).weight, 0);
    }
    function fn(e) {
      let n = e.graph();
      e.removeNode(n.nestingRoot), delete n.nestingRoot, e.edges().forEach((t) => {
        e.edge(t).nestingEdge && e.removeEdge(t);
      });
    }
    var bn = Pt;
    function Pt(e) {
      function n(t) {
        let r = e.children(t), o = e.node(t);
        if (r.length && r.forEach(n), o && Object.hasOwn(o, "minRank")) {
          o.borderLeft = [], o.borderRight = [];
          for (let i = o.minRank, s = o.maxRank + 1; i < s; ++i) hn(e, "borderLeft", "_bl", t, o, i), hn(e, "borderRight", "_br", t, o, i);
        }
      }
      e.children(V).forEach(n);
    }
    function hn(e, n, t, r, o, i) {
      let s = { width: 0, height: 0, rank: i, borderType: n }, a = o[n][i - 1], l = M(e, "border", s, t);
      o[n][i] = l, e.setParent(l, r), a && e.setEdge(a, l, { weight: 1 });
    }
    function pn(e) {
      var t;
      let n = (t = e.graph().rankdir) == null ? void 0 : t.toLowerCase();
      (n === "lr" || n === "rl") && En(e);
    }
    function mn(e) {
      var t;
      let n = (t = e.graph().rankdir) == null ? void 0 : t.toLowerCase();
      (n === "bt" || n === "rl") && Ft(e), (n === "lr" || n === "rl") && (Dt(e), En(e));
    }
    function En(e) {
      e.nodes().forEach((n) => gn(e.node(n))), e.edges().forEach((n) => gn(e.edge(n)));
    }
    function gn(e) {
      let n = e.width;
      e.width = e.height, e.height = n;
    }
    function Ft(e) {
      e.nodes().forEach((n) => me(e.node(n))), e.edges().forEach((n) => {
        var r;
        let t = e.edge(n);
        (r = t.points) == null || r.forEach(me), Object.hasOwn(t, "y") && me(t);
      });
    }
    function me(e) {
      e.y = -e.y;
    }
    function Dt(e) {
      e.nodes().forEach((n) => Ee(e.node(n))), e.edges().forEach((n) => {
        var r;
        let t = e.edge(n);
        (r = t.points) == null || r.forEach(Ee), Object.hasOwn(t, "x") && Ee(t);
      });
    }
    function Ee(e) {
      let n = e.x;
      e.x = e.y, e.y = n;
    }
    function Le(e, n = null) {
      let t = {}, r = e.nodes().filter((d) => !e.children(d).length), o = r.map((d) => e.node(d).rank), i = S(Math.max, o), s = D(i + 1).map(() => []);
      function a(d) {
        if (t[d]) return;
        t[d] = true;
        let c = e.node(d);
        s[c.rank].push(d);
        let f = e.successors(d);
        f && [...f].sort((g, m) => u(g, m)).forEach(a);
      }
      r.sort((d, c) => e.node(d).rank - e.node(c).rank).forEach(a);
      function u(d, c) {
        let f = e.node(d), h2 = e.node(c);
        return ee(n, f, h2);
      }
      return s;
    }
    function ye(e, n) {
      let t = 0;
      for (let r = 1; r < n.length; ++r) t += Vt(e, n[r - 1], n[r]);
      return t;
    }
    function Vt(e, n, t) {
      let r = He(t, t.map((u, d) => d)), o = n.flatMap((u) => {
        let d = e.outEdges(u);
        return d ? d.map((c) => ({ pos: r[c.w], weight: e.edge(c).weight })).sort((c, f) => c.pos - f.pos) : [];
      }), i = 1;
      for (; i < t.length; ) i <<= 1;
      let s = 2 * i - 1;
      i -= 1;
      let a = new Array(s).fill(0), l = 0;
      return o.forEach((u) => {
        let d = u.pos + i;
        a[d] += u.weight;
        let c = 0;
        for (; d > 0; ) d % 2 && (c += a[d + 1]), d = d - 1 >> 1, a[d] += u.weight;
        l += u.weight * c;
      }), l;
    }
    function we(e, n = []) {
      return n.map((t) => {
        let r = e.inEdges(t);
        if (!r || !r.length) return { v: t };
        {
          let o = r.reduce((i, s) => {
            let a = e.edge(s), l = e.node(s.v);
            return { sum: i.sum + a.weight * l.order, weight: i.weight + a.weight };
          }, { sum: 0, weight: 0 });
          return { v: t, barycenter: o.sum / o.weight, weight: o.weight };
        }
      });
    }
    function Ne(e, n) {
      let t = {};
      e.forEach((o, i) => {
        let s = { indegree: 0, in: [], out: [], vs: [o.v], i };
        o.barycenter !== void 0 && (s.barycenter = o.barycenter, s.weight = o.weight), t[o.v] = s;
      }), n.edges().forEach((o) => {
        let i = t[o.v], s = t[o.w];
        i !== void 0 && s !== void 0 && (s.indegree++, i.out.push(s));
      });
      let r = Object.values(t).filter((o) => !o.indegree);
      return Yt(r);
    }
    function Yt(e) {
      let n = [];
      function t(o) {
        return (i) => {
          i.merged || (i.barycenter === void 0 || o.barycenter === void 0 || i.barycenter >= o.barycenter) && Bt(o, i);
        };
      }
      function r(o) {
        return (i) => {
          i.in.push(o), --i.indegree === 0 && e.push(i);
        };
      }
      for (; e.length; ) {
        let o = e.pop();
        n.push(o), o.in.reverse().forEach(t(o)), o.out.forEach(r(o));
      }
      return n.filter((o) => !o.merged).map((o) => W(o, ["vs", "i", "barycenter", "weight"]));
    }
    function Bt(e, n) {
      let t = 0, r = 0;
      e.weight && (t += e.barycenter * e.weight, r += e.weight), n.weight && (t += n.barycenter * n.weight, r += n.weight), e.vs = n.vs.concat(e.vs), e.barycenter = t / r, e.weight = r, e.i = Math.min(n.i, e.i), n.merged = true;
    }
    function Ge(e, n, t, r, o) {
      let i = {}, s = null, a = null, l = o;
      typeof n == "boolean" ? (l = n, i = {}) : n && (i = n, s = t != null ? t : null, a = r != null ? r : null);
      let u = ze(e, (y) => Object.hasOwn(y, "barycenter")), d = u.lhs, c = u.rhs.sort((y, b) => b.i - y.i), f = [], h2 = 0, g = 0, m = 0;
      d.sort(Wt(a, s, !!l));
      for (let [y, b] of Object.entries(i)) {
        let p = d.findIndex((E) => E.vs[0] === y);
        d.splice(p + 1, 0, b);
      }
      m = Ln(f, c, m), d.forEach((y) => {
        m += y.vs.length, f.push(y.vs), h2 += y.barycenter * y.weight, g += y.weight, m = Ln(f, c, m);
      });
      let L = { vs: f.flat(1) };
      return g && (L.barycenter = h2 / g, L.weight = g), L;
    }
    function Ln(e, n, t) {
      let r;
      for (; n.length && (r = n[n.length - 1]).i <= t; ) n.pop(), e.push(r.vs), t++;
      return t;
    }
    function Wt(e, n, t) {
      return (r, o) => {
        if (r.barycenter < o.barycenter) return -1;
        if (r.barycenter > o.barycenter) return 1;
        if (e && (typeof r.vs[0] == "string" || typeof o.vs[0] == "string")) {
          let i = e.node(r.vs[0]), s = e.node(o.vs[0]), a = ee(n, i, s);
          if (a !== 0) return a;
        }
        return t ? o.i - r.i : r.i - o.i;
      };
    }
    function te(e, n, t, r, o) {
      var y, b, p, E, w, k, _, O, j, R, I;
      let i = null, s = o;
      typeof r == "boolean" ? (s = r, i = null) : r !== void 0 && (i = r);
      let a = e.children(n), l = e.node(n), u = l ? l.borderLeft : void 0, d = l ? l.borderRight : void 0, c = {};
      u && (a = a.filter((v) => v !== u && v !== d));
      let f = we(e, a);
      f.forEach((v) => {
        if (e.children(v.v).length) {
          let { result: x } = te(e, v.v, t, i, s);
          c[v.v] = x, Object.hasOwn(x, "barycenter") && zt(v, x);
        }
      });
      let h2 = Ne(f, t);
      Xt(h2, c);
      let g = {}, m = false;
      for (let v = 0; v < h2.length; v++) for (let x = v + 1; x < h2.length; x++) if (!(!h2[v] || !h2[x] || !((y = h2[v]) != null && y.barycenter) || !((b = h2[x]) != null && b.barycenter)) && ((p = h2[v]) == null ? void 0 : p.barycenter) === h2[x].barycenter) {
        let G = (w = (E = h2[v]) == null ? void 0 : E.vs[0]) != null ? w : "", N = (_ = (k = h2[x]) == null ? void 0 : k.vs[0]) != null ? _ : "", C = e.node(G), B = e.node(N);
        if (C.dummy === "edge" && B.dummy === "edge" && ((O = C.edgeObj) == null ? void 0 : O.v) === ((j = B.edgeObj) == null ? void 0 : j.v) && ((R = C.edgeObj) == null ? void 0 : R.w) === ((I = B.edgeObj) == null ? void 0 : I.w)) if (C.edgeLabel.reversed) {
          g[N] = h2[v], h2.splice(v, 1), v--;
          break;
        } else g[G] || (g[G] = h2[x], h2.splice(x, 1), x--);
        else m = true;
      }
      let L = Ge(h2, g, i, e, s);
      if (u && d) {
        L.vs = [u, L.vs, d].flat(1);
        let v = e.predecessors(u);
        if (v && v.length) {
          let x = e.node(v[0]), G = e.predecessors(d), N = e.node(G[0]);
          Object.hasOwn(L, "barycenter") || (L.barycenter = 0, L.weight = 0), L.barycenter = (L.barycenter * L.weight + x.order + N.order) / (L.weight + 2), L.weight += 2;
        }
      }
      return Object.defineProperty(L, "result", { value: L, enumerable: false, configurable: true, writable: true }), Object.defineProperty(L, "usedBias", { value: m, enumerable: false, configurable: true, writable: true }), L;
    }
    function Xt(e, n) {
      e.forEach((t) => {
        t.vs = t.vs.flatMap((r) => n[r] ? n[r].vs : r);
      });
    }
    function zt(e, n) {
      e.barycenter !== void 0 ? (e.barycenter = (e.barycenter * e.weight + n.barycenter * n.weight) / (e.weight + n.weight), e.weight += n.weight) : (e.barycenter = n.barycenter, e.weight = n.weight);
    }
    function ve(e, n, t, r) {
      r || (r = e.nodes());
      let o = Ht(e), i = new T({ compound: true }).setGraph({ root: o }).setDefaultNodeLabel((s) => e.node(s));
      return r.forEach((s) => {
        let a = e.node(s), l = e.parent(s);
        if (a.rank === n || a.minRank <= n && n <= a.maxRank) {
          i.setNode(s), i.setParent(s, l || o);
          let u = e[t](s);
          u && u.forEach((d) => {
            let c = d.v === s ? d.w : d.v, f = i.edge(c, s), h2 = f !== void 0 ? f.weight : 0;
            i.setEdge(c, s, { weight: e.edge(d).weight + h2 });
          }), Object.hasOwn(a, "minRank") && i.setNode(s, { borderLeft: a.borderLeft[n], borderRight: a.borderRight[n] });
        }
      }), i;
    }
    function Ht(e) {
      let n;
      for (; e.hasNode(n = $("_root")); ) ;
      return n;
    }
    function ke(e, n, t) {
      let r = {}, o;
      t.forEach((i) => {
        let s = e.parent(i), a, l;
        for (; s; ) {
          if (a = e.parent(s), a ? (l = r[a], r[a] = s) : (l = o, o = s), l && l !== s) {
            n.setEdge(l, s);
            return;
          }
          s = a;
        }
      });
    }
    function re(e, n = {}, t = null) {
      if (typeof n.customOrder == "function") {
        n.customOrder(e, re);
        return;
      }
      let r = de(e), o = yn(e, D(1, r + 1), "inEdges"), i = yn(e, D(r - 1, -1, -1), "outEdges"), s = Le(e, t);
      if (wn(e, s), n.disableOptimalOrderHeuristic) return;
      let a = Number.POSITIVE_INFINITY, l, u = n.constraints || [];
      for (let d = 0, c = 0; c < 4; ++d, ++c) {
        qt(d % 2 ? o : i, d % 4 >= 2, u, t), s = P(e);
        let f = ye(e, s);
        f < a ? (c = 0, l = Object.assign({}, s), a = f) : f === a && (l = structuredClone(s));
      }
      wn(e, l);
    }
    function yn(e, n, t) {
      let r = /* @__PURE__ */ new Map(), o = (i, s) => {
        r.has(i) || r.set(i, []), r.get(i).push(s);
      };
      for (let i of e.nodes()) {
        let s = e.node(i);
        if (typeof s.rank == "number" && o(s.rank, i), typeof s.minRank == "number" && typeof s.maxRank == "number") for (let a = s.minRank; a <= s.maxRank; a++) a !== s.rank && o(a, i);
      }
      return n.map(function(i) {
        return ve(e, i, t, r.get(i) || []);
      });
    }
    function qt(e, n, t, r) {
      let o = true, i = new T();
      e.forEach(function(s) {
        t.forEach((d) => i.setEdge(d.left, d.right));
        let a = s.graph().root, { result: l, usedBias: u } = te(s, a, i, r, o);
        n && u && (o = !o), l.vs.forEach((d, c) => s.node(d).order = c), ke(s, i, l.vs);
      });
    }
    function wn(e, n) {
      Object.values(n).forEach((t) => t.forEach((r, o) => e.node(r).order = o));
    }
    function $t(e, n) {
      let t = {};
      function r(o, i) {
        let s = 0, a = 0, l = o.length, u = i[i.length - 1];
        return i.forEach((d, c) => {
          let f = Jt(e, d), h2 = f ? e.node(f).order : l;
          (f || d === u) && (i.slice(a, c + 1).forEach((g) => {
            let m = e.predecessors(g);
            m && m.forEach((L) => {
              let y = e.node(L), b = y.order;
              (b < s || h2 < b) && !(y.dummy && e.node(g).dummy) && Gn(t, L, g);
            });
          }), a = c + 1, s = h2);
        }), i;
      }
      return n.length && n.reduce(r), t;
    }
    function Ut(e, n) {
      let t = {};
      function r(a) {
        var l;
        return ((l = e.node(a)) == null ? void 0 : l.dummy) === "border";
      }
      if (!e.nodes().some(r)) return t;
      function i(a, l, u, d, c) {
        D(l, u).forEach((f) => {
          let h2 = a[f];
          if (h2 !== void 0 && e.node(h2).dummy) {
            let g = e.predecessors(h2);
            g && g.forEach((m) => {
              if (m === void 0) return;
              let L = e.node(m);
              L.dummy && (L.order < d || L.order > c) && Gn(t, m, h2);
            });
          }
        });
      }
      function s(a, l) {
        let u = -1, d = -1, c = 0;
        return l.forEach((f, h2) => {
          if (r(f)) {
            let g = e.predecessors(f);
            if (g && g.length) {
              let m = g[0];
              if (m === void 0) return;
              d = e.node(m).order, i(l, c, h2, u, d), c = h2, u = d;
            }
          }
          i(l, c, l.length, d, a.length);
        }), l;
      }
      return n.length && n.reduce(s), t;
    }
    function Jt(e, n) {
      if (e.node(n).dummy) {
        let t = e.predecessors(n);
        if (t) return t.find((r) => e.node(r).dummy);
      }
    }
    function Gn(e, n, t) {
      if (n > t) {
        let o = n;
        n = t, t = o;
      }
      let r = e[n];
      r || (e[n] = r = {}), r[t] = true;
    }
    function Kt(e, n, t) {
      if (n > t) {
        let o = n;
        n = t, t = o;
      }
      let r = e[n];
      return r !== void 0 && Object.hasOwn(r, t);
    }
    function Qt(e, n, t, r, o) {
      let i = {}, s = {}, a = {};
      return n.forEach((l) => {
        l.forEach((u, d) => {
          i[u] = u, s[u] = u, a[u] = d;
        });
      }), n.forEach((l) => {
        let u = -1, d = -1, c = false, f = l, h2 = l.findIndex((g) => (o == null ? void 0 : o.includes(g)) || Nn(g, e, o));
        h2 > 0 && (f = [l[h2], ...l.slice(0, h2), ...l.slice(h2 + 1)], c = true), f.forEach((g) => {
          var L;
          let m = r(g);
          if (m && m.length) {
            o != null && o.includes(g) && (m = m.filter((p) => Nn(p, e, o)));
            let y = m.sort((p, E) => {
              let w = a[p], k = a[E];
              return (w !== void 0 ? w : 0) - (k !== void 0 ? k : 0);
            }), b = (y.length - 1) / 2;
            for (let p = Math.floor(b), E = Math.ceil(b); p <= E; ++p) {
              let w = y[p];
              if (w === void 0) continue;
              let k = a[w];
              if (k !== void 0 && s[g] === g && u < k && a[w] !== d && !Kt(t, g, w)) {
                let _ = i[w];
                _ !== void 0 && (s[w] = g, s[g] = i[g] = _, u = k, c && (u = -1, d = (L = a[w]) != null ? L : -1, c = false));
              }
            }
          }
        });
      }), { root: i, align: s };
    }
    function Zt(e, n, t, r, o = false) {
      let i = {}, s = er(e, n, t, o), a = o ? "borderLeft" : "borderRight";
      function l(h2, g) {
        let m = s.nodes().slice(), L = {}, y = m.pop();
        for (; y; ) {
          if (L[y]) h2(y);
          else {
            L[y] = true, m.push(y);
            for (let b of g(y)) m.push(b);
          }
          y = m.pop();
        }
      }
      function u(h2) {
        let g = s.inEdges(h2);
        g ? i[h2] = g.reduce((m, L) => {
          var p;
          let y = (p = i[L.v]) != null ? p : 0, b = s.edge(L);
          return Math.max(m, y + (b !== void 0 ? b : 0));
        }, 0) : i[h2] = 0;
      }
      function d(h2) {
        let g = s.outEdges(h2), m = Number.POSITIVE_INFINITY;
        g && (m = g.reduce((y, b) => {
          let p = i[b.w], E = s.edge(b);
          return Math.min(y, (p !== void 0 ? p : 0) - (E !== void 0 ? E : 0));
        }, Number.POSITIVE_INFINITY));
        let L = e.node(h2);
        m !== Number.POSITIVE_INFINITY && L.borderType !== a && (i[h2] = Math.max(i[h2] !== void 0 ? i[h2] : 0, m));
      }
      function c(h2) {
        return s.predecessors(h2) || [];
      }
      function f(h2) {
        return s.successors(h2) || [];
      }
      return l(u, c), l(d, f), Object.keys(r).forEach((h2) => {
        var m;
        let g = t[h2];
        g !== void 0 && (i[h2] = (m = i[g]) != null ? m : 0);
      }), i;
    }
    function er(e, n, t, r) {
      let o = new T(), i = e.graph(), s = or(i.nodesep, i.edgesep, r);
      return n.forEach((a) => {
        let l;
        a.forEach((u) => {
          let d = t[u];
          if (d !== void 0) {
            if (o.setNode(d), l !== void 0) {
              let c = t[l];
              if (c !== void 0) {
                let f = o.edge(c, d);
                o.setEdge(c, d, Math.max(s(e, u, l), f || 0));
              }
            }
            l = u;
          }
        });
      }), o;
    }
    function nr(e, n) {
      return Object.values(n).reduce((t, r) => {
        let o = Number.NEGATIVE_INFINITY, i = Number.POSITIVE_INFINITY;
        Object.entries(r).forEach(([a, l]) => {
          let u = ir(e, a) / 2;
          o = Math.max(l + u, o), i = Math.min(l - u, i);
        });
        let s = o - i;
        return s < t[0] && (t = [s, r]), t;
      }, [Number.POSITIVE_INFINITY, null])[1];
    }
    function tr(e, n) {
      let t = Object.values(n), r = S(Math.min, t), o = S(Math.max, t);
      ["u", "d"].forEach((i) => {
        ["l", "r"].forEach((s) => {
          let a = i + s, l = e[a];
          if (!l || l === n) return;
          let u = Object.values(l), d = r - S(Math.min, u);
          s !== "l" && (d = o - S(Math.max, u)), d && (e[a] = X(l, (c) => c + d));
        });
      });
    }
    function rr(e, n = void 0) {
      let t = e.ul;
      return t ? X(t, (r, o) => {
        var s, a;
        if (n) {
          let l = n.toLowerCase(), u = e[l];
          if (u && u[o] !== void 0) return u[o];
        }
        let i = Object.values(e).map((l) => {
          let u = l[o];
          return u !== void 0 ? u : 0;
        }).sort((l, u) => l - u);
        return (((s = i[1]) != null ? s : 0) + ((a = i[2]) != null ? a : 0)) / 2;
      }) : {};
    }
    function vn(e, n) {
      let t = P(e), r = Object.assign($t(e, t), Ut(e, t)), o = {}, i;
      ["u", "d"].forEach((a) => {
        i = a === "u" ? t : Object.values(t).reverse(), ["l", "r"].forEach((l) => {
          l === "r" && (i = i.map((f) => Object.values(f).reverse()));
          let d = Qt(e, i, r, (f) => (a === "u" ? e.predecessors(f) : e.successors(f)) || [], n), c = Zt(e, i, d.root, d.align, l === "r");
          l === "r" && (c = X(c, (f) => -f)), o[a + l] = c;
        });
      });
      let s = nr(e, o);
      return tr(o, s), rr(o, e.graph().align);
    }
    function or(e, n, t) {
      return (r, o, i) => {
        let s = r.node(o), a = r.node(i), l = 0, u;
        if (l += s.width / 2, Object.hasOwn(s, "labelpos")) switch (s.labelpos.toLowerCase()) {
          case "l":
            u = -s.width / 2;
            break;
          case "r":
            u = s.width / 2;
            break;
        }
        if (u && (l += t ? u : -u), u = void 0, l += (s.dummy ? n : e) / 2, l += (a.dummy ? n : e) / 2, l += a.width / 2, Object.hasOwn(a, "labelpos")) switch (a.labelpos.toLowerCase()) {
          case "l":
            u = a.width / 2;
            break;
          case "r":
            u = -a.width / 2;
            break;
        }
        return u && (l += t ? u : -u), l;
      };
    }
    function ir(e, n) {
      return e.node(n).width;
    }
    function Nn(e, n, t) {
      var s;
      if (!t) return false;
      let r = (s = n.node(e)) == null ? void 0 : s.edgeObj;
      if (!r || n.node(e).edgeLabel.reversed) return false;
      let o = t.indexOf(r == null ? void 0 : r.v), i = t.indexOf(r == null ? void 0 : r.w);
      return o !== -1 && i !== -1 && o === (i + 1) % t.length || o === (i - 1) % t.length;
    }
    function kn(e, n) {
      e = Z(e), sr(e), Object.entries(vn(e, n)).forEach(([t, r]) => e.node(t).x = r);
    }
    function sr(e) {
      let n = P(e), t = e.graph(), r = t.ranksep, o = t.rankalign, i = 0;
      n.forEach((s) => {
        let a = s.reduce((l, u) => {
          var c;
          let d = (c = e.node(u).height) != null ? c : 0;
          return l > d ? l : d;
        }, 0);
        s.forEach((l) => {
          let u = e.node(l);
          o === "top" ? u.y = i + u.height / 2 : o === "bottom" ? u.y = i + a - u.height / 2 : u.y = i + a / 2;
        }), i += a + r;
      });
    }
    var xn = /* @__PURE__ */ new WeakMap();
    function Oe(e, n = {}) {
      return In(e, q, n), e;
    }
    function _n(e, n, t) {
      let r = n;
      for (; r !== void 0; ) {
        let o = e.parent(r);
        if (o === t) return r;
        r = o;
      }
    }
    function In(e, n, t) {
      var y;
      let r = e.nodes().filter((b) => e.children(b).length), o = {};
      r.forEach((b) => {
        let p = e.node(b);
        if (p && p.rankdir) {
          let E = new T({ multigraph: true, compound: true });
          E.setGraph({ rankdir: p.rankdir });
          let w = e.children(b);
          w.forEach((G) => {
            let N = { ...e.node(G) };
            E.setNode(G, N);
            let C = e.parent(G);
            C && C !== b && w.includes(C) && E.setParent(G, C);
          });
          let k = /* @__PURE__ */ new Set();
          e.edges().forEach((G) => {
            let N = _n(e, G.v, b), C = _n(e, G.w, b);
            if (N === G.v && C === G.w) E.setEdge(G, { ...e.edge(G) });
            else if (N && C && N !== C) {
              let B = `${N}\0${C}`;
              k.has(B) || (k.add(B), E.setEdge(N, C, { ...e.edge(G) }));
            }
          }), In(E, n, t);
          let _ = Rn(E);
          Cn(_, n, t, null), Tn(E, _);
          let O = 1 / 0, j = 1 / 0, R = -1 / 0, I = -1 / 0;
          E.nodes().forEach((G) => {
            if (G === b) return;
            let N = E.node(G);
            N && typeof N.x == "number" && typeof N.y == "number" && typeof N.width == "number" && typeof N.height == "number" && (O = Math.min(O, N.x - N.width / 2), R = Math.max(R, N.x + N.width / 2), j = Math.min(j, N.y - N.height / 2), I = Math.max(I, N.y + N.height / 2));
          }), (!isFinite(O) || !isFinite(j) || !isFinite(R) || !isFinite(I)) && (O = j = 0, R = I = 0);
          let v = R - O, x = I - j;
          o[b] = { minX: O, minY: j, maxX: R, maxY: I, width: v, height: x, offsetX: O, offsetY: j }, p._dagreClusterSubgraph = E;
        }
      });
      let i = [], s = (b) => {
        let p = [], E = (e.children(b) || []).filter((w) => w !== b);
        for (; E.length > 0; ) {
          let w = E.shift();
          p.push(w), (e.children(w) || []).filter((k) => k !== w).forEach((k) => E.push(k));
        }
        return p;
      }, a = /* @__PURE__ */ new Map();
      r.forEach((b) => {
        let p = e.node(b);
        p && p.rankdir && o[b] && a.set(b, (e.children(b) || []).filter((E) => E !== b));
      });
      let l = new Set([...a.values()].flat()), u = /* @__PURE__ */ new Map();
      a.forEach((b, p) => {
        l.has(p) || u.set(p, s(p));
      });
      let d = new Set([...u.values()].flat()), c = (b) => {
        for (let [p, E] of u) if (E.includes(b)) return p;
        return b;
      }, f = [];
      e.edges().forEach((b) => {
        (d.has(b.v) || d.has(b.w)) && f.push({ edge: b, label: e.edge(b) });
      });
      let h2 = /* @__PURE__ */ new Map();
      d.forEach((b) => {
        let p = e.parent(b);
        h2.set(b, typeof p == "string" ? p : void 0);
      }), u.forEach((b, p) => {
        let E = e.node(p), w = [];
        b.forEach((O) => {
          let j = e.node(O);
          j && (w.push({ id: O, node: j, parent: h2.get(O) }), e.removeNode(O));
        });
        let k = f.filter(({ edge: O }) => b.includes(O.v) || b.includes(O.w)), _ = o[p];
        E && (i.push({ clusterId: p, subgraph: E._dagreClusterSubgraph, bounds: _, children: b, removedNodes: w, removedEdges: k }), E.width = _.width, E.height = _.height);
      });
      let g = /* @__PURE__ */ new Set();
      f.forEach(({ edge: b, label: p }) => {
        let E = c(b.v), w = c(b.w);
        if (E !== w && e.hasNode(E) && e.hasNode(w)) {
          let k = `${E}\0${w}`;
          g.has(k) || (g.add(k), e.setEdge(E, w, { ...p, width: 0, height: 0 }));
        }
      });
      let m = Rn(e), L = Cn(m, n, t, (y = xn.get(e)) != null ? y : null);
      xn.set(e, L), Tn(e, m), g.forEach((b) => {
        let p = b.indexOf("\0"), E = b.slice(0, p), w = b.slice(p + 1);
        e.hasEdge(E, w) && e.removeEdge(E, w);
      }), i.forEach(({ clusterId: b, subgraph: p, bounds: E, removedNodes: w, removedEdges: k }) => {
        var v, x;
        let _ = e.node(b), O = (v = _ == null ? void 0 : _.x) != null ? v : 0, j = (x = _ == null ? void 0 : _.y) != null ? x : 0, R = (E.minX + E.maxX) / 2, I = (E.minY + E.maxY) / 2;
        w.forEach(({ id: G, node: N, parent: C }) => {
          e.setNode(G, N), C !== void 0 && e.setParent(G, C);
        }), k.forEach(({ edge: G, label: N }) => {
          e.setEdge(G, N);
        }), p.nodes().forEach((G) => {
          if (G === b) return;
          let N = p.node(G), C = e.node(G);
          C && N && typeof N.x == "number" && typeof N.y == "number" && (C.x = O + (N.x - R), C.y = j + (N.y - I));
        }), On(e, p, O - R, j - I), delete _._dagreClusterSubgraph;
      }), r.forEach((b) => {
        var w, k;
        let p = e.node(b), E = o[b];
        if (p && p.rankdir && p._dagreClusterSubgraph && E) {
          let _ = p._dagreClusterSubgraph, O = (w = p.x) != null ? w : 0, j = (k = p.y) != null ? k : 0, R = (E.minX + E.maxX) / 2, I = (E.minY + E.maxY) / 2;
          _.nodes().forEach((v) => {
            if (v === b) return;
            let x = _.node(v), G = e.node(v);
            if (G && x && typeof x.x == "number" && typeof x.y == "number") {
              let N = x.x - R, C = x.y - I;
              G.x = O + N, G.y = j + C;
            }
          }), On(e, _, O - R, j - I), delete p._dagreClusterSubgraph;
        }
      });
    }
    function On(e, n, t, r) {
      n.edges().forEach((o) => {
        if (!e.hasEdge(o)) return;
        let i = n.edge(o), s = e.edge(o);
        s.points = i.points.map((a) => ({ x: a.x + t, y: a.y + r })), Object.hasOwn(i, "x") && (s.x = i.x + t, s.y = i.y + r);
      });
    }
    function Cn(e, n, t, r = null) {
      var l, u;
      let o = (t == null ? void 0 : t.useDynamic) !== false, i = o && (l = r == null ? void 0 : r.graph) != null ? l : null, s = o && (u = r == null ? void 0 : r.rawNodes) != null ? u : null;
      n("    makeSpaceForEdgeLabels", () => br(e)), n("    removeSelfEdges", () => Gr(e)), n("    acyclic", () => Ue(e, i)), n("    nestingGraph.run", () => un(e)), n("    rank", () => dn(Z(e))), n("    injectEdgeLabelProxies", () => gr(e)), n("    removeEmptyRanks", () => We(e)), n("    nestingGraph.cleanup", () => fn(e)), n("    normalizeRanks", () => Be(e)), n("    assignRankMinMax", () => pr(e)), n("    removeEdgeLabelProxies", () => mr(e)), n("    normalize.run", () => Ke(e)), n("    parentDummyChains", () => ln(e)), n("    addBorderSegments", () => bn(e)), n("    order", () => re(e, t, s)), n("    insertSelfEdges", () => vr(e)), n("    adjustCoordinateSystem", () => pn(e)), n("    position", () => kn(e, t.corePath)), n("    positionSelfEdges", () => kr(e));
      let a = JSON.parse(JSON.stringify(e._nodes));
      return n("    removeBorderNodes", () => Nr(e)), n("    normalize.undo", () => Qe(e)), n("    fixupEdgeLabelCoords", () => yr(e)), n("    undoCoordinateSystem", () => mn(e)), n("    translateGraph", () => Er(e)), n("    assignNodeIntersects", () => Lr(e)), n("    reversePoints", () => wr(e)), n("    acyclic.undo", () => Je(e)), { graph: e, rawNodes: a };
    }
    function Tn(e, n) {
      e.nodes().forEach((t) => {
        let r = e.node(t), o = n.node(t);
        r && (r.x = o.x, r.y = o.y, r.order = o.order, r.rank = o.rank, n.children(t).length && (r.width = o.width, r.height = o.height));
      }), e.edges().forEach((t) => {
        let r = e.edge(t), o = n.edge(t);
        r.points = o.points, Object.hasOwn(o, "x") && (r.x = o.x, r.y = o.y);
      }), e.graph().width = n.graph().width, e.graph().height = n.graph().height;
    }
    var ar = ["nodesep", "edgesep", "ranksep", "marginx", "marginy"];
    var dr = { ranksep: 50, edgesep: 20, nodesep: 50, rankdir: "TB", rankalign: "center" };
    var lr = ["acyclicer", "ranker", "rankdir", "align", "rankalign"];
    var ur = ["width", "height", "rank"];
    var jn = { width: 0, height: 0 };
    var cr = ["minlen", "weight", "width", "height", "labeloffset"];
    var fr = { minlen: 1, weight: 1, width: 0, height: 0, labeloffset: 10, labelpos: "r" };
    var hr = ["labelpos"];
    function Rn(e) {
      let n = new T({ multigraph: true, compound: true }), t = _e(e.graph());
      return n.setGraph(Object.assign({}, dr, xe(t, ar), W(t, lr))), e.nodes().forEach((r) => {
        let o = _e(e.node(r)), i = xe(o, ur);
        Object.keys(jn).forEach((a) => {
          i[a] === void 0 && (i[a] = jn[a]);
        }), n.setNode(r, i);
        let s = e.parent(r);
        s !== void 0 && n.setParent(r, s);
      }), e.edges().forEach((r) => {
        let o = _e(e.edge(r));
        n.setEdge(r, Object.assign({}, fr, xe(o, cr), W(o, hr)));
      }), n;
    }
    function br(e) {
      let n = e.graph();
      n.ranksep /= 2, e.edges().forEach((t) => {
        var o;
        let r = e.edge(t);
        r.minlen *= 2, ((o = r.labelpos) != null ? o : "r").toLowerCase() !== "c" && (n.rankdir === "TB" || n.rankdir === "BT" ? r.width += r.labeloffset : r.height += r.labeloffset);
      });
    }
    function gr(e) {
      e.edges().forEach((n) => {
        let t = e.edge(n);
        if (t.width && t.height) {
          let r = e.node(n.v), i = { rank: (e.node(n.w).rank - r.rank) / 2 + r.rank, e: n };
          M(e, "edge-proxy", i, "_ep");
        }
      });
    }
    function pr(e) {
      let n = 0;
      e.nodes().forEach((t) => {
        let r = e.node(t);
        r.borderTop && (r.minRank = e.node(r.borderTop).rank, r.maxRank = e.node(r.borderBottom).rank, n = Math.max(n, r.maxRank));
      }), e.graph().maxRank = n;
    }
    function mr(e) {
      e.nodes().forEach((n) => {
        let t = e.node(n);
        if (t.dummy === "edge-proxy") {
          let r = t;
          e.edge(r.e).labelRank = t.rank, e.removeNode(n);
        }
      });
    }
    function Er(e) {
      let n = Number.POSITIVE_INFINITY, t = 0, r = Number.POSITIVE_INFINITY, o = 0, i = e.graph(), s = i.marginx || 0, a = i.marginy || 0;
      function l(u) {
        let d = u.x, c = u.y, f = u.width, h2 = u.height;
        n = Math.min(n, d - f / 2), t = Math.max(t, d + f / 2), r = Math.min(r, c - h2 / 2), o = Math.max(o, c + h2 / 2);
      }
      e.nodes().forEach((u) => l(e.node(u))), e.edges().forEach((u) => {
        let d = e.edge(u);
        Object.hasOwn(d, "x") && l(d);
      }), n -= s, r -= a, e.nodes().forEach((u) => {
        let d = e.node(u);
        d.x -= n, d.y -= r;
      }), e.edges().forEach((u) => {
        let d = e.edge(u);
        d.points.forEach((c) => {
          c.x -= n, c.y -= r;
        }), Object.hasOwn(d, "x") && (d.x -= n), Object.hasOwn(d, "y") && (d.y -= r);
      }), i.width = t - n + s, i.height = o - r + a;
    }
    function Lr(e) {
      e.edges().forEach((n) => {
        if (n.v === n.w) return;
        let t = e.edge(n), r = e.node(n.v), o = e.node(n.w), i, s;
        t.points ? (i = t.points[0], s = t.points[t.points.length - 1]) : (t.points = [], i = o, s = r), t.points.unshift(se(r, i)), t.points.push(se(o, s));
      });
    }
    function yr(e) {
      e.edges().forEach((n) => {
        let t = e.edge(n);
        if (Object.hasOwn(t, "x")) switch ((t.labelpos === "l" || t.labelpos === "r") && (t.width -= t.labeloffset), t.labelpos) {
          case "l":
            t.x -= t.width / 2 + t.labeloffset;
            break;
          case "r":
            t.x += t.width / 2 + t.labeloffset;
            break;
        }
      });
    }
    function wr(e) {
      e.edges().forEach((n) => {
        let t = e.edge(n);
        t.reversed && t.points.reverse();
      });
    }
    function Nr(e) {
      e.nodes().forEach((n) => {
        if (e.children(n).length) {
          let t = e.node(n), r = e.node(t.borderTop), o = e.node(t.borderBottom), i = e.node(t.borderLeft[t.borderLeft.length - 1]), s = e.node(t.borderRight[t.borderRight.length - 1]);
          t.width = Math.abs(s.x - i.x), t.height = Math.abs(o.y - r.y), t.x = i.x + t.width / 2, t.y = r.y + t.height / 2;
        }
      }), e.nodes().forEach((n) => {
        e.node(n).dummy === "border" && e.removeNode(n);
      });
    }
    function Gr(e) {
      e.edges().forEach((n) => {
        if (n.v === n.w) {
          let t = e.node(n.v);
          t.selfEdges || (t.selfEdges = []), t.selfEdges.push({ e: n, label: e.edge(n) }), e.removeEdge(n);
        }
      });
    }
    function vr(e) {
      P(e).forEach((t) => {
        let r = 0;
        t.forEach((o, i) => {
          let s = e.node(o);
          typeof s.rank != "number" && (s.rank = 0), s.order = i + r, (s.selfEdges || []).forEach((a) => {
            M(e, "selfedge", { width: a.label.width, height: a.label.height, rank: s.rank, order: i + ++r, e: a.e, edgeLabel: a.label }, "_se"), (!Array.isArray(a.label.points) || a.label.points.length !== 7) && (a.label.points = [{ x: 0, y: -10 }, { x: 0, y: -10 }, { x: 0, y: 0 }, { x: 0, y: 10 }, { x: 0, y: 10 }, { x: 0, y: 0 }, { x: 0, y: 0 }]);
          }), delete s.selfEdges;
        });
      });
    }
    function kr(e) {
      e.nodes().forEach((n) => {
        let t = e.node(n), r = (o) => typeof o == "number" && isFinite(o);
        if (t.dummy === "selfedge") {
          let o = t, i = e.node(o.e.v), s = r(i == null ? void 0 : i.x) ? i.x : 0, a = r(i == null ? void 0 : i.y) ? i.y : 0, l = r(i == null ? void 0 : i.width) ? i.width : 0, u = r(i == null ? void 0 : i.height) ? i.height : 0, d = r(t.x) ? t.x : s, c = r(t.y) ? t.y : a, f = l / 2, h2 = u / 2;
          o.edgeLabel.points = [{ x: d + f, y: c - h2 }, { x: d + f, y: c - h2 }, { x: d, y: c }, { x: d - f, y: c + h2 }, { x: d - f, y: c + h2 }, { x: d, y: c }, { x: d, y: c }], o.edgeLabel.x = d, o.edgeLabel.y = c, e.setEdge(o.e, o.edgeLabel), e.removeNode(n);
        } else t && Array.isArray(t.selfEdges) && t.selfEdges.forEach((o) => {
          if (!Array.isArray(o.label.points) || o.label.points.length !== 7) {
            let i = r(t.x) ? t.x : 0, s = r(t.y) ? t.y : 0, a = r(t.width) ? t.width : 0, l = r(t.height) ? t.height : 0, u = a / 2, d = l / 2;
            o.label.points = [{ x: i + u, y: s - d }, { x: i + u, y: s - d }, { x: i, y: s }, { x: i - u, y: s + d }, { x: i - u, y: s + d }, { x: i, y: s }, { x: i, y: s }];
          }
        });
      });
    }
    function xe(e, n) {
      return X(W(e, n), Number);
    }
    function _e(e) {
      let n = {};
      return e && Object.entries(e).forEach(([t, r]) => {
        typeof t == "string" && (t = t.toLowerCase()), n[t] = r;
      }), n;
    }
    var GAP = { rank: 30, node: 24, edge: 12 };
    var FRAME2 = { header: 38, pad: 16, exit: 28, least: 120, beside: 38 };
    var LABEL_GAP2 = 7;
    function dagreEngine({ sizes, edges, ranks }) {
      const graph = new ie.Graph({ multigraph: true });
      const ranker = (ranked) => {
        for (const id of ranked.nodes()) ranked.node(id).rank = id in ranks ? ranks[Number(id)] * 2 : -1;
      };
      graph.setGraph({ ranksep: GAP.rank, nodesep: GAP.node, edgesep: GAP.edge, ranker });
      sizes.forEach(({ width, height }, i) => graph.setNode(String(i), { width, height }));
      edges.forEach(([from, to], i) => graph.setEdge(String(from), String(to), {}, String(i)));
      Oe(graph);
      return {
        x: sizes.map((_, i) => graph.node(String(i)).x),
        y: sizes.map((_, i) => graph.node(String(i)).y),
        points: edges.map(([from, to], i) => graph.edge(String(from), String(to), String(i)).points.slice(1, -1))
      };
    }
    var SHAPE = 1.8;
    function gridLayout(sizes, name) {
      const column = sizes.reduce((most, { width: width2 }) => Math.max(most, width2), 0) + GAP.node;
      const height = sizes.reduce((sum, size) => sum + size.height + GAP.node, 0) / sizes.length;
      const columns = Math.max(1, Math.round(Math.sqrt(sizes.length * height * SHAPE / column)));
      const boxes = [];
      let y = name > 0 ? FRAME2.header : FRAME2.pad;
      for (let first = 0; first < sizes.length; first += columns) {
        const row = sizes.slice(first, first + columns);
        row.forEach((size, i) => boxes.push({ x: FRAME2.pad + i * column, y, ...size }));
        y += row.reduce((most, size) => Math.max(most, size.height), 0) + GAP.node;
      }
      const width = Math.min(columns, sizes.length) * column - GAP.node + 2 * FRAME2.pad;
      return { width: Math.max(width, name), height: y - GAP.node + FRAME2.pad, boxes, edges: [], inX: [], outX: [] };
    }
    var SWEEPS = 6;
    var LONG2 = 12;
    function layeredEngine({ sizes, edges, ranks }) {
      const slots = sizes.map(({ width }, by) => ({ width, by, x: 0, above: [], below: [] }));
      const rows = [];
      ranks.forEach((rank, node) => (rows[rank] ??= []).push(node));
      for (let rank = 0; rank < rows.length; rank++) rows[rank] ??= [];
      const lines = new Uint32Array(sizes.length);
      for (const [from, to] of edges) {
        lines[from] += 1;
        lines[to] += 1;
      }
      const chains = edges.map(([from, to]) => {
        if (ranks[to] - ranks[from] > LONG2) return null;
        const chain = [];
        const by = lines[from] <= lines[to] ? from : to;
        let last = from;
        for (let rank = ranks[from] + 1; rank <= ranks[to]; rank++) {
          const next = rank === ranks[to] ? to : slots.push({ width: 0, by, x: 0, above: [], below: [] }) - 1;
          slots[last].below.push(next);
          slots[next].above.push(last);
          if (next !== to) {
            rows[rank].push(next);
            chain.push(next);
          }
          last = next;
        }
        return chain;
      });
      orderRows(rows, slots);
      for (let sweep = 0; sweep < SWEEPS; sweep++) alignRows(rows, slots, sweep % 2 === 0);
      const rowY = rowPositions(rows, sizes);
      const lanes = lanesFor(edges, chains, slots);
      return {
        x: sizes.map((_, i) => slots[i].x),
        y: sizes.map((_, i) => rowY[ranks[i]]),
        points: edges.map(([from, to], i) => {
          const chain = chains[i];
          if (chain) return chain.map((slot, k) => ({ x: slots[slot].x, y: rowY[ranks[from] + 1 + k] }));
          const x = lanes.get(from);
          return [{ x, y: rowY[ranks[from] + 1] }, { x, y: rowY[ranks[to] - 1] }];
        })
      };
    }
    function orderRows(rows, slots) {
      const place2 = new Float64Array(slots.length);
      const number = (row) => row.forEach((slot, i) => place2[slot] = i / row.length);
      for (const row of rows) row.sort((a, b) => slots[a].by - slots[b].by);
      rows.forEach(number);
      for (let sweep = 0; sweep < SWEEPS; sweep++) {
        const down = sweep % 2 === 0;
        const walk = down ? rows : [...rows].reverse();
        for (const row of walk) {
          const wish = new Map(row.map((slot) => [slot, mean(down ? slots[slot].above : slots[slot].below, place2, place2[slot])]));
          row.sort((a, b) => wish.get(a) - wish.get(b) || place2[a] - place2[b]);
          number(row);
        }
      }
    }
    function mean(neighbours, place2, otherwise) {
      if (neighbours.length === 0) return otherwise;
      let sum = 0;
      for (const neighbour2 of neighbours) sum += place2[neighbour2];
      return sum / neighbours.length;
    }
    function alignRows(rows, slots, down) {
      const x = Float64Array.from(slots, (slot) => slot.x);
      const walk = down ? rows : [...rows].reverse();
      for (const row of walk) {
        const wishes = row.map((slot) => mean(down ? slots[slot].above : slots[slot].below, x, x[slot]));
        closest2(wishes, distances(row, slots)).forEach((value, i) => {
          x[row[i]] = value;
          slots[row[i]].x = value;
        });
      }
    }
    function distances(row, slots) {
      return row.map((slot, i) => {
        if (i === 0) return 0;
        const before = slots[row[i - 1]];
        const gap = before.width === 0 || slots[slot].width === 0 ? GAP.edge : GAP.node;
        return (before.width + slots[slot].width) / 2 + gap;
      });
    }
    function closest2(wishes, apart) {
      const offset = [];
      apart.reduce((sum, gap, i) => offset[i] = sum + gap, 0);
      const pools = [];
      wishes.forEach((wish, i) => {
        let pool = { sum: wish - offset[i], count: 1 };
        while (pools.length > 0) {
          const last = pools[pools.length - 1];
          if (last.sum / last.count <= pool.sum / pool.count) break;
          pool = { sum: last.sum + pool.sum, count: last.count + pool.count };
          pools.pop();
        }
        pools.push(pool);
      });
      const placed = pools.flatMap(({ sum, count }) => new Array(count).fill(sum / count));
      return placed.map((value, i) => value + offset[i]);
    }
    function rowPositions(rows, sizes) {
      let top = 0;
      return rows.map((row) => {
        const height = row.reduce((most, slot) => Math.max(most, sizes[slot]?.height ?? 0), 0);
        const y = top + height / 2;
        top += height + GAP.rank;
        return y;
      });
    }
    function lanesFor(edges, chains, slots) {
      const right = slots.reduce((most, slot) => Math.max(most, slot.x + slot.width / 2), 0);
      const lanes = /* @__PURE__ */ new Map();
      edges.forEach(([from], i) => {
        if (!chains[i] && !lanes.has(from)) lanes.set(from, right + GAP.node + lanes.size * GAP.edge);
      });
      return lanes;
    }
    function rankNodes(count, edges, isTop, isBottom) {
      const out = Array.from({ length: count }, () => []);
      const into = Array.from({ length: count }, () => []);
      for (const [from, to] of edges) {
        out[from].push(to);
        into[to].push(from);
      }
      const order = topological(count, out, into);
      const ranks = new Array(count).fill(0);
      for (const node of order) for (const next of out[node]) ranks[next] = Math.max(ranks[next], ranks[node] + 1);
      for (const node of order.reverse()) {
        if (isTop(node) || out[node].length <= into[node].length) continue;
        ranks[node] = Math.min(...out[node].map((next) => ranks[next])) - 1;
      }
      const last = Math.max(0, ...ranks);
      return ranks.map((rank, node) => isBottom(node) ? last : rank);
    }
    var WIDE = 24;
    function splitWide(ranks, boxes) {
      const counts = new Array(Math.max(0, ...ranks) + 1).fill(0);
      for (let node = 0; node < boxes; node++) counts[ranks[node]] += 1;
      const rows = counts.map((count) => count > WIDE ? Math.ceil(Math.sqrt(count / 4)) : 1);
      const first = [];
      rows.reduce((sum, more, rank) => (first[rank] = sum, sum + more), 0);
      const placed = new Array(counts.length).fill(0);
      return ranks.map((rank, node) => {
        const last = rank === counts.length - 1 ? rows[rank] - 1 : 0;
        const row = node < boxes ? placed[rank]++ % rows[rank] : last;
        return first[rank] + row;
      });
    }
    function topological(count, out, into) {
      const waiting = into.map((sources) => sources.length);
      const order = [];
      for (let node = 0; node < count; node++) if (waiting[node] === 0) order.push(node);
      for (let i = 0; i < order.length; i++) {
        for (const next of out[order[i]]) if (--waiting[next] === 0) order.push(next);
      }
      return order;
    }
    var PORT = { width: 8, height: 0 };
    var TURN = { width: 20, height: 12 };
    var DAGRE_LIMIT = { boxes: 400, bends: 2500 };
    function layoutLevel(spec, inner) {
      const boxes = spec.boxes.map(({ width, height, level }) => level < 0 ? { width, height } : inner(level));
      if (spec.edges.length === 0 && boxes.length > 0) return gridLayout(boxes.map(({ width, height }) => ({ width, height })), spec.name);
      const firstOut = boxes.length + spec.inPorts;
      const ports = new Array(spec.inPorts + spec.outPorts).fill(PORT);
      const count = boxes.length + ports.length;
      const { edges, turns } = breakCycles(count, spec.edges.map(({ from, to }) => [from, to]));
      const sizes = [...boxes, ...ports, ...new Array(turns * 2).fill(TURN)].map(({ width, height }) => ({ width, height }));
      const dag = edges.flatMap((edge) => edge.parts);
      const isIn = (node) => node >= boxes.length && node < firstOut;
      const isOut = (node) => node >= firstOut && node < count;
      const rows = rankNodes(sizes.length, dag, isIn, isOut);
      const ranks = splitWide(rows, boxes.length);
      const engine = Math.max(...ranks) > Math.max(...rows) ? layeredEngine : engineFor(boxes.length, dag, ranks);
      const placed = engine({ sizes, edges: dag, ranks });
      return assemble(spec, sizes, edges, placed, inner);
    }
    function engineFor(boxes, dag, ranks) {
      const bends = dag.reduce((sum, [from, to]) => sum + 2 * (ranks[to] - ranks[from]) - 1, 0);
      return boxes > DAGRE_LIMIT.boxes || bends > DAGRE_LIMIT.bends ? layeredEngine : dagreEngine;
    }
    function assemble(spec, sizes, edges, placed, inner) {
      const bounds = boundsOf2(spec, sizes, placed);
      const filled = bounds.right - bounds.left + 2 * FRAME2.pad;
      const width = Math.max(filled, spec.name);
      const dx = FRAME2.pad - bounds.left + (width - filled) / 2;
      const dy = (spec.name > 0 ? FRAME2.header : FRAME2.pad) - bounds.top;
      const height = bounds.bottom + dy + (spec.outPorts > 0 ? FRAME2.exit : FRAME2.pad);
      const bands = bandsOf(sizes, placed, dy);
      const x = placed.x.map((value) => value + dx);
      const boxes = spec.boxes.map((_, i) => ({
        x: x[i] - sizes[i].width / 2,
        y: placed.y[i] + dy - sizes[i].height / 2,
        ...sizes[i]
      }));
      const firstIn = spec.boxes.length;
      const firstOut = firstIn + spec.inPorts;
      const endX = (end, port, side) => {
        const level = end < firstIn ? spec.boxes[end].level : -1;
        return port >= 0 && level >= 0 ? boxes[end].x + inner(level)[side][port] : x[end];
      };
      const start = (end) => end >= firstIn ? 0 : boxes[end].y + boxes[end].height;
      const stop = (end) => end >= firstOut ? height : boxes[end].y;
      let part = 0;
      const paths = edges.map((edge, i) => {
        const { from, to, fromPort, toPort } = spec.edges[i];
        const legs = edge.parts.map(() => placed.points[part++].map((point) => ({ x: point.x + dx, y: point.y + dy })));
        const path = new Path(bands);
        path.to(endX(from, fromPort, "outX"), start(from));
        path.through(endX(from, fromPort, "outX"), placed.y[from] + dy, "leave");
        if (edge.turns) {
          const [low, high] = edge.turns;
          legs[0].forEach((point) => path.across(point, 1));
          path.turn(x[low], placed.y[low] + dy, 1, x[from] > x[low]);
          legs[1].reverse().forEach((point) => path.across(point, -1));
          path.turn(x[high], placed.y[high] + dy, -1, x[to] < x[high]);
          legs[2].forEach((point) => path.across(point, 1));
        } else legs[0].forEach((point) => path.across(point, 1));
        path.through(endX(to, toPort, "inX"), placed.y[to] + dy, "enter");
        path.to(endX(to, toPort, "inX"), stop(to));
        return path.points;
      });
      return {
        width,
        height,
        boxes,
        edges: paths,
        inX: x.slice(firstIn, firstOut),
        outX: x.slice(firstOut, firstOut + spec.outPorts)
      };
    }
    function boundsOf2(spec, sizes, placed) {
      const [firstPort, lastPort] = [spec.boxes.length, spec.boxes.length + spec.inPorts + spec.outPorts];
      const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
      const grow = (x, y, width, height) => {
        bounds.left = Math.min(bounds.left, x - width / 2);
        bounds.right = Math.max(bounds.right, x + width / 2);
        bounds.top = Math.min(bounds.top, y - height / 2);
        bounds.bottom = Math.max(bounds.bottom, y + height / 2);
      };
      sizes.forEach(({ width, height }, i) => {
        const port = i >= firstPort && i < lastPort;
        grow(placed.x[i], port ? (bounds.top + bounds.bottom) / 2 : placed.y[i], width, port ? 0 : height);
      });
      const middle = (bounds.top + bounds.bottom) / 2;
      for (const { from, to, label } of spec.edges) {
        if (label > 0) bounds.right = Math.max(bounds.right, (placed.x[from] + placed.x[to]) / 2 + LABEL_GAP2 + label - FRAME2.pad / 2);
      }
      for (const points of placed.points) for (const { x } of points) grow(x, middle, 0, 0);
      return Number.isFinite(bounds.top) ? bounds : { ...bounds, top: 0, bottom: 0 };
    }
    function bandsOf(sizes, placed, dy) {
      const bands = /* @__PURE__ */ new Map();
      sizes.forEach(({ height }, i) => {
        const y = placed.y[i];
        const band = bands.get(key(y + dy)) ?? [Infinity, -Infinity];
        bands.set(key(y + dy), [Math.min(band[0], y + dy - height / 2), Math.max(band[1], y + dy + height / 2)]);
      });
      return bands;
    }
    var key = (y) => Math.round(y * 16);
    var Path = class {
      constructor(bands) {
        this.bands = bands;
      }
      bands;
      points = [];
      to(x, y) {
        const { points } = this;
        const last = points.length - 2;
        if (last >= 0 && points[last] === x && points[last + 1] === y) return;
        points.push(x, y);
      }
      /** Straight to the edge of the rank's band that is left or entered. */
      through(x, y, how) {
        const band = this.bands.get(key(y));
        if (band && band[1] > band[0]) this.to(x, band[how === "leave" ? 1 : 0]);
      }
      /** Straight through the rank at `y`, downwards or upwards. */
      across({ x, y }, direction) {
        const band = this.bands.get(key(y));
        if (!band) return;
        const [top, bottom] = band;
        this.to(x, direction > 0 ? top : bottom);
        this.to(x, direction > 0 ? bottom : top);
      }
      /** Into the rank at `y`, back in a half circle (two points at one height), and out again. */
      turn(x, y, direction, fromRight) {
        const side = (TURN.width / 2 - 2) * (fromRight ? -1 : 1);
        const flat = y - direction * TURN.height / 2;
        const [top, bottom] = this.bands.get(key(y));
        const edge = direction > 0 ? top : bottom;
        this.to(x - side, edge);
        this.to(x - side, flat);
        this.to(x + side, flat);
        this.to(x + side, edge);
      }
    };
    function serve2(scope2) {
      let before = /* @__PURE__ */ new Map();
      scope2.onmessage = async ({ data: { id, levels } }) => {
        const layouts = new Array(levels.length);
        const now = /* @__PURE__ */ new Map();
        try {
          for (let i = levels.length - 1; i >= 0; i--) {
            const spec = levels[i];
            const inside = spec.boxes.map(({ level }) => level < 0 ? 0 : layouts[level]);
            const key2 = JSON.stringify([spec.edges, spec.boxes, inside.map((at2) => at2 && [at2.width, at2.height, at2.inX, at2.outX]), spec.inPorts, spec.outPorts, spec.name]);
            const layout = before.get(key2) ?? layoutLevel(spec, (level) => layouts[level]);
            now.set(key2, layout);
            layouts[i] = layout;
            if (scope2.pause) await scope2.pause();
          }
          before = now;
          scope2.postMessage({ id, layouts, error: "" });
        } catch (error) {
          scope2.postMessage({ id, layouts: [], error: String(error.message ?? error) });
        }
      };
    }
    return __toCommonJS(layout_worker_exports);
  })();
  program.serve(scope);
}

// src/graph_viewer/layout_client.ts
var LayoutClient = class {
  port;
  waiting = /* @__PURE__ */ new Map();
  last = 0;
  constructor(startPort = startWorker) {
    this.port = startPort(this) ?? startOnPage(this);
  }
  layout(levels) {
    return new Promise((resolve, reject) => {
      const request = { id: ++this.last, levels };
      this.waiting.set(request.id, { request, resolve, reject });
      this.port.post(request);
    });
  }
  answer({ id, layouts, error }) {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) asked?.reject(new Error(error));
    else asked?.resolve(layouts);
  }
  /** The worker never came up: go on here with what it was asked. */
  fallBack() {
    this.port.close();
    this.port = startOnPage(this);
    for (const { request } of this.waiting.values()) this.port.post(request);
  }
  close() {
    this.waiting.clear();
    this.port.close();
  }
};
function startWorker(client) {
  const url = URL.createObjectURL(new Blob([`(${serve.toString()})(self)`], { type: "text/javascript" }));
  try {
    const worker = new Worker(url);
    worker.onmessage = ({ data }) => client.answer(data);
    worker.onerror = (event) => {
      event.preventDefault();
      client.fallBack();
    };
    return {
      post: (request) => worker.postMessage(request),
      close: () => {
        worker.terminate();
        URL.revokeObjectURL(url);
      }
    };
  } catch {
    URL.revokeObjectURL(url);
    return null;
  }
}
function startOnPage(client) {
  let closed = false;
  const scope = {
    onmessage: null,
    postMessage: (reply) => {
      if (!closed) client.answer(reply);
    },
    pause: () => new Promise((resolve) => setTimeout(resolve))
  };
  serve(scope);
  return {
    post: (data) => void scope.onmessage?.({ data }),
    close: () => closed = true
  };
}

// src/graph_viewer/visible.ts
function visible(model, open, showHidden) {
  const scene = { top: newLevel(null), levels: [], boxes: /* @__PURE__ */ new Map() };
  scene.levels.push(scene.top);
  addInstance(scene, model, model.main, scene.top, open, showHidden);
  for (const level of scene.levels) {
    for (const segment of level.segments.values()) {
      segment.text = edgeText(model, segment.instance, [...segment.values]);
    }
  }
  return scene;
}
function newLevel(frame) {
  return { frame, stack: false, boxes: [], segments: /* @__PURE__ */ new Map(), inPorts: /* @__PURE__ */ new Map(), outPorts: /* @__PURE__ */ new Map() };
}
function addInstance(scene, model, instance, level, open, showHidden) {
  const { index, prefix } = instance;
  const shown = new Array(index.hidden.length).fill(null);
  const frames = [];
  const add = (into, id, kind, text2, rest = {}) => {
    const box = {
      id,
      kind,
      ...text2,
      instance,
      family: -1,
      count: 0,
      hidden: false,
      danger: "",
      level: into,
      inner: null,
      at: into.boxes.length,
      ...rest
    };
    into.boxes.push(box);
    scene.boxes.set(id, box);
    return box;
  };
  const openFrame = (box) => {
    box.inner = newLevel(box);
    scene.levels.push(box.inner);
    return box.inner;
  };
  const addNode = (into, node) => {
    const hidden = index.hidden[node] === 1;
    if (hidden && !showHidden) return;
    const nested = model.nested(instance, node);
    const count = nested.reduce((sum, inner) => sum + inner.index.root.count, 0);
    const danger2 = model.dangers.ofNode(instance, node);
    const box = add(into, model.nodeId(instance, node), "node", warned(nodeText(model, instance, node), danger2), {
      family: index.familyOf(node),
      count: nested.length > 0 ? Math.max(1, count) : 0,
      hidden,
      danger: danger2
    });
    shown[node] = box;
    if (nested.length > 0 && open.has(box.id)) frames.push({ box, node });
  };
  const addGroup = (into, group) => {
    const count = showHidden ? group.nodes.length : group.count;
    if (count === 0) return;
    const danger2 = open.has(prefix + group.id) ? "" : model.dangers.ofGroup(instance, group);
    const box = add(into, prefix + group.id, "group", warned(groupText(group), danger2), { family: familyOf(group, instance), count, danger: danger2 });
    if (open.has(box.id)) addChildren(openFrame(box), group);
    else for (const node of group.nodes) if (showHidden || !index.hidden[node]) shown[node] = box;
  };
  const addChildren = (into, group) => {
    for (const child of group.children) typeof child === "number" ? addNode(into, child) : addGroup(into, child);
  };
  const addPorts = (kind, values, folded) => {
    const stack = folded ? add(level, `${prefix}${kind}:`, "group", portsText(instance, kind), { count: values.length }) : null;
    if (stack && !open.has(stack.id)) return values.map(() => stack);
    const into = stack ? openFrame(stack) : level;
    into.stack = stack !== null;
    return values.map((_, at) => {
      const id = kind === "in" ? model.inputId(instance, at) : model.outputId(instance, at);
      return add(into, id, kind, portText(model, instance, kind, at));
    });
  };
  const inputs = addPorts("in", index.data.inputs, model.foldsInputs(instance));
  addChildren(level, index.root);
  const outputs = addPorts("out", index.data.outputs, model.foldsOutputs(instance));
  const connect = (value, target) => {
    const from = value < 0 ? null : index.source(value, showHidden);
    const source = from && ("node" in from ? shown[from.node] : inputs[from.input]);
    if (source && source !== target) route(source, target, value, instance);
  };
  index.data.nodes.inputs.forEach((values, node) => {
    const target = shown[node];
    if (target) for (const value of values) connect(value, target);
  });
  for (const key of Object.keys(index.data.subgraphs)) {
    const target = shown[Number(key)];
    if (!target) continue;
    for (const inner of model.nested(instance, Number(key))) {
      for (const name of inner.index.captured()) connect(index.valueByName.get(name) ?? -1, target);
    }
  }
  index.data.outputs.forEach((value, at) => connect(value, outputs[at]));
  for (const { box, node } of frames) {
    const inside = openFrame(box);
    const nested = model.nested(instance, node);
    for (const inner of nested) {
      if (nested.length === 1) addInstance(scene, model, inner, inside, open, showHidden);
      else {
        const text2 = { title: inner.owner.label, subtitle: "" };
        const branch = add(inside, inner.prefix, "branch", text2, { instance: inner, count: inner.index.root.count });
        addInstance(scene, model, inner, openFrame(branch), open, showHidden);
      }
    }
  }
}
var warned = (text2, danger2) => danger2 ? { ...text2, subtitle: danger2 } : text2;
function familyOf(group, { index }) {
  const weight = /* @__PURE__ */ new Map();
  for (const node of group.nodes) {
    if (index.hidden[node]) continue;
    let bytes = 0;
    for (const value of index.reads(node)) if (value >= 0) bytes += Math.max(0, index.data.values.bytes[value]);
    const family = index.familyOf(node);
    weight.set(family, (weight.get(family) ?? 0) + 1 + bytes);
  }
  let best = -1;
  for (const [family, size] of weight) if (best < 0 || size > weight.get(best)) best = family;
  return best;
}
function route(from, to, value, instance) {
  const [source, target] = [drawnEnd(from), drawnEnd(to)];
  if (source === target) return;
  const around = new Set(levelsAround(source.level));
  const down = [];
  let meeting = target.level;
  for (; !around.has(meeting); meeting = meeting.frame.level) down.unshift(meeting.frame);
  let end = { box: source, side: null, port: -1 };
  const step = (level, next) => {
    const segment = segmentAt(level, end, next, source, instance);
    segment.sources.add(from);
    segment.targets.add(to);
    segment.values.add(value);
  };
  for (let level = source.level; level !== meeting; level = level.frame.level) {
    const port = portOf(level.outPorts, source);
    step(level, { box: null, side: "out", port });
    end = { box: level.frame, side: "out", port };
  }
  for (const frame of down) {
    const port = portOf(frame.inner.inPorts, source);
    step(frame.level, { box: frame, side: "in", port });
    end = { box: null, side: "in", port };
  }
  step(target.level, { box: target, side: null, port: -1 });
}
function isInside(box, frame) {
  for (let at = box.level.frame; at; at = at.level.frame) if (at === frame) return true;
  return false;
}
var drawnEnd = (box) => box.level.stack ? box.level.frame : box;
function levelsAround(level) {
  const levels = [level];
  while (level.frame) levels.push(level = level.frame.level);
  return levels;
}
function portOf(ports, source) {
  if (!ports.has(source)) ports.set(source, ports.size);
  return ports.get(source);
}
function segmentAt(level, from, to, source, instance) {
  const key = `${endKey(from)}>${endKey(to)}`;
  let segment = level.segments.get(key);
  if (!segment) {
    segment = { from, to, source, sources: /* @__PURE__ */ new Set(), targets: /* @__PURE__ */ new Set(), values: /* @__PURE__ */ new Set(), instance, text: "" };
    level.segments.set(key, segment);
  }
  return segment;
}
var endKey = ({ box, side, port }) => `${box ? box.at : ""}${side ?? ""}${port}`;

// src/graph_viewer/navigate.ts
function neighbour(scene, from, direction) {
  if (!from) return topmost(scene.boxes.filter((placed) => placed.depth === 0));
  if (direction === "left" || direction === "right") return beside(scene, from, direction);
  if (direction === "down" && from.box.inner) return topmost(childrenOf(scene, from.box));
  const next = direction === "down" ? readersOf2(scene, from.box) : sourcesOf(scene, from.box);
  return closest(from, next) ?? (from.box.level.frame ? scene.byId.get(from.box.level.frame.id) : null);
}
function childrenOf(scene, box) {
  return box.inner.boxes.map((inner) => scene.byId.get(inner.id));
}
function readersOf2(scene, box) {
  const found = /* @__PURE__ */ new Set();
  for (const { segment } of scene.edges) if (segment.source === box || segment.sources.has(box)) for (const target of segment.targets) found.add(target);
  return [...found].map((target) => scene.byId.get(target.id));
}
function sourcesOf(scene, box) {
  const found = /* @__PURE__ */ new Set();
  for (const { segment } of scene.edges) {
    for (const target of segment.targets) {
      if (target === box || box.inner && isInside(target, box) && !isInside(segment.source, box)) found.add(segment.source);
    }
  }
  return [...found].map((source) => scene.byId.get(source.id));
}
function beside(scene, from, direction) {
  const middle = (placed) => placed.x + placed.width / 2;
  const sign = direction === "right" ? 1 : -1;
  const overlaps = (placed) => placed.y < from.y + from.height && from.y < placed.y + placed.height;
  const candidates = from.box.level.boxes.map((box) => scene.byId.get(box.id)).filter((placed) => placed !== from && overlaps(placed) && (middle(placed) - middle(from)) * sign > 0);
  return closest(from, candidates);
}
function topmost(boxes) {
  return boxes.reduce((best, placed) => !best || placed.y < best.y || placed.y === best.y && placed.x < best.x ? placed : best, null);
}
function closest(from, boxes) {
  const away = (placed) => Math.abs(placed.x + placed.width / 2 - from.x - from.width / 2) + Math.abs(placed.y - from.y);
  return boxes.reduce((best, placed) => !best || away(placed) < away(best) ? placed : best, null);
}

// src/graph_viewer/theme.ts
function readTheme(root) {
  const style = getComputedStyle(root);
  const color = (name, otherwise) => style.getPropertyValue(`--mlnb-${name}`).trim() || otherwise;
  return {
    background: color("bg", "#fff"),
    panel: color("panel", "#f7f8fa"),
    text: color("fg", "#1f2328"),
    muted: color("muted", "#6b7280"),
    line: color("line", "#d4d8de"),
    edge: color("edge", "#98a2b3"),
    accent: color("accent", "#1976d2"),
    error: color("error", "#c8553d"),
    family: style.fontFamily || "system-ui, sans-serif"
  };
}

// src/graph_viewer/touching.ts
function touching({ edges }, box) {
  const inside = (other) => other === box || box.inner !== null && isInside(other, box);
  const lit = /* @__PURE__ */ new Set();
  for (const { segment } of edges) {
    const [starts, ends] = [[...segment.sources], [...segment.targets]];
    const leaves = starts.some(inside) && (box.inner === null || !ends.every(inside));
    const enters = ends.some(inside) && (box.inner === null || !starts.every(inside));
    if (leaves || enters) lit.add(segment);
  }
  return lit;
}

// src/graph_viewer/viewer.ts
var DOUBLE_CLICK_MS = 500;
var Viewer = class {
  constructor(root, events) {
    this.root = root;
    this.events = events;
    this.theme = readTheme(root);
    this.measure = measurer(this.theme.family);
    this.view.onDrawn = () => this.events.drawn();
  }
  root;
  events;
  model = null;
  selectedId = "";
  showHidden = false;
  theme;
  view = new CanvasView(() => this.look());
  measure;
  layouts = new LayoutClient();
  open = /* @__PURE__ */ new Set();
  hits = /* @__PURE__ */ new Set();
  /** The ids of what is drawn as new. */
  marked = /* @__PURE__ */ new Set();
  paint = null;
  layoutRun = 0;
  lastToggle = 0;
  focusNext = null;
  /** A box to be brought into view as soon as it is laid out and the canvas has a size. */
  sought = null;
  lit = null;
  /** Show another payload. One with the same nodes keeps folds, camera and selection. */
  async setPayload(payload) {
    const same = this.shows(payload);
    this.model = new GraphModel(payload);
    if (!same) {
      this.open = new Set(openAtFirst(this.model.main));
      this.view.scene = null;
      this.selectedId = this.model.find(this.selectedId) ? this.selectedId : "";
    }
    const wanted = this.focusNext ?? (same ? null : this.selectedId || null);
    this.focusNext = null;
    await this.relayout(null);
    if (wanted !== null) await this.focus(wanted);
    else if (!same) this.select("");
  }
  /** Whether `payload` is of the model that is shown, perhaps with more shapes. */
  shows(payload) {
    return this.model !== null && sameNodes(this.model.payload, payload);
  }
  get scene() {
    return this.view.scene;
  }
  get target() {
    return this.selectedId === "" ? null : this.model?.find(this.selectedId) ?? null;
  }
  /** The drawn box that is selected, or the closed one around it. */
  get selectedBox() {
    const { scene, target } = this;
    return scene && target ? nearest(scene, [...this.model.folds(target), this.idOf(target)]) : null;
  }
  select(id) {
    this.selectedId = id;
    this.sought = null;
    const placed = this.selectedBox;
    if (placed && this.scene) this.view.lookAt(reveal(this.view.camera, placed, this.view.size));
    this.view.requestDraw();
  }
  /** Open the folds around `id`, select it and look at it; nothing happens where nothing has that id. */
  async focus(id) {
    if (!this.model) this.focusNext = id;
    const target = this.model?.find(id) ?? null;
    if (!target) return;
    const found = this.idOf(target);
    this.selectedId = this.sought = found;
    const folds = this.model.folds(target).filter((fold) => !this.open.has(fold));
    const hidden = target.kind === "node" && target.instance.index.hidden[target.node] === 1 && !this.showHidden;
    for (const fold of folds) this.openFold(fold);
    if (hidden) this.showHidden = true;
    if (folds.length > 0 || hidden) await this.relayout(null);
    this.lookAtSought();
    this.events.selected(found);
  }
  /** Open or close a box; it stays where it is on the screen. */
  async toggle(placed) {
    const { box } = placed;
    if (box.kind === "branch" || box.count === 0) return;
    this.lastToggle = performance.now();
    if (box.inner) this.open.delete(box.id);
    else this.openFold(box.id);
    await this.relayout(box.id);
  }
  async setShowHidden(shown) {
    this.showHidden = shown;
    await this.relayout(this.selectedBox?.box.id ?? null);
  }
  /** Other colours on the same picture: nothing moves. */
  setPaint(paint) {
    this.paint = paint;
    this.view.requestDraw();
  }
  /** How a drawn box is painted; null where it is not. */
  shadeOf(placed) {
    return shadeOf(placed, this);
  }
  /** The box at a place of the canvas. */
  boxAt(x, y) {
    return this.hitAt(x, y)?.placed ?? null;
  }
  setHits(ids) {
    this.hits = new Set(ids);
    this.view.requestDraw();
  }
  press(x, y) {
    const found = this.hitAt(x, y);
    this.choose(found?.placed.box.id ?? "");
    if (found?.fold) void this.toggle(found.placed);
  }
  openAt(x, y) {
    if (performance.now() - this.lastToggle < DOUBLE_CLICK_MS) return;
    const found = this.hitAt(x, y);
    if (found && !found.placed.box.inner) void this.toggle(found.placed);
  }
  cursorAt(x, y) {
    const found = this.hitAt(x, y);
    return found && (found.fold || !found.placed.box.inner) ? "pointer" : "grab";
  }
  walk(direction) {
    const next = this.scene && neighbour(this.scene, this.selectedBox, direction);
    if (next) this.choose(next.box.id);
  }
  toggleSelected() {
    const placed = this.selectedBox;
    if (placed) void this.toggle(placed);
  }
  pan(dx, dy) {
    return this.view.lookAt(pan(this.view.camera, dx, dy));
  }
  zoom(x, y, factor) {
    this.view.lookAt(zoomAt(this.view.camera, x, y, factor));
  }
  zoomBy(factor) {
    this.zoom(this.view.size.width / 2, this.view.size.height / 2, factor);
  }
  /** Move the scene point (x, y) to the middle. */
  centre(x, y) {
    this.view.lookAt(centred(x, y, this.view.camera.scale, this.view.size));
  }
  fit() {
    if (this.scene) this.view.lookAt(fit(this.scene, this.view.size));
  }
  async themeChanged() {
    const { family } = this.theme;
    this.theme = readTheme(this.root);
    if (this.theme.family !== family) {
      this.measure = measurer(this.theme.family);
      if (this.model) await this.relayout(null);
    }
    this.view.requestDraw();
  }
  close() {
    this.layoutRun += 1;
    this.layouts.close();
    this.view.stop();
  }
  choose(id) {
    this.select(id);
    this.events.selected(id);
  }
  hitAt(x, y) {
    return this.scene && hit(this.scene, ...toScene(this.view.camera, x, y), (placed) => headerWidth(placed, this.measure));
  }
  openFold(id) {
    this.open.add(id);
    const target = this.model.find(id);
    if (target?.kind !== "node") return;
    for (const inner of this.model.nested(target.instance, target.node)) {
      for (const fold of openAtFirst(inner)) this.open.add(fold);
    }
  }
  // `held` is the box that keeps its place on the screen.
  async relayout(held) {
    const run = ++this.layoutRun;
    try {
      const scene = await placeScene(visible(this.model, this.open, this.showHidden), this.layouts, this.measure);
      if (run !== this.layoutRun) return;
      this.show(scene, held);
    } catch (error) {
      this.events.failed(`The graph could not be laid out: ${error.message}`);
    }
  }
  /** The canvas got its size, or another one. */
  resize(width, height) {
    const first = this.view.size.width === 0;
    this.view.resize(width, height);
    if (first) void this.themeChanged();
    if (first && this.scene) this.view.lookAt(firstLook(this.scene, this.scene.boxes[0] ?? null, this.view.size));
    this.lookAtSought();
  }
  show(scene, held) {
    const { view } = this;
    const before = view.scene;
    let camera = before ? view.camera : firstLook(scene, scene.boxes[0] ?? null, view.size);
    const old = held === null ? void 0 : before?.byId.get(held);
    const now = held === null ? void 0 : scene.byId.get(held);
    if (old && now) camera = anchor(camera, old, now);
    view.show(scene, camera, before !== null);
    this.lookAtSought();
    this.events.laidOut(scene);
  }
  idOf(target) {
    const { model } = this;
    const { instance } = target;
    if (target.kind === "node") return model.nodeId(instance, target.node);
    if (target.kind === "group") return instance.prefix + target.group.id;
    if (target.kind === "in") return model.inputId(instance, target.at);
    if (target.kind === "out") return model.outputId(instance, target.at);
    if (target.kind === "ins" || target.kind === "outs") return `${instance.prefix}${target.kind.slice(0, -1)}:`;
    return instance.prefix;
  }
  look() {
    const selected = this.selectedBox;
    return {
      theme: this.theme,
      families: this.model?.payload.families ?? [],
      selected,
      lit: selected ? this.litBy(selected.box) : /* @__PURE__ */ new Set(),
      hits: this.hits,
      marked: this.marked,
      paint: this.paint,
      model: this.model,
      measure: this.measure,
      edgeAlpha: 1
    };
  }
  lookAtSought() {
    const placed = this.sought === null ? void 0 : this.scene?.byId.get(this.sought);
    if (!placed || this.view.size.width === 0) return;
    this.sought = null;
    this.view.lookAt(centreOn(this.view.camera, placed, this.view.size));
  }
  // Found once a selection, not once a frame.
  litBy(box) {
    const scene = this.scene;
    if (this.lit?.scene !== scene || this.lit.box !== box) this.lit = { scene, box, segments: touching(scene, box) };
    return this.lit.segments;
  }
};
function openAtFirst(instance) {
  const ids = [];
  const walk = (group) => {
    if (group.parent && group.open) ids.push(instance.prefix + group.id);
    for (const child of group.children) if (typeof child !== "number") walk(child);
  };
  walk(instance.index.root);
  return ids;
}
function sameNodes(a, b) {
  const ids = (payload) => payload.graphs.map((graph) => graph.nodes.id.join("\n")).join("\n\n");
  return ids(a) === ids(b);
}

// src/graph_viewer/weights.ts
var BUSY_MS = 2e3;
var SILENT_MS = 3e4;
var lastRequest = Math.floor(Math.random() * 2 ** 30);
var TensorReader = class {
  constructor(model, cleanup) {
    this.model = model;
    this.cleanup = cleanup;
    cleanup.follow(model, "msg:custom", (message) => {
      const take = message?.request === void 0 ? void 0 : this.waiting.get(message.request);
      if (!take) return;
      this.waiting.delete(message.request);
      take(message);
    });
  }
  model;
  cleanup;
  waiting = /* @__PURE__ */ new Map();
  /** What stands in the panel for a weight: its answer, or that it is being read, however often the panel is drawn. */
  places = /* @__PURE__ */ new Map();
  /** Answers of another model are of no use. */
  forget() {
    this.places.clear();
  }
  /** A button that turns into the statistics of `value`, a weight of graph number `graph`. */
  element(graph, value) {
    const key = `${graph}:${value}`;
    const asked = this.places.get(key);
    if (asked) return asked;
    const place2 = h("div", { class: "mlnb-tensor" });
    place2.append(button("Statistics", `statistics of ${displayText(value)}`, () => this.ask(graph, value, key, place2)));
    return place2;
  }
  ask(graph, value, key, place2) {
    const request = ++lastRequest;
    this.places.set(key, place2);
    const words = h("div", { class: "mlnb-muted", role: "status" }, "reading…");
    place2.replaceChildren(words);
    const timers = [
      setTimeout(() => words.textContent = "no answer yet: the kernel is busy, or none is running", BUSY_MS),
      setTimeout(() => words.textContent = "still no answer; is a kernel running?", SILENT_MS)
    ];
    const stop = () => timers.forEach(clearTimeout);
    this.cleanup.add(stop);
    this.waiting.set(request, (answer) => {
      stop();
      if (answer.kind !== "tensor" && this.places.get(key) === place2) this.places.delete(key);
      place2.replaceChildren(...answerParts(answer));
    });
    this.model.send({ kind: "tensor", request, graph, value });
  }
};
function answerParts({ kind, message, name, stats, picture, slice }) {
  if (kind === "error") return [h("div", { class: "mlnb-warn", role: "alert" }, foreign(message ?? "the kernel gave no reason", 400))];
  const parts = [];
  if (stats) {
    if (stats.histogram.length > 0) parts.push(h("div", {}, histogram(stats.histogram, `values from ${rangeText(stats)}`, 240, 40)));
    parts.push(facts(stats));
  }
  const image = pictureOf(picture, `picture of ${name ?? "the tensor"}`);
  if (image) parts.push(h("div", { class: "mlnb-large" }, image));
  if (slice) parts.push(h("pre", { class: "mlnb-slice" }, sliceText(slice)));
  return parts.length > 0 ? parts : [h("div", { class: "mlnb-muted" }, "nothing to show")];
}
function facts(stats) {
  const list = h("dl", { class: "mlnb-facts-list" });
  const lines = [
    ["range", rangeText(stats)],
    ["mean", valueText(stats.mean)],
    ["std", valueText(stats.std)],
    ["zeros", stats.count > 0 ? `${countText(stats.zeros)} of ${countText(stats.count)}` : "–"],
    ["NaN", countText(stats.nan)]
  ];
  for (const [name, value] of lines) list.append(h("dt", {}, name), h("dd", {}, value));
  const odd = oddText(stats);
  if (odd) list.append(h("dt", {}, "not finite"), h("dd", { class: "mlnb-warn" }, odd));
  return list;
}
var sliceText = (slice) => slice.split("\n").slice(0, 40).map((line2) => displayText(line2, 200)).join("\n");

// src/graph_viewer/words.ts
function boxWords(box) {
  const parts = [box.title, box.subtitle].filter(Boolean);
  if (box.kind === "group" || box.count > 0) {
    const inside = box.id.endsWith("in:") || box.id.endsWith("out:") ? "" : `group of ${plural(box.count, "operation")}`;
    if (inside) parts.push(inside);
    parts.push(box.inner ? "open. Enter closes it." : "closed. Enter opens it.");
    return parts.join(", ");
  }
  return `${parts.join(", ")}${box.hidden ? ", hidden by default" : ""}.`;
}

// src/graph_viewer/graph_pane.ts
var HINT_MS = 2500;
var NOTICE_MS = 1e4;
var hinted = false;
var GraphPane = class {
  constructor(root, model, cleanup) {
    this.root = root;
    this.model = model;
    this.cleanup = cleanup;
    this.reader = new TensorReader(model, cleanup);
    this.viewer = new Viewer(root, {
      selected: (id) => this.selected(id),
      drawn: () => this.drawn(),
      laidOut: (scene) => {
        root.dataset.boxes = String(scene.boxes.length);
        this.say();
      },
      failed: (message) => this.fail(message)
    });
    cleanup.add(() => this.viewer.close());
    this.minimap = new Minimap((x, y) => this.viewer.centre(x, y));
    this.search = new SearchBox(this.viewer, cleanup, this.detailsButton());
    this.legend = new Legend((id) => void this.viewer.focus(id), (choice) => model.send({ kind: "choose", choice }));
    this.setState("loading");
    this.build();
    this.listen();
    this.followModel();
    void this.load();
  }
  root;
  model;
  cleanup;
  viewer;
  search;
  minimap;
  reader;
  legend;
  danger = h("div", { class: "mlnb-danger", role: "note" });
  painted = new PaintedLine();
  tip = h("div", { class: "mlnb-tip" });
  body = h("div", { class: "mlnb-body" });
  stage = h("div", { class: "mlnb-stage" });
  panel = h("div", { class: "mlnb-panel", role: "region", label: "details of the selection" });
  spoken = h("div", { class: "mlnb-spoken", role: "status" });
  cover = h("div", { class: "mlnb-cover" }, "reading the model…");
  hint = h("div", { class: "mlnb-hint" }, h("span", {}, "click the graph to scroll it · Ctrl + wheel zooms"));
  hiddenToggle = button("", "show constants, shape arithmetic and identities", () => void this.toggleHidden());
  notice = h("div", { class: "mlnb-notice mlnb-warn", role: "status" });
  noticeTimer;
  loads = 0;
  boxes() {
    return this.viewer.view.boxRects();
  }
  build() {
    const { viewer, stage } = this;
    const { canvas } = viewer.view;
    canvas.className = "mlnb-graph";
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute(
      "aria-label",
      "the model's graph: arrows walk, Enter opens and closes, slash finds, plus and minus zoom, 0 shows all"
    );
    const toolbar = h(
      "div",
      { class: "mlnb-tools", role: "toolbar", label: "view" },
      button("+", "zoom in", () => viewer.zoomBy(1.25)),
      button("−", "zoom out", () => viewer.zoomBy(0.8)),
      button("fit", "show the whole graph", () => viewer.fit()),
      this.hiddenToggle
    );
    this.hint.hidden = this.hiddenToggle.hidden = true;
    this.notice.hidden = this.tip.hidden = this.danger.hidden = true;
    this.tip.setAttribute("aria-hidden", "true");
    stage.append(canvas, this.minimap.canvas, toolbar, this.hint, this.notice, this.tip, this.cover);
    this.body.append(stage, h("div", { class: "mlnb-side" }, this.search.element, this.panel));
    this.root.append(this.danger, this.legend.element, this.body, this.spoken);
    this.setHeight();
    this.repaint();
  }
  detailsButton() {
    const fold = button("Details", "show the details of the selection", () => {
      const open = this.body.classList.toggle("mlnb-unfolded");
      fold.setAttribute("aria-expanded", String(open));
    });
    fold.classList.add("mlnb-fold");
    fold.setAttribute("aria-expanded", "false");
    return fold;
  }
  listen() {
    const { viewer, cleanup } = this;
    listenToPointer(viewer.view.canvas, cleanup, {
      pan: (dx, dy) => viewer.pan(dx, dy),
      zoom: (x, y, factor) => viewer.zoom(x, y, factor),
      press: (x, y) => viewer.press(x, y),
      open: (x, y) => viewer.openAt(x, y),
      cursor: (x, y) => viewer.cursorAt(x, y),
      hint: () => this.showHint(),
      hover: (place2) => this.showTip(place2)
    });
    listenToKeys(viewer.view.canvas, cleanup, {
      walk: (direction) => viewer.walk(direction),
      toggle: () => viewer.toggleSelected(),
      zoomBy: (factor) => viewer.zoomBy(factor),
      fit: () => viewer.fit(),
      search: () => this.search.input.focus(),
      clear: () => this.clear()
    });
    const sized = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      if (width > 0) viewer.resize(width, height);
    });
    sized.observe(this.stage);
    cleanup.add(() => sized.disconnect());
    cleanup.add(followTheme(() => void viewer.themeChanged()));
  }
  followModel() {
    const { model, cleanup, viewer } = this;
    cleanup.follow(model, "change:payload", () => void this.load());
    cleanup.follow(model, "change:height", () => this.setHeight());
    cleanup.follow(model, "change:readable", () => this.say());
    cleanup.follow(model, "change:painting", () => this.repaint());
    cleanup.follow(model, "change:selected", () => {
      if (viewer.selectedId === text(model, "selected")) return;
      viewer.select(text(model, "selected"));
      this.say();
    });
    cleanup.follow(model, "msg:custom", (message) => {
      if (message?.kind === "focus") void viewer.focus(String(message.id));
      if (message?.kind === "error" && message.request == null) this.showNotice(String(message.message));
    });
    cleanup.add(() => clearTimeout(this.noticeTimer));
    cleanup.add(() => this.loads += 1);
  }
  async load() {
    const bytes = this.model.get("payload");
    if (!bytes || bytes.byteLength === 0) return;
    const load = ++this.loads;
    try {
      const payload = await decode(bytes);
      if (load !== this.loads) return;
      if (!this.viewer.shows(payload)) this.reader.forget();
      this.danger.hidden = payload.danger === "";
      this.danger.replaceChildren(foreign(payload.danger, 300));
      if (payload.graphs[0].nodes.id.length === 0) {
        this.cover.replaceChildren("this model has no operations");
        this.setState("empty");
        return;
      }
      this.viewer.selectedId ||= text(this.model, "selected");
      this.viewer.marked = new Set(this.model.get("marked") ?? []);
      this.sizeUnobserved();
      await this.viewer.setPayload(payload);
      this.search.reset();
    } catch (error) {
      if (load === this.loads) this.fail(error.message);
    }
  }
  // JupyterLab skips what is scrolled away, and no observer speaks of it until it comes into view.
  sizeUnobserved() {
    const { clientWidth, clientHeight } = this.stage;
    if (this.viewer.view.size.width === 0 && clientWidth > 0) this.viewer.resize(clientWidth, clientHeight);
  }
  drawn() {
    const { scene, view, theme, model, paint } = this.viewer;
    this.minimap.draw(scene, view.camera, view.size, { theme, families: model.payload.families, paint, model });
    if (this.root.dataset.state === "ready") return;
    this.setState("ready");
    performance.mark("mlnb-first-picture");
  }
  selected(id) {
    if (text(this.model, "selected") !== id) {
      this.model.set("selected", id);
      this.model.save_changes();
    }
    this.say();
  }
  // What is selected: spoken, in the panel, and what the toolbar offers.
  say() {
    const { viewer, model } = this;
    if (!viewer.model) return;
    const placed = viewer.selectedBox;
    this.spoken.textContent = placed ? boxWords(placed.box) + this.valueWords() : "nothing selected";
    this.sayValue();
    this.panel.replaceChildren(this.painted.element, panelFor(viewer.model, viewer.target, {
      go: (id) => void viewer.focus(id),
      statistics: model.get("readable") ? (graph, value) => this.reader.element(graph, value) : null,
      showHidden: viewer.showHidden
    }));
    const hidden = hiddenNodes(viewer.model.payload);
    this.hiddenToggle.hidden = hidden === 0;
    this.hiddenToggle.textContent = `hidden: ${countText(hidden)}`;
    this.hiddenToggle.setAttribute("aria-pressed", String(viewer.showHidden));
  }
  // Colours by numbers of the user's own: only what shows them changes, nothing is laid out anew.
  repaint() {
    const painting = this.model.get("painting") ?? {};
    const ids = this.model.get("painted") ?? [];
    const paint = painting.values ? new Paint(ids, painting) : null;
    this.viewer.setPaint(paint);
    this.legend.show(paint);
    this.legend.offer(this.model.get("choices") ?? [], paint?.label ?? "");
    this.sayValue();
    this.tip.hidden = true;
  }
  sayValue() {
    const placed = this.viewer.selectedBox;
    this.painted.show(this.viewer.paint, placed && this.viewer.shadeOf(placed));
  }
  valueWords() {
    const placed = this.viewer.selectedBox;
    const shade = placed && this.viewer.shadeOf(placed);
    return shade ? ` ${displayText(this.viewer.paint.label)} ${shade.text}.` : "";
  }
  showTip(place2) {
    const { viewer, tip } = this;
    const placed = place2 && viewer.paint ? viewer.boxAt(place2.x, place2.y) : null;
    const shade = placed && viewer.shadeOf(placed);
    tip.hidden = !shade;
    if (!shade) return;
    tip.replaceChildren(foreign(placed.box.title, 60), h("br"), h("strong", {}, shade.text), " ", foreign(viewer.paint.label, 60, "mlnb-muted"));
    const { width } = viewer.view.size;
    tip.style.left = `${Math.max(4, Math.min(place2.x + 14, width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${place2.y + 18}px`;
  }
  async toggleHidden() {
    await this.viewer.setShowHidden(!this.viewer.showHidden);
    this.search.refresh();
  }
  clear() {
    const something = this.viewer.selectedId !== "" || this.search.input.value !== "";
    this.search.clear();
    this.viewer.choose("");
    return something;
  }
  showHint() {
    if (hinted) return;
    hinted = true;
    this.hint.hidden = false;
    const timer = setTimeout(() => this.hint.hidden = true, HINT_MS);
    this.cleanup.add(() => clearTimeout(timer));
  }
  // An error that answers no request of ours, such as a trait that Python refused.
  showNotice(words) {
    this.notice.replaceChildren(foreign(words, 400));
    this.notice.hidden = false;
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => this.notice.hidden = true, NOTICE_MS);
  }
  setHeight() {
    const height = Number(this.model.get("height")) || 460;
    this.root.style.setProperty("--mlnb-height", `${height}px`);
  }
  setState(state) {
    this.root.dataset.state = state;
    this.cover.hidden = state === "ready";
  }
  fail(message) {
    this.cover.replaceChildren(h("div", { class: "mlnb-warn", role: "alert" }, foreign(message, 400)));
    this.setState("error");
  }
};

// src/graph_viewer/index.ts
var greeted = /* @__PURE__ */ new WeakSet();
function render({ model, el }) {
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
  Object.defineProperty(root, "mlnb", { value: { boxes: () => pane.boxes() } });
  if (!greeted.has(model)) {
    greeted.add(model);
    model.send({ kind: "ready" });
  }
  return () => cleanup.run();
}
function card(model, cleanup) {
  const element = h("div", {});
  const draw = () => {
    const bar = header(text(model, "title"), text(model, "facts"), text(model, "status"));
    const rows = model.get("rows") ?? [];
    const table = rows.length > 0 ? tensorTable(rows, text(model, "feed")) : null;
    element.replaceChildren(...[bar, table].filter((part) => part !== null));
  };
  draw();
  for (const trait of ["title", "facts", "status", "rows", "feed"]) cleanup.follow(model, `change:${trait}`, draw);
  return element;
}
var index_default = { render };
export {
  index_default as default
};
