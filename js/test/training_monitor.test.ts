import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../src/training_monitor/index";
import { VERDICT_MS, STOP_MS } from "../src/training_monitor/reach";
import { measureText, memoryText, rateText } from "../src/training_monitor/words";
import { FakeModel } from "./fixtures";

interface Sent {
  kind: string;
  action?: string;
  value?: number | null;
  request: number;
}

class Run extends FakeModel {
  widget_manager?: { kernel?: unknown };

  constructor(kernel?: unknown, traits: Record<string, unknown> = {}) {
    const facts = { title: "lenet", line: "epoch 1 of 5", progress: 0.2, state: "training", lr: 1e-3, note: "", total: 500, device: "cpu", there: 8e9, kept: [0, 100], ...traits };
    super({ static_id: "", stands_in: "", runs: [facts] });
    if (kernel !== undefined) this.widget_manager = { kernel };
  }

  /** What was sent but for wishes to know the curve, which are tested in training_curves.test.ts. */
  get messages(): Sent[] {
    return (this.sent as Sent[]).filter(({ kind }) => kind !== "sync");
  }

  tell(facts: Record<string, unknown>): void {
    const [first, ...rest] = this.get("runs") as object[];
    this.set("runs", [{ ...first, ...facts }, ...rest]);
  }

  get greetings(): Sent[] {
    return this.messages.filter((m) => m.kind === "hello");
  }

  get last(): Sent {
    return this.messages.at(-1)!;
  }

  answer(message = this.last): void {
    this.emit("msg:custom", { kind: "done", request: message.request });
  }
}

let clean: () => void;

function shown(run: Run): HTMLElement {
  const el = document.createElement("div");
  document.body.append(el);
  clean = widget.render({ model: run, el });
  vi.advanceTimersByTime(0); // the first greeting
  return el.querySelector<HTMLElement>(".mlnb-training-monitor")!;
}

const button = (root: HTMLElement, caption: string): HTMLButtonElement =>
  [...root.querySelectorAll("button")].find((b) => b.textContent === caption)!;
const note = (root: HTMLElement): string => root.querySelector(".mlnb-hint")!.textContent!;
const grey = (root: HTMLElement): string[] =>
  [...root.querySelectorAll<HTMLElement>("[aria-disabled=true]")].map((e) => e.textContent || "lr");
const interruptible = () => ({ interrupt: vi.fn(() => Promise.resolve()) });

beforeEach(() => {
  vi.useFakeTimers();
  document.body.replaceChildren();
});
afterEach(() => {
  clean();
  vi.useRealTimers();
});

test("the run's line, its share and its rate are shown, and follow", () => {
  const run = new Run();
  const root = shown(run);
  expect(root.textContent).toContain("lenet" + "epoch 1 of 5");
  const bar = root.querySelector("[role=progressbar]")!;
  expect(bar.getAttribute("aria-valuenow")).toBe("20");
  run.tell({ progress: 0.5, line: "epoch 3 of 5", lr: 3e-5 });
  expect(bar.getAttribute("aria-valuenow")).toBe("50");
  expect(root.querySelector(".mlnb-line")!.textContent).toBe("epoch 3 of 5");
  expect(root.querySelector("input")!.value).toBe("3e-5");
  run.tell({ progress: -1 });
  expect(bar.hasAttribute("aria-valuenow")).toBe(false);
  expect(bar.classList.contains("mlnb-unknown")).toBe(true);
});

test("where the kernel answers, every control works and sends one message", () => {
  const run = new Run(interruptible());
  const root = shown(run);
  expect(run.messages.map((m) => m.kind)).toEqual(["hello"]);
  run.answer();
  expect(root.dataset.path).toBe("message");
  expect(grey(root)).toEqual([]);
  button(root, "Pause").click();
  expect(run.last).toMatchObject({ kind: "control", action: "pause" });
  run.answer();
  run.tell({ state: "paused" });
  button(root, "Resume").click();
  expect(run.last.action).toBe("resume");
  run.answer();
  button(root, "Checkpoint").click();
  expect(run.last.action).toBe("checkpoint");
  run.answer();
  vi.advanceTimersByTime(10_000);
  expect(root.dataset.path).toBe("message");
  expect(note(root)).toBe("");
});

test("a stop that is heard never interrupts the kernel", async () => {
  const kernel = interruptible();
  const run = new Run(kernel);
  const root = shown(run);
  run.answer();
  button(root, "Stop").click();
  expect(run.last.action).toBe("stop");
  expect(button(root, "Stopping…").getAttribute("aria-label")).toContain("stop");
  vi.advanceTimersByTime(STOP_MS - 1);
  run.answer();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(kernel.interrupt).not.toHaveBeenCalled();
  button(root, "Stopping…").click();
  expect(run.messages.filter((m) => m.action === "stop")).toHaveLength(1);
});

test("a stop that nobody hears interrupts the kernel, once", async () => {
  const kernel = interruptible();
  const run = new Run(kernel);
  const root = shown(run);
  button(root, "Stop").click();
  await vi.advanceTimersByTimeAsync(STOP_MS - 1);
  expect(kernel.interrupt).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(kernel.interrupt).toHaveBeenCalledTimes(1);
});

test("an interrupt that fails is said, and Stop can be tried again", async () => {
  const kernel = { interrupt: vi.fn(() => Promise.reject(new Error("gone"))) };
  const root = shown(new Run(kernel));
  button(root, "Stop").click();
  await vi.advanceTimersByTimeAsync(STOP_MS);
  expect(note(root)).toContain("could not be interrupted");
  expect(button(root, "Stop")).toBeTruthy();
});

test("a kernel that does not answer is greeted ever more rarely", () => {
  const run = new Run();
  shown(run);
  vi.advanceTimersByTime(1500);
  expect(run.greetings).toHaveLength(4);
  vi.advanceTimersByTime(22_500);
  expect(run.greetings).toHaveLength(8); // after 2, 4, 8 and 16 seconds
  vi.advanceTimersByTime(3_600_000);
  expect(run.greetings).toHaveLength(15);
});

test("a subshell that comes late, on a busy machine, is noticed", () => {
  const run = new Run(interruptible());
  const root = shown(run);
  vi.advanceTimersByTime(12_500);
  expect(root.dataset.path).toBe("interrupt");
  run.answer(run.greetings.at(-1));
  expect(root.dataset.path).toBe("message");
  expect(grey(root)).toEqual([]);
});

test("a word on what cannot be reached comes before what the run says", () => {
  const run = new Run(undefined, { note: "loss: mse" });
  const root = shown(run);
  expect(note(root)).toBe("loss: mse");
  vi.advanceTimersByTime(VERDICT_MS);
  expect(note(root)).toContain("stop button");
  run.answer(run.greetings[0]);
  expect(note(root)).toBe("loss: mse");
});

test("where only an interrupt gets through, the others are greyed out and say why", () => {
  const run = new Run(interruptible());
  const root = shown(run);
  vi.advanceTimersByTime(VERDICT_MS - 1);
  expect(root.dataset.path).toBe("asking");
  vi.advanceTimersByTime(1);
  expect(root.dataset.path).toBe("interrupt");
  expect(grey(root)).toEqual(["Pause", "lr", "Checkpoint", "Go back…"]);
  expect(root.querySelector("input")!.readOnly).toBe(true);
  expect(note(root)).toContain("background=True");
  const before = run.sent.length;
  button(root, "Pause").click();
  expect(run.sent).toHaveLength(before);
  expect(note(root)).toContain("background=True");
});

test("without a way to interrupt, Stop points at the cell's own button", () => {
  const run = new Run();
  const root = shown(run);
  vi.advanceTimersByTime(VERDICT_MS);
  expect(grey(root)).toEqual(["Pause", "Stop", "lr", "Checkpoint", "Go back…"]);
  expect(note(root)).toContain("stop button");
  button(root, "Stop").click();
  expect(note(root)).toBe("use this cell's stop button: it stops and keeps");
});

test("without a kernel it says so", () => {
  const root = shown(new Run(null));
  vi.advanceTimersByTime(VERDICT_MS);
  expect(root.dataset.path).toBe("no kernel");
  expect(note(root)).toContain("No kernel");
  expect(grey(root)).toHaveLength(5);
});

test("an exported page has no kernel either; elsewhere a manager may have one that it does not name", () => {
  const run = () => Object.assign(new Run(), { widget_manager: {} });
  expect(shown(run()).dataset.path).toBe("asking");
  vi.advanceTimersByTime(VERDICT_MS);
  expect(document.querySelector<HTMLElement>(".mlnb-training-monitor")!.dataset.path).toBe("none");
  clean();
  const state = document.createElement("script");
  state.type = "application/vnd.jupyter.widget-state+json";
  document.body.replaceChildren(state);
  const root = shown(run());
  vi.advanceTimersByTime(VERDICT_MS);
  expect(root.dataset.path).toBe("no kernel");
});

test("a late answer makes everything work again, and then nothing greets any more", () => {
  const run = new Run(interruptible());
  const root = shown(run);
  vi.advanceTimersByTime(VERDICT_MS + 600);
  expect(root.dataset.path).toBe("interrupt");
  expect(run.greetings).toHaveLength(4);
  run.answer(run.greetings.at(-1));
  vi.advanceTimersByTime(60_000);
  expect(run.greetings).toHaveLength(4);
  expect(root.dataset.path).toBe("message");
  expect(grey(root)).toEqual([]);
  expect(note(root)).toBe("");
});

test("the learning rate is sent when it is one", () => {
  const run = new Run();
  const root = shown(run);
  run.answer();
  const field = root.querySelector("input")!;
  const type = (text: string) => {
    field.value = text;
    field.dispatchEvent(new Event("change"));
  };
  for (const wrong of ["", "fast", "-1", "0", "1e999"]) {
    type(wrong);
    expect(field.getAttribute("aria-invalid")).toBe("true");
    expect(note(root)).toContain("above 0");
  }
  expect(run.messages.filter((m) => m.kind === "control")).toEqual([]);
  type(" 3e-4 ");
  expect(run.last).toMatchObject({ action: "lr", value: 3e-4 });
  run.answer();
  expect(note(root)).toBe("");
});

test("what is being typed is not overwritten by the run", () => {
  const run = new Run();
  const root = shown(run);
  const field = root.querySelector("input")!;
  field.focus();
  field.value = "3e";
  run.tell({ lr: 5e-4 });
  expect(field.value).toBe("3e");
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  expect(field.value).toBe("5e-4");
});

test("an error of the kernel stands below the line, and nothing of it is markup", () => {
  const run = new Run(undefined, { title: "<img src=x onerror=alert(1)>" });
  const root = shown(run);
  run.answer();
  button(root, "Checkpoint").click();
  run.emit("msg:custom", { kind: "error", request: run.last.request, message: "<b>no space</b> left" });
  expect(note(root)).toBe("<b>no space</b> left");
  expect(root.querySelector("img, .mlnb-hint b")).toBeNull();
});

test("an ended run takes no more controls", () => {
  const root = shown(new Run(undefined, { state: "ended" }));
  vi.advanceTimersByTime(VERDICT_MS);
  expect(grey(root)).toEqual(["Pause", "Stop", "lr", "Checkpoint", "Go back…"]);
  expect(note(root)).toBe("");
});

test("a view that goes leaves no listener and no timer", () => {
  const run = new Run(interruptible());
  shown(run);
  clean();
  expect(run.listening).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  expect(document.querySelector(".mlnb")).toBeNull();
});

test("every control has a name for those who do not see it", () => {
  const root = shown(new Run());
  for (const control of root.querySelectorAll("button, input, [role=progressbar]")) {
    expect(control.getAttribute("aria-label")).toBeTruthy();
  }
});

test("rates read as one types them", () => {
  expect([1e-3, 3e-4, 1.25e-5, 0.1, 12340, 0.00123456, Number.NaN].map(rateText)).toEqual(
    ["0.001", "3e-4", "1.25e-5", "0.1", "1.234e4", "0.001235", ""]);
});

test("what changes while one looks keeps its digits, and memory is told in the unit of all there is", () => {
  expect([0.99, 1, 12.3456, 1234.5, 6e-5, -0.5, 0, 3e9, null].map(measureText)).toEqual(["0.990", "1.000", "12.35", "1,235", "6.00e−5", "−0.500", "0", "3.00e9", "–"]);
  expect(memoryText(974e6, 25.3e9)).toBe("0.97 of 25.3 GB");
  expect(memoryText(128.42e9, 151e9)).toBe("128.4 of 151 GB");
  expect(memoryText(974e6, null)).toBe("974 MB");
});
