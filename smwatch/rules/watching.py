"""Who wants to hear of more that becomes known, and what tells them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class Watcher(Protocol):
    """Who wants to know when a fact changes."""

    @property
    def high(self) -> int:
        """What a fact says of later seconds does not matter to it.

        When this grows, it says so (`grow_loud`), or watches those facts again of which later seconds matter now.
        """
        ...

    def watches(self, known: Teller) -> None:
        """It watches this from now on, and thereby keeps it."""
        ...

    def heed(self, second: int) -> None:
        """The fact is now known of this second too."""
        ...

    def wake(self) -> None:
        """Something else that it hangs on has changed."""
        ...


class Recalling:
    """A watcher that tells of events by name, as long as they are kept by name.

    A plain class: of an ABC or a Protocol it takes longer to ask who is one. Serves the row "rules-trouble".
    """

    __slots__ = ()

    @abstractmethod
    def lose(self, second: int, until: int) -> None:
        """One of this second is kept no longer; `until`: the second of the oldest that is."""


class Roused(Protocol):
    """What has to be looked at again, as more is known, before alarms are worked out."""

    def look_again(self, most: int | None = None) -> bool:
        """Look at all of it, or about so many things; whether more is left."""
        ...


class Teller(Protocol):
    """What tells its watchers when it changes."""

    def grow_loud(self, high: int) -> None:
        """A watcher cares for seconds up to this one."""
        ...


class Heeded:
    """What has watchers, and tells them of the seconds that they care for."""

    __slots__ = ("loud", "watchers")

    def __init__(self) -> None:
        self.watchers: dict[Watcher, None] | tuple[Watcher] | None = None
        """A tuple as long as there is one, as mostly: a dict takes four times as much. Serves "memory-flat-rules"."""
        self.loud = -1
        """None of its watchers cares for later seconds than this."""

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of new seconds that matter to it."""
        watchers = self.watchers
        if watchers is None:
            self.watchers = (watcher,)
            watcher.watches(self)
        else:
            if isinstance(watchers, tuple):
                watchers = self.watchers = {watchers[0]: None}
            known = len(watchers)
            watchers[watcher] = None  # without a look whether it is there: what asks about a value is slow to hash
            if len(watchers) > known:
                watcher.watches(self)
        self.grow_loud(watcher.high)

    def grow_loud(self, high: int) -> None:
        """A watcher cares for seconds up to this one."""
        self.loud = max(self.loud, high)

    def tell_watchers(self, second: int) -> None:
        """Tell them of a second, and find out up to which they care for any."""
        loud = -1
        for watcher in self.watchers or ():
            high = watcher.high
            if second <= high:
                watcher.heed(second)
            if high > loud:
                loud = high
        self.loud = loud

    def tell_lost(self, second: int, until: int) -> None:
        """Tell those of its watchers that tell of events by name which one is kept no longer, see `Recalling`."""
        for watcher in self.watchers or ():
            if isinstance(watcher, Recalling):
                watcher.lose(second, until)

    def share_watchers(self, other: Heeded) -> None:
        """Have the same watchers as `other`, which has turned out to be another name for this."""
        if self.watchers or other.watchers:
            self.watchers = other.watchers = dict.fromkeys([*(self.watchers or ()), *(other.watchers or ())])
            for watcher in tuple(self.watchers):
                watcher.wake()
