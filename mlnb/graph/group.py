"""A group of nodes, and the working item that a level of the tree is made of while it is built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mlnb.graph.families import family

CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict", "Module", ""})
"""Classes that say nothing of what they hold; such a group is called after its contents."""

_WEIGHTS = {"conv": 5, "dense": 5, "attention": 5, "recurrent": 5, "shape": 1, "constant": 1}


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes drawn as one box, or as a frame around its children.

    Args:
        id: the path of scopes with a slash at its end, `"layer4/0/"`; unique in its graph, and the
            same whenever the same file is folded. The root's is empty.
        name: what stands on the box: `"layer4"`, `"features/0"`, `"layer2 – layer4"`, `"part 3"`.
        label: what it is made of: `"BasicBlock"`, `"12 × EncoderBlock"`, `"Conv · Relu"`.
        kind: `"root"`, `"scope"` (a module of the file), `"chunk"` (a stretch of a long chain) or
            `"repeat"` (siblings that are built alike).
        children: groups and indices of nodes, in data-flow order; hidden nodes are among them.
        visible: how many nodes it holds at any depth, hidden ones not counted.
        structure: groups with the same number in one fold are built alike.
    """

    id: str
    name: str
    label: str
    kind: str
    children: tuple[Group | int, ...]
    visible: int = 0
    structure: int = field(default=-1, repr=False, compare=False)

    @property
    def groups(self) -> Iterator[Group]:
        """The children that are groups."""
        return (child for child in self.children if isinstance(child, Group))

    def walk(self) -> Iterator[Group]:
        """The group itself and every group inside it, outer ones first."""
        waiting = [self]
        while waiting:
            group = waiting.pop()
            yield group
            waiting.extend(reversed(list(group.groups)))

    def nodes(self) -> Iterator[int]:
        """The indices of all nodes inside, in data-flow order."""
        waiting: list[Group | int] = [self]
        while waiting:
            child = waiting.pop()
            if isinstance(child, Group):
                waiting.extend(reversed(child.children))
            else:
                yield child


class Item(NamedTuple):
    """One child of a level under construction, with what its siblings must know of it."""

    child: Group | int
    position: int  # where its first shown node stands in the data flow
    visible: int  # shown nodes in it; 0 for what is hidden
    structure: int  # equal for items that are built alike
    noun: str  # what one of it is called: "BasicBlock", "Conv"
    times: int = 1  # how many of that noun it holds

    @property
    def is_group(self) -> bool:
        """Whether it is a group rather than a single node."""
        return isinstance(self.child, Group)


def leaves(item: Item) -> Iterator[int]:
    """The indices of the nodes in an item."""
    if isinstance(item.child, Group):
        yield from item.child.nodes()
    else:
        yield item.child


def describe(items: Sequence[Item]) -> tuple[int, str]:
    """What a row of items is, as a count and a noun: `(2, "BasicBlock")`, `(1, "Conv · Relu")`.

    Modules of one class that make up most of the row name it; else its three foremost operations
    do, in the order in which they first appear.
    """
    shown = [item for item in items if item.visible]
    groups = [item for item in shown if item.is_group]
    nouns = {item.noun for item in groups}
    times = sum(item.times for item in groups)
    if len(nouns) == 1 and times > 1 and 2 * len(groups) > len(shown):
        return times, groups[0].noun
    if len(shown) == 1:
        return shown[0].times, shown[0].noun
    weights: Counter[str] = Counter()
    for item in shown:
        for word in item.noun.split(" · "):
            weights[word] += item.times * _WEIGHTS.get(family(word).name, 2)
    kept = {noun for noun, _ in weights.most_common(3)}
    return 1, " · ".join(noun for noun in weights if noun in kept)


def label_text(times: int, noun: str) -> str:
    """`12 × EncoderBlock`, or the noun alone where there is one."""
    return noun if times == 1 else f"{times} × {noun}"
