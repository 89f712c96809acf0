"""What a glance at a record's text tells is what its decoded record tells."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.patterns.conditions import parse_selector
from smwatch.record import Record, decode, encode
from smwatch.rules.glance import Glance, Look
from tests.records import AT

SELECTORS = (
    "$.errorCode",
    "$.userIdentity.type",
    "$.userIdentity.sessionContext.attributes.mfaAuthenticated",
    "$.requestParameters",
    "$.requestParameters.secretId",
    "$.resources[0].ARN",
    "$.resources[*].ARN",
)
KEYS = st.sampled_from(
    [
        "errorCode",
        "userIdentity",
        "type",
        "sessionContext",
        "attributes",
        "mfaAuthenticated",
        "requestParameters",
        "secretId",
        "resources",
        "ARN",
        "eventName",
    ]
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, 1.0, 1.5]), st.sampled_from(["", "1", "a"])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)
RECORDS = st.dictionaries(KEYS, VALUES, max_size=6)


def looks() -> list[Look]:
    """What each selector leads to, spelled out: no two different values have the same answer."""

    def look(text: str) -> Look:
        first, *others = [step for step in text.replace("[", ".[").split(".")[1:] if not step.startswith("[")]

        def question(record: Record) -> str:
            value: Any = record
            for key in (first, *others):
                value = value.get(key, ...) if isinstance(value, dict) else ...
            return "missing" if value is ... else encode(value)

        return parse_selector(text), question

    return list(map(look, SELECTORS))


def arrival(raw: str) -> Arrival:
    return Reader().read(raw, seen_by=SeenBy.FILE, seen_at=AT)


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_text_and_record_have_the_same_answers_and_other_values_others(records: list[Record]) -> None:
    glance = Glance(looks())
    told: dict[tuple[str, ...], tuple[int, ...]] = {}
    for record in records:
        raw = json.dumps(record)
        quick = Arrival(arrival(raw).event, raw)
        slow = Arrival(quick.event, raw, decode(raw))
        answers = glance.answers(quick)
        assert answers == glance.answers(slow)
        values = tuple(str(question(decode(raw))) for _, question in looks())
        assert told.setdefault(values, answers) == answers
    assert len(set(told.values())) == len(told)


def test_half_a_surrogate_pair_and_deep_nesting_are_looked_at_in_the_record() -> None:
    glance = Glance(looks())
    odd = arrival('{"errorCode":"a","x":"\\ud800"}')
    assert glance.answers(odd) == glance.answers(arrival('{"errorCode":"a"}'))
    assert glance.answers(odd) != glance.answers(arrival('{"errorCode":"b"}'))


def test_the_last_of_equal_keys_counts() -> None:
    glance = Glance(looks())
    twice = '{"errorCode":"a","userIdentity":{"type":"b"},"errorCode":"b","userIdentity":{"type":"c"}}'
    assert glance.answers(arrival(twice)) == glance.answers(arrival('{"errorCode":"b","userIdentity":{"type":"c"}}'))


def test_true_is_not_one() -> None:
    glance = Glance([(parse_selector("$.errorCode"), lambda record: repr(record["errorCode"]))])
    texts = ("true", "1", "1.0", '"1"', "null")
    assert len({glance.answers(arrival(f'{{"errorCode":{text}}}')) for text in texts}) == len(texts)


def test_a_glance_at_everything_decodes_it() -> None:
    glance = Glance([(parse_selector("$[0]"), lambda record: len(record))])
    assert glance.answers(arrival("{}")) != glance.answers(arrival('{"a":1}'))
