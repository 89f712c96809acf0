"""What doctor says of what no emulator can be brought to do: values in, findings out."""

from __future__ import annotations

import os
import pty
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from botocore import exceptions as botocore

from smwatch.events.selectors import Selectors
from smwatch.journal import FILE_NAME, MIGRATIONS, Journal
from smwatch.setup.aws import Identity
from smwatch.setup.chain import choose
from smwatch.setup.checks import Checks
from smwatch.setup.doctor import examine, findings_json, findings_text, is_broken
from smwatch.setup.documents import alarms_may_publish, document, role_trust
from smwatch.setup.finding import Finding, State, age, shell
from smwatch.setup.journal_file import JournalSeen, see_journal
from smwatch.setup.machine import journal, terminal
from smwatch.setup.place import Place
from smwatch.setup.seeing import NO_REGION, RegionSeen, Seen, Trial, Unread, unread
from smwatch.setup.seen import (
    Alarm,
    Delivery,
    EventRule,
    LogGroup,
    MetricFilter,
    Role,
    Subscription,
    Target,
    Topic,
    Trail,
)
from smwatch.setup.terminal import TerminalSeen, ask_attributes
from smwatch.setup.wanted import DELETED_SECRETS, Wanted

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
HERE = Place("aws", "111122223333", "eu-west-1")
GROUP = "CloudTrail/MyCloudWatchLogGroup"
TOPIC = HERE.topic("smwatch-alarms")
MINUTE = timedelta(minutes=1)

TRAIL = Trail(
    name="main",
    arn=HERE.trail("main"),
    home_region="eu-west-1",
    multi_region=True,
    bucket="logs",
    log_group_arn=f"{HERE.log_group(GROUP)}:*",
    role_arn=HERE.role("delivery"),
    selectors=Selectors(),
    delivery=Delivery(logging=True, delivered_at=NOW - MINUTE, logs_delivered_at=NOW - MINUTE),
)
ALARM = Alarm(
    name=DELETED_SECRETS.alarm,
    arn=HERE.alarm(DELETED_SECRETS.alarm),
    namespace=DELETED_SECRETS.namespace,
    metric=DELETED_SECRETS.metric,
    statistic="Sum",
    period=300,
    evaluation_periods=1,
    datapoints=1,
    threshold=1.0,
    comparison="GreaterThanOrEqualToThreshold",
    missing="notBreaching",
    actions=(TOPIC,),
    state="OK",
)
OPS = Subscription("email", "ops@example.com", f"{TOPIC}:1")
OPEN_TOPIC = Topic(TOPIC, document(alarms_may_publish(HERE, TOPIC)), subscriptions=(OPS,))


def seen(wanted: Wanted = Wanted(), trails: tuple[Trail, ...] | Unread = (TRAIL,), **other: object) -> RegionSeen:  # noqa: B008
    healthy = RegionSeen(
        place=HERE,
        wanted=wanted,
        now=NOW,
        trails=trails,
        chain=choose(() if isinstance(trails, Unread) else trails, HERE, wanted),
        role=Role("delivery", HERE.role("delivery"), role_trust(TRAIL.arn)),
        group=LogGroup(GROUP, retention=90),
        newest=NOW - MINUTE,
        filters=(
            MetricFilter("any name", DELETED_SECRETS.pattern, DELETED_SECRETS.namespace, DELETED_SECRETS.metric, "1"),
        ),
        alarms=(ALARM,),
        topics={TOPIC: OPEN_TOPIC},
        lookup=NOW - 4 * MINUTE,
    )
    return msgspec.structs.replace(healthy, **other)


def check(name: str, region: RegionSeen) -> Finding:
    (found,) = [each for each in Checks(region, "prod").findings() if each.check == name]
    return found


def refusal(code: str) -> botocore.ClientError:
    return botocore.ClientError({"Error": {"Code": code, "Message": "no"}}, "GetCallerIdentity")


def delivery(**changed: object) -> tuple[Trail, ...]:
    assert TRAIL.delivery is not None
    return (msgspec.structs.replace(TRAIL, delivery=msgspec.structs.replace(TRAIL.delivery, **changed)),)


def test_a_healthy_chain_is_ok_throughout() -> None:
    assert {each.state for each in Checks(seen(), "").findings()} == {State.OK}


WITHOUT_KMS = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "ExcludeManagementEventSources": ["kms.amazonaws.com"],
}
MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
ADVANCED_WITHOUT_KMS = {"FieldSelectors": [MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]}
ADVANCED_WRITES = {"FieldSelectors": [MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}]}
REPLACED = msgspec.structs.replace
ORGANISATION = (
    "Only the organisation trail org of account 999999999999 logs this account: its log group is there, "
    "and LookupEvents is all that can be watched from here. A trail here is a second copy that AWS charges for:"
)


@pytest.mark.parametrize(
    ("name", "region", "state", "message"),
    [
        (
            "files",
            seen(trails=delivery(delivery_error="AccessDenied")),
            State.BROKEN,
            "CloudTrail can't write to the bucket logs: AccessDenied. Its policy has to let CloudTrail in:",
        ),
        (
            "delivery",
            seen(trails=delivery(logs_delivery_error="Access denied.")),
            State.BROKEN,
            f"CloudTrail can't write to the log group {GROUP}: Access denied.",
        ),
        (
            "delivery",
            seen(trails=delivery(logs_delivered_at=NOW - timedelta(hours=5))),
            State.WARN,
            f"The last delivery to {GROUP} was 5 h ago: see whether lookup has newer events.",
        ),
        (
            "delivery",
            seen(trails=delivery(logs_delivered_at=None, started_at=NOW - 40 * MINUTE)),
            State.WARN,
            f"Nothing was delivered to {GROUP} yet, 40 min after the start.",
        ),
        (
            "delivery",
            seen(trails=delivery(logs_delivered_at=None, started_at=NOW - 3 * MINUTE)),
            State.OK,
            f"Nothing was delivered to {GROUP} yet: the first events take up to 20 minutes.",
        ),
        (
            "logging",
            seen(trails=(REPLACED(TRAIL, delivery=None),)),
            State.UNKNOWN,
            "The trail's status can't be read.",
        ),
        (
            "trail",
            seen(trails=(), elsewhere=(("old", "us-west-2"),)),
            State.BROKEN,
            "No trail logs eu-west-1: old logs only us-west-2.",
        ),
        (
            "trail",
            seen(
                trails=(
                    REPLACED(
                        TRAIL,
                        arn="arn:aws:cloudtrail:us-east-1:999999999999:trail/org",
                        name="org",
                        organization=True,
                    ),
                )
            ),
            State.WARN,
            ORGANISATION,
        ),
        (
            "log group",
            seen(group=LogGroup(GROUP, log_class="INFREQUENT_ACCESS")),
            State.BROKEN,
            f"{GROUP} is of class INFREQUENT_ACCESS: no metric filter, no Live Tail, no FilterLogEvents.",
        ),
        ("newest event", seen(newest=NOW - timedelta(days=3)), State.WARN, "The newest event came 3 days ago."),
        (
            "pattern",
            seen(matches=False),
            State.BROKEN,
            "AWS finds that the documented pattern does not match a refused reading.",
        ),
        (
            "alarm",
            seen(alarms=(REPLACED(ALARM, state="ALARM", state_at=NOW - 7 * MINUTE),)),
            State.WARN,
            f"{ALARM.name} is in ALARM for 7 min: somebody tried to read a deleted secret.",
        ),
        (
            "subscribers",
            seen(
                topics={TOPIC: REPLACED(OPEN_TOPIC, subscriptions=(REPLACED(OPS, arn="PendingConfirmation"),))},
            ),
            State.BROKEN,
            "Nobody is told by smwatch-alarms: ops@example.com has yet to follow the link in AWS's mail. A new link:",
        ),
        (
            "subscribers",
            seen(
                topics={
                    TOPIC: REPLACED(
                        OPEN_TOPIC,
                        subscriptions=(OPS, Subscription("email", "new@example.com", "PendingConfirmation")),
                    )
                },
            ),
            State.WARN,
            (
                "smwatch-alarms tells ops@example.com (email). "
                "new@example.com has yet to follow the link in AWS's mail. A new link:"
            ),
        ),
        (
            "selectors",
            seen(trails=(REPLACED(TRAIL, selectors=Selectors(basic=(WITHOUT_KMS,))),)),
            State.OK,
            "Read and write events are logged, but for those of KMS, which are not needed.",
        ),
        (
            "selectors",
            seen(trails=(REPLACED(TRAIL, selectors=Selectors(advanced=(ADVANCED_WITHOUT_KMS,))),)),
            State.OK,
            "Read and write events are logged, but for those of KMS, which are not needed.",
        ),
        (
            "selectors",
            seen(trails=(REPLACED(TRAIL, selectors=Selectors(advanced=(ADVANCED_WRITES,))),)),
            State.BROKEN,
            "The trail main drops read events: nobody is seen who reads a secret.",
        ),
        (
            "lookup",
            seen(lookup=NOW - timedelta(hours=3)),
            State.WARN,
            "The event history answers; its newest event is 3 h old. It is quiet here, or CloudTrail is late.",
        ),
        ("lookup", seen(lookup=Unread("Rate exceeded", code="ThrottlingException")), State.BROKEN, "Rate exceeded"),
        (
            "permissions",
            seen(
                newest=Unread("…", "logs:FilterLogEvents"),
                partly=(Unread("…", "cloudtrail:GetTrailStatus"),),
                trials=(Trial("logs:StartLiveTail", Unread("…", "logs:StartLiveTail")),),
            ),
            State.BROKEN,
            "Missing: cloudtrail:GetTrailStatus, logs:FilterLogEvents, logs:StartLiveTail.",
        ),
        (
            "region",
            seen(trails=Unread("…", code="UnrecognizedClientException")),
            State.BROKEN,
            "eu-west-1 does not know these credentials: it is not enabled for this account.",
        ),
        (
            "event rules",
            seen(
                rules=(
                    EventRule(
                        "smwatch-x",
                        HERE.event_rule("smwatch-x"),
                        "ENABLED",
                        {},
                        (Target("1", "arn:aws:lambda:eu-west-1:111122223333:function:f", "arn:aws:sqs:q"),),
                    ),
                )
            ),
            State.OK,
            "smwatch-x is on and tells function:f.",
        ),
    ],
)
def test_what_is_wrong_is_said(name: str, region: RegionSeen, state: State, message: str) -> None:
    found = check(name, region)
    assert (found.state, found.message) == (state, message)


def test_the_mends_carry_profile_and_region_and_quote_what_the_shell_would_read() -> None:
    hostile = REPLACED(TRAIL, name="a b;$(reboot)", delivery=Delivery(logging=False))
    assert check("logging", seen(trails=(hostile,))).mend == (
        "aws cloudtrail start-logging --name 'a b;$(reboot)' --profile prod --region eu-west-1"
    )


# -- this machine ----------------------------------------------------------------------------------------------------


def examined(**other: object) -> dict[str, Finding]:
    all_well = Seen(
        profile="prod",
        identity=Identity("111122223333", "arn:aws:iam::111122223333:user/ops", NOW),
        asked_at=NOW,
        regions=(seen(),),
        terminal=TerminalSeen(environ={"TERM": "xterm-256color"}, attributes=(62, 52)),
        journal=JournalSeen(path="/state/journal.sqlite3", exists=False),
    )
    return {each.check: each for each in examine(msgspec.structs.replace(all_well, **other))}


def test_all_well_is_not_broken() -> None:
    assert not is_broken(tuple(examined().values()))


@pytest.mark.parametrize(
    ("offset", "state", "message"),
    [
        (timedelta(seconds=20), State.OK, "agrees with AWS's"),
        (timedelta(minutes=3), State.WARN, "This machine's clock is 3 min ahead of AWS's."),
        (
            -timedelta(minutes=9),
            State.BROKEN,
            "This machine's clock is 9 min behind AWS's. AWS refuses signatures beyond 5 minutes.",
        ),
    ],
)
def test_a_wrong_clock_is_named(offset: timedelta, state: State, message: str) -> None:
    found = examined(asked_at=NOW + offset)["clock"]
    assert (found.state, found.message) == (state, message)


def test_a_signature_refused_for_its_time_is_the_clocks_fault() -> None:
    found = examined(identity=Unread("AWS refused the signature", code="RequestTimeTooSkewed"), regions=())
    assert (found["clock"].state, found["credentials"].state) == (State.BROKEN, State.UNKNOWN)


def test_without_credentials_nothing_in_aws_is_judged() -> None:
    found = examined(identity=Unread("The sign-in has ended: `aws sso login --profile prod`."), regions=())
    assert found["credentials"].state is State.BROKEN
    assert found["credentials"].mend == "aws sso login --profile prod"
    assert found["account"].state is State.UNKNOWN
    assert found["journal"].state is State.OK


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (botocore.NoCredentialsError(), "aws configure --profile 'my prod'"),
        (botocore.ProfileNotFound(profile="my prod"), "aws configure list-profiles"),
        (botocore.SSOTokenLoadError(error_msg="x"), "aws sso login --profile 'my prod'"),
        (botocore.UnauthorizedSSOTokenError(), "aws sso login --profile 'my prod'"),
        (botocore.LoginTokenLoadError(error_msg="x"), "aws login --profile 'my prod'"),
        (botocore.RefreshWithMFAUnsupportedError(), "aws sts get-caller-identity --profile 'my prod'"),
        (refusal("ExpiredToken"), "aws configure list --profile 'my prod'"),
        (refusal("InvalidClientTokenId"), "aws configure list --profile 'my prod'"),
        (
            botocore.EndpointConnectionError(endpoint_url="https://sts.eu-west-1.amazonaws.com"),
            "aws sts get-caller-identity --profile 'my prod'",
        ),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, Exception) else "",
)
def test_each_trouble_with_credentials_has_its_command(error: Exception, mend: str) -> None:
    found = examined(profile="my prod", identity=unread(error, "my prod"), regions=())
    assert (found["credentials"].state, found["credentials"].mend) == (State.BROKEN, mend)


def test_without_a_region_that_is_what_is_broken() -> None:
    found = examined(identity=Unread("No Region is set.", code=NO_REGION), regions=())
    assert (found["region"].state, found["credentials"].state) == (State.BROKEN, State.UNKNOWN)


@pytest.mark.parametrize(
    ("presented", "name", "state", "message"),
    [
        (TerminalSeen(present=False), "terminal", State.OK, "There is none here: `smwatch tail` needs none."),
        (
            TerminalSeen(environ={"TERM": "dumb"}),
            "terminal",
            State.BROKEN,
            "TERM is dumb: the screen can't be drawn.",
        ),
        (
            TerminalSeen(columns=40, rows=12, environ={"TERM": "xterm"}),
            "terminal",
            State.WARN,
            "40 × 12 is small: the screen is made for 60 × 20 and more.",
        ),
        (
            TerminalSeen(environ={"TERM": "xterm", "COLORTERM": "truecolor"}),
            "terminal",
            State.OK,
            "80 × 24, 16 million colours (xterm)",
        ),
        (
            TerminalSeen(environ={"TERM": "xterm", "NO_COLOR": "1"}),
            "terminal",
            State.OK,
            "80 × 24, no colours (NO_COLOR is set) (xterm)",
        ),
        (
            TerminalSeen(environ={"TERM": "xterm"}, encoding="ANSI_X3.4-1968"),
            "unicode",
            State.WARN,
            "Output is ANSI_X3.4-1968: glyphs become question marks.",
        ),
        (
            TerminalSeen(environ={"TERM": "tmux-256color"}, tmux_clipboard="off"),
            "clipboard",
            State.WARN,
            "tmux keeps copies to itself.",
        ),
        (
            TerminalSeen(environ={"TERM": "xterm", "TERM_PROGRAM": "WezTerm"}),
            "clipboard",
            State.OK,
            "Copying reaches the clipboard (OSC 52).",
        ),
        (
            TerminalSeen(environ={"TERM": "xterm", "VTE_VERSION": "7600"}),
            "clipboard",
            State.WARN,
            "This terminal does not take copies (OSC 52): select with the mouse instead.",
        ),
        (
            TerminalSeen(environ={"TERM": "xterm"}),
            "clipboard",
            State.UNKNOWN,
            "Whether copies reach the clipboard (OSC 52) this terminal does not tell.",
        ),
    ],
)
def test_a_terminal_is_judged_by_what_it_presents(
    presented: TerminalSeen, name: str, state: State, message: str
) -> None:
    (found,) = [each for each in terminal(presented) if each.check == name]
    assert (found.state, found.message) == (state, message)


def test_a_terminal_is_asked_what_it_can_do() -> None:
    ours, theirs = pty.openpty()

    def answer() -> None:
        asked = b""
        while b"\x1b[c" not in asked:
            asked += os.read(ours, 16)
        os.write(ours, b"\x1b[?62;22;52c")

    answering = threading.Thread(target=answer)
    answering.start()
    try:
        assert ask_attributes(theirs, theirs, within=60) == (62, 22, 52)
    finally:
        answering.join()
        os.close(ours)
        os.close(theirs)


def test_a_silent_terminal_is_not_waited_for() -> None:
    ours, theirs = pty.openpty()
    try:
        assert ask_attributes(theirs, theirs, within=0.01) == ()
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_pipe_is_not_asked() -> None:
    reading, writing = os.pipe()
    try:
        assert ask_attributes(reading, writing) == ()
    finally:
        os.close(reading)
        os.close(writing)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state directory with a journal in it, as smwatch makes one."""
    tmp_path.chmod(0o700)
    Journal(tmp_path / FILE_NAME).close()
    return tmp_path


def test_a_journal_as_smwatch_makes_it_is_ok(folder: Path) -> None:
    found = journal(see_journal(folder))
    assert found.state is State.OK, found.message
    assert found.message.endswith("sound")


def test_a_missing_journal_is_ok(tmp_path: Path) -> None:
    assert journal(see_journal(tmp_path)).message == f"None yet; it will be {tmp_path / FILE_NAME}."


def test_a_journal_others_can_read_is_broken(folder: Path) -> None:
    (folder / FILE_NAME).chmod(0o644)
    found = journal(see_journal(folder))
    assert found.state is State.BROKEN
    assert found.mend == f"chmod 600 {folder / FILE_NAME} && chmod 700 {folder}"


def test_a_journal_of_a_newer_smwatch_is_broken(folder: Path) -> None:
    connection = sqlite3.connect(folder / FILE_NAME)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.commit()
    connection.close()
    assert "newer smwatch" in journal(see_journal(folder)).message


@pytest.mark.parametrize("damage", [b"this is no database" * 300, b"SQLite format 3\x00" + b"\xff" * 8192])
def test_a_damaged_journal_is_broken_and_left_alone(folder: Path, damage: bytes) -> None:
    path = folder / FILE_NAME
    path.write_bytes(damage)
    found = journal(see_journal(folder))
    assert found.state is State.BROKEN
    assert found.mend == f"mv {path} {path}.broken"
    assert path.read_bytes() == damage


# -- words -----------------------------------------------------------------------------------------------------------


def test_findings_are_a_table_with_the_command_below() -> None:
    lines = findings_text([Finding("trail", State.BROKEN, "No trail.", "smwatch setup", "eu-west-1")], 80).splitlines()
    assert lines == [
        "✗ broken  trail         No trail.",
        "                        → smwatch setup",
        "",
        "1 broken",
    ]


def test_what_aws_says_can_not_act_in_the_terminal() -> None:
    text = findings_text([Finding("alarm", State.BROKEN, "\x1b]0;owned\x07\u202eevil", "rm \x1b[2J")], 80)
    assert not [each for each in text if each in "\x1b\x07\u202e"]


def test_findings_are_json_for_programs() -> None:
    told = msgspec.json.decode(findings_json([Finding("trail", State.BROKEN, "No trail.", "mend", "eu-west-1")]))
    assert told == {
        "broken": True,
        "findings": [
            {"check": "trail", "state": "broken", "message": "No trail.", "mend": "mend", "region": "eu-west-1"}
        ],
    }


@pytest.mark.parametrize(
    ("period", "said"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=9), "9 days"),
    ],
)
def test_periods_are_said_as_people_do(period: timedelta, said: str) -> None:
    assert age(period) == said


def test_a_command_leaves_out_options_without_a_value() -> None:
    assert shell("aws", "sts", "--profile", "", "--region", "eu-west-1") == "aws sts --region eu-west-1"
