"""The fields of TensorFlow's messages, as far as they are read: number and kind by name.

The kinds: a message by its name, `"bytes"` for text and bytes, `"int"`, `"float"`, `"double"`.

The messages: https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core
"""

from __future__ import annotations

from collections.abc import Mapping

Fields = Mapping[str, tuple[int, str]]


def _fields(written: str) -> Fields:
    """`"1 name bytes, 2 op bytes"` as a table."""
    rows = (row.split() for row in written.replace("\n", " ").split(",") if row.strip())
    return {name: (int(number), kind) for number, name, kind in rows}


def _map(kind: str) -> Fields:
    return _fields(f"1 key bytes, 2 value {kind}")


MESSAGES: Mapping[str, Fields] = {
    "GraphDef": _fields("1 node NodeDef, 2 library Library, 3 version int, 4 versions Versions"),
    "Versions": _fields("1 producer int, 2 min_consumer int, 3 bad_consumers int"),
    "NodeDef": _fields("1 name bytes, 2 op bytes, 3 input bytes, 4 device bytes, 5 attr AttrEntry"),
    "AttrEntry": _map("AttrValue"),
    "AttrValue": _fields(
        """1 list List, 2 s bytes, 3 i int, 4 f float, 5 b int, 6 type int, 7 shape Shape,
        8 tensor Tensor, 9 placeholder bytes, 10 func Func"""
    ),
    "List": _fields(
        """2 s bytes, 3 i int, 4 f float, 5 b int, 6 type int, 7 shape Shape, 8 tensor Tensor,
        9 func Func"""
    ),
    "Func": _fields("1 name bytes, 2 attr AttrEntry"),
    "Shape": _fields("2 dim Dim, 3 unknown_rank int"),
    "Dim": _fields("1 size int, 2 name bytes"),
    "Tensor": _fields(
        """1 dtype int, 2 tensor_shape Shape, 3 version_number int, 4 tensor_content bytes,
        5 float_val float, 6 double_val double, 7 int_val int, 8 string_val bytes,
        9 scomplex_val float, 10 int64_val int, 11 bool_val int, 12 dcomplex_val double,
        13 half_val int, 16 uint32_val int, 17 uint64_val int, 18 float8_val bytes"""
    ),
    "Library": _fields("1 function Function, 2 gradient Gradient"),
    "Gradient": _fields("1 function_name bytes, 2 gradient_func bytes"),
    "Function": _fields(
        """1 signature Op, 3 node_def NodeDef, 4 ret TextEntry, 5 attr AttrEntry,
        6 control_ret TextEntry, 7 arg_attr ArgEntry"""
    ),
    "TextEntry": _map("bytes"),
    "ArgEntry": _fields("1 key int, 2 value ArgAttrs"),
    "ArgAttrs": _fields("1 attr AttrEntry"),
    "Op": _fields(
        "1 name bytes, 2 input_arg Arg, 3 output_arg Arg, 4 attr OpAttr, 17 is_stateful int, "
        "20 control_output bytes"
    ),
    "OpAttr": _fields("1 name bytes, 2 type bytes"),
    "Arg": _fields(
        """1 name bytes, 3 type int, 4 type_attr bytes, 5 number_attr bytes,
        6 type_list_attr bytes, 16 is_ref int"""
    ),
    "SavedModel": _fields("1 saved_model_schema_version int, 2 meta_graphs MetaGraph"),
    "MetaGraph": _fields(
        """1 meta_info_def Info, 2 graph_def GraphDef, 3 saver_def Saver,
        4 collection_def CollectionEntry, 5 signature_def SignatureEntry, 6 asset_file_def Asset,
        7 object_graph_def Objects"""
    ),
    "Info": _fields("1 meta_graph_version bytes, 4 tags bytes, 5 tensorflow_version bytes"),
    "Saver": _fields(
        "1 filename_tensor_name bytes, 2 save_tensor_name bytes, 3 restore_op_name bytes"
    ),
    "CollectionEntry": _map("Collection"),
    "Collection": _fields("1 node_list NodeList"),
    "NodeList": _fields("1 value bytes"),
    "SignatureEntry": _map("Signature"),
    "Signature": _fields("1 inputs InfoEntry, 2 outputs InfoEntry, 3 method_name bytes"),
    "InfoEntry": _map("TensorInfo"),
    "TensorInfo": _fields("1 name bytes, 2 dtype int, 3 tensor_shape Shape"),
    "Asset": _fields("1 tensor_info TensorInfo, 2 filename bytes"),
    "Objects": {},
}
