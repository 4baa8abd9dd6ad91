"""What goes in and out of a TFLite model: by its tensors, or by the names of a signature.

Signatures have names of their own for tensors, and the same one may stand for an input and for an
output; that is why the names of inputs and outputs are kept apart from those in the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from mlnb.errors import unknown
from mlnb.formats.tflite.flatbuffer import UINT, Flatbuffer, Table
from mlnb.formats.tflite.graph import Subgraph
from mlnb.formats.tflite.ops import operator
from mlnb.formats.tflite.tensors import StoredTensor, Tensors
from mlnb.formats.wire import Broken
from mlnb.specs import TensorSpec, TensorSpecs

if TYPE_CHECKING:
    from mlnb.limits import Limits


class Ends(NamedTuple):
    """What goes in and out of the model, or of one of its signatures.

    Args:
        subgraph: its number.
        names: names given from outside, by tensor.
        inputs: tensors by their names, in order.
        outputs: as `inputs`.
    """

    subgraph: int
    names: Mapping[int, str]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


class Outside(NamedTuple):
    """What is read at once, without a look at the operators.

    Args:
        signatures: their names.
        ends: of the one that was chosen.
        inputs: as `ModelFile` has them.
        outputs: as `inputs`.
        keeps: whether the model has variables that outlive a run.
    """

    signatures: tuple[str, ...]
    ends: Ends
    inputs: TensorSpecs
    outputs: TensorSpecs
    keeps: bool


def read_ends(buffer: Flatbuffer, model: Table, signature: str | None, limits: Limits) -> Outside:
    """The inputs and outputs of the model, or of one of its signatures.

    Raises:
        Broken: the file has nothing that could run.
        UnknownName: it has no such signature.
    """
    _, subgraphs = model.rows(2)
    if not subgraphs:
        raise Broken(model.position, "it has no subgraph, and so nothing that could run")
    entries = {table.text(2): table for table in model.tables(7)}
    if signature is not None and signature not in entries:
        raise unknown("signature", signature, entries)
    chosen = None if signature is None else entries[signature]
    index = 0 if chosen is None else chosen.number(4, UINT)
    table = nth_subgraph(model, index)
    subgraph = Subgraph(table, Tensors(buffer, model, limits))
    if not subgraph.outputs and not table.rows(3)[1]:
        raise Broken(table.position, "its graph is empty")
    ends = _own_ends(subgraph) if chosen is None else _signature_ends(chosen, index)
    inputs = [spec_of(name, subgraph.tensor(number)) for name, number in ends.inputs.items()]
    outputs = [spec_of(name, subgraph.tensor(number)) for name, number in ends.outputs.items()]
    return Outside(
        tuple(entries),
        ends,
        TensorSpecs(inputs, "input"),
        TensorSpecs(outputs, "output"),
        any(operator(code).name == "VAR_HANDLE" for code in model.tables(1)),
    )


def _own_ends(subgraph: Subgraph) -> Ends:
    """The subgraph's own inputs and outputs, each once, by the names of their tensors."""
    inputs = {subgraph.name(number): number for number in subgraph.inputs if number != -1}
    outputs = {subgraph.name(number): number for number in subgraph.outputs if number != -1}
    return Ends(0, {}, inputs, outputs)


def _signature_ends(signature: Table, index: int) -> Ends:
    inputs = {entry.text(0): entry.number(1, UINT) for entry in signature.tables(0)}
    outputs = {entry.text(0): entry.number(1, UINT) for entry in signature.tables(1)}
    names = {number: name for name, number in (*outputs.items(), *inputs.items())}
    return Ends(index, names, inputs, outputs)


def nth_subgraph(model: Table, index: int) -> Table:
    """The subgraph with that number."""
    start, count = model.rows(2)
    if index >= count:
        raise Broken(model.position, f"there is no subgraph {index:,} among {count:,}")
    return model.row(start, index)


def spec_of(name: str, tensor: StoredTensor) -> TensorSpec:
    """A tensor as an input or output of that name."""
    return TensorSpec(name, tensor.dtype, tensor.shape, quantization=tensor.quantization)
