"""Files of several formats in a folder, for tests of what one sees: `write_formats`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from models_made import tensorflow_models as tf
from models_made import tflite_models as tflite

TOLD = "reads files"


def write_formats(folder: Path) -> None:
    """A frozen graph, a SavedModel that reads a file, TFLite files, and weights."""
    (folder / "frozen.pb").write_bytes(tf.classifier())
    (folder / "reader").mkdir()
    (folder / "reader" / "saved_model.pb").write_bytes(reading_folder(str(folder / "secret.txt")))
    (folder / "secret.txt").write_bytes(b"\1\2\3")
    (folder / "small.tflite").write_bytes(tflite.quantised())
    (folder / "several.tflite").write_bytes(tflite.signatures())
    (folder / "named.tflite").write_bytes(tflite.described())
    (folder / "weights.safetensors").write_bytes(weights())


def reading_folder(path: str) -> bytes:
    """A SavedModel with a small network, and a function in it that reads a file."""
    read = tf.function_def(
        "read",
        {"x": "float32"},
        {"y": "sum:z:0"},
        [
            tf.const("name", np.array(path.encode(), object)),
            tf.node("file/ReadFile", "ReadFile", "name:output:0"),
            tf.node("file/bytes", "DecodeRaw", "file/ReadFile:contents:0", out_type=_BYTES),
            tf.node("file/Cast", "Cast", "file/bytes:output:0", SrcT=_BYTES, DstT=tf.F),
            tf.const("axes", np.array([0], np.int32)),
            tf.node("file/Sum", "Sum", "file/Cast:y:0", "axes:output:0", T=tf.F, Tidx=_INT),
            tf.node("sum", "AddV2", "x", "file/Sum:output:0", T=tf.F),
        ],
    )
    call = tf.node(
        "secret/call",
        "PartitionedCall",
        "softmax2",
        Tin=tf.types("float32"),
        Tout=tf.types("float32"),
        f=tf.function("read"),
    )
    graph = tf.graph_def([*tf.classifier_nodes(), call], [read])
    ends = (
        {"features": ("input:0", "float32", (None, 3))},
        {"scores": ("secret/call:0", "float32", (None, 2))},
    )
    return tf.saved_model(graph, {"serving_default": ends})


_BYTES, _INT = tf.dtype("uint8"), tf.dtype("int32")


def weights(blocks: int = 3) -> bytes:
    """Weights of a small encoder as safetensors."""
    shapes = {"embed.weight": [16, 8]}
    for block in range(blocks):
        shapes[f"layers.{block}.attention.weight"] = [8, 24]
        shapes[f"layers.{block}.norm.weight"] = [8]
    header, at = {}, 0
    for name, shape in shapes.items():
        end = at + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + bytes(at)
