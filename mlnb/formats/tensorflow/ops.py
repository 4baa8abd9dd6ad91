"""What TensorFlow's operations give: how many outputs, of which dtypes, and which give nothing.

TensorFlow's registry knows this and a file does not repeat it. Mostly an attribute tells; what is
left are the operations whose dtype is fixed. Where neither tells, the dtype is "unknown": a wrong
one would be worse. A test holds these tables against the registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlnb.graph.graph import TensorAttribute

if TYPE_CHECKING:
    from mlnb.formats.tensorflow.attributes import Attributes
    from mlnb.specs import Shape

PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})
FED = PLACEHOLDERS | frozenset(
    {
        "IteratorGetNext",
        "IteratorGetNextSync",
        "QueueDequeueV2",
        "QueueDequeueManyV2",
        "QueueDequeueUpToV2",
    }
)
"""What brings data in: a frozen training graph still has the iterator that fed it."""

CONSTANTS = frozenset({"Const"})
VARIABLES = frozenset({"VarHandleOp", "VariableV2", "Variable"})
"""A variable is a node without inputs; its value lies in another file."""

_SINK_OPS = """Assert NoOp ControlTrigger PrintV2 Save SaveV2 SaveSlices MergeV2Checkpoints
    WriteFile Send Abort DisableCopyOnRead DestroyResourceOp DeleteSessionTensor StackClose
    StackCloseV2 TensorArrayCloseV2 TensorArrayCloseV3 CreateSummaryFileWriter CreateSummaryDbWriter
    FlushSummaryWriter CloseSummaryWriter ImportEvent RegisterDataset SaveDataset
    MakeIterator DeserializeIterator DatasetToTFRecord LookupTableInsert Stage StageClear RngSkip
    ReaderReset ReaderResetV2 AccumulatorApplyGradient TensorArrayClose OutfeedEnqueue SyncDevice
    DistributedSave DumpTensor _Send _HostSend RpcServerStart StatsAggregatorSetSummaryWriter
    LookupTableInsertV2 LookupTableImport LookupTableImportV2 LookupTableRemoveV2"""
_SINKS = frozenset(_SINK_OPS.split())
_SINK_BEGINNINGS = (
    "Assign",
    "ResourceApply",
    "ResourceSparseApply",
    "ResourceScatter",
    "Scatter",
    "Restore",
    "InitializeTable",
    "QueueEnqueue",
    "QueueClose",
    "Write",
    "Apply",
    "SparseApply",
    "VarIsInitialized",
    "IsVariableInitialized",
    "Enqueue",
    "Delete",
)
_NO_SINKS = frozenset({"ScatterNd", "ScatterNdNonAliasingAdd"})


def is_sink(op: str) -> bool:
    """Whether an operation is there for what it does, and not for what it gives."""
    return op in _SINKS or (op.startswith(_SINK_BEGINNINGS) and op not in _NO_SINKS)


_BY_ATTRIBUTE = (
    "DstT",
    "out_type",
    "output_type",
    "Tout",
    "output_dtype",
    "dtype",
    "element_dtype",
    "elem_type",
    "Toutput",
    "Tparams",
    "Treal",
    "Tcomplex",
    "T",
)
_BY_LIST = ("Tout", "output_types", "component_types", "dtypes", "Tresults", "T")

_FIXED = {
    "bool": """Equal NotEqual Less LessEqual Greater GreaterEqual ApproximateEqual LogicalAnd
        LogicalOr LogicalNot All Any IsNan IsInf IsFinite InTopK InTopKV2 RegexFullMatch
        StaticRegexFullMatch VarIsInitializedOp IsVariableInitialized LoopCond ToBool
        OptionalHasValue""",
    "int32": """Rank NonMaxSuppression NonMaxSuppressionV2 TensorArraySizeV3 TensorListLength
        Bucketize StringLength QueueSizeV2 UnicodeScript""",
    "int64": """Where StringSplit StringSplitV2 StringToHashBucket StringToHashBucketFast
        StringToHashBucketStrong LookupTableSizeV2 DatasetCardinality ParseExample
        SparseFillEmptyRows SparseReorder CTCGreedyDecoder""",
    "float32": """ResizeBilinear ResizeBicubic ResizeArea CropAndResize FakeQuantWithMinMaxVars
        FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVarsPerChannel DecodeWav AudioSpectrogram Mfcc
        CombinedNonMaxSuppression ExtractGlimpse GenerateBoundingBoxProposals TensorArrayWriteV3
        TensorArrayScatterV3 TensorArraySplitV3 SparseMatMul""",
    "uint8": "DecodeJpeg DecodeBmp DecodeGif DecodeAndCropJpeg",
    "string": """StringJoin StringStrip StringLower StringUpper ReduceJoin UnsortedSegmentJoin
        RegexReplace StaticRegexReplace AsString Substr StringFormat StringNGrams ShardedFilename
        ReadFile MatchingFiles EncodeJpeg EncodePng EncodeBase64 DecodeBase64 SerializeTensor
        MergeSummary ScalarSummary HistogramSummary ImageSummary TensorSummaryV2 UnicodeEncode
        UnicodeTranscode DecodeCompressed ReaderReadV2 EncodeProto""",
    "resource": """Iterator IteratorV2 OneShotIterator HashTableV2 MutableHashTableV2
        MutableDenseHashTableV2 TensorArrayV3 StackV2 FIFOQueueV2 RandomShuffleQueueV2
        PaddingFIFOQueueV2 WholeFileReaderV2 TextLineReaderV2 TFRecordReaderV2""",
    "variant": """TensorListReserve TensorListFromTensor TensorListSetItem TensorListPushBack
        EmptyTensorList RaggedTensorToVariant OptionalFromValue OptionalNone""",
}
_FIXED_BY_OP = {op: dtype for dtype, ops in _FIXED.items() for op in ops.split()}
_SECOND = frozenset({"indices", "idx", "index", "count", "size", "shape", "row_splits"})
"""Outputs that are of another dtype than the first, by their names in a function's body."""

_ATTRIBUTE_BY_OP = {
    "Range": "Tidx",
    "UnravelIndex": "Tidx",
    "Bitcast": "type",
    "LookupTableFindV2": "Tout",
    "LookupTableExportV2": "Tkeys",
    "Restore": "dt",
}


def output_dtype(op: str, attributes: Mapping[str, Any], index: int = 0, name: str = "") -> str:
    """The dtype of an output; `"unknown"` where the file does not tell.

    Args:
        op: the operation.
        attributes: the node's.
        index: which of its outputs.
        name: of the output, in the body of a function.
    """
    fixed = _FIXED_BY_OP.get(op) or ("variant" if op.endswith("Dataset") else "")
    if index == 0 and fixed:
        return fixed
    listed = _dtypes_listed(attributes)
    if listed:
        return listed[index] if index < len(listed) else "unknown"
    if name in _SECOND or (index and op not in _ALIKE):
        return "unknown"
    for label in (_ATTRIBUTE_BY_OP.get(op, ""), *_BY_ATTRIBUTE):
        if label in attributes:
            found = attributes[label]
            return found if isinstance(found, str) and found else "unknown"
    return _DEFAULTS.get(op, "unknown")


_ALIKE = frozenset({"Split", "SplitV", "Unpack", "Switch", "IdentityN", "ShapeN"})
_DEFAULTS = {"Shape": "int32", "ShapeN": "int32", "Size": "int32", "ArgMax": "int64"}
_DEFAULTS |= {"ArgMin": "int64", "NonMaxSuppressionV3": "int32", "NonMaxSuppressionV4": "int32"}


def _dtypes_listed(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    for label in _BY_LIST:
        found = attributes.get(label)
        if isinstance(found, tuple) and found:
            return found
    return ()


def outputs_of(op: str, attributes: Mapping[str, Any]) -> int:
    """How many outputs a node has, as far as its attributes tell; 1 where they do not."""
    listed = _dtypes_listed(attributes)
    if listed:
        return len(listed)
    count = attributes.get(_COUNTED_BY.get(op, ""))
    if isinstance(count, int) and 0 < count <= 10_000:
        return count
    return _COUNTS.get(op, 1)


_COUNTED_BY = {"Unpack": "num", "Split": "num_split", "SplitV": "num_split"}
_COUNTS = {"TopKV2": 2, "TopK": 2, "Unique": 2, "UniqueWithCounts": 3, "Switch": 2, "Merge": 2}
_COUNTS |= {"CombinedNonMaxSuppression": 4, "NonMaxSuppressionV5": 3, "NonMaxSuppressionV4": 2}


def output_shape(attributes: Attributes, index: int = 0) -> Shape | None:
    """The shape of an output where the file tells it."""
    for label in ("_output_shapes", "output_shapes"):
        shapes = attributes.get(label)
        if isinstance(shapes, tuple) and index < len(shapes):
            found: Shape | None = shapes[index]
            return found if found is None or isinstance(found, tuple) else None
    if index:
        return None
    shape = attributes.get("shape")
    if isinstance(shape, tuple):
        return shape
    value = attributes.get("value")
    return value.shape if isinstance(value, TensorAttribute) else None
