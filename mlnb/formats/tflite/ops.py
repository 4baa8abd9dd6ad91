"""What TFLite's operators are called, and the options of each that are worth a look.

The names stand in the order of `BuiltinOperator`, the options under the number that they have in
the unions `BuiltinOptions` and `BuiltinOptions2`, each with its fields in the order of the schema:
`name:kind=default`, where the kind is `int` unless it says so, and `-` a field that is not shown.

The schema: https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from mlnb.formats.tflite.flatbuffer import BOOL, BYTE, INT, LONG, UBYTE, Table
from mlnb.formats.tflite.tensors import dtype_name

CUSTOM = 32


class Operator(NamedTuple):
    """One of the file's operator codes.

    Args:
        name: the schema's, or the author's for an operator of their own.
        domain: `"custom"` for such a one, else empty.
        version: of the operator.
    """

    name: str
    domain: str
    version: int


def operator(code: Table) -> Operator:
    """The operator that an OperatorCode names; newer numbers than these are named by number."""
    # Numbers up to 127 stand in the old field of one byte, and in the new one only since 2020.
    number = max(code.number(0, BYTE), code.number(3, INT))
    version = code.number(2, INT, 1)
    if number == CUSTOM:
        return Operator(code.text(1) or "CUSTOM", "custom", version)
    known = 0 <= number < len(OPERATORS)
    return Operator(OPERATORS[number] if known else f"BUILTIN_{number}", "", version)


def options(node: Table) -> tuple[dict[str, Any], dict[str, int]]:
    """What an Operator was given, and the subgraphs it runs, each by name.

    >>> options(table_of_a_while)
    ({}, {"cond": 1, "body": 2})
    """
    attributes: dict[str, Any] = {}
    called: dict[str, int] = {}
    for kind, table, known in ((3, 4, _OPTIONS), (11, 12, _OPTIONS_2)):
        given = node.table(table)
        if given is None:
            continue
        for i, name, read, default in _fields(known.get(node.number(kind, UBYTE), "")):
            value = read(given, i, default)
            if name in _CALLS:
                called[_CALLS[name]] = value
            elif name == "branch_subgraph_indices":
                called.update({f"branch[{n}]": index for n, index in enumerate(value)})
            else:
                attributes[name] = value
    return attributes, called


_CALLS = {
    "subgraph": "body",
    "then_subgraph_index": "then",
    "else_subgraph_index": "else",
    "cond_subgraph_index": "cond",
    "body_subgraph_index": "body",
    "init_subgraph_index": "init",
    "update_computation_subgraph_index": "update",
    "comparator_subgraph_index": "comparator",
    "decomposition_subgraph_index": "body",
}

_Field = tuple[int, str, Callable[[Table, int, int], Any], int]


@lru_cache(maxsize=256)
def _fields(written: str) -> tuple[_Field, ...]:
    found: list[_Field] = []
    for i, field in enumerate(written.split()):
        name, _, default = field.partition("=")
        name, _, kind = name.partition(":")
        if name != "-":
            found.append((i, name, _KINDS[kind], int(default or 0)))
    return tuple(found)


def _choice(*names: str) -> Callable[[Table, int, int], str]:
    """An enum of one byte; a newer value than these is shown as its number."""

    def read(table: Table, field: int, default: int) -> str:
        number = table.number(field, BYTE, default)
        return names[number] if 0 <= number < len(names) else str(number)

    return read


_KINDS: Mapping[str, Callable[[Table, int, int], Any]] = {
    "": lambda table, field, default: table.number(field, INT, default),
    "byte": lambda table, field, default: table.number(field, BYTE, default),
    "long": lambda table, field, default: table.number(field, LONG, default),
    "bool": lambda table, field, default: bool(table.number(field, BOOL, default)),
    "float": lambda table, field, _: table.real(field),
    "text": lambda table, field, _: table.text(field),
    "ints": lambda table, field, _: tuple(table.numbers(field, "i")),
    "longs": lambda table, field, _: tuple(table.numbers(field, "q")),
    "bools": lambda table, field, _: tuple(table.numbers(field, "?")),
    "floats": lambda table, field, _: tuple(table.reals(field, "f")),
    "dtype": lambda table, field, default: dtype_name(table.number(field, BYTE, default)),
    "padding": _choice("SAME", "VALID"),
    "activation": _choice("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"),
    "mirror": _choice("REFLECT", "SYMMETRIC"),
    "weights": _choice("DEFAULT", "SHUFFLED4x16INT8"),
    "lstm": _choice("FULL", "BASIC"),
    "combiner": _choice("SUM", "MEAN", "SQRTN"),
    "direction": _choice("EQ", "NE", "GE", "GT", "LE", "LT"),
    "comparison": _choice("NOTYPE", "FLOAT", "FLOAT_TOTAL_ORDER", "SIGNED", "UNSIGNED"),
    "random": _choice("DEFAULT", "PHILOX", "THREEFRY"),
    "reducer": _choice("UNSUPPORTED", "ADD", "MUL", "MINIMUM", "MAXIMUM", "ALL", "ANY"),
}

_NAMES = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D
LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1
RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM
CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND
SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE
BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM
CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE
SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW
ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK
REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR
LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS
WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE
NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM
BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG
REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL
CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL
BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD
UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR
RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY
STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE
STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL
STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL
STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER
STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH
STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE
STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL
STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE
DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT
STABLEHLO_CBRT STABLEHLO_CASE
"""
OPERATORS = tuple(_NAMES.split())

_OPTIONS: Mapping[int, str] = {
    1: (
        "padding:padding stride_w stride_h fused_activation_function:activation "
        "dilation_w_factor=1 dilation_h_factor=1"
    ),
    2: (
        "padding:padding stride_w stride_h depth_multiplier "
        "fused_activation_function:activation dilation_w_factor=1 dilation_h_factor=1"
    ),
    3: "num_channels num_columns_per_channel:ints embedding_dim_per_channel:ints",
    4: "type:byte",
    5: (
        "padding:padding stride_w stride_h filter_width filter_height "
        "fused_activation_function:activation"
    ),
    6: "rank fused_activation_function:activation",
    7: "fused_activation_function:activation",
    8: "fused_activation_function:activation weights_format:weights keep_num_dims:bool",
    9: "beta:float",
    10: "axis fused_activation_function:activation",
    11: "fused_activation_function:activation pot_scale_int16:bool=1",
    12: "fused_activation_function:activation",
    13: "radius bias:float alpha:float beta:float",
    14: "fused_activation_function:activation cell_clip:float proj_clip:float kernel_type:lstm",
    15: "- - align_corners:bool half_pixel_centers:bool",
    16: "subgraph",
    17: "new_shape:ints",
    18: "ngram_size max_skip_size include_all_ngrams:bool",
    19: "block_size",
    20: "combiner:combiner",
    21: "fused_activation_function:activation",
    23: "axis batch_dims",
    27: "keep_dims:bool",
    28: "fused_activation_function:activation pot_scale_int16:bool=1",
    29: "fused_activation_function:activation",
    30: "squeeze_dims:ints",
    31: "time_major:bool fused_activation_function:activation",
    32: "begin_mask end_mask ellipsis_mask new_axis_mask shrink_axis_mask offset:bool",
    35: "num_splits",
    37: "in_data_type:dtype out_data_type:dtype",
    40: "output_type:dtype",
    49: "padding:padding stride_w stride_h fused_activation_function:activation",
    50: "validate_indices:bool",
    55: "out_type:dtype",
    57: "output_type:dtype",
    58: "min:float max:float num_bits narrow_range:bool",
    59: "values_count axis",
    61: "axis",
    64: "num axis",
    69: (
        "fused_activation_function:activation cell_clip:float proj_clip:float "
        "merge_outputs:bool time_major:bool=1"
    ),
    70: "time_major:bool fused_activation_function:activation merge_outputs:bool",
    71: (
        "fused_activation_function:activation cell_clip:float proj_clip:float time_major:bool "
        "- diagonal_recurrent_tensors:bool"
    ),
    74: "align_corners:bool half_pixel_centers:bool",
    75: "alpha:float",
    77: "mode:mirror",
    79: "num_splits",
    80: "idx_out_type:dtype=2",
    87: "seq_dim batch_dim",
    92: "then_subgraph_index else_subgraph_index",
    93: "cond_subgraph_index body_subgraph_index",
    94: "block_size",
    101: "adj_x:bool adj_y:bool",
    102: "exclusive:bool reverse:bool",
    103: "init_subgraph_index",
    106: (
        "padding:padding stride_d stride_w stride_h fused_activation_function:activation "
        "dilation_d_factor=1 dilation_w_factor=1 dilation_h_factor=1"
    ),
    107: "table_id key_dtype:dtype value_dtype:dtype",
    111: "container:text shared_name:text",
    114: "seed:long seed2:long",
    115: "boundaries:floats",
    116: "approximate:bool",
}

_OPTIONS_2: Mapping[int, str] = {
    1: "dimension:long",
    2: "broadcast_dimensions:longs",
    3: "start_indices:longs limit_indices:longs strides:longs",
    4: (
        "window_strides:longs padding:longs lhs_dilation:longs rhs_dilation:longs "
        "window_reversal:bools input_batch_dimension:long input_feature_dimension:long "
        "input_spatial_dimensions:longs kernel_input_feature_dimension:long "
        "kernel_output_feature_dimension:long kernel_spatial_dimensions:longs "
        "output_batch_dimension:long output_feature_dimension:long "
        "output_spatial_dimensions:longs feature_group_count:long batch_group_count:long"
    ),
    5: "call_target_name:text has_side_effect:bool - api_version called_computations:ints",
    6: "dimensions:longs body_subgraph_index",
    7: (
        "indices_are_sorted:bool update_window_dims:longs inserted_window_dims:longs "
        "scatter_dims_to_operand_dims:longs index_vector_dim:long unique_indices:bool "
        "update_computation_subgraph_index"
    ),
    8: "comparison_direction:direction compare_type:comparison",
    9: "slice_sizes:longs",
    10: "edge_padding_low:longs edge_padding_high:longs interior_padding:longs",
    11: "iota_dimension:long",
    12: (
        "lhs_batching_dimensions:longs rhs_batching_dimensions:longs "
        "lhs_contracting_dimensions:longs rhs_contracting_dimensions:longs"
    ),
    13: (
        "window_dimensions:longs window_strides:longs base_dilations:longs "
        "window_dilations:longs padding:longs body_subgraph_index"
    ),
    14: "dimension:long is_stable:bool comparator_subgraph_index",
    15: "cond_subgraph_index body_subgraph_index",
    16: (
        "offset_dims:longs collapsed_slice_dims:longs start_index_map:longs "
        "index_vector_dim:long slice_sizes:longs indices_are_sorted:bool"
    ),
    17: "permutation:longs",
    19: "algorithm:random",
    20: "reduce_function:reducer",
    21: "name:text decomposition_subgraph_index - - version",
    23: "branch_subgraph_indices:ints",
}
