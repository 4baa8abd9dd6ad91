"""`SavedModelFile`: a TensorFlow SavedModel folder, of TensorFlow 1 or 2, read without TensorFlow.

The graph is what the chosen signature runs: a file of TensorFlow 1 carries its optimizer along,
three nodes of four, and one of TensorFlow 2 its save and restore functions. Variables lie in other
files, which are never opened.

The format: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/saved_model.proto
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.errors import ModelFormatError, unknown
from mlnb.formats.source import Source
from mlnb.formats.tensorflow.file import TensorFlowFile
from mlnb.formats.tensorflow.graphdef import looks as looks_like_graph
from mlnb.formats.tensorflow.nodes import RawGraph, RawNode, read_graph
from mlnb.formats.tensorflow.ops import VARIABLES
from mlnb.formats.tensorflow.pbtxt import SAVED_MODEL, from_text, looks_like_text
from mlnb.formats.tensorflow.saved_model_around import parts_of, saved_model_dangers, uncalled
from mlnb.formats.tensorflow.saved_model_proto import Signature, read_meta_graphs
from mlnb.formats.wire import VARINT, Broken, field_at, key

if TYPE_CHECKING:
    from mlnb.formats.model_file import Danger, ModelFile, Part
    from mlnb.formats.tensorflow.ends import Ends

DEFAULT = "serving_default"
_SERVE = "serve"
_NAMES = ("saved_model.pb", "saved_model.pbtxt")


def looks(head: bytes, source: Source) -> bool:
    """Whether the file begins like a SavedModel: its version, and then a meta graph.

    >>> looks(source.read(0, 4096), source)
    True

    A broken file of the name that every SavedModel has is taken for one as well.
    """
    if looks_like_text(head, SAVED_MODEL):
        return True
    if source.name == "saved_model.pb":
        return not looks_like_graph(head, source)
    try:
        version, _, position = field_at(head, 0, len(head))
        meta, start, stop = field_at(head, position, len(head))
        inner, begin, end = field_at(head, start, len(head))
    except (Broken, IndexError):
        return False
    # ONNX has a producer's name where the graph is: no name is a message that fits in.
    return (version, meta) == (key(1, VARINT), key(2)) and inner in _META and begin <= end <= stop


_META = frozenset(map(key, range(1, 8)))


class SavedModelFile(TensorFlowFile):
    """A SavedModel by its `saved_model.pb` or `saved_model.pbtxt`.

    >>> file = SavedModelFile(Source.of("half_plus_two/saved_model.pb"))
    >>> file.signature, file.inputs
    ('serving_default', TensorSpecs(x: float32 [1]))

    Args:
        source: the file in the folder, or its bytes.
        limits: caps on what it may ask for.

    Raises:
        ModelFormatError: it is no SavedModel, or cut off; the message says at which byte.
        LimitExceeded: it asks for more than `limits` allows.
    """

    format = "TensorFlow SavedModel"

    @property
    def path(self) -> Path | None:
        """The folder; for a file that is called otherwise, the file."""
        path = self.source.path
        return path.parent if path and path.name in _NAMES else path

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of the entry points; empty where the file has none."""
        return tuple(self._meta.signatures)

    @property
    def signature(self) -> str | None:
        """The chosen one: `serving_default` where there is one and nobody chose."""
        return self._chosen

    def with_signature(self, name: str) -> ModelFile:
        """The same model by another signature; see `ModelFile.with_signature`."""
        if not self.signatures:
            raise ModelFormatError(_NO_SIGNATURES)
        if name not in self._meta.signatures:
            raise unknown("signature", name, self.signatures)
        other = self._derived()
        other.__dict__.pop("metadata", None)
        other._raw, other._is_inlined = self._stored_raw, False
        other._chosen, other._is_cut = name, False
        other._ends = self._meta.signatures[name].ends
        return other

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The TensorFlow that wrote it, tags, the signature's method, how many signatures."""
        meta = self._meta
        own = {
            "producer": f"TensorFlow {meta.version}".strip(),
            "tags": ", ".join(meta.tags),
            "other tags": "; ".join(", ".join(tags) for tags in self._others),
            "signature": self._chosen or "",
            "method": self._signature.method,
            "signatures": str(len(meta.signatures)) if len(meta.signatures) > 1 else "",
        }
        return {name: value for name, value in own.items() if value}

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The files of its variables and assets, by the sizes on disk; none of them is opened."""
        path = self.source.path
        return parts_of(path.parent if path else None, self._has_variables)

    @property
    def run_facts(self) -> Mapping[str, Any]:
        """Tags and signature, and the tensor behind each input and output."""
        tags, signature = list(self._meta.tags), self._chosen
        return {**super().run_facts, "tags": tags, "signature": signature}

    @cached_property
    def content(self) -> Source:
        """The protobuf: the file's own bytes, or those that its text says."""
        head = self.source.read(0, min(256, self.source.size))
        if not looks_like_text(head, SAVED_MODEL):
            return self.source
        return Source.of(from_text(self.source, SAVED_MODEL, self.limits, self.format))

    def _read(self) -> tuple[RawGraph, Ends]:
        size = self.content.size
        metas = self._walk(lambda window: read_meta_graphs(window, size, self.limits))
        if not metas:
            raise self._broken("it holds no graph" if size else "it is empty")
        self._meta = min(metas, key=lambda meta: _rank(meta.tags))
        self._others = [meta.tags for meta in metas if meta is not self._meta]
        self._chosen = _choice(tuple(self._meta.signatures))
        spans = self._meta.graphs
        return self._walk(
            lambda window: read_graph(window, spans, self.limits)
        ), self._signature.ends

    @property
    def _signature(self) -> Signature:
        return Signature() if self._chosen is None else self._meta.signatures[self._chosen]

    @property
    def _title(self) -> str:
        return self._chosen or ""

    def _shown_nodes(self) -> list[RawNode]:
        """What the signature runs; of a file without signatures, all there is."""
        if self._chosen is None and not self._is_cut:
            return [*self._raw.nodes, *uncalled(self._raw, self.limits)]
        return [node for node in self._raw.nodes if node.name in self._running]

    def _dangers(self) -> Iterator[Danger]:
        """In the signature, and in what restores and starts the model before it runs."""
        return saved_model_dangers(self._raw, self._by_name, self._running, self._meta)

    @cached_property
    def _has_variables(self) -> bool:
        return any(node.op in VARIABLES for node in self._raw.nodes)


_NO_SIGNATURES = (
    "this SavedModel has no signatures: it was saved without signatures=, and nothing in it says "
    "what goes in; cut it by names of tensors, model.cut(inputs=[...], outputs=[...])"
)


def _choice(signatures: tuple[str, ...]) -> str | None:
    """`serving_default`, or the first; `None` where there is none."""
    if DEFAULT in signatures:
        return DEFAULT
    return signatures[0] if signatures else None


def _rank(tags: tuple[str, ...]) -> int:
    """Which of several graphs is taken: that for serving, without an accelerator if there is."""
    return 0 if tags == (_SERVE,) else 1 if _SERVE in tags else 2
