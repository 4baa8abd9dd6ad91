"""What was given with a word, brought to keywords: by position, by name, or left out."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from mlnb.networks.activations import ACTIVATIONS, activation_name
from mlnb.networks.mistakes import layer_error, misspelt

if TYPE_CHECKING:
    from mlnb.networks.places import Place
    from mlnb.networks.vocabulary import Word


def read_options(
    word: Word, args: tuple[Any, ...], given: dict[str, Any], place: Place
) -> dict[str, Any]:
    """What was given by keyword, as plain values; what equals a default is left out."""
    parameters = word.signature.parameters
    for key in given:
        if key in word.sizes:
            text = f"`{word.name}` takes no {key}: it is inferred from what comes. Leave it out."
            raise layer_error(text, word.name, place)
        if key not in parameters:
            raise misspelt(f"keyword of `{word.name}`", key, [*parameters, "name"], place)
    several = next((p.name for p in parameters.values() if p.kind is Parameter.VAR_POSITIONAL), "")
    values: dict[str, Any] = {}
    if several and (args or several not in given):
        values[several], args = args[0] if len(args) == 1 else args, ()
    by_place = [p.name for p in parameters.values() if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    _check_positional(word, args, by_place, place)
    values |= dict(zip(by_place, args, strict=False))
    twice = values.keys() & given.keys()
    if twice:
        text = f"`{word.name}` was given {min(twice)} twice, by position and by keyword."
        raise layer_error(text, word.name, place)
    values |= given
    if several and not isinstance(values[several], list | tuple):
        values[several] = (values[several],)
    missing = [key for key in word.needed if key not in values]
    if missing:
        text = f"`{word.name}` needs {' and '.join(missing)}: {example(word)}."
        raise layer_error(text, word.name, place)
    if word.activation and values.get("activation") is not None:
        values["activation"] = read_activation(values["activation"], word.name, place)
    if values.get("returns", "last") not in ("last", "all"):
        raise misspelt("returns", str(values["returns"]), ["last", "all"], place)
    return present(
        {key: _plain(values[key]) for key in parameters if key in values}, word.signature
    )


def _check_positional(word: Word, args: tuple[Any, ...], by_place: list[str], place: Place) -> None:
    """Sizes of the input, written as torch wants them, are the most usual mistake here."""
    at = by_place.index("activation") if "activation" in by_place else len(by_place)
    extra = args[at:]
    is_size = bool(extra) and all(isinstance(a, int | tuple) and a is not True for a in extra)
    if is_size and word.sizes and (word.activation or len(args) > len(by_place)):
        needed = ", ".join(word.needed) or "no size"
        shown = ", ".join(repr(a) for a in args[len(args) - at :])
        text = (
            f"`{word.name}` takes {needed}, for the size of the input is inferred; "
            f"received ({', '.join(map(repr, args))}). Write {word.name}({shown})."
        )
        raise layer_error(text, word.name, place)
    if len(args) > len(by_place):
        keywords = [key for key in word.signature.parameters if key not in by_place]
        more = f"; by keyword: {', '.join(keywords)}" if keywords else ""
        text = (
            f"`{word.name}` takes {', '.join(by_place) or 'nothing'} by position{more}. "
            f"Received {len(args)} values."
        )
        raise layer_error(text, word.name, place)


def example(word: Word) -> str:
    """How a word is written: `conv2d(out_channels, kernel_size, activation=None, …)`."""
    shown = [str(p.replace(annotation=Parameter.empty)) for p in word.signature.parameters.values()]
    clipped = shown[: len(word.needed) + 1]
    return f"{word.name}({', '.join(clipped)}{', …' if len(shown) > len(clipped) else ''})"


def read_activation(value: object, word: str, place: Place) -> str | None:
    """The name of an activation as it is kept, or the error with the line of the layer."""
    try:
        return activation_name(value)
    except TypeError:
        text = (
            f'`{word}` expects the name of an activation, such as "relu"; '
            f"received {type(value).__name__}. Put anything else behind it with `add`."
        )
        raise layer_error(text, word, place) from None
    except LookupError:
        raise misspelt("activation", str(value), sorted(ACTIVATIONS), place) from None


def _plain(value: Any) -> Any:
    """Lists become tuples and NumPy's numbers Python's, so that equal layers are equal."""
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def present(options: dict[str, Any], signature: Signature | None = None) -> dict[str, Any]:
    """The options that are not as they would be anyway."""
    kept = {}
    for key, value in options.items():
        default = signature.parameters[key].default if signature else None
        if type(value) is not type(default) or value != default:
            kept[key] = value
    return kept


def manual(word: Word) -> str:
    """The help of a word: its class, what it takes, and how it is written."""
    ours = word.target.__module__.startswith("mlnb")
    home = "" if ours else "torch.nn."
    lines = [f"`{home}{word.target.__name__}` as a layer: `{example(word)}`.", ""]
    takes = f"[{', '.join(word.takes)}]" if word.takes else "any shape that the class takes"
    lines.append(f"One sample is {takes}. Keywords are those of the class, with its defaults;")
    inferred = ", ".join(word.sizes)
    lines.append(f"{inferred} inferred." if inferred else "nothing is inferred.")
    first = (word.target.__doc__ or "").strip().partition("\n\n")[0]
    return "\n".join([*lines, "", first])
