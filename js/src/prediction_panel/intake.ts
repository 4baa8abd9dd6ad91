// The ways in which files come: dropped, pasted, chosen.
import { h } from "../dom";
import type { Cleanup } from "../host";

const A_LINK = "that is a link, and mlnb fetches nothing from the network: save the picture and drop the file";

/** Call `take` with the files of a drop or a paste; `say` hears why there are none. */
export function takeFiles(
  root: HTMLElement,
  cleanup: Cleanup,
  take: (files: File[]) => void,
  say: (reason: string) => void,
): void {
  const over = (on: boolean) => root.classList.toggle("mlnb-over", on);
  for (const type of ["dragenter", "dragover"]) {
    cleanup.listen<DragEvent>(root, type, (event) => {
      event.preventDefault(); // else the browser opens the file in place of the notebook
      event.stopPropagation();
      over(true);
    });
  }
  cleanup.listen<DragEvent>(root, "dragleave", (event) => {
    if (!root.contains(event.relatedTarget as Node | null)) over(false);
  });
  cleanup.listen<DragEvent>(root, "drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    over(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) take(files);
    else say(event.dataTransfer?.types.includes("text/uri-list") ? A_LINK : "that is no file");
  });
  // On the document, for Chromium sends a paste to where the selection is, not to what has focus.
  cleanup.listen<ClipboardEvent>(document, "paste", (event) => {
    if (!root.contains(document.activeElement)) return;
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return say("there is no picture on the clipboard");
    event.preventDefault();
    event.stopPropagation();
    take(files);
  }, { capture: true });
}

/** A field for files, unseen, and what opens it. */
export function chooser(take: (files: File[]) => void): { input: HTMLInputElement; open: () => void } {
  const input = h("input", { type: "file", label: "choose pictures" });
  Object.assign(input, { accept: "image/*", multiple: true, hidden: true, tabIndex: -1 });
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same file can be chosen again
    if (files.length > 0) take(files);
  });
  return { input, open: () => input.click() };
}
