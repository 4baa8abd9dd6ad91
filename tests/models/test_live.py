"""What a live module is, asked without importing torch."""

from __future__ import annotations

import pytest

from mlnb.models.live import live_module

torch = pytest.importorskip("torch")


class Holder:
    """Holds something as its module, as mlnb's networks do."""

    def __init__(self, held: object) -> None:
        self._held = held

    @property
    def module(self) -> object:
        """What it holds."""
        return self._held


def test_a_module_and_what_holds_one_are_live() -> None:
    net = torch.nn.Linear(2, 2)
    assert live_module(net) is net
    assert live_module(Holder(net)) is net
    wrapped = torch.nn.DataParallel(net)
    assert live_module(wrapped) is wrapped


@pytest.mark.parametrize("thing", ["net.onnx", b"", None, 3, Holder("x"), torch.nn.Linear, torch])
def test_files_and_anything_else_are_not(thing: object) -> None:
    assert live_module(thing) is None
