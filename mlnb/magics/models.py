"""The model that a name in a notebook stands for: a loaded one, or a live module taken as one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlnb.errors import InputError, unknown
from mlnb.graph.graph import Graph
from mlnb.magics.shell import MagicError, user_names
from mlnb.models.live import live_module
from mlnb.models.loading import load_model
from mlnb.models.model import Model

if TYPE_CHECKING:
    from mlnb.magics.shell import Call

_SIZES = re.compile(r"\d+(?:[x×]\d+)*")


def named(call: Call, name: str, *kinds: type) -> Any:
    """The user's variable `name`, which holds one of `kinds`; the first kind names what is wanted.

    A torch module and a network of mlnb stand for a `Model` where one is wanted.

    Raises:
        MagicError: it holds something else.
        UnknownName: no such variable, with the closest.
    """
    if Model in kinds:
        _require_known(call, name)
    value = call.variable(name, kinds[0].__name__.lower(), kinds[0])
    if isinstance(value, kinds):
        return value
    if Model in kinds and live_module(value) is not None:
        return _of_module(call, name, value)
    raise MagicError(
        f"{name} is of type {type(value).__name__}, not a {kinds[0].__name__}; "
        "load one: %mlload PATH --name NAME"
    )


def is_table(model: object) -> bool:
    """Whether it is a file of weights, which has tensors and nothing else."""
    return isinstance(model, Model) and not model.outputs and not model.graph.nodes


def sample_of(call: Call) -> Any:
    """What `--sample` stands for: a variable, or a shape such as `2x3x224x224`; `None` without it.

    Raises:
        UnknownName: no such variable, with the closest.
    """
    text = getattr(call.options, "sample", None)
    if text is None:
        return None
    if _SIZES.fullmatch(text):
        return tuple(int(size) for size in re.split("[x×]", text))
    return call.variable(text)


def _of_module(call: Call, name: str, value: Any) -> Model:
    sample = sample_of(call)
    try:
        return load_model(value, sample=sample, name=name if name.isidentifier() else None)
    except InputError as error:
        if sample is not None or not hasattr(call.options, "sample"):
            raise
        raise MagicError(
            f"{name} does not say what goes in: --sample VARIABLE, a batch of it, or its shape, "
            "--sample 2x3x224x224"
        ) from error


def _require_known(call: Call, name: str) -> None:
    """Where no variable is called so, the networks are among the names that come close."""
    scopes = {**call.shell.user_ns, **call.local}
    if name in scopes or not name.isidentifier():
        return
    names = [
        known
        for known in user_names(call.shell, call.local)
        if isinstance(scopes[known], Model | Graph) or live_module(scopes[known]) is not None
    ]
    if names:
        raise unknown("model", name, names)
