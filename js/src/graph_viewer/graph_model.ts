// The payload as the viewer walks it. Nested graphs are stored once and shown at many places; an
// `Instance` is one such place, and its prefix makes the ids of what stands in it unique.
import { Dangers } from "./danger";
import { GraphIndex, type Group } from "./graph_index";
import type { Payload } from "./payload";

export interface Instance {
  graph: number;
  index: GraphIndex;
  prefix: string;
  /** The node whose frame this is, and the instance it stands in; null for the model itself. */
  owner: { instance: Instance; node: number; label: string } | null;
}

/** What an id names. */
export type Target =
  | { kind: "node"; instance: Instance; node: number }
  | { kind: "group"; instance: Instance; group: Group }
  | { kind: "branch"; instance: Instance }
  | { kind: "in"; instance: Instance; at: number }
  | { kind: "out"; instance: Instance; at: number }
  | { kind: "ins"; instance: Instance }
  | { kind: "outs"; instance: Instance };

export class GraphModel {
  readonly main: Instance;
  readonly dangers: Dangers;
  private readonly indices = new Map<number, GraphIndex>();
  private readonly instances = new Map<string, Instance>();

  constructor(readonly payload: Payload) {
    this.dangers = new Dangers(payload);
    this.main = { graph: 0, index: this.index(0), prefix: "", owner: null };
  }

  private index(graph: number): GraphIndex {
    let index = this.indices.get(graph);
    if (!index) {
      index = new GraphIndex(this.payload.graphs[graph]!, this.payload.ops);
      this.indices.set(graph, index);
    }
    return index;
  }

  /** The nested graphs of a node, one a label; none for most nodes. Made when first asked for. */
  nested(instance: Instance, node: number): Instance[] {
    const { data } = instance.index;
    return (data.subgraphs[String(node)] ?? []).map(([label, graph]) => {
      const prefix = `${instance.prefix}${data.nodes.id[node]}:${label}:`;
      let inner = this.instances.get(prefix);
      if (!inner) {
        inner = { graph, index: this.index(graph), prefix, owner: { instance, node, label } };
        this.instances.set(prefix, inner);
      }
      return inner;
    });
  }

  nodeId(instance: Instance, node: number): string {
    return instance.prefix + instance.index.data.nodes.id[node]!;
  }

  inputId(instance: Instance, at: number): string {
    const { data } = instance.index;
    return `${instance.prefix}in:${data.values.name[data.inputs[at]!]}`;
  }

  outputId(instance: Instance, at: number): string {
    const { data } = instance.index;
    return `${instance.prefix}out:${data.values.name[data.outputs[at]!]}`;
  }

  /** What `id` names, in any nested graph; null where nothing has that id. A group may lack its slash. */
  find(id: string, instance: Instance = this.main): Target | null {
    const { index, prefix } = instance;
    const local = id.slice(prefix.length);
    const node = index.nodes.get(local);
    if (node !== undefined) return { kind: "node", instance, node };
    const group = local === "" ? undefined : (index.groups.get(local) ?? index.groups.get(`${local}/`));
    if (group) return { kind: "group", instance, group };
    if (local === "in:") return { kind: "ins", instance };
    if (local === "out:") return { kind: "outs", instance };
    return this.findPort(local, instance) ?? this.findNested(id, instance);
  }

  private findPort(local: string, instance: Instance): Target | null {
    const { data } = instance.index;
    for (const [kind, values] of [["in", data.inputs], ["out", data.outputs]] as const) {
      if (!local.startsWith(`${kind}:`)) continue;
      const at = values.findIndex((value) => data.values.name[value] === local.slice(kind.length + 1));
      if (at >= 0) return { kind, instance, at };
    }
    return null;
  }

  private findNested(id: string, instance: Instance): Target | null {
    const { data } = instance.index;
    for (const key of Object.keys(data.subgraphs)) {
      if (!id.startsWith(`${instance.prefix}${data.nodes.id[Number(key)]}:`)) continue;
      for (const inner of this.nested(instance, Number(key))) {
        if (id === inner.prefix) return { kind: "branch", instance: inner };
        const found = id.startsWith(inner.prefix) ? this.find(id, inner) : null;
        if (found) return found;
      }
    }
    return null;
  }

  /** The ids that must be open for `target` to be drawn, outermost first. */
  folds(target: Target): string[] {
    const { instance } = target;
    const folds: string[] = [];
    if (target.kind === "in" && this.foldsInputs(instance)) folds.push(`${instance.prefix}in:`);
    if (target.kind === "out" && this.foldsOutputs(instance)) folds.push(`${instance.prefix}out:`);
    const group = target.kind === "node" ? instance.index.groupOf[target.node] : target.kind === "group" ? target.group.parent : null;
    for (let at = group ?? null; at?.parent; at = at.parent) folds.unshift(instance.prefix + at.id);
    if (instance.owner) {
      const { instance: outer, node } = instance.owner;
      folds.unshift(...this.folds({ kind: "node", instance: outer, node }), this.nodeId(outer, node));
    }
    return folds;
  }

  foldsInputs(instance: Instance): boolean {
    return instance.index.data.inputs.length > MANY;
  }

  foldsOutputs(instance: Instance): boolean {
    return instance.index.data.outputs.length > MANY;
  }
}

/** More graph inputs or outputs than this stand as one closed stack. */
const MANY = 20;
