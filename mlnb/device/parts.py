"""What the table of devices is made of: things that compute, and libraries that use them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One thing that computes.

    Args:
        name: `"CPU"`, or `"GPU 0"` as the driver counts.
        model: what its maker calls it.
        free: bytes of memory that can still be taken; `None` where nobody says.
        total: bytes of memory in all.
        facts: what else there is to know, each in a few words.
        capability: of an NVIDIA GPU the version of its instructions, such as `(9, 0)`.
    """

    name: str
    model: str
    free: int | None = None
    total: int | None = None
    facts: tuple[str, ...] = ()
    capability: tuple[int, int] | None = None


@dataclass(frozen=True)
class Library:
    """What a library can use here, and what it cannot.

    Args:
        name: of the package.
        version: empty where it is not installed.
        uses: what it can compute on.
        lacks: what it cannot, each a line with its reason.
    """

    name: str
    version: str
    uses: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
