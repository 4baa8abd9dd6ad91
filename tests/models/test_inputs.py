"""What is fed is checked before it crosses: every mismatch at once, each with its remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlnb.errors import InputError
from mlnb.models.inputs import check_inputs, feed_code
from mlnb.models.shape_rules import fixed_batch
from mlnb.specs import TensorSpec, TensorSpecs

PICTURE = TensorSpec("data_0", "float32", (1, 3, 224, 224))


def specs(*rows):
    return TensorSpecs([row if isinstance(row, TensorSpec) else TensorSpec(*row) for row in rows])


def check(inputs, feeds=None, outputs=(), **named):
    return check_inputs(specs(*inputs), specs(*outputs), feeds, named)


def refused(inputs, feeds=None, outputs=(), **named) -> str:
    with pytest.raises(InputError) as caught:
        check(inputs, feeds, outputs, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Names


def test_one_value_is_enough_for_one_input():
    assert check([("x", "float32", (2,))], [1, 2]).feeds["x"].tolist() == [1, 2]


def test_several_inputs_are_fed_by_name():
    two = [("a", "float32", ()), ("b", "float32", ())]
    assert list(check(two, {"b": 1.0}, a=2.0).feeds) == ["a", "b"]
    message = refused(two, np.zeros(3))
    assert "The model has 2 inputs" in message
    assert 'predict({"a": np.zeros((), np.float32), "b": ' in message


def test_missing_and_unknown_names_are_told_together():
    two = [("input_ids", "int64", ("N",)), ("mask", "int64", ("N",))]
    assert refused(two, {"inputs_ids": [1]}) == (
        "There is no input 'inputs_ids'; did you mean 'input_ids'? Known: input_ids, mask. "
        "Input `input_ids` (int64 [N]) is missing. Input `mask` (int64 [N]) is missing."
    )


def test_a_name_given_twice_is_refused():
    assert "Input `x` is given twice." in refused([("x", "float32", ())], {"x": 1.0}, x=2.0)


def test_nothing_for_a_model_without_inputs_is_right():
    assert check([]).feeds == {}
    assert "no input 'x'" in refused([], {"x": 1})


# Shapes


def test_the_message_says_what_was_expected_what_came_and_what_to_do():
    assert refused([PICTURE], np.zeros((224, 224, 3), np.uint8)) == (
        "Input `data_0` expects float32 [1, 3, 224, 224]; received uint8 [224, 224, 3]. Integers "
        "do not become floats by themselves: scale them as the model was trained. "
        "Try x.transpose(2, 0, 1)[None].astype(np.float32)."
    )


@pytest.mark.parametrize(
    ("shape", "expected", "expression"),
    [
        ((3, 224, 224), (1, 3, 224, 224), "add a batch axis: x[None]"),
        ((1, 224, 224, 3), (1, 3, 224, 224), "x.transpose(0, 3, 1, 2)"),
        ((5, 3, 8, 8), ("N", 8, 8, 3), "x.transpose(0, 2, 3, 1)"),
        ((224, 224, 3), ("N", 3, 224, 224), "x.transpose(2, 0, 1)[None]"),
        ((28, 28), (1, 1, 28, 28), "x[None, None]"),
        ((28, 28), (1, 28, 28, 1), "x[None, ..., None]"),
        ((784,), (1, 1, 28, 28), "x.reshape(1, 1, 28, 28)"),
        ((10, 784), ("N", 1, 28, 28), "x.reshape(10, 1, 28, 28)"),
        ((10, 28, 28), ("N", 1, 28, 28), "x[:, None]"),
        ((1, 5), (5,), "x[0]"),
        ((), (1,), "add a batch axis: x[None]"),
        ((3, 2), (2, 3), "x.T"),
    ],
)
def test_a_shape_that_is_nearly_right_gets_the_expression_that_makes_it_right(
    shape, expected, expression
):
    x = np.zeros(shape, np.float32)
    message = refused([("x", "float32", expected)], x)
    assert message.endswith(f"Try {expression}.")
    fixed = eval(expression.rpartition(": ")[2], {"x": x})
    assert check([("x", "float32", expected)], fixed).feeds["x"].dtype == np.float32


def test_a_picture_of_another_size_is_to_be_resized():
    message = refused([PICTURE], np.zeros((1, 3, 300, 400), np.float32))
    assert message.endswith("Resize the pictures to 224 × 224 pixels first.")
    last = [("x", "float32", (1, 96, 128, 3))]
    assert refused(last, np.zeros((50, 60, 3), np.float32)).count("96 × 128") == 1


def test_a_shape_that_nothing_makes_right_gets_no_remedy():
    message = refused([("x", "float32", (2, 5))], np.zeros((3, 7), np.float32))
    assert message == "Input `x` expects float32 [2, 5]; received float32 [3, 7]."


def test_unknown_dimensions_and_ranks_take_anything():
    assert check([("x", "float32", None)], np.zeros((1, 2, 3), np.float32))
    assert check([("x", "float32", ("N", None))], np.zeros((0, 9), np.float32))
    assert check([("x", "unknown", None)], np.zeros(3, np.int16)).feeds["x"].dtype == np.int16


def test_dimensions_of_one_name_agree_across_inputs():
    two = [("ids", "int64", ("N", "S")), ("mask", "int64", ("N", "S"))]
    message = refused(two, {"ids": np.ones((2, 7), int), "mask": np.ones((2, 8), int)})
    assert message == "Dimension S must be the same everywhere; received 7 in `ids`, 8 in `mask`."
    nameless = [("a", "int64", ("None", "unk__3")), ("b", "int64", ("None", "unk__3"))]
    assert check(nameless, {"a": np.ones((2, 7), int), "b": np.ones((3, 8), int)})


def test_every_mismatch_is_told_at_once():
    three = [("a", "float32", (2,)), ("b", "int64", (2,)), ("c", "string", (1,))]
    message = refused(three, {"a": np.zeros(3, np.float32), "b": [0.5, 1.5], "d": 1})
    for part in (
        "no input 'd'",
        "Input `a` expects",
        "Input `b` expects",
        "Input `c` (string [1])",
    ):
        assert part in message


def test_names_from_a_file_are_made_visible():
    message = refused([("a\u202eb\x1b[31m", "float32", (1,))], np.zeros(2, np.float32))
    assert "\\u202e" in message
    assert "\x1b" not in message


# Dtypes


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("float64", "float32"),
        ("float32", "float16"),
        ("float16", "float64"),
        ("int64", "int32"),
        ("uint8", "int64"),
        ("int64", "bool"),
        ("bool", "int64"),
        ("float32", "bfloat16"),
        ("int64", "int4"),
    ],
)
def test_what_converts_without_loss_converts_and_is_told_once(given, wanted):
    fed = check([("x", wanted, (2,))], np.array([0, 1], given))
    assert fed.feeds["x"].dtype.name == wanted
    assert fed.feeds["x"].astype(float).tolist() == [0, 1]
    assert fed.notes == (f"x: {given} became {wanted}",)


def test_a_float_that_would_become_infinite_is_refused():
    message = refused([("x", "float16", (2,))], np.array([1.0, 1e6]))
    assert message.endswith("1 value would become infinite.")
    kept = check([("x", "float16", (2,))], np.array([np.inf, np.nan])).feeds["x"]
    assert np.isinf(kept[0])
    assert np.isnan(kept[1])


def test_an_integer_that_does_not_fit_is_refused():
    assert "Values from -1 to 300 do not fit uint8 (0 to 255)." in refused(
        [("x", "uint8", (2,))], np.array([-1, 300])
    )
    assert "do not fit bool (0 to 1)" in refused([("x", "bool", (1,))], np.array([2]))
    assert "do not fit int4 (-8 to 7)" in refused([("x", "int4", (1,))], np.array([8]))


def test_integer_arrays_do_not_become_floats_but_numbers_and_lists_do():
    one = [("x", "float32", (2,))]
    message = refused(one, np.array([1, 2], np.uint8))
    assert message.endswith("Try x.astype(np.float32).")
    fed = check(one, [1, 2])
    assert fed.feeds["x"].dtype == np.float32
    assert fed.notes == ()


def test_floats_do_not_become_integers():
    assert "round them first" in refused([("x", "int64", (1,))], np.array([1.0]))
    assert "round them first" in refused([("x", "int64", (1,))], [1.0])


@pytest.mark.parametrize("text", [["a", "b"], np.array(["a", "b"]), np.array([b"a", b"b"])])
def test_strings_are_taken_as_python_and_numpy_have_them(text):
    fed = check([("x", "string", (2,))], text)
    assert fed.feeds["x"].tolist() == ["a", "b"]
    assert fed.feeds["x"].dtype == object


def test_text_and_numbers_are_not_mixed_up():
    assert "It holds no text." in refused([("x", "string", (1,))], [1])
    assert "It holds no numbers." in refused([("x", "float32", (1,))], ["a"])
    assert "It holds no numbers." in refused(
        [("x", "float32", (1,))], np.array(["2020-01-01"], "M8[D]")
    )
    assert "Python objects" in refused([("x", "float32", (1,))], [object()])
    assert "NumPy cannot make an array" in refused([("x", "float32", (2, 2))], [[1, 2], [3]])


def test_nan_is_allowed():
    fed = check([("x", "float16", (2,))], np.array([1, np.nan])).feeds["x"]
    assert np.isnan(fed[1])


def test_what_fits_exactly_is_fed_as_it_is():
    x, n = np.ones((2, 3), np.float32), np.zeros(2, np.int64)
    fed = check([("x", "float32", (2, 3)), ("n", "int64", (2,))], {"n": n, "x": x})
    assert fed.feeds["x"] is x
    assert fed.feeds["n"] is n
    assert (fed.notes, fed.rows, fed.piece) == ((), None, None)


@pytest.mark.parametrize(
    "value",
    [
        np.ones((2, 3), ">f4"),
        np.ones((2, 3), np.float64),
        np.ma.masked_array(np.ones((2, 3), np.float32)),
        [[1, 1, 1], [1, 1, 1]],
    ],
    ids=["byte order", "dtype", "subclass", "list"],
)
def test_what_only_resembles_an_exact_fit_is_still_converted(value):
    fed = check([("x", "float32", (2, 3))], value).feeds["x"]
    assert type(fed) is not list
    assert (fed == 1).all()


# What holds arrays


def test_a_torch_tensor_is_taken_without_torch_being_imported_here():
    class Tensor:
        """What a tensor answers to, with bfloat16 as torch has it."""

        dtype = "torch.bfloat16"

        def __init__(self, exact=False):
            self.exact = exact

        def detach(self):
            return self

        cpu = detach

        def float(self):
            return Tensor(exact=True)

        def numpy(self):
            if not self.exact:
                raise TypeError("Got unsupported ScalarType BFloat16")
            return np.ones(2, np.float32)

    assert check([("x", "float32", (2,))], Tensor()).feeds["x"].tolist() == [1, 1]


def test_pandas_columns_and_pictures_are_taken():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert check([("x", "float32", ("N", 2))], frame).feeds["x"].tolist() == [[1, 3], [2, 4]]
    assert check([("x", "float64", ("N",))], frame["a"]).feeds["x"].tolist() == [1, 2]

    class Picture:
        """What Pillow's images show of themselves: no dtype, but an array's bytes."""

        __array_interface__ = np.zeros((2, 2), np.uint8).__array_interface__

    assert "received uint8 [2, 2]" in refused([("x", "float32", (2, 2))], Picture())


def test_sequences_and_optionals_have_a_place():
    sequence = TensorSpec("xs", "float32", ("N",), kind="sequence")
    assert [len(x) for x in check([sequence], [[1.0], [1.0, 2.0]]).feeds["xs"]] == [1, 2]
    assert "a list of arrays; received a float. Try [x]." in refused([sequence], {"xs": 1.0})
    optional = TensorSpec("maybe", "float32", (1,), kind="optional")
    assert check([optional]).feeds == {"maybe": None}
    assert check([optional], maybe=None).feeds == {"maybe": None}
    assert check([optional], maybe=[2.0]).feeds["maybe"].tolist() == [2]
    both = TensorSpec("maybe", "float32", (1,), kind="optional sequence")
    assert check([both]).feeds == {"maybe": None}
    assert check([both], maybe=[[2.0]]).feeds["maybe"][0].tolist() == [2]


# Batches


def test_a_batch_is_fixed_where_every_input_and_output_begins_with_the_same_number():
    x, y = ("x", "float32", (4, 3)), ("y", "float32", (4, 1))
    assert fixed_batch(specs(x), specs(y)) == 4
    assert fixed_batch(specs(x), specs(("y", "float32", (1,)))) is None
    assert fixed_batch(specs(x), specs(("y", "float32", None))) is None
    assert fixed_batch(specs(("x", "float32", ("N", 3))), specs(("y", "float32", ("N",)))) is None
    assert fixed_batch(specs(), specs(y)) is None
    assert fixed_batch(specs(x, ("s", "int64", ())), specs(y)) is None


def test_a_longer_batch_is_cut_into_pieces():
    x, y = ("x", "float32", (4, 3)), ("y", "float32", (4, 1))
    fed = check([x], np.zeros((10, 3), np.float32), [y])
    assert (fed.rows, fed.piece) == (10, 4)
    assert "fixed at 4: 10 rows ran in 3 pieces, the last one filled with 2 copies" in fed.notes[0]
    assert check([x], np.zeros((4, 3), np.float32), [y]).rows is None
    assert "received float32 [3, 3]" in refused([x], np.zeros((3, 3), np.float32), [y])
    assert "received float32 [0, 3]" in refused([x], np.zeros((0, 3), np.float32), [y])


def test_all_inputs_have_the_same_number_of_rows():
    two = [("a", "float32", (1,)), ("b", "float32", (1,))]
    feeds = {"a": np.zeros(3, np.float32), "b": np.zeros(2, np.float32)}
    message = refused(two, feeds, [("y", "float32", (1,))])
    assert message == "All inputs need the same number of rows; received 3 in `a`, 2 in `b`."


# Code to copy


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (TensorSpec("x", "float16", (1, 3, 9, 9)), '"x": np.zeros((1, 3, 9, 9), np.float16)'),
        (TensorSpec("x", "float32", ("N", None, 0)), '"x": np.zeros((1, 1, 0), np.float32)'),
        (TensorSpec("x", "float32", None), '"x": np.zeros((), np.float32)'),
        (TensorSpec("x", "int64", ()), '"x": np.zeros((), np.int64)'),
        (TensorSpec("x", "bool", (1,)), '"x": np.zeros((1,), np.bool_)'),
        (TensorSpec("x", "string", (2,)), '"x": np.full((2,), "", object)'),
        (TensorSpec("x", "bfloat16", (2,)), '"x": np.zeros((2,), np.float32)'),
        (TensorSpec("x", "uint4", (2,)), '"x": np.zeros((2,), np.uint8)'),
        (TensorSpec("x", "float32", (2,), "sequence"), '"x": [np.zeros((2,), np.float32)]'),
        (TensorSpec("x", "float32", (2,), "optional"), '"x": None'),
        (TensorSpec("it's", "int8", (1,)), '"it\'s": np.zeros((1,), np.int8)'),
        (TensorSpec('a"b\u202e\n', "int8", (1,)), "'a\"b\\u202e\\n': np.zeros((1,), np.int8)"),
    ],
)  # fmt: skip
def test_the_code_to_copy_feeds_the_model(spec, code):
    made = feed_code(specs(spec), "net")
    assert made == f"net.predict({{{code}}})"
    feeds = eval(made, {"np": np, "net": type("Net", (), {"predict": staticmethod(lambda x: x)})})
    assert check([spec], feeds).feeds.keys() == {spec.name}
