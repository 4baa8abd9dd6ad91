"""A web server in a thread that serves files as badly as it is told to."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass
class Page:
    """What one address gives.

    Args:
        content: the file.
        status: of the answer; a redirect needs `to`.
        to: where it redirects to.
        etag: the version's mark, if the server gives one.
        ranges: whether it can send a part.
        length: whether it says how long the file is.
        cuts: after how many bytes it cuts the first answer, the second, ...
        failures: how many answers are 503 first.
        pause: seconds before each kilobyte.
        gate: what is waited for before the last byte.
    """

    content: bytes = b""
    status: int = 200
    to: str = ""
    etag: str = ""
    ranges: bool = True
    length: bool = True
    cuts: list[int] = field(default_factory=list)
    failures: int = 0
    pause: float = 0.0
    gate: threading.Event | None = None


class Server:
    """`with Server() as server: server.pages["/net.onnx"] = Page(b"…")`."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        handler = type("Handler", (_Handler,), {"owner": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}{path}"

    @property
    def ranges(self) -> list[str]:
        """What each request asked for: `""` for all, else `bytes=…-`."""
        return [headers.get("range", "") for _, headers in self.requests]

    def __enter__(self) -> Server:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: Server

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.requests.append((self.path, headers))
        page = self.owner.pages.get(self.path)
        if page is None:
            self.send_error(404)
        elif page.failures:
            page.failures -= 1
            self.send_error(503)
        elif page.to:
            self.send_response(page.status)
            self.send_header("Location", page.to)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(page, headers)

    def _send(self, page: Page, headers: dict[str, str]) -> None:
        found = re.match(r"bytes=(\d+)-", headers.get("range", ""))
        current = headers.get("if-range", page.etag) == page.etag
        start = int(found[1]) if found and page.ranges and current else 0
        if start and start >= len(page.content):
            self.send_error(416)
            return
        self.send_response(206 if start else page.status)
        if start:
            total = len(page.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if page.etag:
            self.send_header("ETag", page.etag)
        if page.length:
            self.send_header("Content-Length", str(len(page.content) - start))
        self.end_headers()
        self._body(page, page.content[start:])

    def _body(self, page: Page, content: bytes) -> None:
        if page.cuts:
            content = content[: page.cuts.pop(0)]
            self.close_connection = True
        step = 1000 if page.pause else max(1, len(content))
        try:
            for at in range(0, len(content), step):
                time.sleep(page.pause)
                if page.gate and at + step >= len(content):
                    self.wfile.write(content[at:-1])
                    page.gate.wait(30)
                    at = len(content) - 1
                self.wfile.write(content[at : at + step])
        except OSError:
            pass  # the client went away

    def log_message(self, *_: object) -> None:
        pass
