"""Which family an operation belongs to, and its colour: the stripe on its box.

The colours are told apart by people with red-green blindness too; the name of the operation stands
on every box, so that no colour bears meaning alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Family(NamedTuple):
    """A kind of operation, such as `conv`, and the colour of its stripe."""

    name: str
    color: str


_MEMBERS = {
    Family("conv", "#4c78a8"): (
        "Conv ConvTranspose ConvInteger QLinearConv QLinearConvTranspose DeformConv FusedConv"
    ),
    Family("dense", "#c8553d"): (
        "Gemm MatMul MatMulInteger QLinearMatMul QGemm FusedMatMul FusedGemm MatMulNBits "
        "MatMulIntegerToFloat DynamicQuantizeMatMul Einsum Linear Bilinear Bmm Addmm "
        "Embedding EmbeddingBag"
    ),
    Family("norm", "#5aa9a4"): (
        "BatchNormalization LayerNormalization InstanceNormalization GroupNormalization "
        "RMSNormalization LpNormalization MeanVarianceNormalization LRN SkipLayerNormalization "
        "SimplifiedLayerNormalization SkipSimplifiedLayerNormalization EmbedLayerNormalization "
        "BatchNorm LayerNorm InstanceNorm GroupNorm RMSNorm SyncBatchNorm LocalResponseNorm "
        "CrossMapLRN Normalize"
    ),
    Family("activation", "#dd9b2b"): (
        "Relu LeakyRelu PRelu Elu Selu Celu Gelu FastGelu BiasGelu QuickGelu Sigmoid HardSigmoid "
        "HardSwish Swish Mish Silu Tanh Softmax LogSoftmax Hardmax Softplus Softsign "
        "ThresholdedRelu Clip Shrink Dropout QLinearSigmoid QLinearLeakyRelu QLinearSoftmax "
        "GLU RReLU Relu6 Hardtanh LogSigmoid Softmin Hardshrink Softshrink Tanhshrink Threshold "
        "Clamp"
    ),
    Family("pool", "#9d755d"): (
        "MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool MaxRoiPool "
        "MaxUnpool RoiAlign QLinearAveragePool QLinearGlobalAveragePool Resize Upsample "
        "GridSample AffineGrid DepthToSpace SpaceToDepth AdaptivePool AdaptiveAvgPool "
        "AdaptiveMaxPool AvgPool FractionalMaxPool Interpolate UpsamplingBilinear "
        "UpsamplingNearest Fold Unfold ChannelShuffle"
    ),
    Family("merge", "#7f8c3f"): (
        "Add Sum Concat QLinearAdd QLinearConcat SequenceConstruct Mean PositionalEncoding Stack"
    ),
    Family("math", "#5f8f6b"): (
        "Sub Mul Div Pow Mod Abs Neg Sign Exp Log Sqrt Reciprocal Floor Ceil Round Erf Sin Cos Tan "
        "Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Max Min ReduceMean ReduceSum ReduceMax "
        "ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare "
        "CumSum ArgMax ArgMin TopK Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor "
        "Where Det Inverse DFT STFT MelWeightMatrix QLinearMul BitShift BitwiseAnd BitwiseOr "
        "BitwiseXor BitwiseNot Truediv IsNaN IsInf NonMaxSuppression Bernoulli RandomNormal "
        "RandomUniform RandomNormalLike RandomUniformLike Multinomial NonZero Unique"
    ),
    Family("attention", "#b05c98"): (
        "Attention MultiHeadAttention GroupQueryAttention PackedAttention QAttention "
        "RotaryEmbedding DecoderMaskedMultiHeadAttention LongformerAttention FlexAttention "
        "ScaledDotProductAttention Transformer TransformerEncoder TransformerEncoderLayer "
        "TransformerDecoder TransformerDecoderLayer"
    ),
    Family("recurrent", "#7b61a8"): "LSTM GRU RNN DynamicQuantizeLSTM LSTMCell GRUCell RNNCell",
    Family("shape", "#98a2b3"): (
        "Reshape Transpose Flatten Squeeze Unsqueeze Expand Slice Split Gather GatherElements "
        "GatherND ScatterElements ScatterND Scatter Pad Tile Shape Size Cast CastLike Identity "
        "Range OneHot Compress Trilu EyeLike ReverseSequence CenterCropPad Col2Im TensorScatter "
        "QuantizeLinear DequantizeLinear DynamicQuantizeLinear BitCast SplitToSequence "
        "SequenceAt SequenceInsert SequenceErase SequenceLength SequenceEmpty ConcatFromSequence"
    ),
    Family("constant", "#b8aea8"): "Constant ConstantOfShape",
    Family("control", "#a63d57"): "If Loop Scan SequenceMap Optional OptionalGetElement",
    Family("io", "#5b6472"): "",
    Family("other", "#8a93a0"): "",
}

FAMILIES: tuple[Family, ...] = tuple(_MEMBERS)
"""Every family, in a fixed order; the payload names them by their place in it."""

_BY_NAME = {family.name: family for family in FAMILIES}
_BY_OP = {op: family for family, ops in _MEMBERS.items() for op in ops.split()}
_BY_LOWER = {op.lower(): family for op, family in _BY_OP.items()}
_DECORATION = re.compile("^lazy|[123]d$")

IO = _BY_NAME["io"]


def family(op: str) -> Family:
    """The family of an operation, `other` for one that is not known.

    Networks name some operations as torch does, so case and dimensions do not matter: `Conv2d`.

    >>> family("Conv")
    Family(name='conv', color='#4c78a8')
    """
    found = _BY_OP.get(op)
    if found is None:
        lower = op.lower()
        found = _BY_LOWER.get(lower) or _BY_LOWER.get(_DECORATION.sub("", lower))
    return found or _BY_NAME["other"]
