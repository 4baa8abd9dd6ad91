"""Makes Keras models of many kinds and writes down what Keras says of them; runs by itself.

python keras_zoo.py FOLDER [FILE …]: the models and FILEs are loaded again, and `said.json` in the
folder tells their inputs and outputs, `NAME.npz` what they give for ones (whole numbers: zeros).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def main(folder: Path, others: list[Path]) -> None:
    """Make, load and describe."""
    import keras
    import numpy as np

    made = []
    for name, model in models():
        for suffix in (".keras", ".h5") if name not in ("operations",) else (".keras",):
            model.save(made.append(folder / f"{name}{suffix}") or made[-1])
    said = {}
    for path in [*made, *others]:
        model = keras.saving.load_model(path, compile=False)
        fed = [
            np.ones([2 if size is None else size for size in one.shape], one.dtype)
            if "float" in one.dtype
            else np.zeros([2 if size is None else size for size in one.shape], one.dtype)
            for one in model.inputs
        ]
        flat = keras.tree.flatten(model.outputs)
        given = keras.tree.flatten(keras.Model(model.inputs, flat)(fed))
        np.savez(folder / f"{path.name}.npz", *[np.asarray(one) for one in given])
        said[path.name] = {
            "path": str(path),
            "inputs": [[one.name, list(one.shape), one.dtype] for one in model.inputs],
            "outputs": [[list(one.shape), one.dtype] for one in flat],
        }
    (folder / "said.json").write_text(json.dumps(said))


def models() -> list[tuple[str, Any]]:
    """One model for each thing that a config can hold."""
    import keras
    from keras import layers as L

    keras.utils.set_random_seed(0)
    x, y = keras.Input((8, 8, 3), name="picture"), keras.Input((4,), name="extra")
    h = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", name="conv")(x))
    h = L.GlobalAveragePooling2D()(L.MaxPooling2D()(L.ReLU()(h)))
    joined = L.Concatenate()([h, y])
    ends = [L.Dense(3, "softmax", name="a")(joined), L.Dense(2, name="b")(joined)]
    two = keras.Model([x, y], ends)

    x = keras.Input((5,), name="x")
    dense = L.Dense(5, name="shared")
    h = dense(dense(x))
    shared = keras.Model(x, [L.Add()([h, dense(h)]), h])

    row = keras.Sequential([keras.Input((6,)), L.Dense(4), L.Dense(4)], name="inner_row")
    i = keras.Input((6,))
    graph = keras.Model(i, L.Dense(4, name="deep")(i), name="inner_graph")
    x, z = keras.Input((6,), name="x"), keras.Input((6,), name="z")
    nested = keras.Model([x, z], L.Subtract()([row(x), graph(z)]))

    recurrent = keras.Sequential(
        [
            keras.Input((10,), dtype="int32"),
            L.Embedding(20, 8),
            L.Bidirectional(L.LSTM(5, return_sequences=True)),
            L.TimeDistributed(L.Dense(3)),
            L.GRU(4),
            L.Dense(1, dtype="float64"),
        ]
    )
    many = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            L.Conv2DTranspose(4, 3, strides=2, padding="same"),
            L.ZeroPadding2D(1),
            L.DepthwiseConv2D(3),
            L.SeparableConv2D(5, 3, strides=2),
            L.Cropping2D(1),
            L.UpSampling2D(2),
            L.AveragePooling2D(3, strides=1),
            L.Reshape((-1, 5)),
            L.Permute((2, 1)),
            L.Flatten(),
            L.RepeatVector(2),
            L.LayerNormalization(),
            L.GlobalMaxPooling1D(),
        ]
    )
    x = keras.Input((4,), name="x")
    left, right = keras.ops.split(x * 2.0 + 1.0, 2, axis=1)
    operations = keras.Model({"x": x}, {"left": left, "sum": L.Add()([left, right])})
    half = keras.Sequential(
        [keras.Input((4,)), L.Dense(3, dtype="mixed_float16"), L.Dense(2, dtype="float32")]
    )
    return [
        ("two", two), ("shared", shared), ("nested", nested), ("recurrent", recurrent),
        ("many", many), ("operations", operations), ("half", half),
    ]  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
