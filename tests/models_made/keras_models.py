"""Keras files made in code, without Keras: configs of both dialects, and HDF5 by h5py."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Shape = Sequence[int | None]


def entry(kind: str, name: str, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    """One layer as Keras 3 writes it."""
    return {
        "module": module,
        "class_name": kind,
        "config": {"name": name, "dtype": _policy("float32"), **config},
        "registered_name": None,
    }


def input_layer(name: str, shape: Shape, dtype: str = "float32") -> dict[str, Any]:
    """What a model is fed by."""
    return entry("InputLayer", name, batch_shape=list(shape), dtype=dtype)


def dense(name: str, units: int, **more: Any) -> dict[str, Any]:
    """A Dense layer."""
    return entry("Dense", name, units=units, activation="relu", use_bias=True, **more)


def sequential(layers: list[Any], name: str = "row") -> dict[str, Any]:
    """A Sequential of these layers."""
    return entry("Sequential", name, "keras", layers=layers)


def tensor(layer: str, shape: Shape, call: int = 0, output: int = 0) -> dict[str, Any]:
    """A tensor among the arguments of a call, as Keras 3 writes it."""
    history = [layer, call, output]
    config = {"shape": list(shape), "dtype": "float32", "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}


def called(layer: dict[str, Any], *calls: list[Any]) -> dict[str, Any]:
    """A layer of a Functional model with its calls, each a list of arguments."""
    nodes = [{"args": list(args), "kwargs": {}} for args in calls]
    return {**layer, "name": layer["config"]["name"], "inbound_nodes": nodes}


def functional(
    layers: list[Any], inputs: Any, outputs: Any, name: str = "net", module: str = "keras"
) -> dict[str, Any]:
    """A Functional model; `inputs` and `outputs` as `[layer, call, output]` or what holds those."""
    return entry(
        "Functional", name, module, layers=layers, input_layers=inputs, output_layers=outputs
    )


def row_of_two() -> dict[str, Any]:
    """Flatten and two Dense layers over pictures of 4 by 4."""
    return sequential(
        [
            input_layer("pixels", [None, 4, 4]),
            entry("Flatten", "flat"),
            dense("hidden", 3),
            dense("scores", 2),
        ]
    )


def row_weights() -> dict[str, Any]:
    """The weights of `row_of_two` by their places in a `.keras` file."""
    sizes = {"dense/vars/0": (16, 3), "dense/vars/1": (3,), "dense_1/vars/0": (3, 2)}
    sizes["dense_1/vars/1"] = (2,)
    return {f"layers/{name}": _numbers(shape) for name, shape in sizes.items()}


def branching() -> dict[str, Any]:
    """Two inputs, a shared layer called twice, a nested model, two outputs."""
    inner = functional(
        [
            called(input_layer("inner_in", [None, 3])),
            called(dense("deep", 5), [tensor("inner_in", [None, 3])]),
        ],
        ["inner_in", 0, 0],
        ["deep", 0, 0],
        "inner",
    )
    layers = [
        called(input_layer("a", [None, 3])),
        called(input_layer("b", [None, 3])),
        called(dense("shared", 3), [tensor("a", [None, 3])], [tensor("b", [None, 3])]),
        called(inner, [tensor("shared", [None, 3], 1)]),
        called(
            entry("Add", "sum"),
            [[tensor("shared", [None, 3]), tensor("shared", [None, 3], 1)]],
        ),
    ]
    return functional(
        layers, [["a", 0, 0], ["b", 0, 0]], {"total": ["sum", 0, 0], "code": ["inner", 1, 0]}
    )


def old_row() -> dict[str, Any]:
    """A Sequential as Keras 2 wrote it: no InputLayer, dtypes as strings."""
    layers = [
        {
            "class_name": "Conv2D",
            "config": {
                "name": "conv", "batch_input_shape": [None, 8, 8, 1], "filters": 2,
                "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid", "dtype": "float32",
            },
        },
        {"class_name": "GlobalAveragePooling2D", "config": {"name": "pool"}},
    ]  # fmt: skip
    return {"class_name": "Sequential", "config": {"name": "old", "layers": layers}}


def keras_zip(
    config: Any,
    weights: Mapping[str, Any] | None = None,
    *,
    packed: bool = False,
    members: Mapping[str, bytes] | None = None,
) -> bytes:
    """A `.keras` file; `members` replaces or adds some."""
    text = config if isinstance(config, str) else json.dumps(config)
    said = {"keras_version": "3.15.1", "date_saved": "2026-11-21@12:00:00"}
    content = {
        "metadata.json": json.dumps(said).encode(),
        "config.json": text.encode(),
        **({} if weights is None else {"model.weights.h5": hdf5(weights)}),
        **(members or {}),
    }
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def hdf5(tensors: Mapping[str, Any], attributes: Mapping[str, Any] | None = None) -> bytes:
    """An HDF5 file: data sets by path, attributes by `group@name`."""
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w", libver="latest") as file:
        for path, value in tensors.items():
            file.create_dataset(path, data=value, track_times=False)
        for place, value in (attributes or {}).items():
            group, _, name = place.rpartition("@")
            file.require_group(group or "/").attrs[name] = value
    return out.getvalue()


def keras_h5(config: Any, weights: Mapping[str, Mapping[str, Any]] | None = None) -> bytes:
    """A model in the old format: weights by layer and by name."""
    tensors, attributes = {}, {"@keras_version": "2.9.0", "@backend": "tensorflow"}
    attributes["@model_config"] = json.dumps(config)
    attributes["model_weights@layer_names"] = list(weights or {})
    for layer, named in (weights or {}).items():
        attributes[f"model_weights/{layer}@weight_names"] = list(named)
        for name, value in named.items():
            tensors[f"model_weights/{layer}/{name}"] = value
    return hdf5(tensors, attributes)


def old_weights() -> dict[str, dict[str, Any]]:
    """The weights of `old_row`."""
    kernel = {"conv/kernel:0": _numbers((3, 3, 1, 2)), "conv/bias:0": _numbers((2,))}
    return {"conv": kernel, "pool": {}}


def good_keras() -> list[bytes]:
    """Small files that are right in every respect."""
    return [
        keras_zip(row_of_two(), row_weights()),
        keras_zip(branching(), {}),
        keras_zip(row_of_two(), row_weights(), packed=True),
    ]


def good_keras_h5() -> list[bytes]:
    """The same in the old format."""
    return [keras_h5(old_row(), old_weights()), hdf5(row_weights())]


def _policy(name: str) -> dict[str, Any]:
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}}


def _numbers(shape: tuple[int, ...]) -> Any:
    count = int(np.prod(shape))
    return (np.arange(count, dtype=np.float32) / count - 0.5).reshape(shape)
