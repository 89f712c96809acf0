"""What `--json` and the screen say of sources while they fail, and what comes of it in the end."""

from __future__ import annotations

import asyncio
import io
import json
import re
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smwatch.headless.jsonl import Lines
from smwatch.headless.output import Output
from smwatch.journal import Journal
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.monitor import Monitor
from smwatch.sources.cloudtrail import cloudtrail_source
from smwatch.sources.live_tail import live_tail_source
from smwatch.sources.logs import logs_source
from smwatch.sources.session import AwsSession
from smwatch.sources.source import Source, State
from smwatch.store.store import Store
from smwatch.tui.health import sources_page, troubles
from smwatch.tui.times import Zone
from tests.emulators.records import record
from tests.sources.hurry import HANGS, Hurry

GROUP = "CloudTrail/SecretsManager"

Fault = dict[str, Any]
Line = dict[str, Any]


def refusal(code: str, message: str = "", status: int = 400) -> Fault:
    """What AWS answers."""
    return {"status": status, "body": json.dumps({"__type": code, "message": message}), "times": 2}


ENDPOINTS = {"CloudTrail": "AWS_ENDPOINT_URL_CLOUDTRAIL", "CloudWatch Logs": "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"}
"""What the tests set to put a service behind a proxy."""
NOT_AUTHORIZED = "User: arn:aws:iam::123456789012:user/x is not authorized to perform this"
WRONG_SIGNATURE = "The request signature we calculated does not match the signature you provided."
LATE = "Signature expired: 20261128T110000Z is now earlier than 20261128T111500Z"
ASKED_AGAIN = "; asking again (a proxy or a captive portal between?)"
NEW_KEYS = "start smwatch again with new AWS_… variables"

Failure = tuple[str, Fault, State, str]
"""What happens, how it is made to, and the state and the sentence that it is told by."""


def of_any(service: str, operation: str, action: str, page: str) -> list[Failure]:
    """What may happen to each operation that is polled; its answers are pages of something."""
    return [
        (
            "throttled",
            refusal("ThrottlingException", "Rate exceeded"),
            State.THROTTLED,
            f"AWS throttles {operation} (the quota is the account's); asking 500 times a second",
        ),
        (
            "denied",
            refusal("AccessDeniedException", NOT_AUTHORIZED),
            State.DENIED,
            (
                f"AWS denies {action} to arn:aws:iam::123456789012:user/x:"
                " attach the policy that `smwatch policy watch` prints"
            ),
        ),
        (
            "expired keys",
            refusal("ExpiredTokenException", "The security token included in the request is expired"),
            State.SIGN_IN,
            f"the credentials have expired: {NEW_KEYS}",
        ),
        (
            "HTTP 503",
            refusal("ServiceUnavailableException", status=503),
            State.FAILING,
            f"{service} in eu-west-1 answered 503 ServiceUnavailableException; trying again",
        ),
        (
            "an answer cut short",
            {"truncate": 20, "times": 2},
            State.FAILING,
            f"{service} in eu-west-1 answered with something that is no page of {page}{ASKED_AGAIN}",
        ),
        (
            "a connection reset",
            {"reset": True, "times": 2},
            State.UNREACHABLE,
            (
                f"{service} in eu-west-1 can't be reached (Server disconnected):"
                f" check {ENDPOINTS[service]} and the network; trying again"
            ),
        ),
        (
            "keys of another partition, or deleted",
            refusal("UnrecognizedClientException", "The security token included in the request is invalid."),
            State.SIGN_IN,
            (
                f"{service} in eu-west-1 does not know these credentials (UnrecognizedClientException): the key was"
                f" deleted, or it belongs to another partition, or the Region is not enabled; {NEW_KEYS}"
            ),
        ),
        (
            "another key's secret",
            refusal("InvalidSignatureException", WRONG_SIGNATURE),
            State.SIGN_IN,
            f"{service} in eu-west-1 refuses the signature: the secret key does not belong to the key id; {NEW_KEYS}",
        ),
        (
            "a wrong clock",
            refusal("InvalidSignatureException", LATE),
            State.FAILING,
            f"AWS refuses the time of this machine's clock ({LATE}): set it (`timedatectl set-ntp true`)",
        ),
        (
            "a Region that is not enabled",
            refusal("OptInRequired", "You are not subscribed to this service", 403),
            State.DENIED,
            f"{service} in eu-west-1 is not enabled for this account: enable the Region, or watch another one",
        ),
        (
            "HTTP 500",
            refusal("InternalFailure", status=500),
            State.FAILING,
            f"{service} in eu-west-1 answered 500 InternalFailure; trying again",
        ),
        (
            "HTTP 502 of a proxy",
            {"status": 502, "body": "<html>Bad Gateway</html>", "times": 2},
            State.FAILING,
            f"{service} in eu-west-1 answered HTTP 502 without an AWS error; trying again (a proxy between?)",
        ),
        (
            "the page of a captive portal",
            {"body": "<html>Welcome to Hotel WiFi</html>", "times": 2},
            State.FAILING,
            f"{service} in eu-west-1 answered with something that is no page of {page}{ASKED_AGAIN}",
        ),
        (
            "an answer with bytes overwritten",
            {"corrupt": True, "times": 2},
            State.FAILING,
            f"{service} in eu-west-1 answered with something unreadable{ASKED_AGAIN}",
        ),
        (
            "a compressed answer that unpacks without end",
            {"bomb": 64, "times": 2},
            State.FAILING,
            f"{service} in eu-west-1 answered with something unreadable{ASKED_AGAIN}",
        ),
        (
            "no answer",
            {"hang": 3},
            State.UNREACHABLE,
            f"{service} in eu-west-1 did not answer in time; trying again",
        ),
    ]


class Told:
    """What `smwatch tail --json` writes, and what the screen says, while sources are followed."""

    def __init__(self, journal: Journal) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        """When the test began: a source that is followed later asks for what is newer first."""
        self.since = self.now - timedelta(hours=2)
        self.held = [record(self.now - timedelta(seconds=20 * n)) for n in reversed(range(240))]
        """The records that the services hold, in the order of their time."""
        self.said: list[str] = []
        """The screen's sentences."""
        self._journal = journal
        self._watched = ""
        """The name of the source that fails."""
        self._out = io.StringIO()
        self._lines = Lines(Store(), journal, json=True, out=Output(self._out))

    async def follow(
        self,
        source: Source,
        failed: State,
        words: str = "",
        meanwhile: Callable[[Line], object] = lambda _: None,
        *,
        beside: Sequence[Source] = (),
    ) -> None:
        """Until it has failed so, all is well again and everything that is held was written, by it or one beside it."""
        self._watched = source.name
        wanted = {one["eventID"] for one in self.held}
        recovered = asyncio.Event()

        async def deliver(delivery: Delivery) -> None:
            await self._lines.deliver(delivery)
            for status in delivery.statuses:
                if status.source != source.name:
                    continue
                page = sources_page([status], self.now, Zone.UTC, 1000)
                self.said += [" ".join(piece.text for piece in line.pieces) for line in page]
                self.said += [sentence for sentence, _ in troubles([status], self.now, Zone.UTC)]
                meanwhile(self.statuses[-1])
            states = [line["state"] for line in self.statuses if words in (line["message"] or "")]
            if (
                failed in states
                and self.statuses[-1]["state"] == "ok"
                and wanted <= {line["id"] for line in self.events}
            ):
                recovered.set()

        monitor = Monitor(self._journal, deliver=deliver, selects=lambda _: False, now=lambda: self.now)
        async with asyncio.timeout(HANGS), asyncio.TaskGroup() as tasks:
            following = tasks.create_task(monitor.follow([source, *beside]))
            await recovered.wait()
            following.cancel()

    @property
    def objects(self) -> list[Line]:
        return [json.loads(line) for line in self._out.getvalue().splitlines()]

    @property
    def statuses(self) -> list[Line]:
        return [line for line in self.objects if line["type"] == "status" and line["source"] == self._watched]

    @property
    def events(self) -> list[Line]:
        return [line for line in self.objects if line["type"] == "event"]

    def judge(self, state: State, message: str) -> None:
        """The line and the sentence as expected; each event written once; no gap is left."""
        lines = [line for line in self.statuses if line["state"] == state and line["message"]]
        assert lines[0]["message"] == message
        assert re.fullmatch(r"(cloudtrail|logs|live_tail):[\w/:-]+", lines[0]["source"])
        assert any(sentence == message for sentence in self.said), "not on the page of the sources"
        assert any(sentence.endswith(f" {state}: {message}") for sentence in self.said), "not on the main screen"
        assert sorted(line["id"] for line in self.events) == sorted(one["eventID"] for one in self.held)
        last = self.statuses[-1]
        assert last["gaps"] == []
        assert not last["message"] or last["message"].startswith("asking ")  # more slowly, where AWS has throttled


def patience(service: str, fault: Fault) -> dict[str, float]:
    """How long to wait for an answer: briefly only where none comes, as a busy machine may answer any other late."""
    return {service: 0.5 if "hang" in fault else 30.0}


class UnknownHost:
    """A name of this machine that does not resolve until that was told."""

    name = "aws.invalid"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._known = False
        self._resolve = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._found)

    def _found(self, host: str | bytes | None, *more: Any, **options: Any) -> Any:
        if host == self.name:
            if not self._known:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            host = "127.0.0.1"
        return self._resolve(host, *more, **options)

    def told(self, line: Line) -> None:
        """From the first line on that says so, it is known."""
        self._known = self._known or line["state"] == "unreachable"


async def history_source(session: AwsSession, since: datetime) -> Source:
    """The event history, in a hurry."""
    return await cloudtrail_source(session, None, since, **Hurry().options())


async def group_source(session: AwsSession, since: datetime) -> Source:
    """The log group, in a hurry."""
    return await logs_source(session, None, GROUP, since, **Hurry().options())


async def live_tail_sources(session: AwsSession, since: datetime, hurry: Hurry | None = None) -> tuple[Source, Source]:
    """Live Tail, and what reads the log group beside it; by `hurry`'s clock if there is one."""
    local = hurry.local if hurry else None
    hurry = hurry or Hurry()
    truth = await logs_source(session, None, GROUP, since, **hurry.options(local))
    live = await live_tail_source(session, None, GROUP, truth=truth, local=local or hurry.waiting)
    return live, truth
