"""Runs a TensorFlow graph or SavedModel: in the child, which is the only place it is imported in.

Both run in a session of TensorFlow 1, which every TensorFlow 2 has and which takes files of either:
there any tensor of the graph can be fed and fetched by its name, and a SavedModel's signature is
nothing but such names. The `tensorflow-cpu` package brings the same module.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mlnb.child.machine import cores
from mlnb.errors import MlnbError, ModelRunError, need
from mlnb.formatting import display_text, plural
from mlnb.models.runtimes import sessions
from mlnb.models.runtimes.tensorflow_inline import Inlined
from mlnb.models.runtimes.texts import as_bytes, as_text, told

Array = np.ndarray[Any, np.dtype[Any]]


@contextmanager
def _silenced() -> Iterator[None]:
    """Send what TensorFlow writes to standard error past Python nowhere."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _imported() -> Any:
    """TensorFlow, without the dozen lines that it greets with."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silenced():
        module = need("tensorflow", "tensorflow")
    with suppress(AttributeError):
        module.get_logger().setLevel("ERROR")
    return module


tf = _imported()


def predict(
    address: str, feeds: Mapping[str, Any], outputs: Sequence[str], **how: Any
) -> list[Any] | None:
    """The outputs, the device and notes; see `sessions.predict`.

    The memory is watched and not limited: TensorFlow reserves more than it uses.
    """
    return sessions.predict(_open, address, feeds, outputs, watch=True, **how)


@lru_cache(maxsize=1)
def device() -> str:
    """What models run on here: `"CUDA"` or `"CPU"`."""
    with _silenced():
        return "CUDA" if tf.config.list_physical_devices("GPU") else "CPU"


class _Session:
    """A graph in a session, and the tensors behind the names of its inputs and outputs."""

    def __init__(self, model: Mapping[str, Any], session: Any) -> None:
        self._session = session
        self._inputs: Mapping[str, str] = model["inputs"]
        self._outputs: Mapping[str, str] = model["outputs"]
        self._tensor = tensors(model, session.graph)
        self.device = device()
        self.notes: tuple[str, ...] = ()

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]:
        """The outputs of these names, in this order."""
        if not outputs:
            raise ModelRunError(_NOTHING_TO_RUN)
        try:
            fed = {
                self._tensor(self._inputs[name]): as_bytes(value)
                for name, value in feeds.items()
                if value is not None
            }
            wanted = [self._tensor(self._outputs[name]) for name in outputs]
            with _silenced():
                values = self._session.run(wanted, fed)
        except Exception as error:
            raise _shortened(error) from error
        return [_received(value) for value in values]


def tensors(model: Mapping[str, Any], graph: Any) -> Callable[[str], Any]:
    """What finds a tensor of the graph by its name, in the functions that it calls as well."""
    if model.get("inlined"):
        names = [*model["inputs"].values(), *model["outputs"].values()]
        return Inlined(tf, graph, names).tensor
    return lambda name: graph.get_tensor_by_name(name if ":" in name else f"{name}:0")


_NOTHING_TO_RUN = (
    "the file does not say what comes out of it: no signature, and no tensor that nobody reads; "
    "cut it by names of tensors, model.cut(inputs=[...], outputs=[...])"
)


def _open(model: Mapping[str, Any], source: str | bytes) -> _Session:
    opened = _open_saved_model if model["format"] == "TensorFlow SavedModel" else _open_graph
    try:
        with _silenced(), tf.Graph().as_default() as graph:
            session = tf.compat.v1.Session(graph=graph, config=_config())
            opened(model, source, session)
            return _Session(model, session)
    except Exception as error:
        raise _shortened(error) from error


def _config() -> Any:
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=cores(),
        inter_op_parallelism_threads=cores(),
        allow_soft_placement=True,
    )
    config.gpu_options.allow_growth = True
    return config


def _open_graph(model: Mapping[str, Any], source: str | bytes, session: Any) -> None:
    tf.import_graph_def(graph_def(model, source), name="")


def graph_def(model: Mapping[str, Any], source: str | bytes) -> Any:
    """The protobuf in a frozen graph's file, which may be text."""
    content = Path(source).read_bytes() if isinstance(source, str) else source
    graph = tf.compat.v1.GraphDef()
    if model.get("text"):
        from google.protobuf import text_format  # type: ignore[import-untyped]

        text_format.Parse(content, graph)
    else:
        graph.ParseFromString(content)
    for node in graph.node:  # a device of the machine it was written on
        node.device = ""
    return graph


def _open_saved_model(model: Mapping[str, Any], source: str | bytes, session: Any) -> None:
    with saved_model_folder(model, source) as folder:
        tf.compat.v1.saved_model.loader.load(session, model["tags"], folder, clear_devices=True)


@contextmanager
def saved_model_folder(model: Mapping[str, Any], source: str | bytes) -> Iterator[str]:
    """The folder of a SavedModel; for bytes, one that lasts as long as the block.

    Raises:
        ModelRunError: its variables are not there, or the file is called otherwise than TensorFlow
            asks for.
    """
    if isinstance(source, bytes):
        if model.get("parts"):
            raise ModelRunError(
                "the model keeps its variables in other files, and bytes have no folder to look "
                "in; load its folder"
            )
        with tempfile.TemporaryDirectory(prefix="mlnb-") as folder:
            (Path(folder) / _file_name(source)).write_bytes(source)
            yield folder
        return
    path = Path(source)
    if path.name not in ("saved_model.pb", "saved_model.pbtxt"):
        raise ModelRunError(
            f"a SavedModel runs from its folder: {display_text(path.name)} has to be called "
            f"saved_model.pb, beside its folder `variables`"
        )
    missing = [name for name in model.get("parts", ()) if not (path.parent / name).is_file()]
    if missing:
        raise ModelRunError(
            f"{plural(len(missing), 'file')} of its variables missing: "
            f"{display_text(', '.join(missing), 200)} beside {path.name}; copy the whole folder"
        )
    yield str(path.parent)


def _file_name(content: bytes) -> str:
    return "saved_model.pb" if content[:1] == b"\x08" else "saved_model.pbtxt"


def _received(value: Any) -> Any:
    """An output as it crosses: bytes that are UTF-8 as text, quantised numbers as integers."""
    array = np.array(value, object) if isinstance(value, bytes) else np.asarray(value)
    if array.dtype.names:  # qint8 and its like are structures of one field
        return array[array.dtype.names[0]]
    return as_text(array)


_WHERE = re.compile(r"Graph execution error:.*?\nNode: '[^'\n]*'\n?", re.DOTALL)
_NOISE = re.compile(
    r"\s*\[\[\{\{.*|\s*\[\[node .*|\s*Errors may have originated.*|\s*Original stack trace.*"
    r"|\s*\(\d+\) Successful operation.*",
    re.DOTALL,
)


def _shortened(error: Exception) -> Exception:
    """TensorFlow's message in one line, without its stacks and node markers."""
    if isinstance(error, MlnbError | MemoryError):
        return error
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return MemoryError(str(error))
    text = _WHERE.sub("", getattr(error, "message", "") or str(error))
    text = " ".join(_NOISE.sub("", text).split())
    for pattern, meaning in _KNOWN:
        found = pattern.search(text)
        if found:
            text = meaning.format(*(display_text(group or "", 80) for group in found.groups()))
            break
    return ModelRunError(told(text or type(error).__name__))


_KNOWN = (
    (
        re.compile(r"Op type not registered '([^']+)'"),
        "TensorFlow has no operation {0}: it is of a library of its own, or of another version",
    ),
    (
        re.compile(
            r"Attempting to use uninitialized value (\S+)|Could not find variable (\S+?)[. ]"
        ),
        "its variables have no values: the graph was not frozen; load the SavedModel it came from",
    ),
    (
        re.compile(r"You must feed a value for placeholder tensor '([^']+)'"),
        "the output needs '{0}', which is not fed; cut with it among the inputs",
    ),
    (
        re.compile(r"MetaGraphDef associated with tags .* could not be found"),
        "the folder holds no graph of these tags any more; load it again",
    ),
)
