"""`QuickSend`: a message to the views of a widget, with less ado than through ipywidgets.

Ten of them a second are most of what a monitor costs, and a fifth of that is the way: what is the
same from message to message is packed once here, and no layer looks at what the one before it made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NO_METADATA = b"{}"


class QuickSend:
    """Sends what `Widget.send` sends, where ipykernel's own comms carry it.

    >>> sender = QuickSend()
    >>> sender.send(widget.comm, {"kind": "tick"}, [b"..."])
    True
    """

    def __init__(self) -> None:
        self._packed: tuple[object, bytes] = None, b""

    def send(self, comm: Any, content: dict[str, Any], buffers: Sequence[bytes]) -> bool:
        """Send a custom message.

        Args:
            comm: of the widget.
            content: of the message, as JSON has it.
            buffers: its binary parts.

        Returns:
            False where the comm is another one, whose own way must be gone.
        """
        kernel = _kernel_of(comm)
        if kernel is None:
            return False
        session, parent = kernel.session, (kernel.get_parent() or {}).get("header", {})
        of, packed = self._packed  # read at once: another thread may answer another cell
        if of is not parent:
            packed = session.pack(parent)
            self._packed = parent, packed
        data = {"method": "custom", "content": content}
        parts = [
            session.pack(session.msg_header("comm_msg")),
            packed,
            NO_METADATA,
            session.pack({"comm_id": comm.comm_id, "data": data}),
        ]
        session.send_raw(kernel.iopub_socket, [*parts, *buffers], ident=comm.topic)
        return True


def _kernel_of(comm: Any) -> Any:
    try:
        from ipykernel.comm.comm import BaseComm
    except ImportError:  # a kernel of another make
        return None
    return comm.kernel if isinstance(comm, BaseComm) else None
