"""Which family an operation is of, whoever named it."""

from __future__ import annotations

import pytest

from mlnb.graph.families import FAMILIES, IO, family


@pytest.mark.parametrize(
    ("name", "ops"),
    [
        ("conv", "Conv ConvTranspose Conv2d conv1d LazyConv3d"),
        ("dense", "Gemm MatMul matmul Linear LazyLinear Embedding EmbeddingBag Bmm"),
        ("norm", "LayerNormalization LayerNorm BatchNorm SyncBatchNorm LazyBatchNorm2d RMSNorm"),
        ("activation", "Relu Relu6 Softmax2d GLU LogSigmoid Dropout Hardtanh"),
        ("pool", "MaxPool MaxPool2D AdaptivePool AdaptiveAvgPool2D LPPool1d MaxUnpool3d Unfold"),
        ("attention", "MultiHeadAttention TransformerEncoderLayer TransformerDecoder Transformer"),
        ("attention", "ScaledDotProductAttention"),
        ("recurrent", "LSTM GRU RNN LSTMCell GRUCell"),
        ("merge", "Add Concat PositionalEncoding"),
        ("conv", "Conv2D DepthwiseConv2dNative Conv2DBackpropInput CONV_2D DEPTHWISE_CONV_2D"),
        ("conv", "SeparableConv2D Conv2DTranspose conv2d convolution TRANSPOSE_CONV"),
        ("dense", "FULLY_CONNECTED Dense addmm BatchMatMulV2 BATCH_MATMUL embedding"),
        ("norm", "FusedBatchNormV3 native_layer_norm _native_batch_norm_legit_no_training"),
        ("activation", "LOGISTIC RELU6 relu_ _softmax HARD_SWISH LEAKY_RELU ReLU Activation"),
        ("pool", "MAX_POOL_2D MaxPooling2D GlobalAveragePooling2D max_pool2d_with_indices"),
        ("merge", "AddV2 CONCATENATION ConcatV2 cat Concatenate AddN"),
        ("math", "BiasAdd Multiply ReduceSum"),
        ("shape", "STRIDED_SLICE StridedSlice ExpandDims ReadVariableOp ZeroPadding2D PadV2"),
        ("constant", "Const VarHandleOp VariableV2"),
        ("control", "StatefulPartitionedCall While PartitionedCall"),
        ("other", "Mystery 2d lazy com.example"),
    ],
)
def test_an_operation_is_of_its_family_whoever_wrote_its_name(name: str, ops: str):
    assert {op: family(op).name for op in ops.split()} == dict.fromkeys(ops.split(), name)


def test_the_empty_name_is_of_no_family_and_boxes_at_the_border_have_their_own():
    assert family("").name == "other"
    assert IO in FAMILIES


def test_every_layer_of_torch_that_one_builds_with_has_a_colour():
    nn = pytest.importorskip("torch").nn
    from mlnb.networks.operations import op_of

    holders = """Module Container Sequential ModuleList ModuleDict ParameterList ParameterDict
        RNNBase RNNCellBase DataParallel CosineSimilarity PairwiseDistance"""
    layers = [
        name
        for name, value in vars(nn).items()
        if isinstance(value, type) and issubclass(value, nn.Module) and "Loss" not in name
    ]
    assert len(layers) > 100
    grey = [name for name in layers if family(op_of(name)).name == "other"]
    assert set(grey) <= set(holders.split())
