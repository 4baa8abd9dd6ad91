// A drawing that flows down needs edges without cycles; folding makes cycles even where the model
// has none. An edge that closes one is drawn as a loop: down to a turn below its source, up to a turn
// above its target, and down into it. That gives three edges which all point down.
export interface BrokenEdge {
  parts: [from: number, to: number][];
  /** The lower and the upper turn of an edge that goes back. */
  turns: [low: number, high: number] | null;
}

/** `edges` between `count` nodes as acyclic parts; turn nodes are numbered from `count` on. */
export function breakCycles(count: number, edges: [number, number][]): { edges: BrokenEdge[]; turns: number } {
  const back = backEdges(count, edges);
  let turns = 0;
  const broken = edges.map(([from, to], i): BrokenEdge => {
    if (!back.has(i)) return { parts: [[from, to]], turns: null };
    const low = count + 2 * turns;
    const high = low + 1;
    turns += 1;
    return { parts: [[from, low], [high, low], [high, to]], turns: [low, high] };
  });
  return { edges: broken, turns };
}

// The edges that a depth-first walk in the order of the boxes finds pointing at an open ancestor.
function backEdges(count: number, edges: [number, number][]): Set<number> {
  const leaving: number[][] = Array.from({ length: count }, () => []);
  const entered = new Uint8Array(count);
  edges.forEach(([from, to], i) => {
    leaving[from]!.push(i);
    if (from !== to) entered[to] = 1;
  });
  const back = new Set<number>();
  const state = new Uint8Array(count); // 0 unseen, 1 on the path, 2 done
  const walk = (start: number): void => {
    const path: [node: number, next: number][] = [[start, 0]];
    state[start] = 1;
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      const edge = leaving[top[0]]![top[1]++];
      if (edge === undefined) {
        state[top[0]] = 2;
        path.pop();
        continue;
      }
      const to = edges[edge]![1];
      if (state[to] === 1) back.add(edge);
      else if (state[to] === 0) {
        state[to] = 1;
        path.push([to, 0]);
      }
    }
  };
  for (let node = 0; node < count; node++) if (state[node] === 0 && !entered[node]) walk(node);
  for (let node = 0; node < count; node++) if (state[node] === 0) walk(node);
  return back;
}
