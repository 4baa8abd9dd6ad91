// A box in words, for the line that screen readers speak.
import type { Box } from "./visible";
import { plural } from "../numbers";

/** `layer1, 2 × BasicBlock, group of 14 operations, closed. Enter opens it.` */
export function boxWords(box: Box): string {
  const parts = [box.title, box.subtitle].filter(Boolean);
  if (box.kind === "group" || box.count > 0) {
    const inside = box.id.endsWith("in:") || box.id.endsWith("out:") ? "" : `group of ${plural(box.count, "operation")}`;
    if (inside) parts.push(inside);
    parts.push(box.inner ? "open. Enter closes it." : "closed. Enter opens it.");
    return parts.join(", ");
  }
  return `${parts.join(", ")}${box.hidden ? ", hidden by default" : ""}.`;
}
