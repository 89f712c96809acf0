"""What of a case of many values is to be judged yet, and how far that has got: bit by bit where somebody waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from smwatch.rules.dimension import Value
from smwatch.rules.finder import Finder
from smwatch.rules.found import Found
from smwatch.rules.slots import More

if TYPE_CHECKING:
    from smwatch.rules.spread import SpreadCase


class Inquiry:
    """Judges the values of a case: only what may be other than it was, unless all has to be judged."""

    __slots__ = ("_asked", "_case", "_doubted", "_found", "_judging", "due", "finder", "seen")

    def __init__(self, case: SpreadCase, found: Found) -> None:
        """`found`: what is known to be evidence, which is brought up to date."""
        self._case = case
        self._found = found
        self.due = False
        """Whether something has to be judged."""
        self.finder: Finder | None = None
        """What knows how things were when they were judged last; None: all has to be judged, whatever is seen."""
        self.seen: set[int] = set()
        """The slots in which something was seen since: to be told where there is a `finder`."""
        self._asked: set[int] = set()
        """The slots in which something may have other answers."""
        self._doubted: dict[Value, None] = {}
        """Values of which more is known, by the facts that were asked about them."""
        self._judging: Iterator[int] | None = None
        """While it is judged."""

    # -- what is to be judged

    def restart(self) -> None:
        """Judge all again; what was asked about each value holds until it is doubted."""
        self.finder, self._judging, self.due = None, None, True

    def rest(self) -> None:
        """Know no more how things were when they were judged: with what comes next, all is judged again."""
        self.finder, self.seen, self._asked = None, set(), set()

    def end(self) -> None:
        """There is nothing to judge any more, nor any evidence."""
        self.finder, self._judging, self.due = None, None, False
        self._found.clear()

    def forget(self, slot: int) -> None:
        """A slot is kept no longer; what was found in it is, until it is dropped."""
        if self.finder is not None:
            self.finder.drop(slot)

    def doubt(self, value: Value) -> None:
        """What was asked about a value may have another answer."""
        self._doubted[value] = None

    def reconsider(self) -> None:
        """Have the values judged again of which something has another answer: mostly there is none."""
        slots, measure = self._case.slots, self._case.measure
        while self._doubted:
            value, _ = self._doubted.popitem()
            if not measure.asks_again(value):
                continue
            self._case.weigh(value)
            if having := slots.having(value):
                self._asked.update(having)
                self.due = True

    @property
    def open(self) -> bool:
        """Whether what was found may be otherwise by what is known."""
        return self.due or bool(self._doubted) or self.under_way

    @property
    def under_way(self) -> bool:
        """Whether some of it is judged, and some is not."""
        return self._judging is not None

    # -- judging it

    def go_on(self) -> int:
        """Judge some of it; how many sights that meant looking at."""
        for looked_at in self._begun():
            return looked_at
        self._judging = None
        return 0

    def finish(self) -> None:
        """Judge what there is to judge, unless more turns up meanwhile."""
        judging = self._begun()
        for _ in judging:
            if self._judging is not judging:
                return
        self._judging = None

    def _begun(self) -> Iterator[int]:
        if self._judging is None:
            self.due, self._judging = False, self._judge()
            self._case.hear_all()
        return self._judging

    def _judge(self) -> Iterator[int]:
        """Find anew what is evidence, as far as it may have changed; yields how many sights it has looked at since."""
        case, kept, found = self._case, self._case.slots, self._found
        seen, self.seen = self.seen, set()
        asked, self._asked = self._asked, set()
        if not case.enough:
            self.finder = None
            found.clear()
            return
        if self.finder is None:
            self.finder, seen = Finder(case.measure, case), {*kept.by_number}
            found.clear()
        finder, slots, more = self.finder, kept.known, dict[int, More]()
        for number in kept.unsorted:
            yield 2 * len(kept.by_number[number])
            # From when there are enough on, it hears of every event.
            slots[number], some = kept.sights(number, keep=case.enough)
            if some is not None:
                more[number] = some
        if [*slots] != (ascending := sorted(slots)):
            slots = {number: slots[number] for number in ascending}
        values = len(kept.values)
        yield from finder.find(slots, seen & slots.keys(), asked & slots.keys(), more, values, found)
