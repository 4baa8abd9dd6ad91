"""What a TFLite file says of itself: its converter, and the metadata that its author packed in.

TFLITE_METADATA is a flatbuffer of its own inside a buffer of the model. The files that it names
(the labels of the classes, a vocabulary) lie in a zip archive appended to the model.

The schema: https://github.com/tensorflow/tflite-support (metadata_schema.fbs, 1.5)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError
from mlnb.formats.tflite.flatbuffer import BYTE, UBYTE, UINT, Flatbuffer, Table
from mlnb.formats.wire import Broken, text

if TYPE_CHECKING:
    from mlnb.formats.source import Read, Source
    from mlnb.formats.tflite.tensors import Tensors
    from mlnb.limits import Limits

LABEL_BYTES = 10_000_000
_TEXT_BYTES = 100_000
_NORMALIZATION, _THRESHOLD = 1, 3
_AXIS_LABELS, _VALUE_LABELS = 2, 3


@dataclass(frozen=True, slots=True)
class About:
    """What the file says of itself.

    Args:
        texts: by name, as a person reads it.
        label_files: members of the appended zip that name the classes, in the order of the outputs.
    """

    texts: Mapping[str, str]
    label_files: tuple[str, ...] = ()


def read_about(read: Read, model: Table, tensors: Tensors, limits: Limits) -> About:
    """What the model's own fields and its metadata buffers say.

    A damaged metadata buffer does not keep the model from being looked at: it is told among the
    texts.
    """
    texts = {"producer": model.text(3)[:_TEXT_BYTES], "schema": str(model.number(0, UINT))}
    labels: tuple[str, ...] = ()
    for entry in model.tables(6):
        name = entry.text(0)
        if name not in _READERS:
            continue
        start, length = tensors.span(entry.number(1, UINT))
        try:
            nested = Flatbuffer(read, start + length, limits, start)
            about = _READERS[name](nested, length)
        except Broken as broken:
            texts[name] = f"cannot be read: {broken.reason}, at byte {broken.position:,}"
            continue
        texts.update(about.texts)
        labels = about.label_files or labels
    return About({name: value for name, value in texts.items() if value}, labels)


def read_labels(source: Source, names: Sequence[str], limits: Limits) -> tuple[str, ...]:
    """The classes in the zip that stands behind the model; none where there is no zip.

    Args:
        source: the model file.
        names: members to look for; without any, the one that is called a label file.
        limits: as for any archive.

    Raises:
        ModelFormatError: the zip or its member is damaged.
        LimitExceeded: the member is too large for a list of names.
    """
    from mlnb.formats.archive import Archive

    try:
        archive = Archive(source, limits)
    except ModelFormatError:
        if not names:
            return ()
        raise
    wanted = names or [name for name in archive.names if _is_label_file(name)]
    for name in wanted:
        if name in archive:
            lines = text(archive.read(name, LABEL_BYTES)).splitlines()
            while lines and not lines[-1].strip():
                lines.pop()
            return tuple([line.strip() for line in lines])
    return ()


def _is_label_file(name: str) -> bool:
    last = name.rpartition("/")[2].lower()
    return "label" in last and last.endswith(".txt")


def _runtime(nested: Flatbuffer, length: int) -> About:
    content = nested.slice(nested.start, min(length, 64))
    return About({"min_runtime_version": text(content.partition(b"\0")[0])})


def _conversion(nested: Flatbuffer, _: int) -> About:
    environment = nested.root().table(0)
    version = environment.text(0) if environment else ""
    return About({"tensorflow": version[:_TEXT_BYTES]})


def _author(nested: Flatbuffer, _: int) -> About:
    """A ModelMetadata: texts of the model, and of each tensor that goes in or out."""
    root = nested.root()
    fields = {0: "name", 1: "description", 2: "version", 4: "author", 5: "license"}
    texts = {name: root.text(field)[:_TEXT_BYTES] for field, name in fields.items()}
    labels: list[str] = []
    for subgraph in root.tables(3):
        for noun, field in (("input", 2), ("output", 3)):
            for i, tensor in enumerate(subgraph.tables(field)):
                name = tensor.text(0) or str(i)
                texts[f"{noun} {name}"[:_TEXT_BYTES]] = "; ".join(_tensor(tensor))[:_TEXT_BYTES]
                labels += _label_files(tensor)
        break
    return About(texts, tuple(labels))


_READERS = {
    "min_runtime_version": _runtime,
    "CONVERSION_METADATA": _conversion,
    "TFLITE_METADATA": _author,
}


def _tensor(tensor: Table) -> Iterator[str]:
    """What a TensorMetadata says, in parts of a sentence."""
    if tensor.text(1):
        yield tensor.text(1)
    for unit in tensor.tables(4):
        kind, given = unit.number(0, UBYTE), unit.table(1)
        if given is not None and kind == _NORMALIZATION:
            yield f"normalized: mean {_numbers(given.reals(0))}, std {_numbers(given.reals(1))}"
        elif given is not None and kind == _THRESHOLD:
            yield f"scores from {given.real(0):.6g}"
    stats = tensor.table(5)
    if stats is not None and (stats.has(0) or stats.has(1)):
        yield f"values from {_numbers(stats.reals(1))} to {_numbers(stats.reals(0))}"


def _label_files(tensor: Table) -> Iterator[str]:
    """The files of a tensor that name classes, those without a language first."""
    files = [file for file in tensor.tables(6) if file.number(2, BYTE) in _LABELS]
    for file in sorted(files, key=lambda file: bool(file.text(3))):
        yield file.text(0)


_LABELS = (_AXIS_LABELS, _VALUE_LABELS)


def _numbers(values: Iterable[float]) -> str:
    shown = [f"{value:.6g}" for value in values]
    return shown[0] if len(shown) == 1 else f"({', '.join(shown[:12])})"
