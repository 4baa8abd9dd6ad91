"""A live module is cut at its submodules, and what comes behind them is not computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from models_made.torch_modules import agrees, picture

from mlnb.errors import ModelRunError, UnknownName
from mlnb.models.loading import load_model

torch = pytest.importorskip("torch")
nn = torch.nn


def test_a_cut_gives_what_a_submodule_gives_and_computes_nothing_behind_it() -> None:
    class Net(nn.Module):
        """A head that must not be reached."""

        reached = 0

        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
            self.head = nn.Linear(6, 2)

        def forward(self, x: Any) -> Any:
            """Class scores."""
            y = self.body(x)
            Net.reached += 1
            return self.head(y)

    module = Net()
    model = load_model(module, sample=(2, 4))
    cut = model.cut(outputs=["body", "body.0"])
    assert [str(spec) for spec in cut.outputs] == ["float32 [N, 6]", "float32 [N, 6]"]
    assert [node.op for node in cut.graph.nodes] == ["linear", "relu"]
    Net.reached, x = 0, picture(3, 4)
    assert np.array_equal(cut.predict(x)["body"], agrees(module.body, x)[0])
    assert Net.reached == 0
    assert not any(inner._forward_hooks for inner in module.modules())
    with pytest.raises(UnknownName, match="did you mean 'body'"):
        model.cut(outputs=["bdy"])


def test_a_cut_at_a_value_is_one_at_the_submodule_that_gives_it() -> None:
    class Net(nn.Module):
        """Flattens by a function, between two submodules."""

        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.head = nn.Linear(3, 2)

        def forward(self, x: Any) -> Any:
            """Class scores."""
            return self.head(torch.flatten(self.pool(x), 1))

    model = load_model(Net(), sample=(1, 3, 8, 8))
    assert model.cut(outputs=["adaptive_avg_pool2d"]).outputs.names == ["pool"]
    with pytest.raises(ModelRunError, match=r"not by a submodule; cut .* outputs=\['pool'\]"):
        model.cut(outputs=["flatten"])
    with pytest.raises(ModelRunError, match="not before them"):
        model.cut(inputs=["flatten"], outputs=["pool"])
