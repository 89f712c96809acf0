"""The event: what every row, filter and rule header needs of one CloudTrail record."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

import msgspec

from smwatch.events.call import Call, Caller
from smwatch.events.header import Header, quick_header, unwrapped, whole
from smwatch.events.principal import Principal
from smwatch.events.secret import Secret
from smwatch.record import Record, decode

ID_BITS = 128
ACCOUNT_BITS = 40
ID_MASK = (1 << ID_BITS) - 1

ADDRESS = "0123456789abcdef.:"
"""The characters of IP addresses."""
ACCESS_KEY = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The characters of access keys."""
UNREADABLE = "(unreadable)"
"""The name of an event whose text is not a JSON object."""


class SeenBy(StrEnum):
    """Which kind of source brought an event first."""

    CLOUDTRAIL = "cloudtrail"
    LOGS = "logs"
    LIVE_TAIL = "live_tail"
    FILE = "file"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One CloudTrail record, reduced to what is shown, searched and counted; the record itself stays in the journal.

    All texts are the attacker's to choose and are made harmless only where they are drawn. What belongs to the call or
    the caller can be asked of the event, too; a loop over many asks `call` and `caller`, in a third of the time.
    """

    key: int
    """Sorts by (eventTime, eventID, recipient account) and is unique: seconds, then ID_BITS, then ACCOUNT_BITS."""
    call: Call
    caller: Caller
    seen_by: SeenBy
    seen_at: datetime
    """When smwatch first saw the event, by the server's clock (aware UTC)."""
    odd_id: str = ""
    """The eventID where it is not the UUID in the key; see `id` and `corrects`."""

    @property
    def id(self) -> str:
        """The eventID."""
        if self.odd_id:
            return self.odd_id
        return uuid_of(self.key)

    @property
    def corrects(self) -> str:
        """The eventID of the record that this one supersedes (its addendum says so): both have one key, and count once.

        A correction has the key of what it corrects and its own eventID beside it; a UUID is not odd otherwise.
        """
        odd = self.odd_id
        return str(UUID(int=self.key >> ACCOUNT_BITS & ID_MASK)) if len(odd) == 36 and _canonical(odd) else ""

    @property
    def own_key(self) -> int:
        """The key that no other record has: a correction's own eventID in the place of the one it corrects."""
        if not self.odd_id or not self.corrects:
            return self.key
        return self.key + (UUID(self.odd_id).int - (self.key >> ACCOUNT_BITS & ID_MASK) << ACCOUNT_BITS)

    def about(self, secret: Secret | None, others: tuple[Secret, ...], secret_arn: str, text: str) -> Event:
        """The same event with another secret, other further ones, ARN and search text of its call."""
        return msgspec.structs.replace(self, call=self.call.about(secret, others, secret_arn, text))

    def moved(self, seconds: int) -> Event:
        """The same event under the second of the record that it corrects, or is corrected by: both have one key."""
        return msgspec.structs.replace(self, key=(seconds - self.seconds << ID_BITS + ACCOUNT_BITS) + self.key)

    @property
    def at(self) -> datetime:
        """The eventTime (aware UTC, one-second resolution); the epoch where a record has none."""
        return datetime.fromtimestamp(self.key >> (ID_BITS + ACCOUNT_BITS), UTC)

    @property
    def seconds(self) -> int:
        """The eventTime in seconds since the epoch."""
        return self.key >> (ID_BITS + ACCOUNT_BITS)

    @property
    def name(self) -> str:
        """See Call."""
        return self.call.name

    @property
    def source(self) -> str:
        """See Call."""
        return self.call.source

    @property
    def secret(self) -> Secret | None:
        """See Call."""
        return self.call.secret

    @property
    def others(self) -> tuple[Secret, ...]:
        """See Call."""
        return self.call.others

    @property
    def secret_arn(self) -> str:
        """See Call."""
        return self.call.secret_arn

    @property
    def error_code(self) -> str:
        """See Call."""
        return self.call.error_code

    @property
    def error_message(self) -> str:
        """See Call."""
        return self.call.error_message

    @property
    def read_only(self) -> bool:
        """See Call."""
        return self.call.read_only

    @property
    def principal(self) -> Principal:
        """See Caller."""
        return self.caller.principal

    @property
    def account(self) -> str:
        """See Caller."""
        return self.caller.account

    @property
    def region(self) -> str:
        """See Caller."""
        return self.caller.region

    @property
    def user_agent(self) -> str:
        """See Caller."""
        return self.caller.came.user_agent

    @property
    def source_ip(self) -> str:
        """See Caller."""
        return self.caller.came.source_ip

    @property
    def access_key(self) -> str:
        """See Caller."""
        return self.caller.came.access_key

    @property
    def failed(self) -> bool:
        """Whether the call did not succeed (service events such as RotationFailed carry a message but no code)."""
        call = self.call
        return bool(call.error_code or call.error_message)

    @property
    def text(self) -> str:
        """Lower-case search text of every field but the eventID: `word in event.text` is the whole text filter.

        Made on each use, for a text of its own would be most of an event's memory. A loop over many events tests the
        parts instead, cheapest and most telling first, with the same result for a word without line breaks:
        `word in call.text or word in caller.text`, then `word in came.source_ip` if all of the word is of ADDRESS, and
        `word.upper() in came.access_key` if it is of ASCII letters and digits: an address or access key that has other
        characters is part of `caller.text`.
        """
        caller, came = self.caller, self.caller.came
        return f"{self.call.text}\n{caller.text}\n{came.source_ip}\n{came.access_key}".lower()


def uuid_of(key: int) -> str:
    """The UUID in an event's key: its eventID, where that is one."""
    digits = (key >> ACCOUNT_BITS & ID_MASK).to_bytes(ID_BITS // 8)
    return f"{digits[:4].hex()}-{digits[4:10].hex('-', 2)}-{digits[10:].hex()}"


def _canonical(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


CALLER_BITS = 48
"""The lower ones of a Likeness, which number the caller, and are more than it takes; the others number the call."""
Likeness: TypeAlias = int
"""Equal ones belong to events that say the same of the call and the caller, in all that a Header has of them but for
times and ids: the events are equal in all but their keys, and who saw them when.

It holds for events as their reader has made them: one that is given another secret has none any more.
"""


class Arrival(msgspec.Struct, gc=False, eq=False):
    """An event on its way through the program, still with its JSON text."""

    # Most records are never decoded: another scan brought the event before, or nothing asks about it. So this is made
    # without its record, and is the one value here that is not frozen. Few are asked for their header, either, and
    # those mostly whose call or caller is new to the reader, which keeps it with them: kept with each, headers push out
    # of the processor's caches what comes next (see "ingest").

    event: Event
    raw: str
    """The untouched JSON text."""
    decoded: Record | None = None
    """The record where its text is out of the ordinary, so that it had to be decoded to be read."""
    _header: Header | None = None
    _record: Record | None = None
    shared_id: str = ""
    """sharedEventID: what the records that several accounts have of one call have in common."""
    moved: bool = False
    """Whether the event's key lies at another second than its record says; see `Event.moved`."""
    counted_as: int = 0
    """The key of another account's record of the same call that it is counted with; 0: it counts by itself."""
    likeness: Likeness | None = None
    """What it shares with events that are one more of the same: see there. None for one that is better looked at alone.
    """

    @property
    def header(self) -> Header | None:
        """What is read of the record without decoding it; None where it had to be decoded."""
        if self.decoded is not None:
            return None
        header = self._header
        if header is None:
            header = self._header = quick_header(self.raw)
        if header is None:
            return None
        identity: object = header.identity  # mostly it is read, as a header is asked for twice: serves "rules-varied"
        return whole(header) if isinstance(identity, msgspec.Raw) else header

    @property
    def record(self) -> Record:
        """The decoded record, without an EventBridge envelope around it; empty for what is not a JSON object."""
        if self.decoded is not None:
            return self.decoded
        if self._record is None:
            try:
                self._record = unwrapped(decode(self.raw))
            except ValueError:
                self._record = {}
        return self._record
