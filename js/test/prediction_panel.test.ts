import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../src/prediction_panel/index";
import { percent } from "../src/prediction_panel/bars";
import { heatColor } from "../src/prediction_panel/heat";
import { prepare } from "../src/prediction_panel/prepare";
import { PAUSE } from "../src/prediction_panel/text_pane";
import { PIECE } from "../src/prediction_panel/upload";
import { FakeModel, until } from "./fixtures";

interface Sent {
  kind: string;
  request: string;
  [more: string]: unknown;
}

class Panel extends FakeModel {
  readonly buffers: ArrayBuffer[] = [];

  constructor(traits: Record<string, unknown> = {}) {
    super({ static_id: "", title: "clf", facts: "2 classes: cat, dog", takes: "pictures", why_not: "", last: {}, ...traits });
  }
  override send(content: unknown, _?: unknown, buffers: ArrayBuffer[] = []): void {
    super.send(content);
    this.buffers.push(...buffers);
  }
  of(kind: string): Sent[] {
    return (this.sent as Sent[]).filter((one) => one.kind === kind);
  }
  answer(request: string, content: object, buffers: DataView[] = []): void {
    this.emit("msg:custom", { request, ...content }, buffers);
  }
}

const BARS = [{ label: "cat", share: 0.973 }, { label: "dog", share: 0.027 }];
const HOSTILE = "<img src=x onerror=alert(1)>\u202e";

let clean = () => {};
let decodes = true;

function shown(panel: Panel): HTMLElement {
  const el = document.createElement("div");
  document.body.append(el);
  clean = widget.render({ model: panel, el });
  return el.querySelector<HTMLElement>(".mlnb-prediction-panel")!;
}

const png = (size = 100, name = "a.png") => new File(["\x89PNG".padEnd(size, "x")], name, { type: "image/png" });
const button = (root: HTMLElement, caption: string) => [...root.querySelectorAll("button")].find((b) => b.textContent === caption)!;
const told = (root: HTMLElement) => root.querySelector(".mlnb-told")!.textContent!;
const labels = (root: HTMLElement) => [...root.querySelectorAll(".mlnb-label")].map((e) => e.textContent);

function drop(root: HTMLElement, files: File[], types = ["Files"]): Event {
  const event = new Event("drop", { bubbles: true, cancelable: true });
  Object.assign(event, { dataTransfer: { files, types } });
  root.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  document.body.replaceChildren();
  decodes = true;
  vi.stubGlobal("createImageBitmap", () => (decodes ? Promise.resolve({ width: 40, height: 30, close: () => {} }) : Promise.reject(new Error("no"))));
});
afterEach(() => {
  clean();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a dropped picture goes to the kernel as it is, and its classes come as bars", async () => {
  const panel = new Panel();
  const root = shown(panel);
  const event = drop(root, [png()]);
  expect(event.defaultPrevented).toBe(true);
  await until(() => panel.of("piece").length === 1);
  const piece = panel.of("piece")[0]!;
  expect(piece).toMatchObject({ name: "a.png", index: 0, pieces: 1, unseen: false });
  expect(panel.buffers[0]!.byteLength).toBe(101); // \x89 takes two bytes
  panel.answer(piece.request, { kind: "received", pieces: 1 });
  panel.answer(piece.request, { kind: "answer", bars: BARS, more: "", seconds: 0.1, note: "" });
  expect(labels(root)).toEqual(["cat", "dog"]);
  expect([...root.querySelectorAll(".mlnb-percent")].map((e) => e.textContent)).toEqual(["97.3%", "2.7%"]);
  expect(root.querySelector<HTMLImageElement>(".mlnb-frame img")!.src).toMatch(/^blob:/);
  expect(root.querySelector(".mlnb-spoken")!.textContent).toContain("cat 97.3%");
});

test("what the browser cannot read goes in pieces, the next after the one before, and can be cancelled", async () => {
  decodes = false;
  const panel = new Panel();
  const root = shown(panel);
  drop(root, [new File(["II*\0".padEnd(2.5 * PIECE, "x")], "scan.tif")]);
  await until(() => panel.of("piece").length === 1);
  const { request } = panel.of("piece")[0]!;
  expect(panel.of("piece")[0]).toMatchObject({ pieces: 3, unseen: true });
  expect(panel.buffers[0]!.byteLength).toBe(PIECE);
  panel.answer(request, { kind: "received", pieces: 1 });
  await until(() => panel.of("piece").length === 2);
  expect(root.querySelector("progress")!.value).toBeCloseTo(1 / 3);
  expect(told(root)).toBe("sending scan.tif");
  button(root, "Cancel").click();
  expect(panel.of("cancel")[0]!.request).toBe(request);
  expect(root.querySelector("progress")!.hidden).toBe(true);
  panel.answer(request, { kind: "received", pieces: 2 });
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(panel.of("piece")).toHaveLength(2);
  expect(told(root)).toBe("cancelled");
});

test.each([
  [new File(["hello there"], "notes.txt"), "notes.txt is no picture that can be read here"],
  [new File([], "empty.png"), "empty.png is empty"],
  [new File(["hello"], HOSTILE), "<img src=x onerror=alert(1)>\\u202e is no picture"],
])("a file that is no picture says so, and nothing is sent", async (file, said) => {
  decodes = false;
  const panel = new Panel();
  const root = shown(panel);
  drop(root, [file]);
  await until(() => told(root) !== "");
  expect(told(root)).toContain(said);
  expect(root.querySelector(".mlnb-told")!.classList.contains("mlnb-warn")).toBe(true);
  expect(panel.sent).toEqual([]);
  expect(root.querySelector("img[onerror]")).toBeNull();
});

test("a folder cannot be read, which is said", async () => {
  decodes = false;
  const folder = png();
  folder.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("NotFoundError")) }) as unknown as Blob;
  await expect(prepare(folder)).rejects.toThrow("a folder cannot be dropped");
});

test("a PNG that claims more pixels than there is memory for is not decoded", async () => {
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, 0x89504e47);
  header.setUint32(16, 50_000);
  header.setUint32(20, 50_000);
  const decode = vi.fn();
  vi.stubGlobal("createImageBitmap", decode);
  await expect(prepare(new File([header], "bomb.png", { type: "image/png" }))).rejects.toThrow("bomb.png has 2.5 G pixels; the limit is 50 M");
  expect(decode).not.toHaveBeenCalled();
});

test("a link is refused, for nothing is fetched", () => {
  const root = shown(new Panel());
  drop(root, [], ["text/uri-list"]);
  expect(told(root)).toContain("fetches nothing from the network");
});

test("several pictures make a list, one is asked at a time, and a bad one hides nothing", async () => {
  const panel = new Panel();
  const root = shown(panel);
  drop(root, [png(100, "one.png"), png(100, "two.png"), png(100, "three.png")]);
  await until(() => panel.of("piece").length === 1);
  const list = () => [...root.querySelectorAll<HTMLButtonElement>(".mlnb-given button")];
  expect(list().map((b) => b.getAttribute("aria-label"))).toEqual(["one.png: asked", "two.png: waiting", "three.png: waiting"]);
  panel.answer(panel.of("piece")[0]!.request, { kind: "error", message: "ValueError: no" });
  await until(() => panel.of("piece").length === 2);
  expect(told(root)).toBe("ValueError: no");
  panel.answer(panel.of("piece")[1]!.request, { kind: "answer", bars: BARS });
  expect(told(root)).toBe("ValueError: no");
  list()[1]!.click();
  expect(labels(root)).toEqual(["cat", "dog"]);
  expect(told(root)).toBe("");
  expect(list()[1]!.getAttribute("aria-pressed")).toBe("true");
  list()[1]!.focus();
  root.querySelector(".mlnb-given")!.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
  expect(told(root)).toBe("ValueError: no");
});

test("a paste is taken where the panel has focus, and nowhere else", async () => {
  const panel = new Panel();
  const root = shown(panel);
  const paste = () => {
    const event = new Event("paste", { bubbles: true, cancelable: true });
    Object.assign(event, { clipboardData: { files: [png()] } });
    document.body.dispatchEvent(event);
  };
  paste();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(panel.sent).toEqual([]);
  button(root, "Choose…").focus();
  paste();
  await until(() => panel.of("piece").length === 1);
});

test("why asks once and draws the map over the picture", async () => {
  const panel = new Panel();
  const root = shown(panel);
  drop(root, [png()]);
  await until(() => panel.of("piece").length === 1);
  const { request } = panel.of("piece")[0]!;
  panel.answer(request, { kind: "answer", bars: BARS });
  const why = button(root, "Why?");
  why.click();
  expect(why.getAttribute("aria-pressed")).toBe("true");
  expect(panel.of("why")).toMatchObject([{ of: request }]);
  panel.answer(panel.of("why")[0]!.request, { kind: "progress", message: "covering the picture: 32 of 150" });
  expect(told(root)).toBe("covering the picture: 32 of 150");
  root.querySelector<HTMLButtonElement>(".mlnb-given button")!.click();
  expect(panel.of("why")).toHaveLength(1);
  panel.answer(panel.of("why")[0]!.request, { kind: "why", width: 2, height: 1, label: "cat" }, [new DataView(new ArrayBuffer(2))]);
  expect(told(root)).toBe("");
  const heat = root.querySelector<HTMLCanvasElement>(".mlnb-heat")!;
  expect(heat.hidden).toBe(false);
  expect(heat.getAttribute("aria-label")).toContain("cat");
  const slider = root.querySelector<HTMLInputElement>("input[type=range]")!;
  slider.value = "30";
  slider.dispatchEvent(new Event("input"));
  expect(heat.style.opacity).toBe("0.3");
  why.click();
  expect(heat.hidden).toBe(true);
});

test("where nobody can explain, the switch says why not", () => {
  const root = shown(new Panel({ why_not: "this model has no explain()" }));
  const why = button(root, "Why?");
  expect(why.getAttribute("aria-disabled")).toBe("true");
  why.click();
  expect(told(root)).toBe("this model has no explain()");
  expect(why.getAttribute("aria-pressed")).toBe("false");
});

test("without a webcam the button says so and why", async () => {
  const root = shown(new Panel());
  await until(() => button(root, "No webcam") !== undefined);
  expect(button(root, "No webcam").title).toContain("https or localhost");
  clean();
  const refused = Object.assign(new Error("x"), { name: "NotAllowedError" });
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia: () => Promise.reject(refused), enumerateDevices: async () => [{ kind: "videoinput" }] } });
  const again = shown(new Panel());
  await new Promise((resolve) => setTimeout(resolve, 10));
  button(again, "Webcam").click();
  await until(() => told(again) !== "");
  expect(told(again)).toContain("forbidden");
  expect(button(again, "No webcam").getAttribute("aria-disabled")).toBe("true");
});

test("typing asks after a pause, and only the newest answer is drawn", () => {
  vi.useFakeTimers();
  const panel = new Panel({ takes: "text" });
  const root = shown(panel);
  const field = root.querySelector("textarea")!;
  const type = (text: string) => {
    field.value = text;
    field.dispatchEvent(new Event("input"));
  };
  type("The s");
  vi.advanceTimersByTime(PAUSE - 1);
  expect(panel.sent).toEqual([]);
  type("The soup");
  vi.advanceTimersByTime(PAUSE);
  type("The soup was cold");
  vi.advanceTimersByTime(PAUSE);
  expect(panel.of("text").map((one) => one.text)).toEqual(["The soup", "The soup was cold"]);
  const [old, newest] = panel.of("text");
  vi.advanceTimersByTime(12);
  panel.answer(newest!.request, { kind: "answer", bars: BARS });
  panel.answer(old!.request, { kind: "answer", bars: [{ label: "old", share: 1 }] });
  expect(labels(root)).toEqual(["cat", "dog"]);
  expect(root.querySelector(".mlnb-behind")!.textContent).toBe("12 ms");
  type("  ");
  vi.advanceTimersByTime(PAUSE);
  expect(labels(root)).toEqual([]);
  expect(panel.of("text")).toHaveLength(2);
});

test("words are coloured by their share, and what is foreign stays text", () => {
  vi.useFakeTimers();
  const panel = new Panel({ takes: "text" });
  const root = shown(panel);
  const field = root.querySelector("textarea")!;
  button(root, "Why?").click();
  field.value = "good soup";
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true }));
  panel.answer(panel.of("text")[0]!.request, { kind: "answer", bars: BARS });
  expect(panel.of("why")).toMatchObject([{ text: "good soup" }]);
  panel.answer(panel.of("why")[0]!.request, { kind: "why", label: HOSTILE, words: [["good", 0.4], [" ", null], ["cold", -0.2], [HOSTILE, 0.01]], words_note: "The first 4 words" });
  expect(root.querySelector(".mlnb-key")!.textContent).toContain("against it · The first 4 words");
  expect([...root.querySelectorAll(".mlnb-words > .mlnb-for")].map((e) => e.textContent)).toEqual(["good"]);
  expect(root.querySelector<HTMLElement>(".mlnb-words > .mlnb-against")!.title).toBe("−0.20");
  expect(root.querySelector(".mlnb-words")!.textContent).toBe("good cold<img src=x onerror=alert(1)>\\u202e");
  expect(root.querySelector("img")).toBeNull();
});

test("a bar keeps its element when its probability moves", () => {
  const panel = new Panel({ takes: "text", last: { request: "python", asked: "good", picture: "", bars: BARS } });
  const root = shown(panel);
  expect(root.querySelector("textarea")!.value).toBe("good");
  const before = root.querySelector(".mlnb-shares li")!;
  panel.set("last", { request: "python", asked: "bad", picture: "", bars: [{ label: "dog", share: 0.9 }, { label: "cat", share: 0.1 }] });
  expect(labels(root)).toEqual(["dog", "cat"]);
  expect(root.querySelectorAll(".mlnb-shares li")[1]).toBe(before);
});

test("an answer from elsewhere is shown, its picture only where it is one", () => {
  const last = { request: "python", asked: "cat.jpg", picture: "data:image/jpeg;base64,AAAA", bars: BARS };
  const root = shown(new Panel({ last }));
  expect(root.querySelector<HTMLImageElement>(".mlnb-frame img")!.src).toBe(last.picture);
  clean();
  for (const picture of ["https://example.org/x.png", "javascript:alert(1)", "data:image/svg+xml;base64,AAAA"]) {
    const other = shown(new Panel({ last: { ...last, picture } }));
    expect(other.querySelector("img")!.getAttribute("src")).toBeNull();
    clean();
  }
});

test("a kernel that does not answer is told of, and a view that goes leaves nothing behind", async () => {
  vi.useFakeTimers();
  const panel = new Panel({ takes: "text" });
  const root = shown(panel);
  const field = root.querySelector("textarea")!;
  field.value = "good";
  field.dispatchEvent(new Event("input"));
  vi.advanceTimersByTime(PAUSE + 3000);
  expect(told(root)).toContain("waiting for the kernel");
  clean();
  expect(panel.listening).toBe(0);
  expect(document.querySelector(".mlnb-prediction-panel")).toBeNull();
});

test("shares and colours are written as in Python", () => {
  expect([1, 0.99951, 0.9731, 0.00099, 0.00021, 0.00001, 0].map(percent)).toEqual(["100%", "100%", "97.3%", "0.1%", "0.02%", "<0.01%", "0%"]);
  expect(heatColor(0)).toEqual([13, 8, 135, 191]);
  expect(heatColor(0.5)).toEqual([204, 71, 120, 223]);
  expect(heatColor(1)).toEqual([240, 249, 33, 255]);
});
