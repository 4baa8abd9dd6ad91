/*! mlnb: built by js/build.mjs from js/src. MIT. */

// src/display_text.ts
var UNSEEN = /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e0fff}]/gu;
var SHORT = { "	": "\\t", "\n": "\\n", "\r": "\\r" };
function displayText(text2, limit = 80) {
  const shortEnough = text2.length <= limit;
  const characters = shortEnough ? [] : Array.from(text2);
  const whole = shortEnough || characters.length <= limit;
  const shown2 = (whole ? text2 : characters.slice(0, limit - 1).join("")).replace(UNSEEN, escapeOf);
  return whole ? shown2 : `${shown2}…`;
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
function foreign(text2, limit = 80, className = "") {
  const shown2 = displayText(text2, limit);
  const whole = displayText(text2, 4e3);
  return h("span", { class: className, title: shown2 === whole ? "" : whole }, shown2);
}
var SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
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

// src/evaluation_report/classes.ts
var FIRST = 100;
var NUMBERS = ["precision", "recall", "f1", "support"];
function classesView(report, choose) {
  let by = "class";
  let falling = false;
  let shown2 = FIRST;
  const body = h("tbody");
  const headings = ["class", ...NUMBERS].map((name) => {
    const caption = name === "f1" ? "F1" : name === "support" ? `${report.noun}s` : name;
    const sort = h("button", { type: "button", class: "mlnb-link", label: `sort by ${caption}` }, caption);
    const element = h("th", {}, sort);
    element.scope = "col";
    sort.addEventListener("click", () => {
      falling = by === name ? !falling : false;
      by = name;
      draw();
    });
    return [name, element];
  });
  const draw = () => {
    for (const [name, element] of headings) {
      element.setAttribute("aria-sort", name === by ? falling ? "descending" : "ascending" : "none");
    }
    const order = report.table.map((_, at) => at);
    const value = (at) => by === "class" ? at : report.table[at][by] ?? -1;
    order.sort((a, b) => (falling ? -1 : 1) * (value(a) - value(b)));
    body.replaceChildren(...order.slice(0, shown2).map((at) => line(report, at, choose)));
    const rest = order.length - shown2;
    if (rest > 0) {
      const more = h("button", { type: "button", class: "mlnb-more", on: () => (shown2 = order.length, draw()) }, `and ${countText(rest)} more`);
      const cell = h("td", {}, more);
      cell.colSpan = headings.length;
      body.append(h("tr", {}, cell));
    }
  };
  draw();
  const table = h(
    "table",
    { class: "mlnb-classes", label: "the classes" },
    h("thead", {}, h("tr", {}, ...headings.map(([, element]) => element))),
    body
  );
  return h("div", { class: "mlnb-scroll" }, table);
}
function line(report, at, choose) {
  const scores = report.table[at];
  const chosen = { label: at, answer: -1 };
  const name = h("button", { type: "button", class: "mlnb-link", label: report.words(chosen), on: () => choose(chosen) }, report.name(at));
  const numbers = NUMBERS.map((column) => {
    const value = scores[column];
    const text2 = value === null ? "–" : column === "support" ? countText(value) : value.toFixed(3);
    const cell = h("td", { class: "mlnb-number" }, text2);
    if (value !== null && column !== "support") cell.style.setProperty("--mlnb-share", `${Math.round(100 * value)}%`);
    return cell;
  });
  return h("tr", {}, h("td", {}, name), ...numbers);
}

// src/evaluation_report/curves.ts
var SIZE = 150;
var LEFT = 30;
var BOTTOM = 30;
var TOP = 8;
var Curves = class {
  constructor(model, report, cleanup) {
    this.model = model;
    this.report = report;
    this.select.append(...report.classes.map((_, at) => option(report.name(at), String(at))));
    this.select.value = String(report.classes.length === 2 ? 1 : 0);
    this.select.addEventListener("change", () => this.show());
    this.element = h(
      "div",
      { class: "mlnb-curves" },
      h("label", { class: "mlnb-which mlnb-muted" }, "class ", this.select),
      this.drawn
    );
    cleanup.follow(model, "msg:custom", ((answer) => {
      if (answer.kind !== "curves") return;
      this.known.set(answer.column, answer);
      this.draw();
    }));
  }
  model;
  report;
  element;
  drawn = h("div", { class: "mlnb-charts" });
  known = /* @__PURE__ */ new Map();
  select = h("select", { label: "the class of ROC and precision-recall" });
  show() {
    const column = Number(this.select.value);
    if (!this.known.has(column)) this.model.send({ kind: "curves", request: column, column });
    this.draw();
  }
  draw() {
    const found = this.known.get(Number(this.select.value));
    const curve = (one, name, x, y, diagonal) => chart({
      title: one ? `${name} ${one.area.toFixed(3)}` : `${name} ${found ? "–: one class only" : "…"}`,
      x,
      y,
      diagonal,
      line: one ? one.x.map((at, i) => [at, one.y[i]]) : [],
      dots: []
    });
    const bins = this.report.calibration;
    this.drawn.replaceChildren(
      chart({
        title: "calibration",
        x: "how sure",
        y: "how often right",
        diagonal: true,
        line: bins.map(([sure, right]) => [sure, right]),
        dots: bins
      }),
      curve(found?.roc, "ROC, area", "false positive rate", "true positive rate", true),
      curve(found?.recall, "average precision", "recall", "precision", false)
    );
  }
};
function chart({ title, x, y, diagonal, line: line2, dots }) {
  const at = ([a, b]) => [round(LEFT + SIZE * a), round(TOP + SIZE * (1 - b))];
  const path = (points) => points.map((point, i) => `${i ? "L" : "M"}${at(point).join(",")}`).join("");
  const most = Math.max(1, ...dots.map(([, , count]) => count));
  const ticks = [0, 0.5, 1].flatMap((value) => [
    svg("path", { d: `${path([[0, value], [1, value]])}${path([[value, 0], [value, 1]])}`, class: "mlnb-grid" }),
    words(at([value, 0])[0], TOP + SIZE + 13, String(value), "middle"),
    words(LEFT - 5, at([0, value])[1] + 4, String(value), "end")
  ]);
  const picture = svg(
    "svg",
    {
      viewBox: `0 0 ${LEFT + SIZE + 10} ${TOP + SIZE + BOTTOM}`,
      width: LEFT + SIZE + 10,
      height: TOP + SIZE + BOTTOM,
      role: "img",
      "aria-label": `${title}: ${y} by ${x}`
    },
    ...ticks,
    ...diagonal ? [svg("path", { d: path([[0, 0], [1, 1]]), class: "mlnb-even" })] : [],
    svg("path", { d: path(line2), class: "mlnb-line" }),
    ...dots.map(([sure, right, count]) => {
      const [cx, cy] = at([sure, right]);
      const dot = svg("circle", { cx, cy, r: round(2 + 4 * Math.sqrt(count / most)), class: "mlnb-dot" });
      dot.append(svg("title", {}, document.createTextNode(`sure ${sure.toFixed(3)}, right ${right.toFixed(3)}: ${countText(count)}`)));
      return dot;
    }),
    words(LEFT + SIZE / 2, TOP + SIZE + 27, x, "middle")
  );
  return h("figure", {}, h("figcaption", { title: `${y} by ${x}` }, title), picture);
}
function words(x, y, text2, anchor) {
  return svg("text", { x, y, "text-anchor": anchor }, document.createTextNode(text2));
}
var round = (value) => Number(value.toFixed(2));

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

// src/words.ts
var WEAK = 0.05;
function coloured(words2) {
  const most = Math.max(WEAK, ...words2.map(([, share]) => Math.abs(share ?? 0)));
  return words2.map((word) => span(word, most));
}
function keyOf({ label = "", words_note: note = "" }) {
  const key = h("span", { class: "mlnb-muted mlnb-key" });
  key.append(
    h("span", { class: "mlnb-for" }, "speaks for"),
    " ",
    foreign(label, 60),
    " · ",
    h("span", { class: "mlnb-against" }, "against it")
  );
  if (note) key.append(" · ", foreign(note, 300));
  return key;
}
function span([piece, share], most) {
  const lines = piece.split("\n").flatMap((part, i) => i === 0 ? [shown(part)] : [document.createTextNode("\n"), shown(part)]);
  if (share === null || Math.abs(share) < WEAK * most) return h("span", {}, ...lines);
  const element = h("span", { class: share > 0 ? "mlnb-for" : "mlnb-against", title: `${share > 0 ? "+" : "−"}${Math.abs(share).toFixed(2)}` }, ...lines);
  element.style.setProperty("--mlnb-weight", `${Math.round(15 + 55 * Math.abs(share) / most)}%`);
  return element;
}
var shown = (part) => foreign(part, 4e3);

// src/evaluation_report/roving.ts
var STEPS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1]
};
function roveTable(table) {
  rove(table, (from, [right, down]) => {
    const cell = from.closest("td, th");
    const line2 = cell.parentElement;
    return table.rows[line2.rowIndex + down]?.cells[cell.cellIndex + right]?.querySelector("button");
  });
}
function roveList(list) {
  rove(list, (from, [right, down]) => {
    const all = buttons(list);
    const next = all[all.indexOf(from) + (right || down)];
    if (right !== 0 || !next) return next;
    const middle = (one) => one.offsetLeft + one.offsetWidth / 2;
    const beyond = all.filter((one) => down * (one.offsetTop - from.offsetTop) > 0);
    const line2 = (down > 0 ? beyond[0] : beyond.at(-1))?.offsetTop;
    const near = beyond.filter((one) => one.offsetTop === line2);
    return near.sort((a, b) => Math.abs(middle(a) - middle(from)) - Math.abs(middle(b) - middle(from)))[0] ?? next;
  });
}
var stop = (element, at) => buttons(element).forEach((one) => one.tabIndex = one === at ? 0 : -1);
var stopAtFirst = (element) => stop(element, buttons(element)[0]);
function rove(element, next) {
  stopAtFirst(element);
  element.addEventListener("focusin", (event) => stop(element, event.target));
  element.addEventListener("keydown", (event) => {
    const from = event.target;
    const step = STEPS[event.key];
    if (from.tagName !== "BUTTON" || !step && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    event.stopPropagation();
    const all = buttons(element);
    (step ? next(from, step) : event.key === "Home" ? all[0] : all.at(-1))?.focus();
  });
}
var buttons = (element) => [...element.querySelectorAll("button")];

// src/evaluation_report/gallery.ts
var PAGE = 24;
var LISTS = { picture: "mlnb-shots", text: "mlnb-sentences" };
var requests = 0;
var Gallery = class {
  constructor(model, report, cleanup) {
    this.model = model;
    this.report = report;
    this.all = h("button", { type: "button", class: "mlnb-link", on: () => report.set("chosen", {}) }, "show all");
    this.list = h("div", { class: `mlnb-list ${LISTS[report.content] ?? "mlnb-names"}`, role: "group", label: `the ${report.noun}s` });
    this.more = h("button", { type: "button", on: () => this.ask(this.shown.size) });
    this.said.setAttribute("role", "status");
    this.element.append(h("div", { class: "mlnb-which" }, this.said, this.all), this.list, this.more);
    this.more.hidden = true;
    roveList(this.list);
    this.thumbnails = new Thumbnails(model, cleanup);
    this.thumbnails.onArrive((rows) => rows.forEach((row) => this.paint(row)));
    cleanup.follow(model, "msg:custom", ((answer) => {
      if (answer.kind === "rows" && answer.request === this.request) this.add(answer);
      if (answer.kind === "why" && answer.row === this.picked?.row) this.explain(this.picked, answer);
    }));
  }
  model;
  report;
  element = h("div", { class: "mlnb-rows" });
  said = h("span", { class: "mlnb-muted" });
  all;
  list;
  more;
  thumbnails;
  shown = /* @__PURE__ */ new Map();
  request = 0;
  picked = null;
  show() {
    this.shown.clear();
    this.picked = null;
    this.all.hidden = Object.keys(this.report.chosen).length === 0;
    this.ask(0);
  }
  ask(first) {
    requests += 1;
    this.request = requests;
    const { chosen, order } = this.report;
    this.model.send({ kind: "rows", request: this.request, first, count: PAGE, chosen, order });
  }
  add({ rows, total }) {
    if (this.shown.size === 0) this.list.replaceChildren();
    for (const row of rows) {
      const item = this.item(row);
      this.shown.set(row.row, item);
      this.list.append(item);
    }
    const rest = total - this.shown.size;
    const [words2, count] = [this.report.words(this.report.chosen), this.report.count(total)];
    this.said.textContent = words2 === "all" ? `all ${count}` : `${words2} · ${count}`;
    this.more.hidden = rest <= 0 || rows.length === 0;
    this.more.textContent = `show ${countText(Math.min(rest, PAGE))} of ${countText(rest)} more`;
    stopAtFirst(this.list);
    if (this.report.content === "picture") this.thumbnails.want([...this.shown.keys()]);
    for (const row of rows) this.paint(row.row);
  }
  item(row) {
    const said = this.report.said(row);
    const item = h("button", { type: "button", class: `mlnb-row${row.wrong ? " mlnb-mistake" : ""}`, on: () => this.pick(row) });
    item.setAttribute("aria-pressed", "false");
    item.setAttribute("aria-label", `${said}; ${row.text ?? row.name}`);
    if (this.report.content === "picture") item.append(h("span", { class: "mlnb-shot" }));
    else item.append(wordsOf(row));
    item.append(h("span", { class: "mlnb-said" }, said));
    item.title = row.name;
    return item;
  }
  /** Put the picture of a row in its place, or why there is none. */
  paint(row) {
    const place = this.shown.get(row)?.querySelector(".mlnb-shot");
    const thumbnail = place && this.thumbnails.get(row);
    if (!thumbnail) return;
    if (!thumbnail.url) return place.replaceChildren(foreign(thumbnail.reason, 90, "mlnb-warn"));
    const image = h("img");
    image.alt = "";
    image.src = thumbnail.url;
    place.replaceChildren(image);
  }
  pick(row) {
    const before = this.picked;
    this.picked = before?.row === row.row ? null : row;
    if (before) this.words(before)?.replaceWith(wordsOf(before));
    for (const [one, item] of this.shown) item.setAttribute("aria-pressed", String(one === this.picked?.row));
    this.model.send({ kind: "pick", rows: this.picked === null ? [] : [row.row] });
    if (!this.picked || !row.text || !this.report.explains) return;
    this.words(row)?.append(h("span", { class: "mlnb-muted mlnb-key" }, "asking the model why…"));
    this.model.send({ kind: "why", row: row.row });
  }
  explain(row, why) {
    const words2 = this.words(row);
    if (why.problem) return words2?.replaceWith(wordsOf(row, h("span", { class: "mlnb-warn mlnb-key" }, foreign(why.problem, 300))));
    words2?.classList.add("mlnb-explained");
    words2?.replaceChildren(...coloured(why.words ?? []), keyOf(why));
  }
  words(row) {
    return this.shown.get(row.row)?.querySelector(".mlnb-words");
  }
};
function wordsOf(row, below) {
  if (row.text === "") return h("span", { class: "mlnb-words mlnb-muted" }, "(empty)");
  return h("span", { class: "mlnb-words" }, foreign(row.text ?? row.name, 400), below);
}

// src/evaluation_report/report.ts
var MANY_COLUMNS = ["found", "missed", "wrongly given"];
var Report = class {
  constructor(model) {
    this.model = model;
    const trait = (name, otherwise) => model.get(name) ?? otherwise;
    this.classes = trait("classes", []);
    this.noun = displayText(trait("noun", "row"), 20);
    this.many = trait("many", false);
    this.matrix = trait("matrix", []);
    this.pairs = trait("pairs", []);
    this.table = trait("table", []);
    this.calibration = trait("calibration", []);
    this.content = trait("content", "");
    this.explains = trait("explains", false);
  }
  model;
  classes;
  noun;
  many;
  matrix;
  pairs;
  table;
  calibration;
  content;
  explains;
  get chosen() {
    return this.model.get("chosen") ?? {};
  }
  get order() {
    return this.model.get("order") === "unsure" ? "unsure" : "wrong";
  }
  set(trait, value) {
    this.model.set(trait, value);
    this.model.save_changes();
  }
  name(column, limit = 40) {
    return displayText(this.classes[column] ?? "?", limit);
  }
  names(columns) {
    return columns.map((column) => this.name(column, 24)).join(", ") || "nothing";
  }
  /** `2 photographs` */
  count(rows) {
    return plural(rows, this.noun);
  }
  /** Which rows are shown, in words. */
  words({ label = -1, answer = -1, rows }) {
    if (rows !== void 0) return "chosen elsewhere";
    if (this.many && label >= 0) return `${this.name(label)}${answer < 0 ? "" : `: ${MANY_COLUMNS[answer]}`}`;
    if (label < 0 && answer < 0) return "all";
    if (answer < 0) return `all that are ${this.name(label)}`;
    if (label < 0) return `all said to be ${this.name(answer)}`;
    return label === answer ? `${this.name(label)}, and said so` : `${this.name(label)}, said to be ${this.name(answer)}`;
  }
  /** `dog .97 · is cat`, or `cat .99` where that is right. */
  said(row) {
    const answer = `${this.names(row.answers)} ${probabilityText(row.probability)}`;
    const label = typeof row.of_label === "number" ? ` ${probabilityText(row.of_label)}` : "";
    return row.wrong ? `${answer} · is ${this.names(row.labels)}${label}` : answer;
  }
};
var same = (a, b) => JSON.stringify([a.label, a.answer, a.turn]) === JSON.stringify([b.label, b.answer, b.turn]);

// src/evaluation_report/matrix.ts
function matrixView(report, choose) {
  const cells = [];
  const cell = (caption, label, chosen, className) => {
    const button2 = h("button", { type: "button", class: className, label, title: label }, caption);
    button2.addEventListener("click", () => choose(same(report.chosen, chosen) ? {} : chosen));
    cells.push([chosen, button2]);
    return button2;
  };
  const element = report.matrix.length > 0 ? matrix(report, cell) : pairs(report, cell);
  const mark = (chosen) => {
    for (const [one, button2] of cells) button2.setAttribute("aria-pressed", String(same(one, chosen)));
  };
  mark(report.chosen);
  return { element, mark };
}
function matrix(report, cell) {
  const columns = report.many ? MANY_COLUMNS : report.classes.map((_, at) => report.name(at, 18));
  const head = h("tr", {}, h("td"), ...columns.map((name, at) => {
    const title = report.many ? name : cell(name, report.words({ answer: at }), { label: -1, answer: at }, "mlnb-link");
    return heading("col", title);
  }));
  const large = report.classes.length > 8;
  const lines = report.matrix.map((counts, label) => {
    const total = Math.max(1, report.table[label].support);
    const name = cell(report.name(label, 18), report.words({ label }), { label, answer: -1 }, "mlnb-link");
    return h("tr", {}, heading("row", name), ...counts.map((count, answer) => {
      const right = report.many ? answer === 0 : answer === label;
      const chosen = { label, answer };
      const kind = count === 0 ? "mlnb-none" : right ? "mlnb-right" : "mlnb-wrong";
      const caption = large && count === 0 ? "" : countText(count);
      const button2 = cell(caption, `${report.count(count)}: ${report.words(chosen)}`, chosen, `mlnb-cell ${kind}`);
      button2.style.setProperty("--mlnb-share", String(Math.round(100 * Math.min(1, count / total))));
      return h("td", {}, button2);
    }));
  });
  const table = h(
    "table",
    { class: `mlnb-matrix${large ? " mlnb-large" : ""}`, label: "confusion: a row a label, a column an answer" },
    h("thead", {}, head),
    h("tbody", {}, ...lines)
  );
  roveTable(table);
  return h(
    "div",
    { class: "mlnb-matrix-box" },
    h("div", { class: "mlnb-muted" }, report.many ? "a row a class" : "a row a label, a column an answer"),
    h("div", { class: "mlnb-scroll" }, table)
  );
}
function pairs(report, cell) {
  const list = h(
    "ul",
    { class: "mlnb-pairs", label: "what was taken for what, the most often first" },
    ...report.pairs.map(([label, answer, count]) => {
      const chosen = { label, answer };
      const button2 = cell("", `${report.count(count)}: ${report.words(chosen)}`, chosen, "mlnb-pair");
      button2.append(
        h("span", { class: "mlnb-name" }, `${report.name(label, 28)} → ${report.name(answer, 28)}`),
        h("span", { class: "mlnb-number" }, countText(count))
      );
      return h("li", {}, button2);
    })
  );
  roveList(list);
  const said = report.pairs.length > 0 ? "what was taken for what" : "nothing was taken for anything else";
  return h("div", { class: "mlnb-matrix-box" }, h("div", { class: "mlnb-muted" }, said), list);
}
function heading(scope, content) {
  const element = h("th", {}, content);
  element.scope = scope;
  return element;
}

// src/evaluation_report/index.ts
function render({ model, el }) {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const report = new Report(model);
  const root = h("div", { class: "mlnb mlnb-evaluation-report" });
  root.dataset.lmSuppressShortcuts = "true";
  const tabs = new Tabs(model, report, cleanup);
  const choose = (chosen) => {
    if (same(report.chosen, chosen)) tabs.showRows();
    else report.set("chosen", chosen);
  };
  const matrix2 = matrixView(report, choose);
  tabs.add("classes", classesView(report, choose), () => {
  });
  tabs.addCurves();
  cleanup.follow(model, "change:chosen", () => {
    matrix2.mark(report.chosen);
    tabs.showRows();
  });
  root.append(
    header(model, cleanup),
    beside(model),
    h("div", { class: "mlnb-body" }, matrix2.element, tabs.element),
    tabs.hint
  );
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);
  tabs.showRows();
  root.dataset.state = "ready";
  return () => cleanup.run();
}
var Tabs = class {
  constructor(model, report, cleanup) {
    this.model = model;
    this.report = report;
    this.cleanup = cleanup;
    this.gallery = new Gallery(model, report, cleanup);
    this.element = h("div", { class: "mlnb-right" }, this.bar, this.pane);
    this.tab("wrong", "most wrong", () => this.sort("wrong"));
    this.tab("unsure", "least sure", () => this.sort("unsure"));
    cleanup.follow(model, "change:order", () => this.showRows());
  }
  model;
  report;
  cleanup;
  element;
  hint = h("div", { class: "mlnb-hint mlnb-muted" });
  bar = h("div", { class: "mlnb-tabs", role: "group", label: "what is shown" });
  pane = h("div", { class: "mlnb-pane" });
  gallery;
  buttons = /* @__PURE__ */ new Map();
  /** Rows, those that are chosen, from the beginning. */
  showRows() {
    this.open(this.report.order, this.gallery.element);
    this.gallery.show();
  }
  add(name, element, shown2) {
    this.tab(name, name, () => {
      this.open(name, element);
      shown2();
    });
  }
  addCurves() {
    const curves = new Curves(this.model, this.report, this.cleanup);
    this.add("curves", curves.element, () => curves.show());
  }
  sort(order) {
    if (this.report.order === order) this.showRows();
    else this.report.set("order", order);
  }
  tab(name, caption, on) {
    const made = button(caption, caption, on);
    this.buttons.set(name, made);
    this.bar.append(made);
  }
  open(name, element) {
    for (const [one, made] of this.buttons) made.setAttribute("aria-pressed", String(one === name));
    const first = name === "unsure" ? "least sure first · " : name === "wrong" ? "most wrong first · " : "";
    const why = this.report.explains ? `, a ${this.report.noun} to see which words speak for its answer` : "";
    this.hint.textContent = `${first}click a cell of the matrix to see its ${this.report.noun}s${why}`;
    if (this.pane.firstChild !== element) this.pane.replaceChildren(element);
  }
};
function header(model, cleanup) {
  const [first = "", ...rest] = model.get("facts") ?? [];
  const status = h("span", { class: "mlnb-muted mlnb-status" });
  status.setAttribute("role", "status");
  const figure = button("Figure", "copy the code that draws this as a plotly figure", () => model.send({ kind: "figure", request: 0 }));
  cleanup.follow(model, "msg:custom", (async (message) => {
    if (message.kind === "error") status.textContent = displayText(message.message, 160);
    if (message.kind !== "figure") return;
    const copied = await copyText(message.code);
    status.textContent = `${copied ? "copied: " : ""}${displayText(message.code)}`;
  }));
  return h(
    "div",
    { class: "mlnb-bar" },
    h("b", { class: "mlnb-title" }, displayText(first)),
    foreign(rest.join(" · "), 300, "mlnb-muted mlnb-facts"),
    h("span", { class: "mlnb-space" }),
    status,
    figure
  );
}
function beside(model) {
  const lines = [text(model, "beside"), ...model.get("notes") ?? []];
  return h("div", { class: "mlnb-beside mlnb-muted" }, ...lines.filter(Boolean).map((line2) => h("div", {}, foreign(line2, 300))));
}
var index_default = { render };
export {
  index_default as default
};
