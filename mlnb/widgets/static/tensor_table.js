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

// src/tensor_table/header.ts
function header(title, facts, status = "", ...actions) {
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

// src/tensor_table/index.ts
function render({ model, el }) {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const root = h("div", { class: "mlnb mlnb-tensor-table" });
  root.dataset.lmSuppressShortcuts = "true";
  const draw = () => {
    const rows = model.get("rows") ?? [];
    const bar = header(text(model, "title"), text(model, "facts"));
    const table = rows.length > 0 ? tensorTable(rows, text(model, "feed")) : h("div", { class: "mlnb-note" }, "no inputs and no outputs");
    root.replaceChildren(...bar ? [bar] : [], table);
    root.dataset.state = "ready";
  };
  draw();
  for (const trait of ["rows", "feed", "title", "facts"]) cleanup.follow(model, `change:${trait}`, draw);
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);
  return () => cleanup.run();
}
var index_default = { render };
export {
  index_default as default
};
