"""The rules in force, as the settings have them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smwatch.settings import Settings, SettingsError

if TYPE_CHECKING:
    from smwatch.rules.envelope import RuleSet


def build_rules(settings: Settings) -> RuleSet:
    """Read them; SettingsError names what is wrong with them."""
    from smwatch.rules.rule import RuleError, in_force

    files = [Path(file) for file in settings.rules.files]
    if missing := next((file for file in files if not file.exists()), None):
        raise settings.wrong("rules.files", f"there is no file {missing}: `smwatch rules check FILE` tries one")
    called = settings.config_file or "configuration"
    try:
        return in_force(files, settings.rules.disable, _with_log_group(settings), called=called)
    except RuleError as error:
        first, *others = error.problems
        told = next((file for file in files if any(each.startswith(f"{file}: ") for each in others)), None)
        all_of_it = f": `smwatch rules check {told}`" if told else ""  # which knows nothing of the config file
        raise SettingsError(first + (f" (and {len(others)} more{all_of_it})" if others else "")) from None


def _with_log_group(settings: Settings) -> Mapping[str, Any]:
    """The rules' changes, the log group that is watched among what the audit trail relies on."""
    changes, group = settings.rules.overrides, settings.logs.group
    lists = changes.get("lists", {})
    if not group or not isinstance(lists, Mapping):  # what is wrong is said where it is read
        return changes
    name = group.removesuffix(":*").rpartition(":log-group:")[2]
    audit = lists.get("audit", ())
    return {**changes, "lists": {**lists, "audit": [*audit, name]}} if isinstance(audit, list | tuple) else changes
