"""What of the evidence of different values is only counted any more: it is older than what a case keeps."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from msgspec.structs import replace

from smwatch.rules.alarm import Alarm
from smwatch.rules.dimension import Renames, Value
from smwatch.rules.evidence import LEVELS, Shed
from smwatch.rules.part import Ends, Part
from smwatch.rules.slots import VALUES
from smwatch.rules.subject import SECOND_BITS

_GRADE = attrgetter("rank", "step", "title")


class Bygone:
    """Values that were evidence, by what an alarm that was kept says of them, or by slots that were dropped."""

    __slots__ = ("_dropped", "excused", "kept", "values")

    def __init__(self) -> None:
        self.kept: Shed | None = None
        """What an alarm that was kept says, until all of it is known again."""
        self._dropped: Shed | None = None
        """What the evidence in slots that were dropped amounts to."""
        self.values: dict[Value, Ends] = {}
        """The values in it, and the first and last second of each."""
        self.excused: dict[Value, Ends] = {}
        """Those that were in it, and do not count by what is known by now."""

    @property
    def shed(self) -> Shed | None:
        """All of it."""
        return _most_of(self.kept, self._dropped if self.values else None)

    def keep(self, alarm: Alarm, title: str) -> None:
        """Count what an alarm says that was kept: which values those were is not known any more, only how many."""
        rank, step = divmod(alarm.level, LEVELS)
        first_at, last_at = int(alarm.first_at.timestamp()), int(alarm.last_at.timestamp())
        last_key = alarm.event_keys[-1] if alarm.event_keys else last_at << SECOND_BITS
        self.kept = Shed(alarm.count, first_at, last_at, last_key, rank, step, title)

    def drop(self, part: Part) -> None:
        """Count the evidence of a slot, which is kept no longer."""
        values, evidence = self.values, part.evidence
        for key, value in sorted(zip(part.firsts.values(), part.firsts, strict=True)):
            first, last = key >> SECOND_BITS, part.lasts[value] >> SECOND_BITS
            if (known := values.get(value)) is not None:
                values[value] = min(first, known[0]), max(last, known[1])
            elif len(values) < VALUES:
                values[value] = first, last
        worst = max({*map(_GRADE, evidence)})
        shed = Shed(len(values), evidence[0].at, evidence[-1].at, evidence[-1].key, *worst)
        self._dropped = _most_of(self._dropped, shed)

    def last(self, value: Value) -> int | None:
        """The last second of a value in what was dropped, whether it counts or not; None if it was not in it."""
        ends = self.values.get(value) or self.excused.get(value)
        return ends[1] if ends is not None else None

    def weigh(self, value: Value, *, counts: bool) -> None:
        """Have a value in what was dropped count, or not: then `values` is another mapping."""
        if counts and value in self.excused:
            self.values = _spanned((*self.values.items(), (value, self.excused.pop(value))))
        elif not counts and value in self.values:
            self.excused = _spanned((*self.excused.items(), (value, self.values[value])))
            self.values = {each: ends for each, ends in self.values.items() if each != value}
        else:
            return
        self._recount()

    def _recount(self) -> None:
        """Have what was dropped amount to the values in it that count; how bad that is stays as it was found."""
        if self._dropped is not None and self.values:
            firsts, lasts = zip(*self.values.values(), strict=True)
            self._dropped = replace(self._dropped, count=len(self.values), first_at=min(firsts), last_at=max(lasts))

    def absorb(self, other: Bygone) -> None:
        """Count what another one counts; that counts nothing any more."""
        self.values, other.values = _spanned((*self.values.items(), *other.values.items())), {}
        self.excused, other.excused = _spanned((*self.excused.items(), *other.excused.items())), {}
        self.kept, self._dropped = _most_of(self.kept, other.kept), _most_of(self._dropped, other._dropped)
        other.kept = other._dropped = None

    def fold(self, right: Renames) -> None:
        """Count values that have turned out to be others as those."""
        self.values = _spanned((right.get(value, value), ends) for value, ends in self.values.items())
        self.excused = _spanned((right.get(value, value), ends) for value, ends in self.excused.items())


def _most_of(one: Shed | None, other: Shed | None) -> Shed | None:
    """Both together, where the values of one may be the other's too."""
    if one is None or other is None:
        return one or other
    return replace(one.joined(other), count=max(one.count, other.count))


def _spanned(times: Iterable[tuple[Value, Ends]]) -> dict[Value, Ends]:
    """Values with their first and last seconds, each once."""
    found = dict[Value, Ends]()
    for value, (first, last) in times:
        known = found.get(value, (first, last))
        found[value] = min(first, known[0]), max(last, known[1])
    return found
