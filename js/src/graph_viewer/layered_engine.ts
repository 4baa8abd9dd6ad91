// For levels that dagre would hang on: the same layered drawing in linear time. Nodes of a rank are
// ordered by the mean place of their neighbours, then moved as close to them as the order allows.
// Edges over many ranks run in lanes at the right, so that the work stays bounded.
import type { Placement, Task } from "./layout";
import { GAP } from "./spacing";

const SWEEPS = 6;
const LONG = 12;

interface Slot {
  width: number;
  /** The box that it is; for a bend of a line the end with fewer lines, beside which it should begin. */
  by: number;
  x: number;
  above: number[];
  below: number[];
}

export function layeredEngine({ sizes, edges, ranks }: Task): Placement {
  const slots: Slot[] = sizes.map(({ width }, by) => ({ width, by, x: 0, above: [], below: [] }));
  const rows: number[][] = [];
  ranks.forEach((rank, node) => (rows[rank] ??= []).push(node));
  for (let rank = 0; rank < rows.length; rank++) rows[rank] ??= [];
  const lines = new Uint32Array(sizes.length);
  for (const [from, to] of edges) {
    lines[from]! += 1;
    lines[to]! += 1;
  }
  const chains = edges.map(([from, to]) => {
    if (ranks[to]! - ranks[from]! > LONG) return null;
    const chain: number[] = [];
    const by = lines[from]! <= lines[to]! ? from : to;
    let last = from;
    for (let rank = ranks[from]! + 1; rank <= ranks[to]!; rank++) {
      const next = rank === ranks[to] ? to : slots.push({ width: 0, by, x: 0, above: [], below: [] }) - 1;
      slots[last]!.below.push(next);
      slots[next]!.above.push(last);
      if (next !== to) {
        rows[rank]!.push(next);
        chain.push(next);
      }
      last = next;
    }
    return chain;
  });
  orderRows(rows, slots);
  for (let sweep = 0; sweep < SWEEPS; sweep++) alignRows(rows, slots, sweep % 2 === 0);
  const rowY = rowPositions(rows, sizes);
  const lanes = lanesFor(edges, chains, slots);
  return {
    x: sizes.map((_, i) => slots[i]!.x),
    y: sizes.map((_, i) => rowY[ranks[i]!]!),
    points: edges.map(([from, to], i) => {
      const chain = chains[i];
      if (chain) return chain.map((slot, k) => ({ x: slots[slot]!.x, y: rowY[ranks[from]! + 1 + k]! }));
      const x = lanes.get(from)!;
      return [{ x, y: rowY[ranks[from]! + 1]! }, { x, y: rowY[ranks[to]! - 1]! }];
    }),
  };
}

function orderRows(rows: number[][], slots: Slot[]): void {
  const place = new Float64Array(slots.length);
  const number = (row: number[]) => row.forEach((slot, i) => (place[slot] = i / row.length));
  for (const row of rows) row.sort((a, b) => slots[a]!.by - slots[b]!.by);
  rows.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    const walk = down ? rows : [...rows].reverse();
    for (const row of walk) {
      const wish = new Map(row.map((slot) => [slot, mean(down ? slots[slot]!.above : slots[slot]!.below, place, place[slot]!)]));
      row.sort((a, b) => wish.get(a)! - wish.get(b)! || place[a]! - place[b]!);
      number(row);
    }
  }
}

function mean(neighbours: number[], place: Float64Array, otherwise: number): number {
  if (neighbours.length === 0) return otherwise;
  let sum = 0;
  for (const neighbour of neighbours) sum += place[neighbour]!;
  return sum / neighbours.length;
}

function alignRows(rows: number[][], slots: Slot[], down: boolean): void {
  const x = Float64Array.from(slots, (slot) => slot.x);
  const walk = down ? rows : [...rows].reverse();
  for (const row of walk) {
    const wishes = row.map((slot) => mean(down ? slots[slot]!.above : slots[slot]!.below, x, x[slot]!));
    closest(wishes, distances(row, slots)).forEach((value, i) => {
      x[row[i]!] = value;
      slots[row[i]!]!.x = value;
    });
  }
}

function distances(row: number[], slots: Slot[]): number[] {
  return row.map((slot, i) => {
    if (i === 0) return 0;
    const before = slots[row[i - 1]!]!;
    const gap = before.width === 0 || slots[slot]!.width === 0 ? GAP.edge : GAP.node;
    return (before.width + slots[slot]!.width) / 2 + gap;
  });
}

/** The places nearest to `wishes`, in least squares, that keep order and distances (pool adjacent violators). */
export function closest(wishes: number[], apart: number[]): number[] {
  const offset: number[] = [];
  apart.reduce((sum, gap, i) => (offset[i] = sum + gap), 0);
  const pools: { sum: number; count: number }[] = [];
  wishes.forEach((wish, i) => {
    let pool = { sum: wish - offset[i]!, count: 1 };
    while (pools.length > 0) {
      const last = pools[pools.length - 1]!;
      if (last.sum / last.count <= pool.sum / pool.count) break;
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count };
      pools.pop();
    }
    pools.push(pool);
  });
  const placed = pools.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count));
  return placed.map((value, i) => value + offset[i]!);
}

function rowPositions(rows: number[][], sizes: Task["sizes"]): number[] {
  let top = 0;
  return rows.map((row) => {
    const height = row.reduce((most, slot) => Math.max(most, sizes[slot]?.height ?? 0), 0);
    const y = top + height / 2;
    top += height + GAP.rank;
    return y;
  });
}

function lanesFor(edges: Task["edges"], chains: (number[] | null)[], slots: Slot[]): Map<number, number> {
  const right = slots.reduce((most, slot) => Math.max(most, slot.x + slot.width / 2), 0);
  const lanes = new Map<number, number>();
  edges.forEach(([from], i) => {
    if (!chains[i] && !lanes.has(from)) lanes.set(from, right + GAP.node + lanes.size * GAP.edge);
  });
  return lanes;
}
