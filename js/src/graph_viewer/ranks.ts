// Which row a node stands in: below everything that feeds it, as high as that allows, but a node that
// feeds more than it is fed (an input, a constant) moves down to its first reader. Ports of the frame
// stand at its very top and bottom. A rank of very many boxes becomes several rows.

/** A rank for each of `count` nodes; every edge goes down by at least one. */
export function rankNodes(
  count: number, edges: readonly [number, number][], isTop: (node: number) => boolean, isBottom: (node: number) => boolean,
): number[] {
  const out: number[][] = Array.from({ length: count }, () => []);
  const into: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of edges) {
    out[from]!.push(to);
    into[to]!.push(from);
  }
  const order = topological(count, out, into);
  const ranks: number[] = new Array(count).fill(0);
  for (const node of order) for (const next of out[node]!) ranks[next] = Math.max(ranks[next]!, ranks[node]! + 1);
  for (const node of order.reverse()) {
    if (isTop(node) || out[node]!.length <= into[node]!.length) continue;
    ranks[node] = Math.min(...out[node]!.map((next) => ranks[next]!)) - 1;
  }
  const last = Math.max(0, ...ranks);
  return ranks.map((rank, node) => (isBottom(node) ? last : rank));
}

/** More boxes than this in one rank stand in several rows below each other. */
const WIDE = 24;

/** The ranks with those of too many boxes shared out; nodes from `boxes` on are ports and turns, which take no room. */
export function splitWide(ranks: readonly number[], boxes: number): number[] {
  const counts: number[] = new Array(Math.max(0, ...ranks) + 1).fill(0);
  for (let node = 0; node < boxes; node++) counts[ranks[node]!]! += 1;
  const rows = counts.map((count) => (count > WIDE ? Math.ceil(Math.sqrt(count / 4)) : 1));
  const first: number[] = [];
  rows.reduce((sum, more, rank) => ((first[rank] = sum), sum + more), 0);
  const placed: number[] = new Array(counts.length).fill(0);
  return ranks.map((rank, node) => {
    const last = rank === counts.length - 1 ? rows[rank]! - 1 : 0;
    // Dealt out like cards: neighbours stand below each other, and lines pass between them.
    const row = node < boxes ? placed[rank]!++ % rows[rank]! : last;
    return first[rank]! + row;
  });
}

function topological(count: number, out: number[][], into: number[][]): number[] {
  const waiting = into.map((sources) => sources.length);
  const order: number[] = [];
  for (let node = 0; node < count; node++) if (waiting[node] === 0) order.push(node);
  for (let i = 0; i < order.length; i++) {
    for (const next of out[order[i]!]!) if (--waiting[next]! === 0) order.push(next);
  }
  return order;
}
