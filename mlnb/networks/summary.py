"""How large a network is, layer by layer: shapes, parameters, MACs and memory.

Counting, totals and text are apart, as in `mlnb.graph.summary` for loaded models. Every weight is
counted once, at the first layer that holds it, so that rows add up to the totals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from mlnb.errors import InputError, LayerError
from mlnb.formatting import (
    bytes_text,
    count_text,
    display_text,
    first_line,
    html,
    html_table,
    plural,
    text_table,
)
from mlnb.networks.blocks import Wired
from mlnb.networks.counting import module_macs
from mlnb.networks.dry import run_dry
from mlnb.networks.mistakes import shape_of
from mlnb.networks.taken import as_batch

if TYPE_CHECKING:
    from mlnb.networks.holder import Holder

SHOWN = 60
"""Rows that text and HTML show; `layers` has them all."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One module.

    Args:
        name: its path in the module.
        kind: its class.
        output: the shape of one sample that leaves it at its first call; `None` where unknown.
        params: numbers in its own weights, those of modules inside it and shared ones left out.
        trainable: those of them that train.
        macs: multiply-accumulates for one sample, over all its calls.
        nbytes: of its own weights and buffers.
        depth: how many modules it lies in.
    """

    name: str
    kind: str
    output: tuple[int, ...] | None
    params: int
    trainable: int
    macs: int
    nbytes: int
    depth: int = 0


@dataclass(frozen=True)
class NetworkSummary:
    """The sizes of a network; all totals are sums over the rows.

    Args:
        layers: a row for every module, those around others without weights of their own as well.
        activation_bytes: what all layers hand on for one sample, added up; training holds about
            that much for each sample of a batch.
        run: whether shapes and MACs are known.
        written: how many layers the network was written in; a row is a module of them.
    """

    layers: tuple[LayerRow, ...]
    activation_bytes: int = 0
    run: bool = True
    written: int | None = None

    @property
    def total_params(self) -> int:
        """Numbers in all weights, tied ones once."""
        return sum(row.params for row in self.layers)

    @property
    def trainable_params(self) -> int:
        """Those of them that train."""
        return sum(row.trainable for row in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one sample."""
        return sum(row.macs for row in self.layers)

    @property
    def nbytes(self) -> int:
        """The size of all weights and buffers, in bytes."""
        return sum(row.nbytes for row in self.layers)

    @property
    def line(self) -> str:
        """`6 layers · 61,706 parameters · 247 kB · 0.42 MMACs · 35 kB of activations a sample`."""
        count = self.written or sum(1 for row in self.layers if row.depth == 0)
        parts = [plural(count, "layer"), f"{count_text(self.total_params)} parameters"]
        if self.trainable_params != self.total_params:
            parts.append(f"{count_text(self.trainable_params)} train")
        parts.append(bytes_text(self.nbytes))
        if self.run:
            number, _, unit = count_text(self.macs).partition(" ")
            parts.append(f"{number} {unit}MACs")
            parts.append(f"{bytes_text(self.activation_bytes)} of activations a sample")
        return " · ".join(parts)

    def to_frame(self) -> Any:
        """All rows as a pandas DataFrame."""
        import pandas as pd

        names = LayerRow.__dataclass_fields__
        return pd.DataFrame([{n: getattr(row, n) for n in names} for row in self.layers])

    def __repr__(self) -> str:
        lines = text_table([HEADS, *cells(self.layers)], _NUMBERS, ruled=True)
        return "\n".join([*lines, "", self.line])

    def _repr_html_(self) -> str:
        table = html_table(HEADS, cells(self.layers), _NUMBERS, "white-space:pre")
        return html("{table}<p>{line}</p>", table=table, line=self.line)


HEADS = ("layer", "kind", "output shape", "parameters", "MACs", "memory")
_NUMBERS = (3, 4, 5)


def cells(rows: Sequence[LayerRow]) -> list[tuple[str, ...]]:
    """Rows as text under `HEADS`, with a last one for those that are left out."""
    found: list[tuple[str, ...]] = [
        (
            "  " * row.depth + display_text(row.name.rpartition(".")[2], 40),
            display_text(row.kind, 32),
            shape_of(row.output) if row.output is not None else "",
            f"{row.params:,}" if row.params else "",
            f"{row.macs:,}" if row.macs else "",
            bytes_text(row.nbytes) if row.nbytes else "",
        )
        for row in rows[:SHOWN]
    ]
    rest = rows[SHOWN:]
    if rest:
        params, macs = sum(row.params for row in rest), sum(row.macs for row in rest)
        size = bytes_text(sum(row.nbytes for row in rest))
        found.append((f"and {len(rest)} more", "", "", f"{params:,}", f"{macs:,}", size))
    return found


# -------------------------------------------------------------------------------------- counting


def summarize_network(net: Holder, sample: Any = None) -> NetworkSummary:
    """The sizes of a network; without a known input shape or a sample those of its weights alone.

    Args:
        net: a `Sequential` or `Network`.
        sample: a batch, or a tuple of them.

    Raises:
        InputError: the sample holds no numbers, or does not fit.
    """
    inputs = net.dry_inputs() if sample is None else _batch(sample)
    try:
        module = net.module
    except LayerError:
        return NetworkSummary((), run=False, written=len(net))
    try:
        return replace(summarize_module(module, inputs), written=len(net))
    except RuntimeError as error:
        raise InputError(f"The network fails on the sample: {first_line(error)}") from error


def _batch(sample: Any) -> tuple[Any, ...]:
    given = sample if isinstance(sample, tuple) else (sample,)
    return tuple(as_batch("sample", one)[:2] for one in given)


def summarize_module(module: nn.Module, inputs: tuple[Any, ...] | None) -> NetworkSummary:
    """The sizes of any module; `inputs` is a batch for each of its inputs."""
    seen: dict[str, _Seen] = {}
    paths = _paths(module)
    if inputs is not None:
        with _watching(paths, seen):
            run_dry(module, inputs)
    counted: set[int] = set()
    rows = tuple(_row(path, inner, seen.get(path), counted) for path, inner in paths)
    rows = tuple(row for row in rows if row.name or row.params)
    activations = sum(one.nbytes for one in seen.values())
    return NetworkSummary(rows, activations, inputs is not None)


def _paths(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """Every module once with its path; the root has none, and a lone layer its class."""
    listed = [(name, one) for name, one in module.named_modules() if not _is_list(one)]
    wired = isinstance(module, Wired)
    found = [(name.removeprefix("layers.") if wired else name, one) for name, one in listed]
    if len(found) == 1 and found[0][0] == "":
        return [(type(module).__name__.lower(), module)]
    return found


def _is_list(module: nn.Module) -> bool:
    return isinstance(module, nn.ModuleDict | nn.ModuleList)


@dataclass
class _Seen:
    output: tuple[int, ...] | None = None
    macs: int = 0
    nbytes: int = 0


@contextmanager
def _watching(paths: Sequence[tuple[str, nn.Module]], seen: dict[str, _Seen]) -> Iterator[None]:
    """Notes what every module gives while the body runs."""

    def hook(path: str, leaf: bool) -> Any:
        def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            one = seen.setdefault(path, _Seen())
            out = output[0] if isinstance(output, tuple) and output else output
            if isinstance(out, Tensor):
                one.output = one.output or tuple(out.shape[1:])
                if leaf:
                    one.nbytes += out[:1].numel() * out.element_size()
            one.macs += module_macs(module, inputs, output)

        return note

    handles = [
        module.register_forward_hook(hook(path, not list(module.children())))
        for path, module in paths
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _row(path: str, module: nn.Module, seen: _Seen | None, counted: set[int]) -> LayerRow:
    own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
    buffers = [b for b in module.buffers(recurse=False) if id(b) not in counted]
    counted |= {id(one) for one in (*own, *buffers)}
    return LayerRow(
        path,
        type(module).__name__,
        seen.output if seen else None,
        sum(p.numel() for p in own),
        sum(p.numel() for p in own if p.requires_grad),
        seen.macs if seen else 0,
        sum(t.numel() * t.element_size() for t in (*own, *buffers)),
        path.count("."),
    )
