// Where in the picture the model found its class: a map of 0 to 255 as matplotlib's plasma colours
// over the picture. What counts for little is darkened, so that the map shows on any photograph.

const PLASMA = [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]] as const;
const FAINTEST = 0.75; // the opacity where nothing counts

/** Red, green, blue and opacity of a share, 0 to 1. */
export function heatColor(share: number): [number, number, number, number] {
  const place = share * (PLASMA.length - 1);
  const below = Math.min(Math.floor(place), PLASMA.length - 2);
  const mix = (i: 0 | 1 | 2) => Math.round(PLASMA[below]![i] + (PLASMA[below + 1]![i] - PLASMA[below]![i]) * (place - below));
  return [mix(0), mix(1), mix(2), Math.round(255 * (FAINTEST + (1 - FAINTEST) * share))];
}

/** Draw the map at its own size; the style sheet stretches the canvas over the picture. */
export function drawHeat(canvas: HTMLCanvasElement, map: DataView, width: number, height: number): void {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context || map.byteLength < width * height) return;
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) image.data.set(heatColor(map.getUint8(i) / 255), 4 * i);
  context.putImageData(image, 0, 0);
}
