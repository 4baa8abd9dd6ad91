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

const view = (): HTMLElement => document.body.appendChild(document.createElement("div"));

beforeEach(() => document.body.replaceChildren());

test("the static picture steps aside while a view stands, and comes back", () => {
  const output = staticOutput("u1");
  document.body.append(output);
  const restore = hideStaticOutput("u1", view());
  expect(output.style.display).toBe("none");
  expect(document.getElementById("mlnb-style-u1")).toBeNull();
  restore();
  expect(output.style.display).toBe("");
  expect(document.getElementById("mlnb-style-u1")).not.toBeNull();
});

test("with two views it comes back after the last", () => {
  const output = staticOutput("u2");
  document.body.append(output);
  const [first, second] = [hideStaticOutput("u2", view()), hideStaticOutput("u2", view())];
  first();
  first();
  expect(output.style.display).toBe("none");
  second();
  expect(output.style.display).toBe("");
});

test("a cell that comes into the page later is found", async () => {
  const restore = hideStaticOutput("u3", view());
  const output = staticOutput("u3");
  document.body.append(output);
  await until(() => output.style.display === "none");
  restore();
  expect(output.style.display).toBe("");
});

test("a view that is made and never comes into the page hides nothing, then or later", async () => {
  const orphan = document.createElement("div");
  hideStaticOutput("u6", orphan); // its notebook closes; nobody takes it away again
  const output = staticOutput("u6");
  document.body.append(output); // and the notebook is opened again
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(output.style.display).toBe("");
  const close = hideStaticOutput("u6", view());
  expect(output.style.display).toBe("none");
  close();
  expect(output.style.display).toBe("");
});

test("a view that leaves the page unsaid gives the picture back, and takes it when it returns", async () => {
  const [output, shown] = [staticOutput("u7"), view()];
  document.body.append(output);
  hideStaticOutput("u7", shown);
  expect(output.style.display).toBe("none");
  shown.remove();
  await until(() => output.style.display === "");
  document.body.append(shown);
  await until(() => output.style.display === "none");
});

test("a picture that takes the place of another is hidden as well", async () => {
  const [first, second] = [staticOutput("u8"), staticOutput("u8")];
  document.body.append(first);
  const close = hideStaticOutput("u8", view());
  first.replaceWith(second);
  await until(() => second.style.display === "none");
  close();
  expect(second.style.display).toBe("");
});

test("without an id nothing is touched, and an id is never a selector", () => {
  const output = staticOutput("u4");
  document.body.append(output);
  hideStaticOutput("", view())();
  hideStaticOutput('u4"], body, [x="', view())();
  expect(output.style.display).toBe("");
  expect(document.body.style.display).toBe("");
});

test("a picture outside Jupyter's outputs hides itself", () => {
  const marked = document.createElement("div");
  marked.dataset.mlnbStatic = "u5";
  document.body.append(marked);
  hideStaticOutput("u5", view());
  expect(marked.style.display).toBe("none");
});
