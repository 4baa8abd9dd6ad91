"""Runs a TFLite model by LiteRT, Google's interpreter; this is what the child runs.

The interpreter is told the shape of what is fed before it allocates, so that a batch may be as long
as the file allows. Inner tensors are kept only for a model that is cut: that takes the interpreter
without its faster kernels, which compute whole chains at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.child.machine import cores
from mlnb.errors import ModelRunError, need
from mlnb.formatting import display_text
from mlnb.models.runtimes import sessions
from mlnb.models.runtimes.texts import as_bytes, as_text, told

if TYPE_CHECKING:
    from mlnb.models.runtimes.sessions import Session


def predict(
    address: str, feeds: Mapping[str, Any], outputs: Sequence[str], **how: Any
) -> list[Any] | None:
    """As `sessions.predict`.

    Args:
        address: with what `TfliteFile.run_facts` gives: the tensors by the names of inputs and
            outputs, a signature, and inner tensors that come out.
        feeds: a value for each input, as it is stored.
        outputs: the names wanted.
        how: as there.

    Raises:
        MissingExtra: ai-edge-litert is not installed.
        ModelRunError: LiteRT refused the model, or failed in it.
    """
    return sessions.predict(_open, address, feeds, outputs, **how)


def device() -> str:
    """What models run on here: always `"CPU"`."""
    return "CPU"


def _open(model: Mapping[str, Any], source: str | bytes) -> Session:
    try:
        if model.get("signature") is not None:
            return _SignatureSession(model, source)
        return _Session(model, source)
    except (ValueError, RuntimeError) as error:
        raise _explained(error) from error


def _interpreter(source: str | bytes, *, inner: bool) -> Any:
    litert = need("ai_edge_litert.interpreter", "tflite")
    plain = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return litert.Interpreter(
        **{"model_path" if isinstance(source, str) else "model_content": source},
        num_threads=cores(),
        experimental_preserve_all_tensors=inner,
        experimental_op_resolver_type=plain if inner else litert.OpResolverType.BUILTIN,
    )


_KEEPS = ("the model has variables: what a run leaves in them is there for the next one",)


class _Session:
    """A model by the names of its tensors."""

    device = "CPU"

    def __init__(self, model: Mapping[str, Any], source: str | bytes) -> None:
        self.notes: tuple[str, ...] = _KEEPS if model.get("keeps") else ()
        self._inner: Mapping[str, int] = model.get("inner", {})
        self._inputs: Mapping[str, int] = model["inputs"]
        self._outputs: Mapping[str, int] = {**model["outputs"], **self._inner}
        self._interpreter = _interpreter(source, inner=bool(self._inner))
        self._details = {each["index"]: each for each in self._interpreter.get_input_details()}
        self._shapes: dict[int, tuple[int, ...]] | None = None

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]:
        try:
            fed = {number: feeds.get(name) for name, number in self._inputs.items()}
            self._allocate({i: np.shape(v) for i, v in fed.items() if v is not None})
            for number, value in fed.items():
                self._interpreter.set_tensor(number, self._value(number, value))
            self._interpreter.reset_all_variables()
            self._interpreter.invoke()
            return [as_text(self._interpreter.get_tensor(self._outputs[n])) for n in outputs]
        except (ValueError, RuntimeError) as error:
            self._shapes = None
            raise _explained(error) from error

    def _allocate(self, shapes: dict[int, tuple[int, ...]]) -> None:
        """Make room for inputs of these shapes, where they are not those of the last run."""
        if shapes == self._shapes:
            return
        for number, shape in shapes.items():
            self._interpreter.resize_tensor_input(number, shape)
        self._interpreter.allocate_tensors()
        self._shapes = shapes

    def _value(self, number: int, value: Any) -> Any:
        """What was fed; zeros for an input that the outputs of a cut do not depend on."""
        if value is not None:
            return as_bytes(value)
        detail = self._details[number]
        if detail["dtype"] is np.bytes_:
            return np.full(detail["shape"], b"", object)
        return np.zeros(detail["shape"], detail["dtype"])


class _SignatureSession:
    """A model by one of its signatures; LiteRT sizes and fills its subgraph itself."""

    device = "CPU"

    def __init__(self, model: Mapping[str, Any], source: str | bytes) -> None:
        self.notes: tuple[str, ...] = _KEEPS if model.get("keeps") else ()
        self._inner: Mapping[str, int] = model.get("inner", {})
        self._inputs: Mapping[str, int] = model["inputs"]
        self._subgraph: int = model["subgraph"]
        self._interpreter = _interpreter(source, inner=bool(self._inner))
        self._run = self._interpreter.get_signature_runner(model["signature"])

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]:
        try:
            answered = self._run(
                **{name: as_bytes(value) for name, value in self._all(feeds).items()}
            )
            return [
                as_text(
                    self._interpreter.get_tensor(self._inner[name], self._subgraph)
                    if name in self._inner
                    else answered[name]
                )
                for name in outputs
            ]
        except (ValueError, RuntimeError) as error:
            raise _explained(error) from error

    def _all(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """The feeds, with zeros for inputs that the outputs of a cut do not depend on."""
        missing = self._inputs.keys() - feeds.keys()
        details = self._run.get_input_details() if missing else {}
        zeros = {name: np.zeros(details[name]["shape"], details[name]["dtype"]) for name in missing}
        return {**zeros, **feeds}


_CUSTOM = re.compile(r"unresolved custom op: (.+?)\.(?: See |$)")
_FLEX = re.compile(r"Node number \d+ \((Flex\w+)\)|Select TensorFlow op\(s\)")


def _explained(error: Exception) -> ModelRunError:
    """LiteRT's message, with what it means where a model needs operators that LiteRT lacks."""
    said = " ".join(str(error).split())
    flex = _FLEX.search(said)
    if flex:
        named = f" ({flex[1].removeprefix('Flex')})" if flex[1] else ""
        return ModelRunError(
            f"the model uses operations of TensorFlow{named} that LiteRT does not have: convert it "
            f"again without SELECT_TF_OPS, or run the SavedModel it was made from"
        )
    custom = _CUSTOM.search(said)
    if custom:
        return ModelRunError(
            f"the model uses the custom operation {display_text(custom[1], 80)!r}, which LiteRT "
            f"does not have: its author's own runtime is needed to run it"
        )
    return ModelRunError(told(said, "LiteRT: "))
