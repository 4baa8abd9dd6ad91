"""What a class or function of torch is called in a graph: ONNX's name where there is one.

So colours, folding and counting, which know the operations of model files, serve networks as well.
"""

from __future__ import annotations

import re


def op_of(kind: str) -> str:
    """The operation's name for a class or function of torch: `Conv` for `Conv2d`."""
    for pattern, op in _OP.items():
        if pattern.match(kind):
            return op
    return kind if kind[:1].isupper() else kind.title().replace("_", "")


_OPS = {
    "Conv": r"Conv\dd",
    "ConvTranspose": r"ConvTranspose\dd",
    "BatchNormalization": r"BatchNorm\dd",
    "InstanceNormalization": r"InstanceNorm\dd",
    "LayerNormalization": "LayerNorm",
    "GroupNormalization": "GroupNorm",
    "RMSNormalization": "RMSNorm",
    "LRN": "LocalResponseNorm",
    "MaxPool": r"MaxPool\dd",
    "AveragePool": r"AvgPool\dd",
    "GlobalAveragePool": r"AdaptiveAvgPool\dd",
    "GlobalMaxPool": r"AdaptiveMaxPool\dd",
    "Dropout": r"(Feature)?(Alpha)?Dropout(\dd)?",
    "Relu": "ReLU",
    "LeakyRelu": "LeakyReLU",
    "PRelu": "PReLU",
    "Elu": "ELU",
    "Selu": "SELU",
    "Celu": "CELU",
    "Gelu": "GELU",
    "Silu": "SiLU",
    "HardSwish": "Hardswish",
    "HardSigmoid": "Hardsigmoid",
    "Clip": "ReLU6|Hardtanh",
    "Pad": r"\w+Pad\dd",
    "Transpose": "Permute|permute|transpose",
    "Reshape": "Reshape|Unflatten|view|reshape",
    "DepthToSpace": "PixelShuffle",
    "SpaceToDepth": "PixelUnshuffle",
    "MultiHeadAttention": "Attention|MultiheadAttention",
    "Slice": "LastStep|getitem",
    "Identity": "Identity|AllSteps",
    "Add": "Sum|add|iadd",
    "Mul": "Product|mul",
    "Concat": "Concat|cat|concat",
}
_OP = {re.compile(f"(?:{pattern})$"): op for op, pattern in _OPS.items()}
