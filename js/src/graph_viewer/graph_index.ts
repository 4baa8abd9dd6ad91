// What one graph of the payload holds, looked up by position: groups, producers, what is hidden.
// A graph that many calls share is indexed once.
import type { GraphData, Payload, TreeGroup } from "./payload";

export interface Group {
  id: string;
  name: string;
  label: string;
  kind: string;
  open: boolean;
  parent: Group | null;
  children: (number | Group)[];
  /** Nodes below that are not hidden, and all of them, in data-flow order. */
  count: number;
  nodes: number[];
}

/** Where a value comes from: a node, a graph input, or nothing that is drawn. */
export type Source = { node: number } | { input: number } | null;

const PASS_THROUGH = new Set([
  "Identity", "Cast", "CastLike", "CAST", "Dropout", "ReadVariableOp", "StopGradient", "PreventGradient", "Snapshot", "alias", "detach", "to",
]);

export class GraphIndex {
  readonly root: Group;
  readonly groupOf: Group[] = [];
  readonly groups = new Map<string, Group>();
  readonly nodes = new Map<string, number>();
  readonly parameters: ReadonlySet<number>;
  readonly hidden: Uint8Array;
  readonly producer: Int32Array;
  readonly inputOf = new Map<number, number>();
  readonly valueByName = new Map<string, number>();
  private readonly consumers: number[][] = [];

  constructor(
    readonly data: GraphData,
    private readonly ops: Payload["ops"],
  ) {
    const { nodes, values } = data;
    this.parameters = new Set(data.parameters);
    this.hidden = new Uint8Array(nodes.id.length);
    for (const node of data.elided) this.hidden[node] = 1;
    nodes.id.forEach((id, node) => this.nodes.set(id, node));
    values.name.forEach((name, value) => this.valueByName.set(name, value));
    this.producer = new Int32Array(values.name.length).fill(-1);
    nodes.outputs.forEach((outputs, node) => {
      for (const value of outputs) if (value >= 0) this.producer[value] = node;
    });
    nodes.inputs.forEach((inputs, node) => {
      for (const value of new Set(inputs)) if (value >= 0) (this.consumers[value] ??= []).push(node);
    });
    data.inputs.forEach((value, input) => this.inputOf.set(value, input));
    this.root = this.group(data.tree, null);
  }

  private group(tree: TreeGroup, parent: Group | null): Group {
    const group: Group = {
      id: tree.id, name: tree.name, label: tree.label, kind: tree.kind, open: tree.open ?? false,
      parent, children: [], count: 0, nodes: [],
    };
    this.groups.set(tree.id, group);
    for (const child of tree.children) {
      if (typeof child === "number") {
        group.children.push(child);
        group.nodes.push(child);
        this.groupOf[child] = group;
        if (!this.hidden[child]) group.count += 1;
      } else {
        const inner = this.group(child, group);
        group.children.push(inner);
        for (const node of inner.nodes) group.nodes.push(node);
        group.count += inner.count;
      }
    }
    return group;
  }

  readers(value: number): readonly number[] {
    return this.consumers[value] ?? [];
  }

  opOf(node: number): string {
    return this.ops[this.data.nodes.op[node]!]![0];
  }

  familyOf(node: number): number {
    return this.ops[this.data.nodes.op[node]!]![1];
  }

  /** Where `value` comes from as drawn: through hidden identities and casts, never from another hidden node. */
  source(value: number, showHidden: boolean): Source {
    const seen = new Set<number>();
    for (let current = value; current >= 0 && !seen.has(current); ) {
      seen.add(current);
      const input = this.inputOf.get(current);
      if (input !== undefined) return { input };
      const node = this.producer[current]!;
      if (node < 0) return null;
      if (showHidden || !this.hidden[node]) return { node };
      if (!PASS_THROUGH.has(this.opOf(node).split("::").at(-1)!)) return null;
      current = this.data.nodes.inputs[node]![0] ?? -1;
    }
    return null;
  }

  /** What a node reads; for what is stored the stored value, past identities and reads of variables. */
  reads(node: number): number[] {
    return this.data.nodes.inputs[node]!.map((value) => this.stored(value));
  }

  private stored(value: number): number {
    const seen = new Set<number>();
    for (let current = value; current >= 0 && !seen.has(current); ) {
      seen.add(current);
      if (this.data.values.bytes[current]! >= 0) return current;
      const node = this.producer[current]!;
      if (node < 0 || !PASS_THROUGH.has(this.opOf(node).split("::").at(-1)!)) break;
      current = this.data.nodes.inputs[node]![0] ?? -1;
    }
    return value;
  }

  /** Values that a nested graph reads from the graph around it: no one here makes or stores them. */
  captured(): string[] {
    const names: string[] = [];
    this.data.values.name.forEach((name, value) => {
      const outside = this.producer[value]! < 0 && this.data.values.bytes[value]! < 0 && !this.inputOf.has(value);
      if (outside) names.push(name);
    });
    return names;
  }
}
