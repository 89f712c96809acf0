"""What was changed before things began to fail: of the secret, of its key, and of what its reader may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from smwatch.rules.answer import Watched, Whenever
from smwatch.rules.dimension import DIMENSIONS, EVERYWHERE, Dimension, Value, iam_name
from smwatch.rules.group import Group, Known
from smwatch.rules.period import DAY
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.times import Note, Times
from smwatch.rules.world import World

CHANGES = DAY
"""How far back a change counts as a likely cause."""

_SECRET, _IDENTITY, _KEY, _IAM_NAME, _GOVERNED, _POLICY_OF_MANY = (
    DIMENSIONS[name] for name in ("secret", "identity", "key", "iam_name", "governed", "policy_of_many")
)


def causes(world: World, values: Mapping[Dimension, Value], first_at: int) -> Iterator[str]:
    """Sentences for what may have brought about what began in this second, the nearest causes first."""
    for known in _of_secret(world, values):
        yield from _change("", known, first_at)
    for key, known in _of_keys(world, values):
        yield from _change(f" on its key {key}", known, first_at)
    for name, known in _of_reader(world, values):
        yield from _change(f" on {name.partition(' ')[2]}", known, first_at)
    for what, note in _last_of_policies(world, values, first_at):
        yield _sentence(f" on {what}", note)


def causes_of(world: World, values: Mapping[Dimension, Value]) -> Iterator[Watched]:
    """The facts behind them; there may be more once the secret's keys are known."""
    yield from _of_secret(world, values)
    if (keys := _keys(world, values)) is not None:
        yield Whenever(keys)
    yield from (known for _, known in _of_keys(world, values))
    yield from (known for _, known in _of_reader(world, values))
    yield from _of_policies(world, values)


def _of_secret(world: World, values: Mapping[Dimension, Value]) -> Iterator[Known]:
    return _some(world.known("changes", (_SECRET,), values))


def _keys(world: World, values: Mapping[Dimension, Value]) -> Known | None:
    """The keys that are known to protect the secret."""
    return world.known("uses_for_secrets", (_SECRET,), values, _KEY)


def _of_keys(world: World, values: Mapping[Dimension, Value]) -> Iterator[tuple[str, Known]]:
    keys = _keys(world, values)
    for key in sorted(map(str, keys.members)) if isinstance(keys, Group) else ():
        for known in _some(world.known("key_changes", (_KEY,), {_KEY: key})):
            yield key, known


def _of_reader(world: World, values: Mapping[Dimension, Value]) -> Iterator[tuple[str, Known]]:
    """What was done to the role or user: to its policies, boundary, trust or tags."""
    if name := _reader(values):
        for known in _some(world.known("iam_changes", (_IAM_NAME,), {_IAM_NAME: name})):
            yield name, known


def _of_policies(world: World, values: Mapping[Dimension, Value]) -> Iterator[Known]:
    """What was done to policies that the role or user may be under as others are, of its account and of any."""
    if name := _reader(values):
        for account in (name.partition(" ")[0], EVERYWHERE):
            yield from _some(world.known("policy_changes", (_GOVERNED,), {_GOVERNED: account}, _POLICY_OF_MANY))


def _last_of_policies(world: World, values: Mapping[Dimension, Value], first_at: int) -> Iterator[tuple[str, Note]]:
    """The last change of a managed policy, of a group and of the organization's, and on what condition it matters."""
    _, kind, name = (*_reader(values).split(" ", 2), "", "", "")[:3]
    last: dict[str, tuple[Note, str]] = {}
    for known in _of_policies(world, values):
        for policy, times in known.members.items() if isinstance(known, Group) else ():
            note = times.last_note(first_at - CHANGES, first_at)
            if note is not None:
                sort = str(policy).partition(" ")[0]
                if sort not in last or last[sort] < (note, str(policy)):
                    last[sort] = note, str(policy)
    conditions = {"policy": f"if {kind} {name} has it", "the": "if it applies here"}
    if kind == "user":
        conditions["group"] = f"if user {name} is in it"
    for sort, matters in conditions.items():
        if sort in last:
            note, policy = last[sort]
            yield f"{policy} ({matters})", note


def _reader(values: Mapping[Dimension, Value]) -> str:
    return iam_name(str(values.get(_IDENTITY, "")))


def _some(known: Known | None) -> Iterator[Known]:
    if known is not None:
        yield known


def _change(what: str, known: Known, first_at: int) -> Iterator[str]:
    note = known.last_note(first_at - CHANGES, first_at) if isinstance(known, Times) else None
    if note is not None:
        yield _sentence(what, note)


def _sentence(what: str, note: Note) -> str:
    key, name, who = note
    at = datetime.fromtimestamp(key >> SECOND_BITS, UTC)
    return f"shortly before{what}: {name} by {who or 'somebody'} at {at:%Y-%m-%d %H:%M:%SZ}"
