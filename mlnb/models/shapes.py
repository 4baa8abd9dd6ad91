"""Shapes that a file lacks, worked out in a child: `inferred`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlnb.child.client import child

if TYPE_CHECKING:
    from mlnb.formats.model_file import ModelFile
    from mlnb.graph.graph import Graph


def inferred(file: ModelFile, graph: Graph, timeout: float) -> Graph | None:
    """The file's graph with more shapes than `graph` has; `None` where there are none to learn.

    Args:
        file: of a format whose shapes can be inferred; of others there are none to learn.
        graph: what is known.
        timeout: seconds until the child is stopped.

    Raises:
        MlnbError: the inference makes no sense of the file.
    """
    skeleton = file.skeleton()
    if skeleton is None:
        return None
    found = child("onnx").call(
        "mlnb.models.runtimes.shapes:infer_shapes", skeleton, timeout=timeout
    )
    more = file.with_shapes(found)
    return more if _known(more) > _known(graph) else None


def _known(graph: Graph) -> int:
    """How much is known: every known rank and every dimension with a number counts one."""
    return sum(
        1 + sum(isinstance(dimension, int) for dimension in value.shape)
        for one in (graph, *graph.subgraphs)
        for value in one.values.values()
        if value.shape is not None
    )
