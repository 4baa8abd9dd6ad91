"""Learn: `%mlsample` lists the samples and fetches one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class
from IPython.display import display

from mlnb.data.samples import list_samples, load_sample
from mlnb.formatting import bytes_text, display_text, html, plural
from mlnb.magics.shell import Argument, Call, magic

if TYPE_CHECKING:
    from mlnb.data.sample import Sample

_COLUMNS = ("name", "kind", "what it is", "size", "licence", "source")


@magics_class
class LearnMagics(Magics):
    """The magics that teach."""

    @magic(Argument("sample", completes="sample", optional=True), Argument("--name"))
    def mlsample(self, call: Call) -> Sample | None:
        """List the samples, or put one into a variable, show what it is, and return it.

        %mlsample [SAMPLE] [--name NAME]

        SAMPLE  the sample's name; without it all are listed, with size, licence and source, and
                whether they are on this machine. Nothing is downloaded.
        --name  the variable to put it into; without it the sample's name, made a variable's.

        Examples
        --------
        %mlsample
        %mlsample digits
        images, labels = digits.data()
        %mlsample squeezenet
        %mlload squeezenet --name net

        The same in Python: `digits = mlnb.load_sample("digits")`, `mlnb.list_samples()`.
        """
        name = call.options.sample
        if name is None:
            if not call.silent:
                display(samples_table(list_samples()), raw=True)
            return None
        sample = load_sample(name)
        call.bind(call.options.name or _variable(sample.name), sample)
        call.show(sample)
        return sample


def samples_table(samples: list[Sample]) -> dict[str, str]:
    """All samples as text and as script-free HTML."""
    rows = [_row(sample) for sample in samples]
    short = [_COLUMNS, *([display_text(cell, 48) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*short, strict=True)]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in short
    ]
    head = [html("<th>{name}</th>", name=name) for name in _COLUMNS]
    body = [html("<tr>{c}</tr>", c=[html("<td>{c}</td>", c=c) for c in row]) for row in rows]
    count = f"{plural(len(rows), 'sample')}; take one: %mlsample NAME"
    table = html(
        "<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{count}</p>",
        head=head,
        body=body,
        count=count,
    )
    return {"text/plain": "\n".join([*text, count]), "text/html": table}


def sample_card(sample: Sample) -> dict[str, Any]:
    """One sample as text and as script-free HTML."""
    name, kind, what, size, licence, source = _row(sample)
    facts = f"{kind} · {size} · {licence} · {source}"
    variable = _variable(sample.name)
    use = f"%mlload {variable}" if kind == "model" else f"{variable}.data()"
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
    size = bytes_text(sample.nbytes) if sample.here else "not here"
    texts = (sample.name, sample.kind, sample.description, size, sample.licence, sample.source)
    return tuple(display_text(text, 200) for text in texts)


def _variable(name: str) -> str:
    """A sample's name as a variable's: `mnist-8` becomes `mnist_8`."""
    text = re.sub(r"\W+", "_", name).strip("_")
    return text if text.isidentifier() else f"sample_{text}"
