import { afterEach, expect, test, vi } from "vitest";
import { Cleanup } from "../src/host";
import { followWidth } from "../src/width";

afterEach(() => vi.unstubAllGlobals());

test("the classes follow the width, keep still out of sight, and end with the view", () => {
  let report: (width: number) => void = () => {};
  const disconnect = vi.fn();
  vi.stubGlobal("ResizeObserver", class {
    constructor(call: (entries: unknown[]) => void) {
      report = (width) => call([{ contentRect: { width } }]);
    }
    observe() {}
    disconnect = disconnect;
  });
  const root = document.createElement("div");
  const cleanup = new Cleanup();
  followWidth(root, cleanup);
  const classes: [number, string][] = [[1000, ""], [700, "mlnb-single"], [400, "mlnb-single mlnb-narrow"], [0, "mlnb-single mlnb-narrow"]];
  for (const [width, expected] of classes) {
    report(width);
    expect([...root.classList].sort()).toEqual(expected.split(" ").filter(Boolean).sort());
  }
  cleanup.run();
  expect(disconnect).toHaveBeenCalledOnce();
});
