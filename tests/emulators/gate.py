"""A proxy that stops one operation on its way to a service or back, until it is let through."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NOT_PASSED_ON = {"connection", "content-length", "date", "expect", "host", "server", "transfer-encoding"}


class Gate:
    """The way to one service."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.url = ""
        self.reached = threading.Event()
        """A call is being held."""
        self._opened = threading.Event()
        self._held = ""
        self._before = False

    def hold(self, operation: str, *, before: bool) -> None:
        """Hold the next call of this operation: `before` the service hears of it, or its answer."""
        self.reached.clear()
        self._held, self._before = operation, before

    def open(self) -> None:
        """Let through whatever is held and all that comes."""
        self._held = ""
        self._opened.set()

    def passing(self, operation: str, *, before: bool) -> None:
        """Wait here if this is what is held."""
        if operation and operation == self._held and before is self._before:
            self._held = ""
            self.reached.set()
            self._opened.wait(timeout=60)


@contextmanager
def gate(upstream: str) -> Iterator[Gate]:
    """Open a gate on a free loopback port."""
    made = Gate(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            made.passing(operation, before=True)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
            headers.setdefault("Content-Type", "application/octet-stream")  # or urllib says that it is a form
            url = made.upstream + self.path
            request = urllib.request.Request(url, data=body or None, headers=headers, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=60) as answered:
                    status, given, answer = answered.status, answered.headers.items(), answered.read()
            except urllib.error.HTTPError as refused:
                status, given, answer = refused.code, refused.headers.items(), refused.read()
                refused.close()
            made.passing(operation, before=False)
            try:
                self.send_response(status)
                for name, value in given:
                    if name.lower() not in NOT_PASSED_ON:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            except OSError:
                self.close_connection = True  # whoever asked has gone

        do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = pass_on  # noqa: N815 - as HTTP calls them

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name it is called with
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield made
    finally:
        made.open()
        server.shutdown()
        serving.join()
        server.server_close()
