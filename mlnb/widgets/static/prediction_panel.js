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
function foreign(text2, limit = 80, className = "") {
  const shown2 = displayText(text2, limit);
  const whole = displayText(text2, 4e3);
  return h("span", { class: className, title: shown2 === whole ? "" : whole }, shown2);
}
function expandable(text2, limit = 80, className = "") {
  const whole = displayText(text2, 4e3);
  const shown2 = displayText(text2, limit);
  if (shown2 === whole) return h("span", { class: className }, whole);
  const element = h("button", { type: "button", class: `mlnb-clip ${className}`, title: whole }, shown2);
  element.setAttribute("aria-expanded", "false");
  element.addEventListener("click", () => {
    const open = element.getAttribute("aria-expanded") === "false";
    element.setAttribute("aria-expanded", String(open));
    element.textContent = open ? whole : shown2;
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

// src/prediction_panel/line.ts
var Line = class {
  text = h("span", { class: "mlnb-told" });
  spoken = h("span", { class: "mlnb-spoken", role: "status" });
  bar = h("progress", { label: "sent" });
  stop;
  element;
  constructor(cancel) {
    this.stop = button("Cancel", "cancel the file that is sent", cancel);
    this.text.setAttribute("role", "alert");
    this.element = h("div", { class: "mlnb-below" }, this.text, this.bar, this.stop, this.spoken);
    this.clear();
  }
  clear() {
    this.show("", false);
  }
  /** One line of what is wrong. */
  wrong(text2) {
    this.show(text2, true);
  }
  /** One line of what is going on. */
  tell(text2) {
    this.show(text2, false);
  }
  /** A file that is sent, `share` of it so far. */
  sending(text2, share) {
    this.show(text2, false);
    this.bar.value = share;
    this.bar.hidden = this.stop.hidden = false;
  }
  /** Nothing that one sees. */
  speak(text2) {
    this.spoken.textContent = text2;
  }
  show(text2, wrong) {
    this.bar.hidden = this.stop.hidden = true;
    if (this.text.textContent !== text2) this.text.replaceChildren(...text2 ? [foreign(text2, 300)] : []);
    this.text.classList.toggle("mlnb-warn", wrong);
    this.element.classList.toggle("mlnb-empty", text2 === "");
  }
};

// src/prediction_panel/bars.ts
function percent(share) {
  if (share >= 0.9995) return "100%";
  if (share >= 95e-5) return `${(100 * share).toFixed(1)}%`;
  if (share >= 1e-4) return `${(100 * share).toFixed(2)}%`;
  return share === 0 ? "0%" : "<0.01%";
}
var spoken = (bars) => bars.map((bar) => `${bar.label} ${percent(bar.share)}`).join(", ");
var Bars = class {
  element = h("ol", { class: "mlnb-shares", label: "classes, the likeliest first" });
  rows = /* @__PURE__ */ new Map();
  draw(bars) {
    const rows = /* @__PURE__ */ new Map();
    for (const { label, share } of bars) {
      const row = this.rows.get(label) ?? rowOf(label);
      row.querySelector(".mlnb-length").style.width = `${Math.max(0.5, Math.min(100, 100 * share))}%`;
      row.querySelector(".mlnb-percent").textContent = percent(share);
      rows.set(label, row);
    }
    for (const [label, row] of this.rows) if (!rows.has(label)) row.remove();
    const order = [...rows.values()];
    if (order.some((row, i) => this.element.children[i] !== row)) this.element.replaceChildren(...order);
    this.rows = rows;
  }
};
function rowOf(label) {
  const length = h("span", { class: "mlnb-length" });
  const track = h("span", { class: "mlnb-track" }, length);
  track.setAttribute("aria-hidden", "true");
  return h("li", {}, foreign(label, 60, "mlnb-label"), track, h("span", { class: "mlnb-percent" }));
}

// src/prediction_panel/intake.ts
var A_LINK = "that is a link, and mlnb fetches nothing from the network: save the picture and drop the file";
function takeFiles(root, cleanup, take, say) {
  const over = (on) => root.classList.toggle("mlnb-over", on);
  for (const type of ["dragenter", "dragover"]) {
    cleanup.listen(root, type, (event) => {
      event.preventDefault();
      event.stopPropagation();
      over(true);
    });
  }
  cleanup.listen(root, "dragleave", (event) => {
    if (!root.contains(event.relatedTarget)) over(false);
  });
  cleanup.listen(root, "drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    over(false);
    const files = [...event.dataTransfer?.files ?? []];
    if (files.length > 0) take(files);
    else say(event.dataTransfer?.types.includes("text/uri-list") ? A_LINK : "that is no file");
  });
  cleanup.listen(document, "paste", (event) => {
    if (!root.contains(document.activeElement)) return;
    const files = [...event.clipboardData?.files ?? []];
    if (files.length === 0) return say("there is no picture on the clipboard");
    event.preventDefault();
    event.stopPropagation();
    take(files);
  }, { capture: true });
}
function chooser(take) {
  const input = h("input", { type: "file", label: "choose pictures" });
  Object.assign(input, { accept: "image/*", multiple: true, hidden: true, tabIndex: -1 });
  input.addEventListener("change", () => {
    const files = [...input.files ?? []];
    input.value = "";
    if (files.length > 0) take(files);
  });
  return { input, open: () => input.click() };
}

// src/prediction_panel/picture_list.ts
var LISTED = 48;
var PictureList = class {
  constructor(choose) {
    this.choose = choose;
    this.element.addEventListener("keydown", (event) => this.move(event));
  }
  choose;
  element = h("div", { class: "mlnb-given", role: "list", label: "the pictures so far" });
  given = [];
  chosen = null;
  buttons = /* @__PURE__ */ new Map();
  /** Put new ones in front, in their order; the oldest ones are let go. */
  add(several) {
    this.given.unshift(...several);
    for (const old of this.given.splice(LISTED)) forget(old);
    this.draw();
  }
  draw() {
    for (const [given, element] of this.buttons) {
      if (this.given.includes(given)) continue;
      element.parentElement.remove();
      this.buttons.delete(given);
    }
    this.given.forEach((given, i) => {
      const element = this.buttons.get(given) ?? this.buttonOf(given);
      fill(element, given, given === this.chosen);
      const item = element.parentElement;
      if (this.element.children[i] !== item) this.element.insertBefore(item, this.element.children[i] ?? null);
    });
    this.element.hidden = this.given.length < 2;
  }
  /** Let all pictures go. */
  forget() {
    this.given.splice(0).forEach(forget);
  }
  buttonOf(given) {
    const element = h("button", { type: "button", on: () => this.choose(given) });
    this.buttons.set(given, element);
    h("div", { role: "listitem" }, element);
    return element;
  }
  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = this.given.findIndex((given) => this.buttons.get(given) === document.activeElement);
    const next = step === void 0 || at < 0 ? void 0 : this.given[at + step];
    if (!next) return;
    event.preventDefault();
    this.choose(next);
    this.buttons.get(next).focus();
  }
};
var forget = (given) => given.url.startsWith("blob:") && URL.revokeObjectURL(given.url);
function fill(element, given, chosen) {
  element.setAttribute("aria-pressed", String(chosen));
  const said = words(given);
  element.title = `${displayText(given.name, 200)}: ${said}`;
  element.setAttribute("aria-label", element.title);
  const picture = given.url ? h("img") : h("span", { class: "mlnb-blank" }, given.state === "wrong" ? "!" : "…");
  if (picture instanceof HTMLImageElement) Object.assign(picture, { src: given.url, alt: "" });
  const caption = h("span", { class: given.state === "wrong" ? "mlnb-warn" : "" }, foreign(said, 24));
  element.replaceChildren(picture, caption);
}
function words(given) {
  const first = given.answer?.bars?.[0];
  if (first) return `${first.label} ${percent(first.share)}`;
  return given.state === "wrong" ? given.reason : given.state;
}

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
var threeDigits = (value) => String(Number(value.toPrecision(3)));

// src/prediction_panel/prepare.ts
var SIDE = 1024;
var LARGEST = 256 * 2 ** 20;
var PIXELS = 5e7;
var AS_IT_IS = 2 ** 20;
var SENT_AS_THEY_ARE = /* @__PURE__ */ new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"]);
async function prepare(file) {
  const name = displayText(file.name, 60);
  if (file.size === 0) throw new Error(`${name} is empty; expected a picture`);
  const head = await firstBytes(file, name);
  const pixels = pixelsOfPng(head);
  if (pixels > PIXELS) throw new Error(`${name} has ${countText(pixels)} pixels; the limit is ${countText(PIXELS)}`);
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (bitmap) {
    const blob = await scaled(file, bitmap).finally(() => bitmap.close());
    return { blob, seen: true };
  }
  if (!startsLikeAPicture(head)) {
    throw new Error(`${name} is no picture that can be read here; JPEG, PNG, WebP, GIF, BMP and TIFF can`);
  }
  if (file.size > LARGEST) throw new Error(`${name} has ${bytesText(file.size)}; the limit is ${bytesText(LARGEST)}`);
  return { blob: file, seen: false };
}
async function scaled(file, bitmap) {
  const longer = Math.max(bitmap.width, bitmap.height);
  if (longer <= SIDE && file.size <= AS_IT_IS && SENT_AS_THEY_ARE.has(file.type)) return file;
  const scale = Math.min(1, SIDE / longer);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  const lossy = file.type === "image/jpeg" || file.type === "image/webp";
  if (lossy) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return blobOf(canvas, lossy ? "image/jpeg" : "image/png");
}
function blobOf(canvas, type) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => blob ? resolve(blob) : reject(new Error("the browser could not scale the picture")), type, 0.92);
  });
}
async function firstBytes(file, name) {
  const bytes = await file.slice(0, 24).arrayBuffer().catch(() => {
    throw new Error(`${name} cannot be read; a folder cannot be dropped, its pictures can`);
  });
  return new DataView(bytes);
}
function pixelsOfPng(head) {
  const png = head.byteLength >= 24 && head.getUint32(0) === 2303741511;
  return png ? head.getUint32(16) * head.getUint32(20) : 0;
}
function startsLikeAPicture(head) {
  const text2 = String.fromCharCode(...new Uint8Array(head.buffer));
  return /^(\xff\xd8\xff|\x89PNG|GIF8|BM|II\*\0|MM\0\*|P[1-6]\s|RIFF....WEBP)/s.test(text2);
}

// src/prediction_panel/said.ts
var Said = class {
  bars = new Bars();
  facts = h("div", { class: "mlnb-muted mlnb-behind" });
  element = h("div", { class: "mlnb-said" }, this.bars.element, this.facts);
  draw(answer, milliseconds) {
    this.bars.draw(answer?.bars ?? []);
    const time = milliseconds ?? (answer?.seconds === void 0 ? void 0 : 1e3 * answer.seconds);
    const parts = answer ? [answer.more, time === void 0 ? "" : durationText(time), answer.note] : [];
    this.facts.replaceChildren(foreign(parts.filter(Boolean).join(" · "), 300));
  }
};
var durationText = (ms) => ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1e3).toFixed(1)} s`;

// src/prediction_panel/heat.ts
var PLASMA = [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]];
var FAINTEST = 0.75;
function heatColor(share) {
  const place = share * (PLASMA.length - 1);
  const below = Math.min(Math.floor(place), PLASMA.length - 2);
  const mix = (i) => Math.round(PLASMA[below][i] + (PLASMA[below + 1][i] - PLASMA[below][i]) * (place - below));
  return [mix(0), mix(1), mix(2), Math.round(255 * (FAINTEST + (1 - FAINTEST) * share))];
}
function drawHeat(canvas, map, width, height) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context || map.byteLength < width * height) return;
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) image.data.set(heatColor(map.getUint8(i) / 255), 4 * i);
  context.putImageData(image, 0, 0);
}

// src/prediction_panel/stage.ts
var Stage = class {
  picture = h("img");
  heat = h("canvas", { class: "mlnb-heat", role: "img" });
  frame = h("div", { class: "mlnb-frame" }, this.picture, this.heat);
  name = h("div", { class: "mlnb-muted mlnb-name" });
  invite;
  webcam = null;
  element;
  constructor(open) {
    this.invite = button("Drop, paste or choose a picture", "drop, paste or choose a picture", open);
    this.invite.className = "mlnb-invite";
    this.element = h("div", { class: "mlnb-stage-of-one" }, this.invite, this.frame, this.name);
    this.show(null, 0);
  }
  /** Show a picture, with its map at an opacity of 0 to 1; 0 is without. */
  show(given, opacity) {
    this.frame.hidden = !given?.url;
    this.invite.hidden = Boolean(given?.url) || this.webcam !== null;
    this.name.replaceChildren(...given ? [foreign(given.name, 80)] : []);
    if (given?.url && this.picture.getAttribute("src") !== given.url) this.picture.src = given.url;
    this.picture.alt = given ? displayText(given.name) : "";
    this.heat.hidden = !given?.heat || opacity === 0;
    this.heat.style.opacity = String(opacity);
    if (!given?.heat) return;
    drawHeat(this.heat, given.heat.map, given.heat.width, given.heat.height);
    this.heat.setAttribute("aria-label", `where the picture speaks for ${displayText(given.heat.label, 60)}: the brighter the more`);
  }
  /** The live picture of the webcam in place of a picture, or no more of it. */
  film(webcam, given, opacity) {
    this.webcam = webcam;
    if (webcam) this.element.prepend(webcam.element);
    this.show(webcam ? null : given, opacity);
  }
};

// src/prediction_panel/upload.ts
var PIECE = 2 ** 20;
var Upload = class {
  /**
   * `progress` is told the share that has come; `hear` the answer, or the error. The kernel knows
   * the picture by the name that `id` has.
   */
  constructor(talk, blob, about, progress, hear) {
    this.talk = talk;
    this.blob = blob;
    this.about = about;
    this.pieces = Math.max(1, Math.ceil(blob.size / PIECE));
    this.request = talk.open((message, buffers) => {
      if (message.kind !== "received") {
        this.done = true;
        return hear(message, buffers);
      }
      progress((message.pieces ?? 0) / this.pieces);
      if ((message.pieces ?? 0) < this.pieces) void this.send(message.pieces ?? 0);
    });
    void this.send(0);
  }
  talk;
  blob;
  about;
  request;
  pieces;
  done = false;
  get id() {
    return this.request;
  }
  /** Send nothing more, and let the kernel forget what it has. */
  cancel() {
    if (this.done) return;
    this.done = true;
    this.talk.close(this.request);
    this.talk.send("cancel", this.request);
  }
  async send(index) {
    const piece = await this.blob.slice(index * PIECE, (index + 1) * PIECE).arrayBuffer();
    if (!this.done) this.talk.send("piece", this.request, { ...this.about, index, pieces: this.pieces }, piece);
  }
};

// src/prediction_panel/webcam.ts
var REASONS = {
  NotAllowedError: "the webcam is forbidden for this page; allow it beside the browser's address",
  SecurityError: "the webcam is forbidden for this page",
  NotFoundError: "no webcam was found",
  NotReadableError: "another program uses the webcam"
};
async function whyNoWebcam() {
  const devices = navigator.mediaDevices;
  if (!devices?.getUserMedia) return "the webcam needs a page from https or localhost";
  const allowed = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
  if (allowed?.state === "denied") return REASONS.NotAllowedError;
  const found = await devices.enumerateDevices().catch(() => null);
  return found && !found.some(({ kind }) => kind === "videoinput") ? REASONS.NotFoundError : "";
}
var reasonOf = (error) => REASONS[error?.name ?? ""] ?? `the webcam does not start: ${error?.message ?? error}`;
var Webcam = class _Webcam {
  constructor(stream, took, left) {
    this.stream = stream;
    Object.assign(this.video, { srcObject: stream, muted: true, playsInline: true, autoplay: true });
    const take = button("Take the picture", "take the picture", async () => {
      const file = await this.frame();
      this.stop();
      took(file);
    });
    const leave = button("Cancel", "switch the webcam off", () => {
      this.stop();
      left();
    });
    this.element = h("div", { class: "mlnb-webcam" }, this.video, h("div", { class: "mlnb-choices" }, take, leave));
    queueMicrotask(() => take.focus());
  }
  stream;
  element;
  video = h("video", { label: "what the webcam sees" });
  static async start(took, left) {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true });
    return new _Webcam(stream, took, left);
  }
  stop() {
    for (const track of this.stream.getTracks()) track.stop();
    this.element.remove();
  }
  async frame() {
    const canvas = document.createElement("canvas");
    canvas.width = this.video.videoWidth || 640;
    canvas.height = this.video.videoHeight || 480;
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return new File([await blobOf(canvas, "image/jpeg")], "webcam.jpg", { type: "image/jpeg" });
  }
};

// src/prediction_panel/why.ts
var WhySwitch = class {
  constructor(whyNot, changed, refused) {
    this.whyNot = whyNot;
    this.element = h("button", { type: "button", label: "why? explain the answer", title: whyNot || "explain the answer" }, "Why?");
    this.element.setAttribute("aria-pressed", "false");
    if (whyNot) this.element.setAttribute("aria-disabled", "true");
    this.element.addEventListener("click", () => {
      if (this.whyNot) return refused(this.whyNot);
      this.element.setAttribute("aria-pressed", String(!this.on));
      changed(this.on);
    });
  }
  whyNot;
  element;
  get on() {
    return this.element.getAttribute("aria-pressed") === "true";
  }
};

// src/prediction_panel/picture_pane.ts
var PicturePane = class {
  constructor(root, model, cleanup, talk, line) {
    this.talk = talk;
    this.line = line;
    const choose = chooser((files) => this.take(files));
    this.stage = new Stage(choose.open);
    const camera = h("button", { type: "button", label: "take a picture with the webcam" }, "Webcam");
    camera.addEventListener("click", () => void this.film(camera));
    void whyNoWebcam().then((reason) => this.refuse(camera, reason));
    this.why = new WhySwitch(String(model.get("why_not") ?? ""), () => this.explain(), (reason) => line.tell(reason));
    Object.assign(this.slider, { min: "0", max: "100", value: "60" });
    this.slider.addEventListener("input", () => this.draw());
    this.said.element.append(this.strength);
    this.actions = [button("Choose…", "choose pictures", choose.open), camera, this.why.element];
    this.asked = h("div", { class: "mlnb-ask" }, this.stage.element, this.said.element);
    this.element = h("div", {}, choose.input, this.asked, this.list.element);
    takeFiles(root, cleanup, (files) => this.take(files), (reason) => line.wrong(reason));
    cleanup.add(() => this.close());
    this.draw();
  }
  talk;
  line;
  actions;
  element;
  asked;
  said = new Said();
  list = new PictureList((given) => this.choose(given));
  stage;
  why;
  slider = h("input", { type: "range", label: "opacity of the map" });
  strength = h(
    "div",
    { class: "mlnb-muted mlnb-strength" },
    "little",
    h("span", { class: "mlnb-ramp", role: "img", label: "dark is little, bright is much" }),
    "much",
    h("label", {}, "opacity", this.slider)
  );
  upload = null;
  judging = null;
  explaining = null;
  webcam = null;
  closed = false;
  /** Judge these after those that wait already; the first of them is shown. */
  take(files) {
    this.line.clear();
    if (files.length > LISTED) this.line.tell(`${files.length} files are too many at once; the first ${LISTED} are judged`);
    this.endFilm();
    const several = files.slice(0, LISTED).map((file) => ({ name: file.name, state: "waiting", file, url: "", request: "", reason: "" }));
    this.list.add(several);
    this.choose(several[0]);
    if (!this.judging) void this.next();
  }
  /** Show an answer that another view, or a cell, has got. */
  adopt(last) {
    if (!/^data:image\/(png|jpeg);base64,[A-Za-z0-9+/=]+$/.test(last.picture)) return;
    const given = { name: last.asked, state: "answered", url: last.picture, request: last.request, answer: last, reason: "" };
    this.list.add([given]);
    this.choose(given);
  }
  /** Stop the file that is on its way. */
  cancel() {
    if (this.judging) this.finish(this.judging, { state: "wrong", reason: "cancelled" });
  }
  choose(given) {
    this.list.chosen = given;
    this.draw();
    if (given.state === "wrong") this.line.wrong(given.reason);
    else if (given !== this.judging && given.state === "answered") this.line.clear();
    this.explain();
  }
  draw() {
    const given = this.list.chosen;
    this.asked.classList.toggle("mlnb-unasked", !given);
    this.stage.show(given, this.why.on ? Number(this.slider.value) / 100 : 0);
    this.said.draw(given?.answer ?? null, given?.milliseconds);
    this.strength.hidden = !this.why.on || !given?.heat;
    this.list.draw();
  }
  // The list has the newest drop first, and a drop in its own order.
  async next() {
    const given = this.list.given.find(({ state }) => state === "waiting");
    this.judging = given ?? null;
    if (!given) return;
    given.state = "asked";
    try {
      const { blob, seen } = await prepare(given.file);
      if (this.closed || given.state !== "asked") return;
      if (seen) given.url = URL.createObjectURL(blob);
      this.draw();
      const began = performance.now();
      this.upload = new Upload(
        this.talk,
        blob,
        { name: given.name, unseen: !seen },
        (share) => share < 1 ? this.line.sending(`sending ${given.name}`, share) : this.line.tell("asking the model"),
        (message, buffers) => this.hear(given, message, buffers, performance.now() - began)
      );
      given.request = this.upload.id;
    } catch (error) {
      this.finish(given, { state: "wrong", reason: error.message });
    }
  }
  hear(given, message, buffers, milliseconds) {
    if (message.kind === "error") return this.finish(given, { state: "wrong", reason: message.message ?? "" });
    if (buffers[0]) given.url = URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" }));
    this.finish(given, { state: "answered", answer: message, milliseconds });
    this.line.speak(`${given.name}: ${spoken(message.bars ?? [])}`);
  }
  finish(given, outcome) {
    this.upload?.cancel();
    this.upload = null;
    Object.assign(given, outcome, { file: void 0 });
    this.line.clear();
    if (this.list.chosen) this.choose(this.list.chosen);
    void this.next();
  }
  /** Ask for the map of the chosen picture, where it is wanted and not there. */
  explain() {
    const given = this.list.chosen;
    this.draw();
    if (!this.why.on || !given?.answer || given.heat || given === this.explaining) return;
    this.explaining = given;
    this.line.tell("looking for the reasons");
    const request = this.talk.open((message, buffers) => {
      if (this.explaining === given) this.explaining = null;
      if (message.kind === "error") return this.line.wrong(message.message ?? "");
      this.line.clear();
      given.heat = { map: buffers[0], width: message.width, height: message.height, label: message.label ?? "" };
      this.draw();
    });
    this.talk.send("why", request, { of: given.request });
  }
  async film(camera) {
    if (this.webcam) return;
    try {
      const left = () => this.endFilm();
      const webcam = await Webcam.start((file) => this.take([file]), left);
      if (this.closed) return webcam.stop();
      this.webcam = webcam;
      this.refuse(camera, "");
      this.line.clear();
      this.stage.film(webcam, null, 0);
    } catch (error) {
      this.refuse(camera, reasonOf(error));
      this.line.wrong(reasonOf(error));
    }
  }
  endFilm() {
    this.webcam?.stop();
    this.webcam = null;
    this.stage.film(null, this.list.chosen, 0);
    this.draw();
  }
  refuse(camera, reason) {
    camera.title = reason || "take a picture with the webcam";
    camera.textContent = reason ? "No webcam" : "Webcam";
    if (reason) camera.setAttribute("aria-disabled", "true");
    else camera.removeAttribute("aria-disabled");
    camera.setAttribute("aria-label", reason ? `no webcam: ${reason}` : "take a picture with the webcam");
  }
  close() {
    this.closed = true;
    this.webcam?.stop();
    this.upload?.cancel();
    this.list.forget();
  }
};

// src/prediction_panel/talk.ts
var PATIENCE = 3e3;
var WAITING = "waiting for the kernel; a cell may be running";
var Talk = class {
  constructor(model, cleanup, tell) {
    this.model = model;
    this.tell = tell;
    cleanup.follow(model, "msg:custom", ((message, buffers) => {
      if (message.kind === "error" && message.request === null) this.tell(message.message ?? "");
      const hear = this.asked.get(message.request);
      if (!hear) return;
      this.clear(message.request);
      if (message.kind === "progress") return this.tell(message.message ?? "");
      if (message.kind !== "received") this.asked.delete(message.request);
      hear(message, buffers ?? []);
    }));
    cleanup.add(() => [...this.slow.keys()].forEach((request) => this.clear(request)));
  }
  model;
  tell;
  view = Math.random().toString(36).slice(2, 10);
  asked = /* @__PURE__ */ new Map();
  slow = /* @__PURE__ */ new Map();
  count = 0;
  /** Whether a question was asked in this view. */
  mine(request) {
    return request.startsWith(`${this.view}-`);
  }
  /** A name for a question, and who hears what comes back. */
  open(hear) {
    const request = `${this.view}-${++this.count}`;
    this.asked.set(request, hear);
    return request;
  }
  /** Hear no more of it. */
  close(request) {
    this.clear(request);
    this.asked.delete(request);
  }
  send(kind, request, content = {}, buffer) {
    this.clear(request);
    if (this.asked.has(request)) this.slow.set(request, setTimeout(() => this.tell(WAITING), PATIENCE));
    const message = { kind, request, ...content };
    if (buffer) this.model.send(message, void 0, [buffer]);
    else this.model.send(message);
  }
  clear(request) {
    clearTimeout(this.slow.get(request));
    this.slow.delete(request);
  }
};

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

// src/prediction_panel/text_pane.ts
var PAUSE = 250;
var LONGEST = 2e5;
var TextPane = class {
  constructor(model, cleanup, talk, line) {
    this.talk = talk;
    this.line = line;
    Object.assign(this.field, { rows: 3, placeholder: "Type or paste a text", spellcheck: false, maxLength: LONGEST });
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), PAUSE);
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation();
      this.ask();
    });
    this.why = new WhySwitch(String(model.get("why_not") ?? ""), () => this.explain(), (reason) => line.tell(reason));
    this.actions = [this.why.element];
    const typed = h("div", { class: "mlnb-typed" }, this.field, this.reasons);
    this.element = h("div", { class: "mlnb-ask" }, typed, this.said.element);
    cleanup.add(() => clearTimeout(this.timer));
    this.drawReasons({});
  }
  talk;
  line;
  actions;
  element;
  field = h("textarea", { label: "the text to judge" });
  reasons = h("div", { class: "mlnb-reasons" });
  said = new Said();
  why;
  timer;
  newest = "";
  answered = "";
  /** Show an answer that another view, or a cell, has got. */
  adopt(last) {
    if (document.activeElement === this.field) return;
    this.field.value = this.answered = last.asked;
    this.said.draw(last);
    this.drawReasons({ ...last, label: last.bars?.[0]?.label });
  }
  ask() {
    clearTimeout(this.timer);
    const text2 = this.field.value;
    this.talk.close(this.newest);
    this.line.clear();
    this.reasons.classList.add("mlnb-old");
    if (text2.trim() === "") {
      this.answered = "";
      this.said.draw(null);
      return this.drawReasons({});
    }
    const began = performance.now();
    this.newest = this.talk.open((message) => {
      this.line.clear();
      if (message.kind === "error") return this.line.wrong(message.message ?? "");
      this.answered = text2;
      this.said.draw(message, performance.now() - began);
      this.line.speak(spoken(message.bars ?? []));
      this.explain();
    });
    this.talk.send("text", this.newest, { text: text2 });
  }
  explain() {
    const text2 = this.answered;
    if (!this.why.on || text2 === "") return this.drawReasons({});
    const request = this.talk.open((message) => {
      if (text2 !== this.answered || !this.why.on) return;
      if (message.kind === "error") return this.line.wrong(message.message ?? "");
      this.drawReasons(message);
    });
    this.talk.send("why", request, { text: text2 });
  }
  drawReasons(explained) {
    const words2 = explained.words ?? [];
    this.reasons.hidden = words2.length === 0;
    this.reasons.classList.remove("mlnb-old");
    const text2 = h("p", { class: "mlnb-words", label: "the words by what they add" });
    text2.append(...coloured(words2));
    this.reasons.replaceChildren(text2, keyOf(explained));
  }
};

// src/prediction_panel/index.ts
function render({ model, el }) {
  const cleanup = new Cleanup();
  cleanup.add(hideStaticOutput(text(model, "static_id"), el));
  const root = h("div", { class: "mlnb mlnb-prediction-panel" });
  root.dataset.lmSuppressShortcuts = "true";
  root.tabIndex = -1;
  const line = new Line(() => pane instanceof PicturePane && pane.cancel());
  const talk = new Talk(model, cleanup, (told) => line.tell(told));
  const pane = text(model, "takes") === "text" ? new TextPane(model, cleanup, talk, line) : new PicturePane(root, model, cleanup, talk, line);
  const adopt = () => {
    const last = model.get("last") ?? {};
    if (last.request && !talk.mine(last.request)) pane.adopt(last);
  };
  root.append(header(text(model, "title"), text(model, "facts"), "", ...pane.actions), pane.element, line.element);
  cleanup.follow(model, "change:last", adopt);
  adopt();
  el.append(root);
  cleanup.add(() => root.remove());
  followWidth(root, cleanup);
  root.dataset.state = "ready";
  return () => cleanup.run();
}
var index_default = { render };
export {
  index_default as default
};
