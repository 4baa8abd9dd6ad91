"""A run of a million steps: its memory stays, and its steps stay as fast as they were."""

import statistics
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from mlnb.train.trainer import Trainer  # noqa: E402

STEPS_AN_EPOCH = 1000
EPOCHS = 1000
WARM = 100


class Gauge:
    """What the process holds and what an epoch costs, at the end of every one."""

    def __init__(self):
        self.megabytes = []
        self.seconds = []
        self._began = time.process_time()

    def on_epoch_end(self, run):
        now = time.process_time()
        self.seconds.append(now - self._began)
        self._began = now
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.megabytes.append(pages * 4096 / 1e6)


@pytest.mark.soak
def test_a_million_steps_cost_20_megabytes_and_no_time(tmp_path):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2 * STEPS_AN_EPOCH, 4, generator=generator)
    gauge = Gauge()
    run = Trainer(nn.Linear(4, 1), callbacks=[gauge]).fit(
        (x, x.sum(1, keepdim=True)), epochs=EPOCHS, batch_size=2
    )
    assert run.step == len(run.history["loss"]) == STEPS_AN_EPOCH * EPOCHS
    grown = max(gauge.megabytes) - gauge.megabytes[WARM]
    early = statistics.median(gauge.seconds[WARM : 2 * WARM])
    late = statistics.median(gauge.seconds[-WARM:])
    print(
        f"\n{run.step:,} steps: {grown:.1f} MB more, a step {1000 * early:.1f} us at the beginning "
        f"and {1000 * late:.1f} us at the end ({late / early:.3f})"
    )
    assert grown <= 20
    assert late <= 1.05 * early
