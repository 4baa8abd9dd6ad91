"""GGUF files put together by hand, in both orders of bytes, and files that lie."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest
from models_made import weights_models
from models_made.weights_models import ARRAY, I32, STRING, U32, gguf

from mlnb.errors import LimitExceeded, MlnbError, ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.weights.gguf_types import TENSOR_TYPES
from mlnb.limits import Limits


@pytest.mark.parametrize("order", ["<", ">"])
def test_tensors_and_metadata_are_read_in_both_orders(order: str) -> None:
    file = open_model_file(weights_models.small_gguf(order))
    rows = [(tensor.name, tensor.dtype, tensor.shape, tensor.nbytes) for tensor in file.tensors]
    assert rows == [
        ("blk.0.attn_norm.weight", "float32", (2, 3), 24),
        ("blk.0.attn_q.weight", "Q4_0", (2, 64), 72),
        ("output_norm.weight", "float16", (4,), 8),
    ]
    expected = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(file.tensor("blk.0.attn_norm.weight"), expected)
    np.testing.assert_array_equal(file.tensor("output_norm.weight"), [1, 2, 3, 4])
    metadata = file.metadata
    assert metadata["general.architecture"] == "llama"
    assert metadata["llama.rope.scale"] == "0.5"
    assert metadata["tokenizer.ggml.tokens"].startswith("[token0, token1")
    assert metadata["tokenizer.ggml.tokens"].endswith("… (20 values)]")
    assert metadata["nested"] == "[[1, 2], [3]]"
    assert metadata["GGUF"].startswith("version 3")


def test_a_quantised_tensor_is_listed_and_not_unpacked() -> None:
    file = open_model_file(weights_models.small_gguf())
    with pytest.raises(ModelFormatError, match="quantised as Q4_0, in blocks of 32"):
        file.tensor("blk.0.attn_q.weight")


def test_version_2_reads_and_version_1_says_which_are() -> None:
    assert open_model_file(gguf(version=2)).tensors == ()
    with pytest.raises(ModelFormatError, match="version 1; versions 2 and 3 are read"):
        open_model_file(gguf(version=1))


def test_another_alignment_is_kept_to() -> None:
    content = gguf([("general.alignment", U32, 64)], [("a", [2], 26, struct.pack("<2i", 5, 6))])
    start = content.rindex(struct.pack("<2i", 5, 6))
    moved = content[:start] + bytes(-start % 64) + content[start:]
    np.testing.assert_array_equal(open_model_file(moved).tensor("a"), [5, 6])


def test_the_sizes_of_blocks_are_those_of_the_library() -> None:
    library = pytest.importorskip("gguf")
    for number, kind in TENSOR_TYPES.items():
        if kind.name == "Q8_1":  # the library has the size of before ggml shortened its two scales
            continue
        theirs = library.GGML_QUANT_SIZES[library.GGMLQuantizationType(number)]
        assert theirs == (kind.block, kind.nbytes), kind.name


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gguf(tensors=[("a", [4], 0, bytes(4))]), "should end at byte"),
        (gguf(tensors=[("a", [2**40, 2**40], 0, b"")]), "should end at byte"),
        (gguf(tensors=[("a", [4], 99, bytes(16))]), "the type 99, which is unknown"),
        (gguf(tensors=[("a", [33], 2, bytes(36))]), "no whole number of blocks of 32"),
        (gguf(tensors=[("a", [1], 0, bytes(4)), ("a", [1], 0, bytes(4))]), "two tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**40, 0), "values is"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**40), "nodes is"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**60), "name_length|cut off"),
        (b"GGUF\x03\0\0\0", "cut off"),
    ],
)
def test_files_that_lie_are_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ModelFormatError, match=reason):
        open_model_file(content)


def test_an_array_that_promises_more_than_the_file_has_is_not_believed() -> None:
    content = bytearray(gguf([("k", ARRAY, (I32, [1, 2, 3]))]))
    at = bytes(content).index(struct.pack("<IQ", I32, 3))
    content[at + 4 : at + 12] = struct.pack("<Q", 2**62)
    with pytest.raises(ModelFormatError, match=r"an array of .* elements is cut off"):
        open_model_file(bytes(content))


def test_arrays_that_nest_without_end_are_stopped() -> None:
    value: tuple[int, list[object]] = (I32, [])
    for _ in range(200):
        value = (ARRAY, [value])
    with pytest.raises(LimitExceeded, match="nest more than 100 deep"):
        open_model_file(gguf([("k", ARRAY, value)]))


def test_a_long_string_is_clipped_and_a_long_name_is_refused() -> None:
    text = open_model_file(gguf([("k", STRING, "x" * 5_000)])).metadata["k"]
    assert len(text) == 1_001
    with pytest.raises(LimitExceeded, match="name_length"):
        open_model_file(gguf([("k" * 200, U32, 1)]), Limits(name_length=100))


def test_a_file_cut_off_anywhere_is_an_error() -> None:
    content = weights_models.small_gguf()
    for cut in range(len(content)):
        with pytest.raises(ModelFormatError):
            open_model_file(content[:cut])


def test_bytes_changed_at_random_end_in_a_table_or_in_our_error() -> None:
    chance = random.Random(0)
    for _ in range(1_000):
        content = bytearray(chance.choice(weights_models.good_gguf()))
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            file = open_model_file(bytes(content))
            dict(file.metadata)
            for value in file.tensors:
                file.tensor(value.name)
        except MlnbError as error:
            assert str(error)  # noqa: PT017
