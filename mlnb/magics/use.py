"""Use a model: `%mlpredict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class

from mlnb.magics.look import named
from mlnb.magics.shell import Argument, Call, MagicError, magic
from mlnb.models.model import Model

if TYPE_CHECKING:
    from mlnb.models.prediction import Prediction


@magics_class
class UseMagics(Magics):
    """The magics that run a model."""

    @magic(
        Argument("model", completes="model"),
        Argument("feeds", completes="feed", many=True, shown="INPUT=VARIABLE"),
        Argument("--outputs", shown="NAMES"),
        Argument("--timeout", kind=float, shown="SECONDS"),
    )
    def mlpredict(self, call: Call) -> Prediction:
        """Run a loaded model on your variables, show what went in and came out, return the outputs.

        %mlpredict MODEL [INPUT=VARIABLE …] [--outputs NAMES] [--timeout SECONDS]

        MODEL           the variable that holds the model.
        INPUT=VARIABLE  what to feed: the input's name and the variable that holds the array. A
                        model with one input takes the variable alone.
        --outputs       the outputs to compute, with commas between; all of them without it.
        --timeout       seconds until the model is stopped; 60 without it.

        Examples
        --------
        %mlpredict net image
        answer = %mlpredict net data_0=image
        %mlpredict bert input_ids=ids attention_mask=mask --timeout 120

        The same in Python: `answer = net.predict({"data_0": image})`.
        """
        options = call.options
        model = named(call, options.model, Model)
        extra: dict[str, Any] = {}
        if options.outputs is not None:
            extra["outputs"] = [name.strip() for name in options.outputs.split(",")]
        if options.timeout is not None:
            extra["timeout"] = options.timeout
        prediction = model.predict(_feeds(call, model), **extra)
        call.show(prediction)
        return prediction


def _feeds(call: Call, model: Model) -> dict[str, Any]:
    """The arrays by input, from words such as `data_0=image`, or one variable alone."""
    names, words = model.inputs.names, call.options.feeds
    if len(words) == 1 and len(names) == 1 and "=" not in words[0]:
        return {names[0]: call.variable(words[0])}
    feeds: dict[str, Any] = {}
    for word in words:
        name, equals, variable = word.rpartition("=")
        if not equals:
            wanted = " ".join(f"{name}=VARIABLE" for name in names)
            raise MagicError(f"{word!r} does not say which input it is for; they are: {wanted}")
        feeds[name] = call.variable(variable)
    if not feeds and names:
        shape = " ".join(f"{name}=VARIABLE" for name in names)
        raise MagicError(f"nothing to feed; write: %mlpredict {call.options.model} {shape}")
    return feeds
