"""`python -m mlnb`: what one needs before a notebook is open. The rest is magics and Python.

Commands are few and hand-read: argparse would answer a wrong one with a list and no closest name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from mlnb._version import __version__
from mlnb.errors import MlnbError, unknown
from mlnb.tutorials import copy_tutorials, tutorials

HELP = f"""\
mlnb {__version__}: look into and run deep-learning models inside a Jupyter notebook

  python -m mlnb                          this text
  python -m mlnb tutorials                the tutorials by name
  python -m mlnb tutorials DIR [NAME …]   copies them into DIR, or those that are named

In a notebook:

  %load_ext mlnb
  %mlload FILE                            %mlload? is its manual; %ml and TAB list the others"""


def main(arguments: list[str]) -> int:
    """Run one command; 0 where it went well, 2 where it could not be understood or done."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    try:
        if command not in COMMANDS:
            raise unknown("command", command, [name for name in COMMANDS if name[0] != "-"])
        COMMANDS[command](rest)
    except MlnbError as error:
        print(f"mlnb: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def show_help(_: list[str]) -> None:
    """`help`: every command, and where to go on."""
    print(HELP)  # noqa: T201


def show_version(_: list[str]) -> None:
    """`--version`: the version alone, for scripts."""
    print(__version__)  # noqa: T201


def copy(arguments: list[str]) -> None:
    """`tutorials [DIR [NAME …]]`: list or copy them, and say what was kept."""
    if not arguments:
        print("\n".join(tutorials()))  # noqa: T201
        return
    folder, *names = arguments
    if folder.startswith("-"):
        raise MlnbError(f"no option {folder!r}; it reads: python -m mlnb tutorials DIR [NAME …]")
    copies = copy_tutorials(folder, names or None)
    for path in copies:
        print(path)  # noqa: T201
    asked = len(set(names)) if names else len(tutorials())
    if len(copies) < asked:
        print(f"left as they are, since they are there already: {asked - len(copies)}")  # noqa: T201


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "help": show_help,
    "tutorials": copy,
    "-h": show_help,
    "--help": show_help,
    "--version": show_version,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
