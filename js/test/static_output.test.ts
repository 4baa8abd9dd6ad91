import { beforeEach, expect, test } from "vitest";
import { hideStaticOutput } from "../src/static_output";
import { until } from "./fixtures";

function staticOutput(id: string): HTMLElement {
  const output = document.createElement("div");
  output.className = "jp-OutputArea-child";
  const marked = document.createElement("div");
  marked.dataset.mlnbStatic = id;
  const style = document.createElement("style");
  style.id = `mlnb-style-${id}`;
  marked.append(style);
  output.append(marked);
  return output;
}

beforeEach(() => document.body.replaceChildren());

test("the static picture steps aside while a view stands, and comes back", () => {
  const output = staticOutput("u1");
  document.body.append(output);
  const restore = hideStaticOutput("u1");
  expect(output.style.display).toBe("none");
  expect(document.getElementById("mlnb-style-u1")).toBeNull();
  restore();
  expect(output.style.display).toBe("");
  expect(document.getElementById("mlnb-style-u1")).not.toBeNull();
});

test("with two views it comes back after the last", () => {
  const output = staticOutput("u2");
  document.body.append(output);
  const [first, second] = [hideStaticOutput("u2"), hideStaticOutput("u2")];
  first();
  first();
  expect(output.style.display).toBe("none");
  second();
  expect(output.style.display).toBe("");
});

test("a cell that comes into the page later is found", async () => {
  const restore = hideStaticOutput("u3");
  const output = staticOutput("u3");
  document.body.append(output);
  await until(() => output.style.display === "none");
  restore();
  expect(output.style.display).toBe("");
});

test("without an id nothing is touched, and an id is never a selector", () => {
  const output = staticOutput("u4");
  document.body.append(output);
  hideStaticOutput("")();
  hideStaticOutput('u4"], body, [x="')();
  expect(output.style.display).toBe("");
  expect(document.body.style.display).toBe("");
});

test("a picture outside Jupyter's outputs hides itself", () => {
  const marked = document.createElement("div");
  marked.dataset.mlnbStatic = "u5";
  document.body.append(marked);
  hideStaticOutput("u5");
  expect(marked.style.display).toBe("none");
});
