"""Build: `%%mlbuild` writes a network layer by layer, in one cell or in many."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.magic import Magics, magics_class

from mlnb.errors import LayerError, unknown
from mlnb.formatting import display_text, first_line
from mlnb.magics import cells
from mlnb.magics import display as display_once
from mlnb.magics.shell import Argument, Call, MagicError, magic

if TYPE_CHECKING:
    from mlnb.networks.activity import Activity
    from mlnb.networks.growing import Change
    from mlnb.networks.sections import Sections
    from mlnb.networks.sequential import Sequential

SHOWS = ("table", "graph", "python", "torch")


@magics_class
class BuildMagics(Magics):
    """The magic that builds."""

    @magic(
        Argument("network", completes="network"),
        Argument("--input", completes="variable", shown="SHAPE"),
        Argument("--sample", completes="variable", shown="VARIABLE"),
        Argument("--show", completes="show"),
        Argument("--name"),
        Argument("--reset", switch=True),
        Argument("--height", kind=int),
        cell=True,
    )
    def mlbuild(self, call: Call) -> Sequential | None:
        """Write a network in lines, a layer a line, and show what it has become.

        %%mlbuild NETWORK [--input SHAPE] [--sample VARIABLE] [--show WHAT] [--name NAME] [--reset]

        NETWORK   the variable to build in; a network that is there already is built on.
        --input   the shape of one sample, `1x28x28`, or a variable with it or with a batch; once
                  for each network. Without it shapes are known at the first data.
        --sample  a variable with a batch: what becomes of it in each layer is shown as well.
        --show    `table` or `graph` alone; `python`: the Python that does the same; `torch`: the
                  network as plain torch source. Without it table and graph, what is new marked.
        --name    by which the cell is known when it runs again; needed only where cells have no
                  ids: in Colab, in a terminal, and for a notebook that a program executes.
        --reset   begin anew, with this cell alone and new weights.
        --height  of the graph's canvas, in pixels.

        A line is a word, what it needs, and keywords, as in Python; values stand with spaces
        between. Blocks hold the lines that are indented below them, and Python stands in braces.

            conv2d 32 3 relu padding=1
            residual relu:
                conv2d {width} 3x3 padding=1
                batch_norm
            branches:
                branch:
                    max_pool2d 2
                branch:
                    conv2d 32 2 stride=2
            repeat 2:
                dense 64 relu           # a comment
                dropout p=0.2

        The same cell run again writes its layers anew, in their place; another cell goes on behind
        it. Weights whose shapes do not change are kept, and what has new ones is named. A mistake
        leaves the network as it was.

        Examples
        --------
        %%mlbuild lenet --input 1x28x28
        conv2d 32 3 relu
        max_pool2d 2

        The same in Python: `lenet = Sequential((1, 28, 28), "lenet").conv2d(32, 3, "relu")`.
        """
        from mlnb.networks.sections import Section, Sections
        from mlnb.networks.sequential import Sequential
        from mlnb.networks.text import parse_layers

        options = call.options
        if options.show is not None and options.show not in SHOWS:
            raise unknown("--show", options.show, SHOWS)
        stands = _standing(call, options.network)
        batch = None if options.sample is None else call.variable(options.sample)
        shape = _shape(call, options.input)
        cell = cells.running(call.shell)
        if stands is None or options.reset:
            shape = shape or (stands.input_shape if stands is not None else None)
        net = Sequential(name=options.network) if stands is None or options.reset else stands
        sections = Sections.of(net)
        identity = _identity(call, sections, cell)
        shape = _agreed(call, net, sections, identity, shape)
        shape = _sampled(net, shape, batch)
        written = parse_layers(
            call.body, call.shell.user_ns, first_line=2, cell=cells.number(call.shell)
        )
        section = Section(
            identity.key, call.body.strip(), written.layers, written.sources, shape, cell.id
        )
        try:
            change = sections.put(section, identity.instead_of)
        except LayerError as error:
            raise _in_lines(error, cells.number(call.shell)) from error
        call.bind(options.network, net)
        display_once.show(call.shell, net, silent=True)  # not again as what the cell returns
        if call.silent:
            return None
        _show(call, net, sections, change, batch)
        return net


# ------------------------------------------------------------------------------ what is built where


def _standing(call: Call, name: str) -> Sequential | None:
    """The network that is built on, if there is one.

    Raises:
        MagicError: the variable holds something else, or cannot be one.
    """
    from mlnb.networks.sequential import Sequential

    if not name.isidentifier():
        raise MagicError(f"{name!r} cannot be a variable's name: %%mlbuild NETWORK")
    held = call.shell.user_ns.get(name)
    if held is not None and not isinstance(held, Sequential):
        raise MagicError(
            f"{name} is a {type(held).__name__} already; give the network another name: "
            "%%mlbuild NETWORK"
        )
    return held


@dataclass(frozen=True)
class _Identity:
    """By what a cell's layers are known, and whose layers they replace beside their own."""

    key: str
    instead_of: tuple[str, ...] = ()


def _identity(call: Call, sections: Sections, cell: cells.Cell) -> _Identity:
    """By `--name`, else by the cell's id, else by what it says.

    Raises:
        MagicError: it says something else than before, or is another cell: nobody can tell.
    """
    name = call.options.name
    turn = _turn(sections, cell)
    before = [s.key for s in sections if cell.id and s.cell == cell.id and turn == 0]
    if name:
        key = f"name {name}"
        if call.options.input and key not in sections:  # the first cell, which got a name
            before += [s.key for s in sections if s.input_shape and s.key.startswith(_TEXT)]
    elif cell.id:
        key = f"cell {cell.id} {turn}"
    else:
        key = _TEXT + hashlib.sha256(call.body.strip().encode()).hexdigest()
        if key not in sections and any(s.key.startswith(_TEXT) for s in sections):
            network = call.options.network
            raise MagicError(
                "cells have no ids here, so this may be another cell or a changed one: write "
                f"%%mlbuild {network} --name NAME, a NAME for each cell; or --reset to begin anew"
            )
    return _Identity(key, tuple(one for one in before if one != key))


_TEXT = "text "
_turns: WeakKeyDictionary[Sections, tuple[cells.Cell, int]] = WeakKeyDictionary()


def _turn(sections: Sections, cell: cells.Cell) -> int:
    """How many times this run of the cell has built in the network before."""
    last, count = _turns.get(sections, (None, 0))
    turn = count + 1 if last is cell else 0
    _turns[sections] = (cell, turn)
    return turn


def _shape(call: Call, text: str | None) -> tuple[int, ...] | None:
    """`1x28x28`, or a variable with a shape or a batch."""
    if text is None:
        return None
    if re.fullmatch(r"\d+([x×,]\d+)*", text):
        sizes: Any = tuple(map(int, re.split("[x×,]", text)))
    else:
        held = call.variable(text, "shape or variable")
        sizes = held.shape[1:] if hasattr(held, "shape") else held
        sizes = (sizes,) if isinstance(sizes, int) else sizes
    whole = isinstance(sizes, Sequence) and all(isinstance(n, int) and n > 0 for n in sizes)
    if not whole or isinstance(sizes, str):
        raise MagicError(
            f"--input is the shape of one sample, such as 1x28x28; received {display_text(text)}"
        )
    return tuple(sizes)


def _agreed(
    call: Call,
    net: Sequential,
    sections: Sections,
    identity: _Identity,
    shape: tuple[int, ...] | None,
) -> tuple[int, ...] | None:
    """The input's shape as this cell may say it: the cell that said it first may change it.

    Raises:
        MagicError: another cell says something else.
    """
    if shape is None or net.input_shape in (None, shape):
        return shape
    mine = (identity.key, *identity.instead_of)
    first = [s for s in sections if s.input_shape is not None] or list(sections)[:1]
    if first and all(s.key in mine for s in first):
        return shape
    stands = "x".join(map(str, net.input_shape or ()))
    raise MagicError(
        f"{call.options.network} takes {stands} a sample, as its first cell says: change it there, "
        "leave --input out here, or begin anew with --reset"
    )


def _sampled(net: Sequential, shape: tuple[int, ...] | None, batch: Any) -> tuple[int, ...] | None:
    """The input's shape, by the sample where nothing else says it."""
    if batch is None:
        return shape
    from mlnb.networks.activity import first_rows

    known = shape or net.input_shape
    rows = first_rows(batch, known)
    return shape if known else tuple(rows.shape[1:])


def _in_lines(error: LayerError, number: int) -> LayerError:
    """A mistake in the words of a cell; what to do where a line of another one no longer fits."""
    text = re.sub(r"input_shape=\(([\d, ]+)\)", _as_option, str(error))
    if text.startswith("cell ") and not text.startswith(f"cell {number}, "):
        text += " That line stands behind this cell: change it first, or begin anew with --reset."
    return LayerError(text)


def _as_option(found: re.Match[str]) -> str:
    return "--input " + "x".join(re.findall(r"\d+", found[1]))


# ----------------------------------------------------------------------------------- what is shown


def _show(call: Call, net: Sequential, sections: Sections, change: Change, batch: Any) -> None:
    from mlnb.networks.printing import network_python
    from mlnb.widgets import network_view

    show = call.options.show
    if show == "python":
        shape, name = net.input_shape, call.options.network
        print(network_python(net.written, name, shape, sections.sources))  # noqa: T201
    if show == "torch":
        print(net.code())  # noqa: T201 - asked for
    if show in (None, "table"):
        found = None if batch is None else _activity(net, batch)
        network_view.show_table(net, change, found)
    if show in (None, "graph"):
        network_view.show_graph(net, change, call.options.height)


def _activity(net: Sequential, batch: Any) -> Activity:
    from mlnb.networks.activity import activity

    try:
        return activity(net, batch)
    except (RuntimeError, IndexError) as error:  # such as a token that an embedding does not have
        said = first_line(error)
        raise MagicError(f"the layers stand, but the sample does not go through: {said}") from error
