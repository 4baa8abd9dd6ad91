// Finding boxes by name, operation or tensor. One lower-case line a box, made once; a key stroke is
// one scan over these lines, a few milliseconds for 50,000 nodes.
import type { Group } from "./graph_index";
import type { GraphModel, Instance } from "./graph_model";

interface Entry {
  id: string;
  line: string;
  hidden: boolean;
}

export interface Found {
  /** In data-flow order. */
  ids: string[];
  /** Matches among hidden nodes, which are not in `ids`. */
  hidden: number;
}

/** Nested graphs are searched too; calls within calls up to this many boxes. */
const MOST = 60_000;

export class SearchIndex {
  private readonly entries: Entry[] = [];

  constructor(private readonly model: GraphModel) {
    this.addInstance(model.main, []);
  }

  find(query: string, showHidden: boolean): Found {
    const wanted = query.trim().toLowerCase();
    const found: Found = { ids: [], hidden: 0 };
    if (wanted === "") return found;
    for (const entry of this.entries) {
      if (!entry.line.includes(wanted)) continue;
      if (entry.hidden && !showHidden) found.hidden += 1;
      else found.ids.push(entry.id);
    }
    return found;
  }

  private add(id: string, words: string[], hidden = false): void {
    this.entries.push({ id, line: words.join("\n").toLowerCase(), hidden });
  }

  private addInstance(instance: Instance, above: number[]): void {
    if (above.includes(instance.graph) || this.entries.length > MOST) return;
    const { data } = instance.index;
    const valueName = (value: number) => data.values.name[value] ?? "";
    data.inputs.forEach((value, at) => this.add(this.model.inputId(instance, at), [valueName(value)]));
    this.addGroup(instance, instance.index.root, [...above, instance.graph]);
    data.outputs.forEach((value, at) => this.add(this.model.outputId(instance, at), [valueName(value)]));
  }

  private addGroup(instance: Instance, group: Group, above: number[]): void {
    if (group.parent) this.add(instance.prefix + group.id, [group.name, group.id], group.count === 0);
    for (const child of group.children) {
      if (typeof child === "number") this.addNode(instance, child, above);
      else this.addGroup(instance, child, above);
    }
  }

  private addNode(instance: Instance, node: number, above: number[]): void {
    const { index } = instance;
    const { nodes, values } = index.data;
    const tensors = nodes.outputs[node]!.concat(nodes.inputs[node]!.filter((value) => value >= 0 && values.bytes[value]! >= 0));
    const danger = index.data.dangers[String(node)] ?? "";
    const words = [nodes.id[node]!, index.opOf(node), danger, ...tensors.map((value) => values.name[value] ?? "")];
    this.add(this.model.nodeId(instance, node), words, index.hidden[node] === 1);
    for (const inner of this.model.nested(instance, node)) this.addInstance(inner, above);
  }
}
