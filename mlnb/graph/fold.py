"""Folding: the nodes of a graph as a tree of groups that opens with about 120 boxes.

The tree follows the modules that the file names. Where a level is still crowded it is cut along the
data flow, and siblings that are built alike become one group, so that a model of any size begins as
one readable picture. What is open at first is a separate decision, made greedily from the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from mlnb.formatting import display_text
from mlnb.graph.calls import Calls
from mlnb.graph.chunks import LEVEL, chunk_level, cut_evenly
from mlnb.graph.elide import elided_nodes
from mlnb.graph.group import CONTAINERS, Group, Item, describe, label_text
from mlnb.graph.order import data_flow_order, visible_sources
from mlnb.graph.repeats import compress_repeats, whole_run
from mlnb.graph.scopes import Scope, adopted_scopes

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph, Node

__all__ = ["Fold", "Group", "fold", "opened"]

SMALL = 60
"""Boxes of a model that is shown wholly open."""
LONG_REPEAT = 12
"""Members of a repeat that is not opened at first: more equal boxes say no more than its label."""


@dataclass(frozen=True)
class Fold:
    """A graph folded.

    Args:
        root: the tree; its children are the top level.
        open: the ids of the groups that are open on the first picture.
        elided: the indices of the nodes hidden by default.
    """

    root: Group
    open: frozenset[str]
    elided: frozenset[int]


def fold(graph: Graph, budget: int = 120, level: int = LEVEL) -> Fold:
    """The tree of groups, and which of them to open for about `budget` boxes.

    >>> folded = fold(model.graph)
    >>> [group.label for group in folded.root.groups]
    ['Conv · Relu · MaxPool', '2 × BasicBlock', '6 × BasicBlock']

    Args:
        graph: one graph; nested ones fold on their own.
        budget: boxes on the first picture. The tree itself does not depend on it.
        level: boxes that one level may have; more are cut into stretches.
    """
    order = data_flow_order(graph)
    elided = elided_nodes(graph, order)
    root = _Builder(graph, order, elided, level).root()
    return Fold(root, opened(root, elided, budget), elided)


def opened(root: Group, elided: frozenset[int], budget: int) -> frozenset[str]:
    """The groups to open for about `budget` boxes: from the top, each structure once first.

    A small model opens wholly. Of a repeat only the first member opens: the others are the same.
    """
    if root.visible <= min(SMALL, budget):
        return frozenset(group.id for group in root.walk() if group is not root)
    boxes = _boxes(root, elided)
    waiting = [(0, 1, place, group) for place, group in enumerate(root.groups)]
    heapify(waiting)
    place = len(waiting)
    seen: set[int] = set()
    chosen: set[str] = set()
    while waiting:
        again, depth, rank, group = heappop(waiting)
        if group.structure in seen and not again:
            heappush(waiting, (1, depth, rank, group))
            continue
        added = _boxes(group, elided) - 1
        too_long = group.kind == "repeat" and added >= LONG_REPEAT
        if boxes + added > budget or too_long:
            continue
        boxes += added
        chosen.add(group.id)
        seen.add(group.structure)
        inner = list(group.groups)
        for child in inner[:1] if group.kind == "repeat" else inner:
            place += 1
            heappush(waiting, (again, depth + 1, place, child))
    return frozenset(chosen)


def _boxes(group: Group, elided: frozenset[int]) -> int:
    return sum(1 for child in group.children if child not in elided)


class _Builder:
    """Builds the tree from the deepest scopes outwards; holds what all levels share."""

    def __init__(
        self, graph: Graph, order: Sequence[int], elided: frozenset[int], level: int
    ) -> None:
        self.graph = graph
        self.most = level
        self.elided = elided
        self.position = _positions(graph, order, elided)
        self.scopes = adopted_scopes(graph, order, elided)
        self.sources = visible_sources(graph, elided)
        self.calls = Calls(order, self.sources)
        self.ids: set[str] = set()
        self.structures: dict[object, int] = {}

    def root(self) -> Group:
        """The whole tree; deeper levels are finished before the level around them begins."""
        levels: dict[Scope, list[Item]] = {(): []}
        for i, scope in enumerate(self.scopes):
            for depth in range(len(scope), -1, -1):
                if scope[:depth] in levels:
                    break
                levels[scope[:depth]] = []
            levels[scope].append(self._node_item(i))
        for scope in sorted(levels, key=lambda s: (-len(s), s)):
            if scope:
                levels[scope[:-1]].extend(self._scope_items(scope, levels.pop(scope)))
        items = self._level((), sorted(levels[()], key=lambda item: item.position))
        item = self._make("root", "", "", label_text(*describe(items)), items)
        assert isinstance(item.child, Group)
        return item.child

    def _node_item(self, i: int) -> Item:
        node = self.graph.nodes[i]
        structure = self._structure((node.op, node.domain))
        return Item(i, self.position[i], int(i not in self.elided), structure, op_text(node))

    def _scope_items(self, scope: Scope, items: list[Item]) -> list[Item]:
        """The scope as a group; one for each call where the module is called at several places."""
        items.sort(key=lambda item: item.position)
        calls = self.calls.split(items)
        return [item for call in calls for item in self._scope_item(scope, call)]

    def _scope_item(self, scope: Scope, items: list[Item]) -> list[Item]:
        """The scope as one group; its content as it is where there is only one box in it."""
        if sum(item.visible for item in items) < 2:
            return items
        items = self._level(scope, items)
        shown = [item for item in items if item.visible]
        if len(shown) == 1:
            return [self._merged(scope, items, shown[0])]
        own, run = self._class(scope), whole_run(items)
        times, noun = (1, own) if own else describe(items)
        kind, label = ("scope", label_text(times, noun)) if run is None else ("repeat", run)
        item = self._make(kind, _path(scope), display_text(scope[-1]), label, items)
        return [item._replace(noun=noun, times=times)]

    def _merged(self, scope: Scope, items: Sequence[Item], only: Item) -> Item:
        """A scope around a single group: one frame, `features/0`, rather than two nested ones."""
        inner = only.child
        assert isinstance(inner, Group)
        children: list[Group | int] = []
        for item in items:
            children.extend(inner.children if item is only else [item.child])
        name, identity = display_text(scope[-1]), inner.id
        if inner.kind == "scope":
            name = display_text(f"{name}/{inner.name}")
        else:
            self.ids.discard(inner.id)
            identity = self._unique(_path(scope))
        merged = replace(inner, id=identity, name=name, children=tuple(children))
        return only._replace(child=merged)

    def _level(self, scope: Scope, items: list[Item]) -> list[Item]:
        """The children of one level in data-flow order, chunked and with its repeats compressed."""
        path = _path(scope)

        def make(kind: str, name: str, label: str, members: Sequence[Item]) -> Item:
            members = self._uncrowded(path, name, members)
            item = self._make(kind, path + _slug(name), name, label, members)
            times, noun = describe(members)
            return item._replace(noun=noun, times=times)

        items = chunk_level(items, self.graph, self.sources, make, self.most)
        if whole_run(items) is not None and scope:
            return items
        return compress_repeats(items, make)

    def _uncrowded(self, path: str, name: str, members: Sequence[Item]) -> Sequence[Item]:
        """What goes into a new group, cut evenly where that alone is over a level's boxes."""

        def make(kind: str, part: str, label: str, inner: Sequence[Item]) -> Item:
            return self._make(kind, path + _slug(f"{name}/{part}"), part, label, inner)

        while sum(1 for item in members if item.visible) > self.most:
            members = cut_evenly(members, self.sources, make)
        return members

    def _make(self, kind: str, path: str, name: str, label: str, items: Sequence[Item]) -> Item:
        shown = [item for item in items if item.visible]
        structure = self._structure(tuple(item.structure for item in shown))
        visible = sum(item.visible for item in shown)
        identity = self._unique(path) if kind != "root" else ""
        children = tuple(item.child for item in items)
        group = Group(identity, name, label, kind, children, visible, structure)
        position = min((item.position for item in shown), default=0)
        return Item(group, position, visible, structure, label)

    def _unique(self, path: str) -> str:
        """`path` as an id, with a number where two scopes read the same once made visible."""
        text = display_text(path.rstrip("/"), limit=400)
        identity, number = f"{text}/", 2
        while identity in self.ids:
            identity, number = f"{text}#{number}/", number + 1
        self.ids.add(identity)
        return identity

    def _class(self, scope: Scope) -> str:
        """The class of a module where the exporter told it and it says something, else ""."""
        name = self.graph.scope_types.get(scope, "").rpartition(".")[2]
        return "" if name in CONTAINERS else display_text(name)

    def _structure(self, key: object) -> int:
        return self.structures.setdefault(key, len(self.structures))


def _positions(graph: Graph, order: Sequence[int], elided: frozenset[int]) -> dict[int, int]:
    """Where each node stands in the data flow; a hidden one stands with the first that reads it."""
    position = {i: at for at, i in enumerate(order)}
    for i in reversed(order):
        if i in elided:
            readers = [j for n in graph.nodes[i].outputs for j in graph.consumers.get(n, ())]
            position[i] = min((position[j] for j in readers), default=position[i])
    return position


def _path(scope: Scope) -> str:
    return "".join(f"{part}/" for part in scope)


def _slug(name: str) -> str:
    return name.replace(" – ", "-").replace(" ", "")


def op_text(node: Node) -> str:
    """The operation as one reads it, with its domain where that is not the format's own."""
    return _op_text(node.op, node.domain)


@lru_cache(4096)
def _op_text(op: str, domain: str) -> str:
    return display_text(op if domain in ("", "ai.onnx") else f"{domain}::{op}")
