"""A stand-in for TestMetricFilter that gives recorded answers over the real protocol: AWS JSON 1.1 with SigV4.

It knows no patterns. Of each it is told either which messages are found or in which words it is refused, and it checks
what the service's model says of a request. Answers are numbered from 1, as the real service does.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

TARGET = "Logs_20140328.TestMetricFilter"
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[^/]+/logs/aws4_request, SignedHeaders=")


class MetricFilterTest:
    """Answers at `url` until left; `asked` holds what it was asked."""

    def __init__(self, found: Mapping[str, Iterable[str]], refused: dict[str, str] | None = None) -> None:
        self.found = {pattern: set(messages) for pattern, messages in found.items()}
        self.refused = refused or {}
        self.asked: list[dict[str, Any]] = []
        self.errors: list[tuple[int, str, str]] = []
        """Given instead of the next answers: HTTP status, code and message."""
        self.url = ""

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.headers["X-Amz-Target"] == TARGET
                assert _SIGNED.match(self.headers["Authorization"])
                status, body = outer._answer(asked)
                self.send_response(status)
                text = json.dumps(body).encode()
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(asked)
        if self.errors:
            status, code, message = self.errors.pop(0)
            return status, {"__type": code, "message": message}
        pattern, messages = asked["filterPattern"], asked["logEventMessages"]
        if not 1 <= len(messages) <= 50 or not all(messages) or len(pattern) > 1024:
            return 400, {"__type": "InvalidParameterException", "message": "1 validation error detected"}
        if pattern in self.refused:
            return 400, {"__type": "InvalidParameterException", "message": self.refused[pattern]}
        return 200, {
            "matches": [
                {"eventNumber": number, "eventMessage": message, "extractedValues": {}}
                for number, message in enumerate(messages, 1)
                if message in self.found[pattern]
            ]
        }
