"""One name for an operation that every framework writes its own way.

`Conv2D`, `CONV_2D`, `Conv2d` and `conv2d` are a convolution, `ConcatV2` is a concatenation. Colours
and folding go by this plain name; the picture shows the file's own.
"""

from __future__ import annotations

import re
from functools import lru_cache

_DECORATION = re.compile(r"^lazy|(?<=[a-z])[123]d(?=$|native|backprop|with)|v\d$")


@lru_cache(4096)
def plain_op(op: str) -> str:
    """The name in lower case, without underscores, dimensions and the version of its definition.

    >>> [plain_op(op) for op in ("Conv2d", "DEPTHWISE_CONV_2D", "FusedBatchNormV3", "relu_")]
    ['conv', 'depthwiseconv', 'fusedbatchnorm', 'relu']
    """
    return _DECORATION.sub("", op.replace("_", "").lower())
