"""Rules files: the built-in catalogue, people's own, and what the configuration changes in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from msgspec import Struct

from smwatch.rules.decoding import decode_fact, decode_rule
from smwatch.rules.envelope import Fact, Rule, RuleSet, anonymous_fact
from smwatch.rules.faults import faults
from smwatch.rules.mistakes import Mistakes, read
from smwatch.rules.references import outright, references
from smwatch.rules.trait import LISTS
from smwatch.rules.wrong import Wrongs, told

BUILTIN = "built-in rules"
_LARGEST = 4_000_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")
"""So that it can be part of the names of metrics, alarms and EventBridge rules."""
_TABLES = ("rule", "fact", "lists")


CONFIGURATION = "configuration"


class RuleError(ValueError):
    """Rules that cannot be used: one line for each problem, naming file, rule and key."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class RuleFile(Struct, frozen=True):
    """One rules file as written: tables that are known to be tables, not yet rules."""

    name: str
    rules: Mapping[str, Mapping[str, Any]] = {}
    facts: Mapping[str, Mapping[str, Any]] = {}
    lists: Mapping[str, Sequence[str]] = {}


def load_builtin() -> RuleFile:
    """The catalogue that comes with smwatch."""
    return parse(Path(__file__).with_name("builtin.toml").read_text("utf-8"), BUILTIN)


def load(path: Path) -> RuleFile:
    """Read a rules file; a RuleError says why it can't be read."""
    return parse(_text(path), str(path))


def in_force(
    paths: Iterable[Path],
    disable: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
    *,
    called: str = CONFIGURATION,
) -> RuleSet:
    """The built-in rules and those of some files, see `combine`; a RuleError names every problem of every file."""
    problems: list[str] = []
    added: list[RuleFile] = []
    for path in paths:
        try:
            text = _text(path)
        except RuleError as error:
            problems += error.problems
        else:
            added.append(_read(text, str(path), problems))
    try:
        found = combine(load_builtin(), added, disable, overrides, called=called)
    except RuleError as error:
        problems += error.problems
    if problems:
        raise RuleError(list(dict.fromkeys(problems)))
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)  # no more: it may be a device without an end
        if len(data) > _LARGEST:
            raise RuleError([f"{path}: is larger than {_LARGEST // 1_000_000} MB"])
        return data.decode()
    except OSError as error:
        raise RuleError([f"{path}: {error.strerror or error}"]) from None
    except UnicodeDecodeError as error:
        raise RuleError([f"{path}: is not UTF-8 text (byte {error.start + 1})"]) from None


def parse(text: str, name: str) -> RuleFile:
    """Read the text of a rules file; `name` is what errors call it."""
    problems: list[str] = []
    found = _read(text, name, problems)
    if problems:
        raise RuleError(problems)
    return found


def _read(text: str, name: str, problems: list[str]) -> RuleFile:
    """Read what can be read of a rules file, and note what is wrong with the rest."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{name}: is not TOML: {error}")
        return RuleFile(name)
    except RecursionError:
        problems.append(f"{name}: is nested too deep")
        return RuleFile(name)
    problems += [f"{name}: there is no {key!r} in a rules file: use [[rule]], [fact.NAME] and [lists]"
                 for key in written if key not in _TABLES]  # fmt: skip
    rules: dict[str, Mapping[str, Any]] = {}
    tables = written.get("rule", [])
    if not isinstance(tables, list):
        problems.append(f"{name}: write [[rule]] with two brackets")
        tables = []
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            problems.append(f"{name}: rule {number}: is not a table")
        elif not isinstance(identifier := table.get("id"), str) or not identifier:
            problems.append(f"{name}: rule {number}: id: is missing")
            _rule({**table, "id": str(number)}, f"{name}: rule {number}", problems)
        elif not _ID.fullmatch(identifier):
            problems.append(
                f"{name}: rule {number}: id: {identifier[:48]!r} is not 1 to 48 letters, digits, '.', '_' and '-'"
            )
            _rule(table, f"{name}: rule {number}", problems)
        elif identifier in rules:
            problems.append(f"{name}: rule {identifier}: id: is used twice")
            _rule(table, f"{name}: rule {identifier}", problems)
        else:
            rules[identifier] = table
    facts = _tables(written.get("fact", {}), f"{name}: fact", problems)
    found = RuleFile(name, rules, facts, _lists(written.get("lists", {}), f"{name}: lists", problems))
    # What a rule says by itself is checked here, so that a message is about this file; what it refers to, in combine.
    _decoded(found, problems)
    return found


def combine(
    builtin: RuleFile,
    added: Iterable[RuleFile] = (),
    disable: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
    *,
    called: str = CONFIGURATION,
) -> RuleSet:
    """The rules in force: `builtin` and `added` without those that `disable` names (ids or globs), and changed.

    `overrides` maps a rule's id to a table of keys that replace its own (tables are merged), and "lists" to lists that
    are added to those of the files. A RuleError names every problem; what is wrong with `disable` and `overrides` is
    said of what they were read from, which is `called` so.
    """
    together = _Together()
    for file in (builtin, *added):
        together.take_in(file)
    together.change(overrides or {}, called)
    together.leave_out(disable, called)
    return together.rule_set()


class _Together:
    """The tables of several files, each with where it was written, and what is wrong with them."""

    def __init__(self) -> None:
        self._problems: list[str] = []
        self._rules: dict[str, Mapping[str, Any]] = {}
        self._rules_of: dict[str, str] = {}
        """Of each rule, where it was written last."""
        self._facts: dict[str, Mapping[str, Any]] = {}
        self._facts_of: dict[str, str] = {}
        self._lists: dict[str, tuple[str, ...]] = dict.fromkeys(LISTS, ())

    def take_in(self, file: RuleFile) -> None:
        """One more file."""
        for identifier, table in file.rules.items():
            if identifier in self._rules:
                self._problems.append(
                    f"{file.name}: rule {identifier}: id: is taken by the {self._rules_of[identifier]}; change that"
                    f" rule under [rules.{identifier}] in the configuration"
                )
            self._rules[identifier], self._rules_of[identifier] = table, file.name
        for name, fact in file.facts.items():
            if name in self._facts:
                self._problems.append(f"{file.name}: fact {name}: is taken")
            self._facts[name], self._facts_of[name] = fact, file.name
        self._add_to_lists(file.lists)

    def change(self, overrides: Mapping[str, Any], called: str) -> None:
        """Replace keys of rules, and add to lists; see `combine`."""
        changes = dict(overrides)
        self._add_to_lists(_lists(changes.pop("lists", {}), f"{called}: rules.lists", self._problems))
        for identifier, change in changes.items():
            if identifier not in self._rules:
                self._problems.append(f"{called}: rules.{identifier}: there is no such rule: see `smwatch rules list`")
            elif not isinstance(change, Mapping):
                self._problems.append(f"{called}: rules.{identifier}: is a table of the rule's keys")
            elif change.get("id", identifier) != identifier:
                self._problems.append(f"{called}: rules.{identifier}: id: cannot be changed")
            else:
                self._rules[identifier] = _merged(self._rules[identifier], change)
                self._rules_of[identifier] = called

    def leave_out(self, patterns: Iterable[str], called: str) -> None:
        """Leave out the rules of these ids or globs."""
        for pattern in patterns:
            gone = [identifier for identifier in self._rules if fnmatchcase(identifier, pattern)]
            if not gone:
                self._problems.append(
                    f"{called}: rules.disable: there is no rule {pattern!r}: see `smwatch rules list`"
                )
            for identifier in gone:
                del self._rules[identifier]

    def rule_set(self) -> RuleSet:
        """The tables as rules, facts and lists; a RuleError names every problem."""
        problems, rules = self._problems, self._rules
        decoded = [_rule(table, f"{self._rules_of[name]}: rule {name}", problems) for name, table in rules.items()]
        facts = {
            name: _fact(table, f"{self._facts_of[name]}: fact {name}", problems) for name, table in self._facts.items()
        }
        for name, table in rules.items():
            problems += [
                f"{self._rules_of[name]}: rule {name}: {told(place)}: there is no fact {missing!r}:"
                f" define [fact.{missing}]"
                for place, missing in references(table)
                if missing not in facts and not missing.lstrip().startswith("{")
            ]
        if problems:
            raise RuleError(list(dict.fromkeys(problems)))
        known = {name: fact for name, fact in facts.items() if fact}
        return RuleSet(tuple(rule for rule in decoded if rule), known, self._lists)

    def _add_to_lists(self, added: Mapping[str, Sequence[str]]) -> None:
        for name, values in added.items():
            self._lists[name] = (*self._lists[name], *values)


def _decoded(file: RuleFile, problems: list[str]) -> None:
    for identifier, table in file.rules.items():
        _rule(table, f"{file.name}: rule {identifier}", problems)
    for name, table in file.facts.items():
        _fact(table, f"{file.name}: fact {name}", problems)


def _rule(table: Mapping[str, Any], where: str, problems: list[str]) -> Rule | None:
    """A rule, also of a table with mistakes: as far as it can be read, for what it refers to."""
    rule, mistakes = read(table, Rule, decode_rule)
    problems += _lines(where, mistakes)
    if rule is not None:
        unread = [(key, sentence) for key, sentence in faults(rule) if not mistakes.touch(key)]
        problems += [f"{where}: {key}: {sentence}" for key, sentence in unread]
    wrongs = Wrongs()
    for place, fact in outright(table):
        if fact.lstrip().startswith("{"):
            wrongs.read(place, anonymous_fact, fact)
    problems += [f"{where}: {told(place)}: {sentence}" for place, sentence in wrongs.problems]
    return rule


def _fact(table: Mapping[str, Any], where: str, problems: list[str]) -> Fact | None:
    fact, mistakes = read(table, Fact, decode_fact)
    problems += _lines(where, mistakes)
    return fact


def _lines(where: str, mistakes: Mistakes) -> list[str]:
    return [
        f"{where}: {told(place)}: {sentence}" if place else f"{where}: {sentence}" for place, sentence in mistakes.found
    ]


def _tables(written: object, where: str, problems: list[str]) -> dict[str, Mapping[str, Any]]:
    if not isinstance(written, dict):
        problems.append(f"{where}: is a table of tables")
        return {}
    problems += [f"{where} {name}: is a table" for name, table in written.items() if not isinstance(table, dict)]
    return {name: table for name, table in written.items() if isinstance(table, dict)}


def _lists(written: object, where: str, problems: list[str]) -> dict[str, Sequence[str]]:
    if not isinstance(written, Mapping):
        problems.append(f"{where}: is a table of lists")
        return {}
    found: dict[str, Sequence[str]] = {}
    for name, values in written.items():
        if name not in LISTS:
            problems.append(f"{where}.{name}: there is no such list: use {', '.join(LISTS)}")
        elif not isinstance(values, Sequence) or isinstance(values, str) or not all(isinstance(v, str) for v in values):
            problems.append(f"{where}.{name}: is a list of texts")
        else:
            found[name] = tuple(values)
    return found


def _merged(table: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(table)
    for key, value in change.items():
        inner = merged.get(key)
        merged[key] = _merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return merged
