// The side panel: what is selected, in words and figures. Everything that a file wrote goes through
// `foreign` or `expandable`.
import { nodeText, typeOf } from "./box_text";
import { dangerLine } from "./danger";
import type { Group } from "./graph_index";
import type { GraphModel, Instance, Target } from "./graph_model";
import { shapeOf, type GraphData, type Payload } from "./payload";
import { expandable, foreign, h, type Child } from "../dom";
import { bytesText, countText, plural } from "../numbers";

export interface PanelActions {
  go(id: string): void;
  statistics: ((graph: number, value: string) => HTMLElement) | null;
  showHidden: boolean;
}

const MANY = 12;

/** The panel's content for what is selected; the model as a whole where nothing is. */
export function panelFor(model: GraphModel, target: Target | null, act: PanelActions): HTMLElement {
  if (target === null) return overview(model);
  if (target.kind === "node") return nodePanel(model, target.instance, target.node, act);
  if (target.kind === "group") return groupPanel(model, target.instance, target.group);
  if (target.kind === "branch") return branchPanel(model, target.instance);
  if (target.kind === "in" || target.kind === "out") return portPanel(model, target, act);
  return portsPanel(model, target, act);
}

function nodePanel(model: GraphModel, instance: Instance, node: number, act: PanelActions): HTMLElement {
  const { index } = instance;
  const { nodes, values } = index.data;
  const inputs = index.reads(node);
  const stored = inputs.filter((value) => value >= 0 && values.bytes[value]! >= 0);
  const list = definitions();
  const [id, op] = [nodes.id[node]!, index.opOf(node)];
  const scope = model.payload.scopes[nodes.scope[node]!]!;
  if (scope) list.add("scope", expandable(scope.replaceAll("/", " / "), 120));
  for (const [name, value] of model.payload.attributes[nodes.attributes[node]!]!) {
    list.add(name, expandable(value, 80));
  }
  return section(
    isCalledByOp(model, instance, node) ? heading(op, id === op ? "" : id) : heading(id, op),
    danger(model.dangers.ofNode(instance, node)),
    index.hidden[node] ? note("hidden by default: a constant, shape arithmetic or an identity") : null,
    list.element,
    ...tensors("inputs", inputs.filter((value) => value >= 0 && values.bytes[value]! < 0), (value) => valueLine(model, instance, value, producersOf(model, instance, value, act), act)),
    ...tensors("read by the graphs inside", capturedBy(model, instance, node), (value) => valueLine(model, instance, value, producersOf(model, instance, value, act), act)),
    ...tensors("outputs", nodes.outputs[node]!.filter((value) => value >= 0), (value) => valueLine(model, instance, value, readersOf(model, instance, value), act)),
    ...tensors("weights", stored, (value) => weightLine(model, instance, value, act)),
  );
}

// A box that no module names is called after its operation; so is the panel: "n17" tells nobody anything.
function isCalledByOp(model: GraphModel, instance: Instance, node: number): boolean {
  return nodeText(model, instance, node).title === instance.index.opOf(node).split("::").at(-1);
}

function capturedBy(model: GraphModel, instance: Instance, node: number): number[] {
  const names = new Set(model.nested(instance, node).flatMap((inner) => inner.index.captured()));
  const values = [...names].map((name) => instance.index.valueByName.get(name) ?? -1);
  return values.filter((value) => value >= 0 && !instance.index.data.nodes.inputs[node]!.includes(value));
}

function producersOf(model: GraphModel, instance: Instance, value: number, act: PanelActions): string[] {
  const source = instance.index.source(value, act.showHidden);
  if (!source) return [];
  return ["node" in source ? model.nodeId(instance, source.node) : model.inputId(instance, source.input)];
}

function readersOf(model: GraphModel, instance: Instance, value: number): string[] {
  const { data } = instance.index;
  const ids = instance.index.readers(value).map((node) => model.nodeId(instance, node));
  data.outputs.forEach((output, at) => {
    if (output === value) ids.push(model.outputId(instance, at));
  });
  return ids;
}

// A tensor with what stands at its other end.
function valueLine(model: GraphModel, instance: Instance, value: number, ends: string[], act: PanelActions): HTMLElement {
  const links = ends.slice(0, MANY).map((id) => link(model, id, instance, act));
  const rest = ends.length > MANY ? h("span", { class: "mlnb-muted" }, `and ${ends.length - MANY} more`) : null;
  return h("div", { class: "mlnb-value" },
    h("div", {}, expandable(instance.index.data.values.name[value]!, 60, "mlnb-code")),
    h("div", { class: "mlnb-muted" }, typeText(model, instance, value)),
    ends.length > 0 ? h("div", { class: "mlnb-links" }, ...links, rest) : null);
}

function weightLine(model: GraphModel, instance: Instance, value: number, act: PanelActions): HTMLElement {
  const { values } = instance.index.data;
  const size = `${typeText(model, instance, value)} · ${bytesText(values.bytes[value]!)}`;
  return h("div", { class: "mlnb-value" },
    h("div", {}, expandable(values.name[value]!, 60, "mlnb-code")),
    h("div", { class: "mlnb-muted" }, size),
    act.statistics?.(instance.graph, values.name[value]!));
}

function groupPanel(model: GraphModel, instance: Instance, group: Group): HTMLElement {
  const list = definitions();
  const path = (instance.prefix + group.id).replace(/\/$/, "");
  if (path !== group.name) list.add("path", expandable(path.replaceAll("/", " / "), 120));
  if (group.label) list.add("holds", foreign(group.label, 200));
  list.add("operations", countText(group.count));
  const hidden = group.nodes.length - group.count;
  if (hidden > 0) list.add("hidden", countText(hidden));
  const { bytes, count } = weightsOf(model, instance, group.nodes);
  if (count > 0) list.add("parameters", `${countText(count)} · ${bytesText(bytes)}`);
  return section(heading(group.name, group.kind === "scope" ? "scope" : "group"), danger(model.dangers.ofGroup(instance, group)), list.element, operations(model, instance, group.nodes));
}

function branchPanel(model: GraphModel, instance: Instance): HTMLElement {
  const { root, data } = instance.index;
  return section(
    heading(instance.owner!.label, `graph ${data.name}`),
    note(`${plural(data.inputs.length, "input")}, ${plural(data.outputs.length, "output")}`),
    operations(model, instance, root.nodes));
}

function portPanel(model: GraphModel, target: Extract<Target, { kind: "in" | "out" }>, act: PanelActions): HTMLElement {
  const { instance, kind, at } = target;
  const { data } = instance.index;
  const value = (kind === "in" ? data.inputs : data.outputs)[at]!;
  const ends = kind === "in" ? readersOf(model, instance, value) : producersOf(model, instance, value, act);
  const role = kind === "in" ? "input" : "output";
  return section(heading(data.values.name[value]!, role), valueLine(model, instance, value, ends, act));
}

function portsPanel(model: GraphModel, target: Extract<Target, { kind: "ins" | "outs" }>, act: PanelActions): HTMLElement {
  const { instance, kind } = target;
  const { data } = instance.index;
  const isIn = kind === "ins";
  const values = isIn ? data.inputs : data.outputs;
  const ids = values.slice(0, 50).map((_, at) => (isIn ? model.inputId(instance, at) : model.outputId(instance, at)));
  return section(
    heading(plural(values.length, isIn ? "input" : "output"), ""),
    h("div", { class: "mlnb-links" }, ...ids.map((id) => link(model, id, instance, act))),
    values.length > 50 ? note(`and ${values.length - 50} more`) : null);
}

function overview(model: GraphModel): HTMLElement {
  const instance = model.main;
  const { warnings } = model.payload;
  const { root } = instance.index;
  const list = definitions();
  list.add("operations", countText(root.count));
  if (hiddenNodes(model.payload) > 0) list.add("hidden", countText(hiddenNodes(model.payload)));
  const { bytes, count } = allWeights(model);
  if (count > 0) list.add("parameters", `${countText(count)} · ${bytesText(bytes)}`);
  const nested = model.payload.graphs.length - 1;
  if (nested > 0) list.add("nested", plural(nested, "graph"));
  const said = warnings.map((warning) => h("li", {}, expandable(warning, 160)));
  return section(
    heading("The model", ""), list.element, operations(model, instance, root.nodes, true),
    said.length > 0 ? h("h5", { class: "mlnb-warn" }, plural(said.length, "warning")) : null,
    said.length > 0 ? h("ul", { class: "mlnb-warnings" }, ...said) : null);
}

/** Nodes hidden by default, nested graphs included. */
export function hiddenNodes({ graphs }: Payload): number {
  return graphs.reduce((sum, graph) => sum + graph.elided.length, 0);
}

// How many of which operation, in the colours of the picture: by family for the whole, by op within.
function operations(model: GraphModel, { index }: Instance, nodes: readonly number[], byFamily = false): HTMLElement | null {
  const counts = new Map<string, { color: string; count: number; ops: Set<string> }>();
  for (const node of nodes) {
    if (index.hidden[node]) continue;
    const op = index.opOf(node);
    const [family, color] = model.payload.families[index.familyOf(node)]!;
    const name = byFamily ? family : op;
    const entry = counts.get(name) ?? { color, count: 0, ops: new Set() };
    entry.count += 1;
    entry.ops.add(op);
    counts.set(name, entry);
  }
  if (counts.size === 0) return null;
  const sorted = [...counts].sort((a, b) => b[1].count - a[1].count);
  const most = sorted[0]![1].count;
  const rows = sorted.slice(0, 24).map(([name, { color, count, ops }]) => {
    const bar = h("i", { class: "mlnb-share" });
    bar.style.width = `${Math.max(2, (100 * count) / most)}%`;
    bar.style.background = color;
    const said = foreign(name, 40);
    if (byFamily) said.title = [...ops].slice(0, 30).join(", ");
    return h("div", { class: "mlnb-op" }, said, h("span", { class: "mlnb-track" }, bar), h("span", {}, countText(count)));
  });
  const rest = sorted.length > 24 ? note(`and ${sorted.length - 24} more kinds`) : null;
  return h("div", { class: "mlnb-ops" }, ...rows, rest);
}

export interface Weight {
  count: number;
  bytes: number;
}

/** The parameters that `nodes` read, each counted once. */
export function weightsOf(model: GraphModel, instance: Instance, nodes: readonly number[]): Weight {
  const { index } = instance;
  const read = new Set<number>();
  for (const node of nodes) for (const value of index.reads(node)) if (index.parameters.has(value)) read.add(value);
  return weigh(model, index.data, read);
}

/** All parameters of the model, those of nested graphs included; the header counts them by the same rule. */
export function allWeights(model: GraphModel): Weight {
  return model.payload.graphs.map((data) => weigh(model, data, data.parameters))
    .reduce((sum, { count, bytes }) => ({ count: sum.count + count, bytes: sum.bytes + bytes }), { count: 0, bytes: 0 });
}

function weigh({ payload }: GraphModel, { values }: GraphData, parameters: Iterable<number>): Weight {
  let [count, bytes] = [0, 0];
  for (const value of parameters) {
    const shape = payload.types[values.type[value]!]![1] ?? [0];
    count += shape.reduce<number>((product, size) => product * (typeof size === "number" ? size : 0), 1);
    bytes += Math.max(0, values.bytes[value]!);
  }
  return { count, bytes };
}

function typeText(model: GraphModel, instance: Instance, value: number): string {
  const [dtype, shape] = typeOf(model, instance, value);
  const size = shapeOf(shape) || "shape unknown";
  return dtype === "unknown" ? size : `${dtype} · ${size}`;
}

// Within a nested graph the way to it goes without saying; a name without its operation, such as "n17", gets it.
function link(model: GraphModel, id: string, instance: Instance, act: PanelActions): HTMLElement {
  const local = id.slice(instance.prefix.length);
  const node = instance.index.nodes.get(local);
  const op = node === undefined || !isCalledByOp(model, instance, node) ? "" : instance.index.opOf(node);
  const said = local.toLowerCase().includes(op.toLowerCase());
  const shown = said ? local.replace(/^(in|out):/, "$1put ") : `${op} ${local}`;
  return h("button", { type: "button", class: "mlnb-link", label: `go to ${id}`, on: () => act.go(id) }, foreign(shown, 40));
}

function heading(name: string, kind: string): HTMLElement {
  return h("h4", {}, expandable(name, 80), " ", foreign(kind, 80, "mlnb-muted"));
}

const section = (...children: Child[]) => h("div", { class: "mlnb-details" }, ...children);
const danger = (why: string) => (why ? h("div", { class: "mlnb-warn" }, foreign(dangerLine(why), 200)) : null);
const note = (words: string) => h("div", { class: "mlnb-muted" }, words);

function tensors(title: string, values: number[], line: (value: number) => HTMLElement): HTMLElement[] {
  if (values.length === 0) return [];
  const shown = values.slice(0, 40).map(line);
  if (values.length > 40) shown.push(note(`and ${values.length - 40} more`));
  return [h("h5", {}, title), ...shown];
}

function definitions() {
  const element = h("dl", { class: "mlnb-facts-list" });
  return {
    element,
    add: (name: string, value: Node | string) => element.append(h("dt", {}, foreign(name, 40)), h("dd", {}, value)),
  };
}
