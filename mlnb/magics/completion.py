"""Completion inside our magics: options, paths, models, variables, samples.

IPython completes the names of magics, but not their options. A matcher of today's IPython sees the
line and says what it replaces; one of IPython 7 (Colab) is given a word only and reads the line
from the completer, hence the two small adapters at the end.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.magics import layer_words
from mlnb.magics._table import MAGICS
from mlnb.magics.words import last_word, quoted, unquoted

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlnb.magics.shell import Argument, Parser

_CALL = re.compile(r"^(?:[\w.,\s\[\]]*=)?\s*%{1,2}(?P<name>ml\w+)\s(?P<rest>.*)$")


def install(shell: InteractiveShell) -> None:
    """Complete in our magics from now on."""
    shell.Completer.custom_matchers.append(_matcher(shell))


def remove(shell: InteractiveShell) -> None:
    """Complete as before."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if not getattr(m, "of_mlnb", False)]


def complete(
    shell: InteractiveShell, line: str, above: Iterable[str] = ()
) -> tuple[str, list[str]] | None:
    """The fragment before the cursor and what may stand in its place; `None` for other lines.

    >>> complete(get_ipython(), "%mlload --na")
    ('--na', ['--name'])

    Args:
        shell: the running IPython.
        line: up to the cursor.
        above: the lines of the cell above it.
    """
    if layer_words.is_body(above):
        return layer_words.complete_line(shell, line)
    call = _CALL.match(line)
    names = [name for names in MAGICS.values() for name in names]
    if call is None or call["name"] not in names:
        return None
    magics = shell.magics_manager.magics
    name = call["name"]
    parser: Parser = (magics["line"].get(name) or magics["cell"][name]).parser
    words, fragment = last_word(call["rest"])
    if fragment.startswith("-"):
        return fragment, [flag for flag in parser.options if flag.startswith(fragment)]
    argument = _expected(parser, words)
    return fragment, _candidates(shell, argument, fragment, words) if argument else []


def _expected(parser: Parser, words: list[str]) -> Argument | None:
    """The argument that the next word belongs to."""
    switches = {a.flag for a in parser.arguments if a.switch}
    words = [word for word in words if word not in switches]
    flags = {a.flag: a for a in parser.arguments if a.flag.startswith("-")}
    if words and words[-1] in flags:
        return flags[words[-1]]
    places = [a for a in parser.arguments if a.flag not in flags]
    for before, word in zip(["", *words], words, strict=False):
        if word not in flags and before not in flags and places and not places[0].many:
            places.pop(0)
    return places[0] if places else None


def _candidates(
    shell: InteractiveShell, argument: Argument, fragment: str, words: list[str]
) -> list[str]:
    meant = unquoted(fragment)
    if argument.completes == "path":
        return _paths(meant, fragment[:1])
    if argument.completes == "signature":
        return [quoted(n, fragment[:1]) for n in _signatures(words) if n.startswith(meant)]
    if argument.completes == "feed":
        name, equals, begun = fragment.rpartition("=")
        ready = [name + equals + v for v in _variables(shell) if v.startswith(begun)]
        return ready if equals else [*_feeds(shell, words, meant), *ready]
    found: dict[str, Callable[[], list[str]]] = {
        "model": lambda: sorted({*_variables(shell, "Model", "Graph"), *_networks(shell)}),
        "asked": lambda: sorted(
            {*_variables(shell, "Model", "Graph"), *_networks(shell), *_classifiers(shell)}
        ),
        "module": lambda: _networks(shell),
        "kept": lambda: sorted({*_variables(shell, "Model"), *_networks(shell)}),
        "data": lambda: [*_variables(shell), *_samples()],
        "classifier": lambda: _classifiers(shell),
        "column": lambda: _columns(shell, words),
        "network": lambda: _variables(shell, "Sequential"),
        "run": lambda: [*_variables(shell, "Run"), *_runs()],
        "variable": lambda: _variables(shell),
        "sample": _samples,
    }
    names = found.get(argument.completes, lambda: _words(argument.completes))()
    return [quoted(n) for n in dict.fromkeys(names) if n.startswith(meant)]


def _paths(meant: str, opened: str) -> list[str]:
    folder, begun = os.path.split(meant)
    try:
        entries = sorted(Path(folder or ".").expanduser().iterdir())
    except OSError:
        return []
    shown = [e for e in entries if e.name.startswith(begun) and (begun or e.name[0] != ".")]
    texts = [os.path.join(folder, e.name) + ("" if _is_whole(e) else "/") for e in shown]
    return [quoted(text, opened) for text in texts]


def _is_whole(entry: Path) -> bool:
    """Whether one stops at it: a file, or a folder that is a model."""
    from mlnb.formats import is_model_folder

    try:
        return not entry.is_dir() or is_model_folder(entry)
    except OSError:
        return False


def _signatures(words: list[str]) -> list[str]:
    """The entry points of the file on the line."""
    from mlnb.errors import MlnbError
    from mlnb.formats import open_model_file

    for word in words:
        try:
            if not word.startswith("-") and Path(word).expanduser().exists():
                return list(open_model_file(word).signatures)
        except (MlnbError, OSError):
            continue
    return []


def _feeds(shell: InteractiveShell, words: list[str], begun: str) -> list[str]:
    model = shell.user_ns.get(words[0]) if words else None
    names = getattr(getattr(model, "inputs", None), "names", [])
    fed = {word.rpartition("=")[0] for word in words[1:]}
    return [quoted(f"{name}=") for name in names if name.startswith(begun) and name not in fed]


def _variables(shell: InteractiveShell, *classes: str) -> list[str]:
    from mlnb.magics.shell import user_names

    names = user_names(shell, {})
    return sorted(n for n in names if not classes or type(shell.user_ns[n]).__name__ in classes)


def _samples() -> list[str]:
    from mlnb.data.samples import list_samples

    return [sample.name for sample in list_samples()]


def _networks(shell: InteractiveShell) -> list[str]:
    from mlnb.magics.shell import user_names
    from mlnb.magics.train import trainable

    return sorted(n for n in user_names(shell, {}) if trainable(shell.user_ns[n]))


def _classifiers(shell: InteractiveShell) -> list[str]:
    """What can be evaluated, told by its class alone: a property must not run while one types."""
    from mlnb.magics.shell import user_names

    asked = ("predict_proba", "evaluate")
    names = user_names(shell, {})
    return sorted(n for n in names if any(hasattr(type(shell.user_ns[n]), a) for a in asked))


def _columns(shell: InteractiveShell, words: list[str]) -> list[str]:
    """The columns of the frames on the line."""
    held = [shell.user_ns.get(word) for word in words]
    frames = [value for value in held if type(value).__name__ == "DataFrame"]
    return [str(name) for frame in frames for name in frame.columns]


def _runs() -> list[str]:
    from mlnb.train.active import live_runs

    return [run.name for run in live_runs()]


def _words(kind: str) -> list[str]:
    """The words that an option of `%mltrain` knows; who has no torch yet waits for none."""
    fixed = {
        "precision": ["auto", "bf16", "fp16", "fp32"],
        "backend": ["compile", "eager"],
        "class_weight": ["balanced"],
        "quantize": ["dynamic", "static"],
        "show": ["graph", "python", "table", "torch"],
    }
    if kind in fixed or "torch" not in sys.modules:
        return fixed.get(kind, [])
    from mlnb.train.words import loss_functions, metrics, optimizers, schedules

    words: dict[str, Iterable[str]] = {
        "loss": loss_functions.WORDS,
        "optimizer": optimizers.RATES,
        "schedule": schedules.WORDS,
        "metric": metrics.NAMES,
    }
    return list(words.get(kind, ()))


def _matcher(shell: InteractiveShell) -> Callable[..., Any]:
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:
        return _matcher_of_ipython_7(shell)

    @context_matcher(identifier="mlnb", priority=200)
    def matcher(context: Any) -> dict[str, Any]:
        above = context.full_text.split("\n")[: context.cursor_line]
        fragment, texts = complete(shell, context.text_until_cursor, above) or ("", [])
        completions = [SimpleCompletion(text=text, type="param") for text in texts]
        return {"completions": completions, "matched_fragment": fragment, "suppress": bool(texts)}

    matcher.of_mlnb = True
    return matcher


def _matcher_of_ipython_7(shell: InteractiveShell) -> Callable[..., Any]:
    def matcher(token: str) -> list[str]:
        fragment, texts = complete(shell, shell.Completer.text_until_cursor) or ("", [])
        before = len(fragment) - len(token)  # IPython replaces its own idea of a word
        return [text[before:] for text in texts] if before >= 0 else []

    matcher.of_mlnb = True  # type: ignore[attr-defined]
    return matcher
