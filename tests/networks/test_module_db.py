"""Torch's own table of module cases, through the words: the same weights, equal outputs."""

from __future__ import annotations

import inspect
import sys
import unittest
from types import ModuleType

import pytest
import torch
from torch import nn

from mlnb.networks.sequential import Sequential
from mlnb.networks.vocabulary import VOCABULARY

pytestmark = pytest.mark.slow

BY_CLASS = {
    word.target: word.name
    for word in VOCABULARY.values()
    if word.inputs == 1 and not word.name.startswith(("depthwise", "separable", "global", "swish"))
    if word.name not in ("batch_norm", "instance_norm")
}
DROPPED = {"device", "dtype", "inplace"}


@pytest.fixture(scope="module")
def database():
    """The table; it imports `expecttest`, of which it uses nothing here."""
    stand_in = ModuleType("expecttest")
    stand_in.TestCase = unittest.TestCase
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "expecttest", stand_in)
        from torch.testing._internal.common_modules import module_db
    return module_db


def cases(info):
    """Class, keywords and batch of the cases that a word can be written for."""
    given = info.module_inputs_func(
        info, device="cpu", dtype=torch.float32, requires_grad=False, training=False
    )
    for one in given:
        args, forward = one.constructor_input, one.forward_input
        if forward is None or forward.kwargs or len(forward.args) != 1:
            continue
        yield args.args, dict(args.kwargs), forward.args[0]


def written(cls, args, options):
    """The keywords as the word takes them; None where it takes them otherwise on purpose."""
    word = VOCABULARY[BY_CLASS[cls]]
    if issubclass(cls, nn.RNNBase):
        bound = dict(zip(("input_size", "hidden_size", "num_layers"), args, strict=False)) | options
    else:
        bound = dict(inspect.signature(cls).bind(*args, **options).arguments)
        bound |= bound.pop("kwargs", {})
    given = {k: v for k, v in bound.items() if k not in DROPPED and k not in word.sizes}
    if given.pop("batch_first", True) is False or set(given) - set(word.signature.parameters):
        return None
    if "normalized_shape" in bound and not isinstance(bound["normalized_shape"], int):
        given["axes"] = len(bound["normalized_shape"])
    if word.family == "recurrent":
        given["returns"] = "all"
    if word.name.startswith("upsample"):
        return None
    return given


def compared(cls, args, options, x):
    """Whether a word could be written for the case; its output is compared then."""
    if not isinstance(x, torch.Tensor) or any(
        isinstance(v, torch.Tensor) for v in options.values()
    ):
        return False
    given = written(cls, args, options)
    word = VOCABULARY[BY_CLASS[cls]]
    if given is None or x.dim() < 2 or (word.takes and x.dim() != len(word.takes) + 1):
        return False
    if "Transformer" in cls.__name__:
        options = {**options, "batch_first": True}
    reference = cls(*args, **options).eval()
    net = Sequential(tuple(x.shape[1:])).add(word.name, **given)
    net.load_state_dict(dict(zip(net.state_dict(), reference.state_dict().values(), strict=True)))
    net.module.eval()
    out = reference(x)
    assert torch.equal(net(x), out[0] if isinstance(out, tuple) else out), (cls, args, options)
    return True


def test_the_cases_of_torchs_own_table_agree(database):
    counts: dict[str, int] = {}
    for info in database:
        if info.module_cls in BY_CLASS:
            name = BY_CLASS[info.module_cls]
            done = sum(compared(info.module_cls, *case) for case in cases(info))
            counts[name] = counts.get(name, 0) + done
    assert sum(counts.values()) >= 170
    assert len([name for name, count in counts.items() if count]) >= 65
