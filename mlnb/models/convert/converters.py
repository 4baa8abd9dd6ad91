"""Makes ONNX models of others: tf2onnx in the child "tensorflow", torch's exporter in "torch".

To convert is to run: a SavedModel is loaded and traced. So all of this happens in the child, and
what comes back is the ONNX file's content.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlnb.child.memory import memory_cap
from mlnb.errors import ExportError, MlnbError, need
from mlnb.formatting import display_text, first_line
from mlnb.models.convert.exporter import exported
from mlnb.models.convert.finishing import Specs, finished
from mlnb.models.runtimes.sessions import as_file


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
            raise ExportError(
                f"tf2onnx cannot follow the model: {first_line(error, 300)}"
            ) from error
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
    from mlnb.models.runtimes.tensorflow import graph_def

    given = [_tensor(model["inputs"][one[0]]) for one in inputs]
    taken = [_tensor(model["outputs"][one[0]]) for one in outputs]
    return _from_graph(graph_def(model, source), given, taken, opset)


def _from_graph(graph: Any, given: list[str], taken: list[str], opset: int) -> Any:
    tf2onnx = need("tf2onnx", "tensorflow")
    proto, _ = tf2onnx.convert.from_graph_def(
        graph, input_names=given, output_names=taken, opset=opset
    )
    return _in_order(proto, given, taken)


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _saved_model(
    model: Mapping[str, Any], source: str | bytes, inputs: Specs, outputs: Specs, opset: int
) -> Any:
    """By its signature; one of TensorFlow 1, or cut at inner tensors, as the graph it is."""
    from mlnb.models.runtimes.tensorflow import saved_model_folder

    tensorflow = need("tensorflow", "tensorflow")
    given, names = ([one[0] for one in ends] for ends in (inputs, outputs))
    with saved_model_folder(model, source) as folder:
        loaded = tensorflow.saved_model.load(folder, tags=model["tags"])
        function = loaded.signatures.get(model["signature"])
        specs = function.structured_input_signature[1] if function else {}
        is_whole = function and {*given} <= {*specs} and {*names} <= {*function.structured_outputs}
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
    from mlnb.models.runtimes.tensorflow import tensors

    v1 = need("tensorflow", "tensorflow").compat.v1
    with v1.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        v1.saved_model.loader.load(session, model["tags"], folder)
        find = tensors(model, graph)
        given = [find(model["inputs"][one[0]]).name for one in inputs]
        taken = [find(model["outputs"][one[0]]).name for one in outputs]
        nodes = [name.partition(":")[0] for name in taken]
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), nodes)
    return _from_graph(frozen, given, taken, opset)


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
    """By the tensors of its inputs and outputs, or of a cut, under the names that the file has."""
    from mlnb.formats.source import Source
    from mlnb.formats.tflite.file import TfliteFile

    tf2onnx = need("tf2onnx", "tensorflow")
    if model["subgraph"]:
        raise ExportError("tf2onnx converts the first graph of a TFLite model only")
    names = TfliteFile(Source.of(source), signature=model["signature"]).stored_names
    numbers = {**model["outputs"], **model.get("inner", {})}
    with as_file(source, ".tflite") as path:
        proto, _ = tf2onnx.convert.from_tflite(
            path,
            input_names=[names[model["inputs"][one[0]]] for one in inputs],
            output_names=[names[numbers[one[0]]] for one in outputs],
            opset=opset,
        )
    return proto


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
