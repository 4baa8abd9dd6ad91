"""Makes ONNX models of others: tf2onnx in the child "tensorflow", torch's exporter in "torch".

To convert is to run: a SavedModel is loaded and traced. So all of this happens in the child, and
what comes back is the ONNX file's content.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlnb.child.memory import memory_cap
from mlnb.errors import ExportError, MlnbError, need
from mlnb.formatting import display_text
from mlnb.models.convert.exporter import exported
from mlnb.models.convert.finishing import Specs, finished


def from_tensorflow(
    address: str,
    inputs: Specs,
    outputs: Specs,
    *,
    opset: int,
    content: bytes | None = None,
    run_bytes: int,
) -> dict[str, Any]:
    """A GraphDef, SavedModel, TFLite or Keras model as ONNX.

    The answer has `content`, the file; `foreign`, the operations in it that are not ONNX's.

    Args:
        address: of the model, as the runtimes get it.
        inputs: as the reader of the file has them.
        outputs: likewise.
        opset: the version of the operators.
        content: the model's own bytes, where it is no file.
        run_bytes: a cap on the memory taken.

    Raises:
        ExportError: tf2onnx cannot follow the model.
        MissingExtra: tf2onnx or TensorFlow is not installed.
    """
    model = json.loads(address)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    need("tensorflow", "tensorflow")
    need("tf2onnx", "tensorflow")
    source = model["path"] if content is None else content
    with memory_cap(run_bytes, watch=True):
        try:
            proto = _converters()[model["format"]](model, source, inputs, outputs, opset)
        except MlnbError:
            raise
        except Exception as error:
            raise ExportError(f"tf2onnx cannot follow the model: {_short(error)}") from error
        return finished(proto, inputs, outputs)


def from_torch(
    address: str,
    inputs: Specs,
    outputs: Specs,
    *,
    opset: int,
    content: bytes | None = None,
    run_bytes: int,
) -> dict[str, Any]:
    """An ExportedProgram as ONNX; as `from_tensorflow`."""
    from mlnb.formats.source import Source
    from mlnb.formats.torch.exported.file import ExportedProgramFile
    from mlnb.models.runtimes.torch import loaded

    model = json.loads(address)
    source = Source.of(model["path"] if content is None else content)
    with memory_cap(run_bytes, watch=True):
        program = loaded(ExportedProgramFile(source, signature=model["program"]))
        name = display_text(Path(source.name).stem)
        proto = exported(program, (), name=name, outputs=[one[0] for one in outputs], opset=opset)
        return finished(proto, inputs, outputs)


def _converters() -> Mapping[str, Any]:
    return {
        "TensorFlow GraphDef": _graphdef,
        "TensorFlow SavedModel": _saved_model,
        "TFLite": _tflite,
        "Keras": _keras,
    }


def _graphdef(
    model: Mapping[str, Any], source: str | bytes, inputs: Specs, outputs: Specs, opset: int
) -> Any:
    tensorflow = need("tensorflow", "tensorflow")
    tf2onnx = need("tf2onnx", "tensorflow")

    graph = tensorflow.compat.v1.GraphDef()
    graph.ParseFromString(_graphdef_bytes(model, source))
    given = [_tensor(model["inputs"][one[0]]) for one in inputs]
    taken = [_tensor(model["outputs"][one[0]]) for one in outputs]
    proto, _ = tf2onnx.convert.from_graph_def(
        graph, input_names=given, output_names=taken, opset=opset
    )
    return _in_order(proto, given, taken)


def _graphdef_bytes(model: Mapping[str, Any], source: str | bytes) -> bytes:
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    if not model.get("text"):
        return content
    from mlnb.formats.source import Source
    from mlnb.formats.tensorflow.pbtxt import GRAPH, from_text
    from mlnb.limits import LIMITS

    return from_text(Source.of(content), GRAPH, LIMITS, model["format"])


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _saved_model(
    model: Mapping[str, Any], source: str | bytes, inputs: Specs, outputs: Specs, opset: int
) -> Any:
    """By its signature; one of TensorFlow 1, or cut at inner tensors, as the graph it is."""
    tensorflow = need("tensorflow", "tensorflow")
    folder = str(Path(str(source)).parent)
    loaded = tensorflow.saved_model.load(folder, tags=model["tags"])
    function = loaded.signatures[model["signature"]]
    specs = function.structured_input_signature[1]
    given, names = ([one[0] for one in ends] for ends in (inputs, outputs))
    is_whole = set(given) <= set(specs) and set(names) <= set(function.structured_outputs)
    if hasattr(loaded, "prune") or not is_whole:
        return _frozen(model, folder, inputs, outputs, opset)

    def call(*values: Any) -> list[Any]:
        answer = function(**dict(zip(given, values, strict=True)))
        return [answer[name] for name in names]

    return _traced(call, [specs[name] for name in given], opset)


def _frozen(
    model: Mapping[str, Any], folder: str, inputs: Specs, outputs: Specs, opset: int
) -> Any:
    """The graph of a SavedModel with its variables as constants."""
    tensorflow = need("tensorflow", "tensorflow")
    tf2onnx = need("tf2onnx", "tensorflow")
    from mlnb.models.runtimes.tensorflow import tensors

    v1 = tensorflow.compat.v1
    with v1.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        v1.saved_model.loader.load(session, model["tags"], folder)
        find = tensors(model, graph)
        given = [find(model["inputs"][one[0]]).name for one in inputs]
        taken = [find(model["outputs"][one[0]]).name for one in outputs]
        nodes = [name.partition(":")[0] for name in taken]
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), nodes)
    proto, _ = tf2onnx.convert.from_graph_def(
        frozen, input_names=given, output_names=taken, opset=opset
    )
    return _in_order(proto, given, taken)


def _keras(
    model: Mapping[str, Any], source: str | bytes, inputs: Specs, outputs: Specs, opset: int
) -> Any:
    tensorflow = need("tensorflow", "tensorflow")

    from mlnb.models.runtimes.keras import load, part

    whole = load(model, source)
    taken = part(whole, [one[0] for one in outputs], model["outputs"])
    specs = [
        tensorflow.TensorSpec(one.shape, one.dtype, name=f"input_{i}")
        for i, one in enumerate(whole.inputs)
    ]
    return _traced(lambda *values: taken(list(values)), specs, opset)


def _tflite(
    model: Mapping[str, Any], source: str | bytes, inputs: Specs, outputs: Specs, opset: int
) -> Any:
    tf2onnx = need("tf2onnx", "tensorflow")

    if model.get("inner"):
        raise ExportError(
            "a TFLite model cut at inner tensors is not converted: convert the whole model, and "
            "cut the ONNX file"
        )
    if model.get("subgraph"):
        raise ExportError("tf2onnx converts the first graph of a TFLite model only")
    with _as_file(source, ".tflite") as path:
        proto, _ = tf2onnx.convert.from_tflite(path, opset=opset)
    return proto


@contextmanager
def _as_file(source: str | bytes, suffix: str) -> Iterator[str]:
    if isinstance(source, str):
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"model{suffix}"
        file.write_bytes(source)
        yield str(file)


def _traced(call: Any, specs: Sequence[Any], opset: int) -> Any:
    """A function of tensors, followed by TensorFlow and converted, its variables as constants."""
    tensorflow = need("tensorflow", "tensorflow")
    tf2onnx = need("tf2onnx", "tensorflow")

    function = tensorflow.function(call, autograph=False)
    proto, _ = tf2onnx.convert.from_function(function, input_signature=list(specs), opset=opset)
    return proto


def _in_order(proto: Any, inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """The model with its inputs and outputs in this order; tf2onnx may drop an unread input."""
    for field, names in ((proto.graph.input, inputs), (proto.graph.output, outputs)):
        found = {one.name: one for one in field}
        ordered = [found[name] for name in names if name in found]
        if len(ordered) == len(field):
            copies = [type(one).FromString(one.SerializeToString()) for one in ordered]
            del field[:]
            field.extend(copies)
    return proto


def _short(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return display_text(lines[0] if lines else type(error).__name__, 300)
