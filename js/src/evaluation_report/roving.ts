// One stop of the Tab key for many buttons: the arrow keys go from one to the next.

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

/** Arrow keys in a table whose cells hold a button each, or none. */
export function roveTable(table: HTMLTableElement): void {
  rove(table, (from, [right, down]) => {
    const cell = from.closest("td, th") as HTMLTableCellElement;
    const line = cell.parentElement as HTMLTableRowElement;
    return table.rows[line.rowIndex + down]?.cells[cell.cellIndex + right]?.querySelector("button");
  });
}

/** Arrow keys along a row of buttons that breaks into lines. */
export function roveList(list: HTMLElement): void {
  rove(list, (from, [right, down]) => {
    const all = buttons(list);
    const next = all[all.indexOf(from) + (right || down)];
    if (right !== 0 || !next) return next;
    // The nearest one of the line above or below.
    const middle = (one: HTMLElement) => one.offsetLeft + one.offsetWidth / 2;
    const beyond = all.filter((one) => down * (one.offsetTop - from.offsetTop) > 0);
    const line = (down > 0 ? beyond[0] : beyond.at(-1))?.offsetTop;
    const near = beyond.filter((one) => one.offsetTop === line);
    return near.sort((a, b) => Math.abs(middle(a) - middle(from)) - Math.abs(middle(b) - middle(from)))[0] ?? next;
  });
}

type Next = (from: HTMLButtonElement, step: [number, number]) => HTMLButtonElement | null | undefined;

const stop = (element: HTMLElement, at: HTMLButtonElement | undefined) =>
  buttons(element).forEach((one) => (one.tabIndex = one === at ? 0 : -1));

/** The Tab key stops at the first of the buttons, which may be others than before. */
export const stopAtFirst = (element: HTMLElement): void => stop(element, buttons(element)[0]);

function rove(element: HTMLElement, next: Next): void {
  stopAtFirst(element);
  element.addEventListener("focusin", (event) => stop(element, event.target as HTMLButtonElement));
  element.addEventListener("keydown", (event) => {
    const from = event.target as HTMLButtonElement;
    const step = STEPS[event.key];
    if (from.tagName !== "BUTTON" || (!step && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    event.stopPropagation();
    const all = buttons(element);
    (step ? next(from, step) : event.key === "Home" ? all[0] : all.at(-1))?.focus();
  });
}

const buttons = (element: HTMLElement) => [...element.querySelectorAll("button")];
