"""What lies around the graph of a SavedModel: its files, uncalled functions, and its dangers.

To open a SavedModel is to run parts of it: what restores its variables, and what starts it. Both
are looked through as well. There, reading the model's own variables and assets is no danger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlnb.formats.model_file import Part
from mlnb.formats.tensorflow.attributes import Attributes
from mlnb.formats.tensorflow.dangers import RESTORING, TABLES
from mlnb.formats.tensorflow.nodes import RawGraph, RawNode
from mlnb.formats.tensorflow.reach import called, dangers, reached
from mlnb.formats.tensorflow.saved_model_assets import Assets

if TYPE_CHECKING:
    from mlnb.formats.model_file import Danger
    from mlnb.formats.tensorflow.saved_model_proto import MetaGraph
    from mlnb.limits import Limits

_DATA = "variables/variables.data-00000-of-00001"
_INDEX = "variables/variables.index"
_MOST = 10_000


def parts_of(folder: Path | None, has_variables: bool) -> tuple[Part, ...]:
    """The files of variables and assets beside a saved_model.pb; none of them is opened.

    Args:
        folder: the model's; `None` for bytes.
        has_variables: whether the graph needs any, so that missing files are named too.
    """
    found = [part for room in ("variables", "assets") for part in _inside(folder, room)]
    names = {part.name for part in found}
    missing = []
    if has_variables and not any(name.startswith("variables/variables.data-") for name in names):
        missing.append(Part(_DATA, None, False))
    if has_variables and _INDEX not in names:
        missing.append(Part(_INDEX, None, False))
    return (*found, *missing)


def _inside(folder: Path | None, room: str) -> Iterator[Part]:
    try:
        paths = sorted((folder / room).iterdir())[:_MOST] if folder else []
    except (OSError, ValueError):
        return
    found = (Part.beside(folder, f"{room}/{path.name}") for path in paths)
    yield from (part for part in found if part.exists)


def uncalled(raw: RawGraph, limits: Limits) -> list[RawNode]:
    """A node for each function that nothing calls: all there is where no signature was saved."""
    inner = (node for function in raw.functions.values() for node in function.nodes)
    everything = (*raw.nodes, *inner)
    used = {name for node in everything for name in called(node, raw.functions)}
    return [
        RawNode(name, name, (), (), Attributes(b"", {}, (), limits), (0, 0))
        for name in raw.functions
        if name not in used
    ]


def saved_model_dangers(
    raw: RawGraph, by_name: Mapping[str, RawNode], running: set[str], meta: MetaGraph
) -> Iterator[Danger]:
    """What acts with the user's rights when the model is opened and when its signature runs.

    Args:
        raw: the whole graph.
        by_name: its nodes.
        running: the names of the nodes that the signature runs.
        meta: says what restores the model and what starts it.
    """
    restoring = reached(by_name, [meta.restore[0]]) - running
    others = running | (reached(by_name, meta.starts) - restoring)
    assets = Assets(raw, by_name, meta.assets)

    def is_own_asset(node: RawNode, function: str) -> bool:
        return node.op in TABLES and assets.fill(node, function)

    def is_restored(node: RawNode, function: str) -> bool:
        return node.op in RESTORING

    for names, harmless in ((others, is_own_asset), (restoring, is_restored)):
        yield from dangers((n for n in raw.nodes if n.name in names), raw.functions, harmless)
