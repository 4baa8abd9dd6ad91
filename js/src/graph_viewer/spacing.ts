// Distances of the drawing, in CSS pixels at scale 1; the page and the layout worker share them.
export const GAP = { rank: 30, node: 24, edge: 12 };
/** `exit` is the room under the last box for lines that leave through the bottom, `beside` that beside the name. */
export const FRAME = { header: 38, pad: 16, exit: 28, least: 120, beside: 38 };
/** Between a line and its text. */
export const LABEL_GAP = 7;
export const BOX = { height: 38, narrow: 96, wide: 232, badge: 34 };
