"""All settings, settled by what says so last: defaults, config file, environment, flags; and what is wrong in them."""

from __future__ import annotations

import math
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import platformdirs

from smwatch.settings import MeaningError, Settings, SettingsError, Written, moment, period
from smwatch.wrong_type import explained

READ_AGAIN = timedelta(hours=48)
"""How far back audits look, see `sources.audits`: of that time the journal has to know every event."""


def default_config_file() -> Path:
    """Where the config file is looked for."""
    return platformdirs.user_config_path("smwatch") / "config.toml"


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
