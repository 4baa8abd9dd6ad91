"""Runs a Keras model: Keras itself on TensorFlow, in the child "tensorflow".

Keras loads in safe mode and without compiling: no layer's code comes from the file. What would need
code is refused before Keras sees the file, and there is no way around that here.

Keras calls a function once for each new set of outputs; it is kept, so that inner layers
(`model.cut(outputs=["conv5"])`) cost one more build and then run as fast as the model's own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mlnb.errors import ModelRunError, need, unknown
from mlnb.formats.archive import BEGINNING
from mlnb.formats.keras.model import KerasModelFile
from mlnb.formatting import display_text
from mlnb.models.runtimes import sessions

_KEPT_CUTS = 8


def predict(
    address: str, feeds: Mapping[str, Any], outputs: Sequence[str], **how: Any
) -> list[Any] | None:
    """The outputs in the order asked for, the device, and notes; see `sessions.predict`."""
    return sessions.predict(_open, address, feeds, outputs, watch=True, **how)


def device() -> str:
    """What models run on here: `"CUDA"` or `"CPU"`."""
    tensorflow = need("tensorflow", "tensorflow")
    return "CUDA" if tensorflow.config.list_physical_devices("GPU") else "CPU"


def keras_on_tensorflow() -> Any:
    """The keras package, on the backend TensorFlow.

    Raises:
        MissingExtra: keras or TensorFlow is not installed.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    need("tensorflow", "tensorflow")
    return need("keras", "tensorflow")


def load(model: Mapping[str, Any], source: str | bytes) -> Any:
    """The Keras model in a file or in bytes.

    Args:
        model: its address; `refused` in it names the layers that are not loaded.
        source: the path or the content.

    Raises:
        ModelRunError: it needs code that is not loaded, or Keras does not take it.
    """
    if model.get("refused"):
        raise ModelRunError(_refusal(model["refused"]))
    keras = keras_on_tensorflow()
    try:
        with sessions.as_file(source, _suffix(source)) as path:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise _not_loaded(error) from error


def _open(model: Mapping[str, Any], source: str | bytes) -> _Session:
    return _Session(load(model, source), model)


def _suffix(source: str | bytes) -> str:
    """Keras tells formats by the extension, which a file may have any of."""
    if isinstance(source, bytes):
        return ".keras" if source.startswith(BEGINNING) else ".h5"
    with open(source, "rb") as file:
        return _suffix(file.read(len(BEGINNING)))


class _Session:
    """A loaded model, and a function for each set of outputs asked for.

    Args:
        model: of Keras.
        address: names the inputs in the order in which the file has them.
    """

    def __init__(self, model: Any, address: Mapping[str, Any]) -> None:
        self._model = model
        self._names = list(address["inputs"])
        self._whole = list(address["outputs"])
        self._functions: dict[tuple[str, ...], Any] = {}
        self.device = device()
        self.notes: tuple[str, ...] = ()

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]:
        """The outputs by name; see `sessions.Session`."""
        function = self._function(tuple(outputs))
        try:
            values = function([_tensor(feeds[name]) for name in self._names])
        except Exception as error:
            raise ModelRunError(_short(error)) from error
        return [np.asarray(value) for value in values]

    def _function(self, outputs: tuple[str, ...]) -> Any:
        if outputs not in self._functions:
            while len(self._functions) >= _KEPT_CUTS:
                self._functions.pop(next(iter(self._functions)))
            self._functions[outputs] = self._made(outputs)
        return self._functions[outputs]

    def _made(self, outputs: tuple[str, ...]) -> Any:
        tensorflow = need("tensorflow", "tensorflow")
        wanted = part(self._model, outputs, self._whole)

        @tensorflow.function(reduce_retracing=True)
        def run(values: list[Any]) -> list[Any]:
            given: list[Any] = wanted(values)
            return given

        return run


def part(model: Any, outputs: Sequence[str], whole: Sequence[str]) -> Callable[[list[Any]], Any]:
    """A function of the model's inputs, in their order, that gives these outputs as a list.

    Args:
        model: of Keras.
        outputs: names as `mlnb.formats.keras.graph` gives them to tensors.
        whole: the names of the model's own outputs, in their order.

    Raises:
        ModelRunError: the model has never been built.
        UnknownName: it has no such layer.
    """
    keras = keras_on_tensorflow()
    if not model.built or not getattr(model, "inputs", None):
        raise ModelRunError(
            "the model was saved before it was built, so that it has no weights yet: call it "
            "once on data in Keras and save it again"
        )
    inner = keras.Model(
        list(model.inputs), [_tensor_called(model, name, whole) for name in outputs]
    )

    def run(values: list[Any]) -> list[Any]:
        given: list[Any] = keras.tree.flatten(inner(values, training=False))
        return given

    return run


def _tensor(value: Any) -> Any:
    tensorflow = need("tensorflow", "tensorflow")
    return tensorflow.constant(value)


def _tensor_called(model: Any, name: str, whole: Sequence[str]) -> Any:
    """The symbolic tensor that the reader of the file calls so: see `mlnb.formats.keras.graph`."""
    if name in whole:
        keras = keras_on_tensorflow()
        return keras.tree.flatten(model.outputs)[whole.index(name)]
    return _inner(model, name, list(model.inputs))


_CALLED = re.compile(r"(?P<layer>.*?)(@(?P<call>\d+))?(:(?P<output>\d+))?", re.DOTALL)


def _inner(model: Any, name: str, fed: list[Any]) -> Any:
    """A layer's tensor; behind a nested model's name, one inside of it, on what that is fed."""
    keras = keras_on_tensorflow()
    layers = {layer.name: layer for layer in model.layers}
    outer, _, rest = name.partition("/")
    if rest and outer in layers and hasattr(layers[outer], "layers"):
        nested = layers[outer]
        inside = keras.Model(list(nested.inputs), _inner(nested, rest, list(nested.inputs)))
        read = keras.tree.flatten(nested._inbound_nodes[-1].input_tensors)
        return inside(read if len(read) > 1 else read[0])
    found = _CALLED.fullmatch(name)
    assert found is not None
    layer = layers.get(found["layer"]) or _operation(model, found["layer"])
    if layer is None:
        raise unknown("layer", name, layers)
    nodes = layer._inbound_nodes
    node = nodes[min(int(found["call"] or 1), len(nodes)) - 1]
    return node.output_tensors[int(found["output"] or 0)]


def _operation(model: Any, name: str) -> Any:
    every = getattr(model, "operations", ())
    return next((one for one in every if one.name == name), None)


def _refusal(refused: Sequence[Sequence[str]]) -> str:
    """Which layers, why, and what to do; never how to load them all the same."""
    shown = ", ".join(f"{display_text(node)} ({display_text(op)})" for op, node, _ in refused[:5])
    more = f" and {len(refused) - 5} more" if len(refused) > 5 else ""
    why = display_text(refused[0][2], 200)
    return f"{shown}{more}: {why}. It can be looked at as it is; {KerasModelFile.advice}"


_UNKNOWN = re.compile(r"(?:Unknown layer|Could not locate class|Unknown [\w ]+):? '?([\w>.]+)'?")


def _not_loaded(error: Exception) -> ModelRunError:
    text = str(error)
    found = _UNKNOWN.search(text)
    if found:
        why = "Keras does not know this class"
        return ModelRunError(_refusal([[found[1], found[1], why]]))
    return ModelRunError(f"Keras does not load it: {_short(error)}")


def _short(error: Exception) -> str:
    """The first line that says something, and the rest in a second line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines)
    return display_text(text, 300) or type(error).__name__
