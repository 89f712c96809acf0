"""Records to measure with: repeatable, quickly made, in the mix and the sizes of a busy account.

`python -m tests.bench.traffic KIND COUNT SEED` writes so many of them, a line each.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.filter import Context, Filter, parse
from smwatch.record import Record
from smwatch.sources.coverage import Coverage
from smwatch.sources.source import Found, Page, Status
from smwatch.store.store import Store
from tests import records
from tests.records import AT

PAGE = 1_000
"""Records in a page of a source."""
CALLERS = 150
"""Roles and users at work."""
PERSON, USER = 43, 20
"""Three callers are people in the console, six have the long-term key of an IAM user: none of them the busiest, as all
of their reads are evidence of an alarm."""
RENEWED_EVERY = 50_000
"""Records after which sessions, access keys and addresses are others than before: one caller's after the other's."""

_TIME, _REQUEST, _ID = "\x01time\x01", "\x01request\x01", "\x01id\x01"
_TEAMS = ("payments", "orders", "search", "billing", "ci")
_AGENTS = (
    records.BOTO,
    "aws-sdk-go-v2/1.30.3 ua/2.1 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#arm64 api/secretsmanager#1.32.4",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.63.1",
    "aws-cli/2.17.30 md/awscrt#0.21.2 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.9 md/prompt#off",
)


_Shape = tuple[str, str, str, str]
"""The text of a record around the three fields that differ each time."""


class Traffic:
    """An endless stream of records in the order of their times, the same for the same seed."""

    def __init__(self, seed: int = 1, *, start: datetime = AT, per_second: float = 20.0) -> None:
        self._random = Random(seed)
        self._start = start
        self._per_second = per_second
        self._made = 0
        self._callers = list(map(self._caller, range(CALLERS)))
        self._shapes_of: list[list[_Shape]] = [list(map(_cut, self._records(number))) for number in range(CALLERS)]
        self._shapes = list(chain.from_iterable(self._shapes_of))

    def texts(self, count: int) -> list[str]:
        """The next records as CloudTrail writes them, 1.3 kB each on average."""
        return [self._text() for _ in range(count)]

    def _text(self) -> str:
        renewal, rest = divmod(self._made, RENEWED_EVERY // CALLERS)
        if renewal and not rest:
            number = renewal % CALLERS
            self._shapes_of[number] = list(map(_cut, self._records(number)))
            self._shapes = list(chain.from_iterable(self._shapes_of))
        random = self._random
        # The square makes some callers a hundred times busier than others.
        before, middle, after, end = self._shapes[int(random.random() ** 2 * len(self._shapes))]
        at = self._start + timedelta(seconds=int(self._made / self._per_second))
        self._made += 1
        moment = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{before}{moment}{middle}{_uuid(random)}{after}{_uuid(random)}{end}"

    def _records(self, number: int) -> Iterator[Record]:
        """A record for each combination of one of a caller's sessions and a call."""
        random = self._random
        team, secrets, agent = self._callers[number]
        for _ in range(random.choice((1, 2, 4, 8))):
            by = self._session(number, f"{team}-{number}")
            address = f"10.{random.randrange(4)}.{random.randrange(256)}.{random.randrange(256)}"
            more: dict[str, Any] = {"by": by, "eventTime": _TIME, "requestID": _REQUEST, "eventID": _ID}
            direct = more | {"sourceIPAddress": address, "userAgent": agent}
            for secret in secrets:
                name = records.arn(secret) if number % 3 else secret
                yield from [records.read(name, **direct)] * 7
                yield from [records.describe(name, **direct)] * 2
                yield records.kms(secret, **more)
            if number % 20 == 0:
                yield records.listing(**direct)
                yield records.put(secrets[0], **direct)
            if number % 30 == 0:
                yield records.read_missing("prod/gone", **direct)
                yield records.denied(f"test/{team}/db", **direct)

    def _caller(self, number: int) -> tuple[str, list[str], str]:
        """Its team, its secrets and its user agent: most callers read few secrets, the same ones for ever."""
        team = self._random.choice(_TEAMS)
        secrets = [f"prod/{team}/db-{self._random.randrange(60)}" for _ in range(self._random.choice((1, 1, 2, 5)))]
        return team, secrets, records.CONSOLE if number % 50 == PERSON else self._random.choice(_AGENTS)

    def _session(self, number: int, name: str) -> records.Identity:
        if number % 50 == PERSON:
            return records.sso(f"{name}@example.com")
        if number % 25 == USER:
            return records.user(name)
        session = f"i-{self._random.getrandbits(68):017x}"
        return records.role(name, session, key=f"ASIA{self._random.getrandbits(64):016X}")


class Trouble:
    """An endless stream of records, one of six of them a read: the others are refused, fail, write, or ask about."""

    CALLERS, SECRETS, PER_SECOND = 40, 60, 20.0
    CALLS: Sequence[Callable[..., Record]] = (
        records.read,
        records.denied,
        records.read_missing,
        records.read_deleted,
        records.put,
        records.describe,
    )

    def __init__(self, seed: int = 1, *, start: datetime = AT) -> None:
        self._random = Random(seed)
        self._start = start
        self._made = 0

    def texts(self, count: int) -> list[str]:
        """The next records: the callers go through the secrets, each at random."""
        return [self._text() for _ in range(count)]

    def _text(self) -> str:
        random = self._random
        number, call = random.randrange(self.CALLERS), random.choice(self.CALLS)
        at = self._start + timedelta(seconds=int(self._made / self.PER_SECOND))
        self._made += 1
        by, secret = records.role(f"app-{number}", f"task-{number}"), random.randrange(self.SECRETS)
        return records.raw(call(f"prod/{_TEAMS[secret % 5]}/any-{secret}", by=by, at=at, id=_uuid(random)))


class AtRandom(Trouble):
    """The same as records are when they are made up: four of five are a read, by any caller, of any secret.

    Each caller so reads a hundred secrets an hour, which is an alarm of each that stands open all the time.
    """

    CALLERS, SECRETS, PER_SECOND = 36, 180, 1.2
    CALLS = (*[records.read] * 40, *[records.describe] * 6, *[records.put] * 3, records.denied)


class Varied:
    """An endless stream of records by hundreds of principals that go through thousands of secrets, few of them refused.

    Each has a handful of its own, and comes to any other one with every tenth call. Some principals are a hundred times
    busier than others, and each calls from a score of addresses.
    """

    PRINCIPALS = 400
    SECRETS = 3_000
    HANDFULS = (1, 2, 3, 8, 20)
    ADDRESSES = 20
    RENEWED_EVERY = 50
    """Records after which a session of some principal is another one, with another access key."""
    _CALLS = (*[records.read] * 4, records.describe, records.kms)
    _ODD = (records.denied, records.denied, records.read_missing, records.put, records.put)

    def __init__(self, seed: int = 1, *, start: datetime = AT, per_second: float = 20.0) -> None:
        self._random = random = Random(seed)
        self._start = start
        self._per_second = per_second
        self._made = 0
        self._secrets = [f"{random.choice(('prod', 'stage'))}/{_TEAMS[n % 5]}/db-{n}" for n in range(self.SECRETS)]
        self._handfuls = [random.sample(self._secrets, random.choice(self.HANDFULS)) for _ in range(self.PRINCIPALS)]
        self._sessions = [list(map(self._session, [number] * random.choice((1, 1, 2, 4)))) for number in self._numbers]

    @property
    def _numbers(self) -> range:
        return range(self.PRINCIPALS)

    def texts(self, count: int) -> list[str]:
        """The next records, 1.3 kB each on average; two of a hundred are refused, fail or write."""
        return [self._text() for _ in range(count)]

    def _text(self) -> str:
        random = self._random
        if self._made % self.RENEWED_EVERY == 0:
            number = random.choice(self._numbers)
            self._sessions[number][-1] = self._session(number)
        number = int(random.random() ** 2 * self.PRINCIPALS)
        secret = random.choice(self._handfuls[number] if random.random() < 0.9 else self._secrets)
        fields: dict[str, Any] = {
            "by": random.choice(self._sessions[number]),
            "at": self._start + timedelta(seconds=int(self._made / self._per_second)),
            "id": _uuid(random),
        }
        direct = fields | {
            "sourceIPAddress": f"10.{number % 4}.{number // 4}.{random.randrange(self.ADDRESSES)}",
            "userAgent": records.CONSOLE if number % 50 == PERSON else _AGENTS[number % len(_AGENTS)],
        }
        self._made += 1
        kind = random.random()
        if kind < 0.02:
            return records.raw(records.listing(**direct))
        if kind < 0.04:
            return records.raw(records.batch(self._handfuls[number], **direct))
        call = random.choice(self._CALLS if kind < 0.98 else self._ODD)
        name = secret if number % 3 else records.arn(secret)
        return records.raw(call(name, **(fields if call is records.kms else direct)))

    def _session(self, number: int) -> records.Identity:
        name, random = f"{_TEAMS[number % len(_TEAMS)]}-{number}", self._random
        if number % 50 == PERSON:
            return records.sso(f"{name}@example.com")
        if number % 25 == USER:
            return records.user(name, key=f"AKIA{number:016X}")
        return records.role(name, f"i-{random.getrandbits(68):017x}", key=f"ASIA{random.getrandbits(64):016X}")


AnyTraffic: TypeAlias = Traffic | Trouble | Varied


class Pages:
    """A source that has these records, and says no more."""

    name = label = "pages"
    seen_by = SeenBy.LOGS

    def __init__(self, texts: Sequence[str]) -> None:
        self._pages = [
            Page(self.name, self.seen_by, tuple(map(Found, texts[start : start + PAGE])), AT)
            for start in range(0, len(texts), PAGE)
        ]

    async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        """Yield them."""
        for page in self._pages:
            yield page

    read_once = follow

    async def close(self) -> None:
        """Nothing is held."""


def arrivals(texts: Sequence[str]) -> list[Arrival]:
    """The records as the store takes them."""
    reader = Reader()
    return [reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT) for text in texts]


def filtering(text: str, store: Store) -> Filter:
    """What is typed after `/`."""
    return parse(text, Context(record_of=lambda _: {}, levels=store.levels))


def trail_files(directory: Path, count: int, *, each: int = 5_000) -> list[Path]:
    """Write so many records as trail files (.json.gz), as delivered to S3, and return their paths."""
    traffic, paths = Traffic(), []
    for number, start in enumerate(range(0, count, each)):
        body = ",".join(traffic.texts(min(each, count - start)))
        path = directory / f"{number:05}.json.gz"
        path.write_bytes(gzip.compress(b'{"Records":[' + body.encode() + b"]}", 6, mtime=0))
        paths.append(path)
    return paths


def _cut(record: Record) -> _Shape:
    """The text around the three fields that differ from record to record."""
    text = records.raw(record)
    before, _, rest = text.partition(_escaped(_TIME))
    middle, _, rest = rest.partition(_escaped(_REQUEST))
    after, _, end = rest.partition(_escaped(_ID))
    return before, middle, after, end


def _escaped(mark: str) -> str:
    return mark.replace("\x01", "\\u0001")


def _uuid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def main() -> None:
    """See above."""
    kind, count, seed = sys.argv[1:]
    traffic: AnyTraffic = KINDS[kind](int(seed))
    for start in range(0, int(count), PAGE):
        print(*traffic.texts(min(PAGE, int(count) - start)), sep="\n")


KINDS: Mapping[str, Callable[[int], AnyTraffic]] = {
    kind.__name__: kind for kind in (Traffic, Varied, AtRandom, Trouble)
}

if __name__ == "__main__":
    main()
