"""Operations of TensorFlow that act with the rights of whoever runs them: `danger_of`.

A SavedModel is a program. What is listed here reads or writes files, talks to the network, or runs
Python; all of it is looked for in functions as well.

From TensorFlow's operations: https://www.tensorflow.org/api_docs/python/tf/raw_ops
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

READS, WRITES = "reads files", "writes files"
NETWORK, PYTHON = "uses the network", "runs Python"

_OPS = {
    READS: """ReadFile MatchingFiles RestoreV2 Restore RestoreSlice WholeFileReader
        WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader TFRecordReaderV2
        FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader TextLineDataset
        TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2
        SqlDataset ExperimentalSqlDataset CSVDataset CSVDatasetV2 ExperimentalCSVDataset LMDBDataset
        ExperimentalLMDBDataset MatchingFilesDataset ExperimentalMatchingFilesDataset LoadDataset
        InitializeTableFromTextFile InitializeTableFromTextFileV2
        ImmutableConst LoadAndRemapMatrix GenerateVocabRemapping Skipgram RecordInput
        ListSnapshotChunksDataset SnapshotChunkDataset SnapshotDatasetReader
        SnapshotNestedDatasetReader DTensorRestoreV2""",
    WRITES: """WriteFile Save SaveV2 SaveSlices MergeV2Checkpoints SaveDataset SaveDatasetV2
        DatasetToTFRecord ExperimentalDatasetToTFRecord CreateSummaryFileWriter
        CreateSummaryDbWriter SnapshotDataset SnapshotDatasetV2 DistributedSave
        CalibrationStatisticsSaver DumpTensor DebugIdentity DebugIdentityV2 DebugIdentityV3
        DebugNanCount DebugNumericSummary DebugNumericSummaryV2 FileSystemSetConfiguration""",
    NETWORK: """DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4
        RegisterDataset RegisterDatasetV2 RpcServer RpcServerStart RpcServerRegister RpcClient
        RpcCall RemoteCall Send Recv _Send _Recv _HostSend _HostRecv
        CollectiveInitializeCommunicator""",
    PYTHON: "PyFunc PyFuncStateless EagerPyFunc",
}
_DANGERS = {op: why for why, ops in _OPS.items() for op in ops.split()}

_ONLY_WITH_A_FILE = {"PrintV2": "output_stream", "DecodeProtoV2": "descriptor_source"}
_ONLY_WITH_A_FILE["EncodeProto"] = "descriptor_source"
_HARMLESS = ("", "local://", "stderr", "stdout", "log(info)", "log(warning)", "log(error)")

RESTORING = frozenset({"RestoreV2", "Restore", "RestoreSlice"})
"""How a SavedModel gets its own variables back; in its restore function these are no danger."""

CACHES = frozenset({"CacheDataset", "CacheDatasetV2"})
TABLES = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})
"""A table that is filled from a file, mostly one of the model's own assets."""


def danger_of(op: str, attributes: Mapping[str, Any]) -> str:
    """What an operation does with the user's rights, as the end of a sentence; `""` for most.

    >>> danger_of("ReadFile", {})
    'reads files'
    """
    if op in _ONLY_WITH_A_FILE:
        target = attributes.get(_ONLY_WITH_A_FILE[op], "")
        if str(target).startswith(("bytes://", *_HARMLESS[1:])) or target in _HARMLESS:
            return ""
        return WRITES if op == "PrintV2" else READS
    if op in CACHES:
        return WRITES
    return _DANGERS.get(op, "")
