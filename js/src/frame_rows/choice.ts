// Who is chosen after a click or a key: the rules of every file manager, as plain functions.

/** How a click or a key chooses: alone, added or taken away, or everything up to here. */
export type How = "alone" | "toggle" | "range";

export const howOf = (event: { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }): How =>
  event.shiftKey ? "range" : event.ctrlKey || event.metaKey ? "toggle" : "alone";

/** The rows chosen after `row` was picked; `view` is the order on the page, `anchor` where a range begins. */
export function picked(
  chosen: ReadonlySet<number>,
  view: Int32Array,
  row: number,
  anchor: number,
  how: How,
): Set<number> {
  if (how === "toggle") {
    const next = new Set(chosen);
    if (!next.delete(row)) next.add(row);
    return next;
  }
  if (how === "alone") return new Set([row]);
  const here = view.indexOf(row);
  const there = view.indexOf(anchor);
  if (there < 0) return new Set([row]);
  return new Set(view.subarray(Math.min(here, there), Math.max(here, there) + 1));
}

/** Where the keyboard goes from `index`; `null` for a key that moves nothing. */
export function moved(key: string, index: number, count: number, columns: number, page: number): number | null {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * page,
    PageDown: columns * page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  if (step === undefined || count === 0) return null;
  if (index < 0) return key === "End" ? count - 1 : 0;
  const next = index + step;
  const vertical = Math.abs(step) === columns && columns > 1;
  if (vertical && (next < 0 || (next >= count && rowOf(index, columns) === rowOf(count - 1, columns)))) return index;
  return Math.max(0, Math.min(count - 1, next));
}

const rowOf = (index: number, columns: number) => Math.floor(index / columns);
