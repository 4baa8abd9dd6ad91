from __future__ import annotations

from dataclasses import fields

import pytest

from mlnb.errors import LimitExceeded
from mlnb.limits import LIMITS, Limits


def test_a_value_at_the_limit_passes_and_one_over_it_does_not():
    limits = Limits(nodes=10)
    limits.check("nodes", 10, "net.onnx")
    with pytest.raises(LimitExceeded, match=r"net.onnx: nodes is 11, the limit is 10"):
        limits.check("nodes", 11, "net.onnx")


def test_the_error_says_how_to_raise_the_limit():
    with pytest.raises(LimitExceeded, match=r"limits=Limits\(depth=101\)") as caught:
        LIMITS.check("depth", 101, "net.onnx")
    name = str(caught.value).partition("limits=")[2].rstrip(")")
    assert eval(name + ")", {"Limits": Limits}).depth == 101


def test_every_limit_can_be_overridden_and_is_told_in_the_manual():
    for field in fields(Limits):
        assert getattr(Limits(**{field.name: 7}), field.name) == 7
        assert f"{field.name}:" in Limits.__doc__


def test_an_unknown_limit_is_refused():
    with pytest.raises(TypeError):
        Limits(node=5)
