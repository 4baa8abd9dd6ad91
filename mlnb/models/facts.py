"""What a model is called and what it is in one line: `identifier`, `facts`."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

from mlnb.formatting import bytes_text, count_text, display_text, plural

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlnb.formats.model_file import ModelFile


def facts(file: ModelFile, nodes: int, parameters: int) -> str:
    """One line: `ONNX opset 17 · pytorch 2.15 · 69 nodes · 11.7 M parameters · 46.8 MB`."""
    told = [
        f"{file.format} {_opset(file.metadata)}".strip(),
        display_text(file.metadata.get("producer", ""), 40),
        plural(nodes, "node"),
        _parameters(parameters),
        bytes_text(file_bytes(file)),
    ]
    return " · ".join(fact for fact in told if fact)


def file_bytes(file: ModelFile) -> int:
    """The size of a model's file and of those beside it that hold its weights."""
    return file.source.size + sum(part.nbytes or 0 for part in file.parts)


def _opset(metadata: Mapping[str, str]) -> str:
    """`opset 17`, of the format's own operator set."""
    found = re.search(r"\bai\.onnx (\d+)", metadata.get("opsets", ""))
    return f"opset {found[1]}" if found else ""


def _parameters(count: int) -> str:
    return "1 parameter" if count == 1 else f"{count_text(count)} parameters"


def identifier(path: Path | None) -> str:
    """A Python name made from a file's: `squeezenet1.1_fp16.onnx` becomes `squeezenet1_1_fp16`."""
    stem = re.sub(r"\W", "_", path.stem if path else "model") or "model"
    stem = f"_{stem}" if stem[0].isdigit() else stem
    return f"{stem}_" if keyword.iskeyword(stem) else stem[:80]
