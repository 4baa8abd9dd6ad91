// From the graph and the set of open folds to what is drawn: boxes in levels, one level an open
// frame, and edges lifted to the level where their two ends part. An edge that crosses a frame goes
// through a port at its top or bottom, one port for each box that feeds it, so that the line the
// reader follows never breaks. A stack of inputs or outputs is the exception: a thousand ports would
// say nothing, so its lines begin and end at the stack, and each knows whose values it carries.
import { edgeText, groupText, nodeText, portsText, portText, type BoxText } from "./box_text";
import type { Group } from "./graph_index";
import type { GraphModel, Instance } from "./graph_model";

export type BoxKind = "node" | "group" | "in" | "out" | "branch";

export interface Box extends BoxText {
  id: string;
  kind: BoxKind;
  instance: Instance;
  /** Index into families; -1 for none. */
  family: number;
  /** Operations inside; 0 for what cannot be opened. */
  count: number;
  hidden: boolean;
  /** What it, or something in it, does with the rights of who runs it; "" for most. Stands below its title. */
  danger: string;
  level: Level;
  /** The level inside, where this box is open. */
  inner: Level | null;
  /** Its position among its level's boxes. */
  at: number;
}

/** One end of a segment: a box of the level (with the port of its frame), or a port of the level itself. */
export interface End {
  box: Box | null;
  side: "in" | "out" | null;
  port: number;
}

export interface Segment {
  from: End;
  to: End;
  /** Where the line is drawn from, and the boxes whose values it carries: one, but for a stack. */
  source: Box;
  sources: Set<Box>;
  targets: Set<Box>;
  values: Set<number>;
  instance: Instance;
  text: string;
}

export interface Level {
  frame: Box | null;
  /** Its boxes stand in a grid without lines: the inputs, or outputs, of a model that has many. */
  stack: boolean;
  boxes: Box[];
  segments: Map<string, Segment>;
  inPorts: Map<Box, number>;
  outPorts: Map<Box, number>;
}

export interface Visible {
  top: Level;
  levels: Level[];
  boxes: Map<string, Box>;
}

/** Every box and edge that is drawn while the folds in `open` are open. */
export function visible(model: GraphModel, open: ReadonlySet<string>, showHidden: boolean): Visible {
  const scene: Visible = { top: newLevel(null), levels: [], boxes: new Map() };
  scene.levels.push(scene.top);
  addInstance(scene, model, model.main, scene.top, open, showHidden);
  for (const level of scene.levels) {
    for (const segment of level.segments.values()) {
      segment.text = edgeText(model, segment.instance, [...segment.values]);
    }
  }
  return scene;
}

function newLevel(frame: Box | null): Level {
  return { frame, stack: false, boxes: [], segments: new Map(), inPorts: new Map(), outPorts: new Map() };
}

// The boxes of one graph at one place, then its edges, which never leave it.
function addInstance(
  scene: Visible, model: GraphModel, instance: Instance, level: Level, open: ReadonlySet<string>, showHidden: boolean,
): void {
  const { index, prefix } = instance;
  const shown: (Box | null)[] = new Array(index.hidden.length).fill(null);
  const frames: { box: Box; node: number }[] = [];

  const add = (into: Level, id: string, kind: BoxKind, text: BoxText, rest: Partial<Box> = {}): Box => {
    const box: Box = {
      id, kind, ...text, instance, family: -1, count: 0, hidden: false, danger: "", level: into, inner: null, at: into.boxes.length, ...rest,
    };
    into.boxes.push(box);
    scene.boxes.set(id, box);
    return box;
  };
  const openFrame = (box: Box): Level => {
    box.inner = newLevel(box);
    scene.levels.push(box.inner);
    return box.inner;
  };
  const addNode = (into: Level, node: number): void => {
    const hidden = index.hidden[node] === 1;
    if (hidden && !showHidden) return;
    const nested = model.nested(instance, node);
    const count = nested.reduce((sum, inner) => sum + inner.index.root.count, 0);
    const danger = model.dangers.ofNode(instance, node);
    const box = add(into, model.nodeId(instance, node), "node", warned(nodeText(model, instance, node), danger), {
      family: index.familyOf(node), count: nested.length > 0 ? Math.max(1, count) : 0, hidden, danger,
    });
    shown[node] = box;
    if (nested.length > 0 && open.has(box.id)) frames.push({ box, node });
  };
  const addGroup = (into: Level, group: Group): void => {
    const count = showHidden ? group.nodes.length : group.count;
    if (count === 0) return;
    const danger = open.has(prefix + group.id) ? "" : model.dangers.ofGroup(instance, group);
    const box = add(into, prefix + group.id, "group", warned(groupText(group), danger), { family: familyOf(group, instance), count, danger });
    if (open.has(box.id)) addChildren(openFrame(box), group);
    else for (const node of group.nodes) if (showHidden || !index.hidden[node]) shown[node] = box;
  };
  const addChildren = (into: Level, group: Group): void => {
    for (const child of group.children) typeof child === "number" ? addNode(into, child) : addGroup(into, child);
  };
  const addPorts = (kind: "in" | "out", values: number[], folded: boolean): Box[] => {
    const stack = folded
      ? add(level, `${prefix}${kind}:`, "group", portsText(instance, kind), { count: values.length })
      : null;
    if (stack && !open.has(stack.id)) return values.map(() => stack);
    const into = stack ? openFrame(stack) : level;
    into.stack = stack !== null;
    return values.map((_, at) => {
      const id = kind === "in" ? model.inputId(instance, at) : model.outputId(instance, at);
      return add(into, id, kind, portText(model, instance, kind, at));
    });
  };

  const inputs = addPorts("in", index.data.inputs, model.foldsInputs(instance));
  addChildren(level, index.root);
  const outputs = addPorts("out", index.data.outputs, model.foldsOutputs(instance));

  const connect = (value: number, target: Box): void => {
    const from = value < 0 ? null : index.source(value, showHidden);
    const source = from && ("node" in from ? shown[from.node] : inputs[from.input]);
    if (source && source !== target) route(source, target, value, instance);
  };
  index.data.nodes.inputs.forEach((values, node) => {
    const target = shown[node];
    if (target) for (const value of values) connect(value, target);
  });
  for (const key of Object.keys(index.data.subgraphs)) {
    const target = shown[Number(key)];
    if (!target) continue;
    for (const inner of model.nested(instance, Number(key))) {
      for (const name of inner.index.captured()) connect(index.valueByName.get(name) ?? -1, target);
    }
  }
  index.data.outputs.forEach((value, at) => connect(value, outputs[at]!));

  for (const { box, node } of frames) {
    const inside = openFrame(box);
    const nested = model.nested(instance, node);
    for (const inner of nested) {
      if (nested.length === 1) addInstance(scene, model, inner, inside, open, showHidden);
      else {
        const text = { title: inner.owner!.label, subtitle: "" };
        const branch = add(inside, inner.prefix, "branch", text, { instance: inner, count: inner.index.root.count });
        addInstance(scene, model, inner, openFrame(branch), open, showHidden);
      }
    }
  }
}

// What is dangerous is said before anything else.
const warned = (text: BoxText, danger: string): BoxText => (danger ? { ...text, subtitle: danger } : text);

// Most parameters decide a group's colour; where there are none, the most frequent operation does.
function familyOf(group: Group, { index }: Instance): number {
  const weight = new Map<number, number>();
  for (const node of group.nodes) {
    if (index.hidden[node]) continue;
    let bytes = 0;
    for (const value of index.reads(node)) if (value >= 0) bytes += Math.max(0, index.data.values.bytes[value]!);
    const family = index.familyOf(node);
    weight.set(family, (weight.get(family) ?? 0) + 1 + bytes);
  }
  let best = -1;
  for (const [family, size] of weight) if (best < 0 || size > weight.get(best)!) best = family;
  return best;
}

// One lifted edge: up through the bottoms of the frames around its source, down through the tops of
// the frames around its target.
function route(from: Box, to: Box, value: number, instance: Instance): void {
  const [source, target] = [drawnEnd(from), drawnEnd(to)];
  if (source === target) return;
  const around = new Set(levelsAround(source.level));
  const down: Box[] = [];
  let meeting = target.level;
  for (; !around.has(meeting); meeting = meeting.frame!.level) down.unshift(meeting.frame!);
  let end: End = { box: source, side: null, port: -1 };
  const step = (level: Level, next: End) => {
    const segment = segmentAt(level, end, next, source, instance);
    segment.sources.add(from);
    segment.targets.add(to);
    segment.values.add(value);
  };
  for (let level = source.level; level !== meeting; level = level.frame!.level) {
    const port = portOf(level.outPorts, source);
    step(level, { box: null, side: "out", port });
    end = { box: level.frame, side: "out", port };
  }
  for (const frame of down) {
    const port = portOf(frame.inner!.inPorts, source);
    step(frame.level, { box: frame, side: "in", port });
    end = { box: null, side: "in", port };
  }
  step(target.level, { box: target, side: null, port: -1 });
}

/** Whether `box` stands in the open `frame`, at any depth. */
export function isInside(box: Box, frame: Box): boolean {
  for (let at = box.level.frame; at; at = at.level.frame) if (at === frame) return true;
  return false;
}

const drawnEnd = (box: Box): Box => (box.level.stack ? box.level.frame! : box);

function levelsAround(level: Level): Level[] {
  const levels = [level];
  while (level.frame) levels.push((level = level.frame.level));
  return levels;
}

function portOf(ports: Map<Box, number>, source: Box): number {
  if (!ports.has(source)) ports.set(source, ports.size);
  return ports.get(source)!;
}

function segmentAt(level: Level, from: End, to: End, source: Box, instance: Instance): Segment {
  const key = `${endKey(from)}>${endKey(to)}`;
  let segment = level.segments.get(key);
  if (!segment) {
    segment = { from, to, source, sources: new Set(), targets: new Set(), values: new Set(), instance, text: "" };
    level.segments.set(key, segment);
  }
  return segment;
}

const endKey = ({ box, side, port }: End) => `${box ? box.at : ""}${side ?? ""}${port}`;
