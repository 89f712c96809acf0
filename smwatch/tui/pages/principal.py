"""The dossier of a principal: its blast radius, every secret it touched, in order."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime

from smwatch.amount import amount
from smwatch.dossier import PrincipalDossier
from smwatch.dossier.principal import SEEN, Seen
from smwatch.dossier.touched import Secrets, Touched
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Line, Piece, heading, line, paragraph
from smwatch.tui.pages.event import KINDS, key_words
from smwatch.tui.pages.targets import ToAccessKey, ToEvent, ToPrincipal, ToSecret, ToValue
from smwatch.tui.pages.words import command_name, own_alarms
from smwatch.tui.text import fit, fit_middle
from smwatch.tui.times import Zone, day, moment
from smwatch.tui.unwritten import Unwritten, place_of

WIDE = 54
"""Columns from which a secret touched takes one line."""
LISTED = 6
AT_ONCE = 500
"""Secrets of a rotation list that are written in one go, in some milliseconds."""


def principal_page(
    dossier: PrincipalDossier, alarms: Iterable[Alarm], now: datetime, zone: Zone, width: int, keys: KeyTable
) -> PrincipalLines:
    """Everything that events tell about a principal; `alarms` are its open ones."""
    principal = dossier.principal
    lines = paragraph(principal.called or principal.identity or "unknown principal", width, "title")
    shared = principal.name if principal.shared_role else ""
    about = " · ".join(filter(None, (KINDS[principal.kind], shared, principal.identity)))
    lines += paragraph(about, width, "quiet")
    lines += own_alarms(alarms, _secret_of, now, zone, width)
    return PrincipalLines(lines, dossier, now, zone, width, keys)


def _secret_of(alarm: Alarm) -> str:
    return alarm.secret.name if alarm.secret is not None else ""


def access_key_page(
    access_key: str, dossier: PrincipalDossier, now: datetime, zone: Zone, width: int, keys: KeyTable
) -> PrincipalLines:
    """Everything that the events in memory tell of one access key: what its thief has."""
    by = dossier.principal
    lines = paragraph(key_words(access_key), width, "title")
    lines.append(
        line(
            Piece("of "),
            Piece(by.called or by.identity, "link"),
            Piece(f"  {KINDS[by.kind]}", "quiet"),
            target=ToPrincipal(by.identity) if by.identity else None,
        )
    )
    lines.append(line(Piece("show its events", "link"), target=ToValue("user", access_key)))
    lines += paragraph("As far as the events in memory tell:", width, "quiet")
    return PrincipalLines(lines, dossier, now, zone, width, keys)


class PrincipalLines(Unwritten):
    """Who it is; what was reached for, a block for each secret, of which there may be 5,000; with what, from where."""

    def __init__(
        self, head: list[Line], dossier: PrincipalDossier, now: datetime, zone: Zone, width: int, keys: KeyTable
    ) -> None:
        """`head` is what says who it is."""
        self._now, self._zone, self._width = now, zone, width
        self._known = dossier, dossier.events
        self._secrets = secrets = dossier.secrets
        self._head = head + _radius(dossier, secrets, now, zone, width, keys)
        self._head += [_titles(width)] if width >= WIDE else []
        self._tail = _ways(dossier, now, zone, width)
        least = 1 if width >= WIDE else 2
        heights = [least + changed for changed in secrets.changed]
        super().__init__([len(self._head), *heights, len(self._tail)])

    def _write(self, n: int) -> list[Line]:
        if n == 0:
            return self._head
        if n > len(self._secrets):
            return self._tail
        return _reached(self._secrets[n - 1], self._now, self._zone, self._width)

    def place_of(self, target: object) -> int | None:
        """The first line that leads to `target`."""
        match target:
            case ToSecret(secret):
                n = self._secrets.place_of(secret)
                return self._starts[n + 1] if n is not None else None
            case ToEvent(key):
                n = self._secrets.place_of_last(key)
                return self._starts[n + 2] - 1 if n is not None else None
        if (i := place_of(self._head, target)) is not None:
            return i
        i = place_of(self._tail, target)
        return self._starts[-2] + i if i is not None else None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PrincipalLines):
            return NotImplemented
        return self._seen_from == other._seen_from and self._head == other._head and self._tail == other._tail

    __hash__ = None  # type: ignore[assignment]

    @property
    def _seen_from(self) -> tuple[object, ...]:
        """What the lines of a secret are made of."""
        return *self._known, self._width, self._zone, day(self._now, self._zone)


def _radius(
    dossier: PrincipalDossier, secrets: Secrets, now: datetime, zone: Zone, width: int, keys: KeyTable
) -> list[Line]:
    """How much was reached for, and when."""
    lines = paragraph(
        f"Got the value of {secrets.exposed:,} of the {amount(len(secrets), 'secrets')} it reached for; "
        f"{amount(secrets.refused, 'calls')} on them refused, {dossier.denied:,} denied in all, "
        f"{amount(dossier.writes, 'changes')}, {amount(dossier.events, 'events')}.",
        width,
    )
    if dossier.events:
        first, last = moment(dossier.first_at, zone, now), moment(dossier.last_at, zone, now)
        lines += paragraph(f"First seen {first}, last seen {last}.", width, "quiet")
    return lines + heading("secrets", "in its order" + (f"; {keys.copies} a rotation list" if keys.copies else ""))


def _ways(dossier: PrincipalDossier, now: datetime, zone: Zone, width: int) -> list[Line]:
    """What else was reached for, with what, and from where."""
    lines = []
    if dossier.others:
        lines.append(line(Piece(f"and {amount(dossier.others, 'events')} on others, counted only", "quiet")))
    for title, field, seen in (
        ("access keys", "user", dossier.access_keys),
        ("sessions", "user", dossier.sessions),
        ("from", "ip", dossier.source_ips),
        ("with", "agent", dossier.user_agents),
        ("regions", "region", dossier.regions),
    ):
        lines += _seen(title, field, seen, now, zone, width)
    return lines


def _name_width(width: int) -> int:
    return width - 2 - (8 + 8 + 15 if width >= WIDE else 0)


def _titles(width: int) -> Line:
    return line(Piece(f"  {fit('secret', _name_width(width))}{'reads':>8}{'refused':>8} {'first':>14}", "label"))


def _reached(touched: Touched, now: datetime, zone: Zone, width: int) -> list[Line]:
    """A secret on a line, on two where its name would be cut to nothing, and one more if it was changed."""
    refused = touched.refused
    reads, by_kms = (touched.reads, "") if touched.reads else (touched.decrypts, " KMS" if touched.decrypts else "")
    sign = Piece("● " if touched.exposed else "✗ ", "warn" if touched.exposed else "quiet")
    name = Piece(fit_middle(touched.secret.name, _name_width(width)), "link")
    first = moment(touched.first_at, zone, now)
    target = ToSecret(touched.secret)
    role = "bad" if refused else "quiet"
    if width >= WIDE:
        read = f"{reads:,}{by_kms}".rjust(8)
        no, at = f"{refused:,}".rjust(16 - len(read)), f" {first:>14}"
        lines = [line(sign, name, Piece(read), Piece(no, role), Piece(at, "quiet"), target=target)]
    else:
        read, no, at = f"  {amount(reads, 'reads')}{by_kms}", f"  {refused:,} refused", f"  first {first}"
        lines = [line(sign, name, target=target), line(Piece(read), Piece(no, role), Piece(at, "quiet"))]
    if touched.writes:
        told = f"  changed it {amount(touched.writes, 'times')}"
        lines.append(line(Piece(told, "warn"), target=ToEvent(touched.last_key)))
    return lines


def _seen(title: str, field: str, seen: Sequence[Seen], now: datetime, zone: Zone, width: int) -> list[Line]:
    if not seen:
        return []
    lines = heading(title)
    for each in seen[:LISTED]:
        at = f"{moment(each.last_at, zone, now):>14}"
        value = Piece(fit(each.value, max(8, width - 16)), "link")
        target = ToAccessKey(each.value) if title == "access keys" else ToValue(field, each.value)
        lines.append(line(value, Piece(f"  {at}", "quiet"), target=target))
    if len(seen) > LISTED:
        more = f"{'at least ' if len(seen) >= SEEN else ''}{len(seen) - LISTED:,} more"
        lines.append(line(Piece(f"and {more}", "quiet")))
    return lines


async def rotation_list(dossier: PrincipalDossier, access_key: str = "") -> str:
    """The secrets whose value it got, as commands that rotate them, in the order it came to them.

    Others have their turns in between: 5,000 secrets take 25 ms. Serves "longest stall of the event loop".
    """
    who = access_key or dossier.principal.identity or dossier.principal.name
    lines = list[str]()
    secrets = dossier.secrets
    for start in range(0, len(secrets), AT_ONCE):
        lines += [_rotation(touched.secret) for touched in secrets[start : start + AT_ONCE] if touched.exposed]
        await asyncio.sleep(0)
    said = f"# secrets whose value {_plain(who)} got, in order" if lines else f"# {_plain(who)} got no secret's value"
    return "\n".join((said, *lines)) + "\n"


def _rotation(secret: Secret) -> str:
    name = command_name(secret, "")
    if name is None:
        return f"# a secret whose name is not plain text: {_plain(secret.name)}"
    return f"aws secretsmanager rotate-secret --secret-id {name} --region {shlex.quote(secret.region)}"


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
