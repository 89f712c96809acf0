"""The filter language: what is kept, what is refused, and that fast ways agree with slow ones."""

from math import ceil
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.events.call import Came
from smwatch.events.event import Event
from smwatch.filter import Context, FilterError, check_values, parse, terms
from smwatch.filter.glob import Glob
from smwatch.filter.user import User
from smwatch.record import Record
from tests import records
from tests.rules.judging import counting_calls

RECORDS: tuple[Record, ...] = (
    records.read("prod/db"),
    records.read(records.arn("prod/payments/db"), by=records.user("alice")),
    records.read("dev/db", by=records.role("lambda-role", "lambda-session"), sourceIPAddress="2001:db8::17"),
    records.read_deleted("prod/db", by=records.sso()),
    records.read_missing("gone"),
    records.denied("prod/db", by=records.user("mallory", key="AKIAMALLORYEXAMPLE11")),
    records.delete("prod/db", by=records.root()),
    records.put("dev/db", region="us-east-1"),
    records.batch(["prod/db", "dev/db"]),
    records.batch(),
    records.listing(userAgent="aws-cli/2.31 (linux)"),
    records.rotation_failed("prod/db"),
    records.kms("prod/db"),
    records.read("prod/db", account="999988887777", id="NOT-A-UUID-12345678"),
    records.read("prod/Straße", id="deadbeef-0000-4000-8000-00000000cafe"),
    {},
)
EVENTS = sorted((records.event(record) for record in RECORDS), key=lambda event: event.key)
RECORD_OF = {records.event(record).key: record for record in RECORDS}
LEVELS = {EVENTS[3].key, EVENTS[5].key}
CONTEXT = Context(record_of=lambda event: RECORD_OF[event.key], levels=LEVELS)


def kept(text: str, **more: Any) -> list[Event]:
    chosen = parse(text, CONTEXT, **more)
    assert chosen.select(EVENTS) == [event for event in EVENTS if chosen(event)]
    return chosen.select(EVENTS)


def names(text: str, **more: Any) -> set[str]:
    return {event.name for event in kept(text, **more)}


@pytest.mark.parametrize("text", ["", "   ", "name:", "-name:", "-", '"', 'name:"', "name:,", '-""'])
def test_what_is_empty_or_half_typed_keeps_everything(text: str) -> None:
    assert kept(text) == EVENTS
    assert parse(text, CONTEXT).description == "everything"


@pytest.mark.parametrize(
    ("text", "typing", "named"),
    [
        ("name:", False, "name:"),
        ("error -user:", False, "-user:"),
        ("name:,", False, "name:"),
        ("secret: prod/db", False, "secret:"),
        ("secret: prod/db", True, "secret:"),
        ("error name:", True, None),
        *((text, False, None) for text in ("", "-", '"', 'name:""', "name:Get*", "http:", "{ $.a = name: }")),
    ],
)
def test_a_field_without_a_value_is_refused_where_it_is_not_being_typed(
    text: str, typing: bool, named: str | None
) -> None:
    if named is None:
        check_values(text, typing=typing)
        return
    with pytest.raises(FilterError, match=f"^“{named}” has no value") as caught:
        check_values(text, typing=typing)
    assert caught.value.position == text.index(named)


def test_a_bare_word_is_searched_for_everywhere_without_regard_to_case() -> None:
    assert kept("MALLORY") == [event for event in EVENTS if "mallory" in event.text]
    assert len(kept("aKiaMalloRY")) == 1
    assert len(kept("2001:DB8")) == 1
    assert len(kept("straSSE")) == 0
    assert len(kept("STRAße")) == 1


@pytest.mark.parametrize(
    "word", ["aws internal", "0.0.1, 10", "-", "****", "akia", "K*", "10.0.0", "2001:db8", "ß", "ſ"]
)
def test_a_word_is_found_in_odd_addresses_and_access_keys_too(word: str) -> None:
    addresses = ("AWS Internal", "10.0.0.1, 10.0.0.2", "-", "10.0.0.1", "2001:DB8::1", "2001:db8::1", "STRASSE", "s")
    keys = ("AKIA****", "akiamallory", "AKIAMALLORYEXAMPLE11", "SS", "")
    given = [
        records.event(records.read(by=records.user(key=key), sourceIPAddress=address))
        for address in addresses
        for key in keys
    ]
    assert parse(f'"{word}"', CONTEXT).select(given) == [event for event in given if word.lower() in event.text]


@pytest.mark.parametrize("text", ["mallory", "-db", "user:mall*", "-user:alice", "secret:prod/*", "ip:203.*"])
def test_what_many_events_share_is_asked_about_once(text: str) -> None:
    chosen = parse(text, CONTEXT)
    _, calls = counting_calls(lambda: chosen.select(EVENTS))
    events = [msgspec.structs.replace(event, key=event.key + i) for i in range(500) for event in EVENTS]
    anew = parse(text, CONTEXT)
    kept, again = counting_calls(lambda: anew.select(events))
    assert kept == [event for event in events if chosen(event)]
    assert again <= calls + 500  # a generator for each batch of secrets


def test_terms_are_anded_and_a_hyphen_excludes() -> None:
    both = kept("prod error -root")
    assert both
    assert both == [e for e in EVENTS if "prod" in e.text and e.failed and "root" not in e.text]


def test_a_name_is_the_whole_name() -> None:
    assert names("name:GetSecretValue") == {"GetSecretValue"}
    assert names("name:getsecretvalue") == {"GetSecretValue"}
    assert names("name:*GetSecretValue") == {"GetSecretValue", "BatchGetSecretValue"}
    assert names("name:GetSecret") == set()
    assert "GetSecretValue" not in names("-name:GetSecretValue")


def test_the_value_being_typed_may_still_grow() -> None:
    assert names("name:GetSecret", typing=True) == {"GetSecretValue"}
    assert names("name:GetSecret ", typing=True) == set()
    assert names("name:Del,GetSecret", typing=True) == {"GetSecretValue"}
    assert names("name:DeleteSecret,Roll", typing=True) == {"DeleteSecret"}


def test_a_comma_lists_alternatives() -> None:
    assert names("name:DeleteSecret,Put*") == {"DeleteSecret", "PutSecretValue"}
    assert names("-name:Get*,Batch*,").isdisjoint({"GetSecretValue", "BatchGetSecretValue"})


def test_a_secret_is_known_by_an_arn_whose_suffix_is_being_typed_and_by_that_of_a_policy() -> None:
    arn = records.arn("prod/db")
    found = kept(f"secret:{arn}")
    assert found
    for end in range(len(arn) - 6, len(arn) + 1):  # from the hyphen on
        assert kept(f"secret:{arn[:end]}", typing=True) == found
    assert kept(f"secret:{arn[:-6]}*") == found


def test_a_secret_is_known_by_name_folder_and_arn() -> None:
    of_db = [event for event in EVENTS if event.secret is not None and event.secret.name == "prod/db"]
    assert kept("secret:prod/db") == of_db
    assert kept("secret:prod/") == kept("secret:prod/*")
    for arn in (records.arn("prod/db"), records.arn("prod/db")[:-7], "arn:aws:*:secret:prod/db"):
        found = kept(f"secret:{arn}")
        assert found
        assert all(event in of_db for event in found)
    assert all(event.secret is None for event in kept("-secret:*"))


def test_the_further_secrets_of_a_batch_count_too() -> None:
    assert "BatchGetSecretValue" in names("secret:dev/db")


@pytest.mark.parametrize(
    "text",
    [
        "user:mallory",
        "user:arn:aws:iam::111122223333:user/mallory",
        "user:AKIAMALLORY*",
        "user:MALL?RY",
    ],
)
def test_a_user_is_known_by_name_identity_and_access_key(text: str) -> None:
    assert len(kept(text)) == 1


def test_a_user_is_known_by_session() -> None:
    assert len(kept("user:lambda-session")) == 1
    assert len(kept("user:lambda")) == 0
    assert len(kept("user:lambda*")) == 1


def test_user_agent_and_error_are_looked_for_anywhere() -> None:
    assert names("agent:aws-cli") == {"ListSecrets"}
    assert names("error:accessdenied") == {"GetSecretValue"}
    assert names('error:"marked for deletion"') == set()
    assert names("error:*marked?for?deletion*") == {"GetSecretValue"}
    assert names("error:rotate-db") == {"RotationFailed"}


def test_addresses_regions_accounts_and_ids() -> None:
    assert len(kept("ip:2001:db8::*")) == 1
    assert names("region:us-east-1") == {"PutSecretValue"}
    assert len(kept("account:999988887777")) == 1
    assert len(kept("id:deadbeef")) == 1
    assert len(kept("id:not-a-uuid")) == 1


def test_a_word_that_looks_like_an_event_id_finds_it() -> None:
    for word in ("deadbeef-0000-4000-8000-00000000cafe", "DEADBEEF-0000", "deadbeef", "8000-00000000cafe"):
        assert [event.id for event in kept(word)] == ["deadbeef-0000-4000-8000-00000000cafe"]
    assert kept("deadbeef-8000") == []
    assert kept("cafe") == []
    assert len(kept("-deadbeef")) == len(EVENTS) - 1


def test_words_of_the_language() -> None:
    assert kept("error") == [event for event in EVENTS if event.failed]
    assert kept("-error") == [event for event in EVENTS if not event.failed]
    assert kept("write") == [event for event in EVENTS if not event.read_only]
    assert kept("denied") == [event for event in EVENTS if event.error_code.startswith("AccessDenied")]
    assert kept("read") == [event for event in EVENTS if event.name in ("GetSecretValue", "BatchGetSecretValue")]
    assert {event.key for event in kept("ALARM")} == LEVELS
    assert kept('"error"') == [event for event in EVENTS if "error" in event.text]


def test_an_open_quote_takes_the_rest() -> None:
    assert parse('a "b c', CONTEXT).description == "with “a”, with “b c”"
    assert parse('"a b"c', CONTEXT).description == "with “a b”, with “c”"


def test_a_line_that_begins_with_a_brace_is_a_filter_pattern() -> None:
    assert names(' { $.errorMessage = "*marked for deletion*" } ') == {"GetSecretValue"}
    assert names('{ $.eventName = "DeleteSecret" && $.requestParameters.recoveryWindowInDays = 30 }') == {
        "DeleteSecret"
    }
    assert names('{ $.eventName = "Nothing" }') == set()


def test_a_bad_filter_pattern_says_where() -> None:
    with pytest.raises(FilterError) as caught:
        parse("  { $.eventName = }", CONTEXT)
    assert caught.value.position >= 2
    assert str(caught.value)


@pytest.mark.parametrize(("text", "field", "position"), [("a usr:x", "user", 2), ("-secrets:x", "secret", 1)])
def test_a_mistyped_field_is_refused_with_the_right_one(text: str, field: str, position: int) -> None:
    with pytest.raises(FilterError, match=f"“{field}”") as caught:
        parse(text, CONTEXT)
    assert caught.value.position == position


def test_a_colon_does_not_make_a_field() -> None:
    assert parse("arn:aws:iam::1 secretsmanager:Get", CONTEXT).description == (
        "with “arn:aws:iam::1”, with “secretsmanager:Get”"
    )


def test_a_filter_tells_what_it_keeps_in_plain_words() -> None:
    text = '-user:lambda* name:Get*,Put* error -write "a b" alarm ip:10.*'
    assert parse(text, CONTEXT).description == (
        "user not lambda*, event Get* or Put*, failed, changes nothing, with “a b”, in an alarm, source IP 10.*"
    )


TERMS = st.sampled_from(
    [
        *(
            "prod",
            "pro",
            "db",
            '"prod/d"',
            "deadbeef",
            "deadbee",
            "deadbeef-0000",
            "error",
            "denied",
            "read",
            "write",
            "alarm",
            "lambda",
        ),
        *("name:Get*", "name:GetS*", "name:GetSecretValue", "name:*Secret*", "name:Put*,GetSecretValue", "name:"),
        *("secret:prod/db", "secret:prod/", "secret:*db", "user:alice", "user:a*", "ip:203.*", "account:9*"),
        *("error:denied", "error:accessdenied", "agent:boto", "id:dead", "region:us-*", 'name:"Get*"'),
    ]
)
TEXTS = st.lists(st.tuples(st.sampled_from(["", "-"]), TERMS).map("".join), max_size=3).map(" ".join)


@given(TEXTS)
def test_picking_from_many_agrees_with_asking_for_each(text: str) -> None:
    kept(text)


@given(TEXTS, TEXTS)
def test_what_a_narrower_filter_keeps_the_wider_one_keeps_too(narrow: str, wide: str) -> None:
    one, other = parse(narrow, CONTEXT), parse(wide, CONTEXT)
    if one.narrows(other):
        assert all(other(event) for event in one.select(EVENTS))


def narrows(narrow: str, wide: str) -> bool:
    return parse(narrow, CONTEXT, typing=True).narrows(parse(wide, CONTEXT, typing=True))


def test_typing_on_narrows() -> None:
    typed = "prod name:Get user:ali"
    for end in range(len(typed)):
        assert narrows(typed[: end + 1], typed[:end]) or typed[end] == ":"  # before it, the field's name is a word
    assert narrows("-ab", "-abc")
    assert narrows("error:denied", "error")
    assert not narrows("-abc", "-ab")
    assert narrows("denied", "error")
    assert not narrows("error", "denied")
    assert not narrows("-denied", "-error")
    assert not narrows("prod", "error")
    assert not narrows("deadbeef", "deadbee")
    assert not narrows("secret:arn:", "secret:arn")  # which no secret's name begins with
    assert not narrows("secret:arn:aws:secretsmanager:*:prod-a1B2c3", "secret:arn:aws:secretsmanager:*:prod-a1B2c")


@given(st.text(max_size=40), st.booleans())
def test_no_text_breaks_the_parser(text: str, typing: bool) -> None:
    try:
        chosen = parse(text, CONTEXT, typing=typing)
    except FilterError as refused:
        error = refused
    else:
        assert chosen.select(EVENTS) == [event for event in EVENTS if chosen(event)]
        return
    assert 0 <= error.position <= len(text)
    assert str(error)


CALLED = st.text(st.sampled_from("aAbK1-/*:ßİſKΣς\n"), max_size=4)


@given(st.lists(st.tuples(CALLED, CALLED, CALLED, CALLED), min_size=1, max_size=4), st.data())
def test_a_user_is_found_by_whatever_a_caller_is_called(callers: list[tuple[str, ...]], data: st.DataObject) -> None:
    known = [
        records.event(records.read(by={**identity, "accessKeyId": key}))
        for name, role, session, key in callers
        for identity in (records.user(name), records.role(role, session), records.sso(name))
    ]
    called = [
        text
        for event in known
        for text in (event.access_key, event.principal.name, event.principal.session, event.principal.arn)
    ]
    text = data.draw(st.sampled_from(called))
    start, end = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))
    glob = Glob(
        data.draw(st.sampled_from([text, f"{text[:start]}*", f"*{text[start:end]}*", f"{text[:start]}*{text[end:]}"]))
    )
    for globs in ((glob,), (glob, Glob("?b"))):
        wanted = [
            event
            for event in known
            if any(
                text and one(text)
                for one in globs
                for who in (event.principal,)
                for text in (who.name, who.session, who.identity, who.arn, who.shared_role, event.access_key)
            )
        ]
        for events in (known, [*known, *(3 * wanted)]):
            kept = User(globs).select(events)
            assert kept == [event for event in events if event in wanted]
            assert User(globs, exclude=True).select(events) == [event for event in events if event not in wanted]


@given(st.data())
def test_a_word_is_found_exactly_where_the_search_text_has_it(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([event.text for event in EVENTS if event.text]))
    start = data.draw(st.integers(0, len(text) - 1))
    word = text[start : start + data.draw(st.integers(1, 12))].split("\n")[0].replace('"', "")
    if word and not set("0123456789abcdef-").issuperset(word):
        assert kept(f'"{word}"') == [event for event in EVENTS if word in event.text]


def test_what_takes_longer_is_asked_of_fewer_events_in_one_step() -> None:
    events = [msgspec.structs.replace(EVENTS[0], key=n) for n in range(30_000)]

    def left(text: str) -> int:
        return parse(text, CONTEXT).reach(events, len(events))

    assert left("") == 0
    assert 0 < left("x") < left("deadbeef") < left("{ $.awsRegion = * }") == len(events) - terms.RECORDS
    assert left("name:a") < left("name:a x") < left("x") + 5_000
    assert left("x deadbeef") == left("deadbeef x") > left("deadbeef")


@pytest.mark.parametrize("among", [1, 3, 400])
def test_a_step_of_a_pattern_goes_to_the_last_records_that_can_match(among: int) -> None:
    asked: list[int] = []

    def record_of(event: Event) -> Record:
        asked.append(event.key)
        return {"eventName": event.name, "eventSource": event.source}

    wanted, other = (msgspec.structs.replace(EVENTS[0].call, name=name) for name in ("DeleteSecret", "ListSecrets"))
    events = [
        msgspec.structs.replace(EVENTS[0], key=n, call=wanted if n % among == 0 else other) for n in range(20_000)
    ]
    chosen = parse('{ $.eventName = "DeleteSecret" }', Context(record_of=record_of, levels=()))
    end, steps = len(events), list[int]()
    while end:
        place = chosen.reach(events, end)
        step = events[place:end]
        assert chosen.select(step) == [event for event in step if event.name == "DeleteSecret"]
        steps.append(len(asked) - sum(steps))
        end = place
    assert sorted(asked) == [n for n in range(20_000) if n % among == 0]
    assert max(steps) == min(terms.RECORDS, 10_000 // among)
    assert len(steps) == max(2, ceil(len(asked) / terms.RECORDS))


@pytest.mark.parametrize("text", ["billing", "user:billing", "user:role/lambda*", "ip:10.9.*", "agent:boto*"])
def test_a_step_over_events_by_as_many_callers_is_no_longer_than_others(text: str) -> None:
    chosen, event, caller, replace = parse(text, CONTEXT), EVENTS[0], EVENTS[0].caller, msgspec.structs.replace
    events = [
        replace(event, caller=replace(caller, text=f"caller {n}", came=Came(key, "", ip, f"agent {n}")))
        for n, ip, key in ((n, f"10.0.{n}", f"AKIA{n}") for n in range(20_000))
    ]
    step = events[chosen.reach(events, len(events)) :]
    _, calls = counting_calls(lambda: chosen.select(step))
    assert calls < 22_000  # two for each value that is new


def test_a_pattern_asks_for_no_record_of_an_event_that_cannot_match() -> None:
    asked: list[str] = []

    def record_of(event: Event) -> Record:
        asked.append(event.name)
        return RECORD_OF[event.key]

    pattern = '{ ($.eventName = "DeleteSecret") && ($.eventSource = "secretsmanager.amazonaws.com") }'
    chosen = parse(pattern, Context(record_of=record_of, levels=()))
    assert len(chosen.select(EVENTS)) == 1
    assert asked == ["DeleteSecret"]


def test_only_an_alarm_filter_can_change_its_mind() -> None:
    assert parse("x alarm", CONTEXT).changeable
    assert not parse('x "alarm" error', CONTEXT).changeable


def test_words_searched_for_are_told_for_marking() -> None:
    assert parse('a -b "c d" error name:x', CONTEXT).marks == ("a", "c d")
