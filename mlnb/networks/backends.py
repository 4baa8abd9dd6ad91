"""Other engines for the same weights: eager, `torch.compile`, onnxruntime; and a table of them.

A run on another backend gives what the module gives, in eval mode and without gradients. What it
takes to get there (compiling, exporting) is kept until the weights change.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from mlnb.errors import ExportError, MissingExtra, MlnbError, TrainError, unknown
from mlnb.formatting import display_text, first_line
from mlnb.networks.backend_table import BackendRow, BackendTable
from mlnb.networks.taken import Taken, batch_of, module_of, take
from mlnb.progress import progress

NAMES = ("eager", "compile", "onnxruntime")
ROUNDS = 7
"""How often each backend answers for the table; the middle time counts."""

Engine = Callable[[Mapping[str, Tensor]], tuple[Tensor, ...]]


def backends(net: Any, sample: Any = None) -> BackendTable:
    """How fast each backend answers on your own sample, and how far apart the answers are.

    >>> backends(net, images[:64])
    backend      device  a batch of 64  first call  largest difference
    eager        cpu     2.1 ms         2.9 ms
    compile      cpu     1.4 ms         9.2 s       1.2e-07
    onnxruntime  cpu     1.1 ms         3.3 s       2.4e-07

    The backends take turns, so that what else the machine does slows all of them alike. Each runs a
    copy of the network in eval mode where the network is, onnxruntime on the CPU; the batch comes
    from the CPU and the answer goes back there.

    Args:
        net: a `Sequential` or `Network`, a `torch.nn.Module`, a `Trainer` or a `Run`.
        sample: the batch; two zeros without it, where the network knows its input's shape.

    Raises:
        InputError: nothing is known of the inputs, or the sample does not fit.
    """
    taken = take(net, sample, on_cpu=False)
    wanted = taken.run(taken.sample)
    rows, engines = {}, {}
    with progress("backends", len(NAMES)) as done:
        for at, name in enumerate(NAMES):
            begun = time.perf_counter()
            try:
                engine = _MAKERS[name](taken)
                came = engine(taken.sample)
            except MlnbError as error:
                rows[name] = BackendRow(name, unavailable=first_line(error, 400))
                continue
            cost = time.perf_counter() - begun
            device = "cpu" if name == "onnxruntime" else taken.device.type
            rows[name] = BackendRow(name, None, cost, _apart(wanted, came), device)
            engines[name] = engine
            done(at + 1)
    times = _times(engines, taken.sample)
    table = [replace(row, seconds=times.get(name)) for name, row in rows.items()]
    return BackendTable(tuple(table), len(next(iter(taken.sample.values()))))


def check_backend(name: str) -> None:
    """Refuse a word that is no backend.

    Raises:
        UnknownName: with the closest one.
    """
    if name not in NAMES:
        raise unknown("backend", str(name), NAMES)


def run_on(
    net: Any,
    backend: str,
    x: Any,
    *,
    batch_size: int = 256,
    say: Callable[[str], object] | None = None,
) -> Any:
    """What a network gives for a batch, computed by another backend.

    >>> run_on(net, "onnxruntime", images)

    Where the backend is unavailable the answer is computed eagerly, and `say` is told why.

    Args:
        net: as for `backends`.
        backend: "eager", "compile" or "onnxruntime".
        x: a batch, [samples, …]; for several inputs a tuple, or a dict by name.
        batch_size: samples at a time; the last ones are filled up, so that nothing is compiled
            for them alone.
        say: takes a sentence; `warnings.warn` without it.

    Returns:
        A tensor on the CPU; for several outputs a dict of them by name.

    Raises:
        UnknownName: no such backend, with the closest.
        InputError: the batch does not fit.
    """
    check_backend(backend)
    prepared = _prepared(net, backend, _rows(x, batch_size), say or _warn)
    batch = batch_of(x, tuple(prepared.taken.sample))
    count = len(next(iter(batch.values())))
    outs = []
    for at in range(0, count, batch_size):
        part = {name: value[at : at + batch_size] for name, value in batch.items()}
        left = min(batch_size, count - at)
        filled = count > batch_size and left < batch_size
        if filled:
            part = {name: _filled(value, batch_size) for name, value in part.items()}
        outs.append([out[:left] for out in prepared.engine(part)])
    names = prepared.taken.outputs
    whole = {
        name: torch.cat(some) for name, some in zip(names, zip(*outs, strict=True), strict=True)
    }
    return whole if len(whole) > 1 else next(iter(whole.values()))


# -------------------------------------------------------------------------------------- engines


def _eager(taken: Taken) -> Engine:
    return taken.run


def _compiled(taken: Taken) -> Engine:
    """The module compiled; one graph for each size of batch.

    Raises:
        TrainError: it cannot be compiled here, at the first call.
    """
    forward = torch.compile(taken.module, dynamic=False)
    fast = replace(taken, module=forward)

    def engine(batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        try:
            return fast.run(batch)
        except Exception as error:
            taken.run(batch)  # a fault of the model or the batch is raised as it is
            raise TrainError(_why(error)) from error

    return engine


def _onnxruntime(taken: Taken) -> Engine:
    """The module exported into memory.

    Raises:
        ExportError: torch or onnxruntime cannot follow it.
        MissingExtra: a package is missing.
    """
    from mlnb.networks.export import checked, session
    from mlnb.networks.to_onnx import to_onnx

    plain = taken.on_cpu()
    content = to_onnx(plain)
    checked(plain, content)
    runs = session(content)

    def engine(batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        came = runs.run(None, {name: x.numpy() for name, x in batch.items()})
        return tuple(torch.as_tensor(one) for one in came)

    return engine


_MAKERS: dict[str, Callable[[Taken], Engine]] = {
    "eager": _eager,
    "compile": _compiled,
    "onnxruntime": _onnxruntime,
}


def _why(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}"
    if "C++ compiler" in text or "InvalidCxxCompiler" in text:
        return "there is no working C++ compiler here (g++ or clang++)"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else "no reason given"
    return display_text(f"torch.compile fails: {type(error).__name__}, {said}", 300)


# ----------------------------------------------------------------------------------------- kept


@dataclass(frozen=True)
class _Prepared:
    """An engine, and the weights that it was made of."""

    taken: Taken
    engine: Engine
    weights: tuple[Any, ...]


_kept: WeakKeyDictionary[nn.Module, dict[str, _Prepared]] = WeakKeyDictionary()


def _prepared(net: Any, backend: str, x: Any, say: Callable[[str], object]) -> _Prepared:
    module = module_of(net)
    mine = _kept.setdefault(module, {})
    weights = _fingerprint(module)
    old = mine.get(backend)
    if old is not None and old.weights == weights:
        return old
    taken = take(net, x, on_cpu=False)
    try:
        engine = _MAKERS[backend](taken)
        engine(taken.sample)
    except (ExportError, TrainError, MissingExtra) as error:
        why = first_line(error, 400).rstrip(".")
        say(f'backend="{backend}" is unavailable, so that this is computed eagerly: {why}.')
        engine = _eager(taken)
    kept = {name: one[:2].clone() for name, one in taken.sample.items()}
    mine[backend] = _Prepared(replace(taken, sample=kept), engine, weights)
    return mine[backend]


def _rows(x: Any, count: int) -> Any:
    """The first ones, of each input: what is prepared for is as large as what will come."""
    if isinstance(x, Mapping):
        return {name: value[:count] for name, value in x.items()}
    return tuple(value[:count] for value in x) if isinstance(x, tuple) else x[:count]


def _fingerprint(module: nn.Module) -> tuple[Any, ...]:
    """What changes when a weight or buffer does, by torch's count or by its bits."""
    state = module.state_dict(keep_vars=True).values()
    tensors = [one for one in state if isinstance(one, Tensor)]
    return tuple((id(one), one._version, _bits(one)) for one in tensors)


def _bits(tensor: Tensor) -> tuple[int, int]:
    """A hash of the content, which also sees what was written through `.data`."""
    flat = tensor.detach().reshape(-1)
    if not len(flat):
        return 0, 0
    raw = flat.view(torch.uint8) if flat.is_complex() or flat.element_size() == 1 else flat
    first = int(torch.hash_tensor(raw[:1]).view(torch.int64))
    return int(torch.hash_tensor(raw).view(torch.int64)), first


def _filled(x: Tensor, rows: int) -> Tensor:
    """The last sample again and again, up to `rows`."""
    return torch.cat([x, x[-1:].expand(rows - len(x), *x.shape[1:])])


def _warn(text: str) -> None:
    """A warning at the line of the user's own code, however deep the call came from."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("mlnb."):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)


# --------------------------------------------------------------------------------------- timing


def _times(engines: Mapping[str, Engine], batch: Mapping[str, Tensor]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            begun = time.perf_counter()
            engine(batch)
            taken[name].append(time.perf_counter() - begun)
    return {name: median(times) for name, times in taken.items()}


def _apart(wanted: tuple[Tensor, ...], came: tuple[Tensor, ...]) -> float:
    """The largest difference over all outputs."""
    pairs = zip(wanted, came, strict=True)
    return max((float((a.double() - b.double()).abs().max()) for a, b in pairs), default=0.0)
