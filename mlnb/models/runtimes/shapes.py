"""Shapes that a file lacks, by `onnx.shape_inference`; run in a child.

It works on the model without its weights, and it can hang or crash on a stranger's file: that is
why it does not run where the notebook does.
"""

from __future__ import annotations

from mlnb.child.memory import memory_cap

RUN_BYTES = 4 * 2**30


def infer_shapes(skeleton: bytes) -> bytes:
    """The same model with the dtypes and shapes that can be worked out.

    Args:
        skeleton: a serialized ONNX model; payloads over 256 bytes may be missing from it.

    Raises:
        Exception: whatever onnx raises for a broken model.
    """
    import onnx

    with memory_cap(RUN_BYTES):
        model = onnx.load_model_from_string(skeleton)
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=False, data_prop=True)
        return bytes(inferred.SerializeToString())
