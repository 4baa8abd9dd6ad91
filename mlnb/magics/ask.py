"""A classifier asked on the line of `%mlpredict`: about a text, or a picture; or by its panel."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.errors import MlnbError, unknown
from mlnb.magics.shell import MagicError, user_names
from mlnb.models.model import Model

if TYPE_CHECKING:
    from mlnb.magics.shell import Call
    from mlnb.widgets.answer import Answer
    from mlnb.widgets.prediction_panel import PredictionPanel

EXPLAINED = 2_000
"""Characters of a text whose words are coloured at once."""


def classifier(call: Call) -> Any:
    """The classifier that the line names; `None` where it names something else, or nothing."""
    for scope in (call.local, call.shell.user_ns):
        value = scope.get(call.options.model)
        if value is not None:
            asked = hasattr(value, "predict_proba") and not isinstance(value, Model)
            return value if asked else None
    return None


def ask(call: Call, model: Any) -> Answer | PredictionPanel:
    """Ask about what stands on the line; with nothing there the panel opens.

    Raises:
        MagicError: an option that belongs to models with inputs, or no text and no picture.
        UnknownName: no variable and no file of that name.
    """
    from mlnb.widgets.prediction_panel import PredictionPanel

    options = call.options
    for name in ("outputs", "timeout", "raw"):
        if getattr(options, name):
            raise MagicError(f"--{name} is for a loaded model; {options.model} is a classifier")
    panel = PredictionPanel(model)
    if not options.feeds:
        call.show(panel)
        return panel
    answer = panel.predict(_asked(call, text=panel.takes == "text"))
    if panel.takes == "text" and len(answer.asked) <= EXPLAINED:
        with suppress(MlnbError):  # the answer counts, whether or not anybody can tell why
            answer = panel.explain()
    call.show(answer)
    return answer


def _asked(call: Call, *, text: bool) -> Any:
    """A variable's value; else the words themselves as a text, or the path that they are."""
    words = call.options.feeds
    if len(words) == 1 and (words[0] in call.local or words[0] in call.shell.user_ns):
        return call.variable(words[0])
    if text:
        return " ".join(words)
    if len(words) > 1:
        raise MagicError(
            f"one picture at a time; for several: {call.options.model}.predict_proba([…])"
        )
    path = Path(words[0]).expanduser()
    if not path.exists() and words[0].isidentifier():
        raise unknown("variable or picture", words[0], user_names(call.shell, call.local))
    return path
