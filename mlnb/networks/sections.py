"""A network written in sections, such as the cells of a notebook: each can be written anew.

A section is known by a key. Written again, its layers take the place of those that it had, and all
behind it stand behind them anew. What a layer was before is found by comparing the two versions as
one compares two texts; so a layer that stays keeps its weights, whatever is put before it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from mlnb.errors import MlnbError

if TYPE_CHECKING:
    from mlnb.networks.growing import Change
    from mlnb.networks.layers import Layer
    from mlnb.networks.sequential import Sequential


@dataclass(frozen=True)
class Section:
    """What one cell says.

    Args:
        key: by which the section is known again.
        text: its lines.
        layers: what they say.
        sources: for a module or function that an expression gave, by its id, the expression.
        input_shape: where the section says it.
        cell: the id of the cell that it stands in, if that has one.
    """

    key: str
    text: str
    layers: tuple[Layer, ...]
    sources: Mapping[int, str] = field(default_factory=dict)
    input_shape: tuple[int, ...] | None = None
    cell: str = ""


class Sections:
    """The sections of a network, in order; layers that were added otherwise stay where they are.

    >>> Sections.of(net).put(Section("first cell", text, parse_layers(text).layers))
    """

    def __init__(self, net: Sequential) -> None:
        self._net = ref(net)  # the network holds its sections, through `_of`
        self._sections: list[Section] = []

    @classmethod
    def of(cls, net: Sequential) -> Sections:
        """Those of a network, which begins without any."""
        return _of.setdefault(net, cls(net))

    def __iter__(self) -> Iterator[Section]:
        return iter(self._sections)

    def __contains__(self, key: object) -> bool:
        return any(section.key == key for section in self._sections)

    @property
    def sources(self) -> dict[int, str]:
        """The expressions of all foreign modules and functions."""
        return {i: text for section in self._sections for i, text in section.sources.items()}

    def put(self, section: Section, instead_of: Collection[str] = ()) -> Change:
        """Write a section, in the place of the one with its key or at the end.

        Args:
            section: what it says.
            instead_of: the keys of further sections whose layers go.

        Raises:
            LayerError: a layer cannot stand, of this section or behind it; nothing changed.
        """
        net = self._net()
        if net is None:
            raise MlnbError("the network of these sections is gone")
        layers = tuple(replace(one) for one in section.layers)  # one recipe may stand twice
        section = replace(section, layers=layers)
        place, gone = self._place(section.key, instead_of), {section.key, *instead_of}
        standing = net.written
        owners = {id(one): s for s in self._sections for one in s.layers}
        owner = [owners.get(id(one)) for one in standing]
        old = [at for at, s in enumerate(owner) if s is not None and s.key in gone]
        later = self._sections[place:]
        start = next((at for at, s in enumerate(owner) if s in later), len(standing))
        matches = [
            None if m is None else old[m] for m in matched([standing[i] for i in old], layers)
        ]
        rest = [at for at in range(len(standing)) if at not in old]
        before, behind = [at for at in rest if at < start], [at for at in rest if at >= start]
        written = [*(standing[i] for i in before), *layers, *(standing[i] for i in behind)]
        change = net.rewrite(written, [*before, *matches, *behind], section.input_shape)
        kept = [one if one.key not in gone else None for one in self._sections]
        kept[place:place] = [section]
        self._sections = [one for one in kept if one is not None]
        return change

    def _place(self, key: str, instead_of: Collection[str]) -> int:
        """Where a section comes among the others: where it, or the first that it replaces, is."""
        keys = [section.key for section in self._sections]
        known = [keys.index(one) for one in (key, *instead_of) if one in keys]
        return known[0] if known else len(keys)


_of: WeakKeyDictionary[Sequential, Sections] = WeakKeyDictionary()


def matched(old: Sequence[Layer], new: Sequence[Layer]) -> list[int | None]:
    """For each new layer the place of the old one that it stands for.

    Equal layers first, in order and then wherever they went; then those of one name; then, where
    a stretch was written over, those of one word.
    """
    before, after = [_key(one) for one in old], [_key(one) for one in new]
    found: list[int | None] = [None] * len(new)
    free = set(range(len(old)))

    def pair(at: int, other: int) -> None:
        if found[at] is None and other in free:
            found[at] = other
            free.discard(other)

    steps = _steps(before, after)
    for kind, i, j, m, n in steps:
        if kind == "equal":
            for other, at in zip(range(i, j), range(m, n), strict=True):
                pair(at, other)
    for at, key in enumerate(after):
        for other in sorted(free):
            if before[other] == key or (new[at].name and new[at].name == old[other].name):
                pair(at, other)
    for kind, i, j, m, n in steps:
        if kind == "replace":
            for at in range(m, n):
                for other in range(i, j):
                    if other in free and old[other].word == new[at].word:
                        pair(at, other)
                        break
    return found


def _steps(old: list[Hashable], new: list[Hashable]) -> list[tuple[str, int, int, int, int]]:
    """How the old became the new, with as much as can be from both ends left as it is."""
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    most -= head
    tail = next((at for at in range(most) if old[-1 - at] != new[-1 - at]), most)
    i, j = len(old) - tail, len(new) - tail
    inside = SequenceMatcher(None, old[head:i], new[head:j], autojunk=False).get_opcodes()
    return [
        ("equal", 0, head, 0, head),
        *((kind, a + head, b + head, c + head, d + head) for kind, a, b, c, d in inside),
        ("equal", i, len(old), j, len(new)),
    ]


def _key(one: Layer) -> Hashable:
    inner = tuple(tuple(map(_key, chain)) for chain in one.inner)
    return (one.word, one.name, repr(one.options), inner, id(one.thing))
