// Elements without markup: what a stranger wrote only ever becomes textContent or an attribute that
// shows text. There is no innerHTML in this code base.
import { displayText } from "./display_text";

export type Child = Node | string | null | undefined | false;

interface Options {
  class?: string;
  title?: string;
  label?: string;
  type?: string;
  role?: string;
  on?: (event: Event) => void;
}

/** An element with our own class and attributes; string children become text nodes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: Options = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
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

export function button(caption: string, label: string, on: (event: Event) => void): HTMLButtonElement {
  return h("button", { type: "button", label, title: label === caption ? "" : label, on }, caption);
}

/** A choice of a menu. */
export function option(caption: string, value: string): HTMLOptionElement {
  const made = h("option", {}, caption);
  made.value = value;
  return made;
}

/** Change what an element says, only where it says something else: a reader is not disturbed. */
export function put(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Foreign text, clipped; the whole of it, still without a control character, is the tooltip. */
export function foreign(text: string, limit = 80, className = ""): HTMLSpanElement {
  const shown = displayText(text, limit);
  const whole = displayText(text, 4000);
  return h("span", { class: className, title: shown === whole ? "" : whole }, shown);
}

/** Foreign text that opens to its whole length on a click or Enter. */
export function expandable(text: string, limit = 80, className = ""): HTMLElement {
  const whole = displayText(text, 4000);
  const shown = displayText(text, limit);
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

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attributes: Record<string, string | number>, ...children: Node[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}
