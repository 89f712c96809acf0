"""The dossiers of all secrets and principals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from heapq import nsmallest
from itertools import islice
from typing import TypeVar

from smwatch.dossier.again import Again
from smwatch.dossier.principal import PrincipalDossier
from smwatch.dossier.secret import SecretDossier
from smwatch.events.event import Arrival, Event, Likeness
from smwatch.events.principal import Principal
from smwatch.events.secret import Secret

DOSSIERS = 20_000
"""Secrets, and principals, that a dossier is kept of: whoever guesses names must not be able to fill the memory."""
KNOWN = 4096
"""Likenesses of which one more event is only counted."""

K = TypeVar("K")
V = TypeVar("V")
N = TypeVar("N", Secret, str)
D = TypeVar("D", SecretDossier, PrincipalDossier)


class Dossiers:
    """Notes events in the dossiers of their secrets and principals.

    Reads that are one more of the same are counted, and noted together before somebody looks: serves "ingest".
    """

    def __init__(self) -> None:
        self.secrets: dict[Secret, SecretDossier] = {}
        """As they stand, what has only been counted left out; so for the next."""
        self.principals: dict[str, PrincipalDossier] = {}
        self._again: dict[Likeness, Again] = {}
        self._about: defaultdict[Secret | str, dict[Likeness, None]] = defaultdict(dict)
        """Those of a secret, and of a principal by identity."""
        self._once: set[Likeness] = set()
        """Of events that were noted each by itself: most never come again, and to be ready to count one takes as long
        as to note it. Serves "ingest-varied"."""
        self._counted = False
        """Whether anything may have been counted that is not noted."""

    def note_all(self, arrivals: Iterable[Arrival]) -> None:
        """Take in events that were not noted before.

        Most are counted with one that came before them in the same hour: that is done here, without a call for each.
        Serves "ingest" and "cpu-1000".
        """
        known_as = self._again.get
        for arrival in arrivals:
            likeness = arrival.likeness
            if likeness is not None and (known := known_as(likeness)) is not None and known.times:
                key = arrival.event.key
                if known.begin <= key < known.end:
                    if key > known.last:
                        known.last = key
                    elif key < known.first:
                        known.first = key
                    known.times += 1
                    continue
            self.note(arrival)

    def note(self, arrival: Arrival) -> None:
        """Take in an event that was not noted before."""
        event, likeness = arrival.event, arrival.likeness
        call = event.call
        if likeness is not None:
            known = self._again.get(likeness)
            if known is not None and known.counts(event.key):
                self._counted = True
                return
            if call.read_only and not (call.error_code or call.error_message):
                if known is not None:
                    self._note_again(known)
                if known is not None or likeness in self._once:
                    self._count(arrival, likeness)
                    return
                if len(self._once) >= KNOWN:
                    self._once.clear()
                self._once.add(likeness)
        by = event.caller.principal
        (self.principals.get(by.identity) or self._new_principal(by)).note(arrival)
        if call.secret is not None:
            for secret in (call.secret, *call.others):
                (self.secrets.get(secret) or self._new_secret(secret)).note(arrival)

    def settle(self, about: Secret | str | None = None) -> None:
        """Note what has only been counted so far, of a secret, of a principal by identity, or of all."""
        if self._counted:
            for likeness in self._again if about is None else self._about.get(about, ()):
                self._note_again(self._again[likeness])
        self._counted = self._counted and about is not None

    def note_last(self) -> None:
        """Note of all when they were seen last, and nothing else of what has only been counted: `settle` takes 20 ms.

        Dossiers as they stand lack no secret, principal or value that one came with then; serves "longest stall of the
        event loop".
        """
        if not self._counted:
            return
        for known in self._again.values():
            if not known.times:
                continue
            event, last = known.event, known.last
            principal = self._principal(event)
            if last > principal.last_key:
                principal.last_key, principal.principal = last, event.principal
            if event.secret is not None:
                secret = self._secret(event.secret)
                if last > secret.last_key:
                    secret.last_key = last

    @property
    def settled_secrets(self) -> Mapping[Secret, SecretDossier]:
        """Dossiers of secrets, as all events have them."""
        return _Settled(self.secrets, self.settle)

    @property
    def settled_principals(self) -> Mapping[str, PrincipalDossier]:
        """Dossiers of principals by identity, as all events have them."""
        return _Settled(self.principals, self.settle)

    def forget(self, secrets: Container[Secret]) -> None:
        """Note what has been counted of secrets that are about to have other names, and count no more of it."""
        for likeness in [likeness for likeness, known in self._again.items() if known.event.secret in secrets]:
            self._forget(likeness)

    def replace(self, secrets: dict[Secret, SecretDossier], principals: dict[str, PrincipalDossier]) -> None:
        """Have these dossiers from now on, which all events so far are noted in."""
        self.settle()
        self._again.clear()
        self._about.clear()
        self._once.clear()
        self.secrets, self.principals = secrets, principals

    def _count(self, arrival: Arrival, likeness: Likeness) -> None:
        """Begin to count events that are like this one, with this one."""
        event = arrival.event
        if likeness not in self._again:
            if len(self._again) >= KNOWN:
                self._count_fewer()
            self._about[event.caller.principal.identity][likeness] = None
            if (secret := event.call.secret) is not None:
                self._about[secret][likeness] = None
        known = self._again[likeness] = Again.after(arrival)
        known.counts(event.key)
        self._counted = True

    def _count_fewer(self) -> None:
        """Count those no more that have come least of late; of the oldest, as to look at all takes too long."""
        oldest = sorted(islice(self._again.items(), KNOWN // 8), key=lambda each: (each[1].end, each[1].times))
        for likeness, _ in oldest[: KNOWN // 16]:
            self._forget(likeness)
        for likeness, known in oldest[KNOWN // 16 :]:  # whose turn is after the others'
            del self._again[likeness]
            self._again[likeness] = known

    def _forget(self, likeness: Likeness) -> None:
        known = self._again.pop(likeness)
        self._note_again(known)
        for about in (known.event.principal.identity, known.event.secret):
            if about is not None:
                del self._about[about][likeness]
                if not self._about[about]:
                    del self._about[about]

    def _note_again(self, known: Again) -> None:
        if known.times:
            event = known.event
            self._principal(event).note_again(known)
            if (secret := event.call.secret) is not None:
                self._secret(secret).note_again(known)
            known.times = 0

    def _principal(self, event: Event) -> PrincipalDossier:
        by = event.caller.principal
        return self.principals.get(by.identity) or self._new_principal(by)

    def _new_principal(self, principal: Principal) -> PrincipalDossier:
        _make_room(self.principals)
        dossier = self.principals[principal.identity] = PrincipalDossier(principal)
        return dossier

    def _secret(self, secret: Secret) -> SecretDossier:
        return self.secrets.get(secret) or self._new_secret(secret)

    def _new_secret(self, secret: Secret) -> SecretDossier:
        _make_room(self.secrets)
        dossier = self.secrets[secret] = SecretDossier(secret)
        return dossier


class _Settled(Mapping[K, V]):
    """Dossiers that are brought up to date when they are looked at: one, as all of them at once take 20 ms, or all."""

    def __init__(self, dossiers: dict[K, V], settle: Callable[[K | None], None]) -> None:
        self._dossiers, self._settle = dossiers, settle

    def __getitem__(self, name: K) -> V:
        self._settle(name)
        return self._dossiers[name]

    def __contains__(self, name: object) -> bool:
        return name in self._dossiers

    def __iter__(self) -> Iterator[K]:
        self._settle(None)
        return iter(self._dossiers)

    def __len__(self) -> int:
        return len(self._dossiers)


def _make_room(dossiers: dict[N, D]) -> None:
    """Forget a hundredth of the dossiers where there are too many: first what was seen once, long ago.

    No more in one go, and these picked instead of all put in order: serves "longest stall of the event loop".
    """
    if len(dossiers) >= DOSSIERS:
        seen = ((dossier.events, dossier.last_key, name) for name, dossier in dossiers.items())
        for _, _, name in nsmallest(DOSSIERS // 100 or 1, seen):
            del dossiers[name]
