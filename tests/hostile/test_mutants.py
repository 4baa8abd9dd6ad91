"""Thousands of damaged files: the session lives, each ends in time, and in an error of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hostile.mutants import models, mutant
from hostile.survey import DEADLINE, SLACK, Survey, loaded, survey
from hostile.watch import children, left_over, peak_memory
from models_made.hostile_models import good

from mlnb.models.loading import load_model

IN_EVERY_RUN = 2_000
SOAK = 100_000
SLICE = 2_500
SEED = 0
"""Where the numbering begins; another one gives other mutants."""


def test_a_mutant_is_the_same_one_every_time_and_nearly_all_differ_from_their_model():
    assert len(models()) == 2024
    assert [mutant(number) for number in range(50)] == [mutant(number) for number in range(50)]
    changed = [mutant(number) != models()[number % 2024] for number in range(300)]
    assert sum(changed) > 250


def test_two_thousand_mutants_are_looked_at_and_run_and_nothing_dies_but_the_child():
    before = children()
    with peak_memory() as taken:
        found = survey(range(SEED, SEED + IN_EVERY_RUN))
    print(found)
    assert found.faults == []
    assert found.late == []
    assert found.endings["predict: done"] > 300  # so many that running was really tried
    assert found.endings["view: ModelFormatError"] > 300
    assert taken[0] < 200 * 2**20
    assert (load_model(good()).predict(np.ones((2, 3), np.float32))["y"] == 2).all()
    assert left_over(before) == set()


@pytest.mark.soak
def test_a_hundred_thousand_mutants_kill_no_session(capsys):
    """Each slice in a session of its own, so that one that dies is counted, and found again.

    `MLNB_SOAK=5000 make soak` takes fewer.
    """
    count = int(os.environ.get("MLNB_SOAK", SOAK))
    whole, deaths, began = Survey(), [], time.monotonic()
    for first in range(SEED, SEED + count, SLICE):
        last = min(first + SLICE, SEED + count)
        done = _session(first, last)
        if done.returncode:
            deaths.append(f"{first} to {last}: status {done.returncode}: {done.stderr[-500:]}")
        else:
            whole.add(loaded(done.stdout))
        minutes = (time.monotonic() - began) / 60
        with capsys.disabled():
            print(
                f"\n{last - SEED:,} of {count:,} mutants, {minutes:.1f} min, {len(deaths)} deaths"
            )
            print(whole, flush=True)
    assert deaths == []
    assert whole.faults == []
    assert whole.late == []


def _session(first: int, last: int) -> subprocess.CompletedProcess[str]:
    tests = Path(__file__).parents[1]
    path = os.pathsep.join([str(tests), str(tests.parent)])
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "hostile.survey", str(first), str(last)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60 + (last - first) * 3 * (DEADLINE + SLACK),
    )
