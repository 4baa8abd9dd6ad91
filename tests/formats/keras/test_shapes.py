"""The shapes that Keras layers give, by their configs."""

from __future__ import annotations

from typing import Any

import pytest

from mlnb.formats.keras.shapes import output_shape

LSTM = {"class_name": "LSTM", "config": {"units": 5, "return_sequences": True}}


@pytest.mark.parametrize(
    ("layer", "config", "inputs", "wanted"),
    [
        ("Dense", {"units": 3}, [(None, 7, 4)], (None, 7, 3)),
        ("Dropout", {}, [(None, 4)], (None, 4)),
        ("Flatten", {}, [(None, 3, None)], (None, None)),
        ("Reshape", {"target_shape": [-1, 2]}, [(None, 8)], (None, 4, 2)),
        ("Reshape", {"newshape": [-1, 4]}, [(None, None, 4)], (None, 4)),
        ("Permute", {"dims": [2, 1]}, [(None, 3, 4)], (None, 4, 3)),
        ("Embedding", {"output_dim": 8}, [(None, 10)], (None, 10, 8)),
        ("RepeatVector", {"n": 2}, [(None, 10)], (None, 2, 10)),
        ("Add", {}, [(None, 1, 4), (None, 3, 4)], (None, 3, 4)),
        ("Concatenate", {"axis": -1}, [(None, 2), (None, 3)], (None, 5)),
        ("Concatenate", {"axis": 1}, [(None, None, 4), (None, 3, 4)], (None, None, 4)),
        ("Conv1D", {"filters": 2, "kernel_size": [3], "strides": [2], "padding": "causal"},
         [(None, 9, 4)], (None, 5, 2)),
        ("Conv2D", {"filters": 2, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid",
                    "dilation_rate": [2, 2]}, [(None, 9, 9, 1)], (None, 5, 5, 2)),
        ("Conv2D", {"filters": 2, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same",
                    "data_format": "channels_first"}, [(None, 1, 9, None)], (None, 2, 5, None)),
        ("Conv2DTranspose", {"filters": 4, "kernel_size": [3, 3], "strides": [2, 2],
                             "padding": "same"}, [(None, 8, 8, 3)], (None, 16, 16, 4)),
        ("Conv2DTranspose", {"filters": 4, "kernel_size": [3, 3], "strides": [2, 2],
                             "output_padding": [1, 1]}, [(None, 8, 8, 3)], None),
        ("DepthwiseConv2D", {"kernel_size": [3, 3], "strides": [1, 1], "depth_multiplier": 2},
         [(None, 8, 8, 3)], (None, 6, 6, 6)),
        ("MaxPooling2D", {"pool_size": [2, 2], "strides": None, "padding": "valid"},
         [(None, 7, 7, 3)], (None, 3, 3, 3)),
        ("GlobalAveragePooling2D", {"keepdims": True}, [(None, 7, 7, 3)], (None, 1, 1, 3)),
        ("ZeroPadding2D", {"padding": [[1, 2], [0, 1]]}, [(None, 7, 7, 3)], (None, 10, 8, 3)),
        ("Cropping1D", {"cropping": [1, 2]}, [(None, 7, 3)], (None, 4, 3)),
        ("UpSampling2D", {"size": [2, 3]}, [(None, 7, 7, 3)], (None, 14, 21, 3)),
        ("GRU", {"units": 4}, [(None, 9, 3)], (None, 4)),
        ("GRU", {"units": 4, "return_state": True}, [(None, 9, 3)], None),
        ("Bidirectional", {"layer": LSTM, "merge_mode": "concat"}, [(None, 9, 3)], (None, 9, 10)),
        ("TimeDistributed", {"layer": {"class_name": "Dense", "config": {"units": 2}}},
         [(None, 9, 3)], (None, 9, 2)),
        ("NeverHeardOf", {}, [(None, 9)], None),
        ("Dense", {}, [(None, 9)], None),
        ("Dense", {"units": 3}, [None], None),
        ("Dense", {"units": 3}, [], None),
    ],
)  # fmt: skip
def test_a_layer_gives_the_shape_that_keras_computes(
    layer: str, config: dict[str, Any], inputs: list[Any], wanted: Any
) -> None:
    assert output_shape(layer, config, inputs) == wanted
