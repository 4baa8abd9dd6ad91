"""The boxes of a graph by id: what a selection means in Python, and what a person may type for it.

The ids are those that `graph/payload.py` makes, so that both sides speak of the same box. A nested
graph is stored once however often it is called; a box inside one is named by the way to it,
`"If_0:then_branch:Add_3"`, which is why an id is walked here and not looked up in one table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlnb.errors import UnknownName, unknown
from mlnb.formatting import display_text
from mlnb.graph.fold import fold

if TYPE_CHECKING:
    from mlnb.graph.fold import Group
    from mlnb.graph.graph import Graph, Node


class Boxes:
    """Every box of a graph and of the graphs nested in it.

    Args:
        graph: the model's graph.
        payload: what `graph_payload(graph)` gave.
    """

    def __init__(self, graph: Graph, payload: Mapping[str, Any]) -> None:
        graphs = (graph, *graph.subgraphs)
        self._levels = [_Level(*pair) for pair in zip(graphs, payload["graphs"], strict=True)]

    def __contains__(self, identity: str) -> bool:
        return any(local in level.ids for level, local in self._ways(identity))

    def __getitem__(self, identity: str) -> Node | Group | None:
        """The node or group with that id; `None` for an input, an output, a branch, or no box."""
        for level, local in self._ways(identity):
            if local in level.nodes:
                return level.graph.nodes[level.nodes[local]]
            if local in level.groups:
                return level.group(local)
        return None

    def find(self, text: str) -> str:
        """The id that a person means by `text`.

        An id with or without its slash, a module path with dots (`"layer4.0.conv1"`), or a node's
        name; of several nodes with one name the first.

        Raises:
            UnknownName: nothing is called so, with the closest ids.
        """
        shown = display_text(text, limit=400)
        path = shown.replace(".", "/")
        for identity in (shown, f"{shown}/", path, f"{path}/", f"in:{shown}", f"out:{shown}"):
            if identity in self:
                return identity
        main = self._levels[0]
        for i, node in enumerate(main.graph.nodes):
            if node.name == text:
                return main.node_ids[i]
        raise unknown("node or group", shown, [*main.groups, *main.node_ids])

    def find_all(self, text: str) -> list[str]:
        """The ids for `text`: one box as `find` has it, or the nodes of a module without a box.

        Raises:
            UnknownName: nothing is called so, with the closest ids.
        """
        try:
            return [self.find(text)]
        except UnknownName:
            main, path = self._levels[0], text.strip("/")
            if "/" not in path:
                path = path.replace(".", "/")
            inside = [
                main.node_ids[i]
                for i, node in enumerate(main.graph.nodes)
                if f"{'/'.join(node.scope)}/".startswith(f"{path}/")
            ]
            if not inside:
                raise
            return inside

    def holding(self, nodes: Collection[int]) -> list[str]:
        """The ids of these nodes of the outermost graph, and of groups that hold no others."""
        main = self._levels[0]
        if not nodes:
            return []
        found = [main.node_ids[at] for at in sorted(nodes)]
        groups = (group for group in main.folded.values() if all(n in nodes for n in group.nodes()))
        return [*found, *(group.id for group in groups)]

    def value_name(self, graph: int, shown: str) -> str:
        """A value's own name from the one shown, in the graph at position `graph` of the payload.

        Raises:
            UnknownName: no such value.
        """
        if not (isinstance(graph, int) and 0 <= graph < len(self._levels)):
            raise unknown("graph", str(graph), map(str, range(len(self._levels))))
        values = self._levels[graph].graph.values
        if isinstance(shown, str) and shown in values:
            return shown
        for name in values:
            if display_text(name, limit=400) == shown:
                return name
        raise unknown("tensor", str(shown), values)

    def _ways(self, identity: str) -> Iterator[tuple[_Level, str]]:
        """Each reading of `identity` as a level and an id in it, the outermost level first."""
        waiting = [(self._levels[0], identity)]
        while waiting:
            level, local = waiting.pop()
            yield level, local
            for prefix, graph in level.nested:
                if local.startswith(prefix):
                    waiting.append((self._levels[graph], local.removeprefix(prefix)))


class _Level:
    """One graph of the payload beside the graph that it was made from."""

    def __init__(self, graph: Graph, data: Mapping[str, Any]) -> None:
        names = data["values"]["name"]
        self.graph = graph
        self.node_ids: list[str] = data["nodes"]["id"]
        self.nodes = {identity: i for i, identity in enumerate(self.node_ids)}
        self.groups = dict.fromkeys(_group_ids(data["tree"]))
        self.nested = [
            (f"{self.node_ids[int(i)]}:{label}:", number)
            for i, branches in data["subgraphs"].items()
            for label, number in branches
        ]
        ports = {f"in:{names[i]}" for i in data["inputs"]}
        ports |= {f"out:{names[i]}" for i in data["outputs"]}
        # "" is the frame of a whole branch; "in:" and "out:" stand for many ports folded into one.
        self.ids = {"", "in:", "out:", *ports, *self.nodes, *self.groups}

    def group(self, identity: str) -> Group | None:
        return self.folded.get(identity)

    @cached_property
    def folded(self) -> dict[str, Group]:
        """The groups by id."""
        return {group.id: group for group in fold(self.graph).root.walk() if group.id}


def _group_ids(tree: Mapping[str, Any]) -> Iterator[str]:
    waiting = [tree]
    while waiting:
        group = waiting.pop()
        if group["id"]:
            yield group["id"]
        waiting += [child for child in reversed(group["children"]) if isinstance(child, Mapping)]
