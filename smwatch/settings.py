"""What a person can set, and how a value of it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import platformdirs


class SettingsError(ValueError):
    """A setting that can't be used; one sentence that names the key and what to write instead."""


class MeaningError(SettingsError):
    """The same, of a value of the right type, by somebody who does not know where it was written."""

    def __init__(self, key: str, reason: object) -> None:
        """`key` is dotted; `reason` says what is wrong and what to write instead."""
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


class CloudTrailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How LookupEvents is asked; defaults as in the delay measurements behind them."""

    enabled: bool = True
    rate: float = 1.0
    """Calls a second, out of the 2 that the whole account shares in a Region."""
    sweep_every: str = "10s"
    sweep_lag: str = "10m"
    settle_every: str = "60s"
    settle_lag: str = "60m"
    audit_every: str = "1h"


class LogsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How FilterLogEvents is asked on the trail's log group."""

    group: str = ""
    """Name or ARN; "" for none."""
    rate: float | None = None
    """Calls a second, out of the 5 to 25 that the whole account shares in a Region; None for a fifth of them."""
    sweep_every: str = "3s"
    sweep_lag: str = "60s"
    settle_every: str = "60s"
    settle_lag: str = "15m"
    audit_every: str = "1h"
    live_tail: bool = False
    """Costs about $0.01 a minute."""


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is kept in memory."""

    capacity: int = 100_000


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is kept on disk."""

    enabled: bool = True
    retention: str = "90d"


class UiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the screen looks and answers."""

    theme: str = ""
    zone: Literal["utc", "local"] = "utc"
    order: Literal["newest", "oldest"] = "newest"
    bell: bool = True
    columns: tuple[str, ...] = ()
    """Of the stream, in their order, each as NAME or NAME:WIDTH; none for the usual ones."""
    glyphs: Literal["auto", "unicode", "ascii"] = "auto"
    """Which signs are drawn; auto goes by the locale and TERM."""
    keymap: dict[str, str] = {}
    filters: dict[str, str] = {}
    """Saved filters by name."""
    stalls: str = ""
    """For debugging: a file to which each stall of the screen's loop is written, with what it was in."""


class NotifySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where new alarms are sent; needs the extra `notify`."""

    urls: tuple[str, ...] = ()
    """Apprise URLs."""
    severity: Literal["info", "low", "medium", "high", "critical"] = "high"


class RulesSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rules run."""

    files: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    overrides: dict[str, Any] = {}
    """Per rule id the keys to change, written as [rules.ID]."""


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a config file may say."""

    profile: str | None = None
    regions: tuple[str, ...] = ()
    since: str = "1h"
    filter: str = ""
    wall: bool = False
    state_dir: str = ""
    cloudtrail: CloudTrailSettings = CloudTrailSettings()
    logs: LogsSettings = LogsSettings()
    store: StoreSettings = StoreSettings()
    journal: JournalSettings = JournalSettings()
    ui: UiSettings = UiSettings()
    notify: NotifySettings = NotifySettings()
    rules: RulesSettings = RulesSettings()


class Settings(Written, frozen=True, kw_only=True):
    """Everything that was decided before anything runs."""

    config_file: str = ""
    """Which one was read; "" for none."""
    said_by: dict[str, str] = {}
    """By dotted key: the variable or flag that has settled it, in place of the config file."""

    def place(self, key: str) -> str:
        """Where the value of a dotted key was written: a flag, a variable, or file and key."""
        return self.said_by.get(key) or (f"{self.config_file}: {key}" if self.config_file else key)

    def wrong(self, key: str, reason: object) -> SettingsError:
        """What is to be raised of a value that can't be used; `reason` says why, and what to write instead."""
        return SettingsError(f"{self.place(key)}: {reason}")

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Say of what means nothing where it was written."""
        try:
            yield
        except MeaningError as error:
            raise self.wrong(error.key, error.reason) from None


_PERIOD = re.compile(r"(\d+)\s*([smhdw])")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def period(text: str) -> timedelta:
    """Read `15m`, `2h`, `7d`, `1h30m`; SettingsError for anything else and for nothing."""
    parts = _PERIOD.findall(text)
    if not parts or _PERIOD.sub("", text).strip():
        raise SettingsError(f"{text!r} is not a period: write 30s, 15m, 2h, 7d or 1h30m")
    try:
        return sum((timedelta(**{_UNIT[unit]: int(count)}) for count, unit in parts), timedelta())
    except OverflowError:
        raise SettingsError(f"{text!r} is too long a period: CloudTrail remembers 90d") from None


def moment(text: str, now: datetime) -> datetime:
    """Read a period before `now`, or an ISO 8601 time (UTC where it names no zone), as aware UTC."""
    text = text.strip()
    if re.match(r"\d{4}-\d\d", text):
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise SettingsError(f"{text!r} is not an ISO time: write 2026-01-31T14:05Z") from None
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if at > now:
            raise SettingsError(f"{text!r} lies in the future")
        return at
    try:
        return now - period(text)
    except OverflowError:
        raise SettingsError(f"{text!r} is too long a period: CloudTrail remembers 90d") from None
    except SettingsError:
        raise SettingsError(f"{text!r} is neither a period (15m, 2h, 7d) nor an ISO time (2026-01-31T14:05Z)") from None


def default_state_dir() -> Path:
    """Where the journal lies unless --state-dir says otherwise."""
    return platformdirs.user_state_path("smwatch")
