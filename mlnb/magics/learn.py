"""Learn: `%mlsample` lists the samples, brings one here, and copies the tutorials."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class
from IPython.display import display

from mlnb.cache import cache_folder, clear_cache
from mlnb.data.samples import list_samples, load_sample
from mlnb.errors import unknown
from mlnb.formatting import Markup, bytes_text, display_text, html, plural, text_table
from mlnb.magics.shell import Argument, Call, MagicError, magic
from mlnb.models.facts import identifier
from mlnb.tutorials import copy_tutorials, tutorials

if TYPE_CHECKING:
    from mlnb.data.sample import Sample

_COLUMNS = ("name", "kind", "what it is", "size", "on this machine", "licence", "source")
_RIGHT = _COLUMNS.index("size")
_WIDEST = 48


@magics_class
class LearnMagics(Magics):
    """The magics that teach."""

    @magic(
        Argument("sample", completes="sample", optional=True),
        Argument("--name"),
        Argument("--notebook", completes="path", shown="DIR"),
        Argument("--clear", switch=True),
    )
    def mlsample(self, call: Call) -> Sample | None:
        """List the samples, or put one into a variable, show what it is, and return it.

        %mlsample [SAMPLE] [--name NAME] [--notebook DIR] [--clear]

        SAMPLE      the sample's name; without it all are listed, with size, licence and source, and
                    whether they are on this machine; listing downloads nothing. One that is not
                    here is downloaded into the cache, address and size first; where it cannot be
                    had, a made-up stand-in says that it is one. MLNB_OFFLINE=1 downloads nothing.
        --name      the variable to put it into; without it the sample's name, made a variable's.
        --notebook  a folder: the tutorials that use the sample are copied there, and nothing else
                    is done; without SAMPLE all tutorials are.
        --clear     delete what was downloaded before, all of the cache, and say how much it was.

        Examples
        --------
        %mlsample
        %mlsample digits
        images, labels = digits.data()
        %mlsample squeezenet
        %mlload squeezenet --name net
        %mlsample digits --notebook tutorials
        %mlsample --clear

        The same in Python: `digits = mlnb.load_sample("digits")`, `mlnb.list_samples()`.
        """
        options = call.options
        if options.clear:
            _clear(_say(call))
        if options.notebook is not None:
            _copy_tutorials(options.sample, options.notebook, _say(call))
            return None
        if options.sample is not None:
            return _take(call)
        if not call.silent and not options.clear:
            display(samples_table(list_samples()), raw=True)
        return None


def _take(call: Call) -> Sample:
    sample = load_sample(call.options.sample)
    call.bind(call.options.name or identifier(sample.name), sample)
    call.show(sample)
    return sample


def _say(call: Call) -> Callable[[str], object]:
    return (lambda line: None) if call.silent else print


def _clear(say: Callable[[str], object]) -> None:
    freed = clear_cache()
    say(f"{bytes_text(freed)} deleted from {cache_folder()}")


# ------------------------------------------------------------------------------------ tutorials


def _copy_tutorials(sample: str | None, folder: str, say: Callable[[str], object]) -> None:
    """Copy the tutorials that use the sample, and say which are new.

    Raises:
        MagicError: none uses it.
        UnknownName: there is no such sample.
    """
    names = list(tutorials())
    if sample is not None:
        names = [name for name in names if _uses(name, sample)]
    if sample is not None and not names:
        known = [one.name for one in list_samples()]
        if sample not in known:
            raise unknown("sample", sample, known)
        raise MagicError(
            f"no tutorial uses {display_text(sample)}; there are {', '.join(tutorials())}: "
            "%mlsample --notebook DIR copies them all"
        )
    copied = copy_tutorials(folder, names)
    for path in copied:
        say(f"copied {path}")
    for name in names:
        if name not in [path.stem for path in copied]:
            say(f"{name}.ipynb is in {folder} already and was left as it is")


def _uses(tutorial: str, sample: str) -> bool:
    """Whether a cell of the tutorial loads the sample, by a call or by a magic."""
    cells = json.loads(tutorials()[tutorial].read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    name = re.escape(sample)
    call, line = rf"""load_sample\(\s*["']{name}["']""", rf"%ml\w+ (?:.*\s)?{name}(?=[\s;]|$)"
    return re.search(rf"{call}|{line}", code, re.MULTILINE) is not None


# ------------------------------------------------------------------------------------- the views


def samples_table(samples: list[Sample]) -> dict[str, str]:
    """All samples as text and as script-free HTML, single pictures of a listed folder left out."""
    folders = {sample.path for sample in samples if sample.path and sample.path.is_dir()}
    inside = [sample for sample in samples if sample.path and sample.path.parent in folders]
    rows = [_row(sample) for sample in samples if sample not in inside]
    here = sum(sample.here for sample in samples)
    shown = f"{plural(len(samples), 'sample')}, {here} of them here"
    if inside:
        shown += f", {plural(len(inside), 'single picture')} of the folders not listed"
    count = f"{shown}; take one: %mlsample NAME"
    return {"text/plain": _text_table(rows, count), "text/html": _html_table(rows, count)}


def _text_table(rows: list[tuple[str, ...]], count: str) -> str:
    short = [_COLUMNS, *(tuple(display_text(cell, _WIDEST) for cell in row) for row in rows)]
    return "\n".join([*text_table(short, {_RIGHT}), count])


def _html_table(rows: list[tuple[str, ...]], count: str) -> Markup:
    """Styled cell by cell: Jupyter aligns every cell of a table to the right, and drops styles."""
    head = [_cell("th", column, name) for column, name in enumerate(_COLUMNS)]
    body = [
        html("<tr>{c}</tr>", c=[_cell("td", column, text) for column, text in enumerate(row)])
        for row in rows
    ]
    return html(
        '<div style="max-height: 420px; overflow: auto"><table style="margin: 0"><thead><tr>{head}'
        "</tr></thead><tbody>{body}</tbody></table></div><p>{count}</p>",
        head=head,
        body=body,
        count=count,
    )


def _cell(tag: str, column: int, text: str) -> Markup:
    side = "right" if column == _RIGHT else "left"
    wrap = "; white-space: nowrap" if column in (0, _RIGHT) else ""
    wrap += "; overflow-wrap: anywhere" if column > _RIGHT + 1 else ""  # a source is one long word
    style = f"text-align: {side}{wrap}"
    return html('<{tag} style="{style}">{text}</{tag}>', tag=tag, style=style, text=text)


def sample_card(sample: Sample) -> dict[str, Any]:
    """One sample as text and as script-free HTML."""
    name, kind, what, size, _, licence, source = _row(sample)
    facts = f"{kind} · {size} · {licence} · {source}"
    variable = identifier(sample.name)
    use = f"%mlload {variable}" if kind == "model" else f"{variable}.data()"
    if not sample.here and sample.read is None:
        use = f"%mlsample {name}"
    return {
        "text/plain": f"{name}: {what}\n{facts}\nuse it: {use}",
        "text/html": html(
            "<p><b>{name}</b>: {what}<br>{facts}<br>use it: <code>{use}</code></p>",
            name=name,
            what=what,
            facts=facts,
            use=use,
        ),
    }


def _row(sample: Sample) -> tuple[str, ...]:
    size = bytes_text(sample.nbytes) if sample.nbytes else "unknown"
    here = "yes" if sample.here else "no"
    about = (sample.name, sample.kind, sample.description, size, here)
    return tuple(display_text(text, 200) for text in (*about, sample.licence, sample.source))
