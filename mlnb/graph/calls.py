"""A module that is called at several places of the data flow is several groups, not one.

ResNet's blocks call one `relu` twice. As one group it would be fed by what it feeds: a cycle that
the model does not have. Such a scope is cut wherever data comes back into it from outside.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlnb.graph.group import Item, leaves

WORK = 5_000_000
"""Edges looked at in one fold before scopes are taken as they come; no real model needs a tenth."""


class Calls:
    """Tells the calls of a module apart, within a bound on the work for one graph.

    Args:
        order: the indices of all nodes in data-flow order.
        sources: for each node, the shown nodes it reads from.
    """

    def __init__(self, order: Sequence[int], sources: Sequence[Sequence[int]]) -> None:
        self.order = order
        self.sources = sources
        self.position = {i: at for at, i in enumerate(order)}
        self.work = WORK

    def split(self, items: list[Item]) -> list[list[Item]]:
        """The items of a scope, in data-flow order, as one list for each call."""
        member = {i: at for at, item in enumerate(items) if item.visible for i in leaves(item)}
        if not self._may_come_back(member):
            return [items]
        starts = self._comebacks(member)
        ends = [*starts[1:], len(items)]
        return [items[low:high] for low, high in zip(starts, ends, strict=True)]

    def _may_come_back(self, member: dict[int, int]) -> bool:
        """Whether the scope reads from outside something that comes after its own first node."""
        first = min((self.position[i] for i in member), default=0)
        return any(
            source not in member and self.position[source] > first
            for i in member
            for source in self.sources[i]
        )

    def _comebacks(self, member: dict[int, int]) -> list[int]:
        """The items that a call begins with, found by walking along the data flow."""
        places = [self.position[i] for i in member]
        starts, entered = [0], -1
        touched: set[int] = set()  # outside, and reached from the current call
        inside: set[int] = set()
        for place in range(min(places), max(places) + 1):
            i = self.order[place]
            self.work -= 1 + len(self.sources[i])
            if self.work < 0:
                return [0]
            at = member.get(i)
            if at is None:
                if any(s in inside or s in touched for s in self.sources[i]):
                    touched.add(i)
                continue
            if at > max(entered, starts[-1]) and any(s in touched for s in self.sources[i]):
                starts.append(at)
                touched, inside = set(), set()
            inside.add(i)
            entered = max(entered, at)
        return starts
