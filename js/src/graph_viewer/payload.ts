// The graph as Python sends it: gzip of JSON, the same layout as mlnb/graph/payload.py. Packed, the
// indices of values and nodes are differences to the one before; `decode` adds them up again.
export interface TreeGroup {
  id: string;
  name: string;
  label: string;
  kind: string;
  open?: boolean;
  children: (number | TreeGroup)[];
}

export interface GraphData {
  name: string;
  inputs: number[];
  outputs: number[];
  values: { name: string[]; type: number[]; bytes: number[] };
  nodes: {
    id: string[];
    op: number[];
    attributes: number[];
    scope: number[];
    inputs: number[][];
    outputs: number[][];
  };
  /** The values that are parameters of the model; not its scalars, indices and shapes. */
  parameters: number[];
  subgraphs: Record<string, [label: string, graph: number][]>;
  /** By node: what it does with the rights of who runs it, such as "reads files". */
  dangers: Record<string, string>;
  elided: number[];
  tree: TreeGroup;
}

export type Dimension = number | string | null;

export interface Payload {
  version: number;
  families: [name: string, color: string][];
  ops: [op: string, family: number][];
  attributes: [name: string, value: string][][];
  types: [dtype: string, shape: Dimension[] | null][];
  scopes: string[];
  graphs: GraphData[];
  /** What the whole model would do, and how it is allowed; "" for most. */
  danger: string;
  warnings: string[];
}

const VERSION = 4;

/** Unpack what Python packed; a sentence for a person is thrown where that cannot be done. */
export async function decode(bytes: DataView | Uint8Array): Promise<Payload> {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser cannot unpack the graph: it has no DecompressionStream. Any browser since 2023 has it.");
  }
  let payload: Payload;
  try {
    const packed = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream("gzip"));
    payload = JSON.parse(await new Response(packed).text()) as Payload;
  } catch (error) {
    throw new Error(`The graph came in damaged and cannot be unpacked (${(error as Error).message}).`);
  }
  if (payload.version !== VERSION) {
    throw new Error(
      `The graph is of version ${payload.version}, this view reads version ${VERSION}: reload the page, so that both come from one mlnb.`,
    );
  }
  return { ...payload, graphs: payload.graphs.map(addUp) };
}

// One graph as packed: a step for an index, null for a value that is left out (-1 once added up).
function addUp(graph: GraphData): GraphData {
  const [value, child, hidden, weight] = [counter(), counter(), counter(), counter()];
  const inputs: number[][] = [];
  const outputs = graph.nodes.outputs.map((made, node) => {
    inputs.push(graph.nodes.inputs[node]!.map(value));
    return made.map(value);
  });
  const tree = (group: TreeGroup): TreeGroup => ({
    ...group, children: group.children.map((at) => (typeof at === "number" ? child(at) : tree(at))),
  });
  return {
    ...graph, nodes: { ...graph.nodes, inputs, outputs }, parameters: graph.parameters.map(weight),
    elided: graph.elided.map(hidden), tree: tree(graph.tree),
  };
}

function counter(): (step: number | null) => number {
  let last = 0;
  return (step) => (step === null ? -1 : (last += step));
}

/** `1×3×N×?`, `scalar`, or "" where the file does not say. */
export function shapeOf(shape: Dimension[] | null, cross = " × "): string {
  if (shape === null) return "";
  return shape.length === 0 ? "scalar" : shape.map((size) => size ?? "?").join(cross);
}
