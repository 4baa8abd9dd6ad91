// Small graphs written by hand, as mlnb/graph/payload.py would send them.
import { gzipSync } from "node:zlib";
import type { Model } from "../src/host";
import { GraphModel } from "../src/graph_viewer/graph_model";
import type { GraphData, Payload, TreeGroup } from "../src/graph_viewer/payload";

export interface NodeSketch {
  id: string;
  op: string;
  in?: string[];
  out?: string[];
  scope?: string;
  attributes?: [string, string][];
  hidden?: boolean;
  subgraphs?: [string, number][];
  danger?: string;
}

export interface Sketch {
  inputs?: string[];
  outputs?: string[];
  nodes: NodeSketch[];
  /** Stored weights and their sizes in bytes. */
  weights?: Record<string, number>;
  shapes?: Record<string, (number | string | null)[]>;
  /** The children of the root; all nodes in order where it is left out. */
  tree?: (number | TreeGroup)[];
}

export function group(id: string, children: (number | TreeGroup)[], open = false, label = ""): TreeGroup {
  return { id, name: id.replace(/\/$/, "").split("/").at(-1)!, label, kind: "scope", open, children };
}

/** A payload of one or more graphs, with indices counted up. */
export function payload(...sketches: Sketch[]): Payload {
  const made: Payload = {
    version: 4, danger: "", families: [["conv", "#4c78a8"], ["other", "#888888"]], ops: [], attributes: [[]],
    types: [["unknown", null]], scopes: [""], graphs: [], warnings: [],
  };
  made.graphs = sketches.map((sketch) => graph(sketch, made));
  return made;
}

function graph(sketch: Sketch, made: Payload): GraphData {
  const names: string[] = [];
  const value = (name: string) => {
    if (name === "") return -1;
    if (!names.includes(name)) names.push(name);
    return names.indexOf(name);
  };
  const unique = <T>(list: T[], item: T) => {
    const at = list.findIndex((other) => JSON.stringify(other) === JSON.stringify(item));
    return at >= 0 ? at : list.push(item) - 1;
  };
  const inputs = (sketch.inputs ?? []).map(value);
  const nodes = {
    id: sketch.nodes.map((node) => node.id),
    op: sketch.nodes.map(({ op }) => unique(made.ops, [op, op === "Conv" ? 0 : 1])),
    attributes: sketch.nodes.map((node) => unique(made.attributes, node.attributes ?? [])),
    scope: sketch.nodes.map((node) => unique(made.scopes, node.scope ?? "")),
    inputs: sketch.nodes.map((node) => (node.in ?? []).map(value)),
    outputs: sketch.nodes.map((node) => (node.out ?? []).map(value)),
  };
  const outputs = (sketch.outputs ?? []).map(value);
  return {
    name: "main", inputs, outputs, nodes,
    values: {
      name: names,
      type: names.map((name) => (sketch.shapes?.[name] ? unique(made.types, ["float32", sketch.shapes[name]!]) : 0)),
      bytes: names.map((name) => sketch.weights?.[name] ?? -1),
    },
    parameters: names.flatMap((name, at) => (sketch.weights?.[name] !== undefined && sketch.shapes?.[name] ? [at] : [])),
    subgraphs: Object.fromEntries(sketch.nodes.flatMap((node, i) => (node.subgraphs ? [[String(i), node.subgraphs]] : []))),
    dangers: Object.fromEntries(sketch.nodes.flatMap(({ danger }, i) => (danger ? [[String(i), danger]] : []))),
    elided: sketch.nodes.flatMap((node, i) => (node.hidden ? [i] : [])),
    tree: { id: "", name: "", label: "", kind: "root", children: sketch.tree ?? sketch.nodes.map((_, i) => i) },
  };
}

/** x → a → (group: b → c) → d → y, with a skip from a to d. */
export const chain: Sketch = {
  inputs: ["x"],
  outputs: ["y"],
  nodes: [
    { id: "a", op: "Conv", in: ["x", "w"], out: ["va"], scope: "stem", attributes: [["kernel_shape", "3 × 3"]] },
    { id: "b", op: "Conv", in: ["va"], out: ["vb"], scope: "layer/0" },
    { id: "c", op: "Relu", in: ["vb"], out: ["vc"], scope: "layer/1" },
    { id: "d", op: "Add", in: ["vc", "va"], out: ["y"] },
  ],
  weights: { w: 36 },
  shapes: { x: [1, 3, "N", null], va: [1, 8, 4, 4], w: [1, 3, 3] },
  tree: [0, group("layer/", [1, 2], false, "Conv · Relu"), 3],
};

export const modelOf = (...sketches: Sketch[]) => new GraphModel(payload(...sketches));

/** As Python packs it: indices as differences, then gzip. */
export function pack(made: Payload): Uint8Array {
  const stepper = () => {
    let last = 0;
    return (index: number) => {
      if (index < 0) return null;
      const step = index - last;
      last = index;
      return step;
    };
  };
  const graphs = made.graphs.map((data) => {
    const [value, child, hidden, weight] = [stepper(), stepper(), stepper(), stepper()];
    const inputs: unknown[] = [];
    const outputs = data.nodes.outputs.map((out, node) => {
      inputs.push(data.nodes.inputs[node]!.map(value));
      return out.map(value);
    });
    const tree = (at: TreeGroup): unknown => ({
      ...at, children: at.children.map((inner) => (typeof inner === "number" ? child(inner) : tree(inner))),
    });
    return { ...data, nodes: { ...data.nodes, inputs, outputs }, parameters: data.parameters.map(weight), elided: data.elided.map(hidden), tree: tree(data.tree) };
  });
  return new Uint8Array(gzipSync(JSON.stringify({ ...made, graphs })));
}

/** A widget's model without a kernel: traits in a dictionary, messages in a list. */
export class FakeModel implements Model {
  readonly sent: unknown[] = [];
  saved = 0;
  private readonly listeners = new Map<string, ((...parts: never[]) => void)[]>();

  constructor(readonly traits: Record<string, unknown>) {}

  get(name: string): unknown {
    return this.traits[name];
  }
  set(name: string, value: unknown): void {
    const changed = this.traits[name] !== value;
    this.traits[name] = value;
    if (changed) this.emit(`change:${name}`);
  }
  save_changes(): void {
    this.saved += 1;
  }
  on(event: string, callback: (...parts: never[]) => void): void {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), callback]);
  }
  off(event: string, callback: (...parts: never[]) => void): void {
    this.listeners.set(event, (this.listeners.get(event) ?? []).filter((other) => other !== callback));
  }
  send(content: unknown): void {
    this.sent.push(content);
  }
  emit(event: string, ...parts: unknown[]): void {
    for (const callback of this.listeners.get(event) ?? []) callback(...(parts as never[]));
  }
  get listening(): number {
    return [...this.listeners.values()].flat().length;
  }
}

/** Until `done` holds, or a second has passed. */
export async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  if (!done()) throw new Error("waited a second in vain");
}
