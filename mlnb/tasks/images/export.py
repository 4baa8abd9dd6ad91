"""A picture classifier as one ONNX file, from decoded pixels to probabilities.

Three graphs are put behind each other: what fits and scales pixels, the backbone, the head. The
resizing is ONNX's own with antialias, which computes what Pillow does.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from mlnb.cache import write_whole
from mlnb.errors import ExportError, need
from mlnb.formatting import display_text
from mlnb.models.loading import load_model
from mlnb.networks.export import ExportReport, session
from mlnb.networks.taken import take
from mlnb.networks.to_onnx import OPSET, to_onnx
from mlnb.progress import progress
from mlnb.tasks.images.export_pixels import MAX_IR, pixels_graph
from mlnb.tasks.images.features import ModelFeatures, TorchFeatures

if TYPE_CHECKING:
    import os

    from mlnb.tasks.images.classification import ImageClassifier

Array = np.ndarray[Any, np.dtype[Any]]

OUTPUT = "probabilities"
CLASSES = "classes"
"""The key of the class names, a JSON list, in the file's metadata."""
_WRONG = 0.02
"""The most by which a probability may differ: a grey level of rounding moves it by less."""
_SIZES = ((260, 340), (224, 224), (150, 97))


def export(
    classifier: ImageClassifier, path: str | os.PathLike[str], *, preprocessing: bool
) -> ExportReport:
    """Write a classifier; see `ImageClassifier.export_onnx`."""
    begun = time.monotonic()
    target = Path(path).expanduser()
    if target.is_dir() or not target.parent.is_dir():
        raise ExportError(f"{display_text(str(target), 200)} is no place for a file.")
    with progress(f"export {target.name}", 3) as done:
        made = _core(classifier)
        done(1)
        if preprocessing:
            made = _behind(pixels_graph(_opset(made), classifier.preprocessing_), made)
        _describe(made, classifier)
        content = made.SerializeToString()
        done(2)
        difference = _checked(classifier, content, preprocessing)
        done(3)
    write_whole(target, content)
    return ExportReport(
        path=target,
        inputs=_shapes(made.graph.input),
        outputs=_shapes(made.graph.output),
        nbytes=len(content),
        difference=difference,
        largest=1.0,
        quantized=None,
        quantized_difference=None,
        float_nbytes=len(content),
        seconds=time.monotonic() - begun,
        opset=_opset(made),
        ir=made.ir_version,
    )


# ------------------------------------------------------------------------------------- the networks


def _core(classifier: ImageClassifier) -> Any:
    """Backbone, head and softmax."""
    features, net = classifier._features, classifier._net
    if isinstance(features, TorchFeatures):
        module = nn.Sequential(features.body, net, nn.Softmax(1)).eval()
        return _module_graph(module, (3, *classifier.preprocessing_.size), "picture")
    width = len(net.get_buffer("standardise.mean"))
    head = _module_graph(nn.Sequential(net, nn.Softmax(1)).eval(), (width,), "features")
    return _behind(_model_graph(features, width), head)


def _module_graph(module: nn.Module, shape: tuple[int, ...], name: str) -> Any:
    onnx = need("onnx", "train")
    made = onnx.load_from_string(to_onnx(take(module, torch.zeros(2, *shape))))
    _rename(made, made.graph.input[0].name, name)
    _rename(made, made.graph.output[0].name, OUTPUT)
    return made


def _model_graph(features: ModelFeatures, width: int) -> Any:
    """The cut model by ONNX's operators, its answer pooled to `[n, width]`."""
    onnx = need("onnx", "train")
    made = _as_onnx(features)
    if _opset(made) < OPSET:
        made = onnx.version_converter.convert_version(made, OPSET)
    del made.graph.value_info[:]
    _drop_weights_from_inputs(made)
    free = _with_free_batch(made)
    made = made if free is None else free
    shape = [d.dim_value for d in made.graph.output[0].type.tensor_type.shape.dim]
    layout = features.preprocessing.layout
    if len(shape) == 4 and shape[1] != shape[3] and width in (shape[1], shape[3]):
        layout = "NCHW" if shape[1] == width else "NHWC"  # a conversion may have turned it
    return _behind(made, _pooling(len(shape), layout, _opset(made)))


def _as_onnx(features: ModelFeatures) -> Any:
    """What the backbone computes up to its cut."""
    onnx = need("onnx", "train")
    model = features.model
    if model.format == "ONNX":
        return onnx.load_from_string(model._file.content())  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "backbone.onnx"
        if model.format != "TFLite":
            model.to_onnx(path)
            return onnx.load(str(path))
        features.whole.to_onnx(path)  # a cut of TFLite is not converted, a conversion is cut
        converted = load_model(path)
        place = features.cut if features.cut in converted.graph.producers else None
        cut = converted.cut(outputs=[place or str(converted.suggest_cut())])
        return onnx.load_from_string(cut._file.content())  # type: ignore[attr-defined]


def _drop_weights_from_inputs(made: Any) -> None:
    """Old files list their weights among the inputs."""
    weights = {one.name for one in made.graph.initializer}
    fed = [one for one in made.graph.input if one.name not in weights]
    del made.graph.input[:]
    made.graph.input.extend(fed)
    made.ir_version = max(made.ir_version, MAX_IR)


def _with_free_batch(made: Any) -> Any | None:
    """The same with a batch of any size, where it computes what it did; else `None`."""
    onnx = need("onnx", "train")
    ends = [*made.graph.input, *made.graph.output]
    if made.graph.input[0].type.tensor_type.shape.dim[0].dim_value != 1:
        return made
    free = onnx.ModelProto()
    free.CopyFrom(made)
    for value in (*free.graph.input, *free.graph.output):
        value.type.tensor_type.shape.dim[0].Clear()
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    fed = _like(ends[0])
    try:
        [one] = session(made.SerializeToString()).run(None, {ends[0].name: fed})
        [two] = session(free.SerializeToString()).run(
            None, {ends[0].name: np.concatenate([fed, fed])}
        )
    except Exception:  # noqa: BLE001 - a runtime may refuse in any way; one at a time it is then
        return None
    same = two.shape == (2, *one.shape[1:]) and np.allclose(two[1], one[0], atol=1e-3, rtol=1e-3)
    return free if same else None


def _like(value: Any) -> Array:
    onnx = need("onnx", "train")
    kind = value.type.tensor_type
    shape = [dim.dim_value or 1 for dim in kind.shape.dim]
    numbers = np.random.default_rng(0).uniform(0, 1, shape)
    return numbers.astype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type))


def _pooling(rank: int, layout: str, opset: int) -> Any:
    """Maps averaged over height and width, the rest flattened, as `pooled` does it."""
    onnx = need("onnx", "train")
    helper = onnx.helper
    nodes = [helper.make_node("Cast", ["answer"], ["real"], to=onnx.TensorProto.FLOAT)]
    constants = []
    if rank == 4:
        axes = np.array([2, 3] if layout == "NCHW" else [1, 2])
        constants.append(onnx.numpy_helper.from_array(axes, "axes"))
        nodes.append(helper.make_node("ReduceMean", ["real", "axes"], ["mean"], keepdims=0))
    last = nodes[-1].output[0]
    nodes.append(helper.make_node("Flatten", [last], ["features"], axis=1))
    given = helper.make_tensor_value_info("answer", onnx.TensorProto.FLOAT, [None] * rank)
    gives = helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["batch", None])
    graph = helper.make_graph(nodes, "pooling", [given], [gives], constants)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=MAX_IR
    )


# --------------------------------------------------------------------------------------- the joints


def _behind(first: Any, second: Any) -> Any:
    """Two models of one input and one output as one, the first before the second."""
    onnx = need("onnx", "train")
    newest = max(_opset(first), _opset(second))
    first, second = (_at_opset(model, newest) for model in (first, second))
    ir = max(first.ir_version, second.ir_version)
    first.ir_version = second.ir_version = ir
    prefix = f"{second.graph.name or 'then'}/"
    second = onnx.compose.add_prefix(second, prefix, rename_inputs=True, rename_outputs=False)
    joint = [(first.graph.output[0].name, second.graph.input[0].name)]
    made = onnx.compose.merge_models(first, second, io_map=joint)
    made.graph.name = second.graph.name
    return made


def _at_opset(model: Any, opset: int) -> Any:
    onnx = need("onnx", "train")
    if _opset(model) == opset:
        return model
    return onnx.version_converter.convert_version(model, opset)


def _opset(model: Any) -> int:
    return next(int(one.version) for one in model.opset_import if one.domain in ("", "ai.onnx"))


def _rename(model: Any, old: str, new: str) -> None:
    """Another name for a value, wherever it stands."""
    for value in (*model.graph.input, *model.graph.output):
        if value.name == old:
            value.name = new
    for node in model.graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = new


def _describe(model: Any, classifier: ImageClassifier) -> None:
    """What one wants to know of the file, inside it."""
    facts = {
        CLASSES: json.dumps(classifier.classes_.tolist(), ensure_ascii=False),
        "preprocessing": json.dumps(classifier.preprocessing_.to_json()),
        "backbone": classifier._features.text,
    }
    model.producer_name = "mlnb"
    del model.metadata_props[:]
    for key, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value


# --------------------------------------------------------------------------------------- the check


def _checked(classifier: ImageClassifier, content: bytes, preprocessing: bool) -> float:
    """The largest difference of a probability, over pictures of several sizes.

    Raises:
        ExportError: it is too large, or onnxruntime fails.
    """
    runs = session(content)
    given = runs.get_inputs()[0]
    one_at_a_time = given.shape[0] == 1
    largest = 0.0
    for size in _SIZES:
        pictures = _smooth(size)[: 1 if one_at_a_time else None]
        fed = pictures
        if not preprocessing:
            fit = classifier.preprocessing_.fit
            fed = classifier.preprocessing_(np.stack([fit(one) for one in pictures]))
        try:
            [came] = runs.run(None, {given.name: fed})
        except Exception as error:
            said = display_text((str(error).splitlines() or [""])[0], 200)
            raise ExportError(f"onnxruntime fails on the exported file: {said}") from error
        wanted = classifier.predict_proba(list(pictures))
        largest = max(largest, float(np.abs(np.asarray(came, np.float32) - wanted).max()))
    if not largest <= _WRONG:
        raise ExportError(
            f"The exported file answers otherwise than the classifier, by up to {largest:.2g} of a "
            "probability; it was not written."
        )
    return largest


def _smooth(size: tuple[int, int]) -> Array:
    """Two pictures with some structure, `uint8 [2, height, width, 3]`."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (2, 9, 9, 3))
    rows, columns = (np.arange(side) * 9 // side for side in size)
    noise = generator.integers(-12, 13, (2, *size, 3))
    return (coarse[:, rows][:, :, columns] + noise).clip(0, 255).astype(np.uint8)


def _shapes(values: Any) -> dict[str, tuple[int | str, ...]]:
    return {
        one.name: tuple(d.dim_param or int(d.dim_value) for d in one.type.tensor_type.shape.dim)
        for one in values
    }
