"""Pages on which there is more than there is room for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from smwatch.dossier.principal import SEEN
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm, Severity
from smwatch.tui.lines import Line
from smwatch.tui.pages.groups import Group, Grouping, groups_page
from smwatch.tui.pages.principal import AT_ONCE, LISTED, rotation_list
from smwatch.tui.pages.secret import READERS
from smwatch.tui.pages.targets import ToAlarm, ToPrincipal, ToSecret
from smwatch.tui.pages.wall import wall_page
from smwatch.tui.pages.words import OWN, alarm_line, own_alarms
from smwatch.tui.times import Zone
from tests import records
from tests.dossier.dossiers import principal
from tests.store.test_store import alarm
from tests.tui.scene import NOW, Stage, ago, reads
from tests.tui.test_wall import scene

DB = Secret(records.ACCOUNT, records.REGION, "prod/db")


def told(lines: Sequence[Line]) -> list[str]:
    return [line.text.rstrip() for line in lines]


def bad(group: str, severity: Severity, *others: Secret) -> Alarm:
    return msgspec.structs.replace(alarm(group, [1]), severity=severity, secrets=others)


def nobody(_: Alarm) -> str:
    return ""


def test_of_many_alarms_the_worst_are_listed_and_those_of_this_secret_alone_before_others() -> None:
    about = [bad(f"own {n}", Severity.HIGH) for n in range(3)]
    among = [bad(f"among {n}", Severity.HIGH, DB) for n in range(30)]
    lines = own_alarms([*among, *about, bad("worst", Severity.CRITICAL, DB)], nobody, NOW, Zone.UTC, 80)
    groups = [line.target.group for line in lines if isinstance(line.target, ToAlarm)]
    assert groups[:4] == ["worst", "own 0", "own 1", "own 2"]
    assert len(groups) == OWN
    assert told(lines)[-1] == f"   and {34 - OWN} more alarms"


def test_one_alarm_more_than_are_listed_is_listed() -> None:
    lines = own_alarms([bad(f"own {n}", Severity.HIGH) for n in range(OWN + 1)], nobody, NOW, Zone.UTC, 80)
    assert [isinstance(line.target, ToAlarm) for line in lines] == [True] * (OWN + 1)


def test_alarms_of_one_title_differ_by_whom_they_are_about_where_there_is_room() -> None:
    sweep = msgspec.structs.replace(alarm("g", [1]), title="Denied sweep across secrets, and some were read")
    app = msgspec.structs.replace(sweep, principal="app-27")
    shown = {width: alarm_line(app, NOW, Zone.UTC, width, app.principal).text for width in (30, 58, 120)}
    assert "app-27" not in shown[30]
    assert "Denied sweep across" in shown[58]
    assert "…  app-27" in shown[58]
    assert f"{app.title}  app-27" in shown[120]
    assert [len(text) for text in shown.values()] == list(shown)
    (line,) = own_alarms([app], lambda each: each.principal, NOW, Zone.UTC, 58)
    assert line.text == shown[58]


def test_who_breaks_beyond_those_listed_is_counted() -> None:
    stage = Stage([records.read("prod/db", by=records.user(f"u{n}"), eventTime=ago(60)) for n in range(READERS + 2)])
    lines = told(stage.app.desk.page_of(ToSecret(DB), ())(80))
    breaks = lines[next(i for i, text in enumerate(lines) if text.startswith("WHO BREAKS")) :]
    assert breaks[READERS + 1] == "and 2 more"


def test_of_more_sessions_than_are_kept_the_page_of_a_principal_says_how_many_there_are_at_least() -> None:
    for count, more in ((SEEN - 1, f"and {SEEN - 1 - LISTED} more"), (SEEN + 30, f"and at least {SEEN - LISTED} more")):
        sessions = [records.role("app", f"task-{n}") for n in range(count)]
        stage = Stage([records.read("prod/db", by=by, eventTime=ago(60)) for by in sessions])
        lines = told(stage.app.desk.page_of(ToPrincipal(stage.store.events[0].principal.identity), ())(80))
        assert lines[lines.index("SESSIONS") + LISTED + 1] == more


def test_a_read_that_kms_alone_tells_of_is_one_on_the_page_of_a_principal() -> None:
    stage = Stage([records.kms("prod/db", eventTime=ago(60)), records.read("prod/api", eventTime=ago(50))])
    lines = stage.app.desk.page_of(ToPrincipal(stage.store.events[0].principal.identity), ())
    (alone,) = (text.split() for text in told(lines(80)) if "prod/db" in text)
    assert alone[2:5] == ["1", "KMS", "0"]
    wide, narrow = told(lines(80)), told(lines(50))
    assert any("Got the value of 2 of the 2 secrets" in text for text in wide)
    assert any(text.split()[:3] == ["1", "read", "KMS"] for text in narrow)


def test_thousands_of_reads_that_kms_alone_tells_of_move_no_column() -> None:
    stage = Stage([records.kms("prod/db", eventTime=ago(n % 60), id=str(n)) for n in range(1_000)])
    lines = told(stage.app.desk.page_of(ToPrincipal(stage.store.events[0].principal.identity), ())(80))
    (titles,) = (text for text in lines if text.split() == ["secret", "reads", "refused", "first"])
    (row,) = (text for text in lines if "1,000 KMS" in text)
    assert len(row) == len(titles)


def test_groups_in_little_room_differ_where_their_names_do() -> None:
    groups = [Group(f"prod/billing-and-orders/db-{n}", events=9 - n) for n in range(3)]
    shown = [text.split()[0] for text in told(groups_page(groups, Grouping.SECRET, 60))[1:]]
    assert [text[-4:] for text in shown] == ["db-0", "db-1", "db-2"]
    assert all(text.startswith("prod") for text in shown)


def test_the_wall_says_how_many_failed_at_the_least_width() -> None:
    crowd = scene(*reads(1_200), *(records.denied("prod/db", eventTime=ago(60), id=f"d{n}") for n in range(1_130)))
    (events,) = (text for text in told(wall_page(crowd, 60, 20)) if text.startswith("EVENTS"))
    assert events.endswith("1,130 failed")
    assert len(events) <= 60
    (events,) = (text for text in told(wall_page(crowd, 100, 30)) if text.startswith("EVENTS"))
    assert "a minute now" in events


def test_the_wall_names_whoever_it_is_about_whole_where_there_is_little_room() -> None:
    refused = records.read_deleted("prod/db-17", by=records.role("checkout-web"), eventTime=ago(60), id="d")
    lines = told(wall_page(scene(refused), 60, 20))
    assert any("prod/db-17   checkout-web" in text and text.rstrip()[-8:] == "13:59:00" for text in lines)
    wide = told(wall_page(scene(refused), 100, 30))
    assert any("checkout-web" in text and "first 13:59:00   last 13:59:00" in text for text in wide)


async def test_a_rotation_list_of_many_secrets_lets_others_have_their_turns() -> None:
    many = 3 * AT_ONCE
    dossier = principal(*(records.read(f"prod/{n:04}", eventTime=ago(9000 - n)) for n in range(many)))
    listing, turns = asyncio.ensure_future(rotation_list(dossier)), 0
    while not listing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > many // AT_ONCE
    _, *commands = listing.result().splitlines()
    assert [command.split()[4] for command in commands] == [f"prod/{n:04}" for n in range(many)]
