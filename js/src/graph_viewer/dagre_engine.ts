// dagre orders the ranks and sets the columns. The ranks are ours: its network simplex is what makes
// it slow, and it knows no ports that must stand at the top or bottom of a frame.
import * as dagre from "@dagrejs/dagre";
import type { Placement, Task } from "./layout";
import { GAP } from "./spacing";

export function dagreEngine({ sizes, edges, ranks }: Task): Placement {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  const ranker = (ranked: dagre.graphlib.Graph) => {
    // dagre doubles the ranks to make room for labels; its own root stands above all.
    for (const id of ranked.nodes()) ranked.node(id).rank = id in ranks ? ranks[Number(id)]! * 2 : -1;
  };
  graph.setGraph({ ranksep: GAP.rank, nodesep: GAP.node, edgesep: GAP.edge, ranker } as unknown as dagre.GraphLabel);
  sizes.forEach(({ width, height }, i) => graph.setNode(String(i), { width, height }));
  edges.forEach(([from, to], i) => graph.setEdge(String(from), String(to), {}, String(i)));
  dagre.layout(graph);
  return {
    x: sizes.map((_, i) => graph.node(String(i)).x),
    y: sizes.map((_, i) => graph.node(String(i)).y),
    points: edges.map(([from, to], i) => graph.edge(String(from), String(to), String(i)).points.slice(1, -1)),
  };
}
