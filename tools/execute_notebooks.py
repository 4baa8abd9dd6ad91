"""Run the tutorials without a browser: `make tour` prints a table, `--save` keeps what they show.

A tutorial is committed as a newcomer's machine runs it, without `MLNB_DATA`, so that what one sees
on the web is what one gets. Nothing of the machine stays in the file: fixed metadata, no paths, no
times, no widget state (which would be a second copy of every model).
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# The places of one machine; what stands before keeps base64 from being taken for a path.
MACHINE = re.compile(
    r"(?<![\w.+/=])/(?:home|root|tmp|var|usr|opt|mnt|private|Users|work)/[\w./~-]+"
)


def main(arguments: list[str] | None = None) -> int:
    """Run the tutorials named, or all; 0 where every one went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of notebooks/")
    parser.add_argument("--save", action="store_true", help="write the outputs into the files")
    options = parser.parse_args(arguments)
    hidden = {"MLNB_DATA"} if options.save else set()
    surroundings = {name: value for name, value in os.environ.items() if name not in hidden}
    rows = []
    for path in options.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
        started = time.monotonic()
        notebook, error = execute(path, surroundings)
        rows.append((path.stem, time.monotonic() - started, error or "passed"))
        if options.save and not error:
            nbformat.write(tidy(notebook), path)
    width = max(len(name) for name, _, _ in rows)
    print(f"{'name':<{width}}  seconds  result")
    for name, seconds, result in rows:
        print(f"{name:<{width}}  {seconds:7.1f}  {result}")
    return int(any(result != "passed" for _, _, result in rows))


def execute(path: Path, surroundings: dict[str, str]) -> tuple[nbformat.NotebookNode, str]:
    """The notebook with fresh outputs, and what went wrong in one line, or nothing.

    Args:
        path: a notebook; it runs in its own folder, a cell for ten minutes at most.
        surroundings: the environment variables its kernel sees.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],  # not a line about the kernel's transport
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    try:
        client.execute(env=surroundings)
    except CellExecutionError as error:
        print(error, file=sys.stderr)
        return notebook, f"failed: {error.ename}: {error.evalue.splitlines()[0][:80]}"
    return notebook, ""


def tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook as it is committed: what it shows, nothing of where and when it ran."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [without_paths(output) for output in cell.outputs]
    return notebook


def without_paths(value: Any) -> Any:
    """The same output, with every path of this machine cut down to its last part.

    >>> without_paths({"text": "loaded /tmp/x/digits.onnx"})
    {'text': 'loaded digits.onnx'}
    """
    if isinstance(value, str):
        return MACHINE.sub(lambda match: match.group().rstrip("/").rpartition("/")[2], value)
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    if isinstance(value, dict):
        return type(value)({key: without_paths(item) for key, item in value.items()})
    return value


if __name__ == "__main__":
    sys.exit(main())
