"""`devices`: what this machine computes with, what the libraries can use of it, and why not more.

Every part is asked by itself, so that a broken driver hides neither the CPU nor the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mlnb.device import graphics, libraries, processor
from mlnb.formatting import Markup, bytes_text, display_text, html, text_table

if TYPE_CHECKING:
    from mlnb.device.parts import Library, Part

T = TypeVar("T")


@dataclass(frozen=True)
class Devices:
    """What there is, as a table; see `devices`.

    Args:
        parts: the CPU, then the GPUs.
        libraries: torch and onnxruntime.
        problems: what could not be asked, each with its reason.
    """

    parts: tuple[Part, ...]
    libraries: tuple[Library, ...]
    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        rows = [[display_text(cell, 120) for cell in _cells(part)] for part in self.parts]
        lines = text_table(rows)
        for library in self.libraries:
            lines += ["", f"{_title(library)} {_uses(library)}"]
            lines += [f"  {lack}" for lack in library.lacks]
        lines += ["", *self.problems] if self.problems else []
        return "\n".join(display_text(line, 400) for line in lines)

    def _repr_html_(self) -> Markup:
        pad = Markup("padding:2px 12px;text-align:left;vertical-align:top")
        cell = '<td style="{pad}">{text}</td>'
        rows = [
            html(
                "<tr>{cells}</tr>", cells=[html(cell, pad=pad, text=text) for text in _cells(part)]
            )
            for part in self.parts
        ]
        blocks = [_block(library) for library in self.libraries]
        problems = [html("<div>{problem}</div>", problem=problem) for problem in self.problems]
        return html(
            '<div style="font-size:13px;line-height:1.5">'
            '<table style="border-collapse:collapse;font-size:13px">'
            "<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{blocks}{problems}</div>",
            head=[html('<th style="{pad}">{name}</th>', pad=pad, name=name) for name in _HEAD],
            rows=rows,
            blocks=blocks,
            problems=problems,
        )


def devices() -> Devices:
    """What this machine computes with, and what torch and onnxruntime can use of it.

    >>> devices()
    CPU    AMD EPYC 9654  14.1 GB of 16 GB free  4 cores of 64 · AVX2, AVX-512, AVX-512 BF16
    GPU 0  NVIDIA H200    150 GB of 151 GB free  compute capability 9.0 · driver 570.86.15
    <BLANKLINE>
    torch 2.11.0 uses cpu (4 threads, AVX512), cuda:0 (NVIDIA H200, 150 GB)
    <BLANKLINE>
    onnxruntime 1.24.1 uses CPU
      no CUDA: NVIDIA H200 is here, but this is onnxruntime for CPUs; run: …

    Memory and cores are those that a container allows. It imports torch and onnxruntime where they
    are installed, and takes no memory of a GPU.
    """
    problems: list[str] = []
    cpu = _asked("the CPU", processor.cpu, problems)
    gpus = _asked("the GPUs", graphics.gpus, problems) or []
    torch = _asked("torch", lambda: libraries.torch_library(gpus), problems)
    onnxruntime = _asked("onnxruntime", lambda: libraries.onnxruntime_library(gpus), problems)
    parts = [cpu] if cpu is not None else []
    found = [library for library in (torch, onnxruntime) if library is not None]
    return Devices((*parts, *gpus), tuple(found), tuple(problems))


_HEAD = ("", "model", "memory", "")


def _asked(name: str, probe: Callable[[], T], problems: list[str]) -> T | None:
    try:
        return probe()
    except Exception as error:  # noqa: BLE001 - one broken library must not hide the others
        first = display_text(str(error).strip().partition("\n")[0], 200)
        problems.append(f"{name} could not be asked: {first or type(error).__name__}")
        return None


def _cells(part: Part) -> tuple[str, str, str, str]:
    return part.name, part.model, _memory(part), " · ".join(part.facts)


def _memory(part: Part) -> str:
    if part.total is None:
        return "" if part.free is None else f"{bytes_text(part.free)} free"
    total = bytes_text(part.total)
    return total if part.free is None else f"{bytes_text(part.free)} of {total} free"


def _title(library: Library) -> str:
    return f"{library.name} {library.version}".strip()


def _uses(library: Library) -> str:
    return f"uses {', '.join(library.uses)}" if library.uses else "uses nothing"


def _block(library: Library) -> Markup:
    line = '<div style="padding-left:1em">{lack}</div>'
    return html(
        '<div style="margin-top:6px"><b>{title}</b> {uses}{lacks}</div>',
        title=_title(library),
        uses=_uses(library),
        lacks=[html(line, lack=lack) for lack in library.lacks],
    )
