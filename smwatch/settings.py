"""What a person can set, where it comes from, and what is wrong with it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import msgspec
import platformdirs

from smwatch.wrong_type import explained

READ_AGAIN = timedelta(hours=48)
"""How far back audits look, see `sources.audits`: of that time the journal has to know every event."""


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
    """Everything that was decided before anything runs: defaults < config file < environment < flags."""

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


def default_config_file() -> Path:
    """Where the config file is looked for."""
    return platformdirs.user_config_path("smwatch") / "config.toml"


def default_state_dir() -> Path:
    """Where the journal lies unless --state-dir says otherwise."""
    return platformdirs.user_state_path("smwatch")


def load(config_file: Path | None, flags: dict[str, Any]) -> Settings:
    """Settle all settings; SettingsError names the file, the key and what is wrong with it.

    `flags` maps dotted keys ("cloudtrail.enabled") to what the command line said; None is not said.
    """
    values: dict[str, Any] = {}
    path = config_file or default_config_file()
    read = config_file is not None or path.is_file()
    if read:
        values = _read(path)
        _check(values, str(path))
    said_by: dict[str, str] = {}
    for name, key in _ENVIRONMENT.items():
        if text := os.environ.get(name):
            _put(values, key, text)
            said_by[key] = name
    for key, value in flags.items():
        if value is not None:
            _put(values, key, value)
            said_by[key] = _FLAGS.get(key, f"--{key}")
    written = msgspec.structs.asdict(_check(values, "the command line"))
    settings = Settings(**written, config_file=str(path) if read else "", said_by=said_by)
    with settings.placed():
        _check_meaning(settings)
    return settings


_ENVIRONMENT = {
    "SMWATCH_STATE_DIR": "state_dir",
    "SMWATCH_SINCE": "since",
    "SMWATCH_LOG_GROUP": "logs.group",
    "SMWATCH_STALLS": "ui.stalls",
}
_FLAGS = {
    "regions": "--region",
    "logs.group": "--log-group",
    "cloudtrail.enabled": "--no-cloudtrail",
    "rules.files": "--rules",
    "state_dir": "--state-dir",
    "journal.enabled": "--no-journal",
}
"""What a flag is called whose name is not its key's."""


def _read(path: Path) -> dict[str, Any]:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise SettingsError(f"can't read the config file {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"{path} is nested too deep") from None


def _put(values: dict[str, Any], key: str, value: object) -> None:
    *tables, last = key.split(".")
    for table in tables:
        values = values.setdefault(table, {})
    values[last] = value


def _check(values: dict[str, Any], where: str) -> Written:
    try:
        return msgspec.convert(_with_overrides(values), Written)
    except msgspec.ValidationError as error:
        reason, _, at = str(error).partition(" - at `$")
        key = at.rstrip("`").lstrip(".")
        if match := re.search(r"unknown field `(.*)`", reason):
            name = ".".join(filter(None, (key, match[1])))
            raise SettingsError(f"{where}: there is no setting {name!r}{_nearest(name)}") from None
        raise SettingsError(f"{where}: {key or 'settings'}: {_explained(reason, key)}") from None


def _explained(reason: str, key: str) -> str:
    """What the decoder has against the value of a key, in TOML's words, and what is allowed."""
    if wrong := explained(reason):
        return wrong
    if reason.startswith("Invalid enum value"):
        table, _, name = key.rpartition(".")
        kind: Any = type(getattr(Written(), table)) if table else Written
        return f"is one of {', '.join(get_args(get_type_hints(kind)[name]))}"
    return f"{reason[:1].lower()}{reason[1:]}"


def _with_overrides(values: dict[str, Any]) -> dict[str, Any]:
    """Gather [rules.lists] and the tables [rules.ID] under one key, which is nobody's to write."""
    rules = values.get("rules")
    if not isinstance(rules, dict):
        return values
    overrides = {key: value for key, value in rules.items() if isinstance(value, dict) or key == "lists"}
    return values | {
        "rules": {key: value for key, value in rules.items() if key not in overrides} | {"overrides": overrides}
    }


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    known = list(_keys(Written))
    tables = {key.partition(".")[0] for key in known}
    close = get_close_matches(name, [*known, *tables], 1) or get_close_matches(name.rpartition(".")[2], known, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


def _keys(kind: type[msgspec.Struct], prefix: str = "") -> list[str]:
    keys = []
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            keys += _keys(field.type, f"{prefix}{field.name}.")
        elif field.name != "overrides":
            keys.append(prefix + field.name)
    return keys


def _check_meaning(settings: Settings) -> None:
    try:
        moment(settings.since, datetime.now(UTC))
    except SettingsError as error:
        raise MeaningError("since", error) from None
    for table in ("cloudtrail", "logs", "journal"):
        for field in msgspec.structs.fields(getattr(settings, table)):
            if field.name.endswith(("_every", "_lag", "retention")):
                text = getattr(getattr(settings, table), field.name)
                try:
                    ok = period(text) > timedelta()
                except SettingsError as error:
                    raise MeaningError(f"{table}.{field.name}", error) from None
                if not ok:
                    raise MeaningError(f"{table}.{field.name}", "must be longer than nothing")
    lags = (
        getattr(table, name) for table in (settings.cloudtrail, settings.logs) for name in ("sweep_lag", "settle_lag")
    )
    shortest = max(READ_AGAIN, *map(period, lags)) + timedelta(days=1)
    if settings.journal.enabled and period(settings.journal.retention) < shortest:
        days = math.ceil(shortest / timedelta(days=1))
        raise MeaningError("journal.retention", f"at least {days}d; what is read again after that would count as new")
    if not 0.1 <= settings.cloudtrail.rate <= 2.0:
        raise MeaningError("cloudtrail.rate", "between 0.1 and 2.0 calls a second, which is all that AWS allows")
    if settings.logs.rate is not None and not 0.1 <= settings.logs.rate <= 25.0:
        raise MeaningError("logs.rate", "between 0.1 and 25.0 calls a second; AWS allows an account 5 to 25, by Region")
    if settings.store.capacity < 1000:
        raise MeaningError("store.capacity", "at least 1000 events")
