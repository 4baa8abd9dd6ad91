"""What every widget shares: the pair of outputs, messages by kind, refusals, bundles."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
import traitlets as t

from mlnb.errors import MlnbError
from mlnb.formatting import Markup, html
from mlnb.widgets import base
from mlnb.widgets.base import Widget, bundle, error_line, refuse_unknown


class Lamp(Widget):
    """A widget of nothing but the base."""

    _esm = "export default { render() {} }"
    power = t.Int(0, min=0).tag(sync=True)

    def static_html(self) -> Markup:
        return html("<p>{power}</p>", power=self.power)

    def static_text(self) -> str:
        return f"power {self.power}"

    def __repr__(self) -> str:
        return f"Lamp({self.power})"

    def _receive_double(self, message: dict[str, Any]) -> None:
        self.power *= message["by"]

    def _receive_break(self, message: dict[str, Any]) -> None:
        raise MlnbError("the lamp is broken\nin two lines")


@pytest.fixture
def sent(monkeypatch) -> list[Any]:
    messages: list[Any] = []
    monkeypatch.setattr(Lamp, "send", lambda self, content, buffers=None: messages.append(content))
    return messages


@pytest.fixture
def shown(monkeypatch) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr(base, "display", lambda data, raw, **_: outputs.append(data))
    monkeypatch.setattr(base, "has_front_end", lambda: True)
    return outputs


def test_a_widget_is_displayed_as_a_picture_and_then_a_view(shown):
    lamp = Lamp(power=3)
    lamp._ipython_display_()
    picture, view = shown
    assert list(picture) == ["text/html", "text/plain"]
    assert "<p>3</p>" in picture["text/html"]
    assert picture["text/plain"] == "power 3"
    key = "application/vnd.jupyter.widget-view+json"
    assert view[key]["model_id"] == lamp.model_id
    assert view["text/plain"] == "Lamp(3): run this cell to use it"


def test_the_picture_is_tied_to_its_view_and_to_no_other(shown):
    one, two = Lamp(), Lamp()
    one._ipython_display_()
    two._ipython_display_()
    assert one.static_id != two.static_id
    for widget, output in ((one, shown[0]), (two, shown[2])):
        uid = widget.static_id
        assert re.fullmatch("[0-9a-f]{32}", uid)
        assert set(re.findall("[0-9a-f]{32}", output["text/html"])) == {uid}
        assert f'<div data-mlnb-static="{uid}"><style id="mlnb-style-{uid}">' in output["text/html"]
        assert "{{" not in output["text/html"]
        assert output["text/html"].count("{") == output["text/html"].count("}") == 1


def test_without_a_front_end_there_is_only_text(monkeypatch):
    monkeypatch.setattr(base, "has_front_end", lambda: False)
    lamp = Lamp()
    with pytest.raises(NotImplementedError):
        lamp._ipython_display_()
    assert lamp._repr_mimebundle_() == {"text/plain": "Lamp(0)"}


def test_a_closed_widget_shows_its_text(shown):
    lamp = Lamp()
    lamp.close()
    with pytest.raises(NotImplementedError):
        lamp._ipython_display_()
    assert repr(lamp) == "Lamp(0)"


def test_a_message_goes_to_the_method_of_its_kind(sent):
    lamp = Lamp(power=2)
    lamp._handle_custom_msg({"kind": "double", "by": 3}, [])
    assert lamp.power == 6
    assert sent == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"kind": "break", "request": 7}, "the lamp is broken"),
        ({"kind": "double", "request": 7}, "KeyError: 'by'"),
        ({"kind": "explode", "request": 7}, "Lamp knows no message of kind 'explode'"),
        ({"request": 7}, "Lamp knows no message of kind None"),
    ],
)
def test_an_error_in_a_message_is_answered_in_one_line(sent, message: Any, said: str):
    Lamp()._handle_custom_msg(message, [])
    assert sent == [{"kind": "error", "request": 7, "message": said}]


@pytest.mark.parametrize("message", [None, "double", ["double"], {"kind": ["x"]}, {"kind": {}}])
def test_a_message_of_the_wrong_form_is_answered_too(sent, message: Any):
    Lamp()._handle_custom_msg(message, [])
    assert [m["kind"] for m in sent] == ["error"]


def test_a_trait_that_does_not_validate_is_refused_and_set_back(sent):
    lamp = Lamp(power=2)
    lamp.set_state({"power": -5})
    assert lamp.power == 2
    assert sent[0]["kind"] == "error"


def test_ipykernels_choice_of_subshell_is_overruled():
    lamp = Lamp()
    comm = SimpleNamespace(
        _reply_subshell_for=lambda data, default: "the busy one",
        on_msg=lambda callback: None,
        comm_id="c",
        close=lambda: None,
        send=lambda **_: None,
    )
    lamp.comm = comm
    assert comm._reply_subshell_for({}, "the one asked for") == "the one asked for"
    lamp.close()


def test_an_unknown_argument_is_refused_with_the_closest():
    refuse_unknown("GraphViewer", [], ["height"])
    with pytest.raises(TypeError, match="GraphViewer: no argument 'heigth'; did you mean 'height'"):
        refuse_unknown("GraphViewer", ["heigth"], ["height"])


def test_a_missing_bundle_tells_what_builds_it():
    with pytest.raises(MlnbError, match=r"lamp\.js is missing.*node build\.mjs"):
        bundle("lamp.js")
    assert bundle("graph_viewer.js").is_file()


def test_an_error_becomes_one_line():
    assert error_line(MlnbError("first\nsecond")) == "first"
    assert error_line(ValueError("no\nway")) == "ValueError: no"
    assert error_line(ValueError()) == "ValueError"
    assert error_line(MlnbError()) == "MlnbError"
