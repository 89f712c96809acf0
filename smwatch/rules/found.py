"""What of a case of many values was found to be evidence, by slot, and what all of it amounts to."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import TypeAlias

from smwatch.events.secret import Secret
from smwatch.rules.alarm import EVIDENCE
from smwatch.rules.dimension import UNNAMED, Value
from smwatch.rules.evidence import BEGINNING, END, Evidence, Total, joined, total_of
from smwatch.rules.measure import Sight
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.telling import Seen

SEVERAL = 32
"""Values that are brought up to date one by one where they changed, rather than all that there are."""
Ends: TypeAlias = tuple[int, int]
"""The first and the last key of some evidence, or the first and the last second of a value."""
Gone: TypeAlias = Mapping[Value, Ends]
"""Values that were evidence in what is kept no longer, with their seconds; others come to it, but none leaves it."""
_NEVER: Ends = END, BEGINNING
_KEY, _VALUE, _KEY_AND_VALUE = attrgetter("key"), attrgetter("value"), attrgetter("key", "value")


class Part:
    """The evidence of one slot, and what there is to say of it."""

    __slots__ = ("evidence", "firsts", "lasts", "total")

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        values, keys = [*map(_VALUE, evidence)], [*map(_KEY, evidence)]
        self.evidence = [*evidence]
        """Ascending; of each value the first and the last there is."""
        self.firsts: dict[Value, int] = dict(zip(reversed(values), reversed(keys), strict=True))
        """The first key of each value."""
        self.lasts: dict[Value, int] = dict(zip(values, keys, strict=True))
        self.total = total_of(self.evidence)

    @property
    def ends(self) -> Ends:
        """Its first and its last key."""
        return self.evidence[0].key, self.evidence[-1].key

    def change(self, gone: Sequence[Sight], new: Sequence[Evidence]) -> None:
        """Some of it is gone, and there is some more, ascending."""
        evidence, firsts, lasts = self.evidence, self.firsts, self.lasts
        for _, key, value in gone:
            del evidence[bisect_left(evidence, (key, value), key=_KEY_AND_VALUE)]
            first, last = firsts[value], lasts[value]
            if first == last:
                del firsts[value], lasts[value]
            elif key == first:
                firsts[value] = last
            else:
                lasts[value] = first
        later = bool(evidence and new and new[0].key > evidence[-1].key)
        if not later and len(new) <= SEVERAL:
            for one in new:
                insort(evidence, one, key=_KEY_AND_VALUE)
        else:
            evidence += new
            if not later:
                evidence.sort(key=_KEY_AND_VALUE)
        for one in new:
            assert one.value is not None
            firsts[one.value] = min(firsts.get(one.value, one.key), one.key)
            lasts[one.value] = max(lasts.get(one.value, one.key), one.key)
        if later and (more := total_of(new))[:3] == self.total[:3]:
            self.total = Total(*more[:3], evidence[0].at, evidence[-1].at)  # it is as bad as before
        else:
            self.total = total_of(evidence)


class Found:
    """The evidence by slot, each piece of which has a value, and the different values in all of it.

    One more event changes a value or two of hundreds in a dozen slots: these alone are brought up to date. Serves the
    rows "rules-varied", "rules-trouble" and "longest stall of the event loop".

    What there is to tell is also of values that are `gone`: mostly it is asked with the same mapping of them, and is
    brought up to date by that as well. What is dropped is to be in it before.
    """

    __slots__ = ("_all", "_episode", "_firsts", "_gone", "_lasts", "_order", "_secrets", "by_slot")

    def __init__(self) -> None:
        self.by_slot: dict[int, Part] = {}
        """Ascending."""
        self._episode: list[Evidence] | None = None
        self._order: list[tuple[int, Value]] | None = None
        """All values by their first keys; None before anybody has asked, or where too much has changed since."""
        self._gone: Gone = {}
        """What was asked with last."""
        self._all: list[tuple[int, Value]] | None = None
        """These values and all others by their first seconds; None before anybody has asked, or as above."""
        self._secrets: tuple[int, tuple[Secret, ...]] | None = None
        """Those of all values, as of when so many were gone."""
        self._firsts: dict[Value, int] = {}
        self._lasts: dict[Value, int] = {}

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
        self._changed(was, part)

    def change(self, slot: int, gone: Sequence[Sight], new: Sequence[Evidence]) -> None:
        """Some of the evidence of a slot is gone, and there is some more, ascending; some is left."""
        part, episode = self.by_slot[slot], self._episode
        own, before = len(part.evidence), part.ends
        part.change(gone, new)
        values = {sight.value for sight in gone} | {one.value for one in new if one.value is not None}
        self._bring_up_to_date(values, before, part.ends)
        if episode is not None and slot == next(reversed(self.by_slot)):
            self._episode = [*episode[: len(episode) - own], *part.evidence]  # what came before stands

    def drop(self, slot: int) -> None:
        """Forget a slot."""
        if (part := self.by_slot.pop(slot, None)) is not None:
            self._changed(part, None)

    def clear(self) -> None:
        """There is none."""
        self.by_slot.clear()
        self._forget()

    def _forget(self) -> None:
        self._episode = self._order = self._all = self._secrets = None
        self._firsts, self._lasts = {}, {}

    def _changed(self, was: Part | None, now: Part | None) -> None:
        if was is None or now is None:
            part = was or now
            assert part is not None
            self._bring_up_to_date(part.firsts.keys(), part.ends, part.ends)
        elif self._order is not None:
            firsts, lasts = was.firsts.items() ^ now.firsts.items(), was.lasts.items() ^ now.lasts.items()
            self._bring_up_to_date({value for value, _ in chain(firsts, lasts)}, was.ends, now.ends)
        else:
            self._episode = None

    def _bring_up_to_date(self, values: Iterable[Value], before: Ends, now: Ends) -> None:
        """Know anew of these values when they were evidence first and last: they are so within these ends, or were.

        What was the first before them is so still, and what was the last after them.
        """
        self._episode, order = None, self._order
        if order is None:
            return
        changed = [*values]
        if len(changed) > SEVERAL:
            self._forget()
            return
        since, until = min(before[0], now[0]), max(before[1], now[1])
        for value in changed:
            was = self._firsts.pop(value, None)
            first = was if was is not None and was < since else self._first(value)
            if was != first:
                _move(order, value, was, first)
                if self._all is not None:
                    _move(self._all, value, self._since(value, was), self._since(value, first))
                if value not in self._gone:
                    self._secrets = None
            if first is None:
                self._lasts.pop(value, None)
            else:
                self._firsts[value] = first
                if self._lasts.get(value, since) <= until:
                    self._lasts[value] = self._last(value)

    def _first(self, value: Value) -> int | None:
        for part in self.by_slot.values():
            if (first := part.firsts.get(value)) is not None:
                return first
        return None

    def _last(self, value: Value) -> int:
        for part in reversed(self.by_slot.values()):
            if (last := part.lasts.get(value)) is not None:
                return last
        raise KeyError(value)

    # -- what there is to tell of it

    @property
    def episode(self) -> Sequence[Evidence]:
        """All of it, ascending; the same object until something changes."""
        if self._episode is None:
            self._episode = [*chain.from_iterable(part.evidence for part in self.by_slot.values())]
        return self._episode

    @property
    def total(self) -> Total:
        """What all of it amounts to."""
        return joined([part.total for part in self.by_slot.values()])

    def _ordered(self) -> list[tuple[int, Value]]:
        if self._order is None:
            for part in reversed(self.by_slot.values()):
                self._firsts.update(part.firsts)
            for part in self.by_slot.values():
                self._lasts.update(part.lasts)
            self._order = sorted(zip(self._firsts.values(), self._firsts, strict=True))
        return self._order

    @property
    def keys(self) -> list[int]:
        """The newest keys of the first event with each value, ascending."""
        order, most = self._ordered(), EVIDENCE
        keys = {key for key, _ in order[-most:]}
        while len(keys) < EVIDENCE and most < len(order):  # an event may have many values
            most *= 2
            keys = {key for key, _ in order[-most:]}
        return sorted(keys)[-EVIDENCE:]

    def secrets(self, gone: Gone) -> tuple[Secret, ...]:
        """Those of the different values that are secrets: those `gone`, then the others by their first events."""
        self._ask_with(gone)
        if self._secrets is None or self._secrets[0] != len(gone):
            values = chain(gone, [value for _, value in self._ordered() if value not in gone])
            self._secrets = (
                len(gone),
                tuple([value for value in values if isinstance(value, Secret) and value is not UNNAMED]),
            )
        return self._secrets[1]

    def seen(self, most: int, gone: Gone) -> list[Seen]:
        """The newest of the different values, by the first and the last second of each, ascending."""
        lasts = self._lasts
        if gone:
            every = self._every(gone)
            start = 0 if len(every) <= most else bisect_left(every, (every[-most][0],))
            times = [
                (first, max(lasts.get(value, BEGINNING) >> SECOND_BITS, gone.get(value, _NEVER)[1]), value)
                for first, value in every[start:]
            ]
        else:
            order = self._ordered()
            start = 0 if len(order) <= most else bisect_left(order, (order[-most][0] >> SECOND_BITS << SECOND_BITS,))
            times = [(key >> SECOND_BITS, lasts[value] >> SECOND_BITS, value) for key, value in order[start:]]
        return sorted(times)[-most:]

    def count(self, gone: Gone) -> int:
        """How many different values have a name."""
        values = len(self._every(gone) if gone else self._ordered())
        return values - (UNNAMED in gone or UNNAMED in self._firsts)

    # -- with the values that are gone

    def _ask_with(self, gone: Gone) -> None:
        if gone is not self._gone:
            self._gone, self._all, self._secrets = gone, None, None

    def _every(self, gone: Gone) -> list[tuple[int, Value]]:
        self._ask_with(gone)
        self._ordered()
        if self._all is None:
            firsts = {value: first for value, (first, _) in gone.items()}
            for value, key in self._firsts.items():
                firsts[value] = min(gone.get(value, _NEVER)[0], key >> SECOND_BITS)
            self._all = sorted(zip(firsts.values(), firsts, strict=True))
        return self._all

    def _since(self, value: Value, key: int | None) -> int | None:
        """The first second of a value of which this is the first key that is kept."""
        ends = self._gone.get(value)
        if key is None:
            return None if ends is None else ends[0]
        return key >> SECOND_BITS if ends is None else min(ends[0], key >> SECOND_BITS)


def _move(order: list[tuple[int, Value]], value: Value, was: int | None, now: int | None) -> None:
    """Have a value stand in another place, or in none any more."""
    if was == now:
        return
    if was is not None:
        del order[bisect_left(order, (was, value))]
    if now is not None:
        insort(order, (now, value))
