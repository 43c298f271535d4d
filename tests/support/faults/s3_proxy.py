"""A bad network before an S3 service: a proxy on 127.0.0.1 that spoils chosen requests."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = (
    "request lost",  # the connection ends before the service hears of it
    "body cut",  # half of the request's body is taken, and dropped
    "reply lost",  # the service has done it, and nobody learns of it
    "reply cut",  # half of the answer's body
    "500",
    "503",
    "500 though done",
    "409",  # another conditional request is under way
    "412 though done",  # a node in between has asked twice, and hands on the second answer
)
_CONDITIONAL = ("409", "412 though done")
_CODES = {"500": "InternalError", "503": "SlowDown", "409": "ConditionalRequestConflict", "412": "PreconditionFailed"}

Plan = Callable[[str], str | None]
"""The method of a request → its fault, None for none."""


def next_ones(fault: str, times: int) -> Plan:
    """Spoil the next requests alike."""
    left = [fault] * times
    return lambda _method: left.pop() if left else None


class S3Proxy:
    """Between a client and the service at `upstream`; safe for several threads.

    Attributes:
        port: where it listens.
        done: the fault of each request that was spoiled.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream, self.done = upstream, list[str]()
        self._plan: Plan = lambda _method: None
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def spoiling(self, plan: Plan) -> Iterator[None]:
        """Spoil requests by a plan while the block runs."""
        with self._lock:
            self._plan = plan
        try:
            yield
        finally:
            with self._lock:
                self._plan = lambda _method: None

    def choose(self, method: str, conditional: bool) -> str | None:
        """The fault of a request; what can't happen to it is none."""
        with self._lock:
            fault = self._plan(method)
            if fault is None or (fault in _CONDITIONAL and not conditional):
                return None
            self.done.append(fault)
            return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: S3Proxy

    def handle(self) -> None:
        self._upstream = http.client.HTTPConnection("127.0.0.1", self.proxy.upstream, timeout=30)
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True
        finally:
            self._upstream.close()

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        fault = self.proxy.choose(self.command, "If-None-Match" in self.headers or "If-Match" in self.headers)
        if fault in ("request lost", "body cut"):
            self.rfile.read(length // 2 if fault == "body cut" else 0)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        if fault in ("500", "503", "409"):
            self._refuse(fault)
            return
        reply, content = self._forward(body)
        if fault == "reply lost":
            self.close_connection = True
        elif fault is not None and fault.endswith("though done"):
            self._refuse(fault[:3])
        else:
            self._reply(reply, content, cut=fault == "reply cut")

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _forward(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        self._upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
        reply = self._upstream.getresponse()
        return reply, reply.read()

    def _reply(self, reply: http.client.HTTPResponse, content: bytes, cut: bool) -> None:
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "server", "date"):
                self.send_header(name, value)
        length = reply.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = self.close_connection or cut

    def _refuse(self, status: str) -> None:
        content = f"<Error><Code>{_CODES[status]}</Code><Message>injected</Message></Error>".encode()
        self.send_response(int(status))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
