"""Damaged files of every format: looking at one ends at once, in a model or an error of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hostile.format_mutants import FORMATS, cut, good, looked_at, mutant, runnable
from hostile.survey import DEADLINE, SLACK, Survey, loaded, survey
from hostile.watch import children, left_over, peak_memory

from mlnb.child.client import child
from mlnb.errors import MissingExtra, MlnbError
from mlnb.models.loading import load_model
from mlnb.models.model import Model

TRUNCATIONS = 200
IN_EVERY_RUN = 2_000
SOAK = 20_000
SLICE = 2_500
RUN = 24
RUNNERS = {
    "GraphDef": "tensorflow",
    "SavedModel": "tensorflow",
    "TFLite": "litert",
    "Keras": "tensorflow",
    "Keras HDF5": "tensorflow",
    "ExportedProgram": "torch",
}
"""The formats that something runs, and the child that does."""


@pytest.fixture(autouse=True, scope="module")
def no_children_of_ours() -> Iterator[None]:
    yield
    for label in {*RUNNERS.values(), "h5py"}:
        child(label).close()


@pytest.mark.parametrize("name", FORMATS)
def test_the_good_files_are_good_and_small(name: str) -> None:
    models = [load_model(content) for content in good(name)]
    assert max(map(len, good(name))) < 50_000
    assert any(model.outputs or len(model.tensors) for model in models)


@pytest.mark.parametrize("name", FORMATS)
def test_a_mutant_is_the_same_one_every_time_and_nearly_all_differ(name: str) -> None:
    assert [mutant(name, n) for n in range(50)] == [mutant(name, n) for n in range(50)]
    files = good(name)
    assert sum(mutant(name, n) != files[n % len(files)] for n in range(100)) > 85


@pytest.mark.parametrize("name", FORMATS)
def test_truncations_and_mutants_are_looked_at(name: str) -> None:
    before = children()
    with peak_memory() as taken:
        found = looked_at(name, range(TRUNCATIONS), cut)
        found.add(looked_at(name, range(IN_EVERY_RUN), mutant))
    print(found)
    assert found.faults == []
    assert found.late == []
    assert found.endings["view: done"] > 50  # so many that looking was really tried
    assert found.endings["view: ModelFormatError"] > 50
    assert taken[0] < 200 * 2**20
    assert left_over(before | {child("h5py").pid or 0}) == set()


@pytest.mark.parametrize("name", RUNNERS)
def test_some_are_run_and_nothing_dies_but_the_child(name: str) -> None:
    numbers = runnable(name, RUN)
    assert len(numbers) == RUN
    _require_runtime(name)
    found = survey(numbers, partial(mutant, name), [run])
    print(found)
    assert found.faults == []


def run(model: Model) -> None:
    from hostile.survey import feed

    feeds = {spec.name: feed(spec) for spec in model.inputs}
    model.predict(feeds, raw=True, timeout=20)


def _require_runtime(name: str) -> None:
    try:
        run(load_model(good(name)[0]))
    except MissingExtra as missing:
        pytest.skip(str(missing))
    except MlnbError:
        pass


@pytest.mark.soak
@pytest.mark.parametrize("name", FORMATS)
def test_twenty_thousand_mutants_kill_no_session(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each slice in a session of its own, so that one that dies is counted, and found again.

    `MLNB_SOAK=5000 make soak` takes fewer.
    """
    count = int(os.environ.get("MLNB_SOAK", SOAK))
    whole, deaths = Survey(), []
    for first in range(0, count, SLICE):
        last = min(first + SLICE, count)
        done = _session(name, first, last)
        if done.returncode:
            deaths.append(f"{first} to {last}: status {done.returncode}: {done.stderr[-500:]}")
        else:
            whole.add(loaded(done.stdout))
    with capsys.disabled():
        print(f"\n{count:,} mutants of {name}, {len(deaths)} deaths\n{whole}", flush=True)
    assert deaths == []
    assert whole.faults == []
    assert whole.late == []


def _session(name: str, first: int, last: int) -> subprocess.CompletedProcess[str]:
    tests = Path(__file__).parents[1]
    path = os.pathsep.join([str(tests), str(tests.parent)])
    command = [sys.executable, "-W", "ignore", "-m", "hostile.format_mutants", name]
    return subprocess.run(
        [*command, str(first), str(last)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60 + (last - first) * (DEADLINE + SLACK),
    )
