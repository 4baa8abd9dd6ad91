"""`ShardedSafetensorsFile`: a model over several safetensors files, and the index that names them.

The index, `model.safetensors.index.json`, is a JSON object with a `weight_map` from the name of a
tensor to the name of the file beside it. Shards that are missing are named, and the rest is shown.

The format: https://huggingface.co/docs/safetensors, as `save_torch_model` writes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlnb.errors import ModelFormatError, unknown
from mlnb.formats.model_file import Part
from mlnb.formats.source import Source
from mlnb.formats.weights.safetensors import SafetensorsFile
from mlnb.formats.weights_file import WeightsFile
from mlnb.formatting import display_text, plural
from mlnb.graph.graph import Value
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    import numpy as np

    from mlnb.graph.graph import Graph

INDEX_BYTES = 100_000_000
"""The largest index that is read."""
SHOWN = 4


def looks(head: bytes, source: Source) -> bool:
    """Whether a file is JSON and speaks of a `weight_map`, or is called as an index is."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    named = source.name.endswith(".safetensors.index.json")
    return start.startswith(b"{") and (named or b'"weight_map"' in head)


class ShardedSafetensorsFile(WeightsFile):
    """The tensors of a model in several safetensors files.

    >>> ShardedSafetensorsFile(Source.of("model.safetensors.index.json")).parts
    (Part(name='model-00001-of-00002.safetensors', nbytes=4976698672, exists=True), …)

    Args:
        source: the index.
        limits: caps on what it and each shard may ask for.

    Raises:
        ModelFormatError: the index is none, or a shard is damaged or belongs elsewhere.
        LimitExceeded: it asks for more than `limits` allows.
    """

    format = "safetensors"
    advice = (
        "it holds weights only; make the network in code, then for each shard "
        "net.load_state_dict(safetensors.torch.load_file(shard), strict=False)"
    )

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        super().__init__(source, limits)
        index = self._index()
        self._map: dict[str, str] = index["weight_map"]
        given = index.get("metadata")
        self._given = given if isinstance(given, dict) else {}
        self._shards = self._opened()

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The shards, in the order of the index."""
        return tuple(self._part(name) for name in dict.fromkeys(self._map.values()))

    @cached_property
    def tensors(self) -> tuple[Value, ...]:
        """The tensors shard by shard; those of a missing one without dtype and shape."""
        found: dict[str, Value] = {}
        for shard in self._shards.values():
            found.update({value.name: value for value in shard.tensors})
        for name in self._map:
            found.setdefault(name, Value(name, initializer=True))
        return tuple(found.values())

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """What the index and the first shard say of themselves, and which shards are missing."""
        facts = {"shards": f"{len(self.parts):,}"}
        missing = self._missing
        if missing:
            facts["missing"] = _names_text(missing)
        first = next(iter(self._shards.values()), None)
        own = dict(first.metadata) if first is not None else {}
        return {**facts, **own, **{str(key): str(value) for key, value in self._given.items()}}

    @property
    def _warnings(self) -> tuple[str, ...]:
        return (f"shards are missing: {_names_text(self._missing)}",) if self._missing else ()

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """The values of a tensor, read now from its shard; see `ModelFile.tensor`."""
        for shard in self._shards.values():
            if name in shard.graph.values:
                return shard.tensor(name)
        if name not in self._map:
            raise unknown("stored tensor", name, [value.name for value in self.tensors])
        raise ModelFormatError(
            f"the tensor '{display_text(name, 60)}' lies in "
            f"'{display_text(self._map[name], 60)}', which is missing"
        )

    @property
    def _missing(self) -> list[str]:
        return [part.name for part in self.parts if not part.exists]

    def _index(self) -> dict[str, Any]:
        self.limits.check("structure_bytes", self.source.size, "the index")
        if self.source.size > INDEX_BYTES:
            raise self._broken(f"it has {self.source.size:,} bytes; {INDEX_BYTES:,} are allowed")
        try:
            found = json.loads(self.source.read(0, self.source.size).decode("utf-8-sig"))
        except RecursionError as error:
            raise self._broken("it nests too deeply") from error
        except ValueError as error:
            raise self._broken(f"it is no JSON: {error}") from error
        places = found.get("weight_map") if isinstance(found, dict) else None
        if not isinstance(places, dict) or not all(isinstance(v, str) for v in places.values()):
            raise self._broken("it has no weight_map from names to files")
        self.limits.check("values", len(places), "the tensors of the index")
        checked: dict[str, Any] = found
        return checked

    def _opened(self) -> dict[str, SafetensorsFile]:
        shards: dict[str, SafetensorsFile] = {}
        folder = self.source.path.parent if self.source.path else None
        for part in self.parts:
            if folder is None or not part.exists:
                continue
            shard = SafetensorsFile(Source.of(folder / part.name), self.limits)
            named = {name for name, place in self._map.items() if place == part.name}
            absent = [name for name in named if name not in shard.graph.values]
            if absent:
                raise self._broken(
                    f"'{display_text(part.name, 60)}' lacks {plural(len(absent), 'tensor')} that "
                    f"the index looks for in it: {_names_text(absent)}"
                )
            shards[part.name] = shard
        return shards

    def _part(self, name: str) -> Part:
        """A shard by its size on disk; only a file directly beside the index is one.

        A folder of the Hugging Face cache holds its files as links into another one.
        """
        path = self.source.path
        beside = path is not None and name == os.path.basename(name)
        return Part.beside(path.parent if path and beside else None, name, links=True)

    def _broken(self, reason: str) -> ModelFormatError:
        name = display_text(self.source.name, 60)
        return ModelFormatError(f"{name} cannot be read as an index of safetensors: {reason}")


def _names_text(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(f"'{display_text(name, 60)}'" for name in names[:SHOWN]) + more
