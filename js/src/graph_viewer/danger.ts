// What in a graph would act with the rights of the person who runs it, and the boxes that hold it;
// the same rules as mlnb/graph/danger.py. A closed group or a call is marked for what is inside.
import type { Group } from "./graph_index";
import type { Instance } from "./graph_model";
import type { Payload } from "./payload";

const MOST = 3;
const NOTE = "runs only with allow_io=True";
const CODE = "contains code, not loaded";

export class Dangers {
  private readonly within = new Map<number, string[]>();
  private readonly any: boolean;

  constructor(private readonly payload: Payload) {
    this.any = payload.graphs.some((graph) => Object.keys(graph.dangers).length > 0);
  }

  /** Why a node is drawn in red: what it does, or what is done inside it; "" for most. */
  ofNode({ index: { data } }: Instance, node: number): string {
    if (!this.any) return "";
    const nested = data.subgraphs[String(node)] ?? [];
    return data.dangers[String(node)] ?? insideText(nested.flatMap(([, graph]) => this.inGraph(graph)));
  }

  ofGroup(instance: Instance, group: Group): string {
    return this.any ? insideText(group.nodes.map((node) => this.ofNode(instance, node))) : "";
  }

  // All that a graph does and those nested in it, each looked at once.
  private inGraph(graph: number): string[] {
    const known = this.within.get(graph);
    if (known) return known;
    const found: string[] = [];
    const seen = new Set([graph]);
    for (const at of seen) {
      const { dangers, subgraphs } = this.payload.graphs[at]!;
      found.push(...Object.values(dangers));
      for (const nested of Object.values(subgraphs)) for (const [, inner] of nested) seen.add(inner);
    }
    this.within.set(graph, found);
    return found;
  }
}

/** `reads files · runs only with allow_io=True`, for the panel. */
export function dangerLine(danger: string): string {
  return danger.endsWith(CODE) ? danger : `${danger} · ${NOTE}`;
}

function insideText(dangers: string[]): string {
  const kinds = [...new Set(dangers.filter(Boolean).map((danger) => danger.replace(/^inside: /, "")))];
  return kinds.length === 0 ? "" : `inside: ${kinds.slice(0, MOST).join(", ")}${kinds.length > MOST ? ", …" : ""}`;
}
