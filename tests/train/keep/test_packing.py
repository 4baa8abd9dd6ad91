"""Nested state goes to JSON and tensors, and comes back as what it was."""

import json
import math
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlnb.errors import CheckpointError
from mlnb.train.keep.packing import pack, unpack


def there_and_back(value):
    tensors = {}
    plan = json.loads(json.dumps(pack(value, tensors, "x")))
    return unpack(plan, tensors)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
)
nested = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.booleans() | st.none(), inner)
    ),
    max_leaves=20,
)


def same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        keys = list(zip(one, other, strict=True))
        return all(same(a, b) for a, b in keys) and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return one.hex() == other.hex()
    return one == other


@given(nested)
def test_whatever_a_state_dict_nests_comes_back_exactly(value):
    assert same(there_and_back(value), value)


def test_numbers_that_json_cannot_say():
    back = there_and_back([math.nan, math.inf, -math.inf, -0.0, 2**80, True, 1, 1.0, None])
    assert math.isnan(back[0])
    assert back[1:3] == [math.inf, -math.inf]
    assert math.copysign(1, back[3]) == -1
    assert same(back[4:], [2**80, True, 1, 1.0, None])


@pytest.mark.parametrize(
    "numbers",
    [[1.0, 0.5], [1.0, math.inf], [1, 2], [1, 2**63], [-(2**63)], [1, True], [1, 1.0], []],
)
def test_a_list_of_numbers_stays_what_it_is_and_is_a_copy(numbers):
    packed = pack(numbers, {}, "x")
    assert packed is not numbers
    assert same(there_and_back(numbers), numbers)
    assert "Infinity" not in json.dumps(packed)


def test_kinds_of_dicts_and_sets_stay_what_they_are():
    value = {
        "milestones": Counter({30: 1}),
        "ordered": OrderedDict(b=1, a=2),
        "names": {"a", "b"},
        "size": torch.Size([1, 2]),
        "dtype": torch.bfloat16,
        "device": torch.device("cpu"),
        "$looks": {"$tensor": "like ours"},
    }
    back = there_and_back(value)
    assert back == value
    assert {key: type(item) for key, item in back.items()} == {
        key: type(item) for key, item in value.items()
    }
    assert there_and_back(defaultdict(dict, {1: 2})) == {1: 2}


def test_arrays_keep_type_and_shape_also_when_empty():
    for array in (
        np.zeros((0, 3), np.float16),
        np.array(5, np.int64),
        np.array([["ä", "b"]]),
        np.array([1, 2], ">i4"),
        np.array(["2026-01-01"], "datetime64[s]"),
    ):
        back = there_and_back(array)
        assert back.dtype == array.dtype
        assert back.shape == array.shape
        assert back.tobytes() == array.tobytes()
    scalar = there_and_back(np.float32(0.1))
    assert type(scalar) is np.float32
    assert scalar == np.float32(0.1)


def test_tensors_are_copies_both_ways():
    value = torch.arange(3.0)
    tensors = {}
    plan = pack({"best": value}, tensors, "callback")
    value.zero_()
    back = unpack(plan, tensors)["best"]
    back.add_(1)
    assert tensors["callback/best"].tolist() == [0, 1, 2]


def test_what_cannot_be_written_down_is_named_with_its_place():
    class Thing:
        pass

    with pytest.raises(CheckpointError, match=r"callback/best/0 is a .*Thing"):
        pack({"best": [Thing()]}, {}, "callback")
    with pytest.raises(CheckpointError, match="x/f is a builtins"):
        pack({"f": lambda: 1}, {}, "x")
    with pytest.raises(CheckpointError, match="x is an array of object"):
        pack(np.array([Thing()]), {}, "x")
    with pytest.raises(CheckpointError, match="on the meta device"):
        pack(torch.zeros(1, device="meta"), {}, "x")
    with pytest.raises(CheckpointError, match="dense ones only"):
        pack(torch.zeros(2, 2).to_sparse(), {}, "x")
    loop = []
    loop.append(loop)
    with pytest.raises(CheckpointError, match="holds itself"):
        pack(loop, {}, "x")


@pytest.mark.parametrize(
    "plan",
    [
        {"$tensor": "missing"},
        {"$nonsense": 1},
        {"$array": "t", "dtype": "O", "shape": [1]},
        {"$array": "t", "dtype": "f4", "shape": [7]},
        {"$array": "t", "dtype": "f4", "shape": [-5]},
        {"$scalar": ["<f8", "AA=="]},
        {"$dict": [[[1], 2]]},
        {"$dict": 5},
        {"$int": "ff zz"},
        {"$dtype": "load"},
        {"$device": "the moon"},
        {"$bytes": "?"},
        {"$set": [[1]]},
    ],
)
def test_a_plan_that_pack_never_makes_is_an_error_of_ours(plan):
    with pytest.raises(CheckpointError):
        unpack(plan, {"t": torch.zeros(8, dtype=torch.uint8)})


def test_a_plan_as_deep_as_a_well_is_refused():
    plan = []
    for _ in range(500):
        plan = [plan]
    with pytest.raises(CheckpointError, match="nested"):
        unpack(plan, {})
