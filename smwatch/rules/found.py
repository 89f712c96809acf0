"""What of a case of many values was found to be evidence, by slot, and what all of it amounts to."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import chain, filterfalse, islice
from operator import attrgetter, itemgetter, ne
from typing import TypeAlias, cast

from smwatch.events.secret import Secret
from smwatch.rules.alarm import EVIDENCE
from smwatch.rules.dimension import UNNAMED, Value
from smwatch.rules.evidence import BEGINNING, END, Evidence, Total, joined
from smwatch.rules.measure import Sight
from smwatch.rules.part import Ends, Part
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.telling import Seen

SEVERAL, SHARE = 8, 16
"""Values are brought up to date one by one where so many have changed, or one in so many of all; where more have, all
are, which takes less than to look for each in slot after slot."""
Gone: TypeAlias = Mapping[Value, Ends]
"""Values that were evidence in what is kept no longer, with their seconds; others come to it, but none leaves it."""
Moved: TypeAlias = tuple[Value, int | None, int | None]
"""A value, and where it stood and stands by; None: nowhere."""
_NEVER: Ends = END, BEGINNING
_NOWHERE: Ends = END << SECOND_BITS, BEGINNING
_EVIDENCE, _TOTAL = attrgetter("evidence"), attrgetter("total")
_FIRST, _SECOND = itemgetter(0), itemgetter(1)


class Found:
    """The evidence by slot, each piece of which has a value, and the different values in all of it.

    One more event changes a value or two of hundreds in a dozen slots: these alone are brought up to date, all together
    when somebody asks. Serves the rows "rules-varied", "rules-random", "rules-trouble" and "longest stall of the event
    loop".

    What there is to tell is also of values that are `gone`: mostly it is asked with the same mapping of them, and is
    brought up to date by that as well. What is dropped is to be in it before.
    """

    __slots__ = (
        "_all",
        "_between",
        "_episode",
        "_firsts",
        "_gone",
        "_lasts",
        "_order",
        "_secrets",
        "_seen",
        "_touched",
        "by_slot",
    )

    def __init__(self) -> None:
        self.by_slot: dict[int, Part] = {}
        """Ascending."""
        self._episode: list[Evidence] | None = None
        self._order: list[tuple[int, Value]] | None = None
        """All values by their first keys; None before anybody has asked."""
        self._firsts: dict[Value, int] = {}
        self._lasts: dict[Value, int] = {}
        """The first and the last key of each."""
        self._touched: set[Value] = set()
        """Values of which that may be otherwise since."""
        self._between: Ends = _NOWHERE
        """The ends of the slots in which they were touched: what is first before, or last after them, is so still."""
        self._gone: Gone = {}
        """What was asked with last."""
        self._all: list[tuple[int, Value]] | None = None
        """These values and all others by their first seconds; None before anybody has asked."""
        self._seen: dict[Value, Seen] = {}
        """Each of them with its seconds."""
        self._secrets: tuple[int, tuple[Secret, ...]] | None = None
        """Those of all values, as of when so many were gone."""

    @classmethod
    def of(cls, evidence: Sequence[Evidence]) -> Found:
        """The same of evidence that is not told apart by slots."""
        found = cls()
        found.put(0, evidence)
        return found

    def put(self, slot: int, evidence: Sequence[Evidence]) -> None:
        """Have this be the evidence of a slot, ascending."""
        if not evidence:
            self.drop(slot)
            return
        was, part = self.by_slot.get(slot), Part(evidence)
        later = was is not None or not self.by_slot or slot > next(reversed(self.by_slot))
        self.by_slot[slot] = part
        if not later:
            ordered = sorted(self.by_slot.items())
            self.by_slot.clear()
            self.by_slot.update(ordered)
        if was is None:
            self._touch(part.firsts, part.ends)
        else:
            firsts, lasts = was.firsts.items() ^ part.firsts.items(), was.lasts.items() ^ part.lasts.items()
            self._touch([value for value, _ in chain(firsts, lasts)], was.ends, part.ends)

    def change(self, slot: int, gone: Sequence[Sight], new: Sequence[Evidence]) -> None:
        """Some of the evidence of a slot is gone, and there is some more, ascending; some is left."""
        part, episode = self.by_slot[slot], self._episode
        own, before = len(part.evidence), part.ends
        part.change(gone, new)
        self._touch(
            [*[sight.value for sight in gone], *[one.value for one in new if one.value is not None]], before, part.ends
        )
        if episode is not None and slot == next(reversed(self.by_slot)):
            self._episode = [*episode[: len(episode) - own], *part.evidence]  # what came before stands

    def drop(self, slot: int) -> None:
        """Forget a slot."""
        if (part := self.by_slot.pop(slot, None)) is not None:
            self._touch(part.firsts, part.ends)

    def clear(self) -> None:
        """There is none."""
        self.by_slot.clear()
        self.rest()

    def rest(self) -> None:
        """Know no more of it than by slot: the rest is found out anew as soon as somebody asks."""
        self._episode = self._order = self._all = self._secrets = None
        self._firsts, self._lasts, self._seen, self._touched = {}, {}, {}, set()

    def _touch(self, values: Iterable[Value], *ends: Ends) -> None:
        """Of these values something may be evidence within these ends that was none, or the other way round."""
        self._episode = None
        if self._order is not None:
            self._touched.update(values)
            firsts, lasts = zip(self._between, *ends, strict=True)
            self._between = min(firsts), max(lasts)

    # -- the first and the last of each value

    def _ordered(self) -> list[tuple[int, Value]]:
        """All values by their first keys."""
        order = self._order
        if order is None:
            self._know_all()
            self._order = order = sorted(zip(self._firsts.values(), self._firsts, strict=True))
        elif self._touched:
            self._bring_up_to_date(order, self._touched)
            self._touched, self._between = set(), _NOWHERE
        return order

    def _bring_up_to_date(self, order: list[tuple[int, Value]], touched: Set[Value]) -> None:
        known = self._firsts
        were = [known.get(value) for value in touched]
        if len(touched) > SEVERAL and SHARE * len(touched) > len(known):
            self._know_all()
        else:
            self._know(touched)
        firsts = self._firsts
        moved = [
            (value, was, now) for value, was in zip(touched, were, strict=True) if was != (now := firsts.get(value))
        ]
        _move(order, moved)
        self._place_secrets(order, [each for each in moved if each[0] not in self._gone])
        if self._all is not None:
            self._see(self._all, touched)

    def _place_secrets(self, order: Sequence[tuple[int, Value]], moved: Sequence[Moved]) -> None:
        """Put secrets that stand in the order now among the others; find all anew where some stood elsewhere before.

        Whoever goes through thousands of them comes to one more: serves "longest stall of the event loop".
        """
        if self._secrets is None or not moved:
            return
        if any(was is not None for _, was, _ in moved):
            self._secrets = None
            return
        number, secrets = self._secrets
        start = bisect_left(order, (min(now for _, _, now in moved if now is not None),))
        since = _named([value for _, value in order[start:] if value not in self._gone])
        stay = len(secrets) - len(since) + len(_named([value for value, _, _ in moved]))
        self._secrets = number, (*secrets[:stay], *since)

    def _know_all(self) -> None:
        """Find the first and the last key of each value."""
        self._firsts, self._lasts, parts = {}, {}, self.by_slot.values()
        for part in reversed(parts):
            self._firsts.update(part.firsts)
        for part in parts:
            self._lasts.update(part.lasts)

    def _know(self, values: Iterable[Value]) -> None:
        """Find the first and the last key of these, where others may be that than were."""
        firsts, lasts, (since, until) = self._firsts, self._lasts, self._between
        parts = self.by_slot.values()
        for value in values:
            if firsts.get(value, since) >= since:
                for part in parts:
                    if value in part.firsts:
                        firsts[value] = part.firsts[value]
                        break
                else:
                    firsts.pop(value, None)
                    lasts.pop(value, None)
                    continue
            if lasts.get(value, since) <= until:
                for part in reversed(parts):
                    if value in part.lasts:
                        lasts[value] = part.lasts[value]
                        break

    # -- what there is to tell of it

    @property
    def episode(self) -> Sequence[Evidence]:
        """All of it, ascending; the same object until something changes."""
        if self._episode is None:
            self._episode = [*chain.from_iterable(map(_EVIDENCE, self.by_slot.values()))]
        return self._episode

    @property
    def total(self) -> Total:
        """What all of it amounts to."""
        return joined([*map(_TOTAL, self.by_slot.values())])

    @property
    def keys(self) -> list[int]:
        """The newest keys of the first event with each value, ascending."""
        order, most = self._ordered(), EVIDENCE
        newest = [*map(_FIRST, order[-most:])]
        if all(map(ne, newest, islice(newest, 1, None))):  # which a dict finds out slowly: keys are long
            return newest
        keys = dict.fromkeys(newest)
        while len(keys) < EVIDENCE and most < len(order):  # an event may have many values
            most *= 2
            keys = dict.fromkeys(map(_FIRST, order[-most:]))
        return [*keys][-EVIDENCE:]

    def secrets(self, gone: Gone) -> tuple[Secret, ...]:
        """Those of the different values that are secrets: those `gone`, then the others by their first events."""
        if gone is not self._gone:
            self._ask_with(gone)
        order = self._ordered()
        if self._secrets is None or self._secrets[0] != len(gone):
            values = [*gone, *filterfalse(gone.__contains__, map(_SECOND, order))]
            if UNNAMED in gone or UNNAMED in self._firsts:
                values.remove(UNNAMED)
            # All values are of one kind.
            secrets = tuple(cast("list[Secret]", values)) if values and isinstance(values[0], Secret) else ()
            self._secrets = len(gone), secrets
        return self._secrets[1]

    def seen(self, most: int, gone: Gone) -> list[Seen]:
        """The newest of the different values, by the first and the last second of each, ascending."""
        every, seen = self._every(gone), self._seen
        start = 0 if len(every) <= most else bisect_left(every, (every[-most][0],))
        return sorted(map(seen.__getitem__, map(_SECOND, every[start:])))[-most:]

    def count(self, gone: Gone) -> int:
        """How many different values have a name."""
        return len(self._every(gone)) - (UNNAMED in self._seen)

    # -- with the values that are gone

    def _ask_with(self, gone: Gone) -> None:
        self._gone, self._all, self._secrets = gone, None, None

    def _every(self, gone: Gone) -> list[tuple[int, Value]]:
        """All values by their first seconds."""
        if gone is not self._gone:
            self._ask_with(gone)
        if self._touched or self._order is None:
            self._ordered()
        if self._all is None:
            self._seen, self._all = {}, []
            self._see(self._all, {*gone, *self._firsts})
        return self._all

    def _see(self, every: list[tuple[int, Value]], values: Iterable[Value]) -> None:
        """Know the seconds of these values."""
        seen, firsts, lasts, gone = self._seen, self._firsts, self._lasts, self._gone
        moved = list[Moved]()
        for value in values:
            was, first = seen.get(value), firsts.get(value)
            since, until = (first >> SECOND_BITS, lasts[value] >> SECOND_BITS) if first is not None else _NEVER
            if (ends := gone.get(value)) is not None:
                since, until = min(since, ends[0]), max(until, ends[1])
            if until == BEGINNING:
                seen.pop(value, None)
                moved.append((value, was[0] if was is not None else None, None))
            elif was is None or was[0] != since or was[1] != until:
                seen[value] = since, until, value
                moved.append((value, was[0] if was is not None else None, since))
        _move(every, moved)


def _named(values: Iterable[Value]) -> list[Secret]:
    """Those of them that are secrets."""
    return [value for value in values if isinstance(value, Secret) and value is not UNNAMED]


def _move(order: list[tuple[int, Value]], moved: Sequence[Moved]) -> None:
    """Have values stand in other places, or in none any more."""
    moved = [each for each in moved if each[1] != each[2]]
    if len(moved) > SEVERAL:
        gone = {value for value, was, _ in moved if was is not None}
        order[:] = [each for each in order if each[1] not in gone]
        order += [(now, value) for value, _, now in moved if now is not None]
        order.sort()
        return
    for value, was, now in moved:
        if was is not None:
            del order[bisect_left(order, (was, value))]
        if now is not None:
            insort(order, (now, value))
