"""Labels of pictures, read off their folders or their names, and what about them is worth telling.

The folder counts in which all pictures stop being together: `PetImages/Cat` and `PetImages/Dog`
give Cat and Dog. Folders called train, validation or test are parts, not classes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mlnb.formatting import display_text, plural

_PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_NUMBERED = re.compile(r"(.+?)[\s._-]*[(\[]?\d+[)\]]?")
_SHOWN = 8

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Labels:
    """What the places of pictures say.

    Args:
        labels: one a picture; `None` where there is none.
        splits: the parts they are sorted into already, `""` for none; `None` without such folders.
        notes: sentences for a person.
    """

    labels: list[str | None]
    splits: list[str] | None
    notes: list[str]


def labels_of(
    places: Sequence[Parts], good: Sequence[bool], way: Literal["auto", "folder", "name"]
) -> Labels:
    """The labels of pictures by where they lie and how they are called.

    >>> labels_of([("a", "1.jpg"), ("b", "2.jpg")], [True, True], "auto").labels
    ['a', 'b']

    Args:
        places: the path of each below the folder that was asked for, in parts.
        good: whether each can be used; the others get a label, but have no say.
        way: as in `image_frame`.
    """
    used = [place for place, is_good in zip(places, good, strict=True) if is_good]
    depth = _together(used)
    splits = None
    if used and all(_is_part(place, depth) for place in used):
        splits = [
            _PARTS[place[depth].lower()] if _is_part(place, depth) else "" for place in places
        ]
        depth += 1
    by_folder = [place[depth] if len(place) > depth + 1 else None for place in places]
    by_name = [name_label(place[-1]) if place else None for place in places]
    if way == "auto":
        way = _choose(_only(by_folder, good), _only(by_name, good))
    labels = by_folder if way == "folder" else by_name
    notes = _told(way, _only(labels, good))
    if way == "folder":
        notes += _conflicts(_only(by_folder, good), _only(by_name, good), used)
    return Labels(labels, splits, notes)


def name_label(name: str) -> str | None:
    """What stands before the number of a file's name; `None` where there is no such thing.

    >>> name_label("cat.12.jpg"), name_label("maine_coon_7.png"), name_label("0815.jpg")
    ('cat', 'maine_coon', None)
    """
    stem = name.rpartition(".")[0] or name
    found = _NUMBERED.fullmatch(stem)
    return found[1] if found and any(map(str.isalpha, found[1])) else None


def _together(places: Sequence[Parts]) -> int:
    """How many folders down all pictures go the same way, if they part after that."""
    depth = 0
    while places and all(len(place) > depth + 2 for place in places):
        if len({place[depth] for place in places}) > 1:
            return depth
        depth += 1
    return depth if len({place[depth] for place in places if len(place) > depth + 1}) > 1 else 0


def _is_part(place: Parts, depth: int) -> bool:
    return len(place) > depth + 1 and place[depth].lower() in _PARTS


def _only(labels: list[str | None], good: Sequence[bool]) -> list[str | None]:
    return [label for label, is_good in zip(labels, good, strict=True) if is_good]


def _choose(by_folder: list[str | None], by_name: list[str | None]) -> Literal["folder", "name"]:
    """Folders if they tell two classes apart, else names if they do, in a way that is no chance."""
    if len(set(by_folder) - {None}) > 1:
        return "folder"
    names = Counter(filter(None, by_name))
    speaking = len(names) > 1 and names.total() == len(by_name) and 2 * len(names) <= len(by_name)
    return "name" if speaking else "folder"


def _told(way: str, labels: list[str | None]) -> list[str]:
    counts = Counter(filter(None, labels))
    missing = len(labels) - counts.total()
    if not labels:
        return ["no picture here can be used"]
    if not counts:
        return [
            f"no labels: {plural(len(labels), 'picture')} in one folder, whose names tell no "
            "classes apart; make a folder for each class, or set frame['label']"
        ]
    most = [f"{display_text(label)} {count:,}" for label, count in counts.most_common(_SHOWN)]
    more = f" and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else ""
    notes = [f"labels from the {way}s: {', '.join(most)}{more}"]
    if len(counts) == 1:
        notes.append("there is one class only; a classifier needs two")
    if missing:
        notes.append(f"{plural(missing, 'picture')} without a label")
    return notes


def _conflicts(
    by_folder: list[str | None], by_name: list[str | None], places: Sequence[Parts]
) -> list[str]:
    """Pictures that lie in one class's folder and are called as those of another are."""
    together = Counter((f, n) for f, n in zip(by_folder, by_name, strict=True) if f and n)
    home = {}
    for (folder, name), count in together.items():
        of_name = sum(c for (_, other), c in together.items() if other == name)
        of_folder = sum(c for (other, _), c in together.items() if other == folder)
        if count > of_name / 2 and count > of_folder / 2:
            home[name] = folder
    strangers = [
        (place, folder)
        for place, folder, name in zip(places, by_folder, by_name, strict=True)
        if folder in home.values() and home.get(name or "", folder) != folder
    ]
    if not strangers:
        return []
    place, lies_in = strangers[0]
    more = f", and {len(strangers) - 1:,} more" if len(strangers) > 1 else ""
    return [
        f"folder and name disagree, and the folder counts: {display_text(place[-1])} lies in "
        f"{display_text(str(lies_in))}{more}"
    ]
