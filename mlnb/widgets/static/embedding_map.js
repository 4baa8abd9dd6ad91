/*! mlnb: built by js/build.mjs from js/src. MIT. */

// src/colors.ts
var SERIES = 8;
function colorsOf(element) {
  const style = getComputedStyle(element);
  const color = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    text: color("--mlnb-fg", "#1f2328"),
    muted: color("--mlnb-muted", "#6b7280"),
    grid: color("--mlnb-grid", "#e8eaed"),
    background: color("--mlnb-bg", "#fff"),
    series: Array.from({ length: SERIES }, (_, i) => color(`--mlnb-c${i}`, "#3b78b5"))
  };
}
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
var threeDigits = (value) => String(Number(value.toPrecision(3)));
var minus = (text2) => text2.replace("-", "−");

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

// src/embedding_map/camera.ts
var WHOLE = { x: 0.5, y: 0.5, zoom: 1 };
var MARGIN = 0.92;
var ZOOM = [0.5, 200];
var scaleOf = ({ zoom }, { width, height, spanX, spanY }) => Math.min(width / spanX, height / spanY) * MARGIN * zoom;
function toScreen(camera, size, x, y) {
  const scale = scaleOf(camera, size);
  return [size.width / 2 + (x - camera.x) * scale, size.height / 2 - (y - camera.y) * scale];
}
function toMap(camera, size, px, py) {
  const scale = scaleOf(camera, size);
  return [camera.x + (px - size.width / 2) / scale, camera.y - (py - size.height / 2) / scale];
}
function panned(camera, size, dx, dy) {
  const scale = scaleOf(camera, size);
  return within({ ...camera, x: camera.x - dx / scale, y: camera.y + dy / scale });
}
function zoomed(camera, size, px, py, factor) {
  const [x, y] = toMap(camera, size, px, py);
  const zoom = Math.min(ZOOM[1], Math.max(ZOOM[0], camera.zoom * factor));
  const next = { ...camera, zoom };
  const [nx, ny] = toMap(next, size, px, py);
  return within({ x: next.x + x - nx, y: next.y + y - ny, zoom });
}
var within = (camera) => ({
  ...camera,
  x: Math.min(1.2, Math.max(-0.2, camera.x)),
  y: Math.min(1.2, Math.max(-0.2, camera.y))
});

// src/embedding_map/gestures.ts
var STILL = 4;
function listenToGestures(canvas, cleanup, act) {
  let line = [];
  let mode = null;
  let travelled = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  cleanup.listen(canvas, "pointerdown", (event) => {
    if (event.button > 1) return;
    canvas.focus({ preventScroll: true });
    if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
    const { x, y } = place(event);
    [line, travelled] = [[x, y], 0];
    mode = event.button === 1 || event.altKey ? "move" : act.mode();
    act.hover(null);
    event.preventDefault();
  });
  cleanup.listen(canvas, "pointermove", (event) => {
    const { x, y } = place(event);
    if (!mode) {
      act.hover({ x, y });
      return;
    }
    const [dx, dy] = [x - line.at(-2), y - line.at(-1)];
    travelled += Math.hypot(dx, dy);
    line.push(x, y);
    if (mode === "move") act.pan(dx, dy);
    else if (travelled > STILL) act.draw(line, mode);
  });
  const up = (event) => {
    if (!mode) return;
    const add = event.shiftKey || event.ctrlKey || event.metaKey;
    const [drawn, how] = [line, mode];
    [line, mode] = [[], null];
    act.draw([], how);
    if (event.type !== "pointerup") return;
    if (travelled <= STILL) act.press(drawn[0], drawn[1], add);
    else if (how !== "move") act.close(drawn, how, add);
  };
  cleanup.listen(canvas, "pointerup", up);
  cleanup.listen(canvas, "pointercancel", up);
  cleanup.listen(canvas, "pointerleave", () => act.hover(null));
  cleanup.listen(
    canvas,
    "wheel",
    (event) => {
      if (!(event.ctrlKey || event.metaKey) && document.activeElement !== canvas) return;
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 320 : 1;
      const { x, y } = place(event);
      act.zoom(x, y, Math.exp(-Math.max(-120, Math.min(120, event.deltaY * unit)) / 300));
    },
    { passive: false }
  );
}

// src/embedding_map/point_index.ts
var SIDE = 128;
var UNIT = 65534;
var NOWHERE = 65535;
var PointIndex = class {
  /** `points`: x and y of each, 0 to `UNIT`. */
  constructor(points) {
    this.points = points;
    this.count = points.length / 2;
    const cells = new Int32Array(this.count);
    let placed = 0;
    for (let i = 0; i < this.count; i++) {
      const cell = points[2 * i] === NOWHERE ? -1 : column(points[2 * i]) + SIDE * column(points[2 * i + 1]);
      cells[i] = cell;
      if (cell < 0) continue;
      this.starts[cell + 1] += 1;
      placed += 1;
    }
    for (let cell = 0; cell < SIDE * SIDE; cell++) this.starts[cell + 1] += this.starts[cell];
    this.items = new Uint32Array(placed);
    const next = this.starts.slice();
    for (let i = 0; i < this.count; i++) if (cells[i] >= 0) this.items[next[cells[i]]++] = i;
    this.measure();
  }
  points;
  count;
  spanX = 0.05;
  // how much of a unit the points take
  spanY = 0.05;
  starts = new Uint32Array(SIDE * SIDE + 1);
  items;
  measure() {
    const { items, points } = this;
    const [low, high] = [[UNIT, UNIT], [0, 0]];
    for (const i of items) {
      for (let axis = 0; axis < 2; axis++) {
        const value = points[2 * i + axis];
        if (value < low[axis]) low[axis] = value;
        if (value > high[axis]) high[axis] = value;
      }
    }
    this.spanX = Math.max(0.05, (high[0] - low[0]) / UNIT);
    this.spanY = Math.max(0.05, (high[1] - low[1]) / UNIT);
  }
  x(i) {
    return this.points[2 * i] / UNIT;
  }
  y(i) {
    return this.points[2 * i + 1] / UNIT;
  }
  /** The point nearest to a place, at most `reach` away; −1: none. */
  nearest(x, y, reach) {
    let best = -1;
    let least = reach * reach;
    this.each(x - reach, y - reach, x + reach, y + reach, (i) => {
      const distance = (this.x(i) - x) ** 2 + (this.y(i) - y) ** 2;
      if (distance <= least) [best, least] = [i, distance];
    });
    return best;
  }
  inBox(x0, y0, x1, y1) {
    const [left, right, low, high] = [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1), Math.max(y0, y1)];
    const found = [];
    this.each(left, low, right, high, (i) => {
      const x = this.x(i);
      const y = this.y(i);
      if (x >= left && x <= right && y >= low && y <= high) found.push(i);
    });
    return found;
  }
  /** The points inside a closed line x0, y0, x1, y1, …; inside is where it winds around oddly often. */
  inLasso(line) {
    if (line.length < 6) return [];
    const xs = line.filter((_, i) => i % 2 === 0);
    const ys = line.filter((_, i) => i % 2 === 1);
    const found = [];
    this.each(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (i) => {
      if (encloses(xs, ys, this.x(i), this.y(i))) found.push(i);
    });
    return found;
  }
  each(x0, y0, x1, y1, visit) {
    const [left, right] = [column(x0 * UNIT), column(x1 * UNIT)];
    const [low, high] = [column(y0 * UNIT), column(y1 * UNIT)];
    for (let row = low; row <= high; row++) {
      const first = this.starts[row * SIDE + left];
      const last = this.starts[row * SIDE + right + 1];
      for (let at = first; at < last; at++) visit(this.items[at]);
    }
  }
};
var column = (value) => Math.max(0, Math.min(SIDE - 1, Math.floor(value * SIDE / (UNIT + 1))));
function encloses(xs, ys, x, y) {
  let inside = false;
  for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
    const crosses = ys[i] > y !== ys[j] > y;
    if (crosses && x < (xs[j] - xs[i]) * (y - ys[i]) / (ys[j] - ys[i]) + xs[i]) inside = !inside;
  }
  return inside;
}

// src/embedding_map/paint_points.ts
function stampOf(radius, opacity) {
  const reach = Math.ceil(radius);
  const cells = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(dx, dy)));
      if (cover > 0) cells.push([dx, dy, Math.round(cover * opacity * 256)]);
    }
  }
  return {
    radius: reach,
    dx: Int8Array.from(cells, (cell) => cell[0]),
    dy: Int8Array.from(cells, (cell) => cell[1]),
    cover: Uint16Array.from(cells, (cell) => cell[2])
  };
}
function paintPoints(pixels, size, { points, codes, palette, camera }, stamp, marks, wanted) {
  const { width, height } = size;
  const scale = scaleOf(camera, size);
  const step = scale / UNIT;
  const left = width / 2 - camera.x * scale;
  const top = height / 2 + camera.y * scale;
  const { radius, dx, dy, cover } = stamp;
  const count = points.length / 2;
  const cells = dx.length;
  for (let i = 0; i < count; i++) {
    if (marks[i] !== wanted || points[2 * i] === NOWHERE) continue;
    const x = Math.round(left + points[2 * i] * step);
    const y = Math.round(top - points[2 * i + 1] * step);
    if (x < -radius || y < -radius || x >= width + radius || y >= height + radius) continue;
    const color = palette[codes[i]];
    const redBlue = color & 16711935;
    const green = color & 65280;
    const whole = x >= radius && y >= radius && x < width - radius && y < height - radius;
    for (let c = 0; c < cells; c++) {
      const px = x + dx[c];
      const py = y + dy[c];
      if (!whole && (px < 0 || py < 0 || px >= width || py >= height)) continue;
      const at = py * width + px;
      const under = pixels[at];
      const over = cover[c];
      const rest = 256 - over;
      const rb = Math.imul(redBlue, over) + Math.imul(under & 16711935, rest) >>> 8 & 16711935;
      const g = Math.imul(green, over) + Math.imul(under & 65280, rest) >>> 8 & 65280;
      pixels[at] = 4278190080 | rb | g;
    }
  }
}
var pixelOf = ([red, green, blue]) => (4278190080 | blue << 16 | green << 8 | red) >>> 0;

// src/embedding_map/palette.ts
var RAMP = [
  "#440154",
  "#482878",
  "#3e4a89",
  "#31688e",
  "#26828e",
  "#1f9e89",
  "#35b779",
  "#6ece58",
  "#b5de2b",
  "#fde725"
];
var STEPS = 200;
function paletteOf(element, numbers) {
  const { series, background, text: text2, muted } = colorsOf(element);
  const paper = rgbOf(background);
  const strong = series.map(rgbOf);
  const pale = strong.map((color) => mixed(color, rgbOf(text2), 0.45));
  const groups = [...strong, ...pale, rgbOf(muted), mixed(rgbOf(muted), paper, 0.5)];
  const codes = numbers ? [...Array.from({ length: STEPS }, (_, i) => ramp(i / (STEPS - 1))), mixed(rgbOf(muted), paper, 0.5)] : groups;
  return { background: pixelOf(paper), text: text2, groups: groups.map(cssOf), pixels: Uint32Array.from(codes, pixelOf) };
}
var rampCss = () => `linear-gradient(to right, ${RAMP.join(", ")})`;
function ramp(part) {
  const at = Math.min(0.9999, Math.max(0, part)) * (RAMP.length - 1);
  const low = Math.floor(at);
  return mixed(rgbOf(RAMP[low]), rgbOf(RAMP[low + 1]), at - low);
}
var mixed = (a, b, part) => a.map((value, i) => Math.round(value + (b[i] - value) * part));
var cssOf = (rgb) => `rgb(${rgb.join(", ")})`;
var read = /* @__PURE__ */ new Map();
function rgbOf(color) {
  const known = read.get(color) ?? readColor(color);
  read.set(color, known);
  return known;
}
function readColor(color) {
  const hex = /^#([0-9a-f]{6})$/i.exec(color);
  if (hex) return [0, 2, 4].map((at) => parseInt(hex[1].slice(at, at + 2), 16));
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!context) return [128, 128, 128];
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

// src/embedding_map/legend.ts
function legendOf(legend, colors, choose) {
  const element = h("div", { class: "mlnb-key" });
  if (legend.kind === "numbers") {
    const ramp2 = h("span", { class: "mlnb-ramp" });
    ramp2.style.background = rampCss();
    element.append(valueText(legend.low), ramp2, valueText(legend.high));
  }
  for (const { name, code, count } of legend.kind === "groups" ? legend.groups ?? [] : []) {
    const one = button("", `choose the ${countText(count)} rows of ${displayText(name, 60)}`, (event) => choose(code, event.shiftKey || event.ctrlKey));
    const dot = h("span", { class: "mlnb-dot" });
    dot.style.background = colors[code] ?? "";
    one.append(dot, displayText(name, 28), h("span", { class: "mlnb-muted" }, ` ${countText(count)}`));
    element.append(one);
  }
  return element;
}

// src/embedding_map/painter.ts
var MANY = 2e4;
var FAINT = 0.16;
var Painter = class {
  canvas;
  context;
  data = null;
  milliseconds = 0;
  // the last picture took
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
  }
  sizeFor({ spanX, spanY }) {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight, spanX, spanY };
  }
  paint(shown) {
    const began = performance.now();
    const ratio = shown.index.count > MANY ? 1 : Math.min(2, window.devicePixelRatio || 1);
    const surface = this.surface(ratio);
    if (!surface) return;
    const { data, width, height } = surface;
    const pixels = new Uint32Array(data.data.buffer);
    pixels.fill(shown.palette.background);
    const { index, codes, camera, chosen } = shown;
    const scene = { points: index.points, codes, palette: shown.palette.pixels, camera };
    const radius = radiusOf(index.count, camera.zoom) * ratio;
    const size = { width, height, spanX: index.spanX, spanY: index.spanY };
    paintPoints(pixels, size, scene, stampOf(radius, shown.anyChosen ? FAINT : 0.85), chosen, 0);
    if (shown.anyChosen) paintPoints(pixels, size, scene, stampOf(radius + 0.6 * ratio, 1), chosen, 1);
    this.context.putImageData(data, 0, 0);
    this.over(shown, ratio, radius);
    this.milliseconds = performance.now() - began;
  }
  over({ index, hovered, camera, palette, line, box }, ratio, radius) {
    const context = this.context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.strokeStyle = palette.text;
    if (hovered >= 0) {
      const [x, y] = toScreen(camera, this.sizeFor(index), index.x(hovered), index.y(hovered));
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(x, y, radius / ratio + 3, 0, 2 * Math.PI);
      context.stroke();
    }
    if (line.length >= 4) {
      context.lineWidth = 1.5;
      context.setLineDash([5, 4]);
      context.beginPath();
      if (box) context.rect(line[0], line[1], line.at(-2) - line[0], line.at(-1) - line[1]);
      else for (let i = 0; i < line.length; i += 2) context.lineTo(line[i], line[i + 1]);
      if (!box) context.closePath();
      context.stroke();
      context.globalAlpha = 0.08;
      context.fillStyle = palette.text;
      context.fill();
      context.globalAlpha = 1;
      context.setLineDash([]);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
  }
  surface(ratio) {
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (width === 0 || height === 0) return null;
    if (this.data?.width !== width || this.data.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
      this.data = this.context.createImageData(width, height);
    }
    return { data: this.data, width, height };
  }
};
function radiusOf(count, zoom) {
  const whole = Math.max(1.1, Math.min(5, 16 / Math.cbrt(Math.max(1, count)) + 0.9));
  return Math.min(7, whole * Math.min(3, zoom ** 0.35));
}

// src/embedding_map/tip.ts
var Tip = class {
  element = h("div", { class: "mlnb-tip", role: "status" });
  shown = "";
  constructor() {
    this.hide();
  }
  hide() {
    this.element.hidden = true;
    this.shown = "";
  }
  /** Beside a place of the map, on the side where there is room. */
  show(about, picture, x, y, width, height) {
    const key = `${about.row} ${picture?.url ?? ""} ${picture?.reason ?? ""} ${about.lines.join("\n")}`;
    if (key !== this.shown) {
      this.shown = key;
      const parts = [];
      if (picture?.url) {
        const image = h("img", {});
        image.src = picture.url;
        image.alt = "";
        image.addEventListener("load", () => this.place(x, y, width, height));
        parts.push(image);
      }
      if (picture?.reason) parts.push(h("div", { class: "mlnb-warn" }, displayText(picture.reason, 200)));
      if (about.text) parts.push(h("div", { class: "mlnb-said" }, displayText(about.text, 280)));
      about.lines.forEach((line, i) => parts.push(h("div", { class: i === 0 ? "" : "mlnb-muted" }, displayText(line, 120))));
      if (about.name) parts.push(h("div", { class: "mlnb-muted" }, displayText(about.name, 80)));
      this.element.replaceChildren(...parts);
    }
    this.element.hidden = false;
    this.place(x, y, width, height);
  }
  place(x, y, width, height) {
    const right = x < width / 2;
    const { offsetHeight } = this.element;
    const top = Math.max(4, Math.min(height - offsetHeight - 4, y - offsetHeight / 2));
    Object.assign(this.element.style, {
      left: right ? `${x + 14}px` : "",
      right: right ? "" : `${width - x + 14}px`,
      top: `${top}px`
    });
  }
};

// src/embedding_map/index.ts
var REACH = 10;
var STEP = 60;
var THEME2 = [0, 150, 800];
var KEEP = 400;
var MODES = [
  ["lasso", "Lasso", "draw around points to choose them, key l"],
  ["box", "Box", "draw a box around points to choose them, key b"],
  ["move", "Move", "drag the map, key m"]
];
function render({ model, el }) {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const root = h("div", { class: "mlnb mlnb-embedding-map" });
  root.dataset["lmSuppressShortcuts"] = "true";
  const canvas = h("canvas", { class: "mlnb-points", role: "application" });
  canvas.tabIndex = 0;
  const title = h("b", { class: "mlnb-title" });
  const facts = h("span", { class: "mlnb-muted", role: "status" });
  const select = h("select", { label: "colour by", title: "colour by" });
  const modes = MODES.map(([mode2, caption, label]) => button(caption, label, () => setMode(mode2)));
  const fit = button("Fit", "see the whole map, key 0", () => move(WHOLE));
  const bar = h("div", { class: "mlnb-bar" }, title, facts, h("span", { class: "mlnb-space" }), select, ...modes, fit);
  const key = h("div", {});
  const tip = new Tip();
  const stage = h("div", { class: "mlnb-stage" }, canvas, tip.element);
  root.append(bar, stage, key);
  el.append(root);
  cleanup.add(() => root.remove());
  const painter = new Painter(canvas);
  const pictures2 = new Thumbnails(model, cleanup, 192, 200);
  const known = /* @__PURE__ */ new Map();
  let index = new PointIndex(new Uint16Array());
  let codes = new Uint8Array();
  let chosen = new Uint8Array();
  let chosenRows = [];
  let camera = { ...WHOLE, ...model.get("camera") };
  let mode = "lasso";
  let hovered = -1;
  let line = [];
  let frame = 0;
  let timer = 0;
  let waiting = 0;
  let palette = paletteOf(root, legend().kind === "numbers");
  const size = () => painter.sizeFor(index);
  function legend() {
    return model.get("legend");
  }
  function paint() {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      readTheme();
      const anyChosen = chosenRows.length > 0;
      painter.paint({ index, codes, chosen, anyChosen, camera, palette, hovered, line, box: mode === "box" });
      root.dataset["milliseconds"] = painter.milliseconds.toFixed(1);
    });
  }
  function readPoints() {
    index = new PointIndex(new Uint16Array(bytesOf(model, "points")));
    readChosen();
    readColors();
  }
  function readColors() {
    codes = new Uint8Array(bytesOf(model, "codes"));
    recolor(paletteOf(root, legend().kind === "numbers"));
  }
  function readTheme() {
    const now = paletteOf(root, legend().kind === "numbers");
    if (String(now.groups) === String(palette.groups) && now.background === palette.background) return;
    recolor(now);
  }
  function recolor(now) {
    palette = now;
    key.replaceChildren(legendOf(legend(), palette.groups, (code, add) => {
      const rows = [];
      codes.forEach((one, row) => one === code && rows.push(row));
      choose(rows, add);
    }));
    paint();
  }
  function readChosen() {
    if (waiting > 0) return;
    mark([...new Int32Array(bytesOf(model, "chosen"))]);
  }
  function mark(rows) {
    chosenRows = rows;
    chosen = new Uint8Array(index.count);
    for (const row of rows) chosen[row] = 1;
    facts.textContent = rows.length > 0 ? `${countText(rows.length)} chosen` : "";
    paint();
  }
  function choose(rows, add) {
    const next = add ? [.../* @__PURE__ */ new Set([...chosenRows, ...rows])] : [...rows];
    waiting += 1;
    model.send({ kind: "choose", rows: next });
    mark(next);
  }
  function move(next) {
    camera = next;
    paint();
    hover(null);
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      model.set("camera", camera);
      model.save_changes();
    }, KEEP);
  }
  function setMode(next) {
    mode = next;
    modes.forEach((one, i) => one.setAttribute("aria-pressed", String(MODES[i][0] === next)));
    canvas.style.cursor = next === "move" ? "grab" : "crosshair";
  }
  function nearest(x, y) {
    return index.nearest(...toMap(camera, size(), x, y), REACH / scaleOf(camera, size()));
  }
  function hover(place) {
    const row = place ? nearest(place.x, place.y) : -1;
    if (row !== hovered) {
      hovered = row;
      if (row >= 0 && !known.has(row)) model.send({ kind: "about", row });
      paint();
    }
    if (row >= 0 && model.get("pictures")) pictures2.want([row]);
    showTip();
  }
  function showTip() {
    const about = hovered < 0 ? void 0 : known.get(hovered);
    if (!about) {
      tip.hide();
      return;
    }
    const [x, y] = toScreen(camera, size(), index.x(hovered), index.y(hovered));
    const { width, height } = size();
    tip.show(about, model.get("pictures") ? pictures2.get(hovered) : void 0, x, y, width, height);
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
      const onMap = [];
      for (let i = 0; i < drawn.length; i += 2) onMap.push(...toMap(camera, size(), drawn[i], drawn[i + 1]));
      const box = [onMap[0], onMap[1], onMap.at(-2), onMap.at(-1)];
      choose(how === "box" ? index.inBox(...box) : index.inLasso(onMap), add);
    }
  });
  cleanup.listen(canvas, "keydown", (event) => {
    if (event.altKey || !press(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  function press({ key: name, shiftKey }) {
    const { width, height } = size();
    const arrows = {
      ArrowLeft: [STEP, 0],
      ArrowRight: [-STEP, 0],
      ArrowUp: [0, STEP],
      ArrowDown: [0, -STEP]
    };
    const corner = (x, y) => toMap(camera, size(), x, y);
    if (arrows[name]) move(panned(camera, size(), ...arrows[name]));
    else if (name === "+" || name === "=") move(zoomed(camera, size(), width / 2, height / 2, 1.4));
    else if (name === "-") move(zoomed(camera, size(), width / 2, height / 2, 1 / 1.4));
    else if (name === "0") move(WHOLE);
    else if (name === "Escape") choose([], false);
    else if (name === "a" || name === "A") choose(index.inBox(...corner(0, height), ...corner(width, 0)), shiftKey);
    else if (MODES.some(([one]) => one[0] === name)) setMode(MODES.find(([one]) => one[0] === name)[0]);
    else return false;
    return true;
  }
  function drawBar() {
    title.textContent = displayText(text(model, "facts"), 120);
    const columns = model.get("columns");
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
    hovered = -1;
    showTip();
  });
  cleanup.follow(model, "msg:custom", ((content) => {
    if (content.kind === "about") {
      known.set(content.row, content);
      showTip();
    } else if (content.kind === "chosen") {
      waiting = Math.max(0, waiting - 1);
      readChosen();
    }
  }));
  pictures2.onArrive(showTip);
  const repaints = /* @__PURE__ */ new Set();
  cleanup.add(followTheme(() => {
    for (const wait of THEME2) repaints.add(window.setTimeout(paint, wait));
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
var index_default = { render };
export {
  index_default as default
};
