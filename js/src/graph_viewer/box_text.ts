// What is written on a box: a short name in bold, what it is below.
import type { Group } from "./graph_index";
import type { GraphModel, Instance } from "./graph_model";
import { shapeOf } from "./payload";
import { plural } from "../numbers";

export interface BoxText {
  title: string;
  subtitle: string;
}

/** A node in the field's words: the module it is, or its operation, and what was set. */
export function nodeText(model: GraphModel, instance: Instance, node: number): BoxText {
  const { index } = instance;
  const { data } = index;
  const op = index.opOf(node).split("::").at(-1)!;
  const settings = settingsText(model.payload.attributes[data.nodes.attributes[node]!]!);
  const module = moduleName(model.payload.scopes[data.nodes.scope[node]!]!, index.groupOf[node]!);
  const joined = (parts: string[], by: string) => parts.filter(Boolean).join(by);
  if (/^[\d.]+$/.test(module)) return { title: op, subtitle: joined([module, settings], " · ") }; // of a list: it says nothing
  if (module) return { title: module, subtitle: joined([op, settings], " ") };
  const name = data.nodes.id[node]!.split("/").at(-1)!;
  return { title: op, subtitle: settings || (name === op ? "" : name) };
}

// The part of the scope that the frames around the node do not say already.
function moduleName(scope: string, group: Group): string {
  for (let at: Group | null = group; at; at = at.parent) {
    if (at.id !== "" && `${scope}/`.startsWith(at.id)) return scope.slice(at.id.length).replaceAll("/", ".");
  }
  return scope.replaceAll("/", ".");
}

function settingsText(attributes: [string, string][]): string {
  const given = new Map(attributes);
  const either = (...names: string[]) => names.map((name) => given.get(name)).find((value) => value !== undefined);
  const parts: string[] = [];
  const kernel = either("kernel_shape", "kernel_size", "pool_size");
  if (kernel) parts.push(square(kernel));
  const stride = largest(either("strides", "stride", "stride_h"));
  if (stride > 1) parts.push(`stride ${stride}`);
  for (const name of ["filters", "units"]) if (given.has(name)) parts.push(given.get(name)!);
  for (const name of ["axis", "perm", "to", "equation"]) if (given.has(name)) parts.push(`${name} ${given.get(name)}`);
  return parts.join(" · ");
}

const square = (kernel: string) => kernel.replaceAll(/ × |, /g, "×");
// TensorFlow has a stride for the batch and one for the channels, too: `1 × 2 × 2 × 1`.
const largest = (strides = "") => Math.max(0, ...(strides.match(/\d+/g) ?? []).map(Number));

export function groupText(group: Group): BoxText {
  return { title: group.name, subtitle: group.label };
}

/** A graph input or output: its role, then name and dtype. */
export function portText(model: GraphModel, instance: Instance, kind: "in" | "out", at: number): BoxText {
  const { data } = instance.index;
  const value = (kind === "in" ? data.inputs : data.outputs)[at]!;
  const dtype = typeOf(model, instance, value)[0];
  const name = data.values.name[value]!;
  return { title: kind === "in" ? "input" : "output", subtitle: dtype === "unknown" ? name : `${name} · ${dtype}` };
}

export function portsText(instance: Instance, kind: "in" | "out"): BoxText {
  const { inputs, outputs } = instance.index.data;
  const count = kind === "in" ? inputs.length : outputs.length;
  return { title: plural(count, kind === "in" ? "input" : "output"), subtitle: "" };
}

export function typeOf(model: GraphModel, instance: Instance, value: number): [string, (number | string | null)[] | null] {
  return model.payload.types[instance.index.data.values.type[value]!] ?? ["unknown", null];
}

/** What an edge carries: the shape of its one tensor, or how many there are. */
export function edgeText(model: GraphModel, instance: Instance, values: readonly number[]): string {
  if (values.length > 1) return plural(values.length, "tensor");
  return values.length === 0 ? "" : shapeOf(typeOf(model, instance, values[0]!)[1], "×");
}
