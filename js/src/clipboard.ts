// Copying text. Notebook pages served over plain http have no navigator.clipboard.
import { button } from "./dom";

/** Put `text` on the clipboard; false where the browser refuses. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
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

/** A button that copies what `text()` gives and says so for a moment. */
export function copyButton(caption: string, label: string, text: () => string): HTMLButtonElement {
  const element = button(caption, label, async () => {
    const copied = await copyText(text());
    element.textContent = copied ? "Copied" : "The browser refused";
    setTimeout(() => (element.textContent = caption), 1600);
  });
  element.title = label;
  element.setAttribute("aria-live", "polite");
  return element;
}
