// How a line is read from its points: straight where x stays, a half circle where y stays, a curve
// with upright ends where both change.
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  bezierCurveTo(x1: number, y1: number, x2: number, y2: number, x: number, y: number): void;
}

export function tracePath(pen: Pen, points: readonly number[]): void {
  pen.moveTo(points[0]!, points[1]!);
  let down = true;
  for (let i = 2; i < points.length; i += 2) {
    const [x0, y0, x1, y1] = [points[i - 2]!, points[i - 1]!, points[i]!, points[i + 1]!];
    if (Math.abs(x1 - x0) < 0.5) pen.lineTo(x1, y1);
    else if (Math.abs(y1 - y0) < 0.5) {
      const bulge = y0 + (down ? 1 : -1) * Math.abs(x1 - x0) * 0.66;
      pen.bezierCurveTo(x0, bulge, x1, bulge, x1, y1);
    } else {
      const middle = (y0 + y1) / 2;
      pen.bezierCurveTo(x0, middle, x1, middle, x1, y1);
    }
    if (y1 !== y0) down = y1 > y0;
  }
}

/** Whether the line arrives downwards; the arrow head needs to know. */
export function arrivesDown(points: readonly number[]): boolean {
  for (let i = points.length - 1; i >= 3; i -= 2) if (points[i] !== points[i - 2]) return points[i]! > points[i - 2]!;
  return true;
}
