"""Rules about what was never seen before wait until enough is known."""

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from smwatch.rules.times import TIMES
from tests import records
from tests.records import Identity
from tests.rules.judging import after, before, fired, judged, mine, of, ruled


def test_nothing_is_a_first_time_until_events_are_known_for_the_warmup() -> None:
    known = records.read("prod/a", by=records.user("alice"))
    early = records.read("prod/b", by=records.user("bob"), at=after(days=2, hours=23))
    late = records.read("prod/b", by=records.user("carol"), at=after(days=3, seconds=1))
    assert "SMW-READ-04" not in fired([known, early])
    assert "SMW-READ-04" in fired([known, early, late])


def weeks(*readers: Identity, secret: str = "prod/db", since: int = 20) -> list[Record]:
    """Each of these reads the secret every day."""
    return [
        records.read(secret, by=reader, at=before(days=day, minutes=n))
        for day in range(1, since + 1)
        for n, reader in enumerate(readers)
    ]


APP, WORKER, CAROL = records.role(), records.role("worker", "w-1"), records.user("carol")


def severity_for(happened: list[Record]) -> Severity:
    """How bad it is that Carol, who reads other secrets, reads this one."""
    own = [records.read("carol/own", by=CAROL, at=before(days=day)) for day in (18, 9)]
    everything = [*own, *happened, records.read(by=CAROL, at=after())]
    alarms = [
        of("SMW-READ-04", judged(order, batch=size)) for order in (everything, everything[::-1]) for size in (0, 1)
    ]
    carols = {next(alarm.severity for alarm in found if alarm.principal == "carol") for found in alarms}
    assert len(carols) == 1
    return carols.pop()


def test_a_new_reader_of_a_secret_that_had_the_same_ones_for_two_weeks_is_worse() -> None:
    assert severity_for(weeks(APP, WORKER)) is Severity.HIGH


def test_where_readers_come_and_go_one_more_is_no_worse() -> None:
    assert (
        severity_for([*weeks(APP, WORKER), records.read(by=records.role("blue"), at=before(days=5))]) is Severity.MEDIUM
    )
    assert severity_for(weeks(APP, WORKER, since=10)) is Severity.MEDIUM
    assert severity_for(weeks(APP, secret="prod/other")) is Severity.MEDIUM


def test_readers_that_read_all_the_time_are_the_same_ones_still() -> None:
    busy = [records.read(at=before(minutes=n)) for n in range(1, 2 * TIMES)]
    assert severity_for([*weeks(APP), *busy]) is Severity.HIGH


def test_what_is_new_is_so_after_a_batch_that_names_its_secrets() -> None:
    """Which is not like others: what was found out about it says nothing of the next event."""
    by_filter = [records.batch(at=before(days=4)), records.batch(by=records.role("ci"), at=after())]
    by_name = records.batch(["prod/a", "prod/b"], at=before(days=4, seconds=-1))
    happened = [by_filter[0], by_name, by_filter[1]]
    for order in (happened, happened[::-1], by_filter):
        (alarm,) = of("SMW-READ-02b", judged(order, batch=1))
        assert alarm.principal == "ci"


def test_each_event_is_new_until_what_counts_as_seen_was_seen() -> None:
    first = """first_seen = { of = ["identity"], within = "30d", fact = '{ $.eventName = "PutSecretValue" }' }"""
    rules = ruled(mine(first))
    happened = [*(records.read(at=after(n)) for n in range(0, 400, 7)), records.put(at=after(200))]
    happened.sort(key=lambda event: str(event["eventTime"]))
    for order in (happened, happened[::-1]):
        for size in (1, 0):
            (alarm,) = of("MINE", judged(order, rules, batch=size))
            assert (alarm.count, alarm.last_at) == (29, after(196))


def test_an_instance_that_leaves_its_vpc_endpoint_is_somewhere_new() -> None:
    within = {"vpcEndpointId": "vpce-0a1b2c3d4e5f60718", "sourceIPAddress": "10.0.3.7"}
    inside = [records.read(at=before(days=day), **within) for day in range(1, 5)]
    assert "SMW-READ-08" not in fired([*inside, records.read(at=after(), **within)])
    assert "SMW-READ-08" in fired([*inside, records.read(at=after(), sourceIPAddress="185.220.101.4")])
