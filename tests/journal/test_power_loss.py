"""Power that fails at any moment: what a disk may have kept of the writes that nobody waited for yet, opened anew.

A disk keeps what was synced. Of later writes it keeps any sectors, in no order, and a file may have its old length, its
new one or one between. SQLite syncs its log at each commit (`synchronous=FULL`), before and after it copies the log
into the file, and after the header of one that begins anew; a commit that may wait leaves its part of the log to the
next one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.journal import FILE_NAME, Journal
from smwatch.sources.coverage import Span
from tests import records

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECTOR = 512
HEADER = 32
"""Bytes of a log."""
STEPS = 40
LOSSES = 4
"""Ways in which the power fails during each step."""


class Disk(NamedTuple):
    """The bytes of a journal's file and of its log."""

    file: bytes
    log: bytes

    @classmethod
    def of(cls, path: Path) -> Disk:
        log = path.with_name(f"{path.name}-wal")
        return cls(path.read_bytes(), log.read_bytes() if log.exists() else b"")

    def put(self, folder: Path) -> Path:
        folder.mkdir()
        path = folder / FILE_NAME
        path.write_bytes(self.file)
        path.with_name(f"{path.name}-wal").write_bytes(self.log)
        return path


class Kept(NamedTuple):
    """What a journal says that it holds."""

    events: frozenset[str]
    settled: tuple[tuple[str, tuple[Span, ...]], ...]
    facts: tuple[tuple[str, bytes], ...]
    untold: frozenset[str]

    @classmethod
    def by(cls, journal: Journal) -> Kept:
        return cls(
            frozenset(row.raw for row in journal.between(START, START + timedelta(days=1))),
            tuple((source, journal.coverage(source).settled) for source in sorted(journal.sources())),
            tuple(journal.facts("said ").items()),
            frozenset(row.raw for row in journal.untold(START, journal.last_seq())),
        )


def some_of(chance: random.Random, before: bytes, after: bytes) -> bytes:
    """What a disk may hold while it is written to."""
    size = chance.choice((len(before), len(after), chance.randint(*sorted((len(before), len(after))))))
    kept = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
    now = bytearray(before.ljust(size, b"\0")[:size])
    for start in range(0, min(size, len(after)), SECTOR):
        if chance.random() < kept:
            piece = after[start : min(start + SECTOR, size)]
            now[start : start + len(piece)] = piece
    return bytes(now)


class Write(NamedTuple):
    """What one statement did to the disk."""

    synced: Disk
    """What was there for certain when it began."""
    before: Disk
    after: Disk

    @property
    def copies(self) -> bool:
        """Whether the log was copied into the file, after it was synced."""
        return self.before.file != self.after.file

    @property
    def _begun(self) -> bytes:
        """The log before the rest of it is written: where it begins anew, its header is written and synced first."""
        return self.after.log[:HEADER] + self.synced.log[HEADER:]

    def failing(self, chance: random.Random) -> Iterator[Disk]:
        """What the disk may hold if the power fails meanwhile."""
        for _ in range(LOSSES):
            yield Disk(self.before.file, some_of(chance, self._begun, self.after.log))
            if self.copies:
                yield Disk(some_of(chance, self.before.file, self.after.file), self.after.log)


class Writes:
    """Looks at the disk before each statement of a journal."""

    def __init__(self, journal: Journal, path: Path) -> None:
        self._path = path
        self._is_synced = True
        self._synced = self._last = Disk.of(path)
        self._writes: list[Write] = []
        journal._write.set_trace_callback(self._look)

    def since(self) -> list[Write]:
        """Those since this was asked last."""
        self._look("")
        writes, self._writes = self._writes, []
        return writes

    @property
    def all_synced(self) -> bool:
        """Whether everything that was written is there for certain."""
        return self._synced == self._last

    def _look(self, statement: str) -> None:
        now = Disk.of(self._path)
        if now != self._last:
            write = Write(self._synced, self._last, now)
            self._writes.append(write)
            if self._is_synced or write.copies:
                self._synced = now
            self._last = now
        if statement.startswith("PRAGMA synchronous ="):
            self._is_synced = statement.endswith("FULL")


class Life:
    """A journal in use: pages of two sources that prove their minutes, what was printed, facts, and pruning."""

    def __init__(self, journal: Journal, chance: random.Random) -> None:
        self._journal = journal
        self._chance = chance
        self._minutes = {"a": 0, "b": 0}
        self._number = 0

    def step(self) -> bool:
        """Do something; whether it is to be on the disk when it returns."""
        acts = (self.commit, True), (self.commit, True), (self._keep, True), (self._tell, False), (self._prune, False)
        act, at_once = self._chance.choice(acts)
        act()
        return at_once

    def commit(self) -> None:
        """Take in what a source has of its next minute."""
        source = self._chance.choice("ab")
        start = START + self._minutes[source] * MINUTE
        self._minutes[source] += 1
        found = [self._arrival(start) for _ in range(self._chance.choice((0, 1, 5, 60)))]
        self._journal.commit(source, found, settled=Span(start, start + MINUTE))

    def _arrival(self, at: datetime) -> Arrival:
        self._number += 1
        record = records.read(f"prod/s{self._number % 7}", at=at, id=f"{self._number:08}-0000-4000-8000-000000000000")
        return Reader().read(records.raw(record), seen_by=SeenBy.CLOUDTRAIL, seen_at=START)

    def _keep(self) -> None:
        self._journal.keep([], {f"said {self._chance.randint(0, 9)}": self._chance.randbytes(3_000)})

    def _tell(self) -> None:
        self._journal.tell([self._chance.randint(1, 1 + self._journal.last_seq())])

    def _prune(self) -> None:
        self._journal.prune(START + self._chance.randint(0, 1 + min(self._minutes.values()) // 2) * MINUTE)


@pytest.mark.parametrize("seed", range(4))
def test_after_a_power_loss_all_is_as_after_one_of_the_last_commits_and_none_is_missing_that_was_waited_for(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    path = tmp_path / "used" / FILE_NAME
    copied = 0
    with closing(Journal(path)) as journal:
        journal._write.execute("PRAGMA wal_autocheckpoint = 20")  # 1,000 pages are more than this life has
        writes, life = Writes(journal, path), Life(journal, chance)
        possible = [Kept.by(journal)]
        """What was held when all was synced last, and after each step since."""
        for step in range(STEPS):
            at_once = life.step()
            possible.append(Kept.by(journal))
            for number, write in enumerate(writes.since()):
                copied += write.copies
                for loss, left in enumerate(write.failing(chance)):
                    with closing(Journal(left.put(tmp_path / f"{step}-{number}-{loss}"))) as found:
                        assert Kept.by(found) in possible
                        assert found._write.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert writes.all_synced or not at_once
            if writes.all_synced:
                del possible[:-1]
    assert copied > 2, "the log was never copied into the file"


def test_a_commit_that_is_not_synced_is_found_missing(tmp_path: Path) -> None:
    """That the disk above forgets what nobody waited for: else it would prove nothing."""
    path = tmp_path / "used" / FILE_NAME
    forgets: Callable[[int], bytes] = lambda seed: some_of(random.Random(seed), synced.log, after.log)  # noqa: E731
    with closing(Journal(path)) as journal:
        life = Life(journal, random.Random(1))
        life.commit()
        synced = Disk.of(path)
        life.commit()
        after, held = Disk.of(path), Kept.by(journal)
    found = set()
    for seed in range(20):
        with closing(Journal(Disk(synced.file, forgets(seed)).put(tmp_path / str(seed)))) as journal:
            found.add(Kept.by(journal) == held)
    assert found == {True, False}
