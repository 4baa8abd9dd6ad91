"""The types of ggml's tensors: how many elements a block has, and how many bytes.

From ggml/include/ggml.h (`enum ggml_type`) and ggml/src/ggml.c (`type_traits`); a quantised type
keeps ggml's name, a plain one has ours.
"""

from __future__ import annotations

from typing import NamedTuple


class TensorType(NamedTuple):
    """A type of elements.

    Args:
        name: ours for plain numbers (`"float16"`), ggml's for blocks (`"Q4_K"`).
        block: elements that are packed together; 1 for plain numbers.
        nbytes: of a block.
    """

    name: str
    block: int
    nbytes: int


_TABLE = """
    0 float32 1 4; 1 float16 1 2; 2 Q4_0 32 18; 3 Q4_1 32 20; 6 Q5_0 32 22; 7 Q5_1 32 24;
    8 Q8_0 32 34; 9 Q8_1 32 36; 10 Q2_K 256 84; 11 Q3_K 256 110; 12 Q4_K 256 144; 13 Q5_K 256 176;
    14 Q6_K 256 210; 15 Q8_K 256 292; 16 IQ2_XXS 256 66; 17 IQ2_XS 256 74; 18 IQ3_XXS 256 98;
    19 IQ1_S 256 50; 20 IQ4_NL 32 18; 21 IQ3_S 256 110; 22 IQ2_S 256 82; 23 IQ4_XS 256 136;
    24 int8 1 1; 25 int16 1 2; 26 int32 1 4; 27 int64 1 8; 28 float64 1 8; 29 IQ1_M 256 56;
    30 bfloat16 1 2; 34 TQ1_0 256 54; 35 TQ2_0 256 66; 39 MXFP4 32 17; 40 NVFP4 64 36;
    41 Q1_0 128 18
"""
"""The number in the file, the name, and of a block the elements and the bytes."""

_ROWS = [row.split() for row in _TABLE.split(";")]
TENSOR_TYPES = {int(n): TensorType(name, int(count), int(size)) for n, name, count, size in _ROWS}
"""The number in the file to the type."""
