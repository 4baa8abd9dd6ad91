"""Which part of a graph lies between tensors: `kept`, and `cut_graph`, that part as a `Graph`.

Every format cuts by the same rule. From the wanted outputs one goes back along the edges, and stops
at the tensors that are to be fed. What a nested graph takes from around it is an edge like another;
a function's body takes nothing but its inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mlnb.errors import ModelRunError, UnknownName
from mlnb.formatting import display_text
from mlnb.specs import own_name

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph, Node

_MOST_COMPARED = 20_000
_CLOSEST = 5


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left of a graph.

    Args:
        nodes: indices in the order of the graph.
        inputs: names of the tensors to feed: those asked for, then the model's that are needed too.
        outputs: names of the tensors that come out.
        names: every value that is left, weights among them.
    """

    nodes: tuple[int, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    names: frozenset[str]


def kept(graph: Graph, inputs: Sequence[str] | None, outputs: Sequence[str]) -> Kept:
    """What `outputs` need, where `inputs` are fed.

    >>> kept(graph, None, ["pool5"]).inputs
    ('data',)

    Args:
        graph: the whole one.
        inputs: names of tensors that are fed in place of what makes them; `None` for the model's.
        outputs: names of tensors.

    Raises:
        UnknownName: no tensor of that name; the closest ones are listed.
        ModelRunError: nothing is asked for, or an input leads to no output.
    """
    known = dict.fromkeys((*graph.inputs, *graph.producers, *graph.values))
    fed = [_known(name, known) for name in dict.fromkeys(inputs or ())]
    wanted = tuple(_known(name, known) for name in dict.fromkeys(outputs))
    if not wanted:
        raise ModelRunError("a cut needs the name of at least one tensor: cut(outputs=[...])")
    nodes, names = _back(graph, set(fed), wanted)
    idle = [name for name in fed if name not in names]
    if idle:
        shown = ", ".join(f"'{display_text(name, 60)}'" for name in idle[:5])
        raise ModelRunError(f"the outputs do not depend on {shown}, so that nothing is to be fed")
    own = [name for name in graph.inputs if name in names and name not in fed]
    return Kept(tuple(sorted(nodes)), (*fed, *own), wanted, frozenset(names))


def cut_graph(graph: Graph, part: Kept) -> Graph:
    """The part as a graph of its own; nodes and values are those of the whole one."""
    return replace(
        graph,
        nodes=tuple(graph.nodes[index] for index in part.nodes),
        inputs=part.inputs,
        outputs=part.outputs,
        values={
            name: replace(value, initializer=False, nbytes=None) if name in part.inputs else value
            for name, value in graph.values.items()
            if name in part.names
        },
    )


def _captured(node: Node, seen: set[int]) -> Iterator[str]:
    """The names that graphs nested in a node take from around them; each graph is asked once."""
    waiting = list(node.subgraphs.values())
    while waiting:
        graph = waiting.pop()
        if id(graph) in seen:
            continue
        seen.add(id(graph))
        own = {*graph.inputs, *graph.producers, *(value.name for value in graph.weights)}
        for inner in graph.nodes:
            yield from (name for name in inner.inputs if name and name not in own)
            waiting += inner.subgraphs.values()
        yield from (name for name in graph.outputs if name not in own)


def _back(graph: Graph, fed: set[str], wanted: Iterable[str]) -> tuple[set[int], set[str]]:
    nodes: set[int] = set()
    names: set[str] = set()
    seen: set[int] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in names:
            continue
        names.add(name)
        index = None if name in fed else graph.producers.get(name)
        if index is None or index in nodes:
            continue
        nodes.add(index)
        node = graph.nodes[index]
        names.update(filter(None, node.outputs))
        waiting += [*filter(None, node.inputs), *_captured(node, seen)]
    return nodes, names


def _known(name: str, known: dict[str, None]) -> str:
    own = own_name(name, known)
    if own not in known:
        raise unknown_tensor(name, known)
    return own


def unknown_tensor(name: str, names: Iterable[str]) -> UnknownName:
    """The error for a tensor that does not exist, with the closest that do."""
    compared = [other for other, _ in zip(filter(None, names), range(_MOST_COMPARED), strict=False)]
    close = get_close_matches(name, compared, n=_CLOSEST, cutoff=0.4) or compared[-_CLOSEST:]
    shown = ", ".join(f"'{display_text(other, 80)}'" for other in close)
    return UnknownName(f"no tensor '{display_text(name, 80)}'; the closest are {shown or 'none'}")
