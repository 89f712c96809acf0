"""Partial ARNs: what other records say decides, in whatever order they come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Named, Names, Secret
from smwatch.record import Record
from tests import records
from tests.records import ACCOUNT, REGION, arn


def secret(name: str) -> Secret:
    return Secret(ACCOUNT, REGION, name)


def names_after(*seen: Record) -> list[str]:
    """The name of each record's secret once all were read, folded where two were one, and read again if mistaken."""
    reader = Reader()
    found = names_read(reader, seen)
    if reader.mistaken:
        reader.mistaken = False
        found = names_read(reader, seen)
        assert not reader.mistaken
        assert reader.renamed() == ()
    return found


def names_read(reader: Reader, seen: Sequence[Record]) -> list[str]:
    """The same, however wrong."""
    found: list[Secret | None] = []
    for record in seen:
        found.append(reader.read(records.raw(record), seen_by=SeenBy.FILE, seen_at=records.AT).event.secret)
        for wrong, right in reader.renamed():
            found = [right if one == wrong else one for one in found]
    return [one.name if one else "" for one in found]


def partial(name: str) -> str:
    return arn(name)[:-7]


@pytest.mark.parametrize("name", ["my-secret", "db-Master", "app-APIKEY", "report-202611", "db-grafna", "x-ZZZZZZ"])
def test_an_ending_that_is_a_word_or_a_date_belongs_to_the_name(name: str) -> None:
    assert names_after(records.read(partial(name))) == [name]


@pytest.mark.parametrize("suffix", ["Ab12Cd", "agQuim", "ZZZZZ9", "a1b2c3"])
def test_an_ending_that_looks_random_is_the_suffix(suffix: str) -> None:
    assert names_after(records.read(arn("db", suffix))) == ["db"]


ODD = "payments-zZqzz1"
"""A name that ends as if it were a complete ARN's."""

EVIDENCE = {
    "a read by name": records.read(ODD),
    "its creation": records.create(ODD),
    "a write, answered with ARN and name": records.put(ODD),
    "a read of the complete ARN": records.read(arn(ODD, "Ab12Cd")),
    "KMS": records.kms(arn(ODD, "Ab12Cd")),
    "a service event": records.service_event("RotationStarted", arn(ODD, "Ab12Cd")),
}


@pytest.mark.parametrize("evidence", EVIDENCE.values(), ids=EVIDENCE)
def test_any_other_name_of_the_secret_settles_a_partial_arn_before_and_after(evidence: Record) -> None:
    read = records.read(partial(ODD))
    for order in permutations([read, evidence, records.read(partial(ODD), id="again")]):
        assert names_after(*order) == [ODD] * 3


def test_a_call_that_failed_is_no_evidence() -> None:
    missing = records.read_missing(ODD)
    assert names_after(missing, records.read(partial(ODD))) == [ODD, "payments"]
    assert names_after(records.denied(ODD), records.read(partial(ODD))) == [ODD, "payments"]


def test_a_complete_arn_is_believed_though_its_suffix_looks_like_a_date() -> None:
    read = records.read(arn("db", "202611"))
    assert names_after(read) == ["db-202611"]
    for order in permutations([read, records.kms(arn("db", "202611"))]):
        assert names_after(*order) == ["db", "db"]


def test_a_known_secret_is_never_folded_into_another() -> None:
    reader = Reader()
    for record in (records.read("payments"), records.read(partial(ODD)), records.create(ODD)):
        reader.read(records.raw(record), seen_by=SeenBy.FILE, seen_at=records.AT)
    assert reader.renamed() == ()
    assert reader.mistaken
    again = reader.read(records.raw(records.read(partial(ODD), id="x")), seen_by=SeenBy.FILE, seen_at=records.AT)
    assert again.event.secret == secret(ODD)


def test_renames_are_told_once() -> None:
    reader = Reader()
    for record in (records.read(partial(ODD)), records.create(ODD)):
        reader.read(records.raw(record), seen_by=SeenBy.FILE, seen_at=records.AT)
    assert reader.renamed() == ((secret("payments"), secret(ODD)),)
    assert reader.renamed() == ()


def test_a_secret_made_anew_under_its_name_is_the_same_secret() -> None:
    first, second = records.arn("db", "Ab12Cd"), records.arn("db", "Xy34Zw")
    assert names_after(records.read(first), records.read(second), records.read("db")) == ["db"] * 3


def test_names_in_other_regions_and_accounts_are_other_secrets() -> None:
    elsewhere = records.create(ODD, region="us-east-1")
    assert names_after(records.read(partial(ODD)), elsewhere)[0] == "payments"


names = st.text("abAB12/-_", min_size=1, max_size=5)
suffixes = st.text("abcXYZ019", min_size=6, max_size=6)


@given(name=names, suffix=suffixes, order=st.permutations(["name", "complete", "kms", "create"]))
def test_all_names_of_a_secret_are_one_in_any_order(name: str, suffix: str, order: list[str]) -> None:
    complete = arn(name, suffix)
    shapes = {
        "name": records.read(name),
        "complete": records.read(complete),
        "kms": records.kms(complete),
        "create": records.create(name, suffix),
    }
    assert names_after(*(shapes[shape] for shape in order)) == [name] * 4


WORLD = {
    "prod/db": "Ab12Cd",
    "prod/db-grafna": "xY34zW",
    "prod/db-Master": "qqqqqq",
    "app": "grafna",
    "app-reader": "0aB1cD",
    "my": "Zz9Yy8",
    "my-s3cReT": "1aA2bB",
    "my-s3cReT-q1W2e3": "s3cReT",
    "x": "s3cReT",
    "x-s3cReT": "x1X2x3",
}
"""Secrets of which some are named like the others' ARNs, with the suffixes that AWS has given them."""


def spelled(name: str, way: str, number: int) -> Record:
    complete = arn(name, WORLD[name])
    more: dict[str, Any] = {"id": f"{number:08}-0000-4000-8000-000000000000"}
    match way:
        case "name":
            return records.read(name, **more)
        case "refused name":
            return records.denied(name, **more)
        case "partial":
            return records.read(complete[:-7], **more)
        case "refused partial":
            return records.denied(complete[:-7], **more)
        case "complete":
            return records.read(complete, **more)
        case "refused complete":
            return records.denied(complete, **more)
        case "refused ending":
            return records.read_missing(f"{name}-{WORLD[name]}", **more)
        case _:
            return records.kms(complete, **more)


WAYS = ("name", "refused name", "partial", "refused partial", "complete", "refused complete", "refused ending", "told")
SPELLINGS = st.tuples(st.sampled_from(list(WORLD)), st.sampled_from(WAYS))
MINE = st.tuples(st.sampled_from([name for name in WORLD if name.startswith(("my", "x"))]), st.sampled_from(WAYS))


@given(st.lists(MINE, min_size=2, max_size=4))
def test_every_order_gives_the_same_names(ways: list[tuple[str, str]]) -> None:
    seen = [spelled(name, way, number) for number, (name, way) in enumerate(ways)]
    expected = dict(enumerate(names_after(*seen)))
    for order in permutations(range(len(seen))):
        assert dict(zip(order, names_after(*(seen[number] for number in order)), strict=True)) == expected


def test_a_partial_arn_of_one_of_two_secrets_is_of_the_longer_once_that_is_known() -> None:
    typed, short, long = records.read(partial("my-s3cReT")), records.read("my"), records.read("my-s3cReT")
    for order in permutations([(typed, "my-s3cReT"), (short, "my"), (long, "my-s3cReT")]):
        assert names_after(*(record for record, _ in order)) == [name for _, name in order]


@given(st.lists(SPELLINGS | MINE, min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_which_secret_is_meant_does_not_depend_on_what_comes_first(ways: list[tuple[str, str]], rng: Random) -> None:
    seen = [spelled(name, way, number) for number, (name, way) in enumerate(ways)]
    expected = dict(enumerate(names_after(*seen)))
    for _ in range(4):
        order = list(range(len(seen)))
        rng.shuffle(order)
        found = names_after(*(seen[number] for number in order))
        assert dict(zip(order, found, strict=True)) == expected


@given(
    st.permutations(
        [
            (name, way)
            for name in ("prod/db", "prod/db-grafna", "app")
            for way in ("partial", "name", "complete", "told")
        ]
    )
)
def test_once_aws_has_told_each_arn_every_name_is_right(ways: list[tuple[str, str]]) -> None:
    seen = [spelled(name, way, number) for number, (name, way) in enumerate(ways)]
    assert names_after(*seen) == [name for name, _ in ways]


def test_only_the_calls_about_a_secret_that_turns_out_to_be_another_are_worked_out_anew() -> None:
    reader = Reader()
    others = [records.read(f"other-{number}") for number in range(5)]
    for record in (*others, records.read(partial(ODD))):
        reader.read(records.raw(record), seen_by=SeenBy.FILE, seen_at=records.AT)
    before = {call.secret: number for call, number in reader._known.calls.values()}
    reader.read(records.raw(records.create(ODD)), seen_by=SeenBy.FILE, seen_at=records.AT)
    assert reader.renamed() == ((secret("payments"), secret(ODD)),)
    for record in (*others, records.read(partial(ODD))):
        reader.read(records.raw(record), seen_by=SeenBy.FILE, seen_at=records.AT)
    after = {call.secret: number for call, number in reader._known.calls.values() if call.name == "GetSecretValue"}
    assert {about: number for about, number in after.items() if about != secret(ODD)} == {
        about: number for about, number in before.items() if about != secret("payments")
    }
    assert secret("payments") not in after


def test_a_name_in_use_can_be_set_right_however_many_others_have_come_since() -> None:
    changed: list[Secret | None] = []
    known = Names(changed=changed.append, remember=4)
    typed = Named(partial(ODD))
    assert known.secret(typed, ACCOUNT, REGION) == secret("payments")
    for number in range(40):
        known.secret(Named("", f"other-{number}", exists=number % 2 == 0), ACCOUNT, REGION)
        assert known.secret(typed, ACCOUNT, REGION) == secret("payments")
    changed.clear()
    known.secret(Named("", ODD, exists=True), ACCOUNT, REGION)
    assert known.secret(typed, ACCOUNT, REGION) == secret(ODD)
    assert secret("payments") in changed
    assert known.renamed() == ((secret("payments"), secret(ODD)),)
