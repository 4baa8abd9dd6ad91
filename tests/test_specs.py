from __future__ import annotations

import pytest

from mlnb.errors import UnknownName
from mlnb.specs import TensorSpec, TensorSpecs, shape_text

DATA = TensorSpec("data", "float32", ("N", 3, 224, None))
MASK = TensorSpec("mask", "bool", ())
SPECS = TensorSpecs([DATA, MASK], "input")


def test_a_spec_reads_aloud():
    assert repr(DATA) == "TensorSpec('data', float32 [N, 3, 224, ?])"
    assert str(MASK) == "bool scalar"
    assert str(TensorSpec("x", "int64", None)) == "int64 unknown shape"
    assert str(TensorSpec("x", "float32", (2,), "sequence")) == "sequence of float32 [2]"


def test_rank():
    assert (DATA.rank, MASK.rank, TensorSpec("x", "int64", None).rank) == (4, 0, None)


def test_a_row_answers_to_positions_names_and_slices():
    assert SPECS[0] is SPECS["data"] is DATA
    assert SPECS[-1] is MASK
    assert SPECS[:1] == TensorSpecs([DATA])
    assert list(SPECS) == [DATA, MASK]
    assert len(SPECS) == 2
    assert SPECS.names == ["data", "mask"]


def test_a_row_knows_what_is_in_it():
    assert "data" in SPECS
    assert MASK in SPECS
    assert "dta" not in SPECS


def test_an_unknown_name_is_answered_with_the_closest_one():
    with pytest.raises(UnknownName, match=r"no input 'dta'; did you mean 'data'\?"):
        SPECS["dta"]
    with pytest.raises(IndexError):
        SPECS[2]


def test_equal_rows_are_equal_and_hash_alike():
    again = TensorSpecs([DATA, MASK])
    assert again == SPECS
    assert hash(again) == hash(SPECS)
    assert SPECS != [DATA, MASK]


def test_names_of_strangers_are_made_visible():
    spec = TensorSpec("a\u202eb", "float32", ("N\n", 3))
    assert "\u202e" not in repr(spec)
    assert "N\\n" in repr(spec)
    assert "\u202e" not in repr(TensorSpecs([spec]))


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (None, "unknown shape"),
        ((), "scalar"),
        ((1,), "[1]"),
        ((None, "N", 0), "[?, N, 0]"),
        (("",), "[]"),
    ],
)
def test_shapes(shape, text):
    assert shape_text(shape) == text


def test_a_long_dimension_is_clipped():
    assert len(shape_text(("x" * 1_000,))) == 42


def test_specs_cannot_be_changed():
    with pytest.raises(AttributeError):
        DATA.name = "other"
