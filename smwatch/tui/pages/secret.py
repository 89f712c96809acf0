"""The dossier of a secret, in the order an incident asks: disclosed? still reachable? who breaks? who did it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from smwatch.amount import amount
from smwatch.dossier import SecretDossier
from smwatch.dossier.lifecycle import Lifecycle, State
from smwatch.dossier.outcome import Outcome
from smwatch.dossier.secret import Entry, User
from smwatch.rules.alarm import Alarm
from smwatch.tui.columns import called
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Line, Piece, command, heading, line, paragraph, sparkline, spread
from smwatch.tui.pages import upkeep
from smwatch.tui.pages.event import key_words
from smwatch.tui.pages.targets import ToAccessKey, ToEvent, ToPrincipal
from smwatch.tui.pages.words import own_alarms, restore_command, who
from smwatch.tui.text import fit
from smwatch.tui.times import Zone, moment, period

READERS, TIMELINE, CHANGES, KEYS = 12, 40, 6, 3
"""How many of each are listed; the rest is counted."""
HOURS = 24


def secret_page(
    dossier: SecretDossier, alarms: Iterable[Alarm], now: datetime, zone: Zone, width: int, keys: KeyTable
) -> list[Line]:
    """Everything that events tell about a secret; `alarms` are its open ones."""
    return secret_head(dossier, alarms, now, zone, width) + secret_body(dossier, now, zone, width, keys)


def secret_head(dossier: SecretDossier, alarms: Iterable[Alarm], now: datetime, zone: Zone, width: int) -> list[Line]:
    """Name, state, its open `alarms`, and the command that undoes a deletion."""
    secret, life = dossier.secret, dossier.lifecycle(now)
    lines = paragraph(secret.name, width, "title")
    managed = f"managed by {dossier.managed_by}" if dossier.managed_by else ""
    lines.append(line(Piece(" · ".join(filter(None, (secret.region, secret.account, managed))), "quiet")))
    lines += state_lines(life, now, zone, width)
    if life.state is State.PENDING and (restore := restore_command(secret, dossier.arn)):
        lines += command(restore, width)
    return lines + own_alarms(alarms, lambda alarm: alarm.principal, now, zone, width)


def secret_body(dossier: SecretDossier, now: datetime, zone: Zone, width: int, keys: KeyTable) -> list[Line]:
    """What follows the head."""
    lines = _disclosed(dossier, now, zone, width)
    lines += _readers(dossier, now, zone, width)
    lines += _breaks(dossier, dossier.lifecycle(now), now, zone, width)
    lines += _doers(dossier, now, zone, width)
    lines += upkeep.rotations(dossier, now, zone, width)
    lines += upkeep.versions(dossier, now, zone, width)
    lines += upkeep.policies(dossier, now, zone, width)
    lines += upkeep.settings(dossier, now, zone, width)
    lines += _errors(dossier, width)
    return lines + _timeline(dossier.timeline(TIMELINE), now, zone, keys)


def state_lines(life: Lifecycle, now: datetime, zone: Zone, width: int) -> list[Line]:
    """Whether the secret can be read, and until when it can be restored."""
    by = f" by {who(life.by)}" if life.by is not None else ""
    if by and life.access_key:
        by += f" with {key_words(life.access_key)}"
    since = moment(life.since, zone, now)
    match life.state:
        case State.ACTIVE:
            proof = "last seen to work" if life.inferred else "since"
            return [line(Piece("● active", "good"), Piece(f"  {proof} {since}", "quiet"))]
        case State.PENDING:
            left = life.remaining(now)
            rest = f", {period(left)} left to restore it" if left is not None else ""
            lines = paragraph(f"✗ pending deletion{rest}", width, "bad")
            told = (
                "shown by a refused call; DeleteSecret itself was not seen" if life.inferred else f"deleted {since}{by}"
            )
            ends = f", gone for good {moment(life.deletion_at, zone, now)}" if life.deletion_at is not None else ""
            return lines + paragraph(told + ends, width, "quiet")
        case State.DELETED:
            how = "deleted without a recovery window" if life.forced else "deleted for good"
            gone = f" {moment(life.deletion_at, zone, now)}" if life.deletion_at is not None else ""
            lines = paragraph(f"✗ {how}{gone}", width, "bad")
            return lines + (paragraph(f"{since}{by}", width, "quiet") if by else [])
        case State.UNKNOWN:
            return [line(Piece("○ state unknown: no event seen so far tells", "quiet"))]


def _disclosed(dossier: SecretDossier, now: datetime, zone: Zone, width: int) -> list[Line]:
    given = dossier.disclosure()
    if not given.reads and not given.decrypts:
        return paragraph("The value has not been read, as far as events tell.", width, "quiet")
    readers, times = amount(given.readers, "principals"), amount(given.reads, "times")
    last = f", last {moment(given.last_at, zone, now)} by {who(given.last_by)}" if given.last_by is not None else ""
    lines = paragraph(f"Value read {times} by {readers}{last}.", width)
    if given.decrypts:
        lines += paragraph(
            f"KMS decrypted it {amount(given.decrypts, 'more times')} without a recorded read.", width, "warn"
        )
    return lines


def _readers(dossier: SecretDossier, now: datetime, zone: Zone, width: int) -> list[Line]:
    readers = dossier.readers(now, READERS)
    if not readers:
        return []
    hours = dossier.hours(now, HOURS)
    lines = heading("readers", f"reads per hour, last {HOURS} h")
    reads = [hour.reads + hour.failed for hour in hours]
    if any(reads):
        lines.append(line(Piece(sparkline(reads, width), "spark"), Piece(f" {max(reads):,} at most", "quiet")))
        if any(hour.failed for hour in hours):
            failed = sparkline([hour.failed for hour in hours], width)
            lines.append(line(Piece(failed, "bad"), Piece(f" {max(hour.failed for hour in hours):,} failed", "bad")))
    lines += _table(readers, now, zone, width) + _more(dossier.number_of_readers - READERS)
    if dossier.others:
        lines.append(line(Piece(f"and {amount(dossier.others, 'events')} of others, counted only", "quiet")))
    return lines


def _table(users: Sequence[User], now: datetime, zone: Zone, width: int) -> list[Line]:
    moments = [moment(user.last_at, zone, now) for user in users]
    last_width = max(map(len, ("last", *moments)))
    name_width = max(10, width - 6 - 8 - 2 - last_width)
    heads = fit("", 6) + fit("principal", name_width) + f"{'reads':>8}  {'last':>{last_width}}"
    lines = [line(Piece(heads, "label"))]
    for user, last in zip(users, moments, strict=True):
        told = [word for word in (*_refused(user), "first time here" if user.new else "") if word]
        lines.append(
            line(
                Piece(fit(user.principal.kind.value, 6), "quiet"),
                Piece(fit(called(user.principal), name_width), "link"),
                Piece(f"{user.reads:>8,}  "),
                Piece(f"{last:>{last_width}}", "quiet"),
                target=ToPrincipal(user.principal.identity),
            )
        )
        if told:
            lines += paragraph(", ".join(told), width, "warn", indent=6)
        where = _from(user)
        if where:
            lines += paragraph(where, width, "quiet", indent=6)
    return lines


def _refused(user: User) -> list[str]:
    return [
        f"✗ {user.deleted:,} refused: pending deletion or gone" if user.deleted else "",
        f"✗ {user.denied:,} denied" if user.denied else "",
        f"✗ {user.failed:,} failed" if user.failed else "",
    ]


def _from(user: User) -> str:
    if not user.traces:
        return ""
    latest = user.traces[0]
    more = f" and {user.source_ips - 1} more" if user.source_ips > 1 else ""
    agent = latest.user_agent.split(" ")[0]
    return " · ".join(filter(None, (f"{latest.source_ip}{more}" if latest.source_ip else "", agent)))


def _breaks(dossier: SecretDossier, life: Lifecycle, now: datetime, zone: Zone, width: int) -> list[Line]:
    consumers = dossier.consumers(now, READERS)
    if not consumers:
        return []
    gone = life.state in (State.PENDING, State.DELETED)
    refused = " or would have" if any(consumer.broken for consumer in consumers) else ""
    lines = heading("broken by it" if gone else "who breaks if it goes", f"got the value in the last 7 days{refused}")
    for consumer in consumers:
        user = consumer.user
        lines.append(
            spread(
                [
                    Piece(fit(user.principal.kind.value, 6), "quiet"),
                    Piece(called(user.principal), "bad" if gone else "link"),
                ],
                [Piece(f"{moment(user.last_read_at, zone, now)}", "" if consumer.today else "quiet")],
                width,
                ToPrincipal(user.principal.identity),
            )
        )
    return lines + _more(dossier.number_of_consumers(now) - READERS)


def _doers(dossier: SecretDossier, now: datetime, zone: Zone, width: int) -> list[Line]:
    doers = dossier.doers(now, CHANGES)
    if not doers:
        return []
    lines = heading("who changed it")
    for user in doers:
        number = amount(user.writes, "changes")
        lines.append(
            spread(
                [Piece(fit(user.principal.kind.value, 6), "quiet"), Piece(called(user.principal), "link")],
                [Piece(number, ""), Piece(f"  {moment(user.last_write_at, zone, now)}", "quiet")],
                width,
                ToPrincipal(user.principal.identity),
            )
        )
        for trace in user.traces[:KEYS]:
            came = filter(None, (key_words(trace.access_key), trace.session, trace.source_ip))
            target = ToAccessKey(trace.access_key) if trace.access_key else None
            lines.append(line(" " * 6, Piece(" · ".join(came), "quiet"), target=target))
    lines += _more(dossier.number_of_doers - CHANGES)
    if dossier.outlasting:
        stays = f"Taking their access away does not undo {' or '.join(dossier.outlasting)}."
        lines += paragraph(stays, width, "warn")
    return lines


def _errors(dossier: SecretDossier, width: int) -> list[Line]:
    if not dossier.errors:
        return []
    lines = heading("errors")
    for code, count in dossier.errors[:CHANGES]:
        lines.append(spread([Piece(code or "without a code", "warn")], [Piece(f"{count:,}")], width))
    return lines + _more(len(dossier.errors) - CHANGES)


def _more(unlisted: int) -> list[Line]:
    """That there are others than those listed, if there are."""
    return [line(Piece(f"and {unlisted:,} more", "quiet"))] if unlisted > 0 else []


def _timeline(entries: Sequence[Entry], now: datetime, zone: Zone, keys: KeyTable) -> list[Line]:
    if not entries:
        return []
    lines = heading("timeline", f"{keys.one('page.choose')} jumps there")
    for entry in entries:
        bad = entry.outcome is not Outcome.OK and entry.outcome is not Outcome.EXPECTED
        at = moment(entry.at, zone, now)
        what = f"  {entry.what}" if entry.what else "" if not bad else f"  {entry.outcome.value}"
        lines.append(
            line(
                Piece(fit(at, 12), "quiet"),
                Piece("✗ " if bad else "  ", "bad"),
                Piece(entry.name, "bad" if bad else ""),
                Piece(f"  {called(entry.by)}", "link"),
                Piece(what, "quiet"),
                target=ToEvent(entry.key),
            )
        )
    return lines
