"""The short way of a message to its views: the same message as on the long one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ipykernel.comm.comm import BaseComm
from ipykernel.kernelbase import Kernel
from jupyter_client.session import Session

from mlnb.widgets.quick_send import QuickSend

CONTENT = {"kind": "tick", "runs": [{"from": 0, "to": 2, "note": "é\u202e"}]}
BUFFERS = [b"\x00\x01", b""]


@pytest.fixture
def kernel() -> Any:
    """What a comm knows of its kernel, which keeps what is sent."""
    session = Session(key=b"secret", username="reader")
    sent: list[list[bytes]] = []
    socket = SimpleNamespace(send_multipart=lambda parts, *_, **__: sent.append(list(parts)))
    parent = session.msg("execute_request")
    return SimpleNamespace(
        session=session, iopub_socket=socket, get_parent=lambda: parent, sent=sent, parent=parent
    )


@pytest.fixture
def comm(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> BaseComm:
    monkeypatch.setattr(Kernel, "initialized", lambda: True)
    made = BaseComm(target_name="jupyter.widget", comm_id="c0ffee", primary=False)
    made.kernel = kernel
    return made


def read(kernel: Any) -> tuple[list[bytes], dict[str, Any]]:
    """The addresses of the last message and what it says, its signature checked."""
    idents, parts = kernel.session.feed_identities(kernel.sent[-1])
    message = kernel.session.deserialize(parts)
    for stamp in ("msg_id", "date"):
        message["header"].pop(stamp)
    message.pop("msg_id")
    message["buffers"] = [bytes(part) for part in message["buffers"]]
    return idents, message


def test_it_is_the_message_that_ipywidgets_would_have_sent(comm: BaseComm, kernel: Any):
    comm.send(data={"method": "custom", "content": CONTENT}, buffers=BUFFERS)
    expected = read(kernel)
    sender = QuickSend()
    assert sender.send(comm, CONTENT, BUFFERS)
    assert read(kernel) == expected
    assert expected[1]["buffers"] == BUFFERS


def test_each_cell_is_the_parent_of_its_messages_whichever_thread_answers(
    comm: BaseComm, kernel: Any
):
    sender, other = QuickSend(), kernel.session.msg("execute_request")
    for parent in (kernel.parent, other, kernel.parent, {}):
        kernel.get_parent = lambda parent=parent: parent
        sender.send(comm, CONTENT, ())
        said = read(kernel)[1]["parent_header"]
        assert said.get("msg_id") == parent.get("msg_id")


@pytest.mark.parametrize("other", [None, SimpleNamespace(comm_id="x")])
def test_a_comm_of_another_make_is_left_to_its_own_way(other: Any):
    assert not QuickSend().send(other, CONTENT, ())
