"""Each failure of Live Tail, made to happen on the wire: its line, its sentence, and the log group fills in for it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from smwatch.sources.source import State
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.live_tail import LiveTailService
from tests.emulators.log_group import LogGroupService
from tests.sources.hurry import Hurry
from tests.sources.reading import opened
from tests.sources.telling import GROUP, Failure, Fault, Line, Told, live_tail_sources, of_any, patience, refusal

UNREADABLE = (
    "CloudWatch Logs in eu-west-1 answered with something unreadable; asking again"
    " (a proxy or a captive portal between?)"
)
OTHERWISE: dict[str, tuple[State, str]] = {
    "throttled": (State.THROTTLED, "AWS throttles StartLiveTail (Rate exceeded); trying again"),
    "the page of a captive portal": (State.FAILING, UNREADABLE),
    "an answer with bytes overwritten": (State.FAILING, UNREADABLE),
    "a compressed answer that unpacks without end": (State.FAILING, UNREADABLE),
}
"""What a stream is told by, where an answer that comes at once is told otherwise."""
SESSIONS: list[Failure] = [
    (name, fault, *OTHERWISE.get(name, (state, message)))
    for name, fault, state, message in of_any("CloudWatch Logs", "StartLiveTail", "logs:StartLiveTail", "updates")
    if name != "an answer cut short"
]
SESSIONS += [
    (
        "a stream cut short",
        {"end": 250, "times": 2},
        State.UNREACHABLE,
        "the Live Tail connection was closed; opening another",
    ),
    (
        "all sessions in use",
        refusal("LimitExceededException", "The maximum number of concurrent sessions was reached."),
        State.THROTTLED,
        "all Live Tail sessions of the account in eu-west-1 are in use; trying again in 5 min",
    ),
    (
        "no such group",
        refusal("ResourceNotFoundException", "The specified log group does not exist."),
        State.FAILING,
        (
            f"there is no log group {GROUP} in eu-west-1:"
            " see `aws logs describe-log-groups --region eu-west-1`, or leave out --log-group"
        ),
    ),
    (
        "a group of the wrong class",
        refusal("InvalidOperationException", "StartLiveTail is not supported for the Infrequent Access log class"),
        State.FAILING,
        (
            f"the log group {GROUP} is of class Infrequent Access, which can't be followed:"
            " send the trail to a group of class Standard, or leave out --log-group"
        ),
    ),
    (
        "a service without it",
        refusal("UnknownOperationException"),
        State.FAILING,
        (
            "AWS offers no Live Tail in eu-west-1 (UnknownOperationException): the log group is followed without it,"
            " some seconds later; switch it off (V), or leave out `live_tail`"
        ),
    ),
]


@pytest.mark.parametrize(("fault", "state", "message"), [row[1:] for row in SESSIONS], ids=[row[0] for row in SESSIONS])
async def test_a_failure_of_live_tail_is_told_and_over_in_the_end(
    held_live: LiveTailService, monkeypatch: pytest.MonkeyPatch, told: Told, fault: Fault, state: State, message: str
) -> None:
    async with FaultProxy(held_live.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", proxy.url)
        proxy.faults.append({**fault, "only": "StartLiveTail"})
        async with opened(read_timeouts={"logs": 30.0, **patience("live_tail", fault)}) as session:
            live, truth = await live_tail_sources(session, told.since)
            await told.follow(live, state, beside=[truth])
    told.judge(state, message)


async def test_an_hour_of_sleep_with_a_session_open_is_told_and_read(
    log_group: LogGroupService, hurry: Hurry, told: Told
) -> None:
    """The connection is dead when the machine wakes up, and nobody says so."""
    hurry.away = -timedelta(hours=1)
    before = [one for one in told.held if datetime.fromisoformat(one["eventTime"]) < hurry.now()]
    for one in told.held:
        log_group.put(one, datetime.fromisoformat(one["eventTime"]))

    def fall_asleep(line: Line) -> None:
        if line["state"] == "ok" and hurry.away and len(told.events) >= len(before):
            log_group.cut_sessions()
            hurry.away = timedelta()

    async with opened(read_timeouts={"logs": 30.0, "live_tail": 2.0}) as session:
        live, truth = await live_tail_sources(session, told.since, hurry)
        await told.follow(live, State.UNREACHABLE, meanwhile=fall_asleep, beside=[truth])
    told.judge(State.UNREACHABLE, "CloudWatch Logs in eu-west-1 did not answer in time; trying again")
    others = [line["message"] for line in told.objects if line["type"] == "status" and line["source"] == truth.name]
    assert "this machine was asleep for 60 min; reading what was missed" in others
