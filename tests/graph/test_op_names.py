"""One plain name for what every framework writes its own way."""

from __future__ import annotations

import pytest

from mlnb.graph.op_names import plain_op


@pytest.mark.parametrize(
    ("plain", "names"),
    [
        ("conv", "Conv conv2d Conv2d Conv3D CONV_2D LazyConv1d"),
        ("depthwiseconvnative", "DepthwiseConv2dNative"),
        ("convbackpropinput", "Conv2DBackpropInput"),
        ("concat", "Concat ConcatV2"),
        ("fusedbatchnorm", "FusedBatchNorm FusedBatchNormV3"),
        ("maxpoolwithindices", "max_pool2d_with_indices"),
        ("stridedslice", "StridedSlice STRIDED_SLICE"),
        ("splitv", "SplitV SPLIT_V"),
        ("2d", "2d"),
        ("", "_"),
    ],
)
def test_decoration_is_taken_off(plain: str, names: str):
    assert {plain_op(name) for name in names.split()} == {plain}
