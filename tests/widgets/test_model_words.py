"""What stands beside a model's name: entry points, class names, and how integers are read."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mlnb.specs import Quantization
from mlnb.widgets.model_words import model_words


def words(signatures=(), signature=None, labels=()) -> str:
    return model_words(
        SimpleNamespace(facts="F", signatures=signatures, signature=signature, labels=labels)
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "F"),
        ({"signatures": ("one",), "signature": "one"}, "F"),
        (
            {"signatures": tuple("abcdefg"), "signature": "c"},
            "F · signature c, one of 7: also a, b, d, e, …",
        ),
        ({"signatures": ("a", "b")}, "F · 2 signatures: a, b"),
        ({"labels": ("cat", "dog")}, "F · 2 labels: cat, dog"),
        ({"labels": ("\u202eevil",)}, "F · 1 label: "),
    ],
)
def test_what_there_is_to_choose_and_to_name(given, said: str):
    assert words(**given).startswith(said)
    assert "\u202e" not in words(**given)


def test_quantisation_in_words():
    assert Quantization((0.5,), (128,)).text == "scale 0.5, zero point 128"
    assert Quantization((0.5, 1.0), (0, 0), 3).text == "2 scales along axis 3"
