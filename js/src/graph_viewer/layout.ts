// Places the boxes of every level, inner levels first, since the size of an open frame feeds the
// level around it. Data flows down. An edge is a list of points read with one rule (edge_path.ts):
// straight where x stays, a smooth curve where it changes; x changes only in the gaps between ranks,
// where no box stands, so no line ever runs over a box.
import { breakCycles } from "./cycles";
import { dagreEngine } from "./dagre_engine";
import { gridLayout } from "./grid";
import { layeredEngine } from "./layered_engine";
import { rankNodes, splitWide } from "./ranks";
import { FRAME, LABEL_GAP } from "./spacing";

export interface BoxSpec {
  width: number;
  height: number;
  /** Index of the level inside, which then gives the size; -1 for a closed box. */
  level: number;
}

/** Ends count the boxes of the level, then its in-ports, then its out-ports; a port of -1 is the middle. */
export interface EdgeSpec {
  from: number;
  to: number;
  fromPort: number;
  toPort: number;
  /** The width of the text beside the line; 0 for none. */
  label: number;
}

export interface LevelSpec {
  boxes: BoxSpec[];
  edges: EdgeSpec[];
  inPorts: number;
  outPorts: number;
  /** The width that the name of its frame takes; 0 for the outermost level, which has none. */
  name: number;
}

/** Positions within the level: of boxes by their top left corner, of edges as x, y, x, y … */
export interface LevelLayout {
  width: number;
  height: number;
  boxes: { x: number; y: number; width: number; height: number }[];
  edges: number[][];
  inX: number[];
  outX: number[];
}

/** What an engine places: sizes, acyclic edges with a rank for each node. */
export interface Task {
  sizes: { width: number; height: number }[];
  edges: [from: number, to: number][];
  ranks: number[];
}

/** Centres of nodes, all of a rank at one y, and the points between the ends of each edge. */
export interface Placement {
  x: number[];
  y: number[];
  points: { x: number; y: number }[][];
}

const PORT = { width: 8, height: 0 };
const TURN = { width: 20, height: 12 };

/** dagre is the better draughtsman, and too slow beyond this many boxes or bends. */
export const DAGRE_LIMIT = { boxes: 400, bends: 2500 };

/** One level; `inner` holds the layouts of the levels inside its open boxes. */
export function layoutLevel(spec: LevelSpec, inner: (level: number) => LevelLayout): LevelLayout {
  const boxes = spec.boxes.map(({ width, height, level }) => (level < 0 ? { width, height } : inner(level)));
  if (spec.edges.length === 0 && boxes.length > 0) return gridLayout(boxes.map(({ width, height }) => ({ width, height })), spec.name);
  const firstOut = boxes.length + spec.inPorts;
  const ports = new Array(spec.inPorts + spec.outPorts).fill(PORT);
  const count = boxes.length + ports.length;
  const { edges, turns } = breakCycles(count, spec.edges.map(({ from, to }) => [from, to]));
  const sizes = [...boxes, ...ports, ...new Array(turns * 2).fill(TURN)].map(({ width, height }) => ({ width, height }));
  const dag = edges.flatMap((edge) => edge.parts);
  const isIn = (node: number) => node >= boxes.length && node < firstOut;
  const isOut = (node: number) => node >= firstOut && node < count;
  const rows = rankNodes(sizes.length, dag, isIn, isOut);
  const ranks = splitWide(rows, boxes.length);
  // dagre keeps long lines straight at any width; where a rank was split, that would undo the split.
  const engine = Math.max(...ranks) > Math.max(...rows) ? layeredEngine : engineFor(boxes.length, dag, ranks);
  const placed = engine({ sizes, edges: dag, ranks });
  return assemble(spec, sizes, edges, placed, inner);
}

function engineFor(boxes: number, dag: [number, number][], ranks: number[]): (task: Task) => Placement {
  const bends = dag.reduce((sum, [from, to]) => sum + 2 * (ranks[to]! - ranks[from]!) - 1, 0);
  return boxes > DAGRE_LIMIT.boxes || bends > DAGRE_LIMIT.bends ? layeredEngine : dagreEngine;
}

type Broken = ReturnType<typeof breakCycles>["edges"];

function assemble(
  spec: LevelSpec, sizes: { width: number; height: number }[], edges: Broken, placed: Placement,
  inner: (level: number) => LevelLayout,
): LevelLayout {
  const bounds = boundsOf(spec, sizes, placed);
  const filled = bounds.right - bounds.left + 2 * FRAME.pad;
  const width = Math.max(filled, spec.name);
  const dx = FRAME.pad - bounds.left + (width - filled) / 2;
  const dy = (spec.name > 0 ? FRAME.header : FRAME.pad) - bounds.top;
  const height = bounds.bottom + dy + (spec.outPorts > 0 ? FRAME.exit : FRAME.pad);
  const bands = bandsOf(sizes, placed, dy);
  const x = placed.x.map((value) => value + dx);
  const boxes = spec.boxes.map((_, i) => ({
    x: x[i]! - sizes[i]!.width / 2, y: placed.y[i]! + dy - sizes[i]!.height / 2, ...sizes[i]!,
  }));
  const firstIn = spec.boxes.length;
  const firstOut = firstIn + spec.inPorts;

  const endX = (end: number, port: number, side: "inX" | "outX"): number => {
    const level = end < firstIn ? spec.boxes[end]!.level : -1;
    return port >= 0 && level >= 0 ? boxes[end]!.x + inner(level)[side][port]! : x[end]!;
  };
  const start = (end: number): number => (end >= firstIn ? 0 : boxes[end]!.y + boxes[end]!.height);
  const stop = (end: number): number => (end >= firstOut ? height : boxes[end]!.y);

  let part = 0;
  const paths = edges.map((edge, i) => {
    const { from, to, fromPort, toPort } = spec.edges[i]!;
    const legs = edge.parts.map(() => placed.points[part++]!.map((point) => ({ x: point.x + dx, y: point.y + dy })));
    const path = new Path(bands);
    path.to(endX(from, fromPort, "outX"), start(from));
    path.through(endX(from, fromPort, "outX"), placed.y[from]! + dy, "leave");
    if (edge.turns) {
      const [low, high] = edge.turns;
      legs[0]!.forEach((point) => path.across(point, 1));
      path.turn(x[low]!, placed.y[low]! + dy, 1, x[from]! > x[low]!);
      legs[1]!.reverse().forEach((point) => path.across(point, -1));
      path.turn(x[high]!, placed.y[high]! + dy, -1, x[to]! < x[high]!);
      legs[2]!.forEach((point) => path.across(point, 1));
    } else legs[0]!.forEach((point) => path.across(point, 1));
    path.through(endX(to, toPort, "inX"), placed.y[to]! + dy, "enter");
    path.to(endX(to, toPort, "inX"), stop(to));
    return path.points;
  });
  return {
    width, height, boxes, edges: paths,
    inX: x.slice(firstIn, firstOut), outX: x.slice(firstOut, firstOut + spec.outPorts),
  };
}

// Ports stand on the frame's edge and take no height inside; labels stand to the right of their lines.
function boundsOf(spec: LevelSpec, sizes: { width: number; height: number }[], placed: Placement) {
  const [firstPort, lastPort] = [spec.boxes.length, spec.boxes.length + spec.inPorts + spec.outPorts];
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  const grow = (x: number, y: number, width: number, height: number) => {
    bounds.left = Math.min(bounds.left, x - width / 2);
    bounds.right = Math.max(bounds.right, x + width / 2);
    bounds.top = Math.min(bounds.top, y - height / 2);
    bounds.bottom = Math.max(bounds.bottom, y + height / 2);
  };
  sizes.forEach(({ width, height }, i) => {
    const port = i >= firstPort && i < lastPort;
    grow(placed.x[i]!, port ? (bounds.top + bounds.bottom) / 2 : placed.y[i]!, width, port ? 0 : height);
  });
  const middle = (bounds.top + bounds.bottom) / 2;
  for (const { from, to, label } of spec.edges) {
    if (label > 0) bounds.right = Math.max(bounds.right, (placed.x[from]! + placed.x[to]!) / 2 + LABEL_GAP + label - FRAME.pad / 2);
  }
  for (const points of placed.points) for (const { x } of points) grow(x, middle, 0, 0);
  return Number.isFinite(bounds.top) ? bounds : { ...bounds, top: 0, bottom: 0 };
}

type Bands = Map<number, [top: number, bottom: number]>;

// Every rank takes a band as high as its highest box; lines cross it straight.
function bandsOf(sizes: { height: number }[], placed: Placement, dy: number): Bands {
  const bands: Bands = new Map();
  sizes.forEach(({ height }, i) => {
    const y = placed.y[i]!;
    const band = bands.get(key(y + dy)) ?? [Infinity, -Infinity];
    bands.set(key(y + dy), [Math.min(band[0], y + dy - height / 2), Math.max(band[1], y + dy + height / 2)]);
  });
  return bands;
}

const key = (y: number) => Math.round(y * 16);

class Path {
  readonly points: number[] = [];

  constructor(private readonly bands: Bands) {}

  to(x: number, y: number): void {
    const { points } = this;
    const last = points.length - 2;
    if (last >= 0 && points[last] === x && points[last + 1] === y) return;
    points.push(x, y);
  }

  /** Straight to the edge of the rank's band that is left or entered. */
  through(x: number, y: number, how: "leave" | "enter"): void {
    const band = this.bands.get(key(y));
    if (band && band[1] > band[0]) this.to(x, band[how === "leave" ? 1 : 0]);
  }

  /** Straight through the rank at `y`, downwards or upwards. */
  across({ x, y }: { x: number; y: number }, direction: 1 | -1): void {
    const band = this.bands.get(key(y));
    if (!band) return; // dagre's bend between two ranks: nothing stands there
    const [top, bottom] = band;
    this.to(x, direction > 0 ? top : bottom);
    this.to(x, direction > 0 ? bottom : top);
  }

  /** Into the rank at `y`, back in a half circle (two points at one height), and out again. */
  turn(x: number, y: number, direction: 1 | -1, fromRight: boolean): void {
    const side = (TURN.width / 2 - 2) * (fromRight ? -1 : 1);
    const flat = y - (direction * TURN.height) / 2;
    const [top, bottom] = this.bands.get(key(y))!;
    const edge = direction > 0 ? top : bottom;
    this.to(x - side, edge);
    this.to(x - side, flat);
    this.to(x + side, flat);
    this.to(x + side, edge);
  }
}
