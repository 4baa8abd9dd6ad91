"""Which family an operation belongs to, and its colour: the stripe on its box.

The colours are told apart by people with red-green blindness too; the name of the operation stands
on every box, so that no colour bears meaning alone.
"""

from __future__ import annotations

from typing import NamedTuple

from mlnb.graph.op_names import plain_op


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
        "Add Sum Concat QLinearAdd QLinearConcat SequenceConstruct PositionalEncoding Stack"
    ),
    Family("math", "#5f8f6b"): (
        "Sub Mul Div Pow Mod Abs Neg Sign Exp Log Sqrt Reciprocal Floor Ceil Round Erf Sin Cos Tan "
        "Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Max Min ReduceMean ReduceSum ReduceMax "
        "ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare "
        "CumSum ArgMax ArgMin TopK Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor "
        "Where Mean Det Inverse DFT STFT MelWeightMatrix QLinearMul BitShift BitwiseAnd BitwiseOr "
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

_ELSEWHERE = {
    "conv": (
        "DepthwiseConv2dNative Conv2DBackpropInput DepthwiseConv TransposeConv SeparableConv "
        "Conv2DTranspose SpatialConvolution Convolution FusedConv2D FusedDepthwiseConv2dNative "
        "QuantizedConv2D"
    ),
    "dense": (
        "FullyConnected Dense EinsumDense BatchMatMul SparseMatMul FusedMatMul Mm Baddbmm "
        "EmbeddingLookup EmbeddingLookupSparse ResourceGather LinearReluDynamic"
    ),
    "norm": (
        "FusedBatchNorm FusedBatchNormEx BatchNormWithGlobalNormalization L2Normalization "
        "L2Normalize LocalResponseNormalization UnitNormalization Normalization "
        "NativeBatchNorm NativeLayerNorm NativeGroupNorm NativeBatchNormLegitNoTraining"
    ),
    "activation": (
        "Activation LogisticRelu Logistic ReluN1To1 Relu0To1 Hardswish HSwish SpatialDropout "
        "AlphaDropout GaussianDropout GaussianNoise SafeSoftmax ReLU"
    ),
    "pool": (
        "MaxPooling AveragePooling GlobalAveragePooling GlobalMaxPooling GlobalAvgPool AvgPool "
        "MaxPoolWithIndices MaxPoolWithArgmax ResizeBilinear ResizeNearestNeighbor ResizeBicubic "
        "UpSampling UpsampleNearest UpsampleBilinear Resizing Rescaling CropAndResize "
        "AdaptiveAveragePool NonMaxSuppressionPool"
    ),
    "merge": "AddN Concatenate Concatenation Cat Pack Average Addcmul ParallelConcat",
    "math": (
        "Multiply Subtract Maximum Minimum RealDiv FloorDiv FloorMod Prod Any All LogicalAnd "
        "LogicalOr LogicalNot NotEqual Rsqrt Square SquaredDifference ScalarTensor Var Std "
        "ReduceAll ReduceAny RandomStandardNormal RandomUniformInt DecodeJpeg DecodePng "
        "TFLiteDetectionPostProcess NonMaxSuppressionWithScores CombinedNonMaxSuppression Cumsum "
        "StringSplit StringJoin StringLower RegexReplace StringFormat AsString StringToNumber "
        "ReduceJoin BiasAdd "
        "Eq Ne Gt Ge Lt Le Amax Amin Norm Rfft Irfft Softcap Argsort Sort Bucketize"
    ),
    "attention": "AdditiveAttention ScaledDotProductEfficientAttention GroupedQueryAttention",
    "recurrent": (
        "UnidirectionalSequenceLSTM BidirectionalSequenceLSTM UnidirectionalSequenceRNN "
        "BidirectionalSequenceRNN SVDF SimpleRNN ConvLSTM Bidirectional BlockLSTM CudnnRNN "
        "StackedRNNCells"
    ),
    "shape": (
        "ExpandDims StridedSlice SplitV Fill Pad PadV MirrorPad ZeroPadding Cropping Permute View "
        "ReshapeAs Contiguous Clone Detach To ReadVariableOp SpaceToBatch BatchToSpace "
        "SpaceToBatchND BatchToSpaceND BroadcastTo BroadcastArgs Quantize Dequantize Reverse Rank "
        "RepeatVector Masking Unpack Unstack Unbind Select Narrow Chunk FakeQuant "
        "FakeQuantWithMinMaxVars StopGradient PreventGradient Snapshot Alias T Numel SymSize "
        "PlaceholderWithDefault EnsureShape Roll Flip Index IndexSelect Getitem"
    ),
    "constant": (
        "Const VarHandleOp Variable VariableOp TemporaryVariable HashTable LookupTable GetAttr "
        "Arange Full FullLike Zeros Ones ZerosLike OnesLike NewZeros NewOnes"
    ),
    "control": (
        "While StatelessWhile StatelessIf Switch RefSwitch Merge Enter Exit NextIteration "
        "LoopCond PartitionedCall StatefulPartitionedCall Call CallOnce Case Cond NoOp Assert "
        "TimeDistributed"
    ),
    "io": "Placeholder InputLayer",
}
"""What the other frameworks call them."""

_BY_NAME = {family.name: family for family in FAMILIES}
_BY_PLAIN = {plain_op(op): _BY_NAME[name] for name, ops in _ELSEWHERE.items() for op in ops.split()}
_BY_PLAIN |= {plain_op(op): family for family, ops in _MEMBERS.items() for op in ops.split()}

IO = _BY_NAME["io"]


def family(op: str) -> Family:
    """The family of an operation, `other` for one that is not known.

    Every framework's way of writing will do: `Conv`, `Conv2d`, `CONV_2D`.

    >>> family("Conv")
    Family(name='conv', color='#4c78a8')
    """
    return _BY_PLAIN.get(plain_op(op), _BY_NAME["other"])
