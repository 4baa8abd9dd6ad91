"""Which boxes and edges the static picture shows on which level, before anything has a place.

An edge between two boxes stands on the level that both share. Where it crosses the border of an
open group it is cut in pieces that meet at a port, so that each level can be laid out on its own.
All that one box hands through a border shares a port, so that 20,000 tensors are one line there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mlnb.graph.fold import Fold, Group
from mlnb.graph.order import reads, visible_source

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph

MANY = 6
"""Inputs, or outputs, from which on the rest of them share one box."""


class Port(NamedTuple):
    """A place at the border of the picture or of a frame.

    Args:
        kind: `"in"`, `"out"` (one value, by name), `"ins"`, `"outs"` (the rest of them), `"entry"`
            or `"exit"` (what comes from one box, by `port_name` of that box).
        name: what passes.
    """

    kind: str
    name: str


Key = int | str | Port
"""A box: a node by its index, a group by its id, or a port."""

Trail = tuple[str, ...]
"""A level: the ids of the open groups around it, outermost first."""


class Ends(NamedTuple):
    """From where to where an edge runs on one level, and through which port of an open group.

    The names of ports say from which box the edge comes.
    """

    source: Key
    leaves: str | None
    target: Key
    arrives: str | None


@dataclass(slots=True)
class Level:
    """The boxes of one level in data-flow order, and the values that flow along its edges."""

    keys: list[Key] = field(default_factory=list)
    edges: dict[Ends, dict[str, None]] = field(default_factory=dict)


@dataclass(slots=True)
class Scene:
    """All levels of a picture.

    Args:
        levels: by the open groups around them.
        groups: every group that shows, open or closed, by id.
        bundles: the names that each input and output box stands for.
    """

    levels: dict[Trail, Level] = field(default_factory=lambda: {(): Level()})
    groups: dict[str, Group] = field(default_factory=dict)
    bundles: dict[Port, tuple[str, ...]] = field(default_factory=dict)


def scene(graph: Graph, folded: Fold) -> Scene:
    """The boxes and edges that show when the groups in `folded.open` are open."""
    result = Scene()
    trails: dict[Key, tuple[Key, ...]] = {}
    inputs, outputs = _bundles("in", graph.inputs), _bundles("out", graph.outputs)
    result.bundles = {**inputs, **outputs}
    result.levels[()].keys.extend(inputs)
    _collect(result, folded, folded.root, (), trails)
    result.levels[()].keys.extend(outputs)
    trails.update({port: (port,) for port in result.bundles})
    fed = {name: port for port, names in inputs.items() for name in names}
    for target, name in _readings(graph, folded, outputs):
        start = visible_source(graph, name, folded.elided)
        source: Key | None = None if start is None else graph.producers.get(start, fed.get(start))
        if start is not None and source is not None:
            _connect(result, trails[source], trails[target], start)
    return result


def _bundles(kind: str, names: Sequence[str]) -> dict[Port, tuple[str, ...]]:
    names = tuple(dict.fromkeys(names))
    few = names if len(names) <= MANY else names[: MANY - 1]
    bundles: dict[Port, tuple[str, ...]] = {Port(kind, name): (name,) for name in few}
    if len(few) < len(names):
        bundles[Port(f"{kind}s", "")] = names[len(few) :]
    return bundles


def _collect(
    result: Scene,
    folded: Fold,
    group: Group,
    trail: Trail,
    trails: dict[Key, tuple[Key, ...]],
) -> None:
    """Which boxes show on which level, and in which box each shown node is."""
    level = result.levels.setdefault(trail, Level())
    for child in group.children:
        if isinstance(child, Group):
            level.keys.append(child.id)
            result.groups[child.id] = child
            if child.id in folded.open:
                _collect(result, folded, child, (*trail, child.id), trails)
            else:
                trails.update(dict.fromkeys(child.nodes(), (*trail, child.id)))
        elif child not in folded.elided:
            level.keys.append(child)
            trails[child] = (*trail, child)


def _readings(
    graph: Graph, folded: Fold, outputs: dict[Port, tuple[str, ...]]
) -> list[tuple[Key, str]]:
    """Who reads which value: each shown node its inputs, each output box what it hands out."""
    nodes: list[tuple[Key, str]] = [
        (i, name)
        for i, node in enumerate(graph.nodes)
        if i not in folded.elided
        for name in reads(node)
        if name
    ]
    return nodes + [(port, name) for port, names in outputs.items() for name in names]


def _connect(result: Scene, a: tuple[Key, ...], b: tuple[Key, ...], name: str) -> None:
    """An edge on the level that both ends share, and its pieces inside the frames it crosses."""
    shared = 0
    while shared < min(len(a), len(b)) and a[shared] == b[shared]:
        shared += 1
    if shared in (len(a), len(b)):
        if isinstance(a[-1], int):
            _edge(result, a[:-1], Ends(a[-1], None, a[-1], None), name)
        return
    port = port_name(a[-1])
    out = port if len(a) > shared + 1 else None
    into = port if len(b) > shared + 1 else None
    _edge(result, a[:shared], Ends(a[shared], out, b[shared], into), name)
    for depth in range(shared + 1, len(a)):
        leaves = port if depth + 1 < len(a) else None
        _edge(result, a[:depth], Ends(a[depth], leaves, Port("exit", port), None), name)
    for depth in range(shared + 1, len(b)):
        arrives = port if depth + 1 < len(b) else None
        _edge(result, b[:depth], Ends(Port("entry", port), None, b[depth], arrives), name)


def port_name(source: Key) -> str:
    """The name of the ports for what comes from a box: no two boxes share one."""
    if isinstance(source, Port):
        return f"{source.kind}:{source.name}"
    return f"node {source}" if isinstance(source, int) else f"group {source}"


def _edge(result: Scene, trail: tuple[Key, ...], ends: Ends, name: str) -> None:
    level = result.levels[tuple(str(group) for group in trail)]
    level.edges.setdefault(ends, {})[name] = None
