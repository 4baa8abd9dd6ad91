"""PyTorch's ExportedProgram, a `.pt2` file: a zip of JSON and raw weights, read without torch.

Two layouts are read: that of torch 2.8 and later (`models/model.json`, `data/weights/…`), and that
of 2.5 to 2.7 (`serialized_exported_program.json`, and weights in a pickle, which stays closed).

The layouts: torch/export/pt2_archive/_package.py and torch/csrc/export/pt2_archive_constants.h in
https://github.com/pytorch/pytorch; the JSON's schema: torch/_export/serde/schema.py there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from mlnb.errors import MlnbError, ModelFormatError, unknown
from mlnb.formats.archive import Archive
from mlnb.formats.element_types import numpy_dtype
from mlnb.formats.model_file import Danger, ModelFile
from mlnb.formats.torch.exported.calls import foreign_calls
from mlnb.formats.torch.exported.graph import BROKEN, DTYPES, ExportedGraph, dimensions
from mlnb.formatting import display_text
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.source import Source
    from mlnb.graph.graph import Graph
    from mlnb.specs import TensorSpecs

T = TypeVar("T")

SCHEMA = 8
"""The major version of the schema that is known here, of torch 2.5 to 2.15 at least."""

OLD = "serialized_exported_program.json"
"""Where torch 2.5 to 2.7 put the program in the archive."""
_MARK = "archive_format"
_COMPILED = "data/aotinductor/"
_PACKED = 32
"""JSON packs about twentyfold; what grows further is made to fill memory."""


def looks_inside(names: Collection[str]) -> bool:
    """Whether members of these names are what `torch.export.save` puts into a zip file.

    >>> looks_inside(["resnet18/archive_format", "resnet18/models/model.json"])
    True
    """
    return OLD in names or any(_is_mark(name) or _COMPILED in name for name in names)


class ExportedProgramFile(ModelFile):
    """A `.pt2` file: a program of tensor operations, and its weights.

    >>> ExportedProgramFile(Source.of("resnet18.pt2")).inputs
    TensorSpecs(x: float32 [s77, 3, 224, 224])

    Args:
        source: the file.
        limits: caps on what it may ask for.
        signature: which of its programs, where there are several.

    Raises:
        ModelFormatError: it is damaged, or holds compiled code in place of a program.
        LimitExceeded: its program is larger than `limits` allow.
    """

    format = "PyTorch ExportedProgram"
    runtime = "torch"
    allows_io = False

    def __init__(
        self, source: Source, limits: Limits = LIMITS, signature: str | None = None
    ) -> None:
        super().__init__(source, limits)
        self.archive = Archive(source, limits)
        self.root = next((n[: -len(_MARK)] for n in self.archive.names if _is_mark(n)), "")
        self._chosen = signature
        if not self._programs:
            raise self._without_program()

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of the programs, where there are several."""
        return tuple(self._programs) if len(self._programs) > 1 else ()

    @property
    def signature(self) -> str | None:
        """The program that this is, where there are several."""
        return self._model if self.signatures else None

    def with_signature(self, name: str) -> ModelFile:
        """The same file by another of its programs."""
        if name not in self.signatures:
            return super().with_signature(name)
        return ExportedProgramFile(self.source, self.limits, name)

    @cached_property
    def dangers(self) -> tuple[Danger, ...]:
        """Calls of anything but operations on tensors; such a program is not run at all."""
        return self._read(
            lambda: tuple(
                Danger(target, name, why) for target, name, why in foreign_calls(self.program)
            )
        )

    @property
    def run_facts(self) -> Mapping[str, Any]:
        """The names of the inputs and outputs in order, and the program's own name."""
        return {
            "program": self._model,
            "inputs": self.inputs.names,
            "outputs": self.outputs.names,
        }

    @cached_property
    def program(self) -> dict[str, Any]:
        """The JSON of the program.

        Raises:
            ModelFormatError: it is no JSON, or not of an ExportedProgram.
        """
        found = self.json(self._programs[self._model])
        if not isinstance(found, dict) or not isinstance(found.get("graph_module"), dict):
            raise self._broken("its JSON describes no program")
        return found

    @cached_property
    def inputs(self) -> TensorSpecs:
        """What the program is fed, in the order of its arguments."""
        return self._read(lambda: self._parsed.inputs())

    @cached_property
    def outputs(self) -> TensorSpecs:
        """What the program gives, under the names that it has for them."""
        return self._read(lambda: self._parsed.outputs())

    @cached_property
    def graph(self) -> Graph:
        """The operations, with the modules that they stood in as scopes."""
        from dataclasses import replace

        graph = self._read(lambda: self._parsed.graph())
        if self._schema[:1] == (SCHEMA,):
            return graph
        return replace(graph, warnings=(*graph.warnings, f"{self._age()}."))

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """Torch's version, the schema's, and the ranges of named dimensions."""
        told = {
            "producer": f"torch {self.program.get('torch_version') or ''}".strip(),
            "schema": ".".join(map(str, self._schema)),
            "dimensions": self._read(lambda: dimensions(self.program)),
        }
        return {key: display_text(text, 4000) for key, text in told.items() if text}

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """A weight, read from the file now; its name is that in the module.

        Raises:
            UnknownName: nothing is stored under this name.
            ModelFormatError: it is pickled, or its bytes do not fit its shape.
        """
        if name not in self.payloads:
            raise unknown("stored tensor", name, self.payloads)
        return self._read(lambda: self._loaded(name, *self.payloads[name]))

    def json(self, member: str) -> Any:
        """A member that is JSON, read under the caps.

        Raises:
            ModelFormatError: it is damaged.
            LimitExceeded: it is larger than a text in this file can be.
        """
        most = min(self.limits.structure_bytes, max(2**24, _PACKED * self.source.size))
        try:
            return json.loads(self.archive.read(member, most))
        except (ValueError, RecursionError) as error:
            if isinstance(error, MlnbError):
                raise
            short = display_text(str(error), 120)
            raise self._broken(f"{display_text(member)} is no JSON: {short}") from error

    @cached_property
    def _programs(self) -> dict[str, str]:
        """The members with programs by the programs' names."""
        if OLD in self.archive:
            return {"model": OLD}
        begin = f"{self.root}models/"
        return {
            name[len(begin) : -len(".json")]: name
            for name in self.archive.names
            if name.startswith(begin) and name.endswith(".json")
        }

    @property
    def _model(self) -> str:
        if self._chosen is not None:
            return self._chosen
        return "model" if "model" in self._programs else next(iter(self._programs))

    @cached_property
    def _parsed(self) -> ExportedGraph:
        first: dict[Any, str] = {}
        aliases = {}
        for name, (_, member, payload) in self.payloads.items():
            meta = payload.get("tensor_meta") or {}
            key = member, json.dumps([meta.get("sizes"), meta.get("storage_offset")])
            aliases[name] = first.setdefault(key, name)
        return ExportedGraph(self.program, display_text(self.source.name), self.limits, aliases)

    @cached_property
    def payloads(self) -> dict[str, tuple[bool, str, Mapping[str, Any]]]:
        """Whether a weight is pickled, its member, and what is told of it, by its name."""
        return dict(self._read(lambda: list(self._stored())))

    def _stored(self) -> Iterator[tuple[str, tuple[bool, str, Mapping[str, Any]]]]:
        for folder in ("weights", "constants"):
            config = f"{self.root}data/{folder}/{self._model}_{folder}_config.json"
            if config in self.archive:
                for name, payload in self.json(config)["config"].items():
                    member = f"{self.root}data/{folder}/{payload['path_name']}"
                    yield name, (bool(payload.get("use_pickle")), member, payload)

    def _loaded(self, name: str, pickled: bool, member: str, told: Mapping[str, Any]) -> np.ndarray:
        import numpy as np
        from numpy.lib.stride_tricks import as_strided

        if pickled:
            raise self._broken(f"{display_text(name)} is pickled, and nothing foreign is unpickled")
        meta = told["tensor_meta"]
        dtype = numpy_dtype(DTYPES.get(meta["dtype"], "unknown"))
        flat = np.frombuffer(self.archive.read(member, self.limits.tensor_bytes), dtype)
        sizes, strides = ([int(d["as_int"]) for d in meta[key]] for key in ("sizes", "strides"))
        start = int(meta["storage_offset"]["as_int"])
        reach = sum((size - 1) * step for size, step in zip(sizes, strides, strict=True))
        if 0 in sizes:
            return np.zeros(sizes, dtype)
        if min([start, *sizes, *strides], default=0) < 0 or start + reach >= flat.size:
            raise self._broken(f"{display_text(name)} reaches beyond its {flat.nbytes:,} bytes")
        self.limits.check("tensor_bytes", int(np.prod(sizes, dtype=float)) * dtype.itemsize, name)
        steps = [step * dtype.itemsize for step in strides]
        return as_strided(flat[start:], sizes, steps).copy()

    @property
    def _schema(self) -> tuple[int, ...]:
        found = self.program.get("schema_version")
        numbers = (found or {}).values() if isinstance(found, dict) else ()
        return tuple(number for number in numbers if isinstance(number, int))

    def _age(self) -> str:
        """One sentence on a file of another torch."""
        version = display_text(str(self.program.get("torch_version") or "another version"), 40)
        schema = ".".join(map(str, self._schema)) or "unknown"
        return f"it was written by torch {version} with schema {schema}; {SCHEMA} is read here"

    def _read(self, read: Callable[[], T]) -> T:
        """What `read` gives of the JSON; what does not fit the schema is one kind of error."""
        try:
            return read()
        except MlnbError:
            raise
        except (*BROKEN, RecursionError) as error:
            what = display_text(f"{type(error).__name__}: {error}", 120)
            age = "" if self._schema[:1] == (SCHEMA,) else f"; {self._age()}"
            raise self._broken(f"its program is not what the schema says ({what}){age}") from error

    def _without_program(self) -> ModelFormatError:
        if any(_COMPILED in name for name in self.archive.names):
            return ModelFormatError(
                f"{display_text(self.source.name)} is an AOTInductor package: machine code that "
                f"torch compiled, which mlnb neither shows nor runs. Save the program itself: "
                f"torch.export.save(torch.export.export(module, (x,)), 'model.pt2')"
            )
        return self._broken("there is no program in it (models/model.json)")

    def _broken(self, reason: str) -> ModelFormatError:
        return ModelFormatError(
            f"{display_text(self.source.name)} is no ExportedProgram that can be read: {reason}"
        )


def _is_mark(name: str) -> bool:
    return name == _MARK or (name.endswith(f"/{_MARK}") and name.count("/") == 1)
