"""The caps on what a file may ask of this machine, all in one table.

A file that hits one raises `LimitExceeded`, which names the cap; `load_model(path,
limits=Limits(nodes=5_000_000))` raises it for one call.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlnb.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps for reading and running one file; the defaults admit every model we know of.

    Args:
        structure_bytes: what is left of the file without its weights, in bytes.
        depth: how deeply messages, subgraphs and functions may nest.
        nodes: operations in all graphs together.
        values: names of tensors in all graphs together.
        name_length: characters in one name; a longer one is clipped, with a warning.
        rank: dimensions in one shape.
        tensor_bytes: one weight read for its statistics.
        run_bytes: what a running model may take besides its own weights.
    """

    structure_bytes: int = 512 * 2**20
    depth: int = 100
    nodes: int = 2_000_000
    values: int = 8_000_000
    name_length: int = 100_000
    rank: int = 1_000
    tensor_bytes: int = 1 * 2**30
    run_bytes: int = 4 * 2**30

    def check(self, cap: str, value: int, where: str) -> None:
        """Raise `LimitExceeded` where `value` is over the cap named `cap`."""
        allowed = getattr(self, cap)
        if value > allowed:
            raise LimitExceeded(
                f"{where}: {cap} is {value:,}, the limit is {allowed:,}; if you trust the file, "
                f"raise it: load_model(path, limits=Limits({cap}={value}))"
            )


LIMITS = Limits()
