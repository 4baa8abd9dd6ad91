"""Runs of siblings that are built alike become one group: "12 × EncoderBlock".

Alike means the same operations in the same order, at every depth; the sizes of the weights may
differ, since the widening stages of a network are what a reader calls repeats. A unit may be up to
three different siblings long: Swin's blocks come in pairs, plain and shifted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlnb.graph.group import Group, Item, describe, label_text

LONGEST_UNIT = 3
LABEL = 44
"""Characters; the kinds in a unit are not listed in a label that would be longer."""

MakeGroup = Callable[[str, str, str, Sequence[Item]], Item]


def compress_repeats(items: Sequence[Item], make: MakeGroup) -> list[Item]:
    """The level with every run of alike groups replaced by one group of kind "repeat".

    Args:
        items: the level in data-flow order; hidden nodes inside a run go with it.
        make: builds a group: `make(kind, name, label, items)`.
    """
    shown = [i for i, item in enumerate(items) if item.visible]
    result: list[Item] = []
    done = 0
    at = 0
    while at < len(shown):
        unit, count = _longest_run(items, shown, at)
        if not count:
            at += 1
            continue
        first, last = shown[at], shown[at + unit * count - 1]
        result.extend(items[done:first])
        result.append(_repeat(items[first : last + 1], unit, count, make))
        done = last + 1
        at += unit * count
    result.extend(items[done:])
    return result


def repeat_label(members: Sequence[Item], unit: int, count: int) -> str:
    """`12 × EncoderBlock`; `3 × (Attention, Mlp)` where the unit is of several kinds."""
    nouns = list(dict.fromkeys(item.noun for item in members))
    if len(nouns) == 1:
        return label_text(sum(item.times for item in members), nouns[0])
    label = f"{count} × ({', '.join(item.noun for item in members[:unit])})"
    return label if len(label) <= LABEL else label_text(count, describe(members)[1])


def whole_run(items: Sequence[Item]) -> str | None:
    """The label of a level that is nothing but one run of alike groups; else `None`."""
    shown = [i for i, item in enumerate(items) if item.visible]
    if len(shown) < 2:
        return None
    unit, count = _longest_run(items, shown, 0)
    if unit * count != len(shown):
        return None
    return repeat_label([items[i] for i in shown], unit, count)


def _longest_run(items: Sequence[Item], shown: Sequence[int], at: int) -> tuple[int, int]:
    """The unit's length and how often it comes, for the longest run from `at`; (0, 0) for none."""
    best = (0, 0)
    for unit in range(1, LONGEST_UNIT + 1):
        members = shown[at : at + unit]
        kinds = {items[i].structure for i in members}
        if len(kinds) < unit or not all(items[i].is_group for i in members):
            break
        end = at + unit
        while end < len(shown) and (
            items[shown[end]].structure == items[shown[end - unit]].structure
        ):
            end += 1
        count = (end - at) // unit
        if count > 1 and count * unit > best[0] * best[1]:
            best = (unit, count)
    return best


def _repeat(items: Sequence[Item], unit: int, count: int, make: MakeGroup) -> Item:
    members = [item for item in items if item.visible]
    first, last = (m.child for m in (members[0], members[-1]))
    assert isinstance(first, Group)
    assert isinstance(last, Group)
    name = join_names(first.name, last.name)
    item = make("repeat", name, repeat_label(members, unit, count), items)
    times, noun = describe(members)
    return item._replace(noun=noun, times=times)


def join_names(first: str, last: str) -> str:
    """`layer2 – layer4`, `part 2 – 7`, `0 – 11`: a common beginning is said once."""
    if first == last:
        return first
    head, _, _ = first.rpartition(" ")
    tail = last.removeprefix(head + " ") if head else last
    return f"{first.partition(' – ')[0]} – {tail.rpartition(' – ')[2]}"
