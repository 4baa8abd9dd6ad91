// Which row a node stands in: below everything that feeds it, as high as that allows, but a node that
// feeds more than it is fed (an input, a constant) moves down to its first reader. Ports of the frame
// stand at its very top and bottom.

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

function topological(count: number, out: number[][], into: number[][]): number[] {
  const waiting = into.map((sources) => sources.length);
  const order: number[] = [];
  for (let node = 0; node < count; node++) if (waiting[node] === 0) order.push(node);
  for (let i = 0; i < order.length; i++) {
    for (const next of out[order[i]!]!) if (--waiting[next]! === 0) order.push(next);
  }
  return order;
}
