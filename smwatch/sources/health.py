"""How a tail is doing, as one word and one sentence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from smwatch.sources.agenda import Agenda
from smwatch.sources.clock import ServerClock
from smwatch.sources.errors import CallError
from smwatch.sources.filling import HOPELESS
from smwatch.sources.following import Following
from smwatch.sources.pace import Pace
from smwatch.sources.reader import Reader
from smwatch.sources.source import State

THROTTLED_FOR = 30.0
"""Seconds without a throttle after which all is well again."""
ABSENCE = timedelta(minutes=2)
CLOCK_WARNING = timedelta(minutes=1)
ELSEWHERE = "use the trail's log group (--log-group)"


class Health:
    """What went wrong last, and what there is to be said when nothing did."""

    def __init__(self, reader: Reader, pace: Pace, clock: ServerClock, monotonic: Callable[[], float]) -> None:
        self.trouble: CallError | None = None
        """What keeps pages from coming at this moment."""
        self.last_good_at: datetime | None = None
        """When a scan last came back whole."""
        self.answered_at: datetime | None = None
        """When a page last came."""
        self.service_at: datetime | None = None
        """What the service said the time was, when it was believed last."""
        self._api = reader.api
        self._reader = reader
        self._pace = pace
        self._clock = clock
        self._monotonic = monotonic
        self._heard: tuple[datetime, float] | None = None
        self._absence: tuple[datetime, str] | None = None

    def answered(self, date: datetime) -> None:
        """The service gave its time; if far more of it passed than on this machine, this machine was asleep."""
        clock = self._monotonic()
        if self._heard is not None:
            asleep = (date - self._heard[0]) - timedelta(seconds=clock - self._heard[1])
            if asleep > ABSENCE:
                minutes = round(asleep / timedelta(minutes=1))
                self._absence = (date, f"this machine was asleep for {minutes} min; reading what was missed")
        self._heard = (date, clock)
        self.service_at = date

    def of(self, agenda: Agenda, now: datetime) -> tuple[State, str, str]:
        """The state, the sentence that goes with it, and how far a back-fill has come."""
        state, message, progress = self._now(agenda, now)
        return state, "; ".join(filter(None, (message, _unaudited(agenda), self._reader.remark))), progress

    def _now(self, agenda: Agenda, now: datetime) -> tuple[State, str, str]:
        """The same, of what goes on at this moment."""
        clock = self._monotonic()
        progress, remaining = agenda.progress(now, clock)
        if self.trouble is not None:
            wrong = (self.trouble.message, self._wrong_clock(), self._starved(agenda))
            return self.trouble.state, "; ".join(filter(None, wrong)), progress
        if agenda.finished:
            return State.DONE, "", ""
        throttled_at = self._pace.throttled_at
        if throttled_at is not None and clock - throttled_at < THROTTLED_FOR:
            message = f"AWS throttles {self._api} (the quota is the account's); asking {self._pace.often}"
            return State.THROTTLED, "; ".join(filter(None, (message, self._starved(agenda)))), progress
        if self._absence is not None:
            if not agenda.caught_up_since(self._absence[0]):
                return State.CATCHING_UP, self._absence[1], progress
            self._absence = None
        if not agenda.up_to_date:
            state = State.STARTING if self.last_good_at is None else State.CATCHING_UP
            why = (self._starved(agenda) or _lost(agenda), _owed(agenda) if progress else "")
            return state, "; ".join(filter(None, why)), progress
        if progress:
            advice = self._starved(agenda) or _lost(agenda)
            if remaining is not None and remaining > HOPELESS:
                advice = "history this long is read faster from the trail's bucket with Athena"
            return State.CATCHING_UP, "; ".join(filter(None, (advice, _owed(agenda)))), progress
        return State.OK, self._warning(agenda), ""

    def _warning(self, agenda: Agenda) -> str:
        if wrong := self._wrong_clock():
            return f"{wrong}: set it"
        if isinstance(agenda, Following) and (agenda.sweeps.slow or agenda.audits_fail):
            lag = _words(agenda.settle_lag)
            later = f", or look again for what is later than {lag}" if agenda.audits_fail else ""
            return f"more events than {self._api} can show quickly{later}: {ELSEWHERE}"
        if self._pace.slowed:
            return f"asking {self._pace.often} since AWS throttled {self._api}"
        return _lost(agenda) or widened(agenda)

    def _starved(self, agenda: Agenda) -> str:
        """Why the mark of completeness falls behind, if there are too few calls for it."""
        if not isinstance(agenda, Following) or not agenda.starved:
            return ""
        events = f"{agenda.sweeps.budget.density:.2g} events/s"
        return f"{agenda.rate:.2g} answered calls/s are too few to keep up with {events}: {ELSEWHERE}"

    def _wrong_clock(self) -> str:
        offset = self._clock.offset
        if offset is None or abs(offset) <= CLOCK_WARNING:
            return ""
        which = "behind" if offset > timedelta() else "ahead of"
        return f"this machine's clock is {round(abs(offset).total_seconds())} s {which} AWS's"


def widened(agenda: Agenda) -> str:
    """That records were late, what is done about it, and until when."""
    return "; ".join(filter(None, (_looked_for_longer(agenda), _delivered_late(agenda))))


def _looked_for_longer(agenda: Agenda) -> str:
    """That they came late into what can be read."""
    settling = agenda.settling
    if settling.wide and settling.until is not None:
        return (
            f"records came late: settled after {_words(settling.now)} instead of {_words(settling.planned)};"
            f" after {_words(settling.half)} from {settling.until:%Y-%m-%d %H:%M}Z on if none is that late again"
        )
    if not isinstance(agenda, Following):
        return ""
    expected = agenda.sweeps.expected
    if expected.wide and expected.until is not None:
        return (
            f"records come late: looked for {_words(expected.now)} back instead of {_words(expected.planned)},"
            f" until {expected.until:%Y-%m-%d %H:%M}Z if none is that late again"
        )
    return ""


def _delivered_late(agenda: Agenda) -> str:
    """That they were delivered late to where they are read from: the mark waits for that, too."""
    delivery = agenda.delivery
    if delivery.wide and delivery.until is not None:
        return (
            f"records were delivered late: complete up to {_words(delivery.now)} before what was delivered instead of"
            f" {_words(delivery.planned)}; {_words(delivery.half)} from {delivery.until:%Y-%m-%d %H:%M}Z on"
            " if none is that late again"
        )
    return ""


def _unaudited(agenda: Agenda) -> str:
    """What could not be looked at again for records that came late."""
    spans = agenda.unaudited if isinstance(agenda, Following) else ()
    if not spans:
        return ""
    first, *others = spans
    end = f"{first.end:%H:%M:%S}Z" if first.end.date() == first.start.date() else f"{first.end:%Y-%m-%d %H:%M:%S}Z"
    more = f" and {len(others)} more" if others else ""
    failed = f"{first.start:%Y-%m-%d %H:%M:%S} to {end}{more} could not be read again for late records"
    return f"{failed}: tried twice, the next audit tries anew"


def _words(period: timedelta) -> str:
    """A period as people say it: 50 s, 1 min 15 s, 6 h, 1 h 30 min."""
    minutes, seconds = divmod(round(period.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (0 if hours else seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _owed(agenda: Agenda) -> str:
    """Why more is read than was asked for."""
    if agenda.owed_from is None:
        return ""
    return f"reading as well what an earlier run left unread, from {agenda.owed_from:%Y-%m-%d %H:%M}Z on"


def _lost(agenda: Agenda) -> str:
    """Why less is complete than was once shown to be."""
    if agenda.lost_to is None:
        return ""
    return f"reading again what a journal held that is lost; it was complete up to {agenda.lost_to:%Y-%m-%d %H:%M}Z"
