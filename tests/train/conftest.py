"""Small models and data for the tests of training, one thread, and no runs left over."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from mlnb.train import active  # noqa: E402


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Small tensors gain nothing by threads, and the tests of several people share the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def no_line_in_the_terminal():
    """Somebody wants to know of runs, so that none writes to stderr."""
    undo = active.on_start(lambda run: None)
    yield
    undo()


@pytest.fixture(autouse=True)
def runs_elsewhere(tmp_path, monkeypatch):
    """Runs that write a folder of their own accord write it here."""
    monkeypatch.setenv("MLNB_RUNS", str(tmp_path / "mlnb_runs"))


@pytest.fixture
def rows():
    """200 rows of eight features in two classes that a line divides."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(200, 8, generator=generator)
    return x, (x[:, 0] + x[:, 1] > 0).long()


@pytest.fixture
def numbers():
    """200 rows of eight features, and one number that is linear in them."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(200, 8, generator=generator)
    return x, x @ torch.arange(8.0)[:, None] / 8


@pytest.fixture
def classifier():
    """Makes a network for `rows`, always the same."""

    def make(*, dropout: float = 0.0, norm: bool = False, outputs: int = 2) -> nn.Module:
        torch.manual_seed(11)
        return nn.Sequential(
            nn.Linear(8, 16),
            nn.BatchNorm1d(16) if norm else nn.Identity(),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(16, outputs),
        )

    return make
