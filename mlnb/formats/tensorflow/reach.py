"""What runs when certain tensors of a GraphDef are asked for: `reached`, and its `dangers`.

TensorFlow runs a node when its result is wanted, by data or by a control edge; a function runs
wholly when a node that calls it does. What a training graph has besides, its optimizer and its
saver, is in the file and never runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from mlnb.formats.model_file import Danger
from mlnb.formats.tensorflow.dangers import danger_of

if TYPE_CHECKING:
    from mlnb.formats.tensorflow.nodes import RawFunction, RawNode


def plain(tensor: str) -> str:
    """A tensor's name without the `:0` that everybody leaves out.

    >>> plain("softmax2:0"), plain("split:1")
    ('softmax2', 'split:1')
    """
    return tensor.removesuffix(":0")


def node_of(tensor: str) -> str:
    """The name of the node that makes a tensor."""
    return tensor.removeprefix("^").partition(":")[0]


def output_of(tensor: str) -> int:
    """Which output of its node a tensor is.

    >>> output_of("split:1"), output_of("dense:output:0"), output_of("softmax2")
    (1, 0, 0)
    """
    number = tensor.rpartition(":")[2]
    return int(number) if ":" in tensor and number.isdecimal() and len(number) < 10 else 0


def reached(
    nodes: Mapping[str, RawNode], wanted: Iterable[str], fed: frozenset[str] = frozenset()
) -> set[str]:
    """The names of the nodes that run for these tensors or nodes, where others are fed.

    Args:
        nodes: by name.
        wanted: tensors or nodes.
        fed: tensors, by their plain name, whose nodes need not run.
    """
    found: set[str] = set()
    waiting = [node_of(name) for name in wanted if plain(name) not in fed]
    while waiting:
        name = waiting.pop()
        node = nodes.get(name)
        if node is None or name in found:
            continue
        found.add(name)
        waiting += [node_of(given) for given in node.inputs if plain(given) not in fed]
        waiting += node.controls
    return found


def with_functions(
    nodes: Iterable[RawNode], functions: Mapping[str, RawFunction]
) -> Iterator[tuple[RawNode, str]]:
    """These nodes and those of every function they call, each function once, and its name."""
    outer = list(nodes)
    yield from ((node, "") for node in outer)
    for name in functions_of(outer, functions):
        yield from ((node, name) for node in functions[name].nodes)


def functions_of(nodes: Iterable[RawNode], functions: Mapping[str, RawFunction]) -> dict[str, None]:
    """The names of the functions that these nodes call, and of those that these call."""
    found: dict[str, None] = {}
    waiting = [nodes]
    while waiting:
        for node in waiting.pop():
            for name in called(node, functions):
                if name not in found:
                    found[name] = None
                    waiting.append(functions[name].nodes)
    return found


def called(node: RawNode, functions: Mapping[str, RawFunction]) -> Iterator[str]:
    """The names of the functions that a node calls."""
    if node.op in functions:
        yield node.op
    if functions:
        yield from (name for _, name in node.attributes.functions if name in functions)


def dangers(
    nodes: Iterable[RawNode],
    functions: Mapping[str, RawFunction],
    harmless: Callable[[RawNode, str], bool] = lambda node, function: False,
) -> Iterator[Danger]:
    """What among these nodes, and in the functions that they call, acts with the user's rights.

    Args:
        nodes: those that run.
        functions: the file's library.
        harmless: whether a node, in that function or in none (`""`), is no danger here.
    """
    for node, function in with_functions(nodes, functions):
        why = danger_of(node.op, node.attributes)
        if why and not harmless(node, function):
            yield Danger(node.op, f"{function}/{node.name}" if function else node.name, why)
