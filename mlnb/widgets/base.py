"""What every widget shares: its bundle, its messages, its repr, and its two outputs.

Why two outputs: one that bears both the live widget and a static picture is shown by JupyterLab as
"Error displaying widget" when the author reopens the notebook, and as the picture to strangers only
(measured). So the picture comes first, script-free, and then the widget alone. A style in the first
hides whichever is not wanted: the picture where a live widget stands behind it, else the widget.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import RLock
from typing import Any
from uuid import uuid4

import anywidget
import traitlets as t
from IPython import get_ipython
from IPython.display import display, update_display

from mlnb.errors import MlnbError, unknown
from mlnb.formatting import Markup, html

STATIC = Path(__file__).parent / "static"

# `.mlnb` is the root of a live widget. Elsewhere than in Jupyter's own front ends these classes do
# not exist, and js/src/static_output.ts does the hiding.
_PAIR = """\
<div data-mlnb-static="{uid}"><style id="mlnb-style-{uid}">\
.jp-OutputArea-child:has(> .jp-OutputArea-output > [data-mlnb-static="{uid}"]) \
+ .jp-OutputArea-child:not(:has(.mlnb)),\
.jp-OutputArea-child:has(> .jp-OutputArea-output > [data-mlnb-static="{uid}"])\
:has(+ .jp-OutputArea-child .mlnb) {{display: none}}\
</style>{picture}</div>"""


class Widget(anywidget.AnyWidget):
    """The base of mlnb's widgets; a subclass gives a bundle, traits, a picture and a line."""

    static_id = t.Unicode(help="Ties the live widget to its static picture.").tag(sync=True)
    _displayed = False

    def __init__(self, **traits: Any) -> None:
        self._lock = RLock()
        super().__init__(**({"static_id": uuid4().hex} | traits))

    # ------------------------------------------------------------- what a subclass says of itself

    def static_html(self) -> Markup:
        """The script-free picture that a saved notebook keeps."""
        raise NotImplementedError

    def static_text(self) -> str:
        """The same as plain text, for terminals and converters."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------ the two outputs

    def _ipython_display_(self) -> None:
        if self.comm is None or not has_front_end():
            raise NotImplementedError  # IPython goes on to `_repr_mimebundle_`
        # One id for every place where it is shown, so that all get what `_renew_static` tells.
        display(self._static_bundle(), raw=True, display_id=self.static_id)
        self._displayed = True
        display(self._repr_mimebundle_(), raw=True)

    def _renew_static(self) -> None:
        """Put what is shown now into the picture that a saved notebook keeps."""
        if self._displayed:
            update_display(self._static_bundle(), raw=True, display_id=self.static_id)

    def _static_bundle(self) -> dict[str, Any]:
        pair = html(_PAIR, uid=self.static_id, picture=self.static_html())
        return {"text/html": pair, "text/plain": self.static_text()}

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        if self.comm is None or not has_front_end():
            return {"text/plain": repr(self)}
        return {
            "application/vnd.jupyter.widget-view+json": self.get_view_spec(),
            "text/plain": f"{self!r}: run this cell to use it",
        }

    # ------------------------------------------------------------------------------------- messages

    @t.observe("comm")
    def _answer_while_a_cell_runs(self, change: Mapping[str, Any]) -> None:
        # ipykernel 7.4.0 sends a widget's messages to the subshell that last published on its
        # comm, which a running cell blocks; the default is the one that the front end asks for.
        comm = change["new"]
        if hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = lambda data, default: default

    def _handle_custom_msg(self, content: Any, buffers: list[Any]) -> None:
        """Pass a message `{"kind": "tensor", …}` to the method `_receive_tensor`.

        Binary parts, where there are some, are its `"buffers"`. Handlers run on subshell threads,
        beside the cell: they must not display, print or plot.
        """
        super()._handle_custom_msg(content, buffers)
        kind = content.get("kind") if isinstance(content, dict) else None
        handler = getattr(self, f"_receive_{kind}", None)
        try:
            if handler is None:
                raise MlnbError(f"{type(self).__name__} knows no message of kind {kind!r}")
            handler({**content, "buffers": buffers} if buffers else content)
        except Exception as error:  # noqa: BLE001 - the front end shows it; a cell is not running
            request = content.get("request") if isinstance(content, dict) else None
            self.send({"kind": "error", "request": request, "message": error_line(error)})

    def get_state(
        self, key: str | Iterable[str] | None = None, drop_defaults: bool = False
    ) -> dict[str, Any]:
        """The state that crosses; whole, because our front-end code is a trait's default.

        `ipywidgets.embed` drops defaults unless told not to, and a page without the code is blank.
        """
        return dict(super().get_state(key, drop_defaults=False))

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take traits from the front end; what does not validate is refused with a message."""
        before = {name: getattr(self, name) for name in sync_data if name in self.keys}
        try:
            with self._lock:
                super().set_state(sync_data)
        except (MlnbError, t.TraitError) as error:
            for name, value in before.items():  # traitlets takes back for its own errors only
                self.set_trait(name, value)
            self.send({"kind": "error", "request": None, "message": error_line(error)})
            self.send_state(list(before))

    def update(self, **traits: Any) -> None:
        """Set several traits from any thread, each sent once."""
        # ipywidgets swaps `notify_change` while it takes traits in: two threads would lose one.
        with self._lock, self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)


def bundle(name: str) -> Path:
    """The path of a front-end file in the package.

    Raises:
        MlnbError: it is not there, with what builds it.
    """
    path = STATIC / name
    if not path.is_file():
        raise MlnbError(
            f"the front end {name} is missing from mlnb/widgets/static; in a checkout run: "
            "cd js && npm ci && node build.mjs; in an installed package: reinstall mlnb"
        )
    return path


def refuse_unknown(owner: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise TypeError for keyword arguments that do not exist, with the closest that does."""
    for name in given:
        raise TypeError(f"{owner}: {unknown('argument', name, known)}")


def error_line(error: BaseException) -> str:
    """The first line of an error of ours; an error that nobody foresaw bears its type as well."""
    first = str(error).strip().partition("\n")[0]
    if isinstance(error, MlnbError | t.TraitError) and first:
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def has_front_end() -> bool:
    """Whether a kernel's front end can draw widgets: not in plain Python, nor in a terminal."""
    return getattr(get_ipython(), "kernel", None) is not None
