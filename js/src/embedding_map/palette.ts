// The colours of groups and of numbers, as the theme has them, for points and legend alike.
import { colorsOf } from "../colors";
import { pixelOf } from "./paint_points";

const RAMP = [
  "#440154", "#482878", "#3e4a89", "#31688e", "#26828e",
  "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
];
const STEPS = 200; // codes of numbers, 0 to 199; after them that of rows without one

export interface Palette {
  background: number;
  text: string;
  groups: string[]; // by code
  pixels: Uint32Array; // by code, groups or numbers
}

export function paletteOf(element: HTMLElement, numbers: boolean): Palette {
  const { series, background, text, muted } = colorsOf(element);
  const paper = rgbOf(background);
  const strong = series.map(rgbOf);
  const pale = strong.map((color) => mixed(color, rgbOf(text), 0.45));
  // As mlnb/widgets/map_colors.py has them: 16 groups, all further ones, rows without a value.
  const groups = [...strong, ...pale, rgbOf(muted), mixed(rgbOf(muted), paper, 0.5)];
  const codes = numbers
    ? [...Array.from({ length: STEPS }, (_, i) => ramp(i / (STEPS - 1))), mixed(rgbOf(muted), paper, 0.5)]
    : groups;
  return { background: pixelOf(paper), text, groups: groups.map(cssOf), pixels: Uint32Array.from(codes, pixelOf) };
}

/** The ramp as a CSS gradient. */
export const rampCss = (): string => `linear-gradient(to right, ${RAMP.join(", ")})`;

export function ramp(part: number): number[] {
  const at = Math.min(0.9999, Math.max(0, part)) * (RAMP.length - 1);
  const low = Math.floor(at);
  return mixed(rgbOf(RAMP[low]!), rgbOf(RAMP[low + 1]!), at - low);
}

const mixed = (a: readonly number[], b: readonly number[], part: number): number[] =>
  a.map((value, i) => Math.round(value + (b[i]! - value) * part));

const cssOf = (rgb: readonly number[]): string => `rgb(${rgb.join(", ")})`;

const read = new Map<string, number[]>(); // a page has few colours, and each picture asks for all

/** A CSS colour of any form as red, green, blue; a canvas reads it as the page would. */
export function rgbOf(color: string): number[] {
  const known = read.get(color) ?? readColor(color);
  read.set(color, known);
  return known;
}

function readColor(color: string): number[] {
  const hex = /^#([0-9a-f]{6})$/i.exec(color);
  if (hex) return [0, 2, 4].map((at) => parseInt(hex[1]!.slice(at, at + 2), 16));
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!context) return [128, 128, 128];
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
