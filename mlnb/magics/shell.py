"""The shell of every magic: its arguments, the user's names, and its errors in one line.

IPython prints one line for `UsageError` itself and a whole traceback for its subclasses; so the one
`raise UsageError` of this package stands here. What is no error of ours keeps its traceback.
"""

from __future__ import annotations

import builtins
import functools
import keyword
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, needs_local_scope

from mlnb.errors import MlnbError, unknown
from mlnb.magics import display
from mlnb.magics.words import split_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class MagicError(MlnbError):
    """What a person typed cannot be done as it stands; becomes a `UsageError`."""


@dataclass(frozen=True)
class Argument:
    """One argument of a magic.

    Args:
        flag: `"path"` for a place, `"--name"` for an option.
        completes: what it stands for and completes to: `"path"`, `"model"`, `"variable"`, `"feed"`,
            `"sample"`, `"module"`, `"data"`, `"run"`, a word that `completion` knows, or `""`.
        kind: what makes a value of the text.
        many: whether it takes any number of words.
        optional: whether a place may be left empty; options always may.
        switch: whether the option takes no value: it is there or not.
        shown: the word for its value in a line of usage; the flag in capitals without it.
    """

    flag: str
    completes: str = ""
    kind: Callable[[str], Any] = str
    many: bool = False
    optional: bool = False
    switch: bool = False
    shown: str = ""

    @property
    def usage(self) -> str:
        """As it stands in a line of usage: `PATH`, `[--name NAME]`, `[--clear]`, `[VARIABLE …]`."""
        if self.switch:
            return f"[{self.flag}]"
        word = self.shown or self.flag.lstrip("-").upper()
        if self.flag.startswith("-"):
            return f"[{self.flag} {word}{' …' if self.many else ''}]"
        return f"[{word}{' …' if self.many else ''}]" if self.optional or self.many else word


class Call:
    """One call of a magic: what was typed, and the names around it.

    Args:
        shell: the running IPython.
        options: the arguments by name.
        local: the variables of the function that the magic stands in.
        silent: whether the line ended in a semicolon, so that nothing is shown.
        body: of a cell magic the lines below it.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        options: Namespace,
        local: Mapping[str, Any],
        silent: bool,
        body: str = "",
    ) -> None:
        self.shell = shell
        self.options = options
        self.local = local
        self.silent = silent
        self.body = body

    def variable(
        self, name: str, noun: str = "variable", fits: Callable[[Any], bool] | None = None
    ) -> Any:
        """The value of a variable, the caller's own first.

        Raises:
            UnknownName: no such variable, with the closest ones, of those that fit.
        """
        for scope in (self.local, self.shell.user_ns):
            if name in scope:
                return scope[name]
        if not name.isidentifier():
            raise MagicError(
                f"a magic takes names, and {name!r} is none: put it into a variable first, "
                f"{noun} = {name}"
            )
        names = user_names(self.shell, self.local, fits)
        if not names:
            raise MagicError(f"no {noun} {name!r}, and no other {noun} either")
        raise unknown(noun, name, names)

    def bind(self, name: str, value: Any) -> None:
        """Make `name` a variable of the user, unless that would take something away from them.

        Raises:
            MagicError: the name is taken by something else, or is no name; with `--name` as remedy.
        """
        if not name.isidentifier() or keyword.iskeyword(name):
            raise MagicError(f"{name!r} cannot be a variable's name; give one: --name NAME")
        missing = object()
        old = self.shell.user_ns.get(name, getattr(builtins, name, missing))
        if old is not missing and not isinstance(old, type(value)):
            raise MagicError(
                f"{name} is {_a(old)} already; give the {type(value).__name__.lower()} another "
                "name: --name NAME"
            )
        self.shell.push({name: value})

    def show(self, value: Any) -> None:
        """Show `value` now, so that the cell does not show it again when it is returned."""
        display.show(self.shell, value, silent=self.silent)


def magic(
    *arguments: Argument, cell: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a method `mlverb(self, call)` the magic `%mlverb`; its docstring is its manual.

    Args:
        arguments: what stands on its line.
        cell: whether it is `%%mlverb`, with a body. IPython itself tells who writes one `%` or two
            that it is the other.
    """

    def decorate(method: Callable[[Magics, Call], Any]) -> Callable[..., Any]:
        parser = Parser(("%%" if cell else "%") + method.__name__, arguments)

        @functools.wraps(method)
        def run(
            self: Magics, line: str, body: str = "", local_ns: Mapping[str, Any] | None = None
        ) -> Any:
            try:
                words, silent = split_line(line)
                call = Call(self.shell, parser.parse(words), local_ns or {}, silent, body)
                return method(self, call)
            except (KeyboardInterrupt, MlnbError) as error:
                interrupted = isinstance(error, KeyboardInterrupt)
                first = str(error).strip().partition("\n")[0]
                said = f"{parser.prog} was interrupted" if interrupted else first
                raise UsageError(said) from error

        # IPython 7 would take the arguments of the wrapped method for those of the magic.
        del run.__wrapped__
        run.parser = parser  # type: ignore[attr-defined]
        return (cell_magic if cell else line_magic)(needs_local_scope(run))

    return decorate


class Parser(ArgumentParser):
    """argparse without abbreviations and without an exit, with the closest name for a wrong one."""

    def __init__(self, prog: str, arguments: Iterable[Argument]) -> None:
        super().__init__(prog=prog, add_help=False, allow_abbrev=False)
        self.arguments = tuple(arguments)
        for argument in self.arguments:
            if argument.switch:
                self.add_argument(argument.flag, action="store_true")
                continue
            place = not argument.flag.startswith("-")
            nargs = "*" if argument.many else "?" if place and argument.optional else None
            self.add_argument(argument.flag, type=argument.kind, nargs=nargs)

    @property
    def options(self) -> list[str]:
        """The flags, such as `--name`."""
        return [a.flag for a in self.arguments if a.flag.startswith("-")]

    @property
    def line(self) -> str:
        """The line of usage."""
        return " ".join([self.prog, *(argument.usage for argument in self.arguments)])

    def parse(self, words: list[str]) -> Namespace:
        """The arguments by name.

        Raises:
            MagicError: with what is missing or too much, and how the line should read.
        """
        for word in words:
            flag = word.partition("=")[0]
            number = flag[1:2].isdigit()  # a value, such as -1
            if flag.startswith("-") and not number and flag not in self.options:
                raise unknown("option", flag, self.options)
        options, rest = self.parse_known_args(words)
        if rest:
            self.error(f"{' '.join(rest)!r} is too much (a path with a space stands in quotes)")
        return options

    def error(self, message: str) -> NoReturn:
        """What argparse calls where it would leave the interpreter."""
        said = message.replace("the following arguments are required", "missing").replace("\n", " ")
        raise MagicError(f"{said}; it reads: {self.line} ({self.prog}? shows the manual)")


def user_names(
    shell: InteractiveShell,
    local: Mapping[str, Any],
    fits: Callable[[Any], bool] | None = None,
) -> list[str]:
    """The user's own variables, those that fit where that is asked for, the last ones first."""
    scopes = {**shell.user_ns, **local}
    return [
        name
        for name, value in reversed(scopes.items())
        if not name.startswith("_")
        and not (name in shell.user_ns_hidden and shell.user_ns_hidden[name] is value)
        and (fits is None or fits(value))
    ]


def _a(value: object) -> str:
    name = type(value).__name__
    if name.startswith("builtin"):
        return "a function of Python"
    return f"a {name}" if name[0].lower() not in "aeiou" else f"an {name}"
