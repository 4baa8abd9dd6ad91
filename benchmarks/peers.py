"""The peers' part of `bench_train.py`: the same work in other trainers, in their own environment.

Each peer runs in a process of an environment made in a temporary folder: first the plain loop, then
the peer, in turns, on one thread, in process CPU time, with the loss read at both ends of a turn (a
framework that queues its work looks 40 times as fast without). All get the same ready-made batches
and AdamW with its defaults.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = {
    "lightning": ["lightning"],
    "lightning-bare": ["lightning"],
    "fabric": ["lightning"],
    "accelerate": ["accelerate"],
    "skorch": ["skorch"],
    "ignite": ["pytorch-ignite"],
    "fastai": ["fastai"],
    "transformers": ["transformers", "accelerate"],
    "keras-torch": ["keras"],
    "keras-jax": ["keras", "jax"],
}


def compare_with_peers(cases: list[str], names: list[str], rounds: int) -> None:
    """Make the environment, run every peer in a process of its own, print, and delete it all.

    Args:
        cases: names of `bench_train.CASES`.
        names: which peers; all where it is empty.
        rounds: turns of each side.
    """
    unknown = sorted(set(names) - set(PACKAGES))
    if unknown:
        raise SystemExit(f"no peer {unknown[0]}; there are {', '.join(PACKAGES)}")
    print("peers: ratio to the plain loop beside them", flush=True)
    with tempfile.TemporaryDirectory(prefix="mlnb-peers-") as folder:
        python = _environment(Path(folder))
        for name in names or PACKAGES:
            refused = _install(python, PACKAGES[name])
            for case in cases:
                answer = refused or _run(python, name, case, rounds, folder)
                print(f"  {case:8s} {name:16s} {answer}", flush=True)


def _environment(folder: Path) -> Path:
    """An environment that sees this one's torch, and has the peers in a folder of its own."""
    venv.create(folder / "env", with_pip=True, symlinks=True)
    python = folder / "env" / "bin" / "python"
    seen = next(path for path in sys.path if path.endswith("site-packages"))
    own = subprocess.check_output(
        [python, "-c", "import site; print(site.getsitepackages()[0])"], text=True
    ).strip()
    Path(own, "this.pth").write_text(f"{seen}\n")
    return python


def _install(python: Path, packages: list[str]) -> str:
    """Install a peer for the torch that is there, never another one; why not, or nothing."""
    torch = f"torch=={version('torch').partition('+')[0]}"
    words = ["-m", "pip", "install", "--quiet", "--no-cache-dir", "--prefer-binary"]
    done = subprocess.run([python, *words, *packages, torch], capture_output=True, text=True)
    return "" if done.returncode == 0 else f"cannot be installed: {_last_line(done.stderr)}"


def _run(python: Path, name: str, case: str, rounds: int, folder: str) -> str:
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax" if name == "keras-jax" else "torch",
        "OMP_NUM_THREADS": "1",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
        "PYTHONPATH": str(Path(__file__).resolve().parent),
        "HOME": folder,
    }
    done = subprocess.run(
        [python, __file__, name, case, str(rounds)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return f"failed: {_last_line(done.stderr)}"
    ratio, own = json.loads(done.stdout.strip().splitlines()[-1])
    return f"{ratio:5.2f}   {own:8.3f} ms a step"


def _last_line(text: str) -> str:
    return (text.strip().splitlines()[-1:] or ["no reason given"])[0][:160]


def _main(name: str, case_name: str, rounds: int) -> None:
    """In the environment: time one peer against the plain loop, and print the two numbers."""
    import statistics

    import torch
    from bench_train import CASES, compare, plain

    torch.set_num_threads(1)
    case = CASES[case_name]
    times = compare({"plain": plain(case), name: _PEERS[name](case)}, rounds)
    ratios = [base / own for base, own in zip(times["plain"], times[name], strict=True)]
    print(json.dumps([statistics.median(ratios), statistics.median(times[name])]))


def _parts(case: Any) -> Any:
    """Model, optimizer, and the batches ready-made."""
    import torch

    x, y = case.data()
    model = case.model()
    batches = list(zip(x.split(case.batch), y.split(case.batch), strict=True))
    loader = torch.utils.data.DataLoader(batches, batch_size=None, shuffle=True)
    return model, torch.optim.AdamW(model.parameters()), loader


def _lightning(case: Any, **words: Any) -> Callable[[], int]:
    import lightning
    import torch
    import torch.nn.functional as F

    inner, _, loader = _parts(case)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def training_step(self, batch: Any, _: int) -> Any:
            loss = F.cross_entropy(self.inner(batch[0]), batch[1])
            if not words:
                self.log("loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.AdamW(self.parameters())

    module = Module()

    def turn() -> int:
        trainer = lightning.Trainer(max_epochs=case.epochs, accelerator="cpu", **words)
        trainer.fit(module, loader)
        next(inner.parameters()).sum().item()
        return case.steps * case.epochs

    return turn


def _wrapped(case: Any, prepare: Callable[..., Any]) -> Callable[[], int]:
    """The ordinary loop with what `prepare` makes of it."""
    import torch.nn.functional as F

    model, optimizer, loader, backward = prepare(*_parts(case))

    def turn() -> int:
        for _ in range(case.epochs):
            for x, y in loader:
                loss = F.cross_entropy(model(x), y)
                backward(loss)
                optimizer.step()
                optimizer.zero_grad()
        loss.item()
        return case.steps * case.epochs

    return turn


def _accelerate(case: Any) -> Callable[[], int]:
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    return _wrapped(case, lambda *parts: (*accelerator.prepare(*parts), accelerator.backward))


def _fabric(case: Any) -> Callable[[], int]:
    from lightning.fabric import Fabric

    fabric = Fabric(accelerator="cpu")
    return _wrapped(
        case,
        lambda model, optimizer, loader: (
            *fabric.setup(model, optimizer),
            fabric.setup_dataloaders(loader),
            fabric.backward,
        ),
    )


def _ignite(case: Any) -> Callable[[], int]:
    import torch.nn.functional as F
    from ignite.engine import create_supervised_trainer

    model, optimizer, loader = _parts(case)
    trainer = create_supervised_trainer(model, optimizer, F.cross_entropy)

    def turn() -> int:
        trainer.run(loader, max_epochs=case.epochs)
        return case.steps * case.epochs

    return turn


def _skorch(case: Any) -> Callable[[], int]:
    import torch
    from skorch import NeuralNet

    x, y = case.data()
    net = NeuralNet(
        case.model(),
        torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=1e-3,
        batch_size=case.batch,
        max_epochs=case.epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    ).initialize()

    def turn() -> int:
        net.partial_fit(x, y)
        return case.steps * case.epochs

    return turn


def _fastai(case: Any) -> Callable[[], int]:
    import fastai.callback.progress  # noqa: F401  which gives learners their no_bar
    import torch.nn.functional as F
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner

    model, _, loader = _parts(case)
    learner = Learner(DataLoaders(loader, loader), model, loss_func=F.cross_entropy)

    def turn() -> int:
        with learner.no_bar(), learner.no_logging():
            learner.fit(case.epochs, lr=1e-3)
        return case.steps * case.epochs

    return turn


def _transformers(case: Any) -> Callable[[], int]:
    import torch
    import torch.nn.functional as F
    from transformers import Trainer, TrainingArguments

    inner, _, _ = _parts(case)
    x, y = case.data()

    class Wrapped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Any, labels: Any) -> Any:
            logits = self.inner(x)
            return {"loss": F.cross_entropy(logits, labels), "logits": logits}

    rows = [{"x": a, "labels": b} for a, b in zip(x, y, strict=True)]
    model = Wrapped()

    def turn() -> int:
        words = TrainingArguments(
            "out",
            num_train_epochs=case.epochs,
            per_device_train_batch_size=case.batch,
            report_to=[],
            save_strategy="no",
            use_cpu=True,
        )
        Trainer(model, words, train_dataset=rows).train()
        return case.steps * case.epochs

    return turn


def _keras(case: Any) -> Callable[[], int]:
    import keras
    from keras import layers

    x, y = (part.numpy() for part in case.data())
    shape = case.shape
    if case.name == "mlp":
        inner = [layers.Dense(256, "relu"), layers.Dense(128, "relu")]
    elif case.name.startswith("gru"):
        inner = [layers.GRU(case.model().gru.hidden_size)]
    else:
        x, shape = x.transpose(0, 2, 3, 1).copy(), (*shape[1:], shape[0])
        inner = []
        for width in (32, 64, 128):
            inner += [layers.Conv2D(width, 3, padding="same"), layers.BatchNormalization()]
            inner += [layers.ReLU(), layers.MaxPooling2D()]
        inner.append(layers.GlobalAveragePooling2D())
    model = keras.Sequential([layers.Input(shape), *inner, layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(1e-3), loss)

    def turn() -> int:
        history = model.fit(x, y, case.batch, epochs=case.epochs, verbose=0)
        float(history.history["loss"][-1])
        float(keras.ops.sum(model.trainable_weights[0].value))
        return case.steps * case.epochs

    return turn


_PEERS: dict[str, Callable[[Any], Callable[[], int]]] = {
    "lightning": _lightning,
    "lightning-bare": partial(_lightning, barebones=True),
    "fabric": _fabric,
    "accelerate": _accelerate,
    "skorch": _skorch,
    "ignite": _ignite,
    "fastai": _fastai,
    "transformers": _transformers,
    "keras-torch": _keras,
    "keras-jax": _keras,
}


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
