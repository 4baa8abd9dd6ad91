import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TensorReader } from "../src/graph_viewer/weights";
import { Cleanup } from "../src/host";
import { FakeModel } from "./fixtures";

const stats = { count: 9, minimum: -1, maximum: 1, mean: 0.5, std: 0.25, nan: 1, inf: 0, zeros: 3, histogram: [1, 2], low: -1, high: 1 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function asked() {
  const model = new FakeModel({});
  const cleanup = new Cleanup();
  const reader = new TensorReader(model, cleanup);
  const element = reader.element(0, "conv1.weight");
  element.querySelector("button")!.click();
  const { request } = model.sent[0] as { request: number };
  return { model, cleanup, reader, element, request };
}

test("the button asks the kernel, and says that it reads", () => {
  const { model, element, request } = asked();
  expect(model.sent).toEqual([{ kind: "tensor", request, graph: 0, value: "conv1.weight" }]);
  expect(element.textContent).toBe("reading…");
});

test("a busy kernel is told of after two seconds", () => {
  const { element } = asked();
  vi.advanceTimersByTime(2000);
  expect(element.textContent).toBe("no answer yet: the kernel is busy, or none is running");
  vi.advanceTimersByTime(30_000);
  expect(element.textContent).toBe("still no answer; is a kernel running?");
});

test("the answer shows statistics, picture and values, and is remembered", () => {
  const { model, reader, element, request } = asked();
  model.emit("msg:custom", { kind: "tensor", request, name: "w", stats, picture: "data:image/png;base64,AA", slice: "1 2\n3 \u202e4" });
  for (const part of ["range−1 … 1", "mean0.5", "std0.25", "zeros3 of 9", "NaN1"]) expect(element.textContent).toContain(part);
  expect(element.querySelector("pre")!.textContent).toBe("1 2\n3 \\u202e4");
  expect(element.querySelector("img")).not.toBeNull();
  expect(reader.element(0, "conv1.weight").textContent).toContain("mean0.5");
  reader.forget();
  expect(reader.element(0, "conv1.weight").textContent).toBe("Statistics");
});

test("a panel that is drawn anew while it reads shows so, and then the answer", () => {
  const { model, reader, request } = asked();
  const again = reader.element(0, "conv1.weight");
  expect(again.textContent).toBe("reading…");
  model.emit("msg:custom", { kind: "tensor", request, name: "w", stats });
  expect(again.textContent).toContain("mean0.5");
});

test("an error comes in words, and can be asked again", () => {
  const { model, reader, element, request } = asked();
  model.emit("msg:custom", { kind: "error", request, message: "<b>the file changed</b>" });
  expect(element.textContent).toBe("<b>the file changed</b>");
  expect(element.querySelector("b")).toBeNull();
  expect(reader.element(0, "conv1.weight").textContent).toBe("Statistics");
});

test("answers to others, and strange messages, are let pass", () => {
  const { model, element, request } = asked();
  for (const message of [{ kind: "tensor", request: request + 1, stats }, { kind: "focus", id: "x" }, null]) {
    model.emit("msg:custom", message);
  }
  expect(element.textContent).toBe("reading…");
});

test("nothing runs on after the view is gone", () => {
  const { model, cleanup } = asked();
  cleanup.run();
  expect(model.listening).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
