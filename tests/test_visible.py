import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.headless.lines import event_text
from smwatch.visible import harmless_json, unpiled, visible
from tests import records

ANY = st.text(st.characters(exclude_categories=()))


def acts(text: str) -> bool:
    """Whether a terminal might obey some of it: controls, bidirectional and invisible characters."""
    return any(char < " " or "\x7f" <= char < "\xa0" or char in "\u202e\u2066\u200b\u200f\u2028\ufeff" for char in text)


@given(ANY)
def test_nothing_that_could_act_is_left_and_nothing_moves(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert not acts(shown)
    assert visible(shown) == shown


@given(ANY)
def test_escaped_json_is_the_same_json(text: str) -> None:
    harmless = harmless_json(json.dumps({text: [text]}, ensure_ascii=False))
    assert json.loads(harmless) == {text: [text]}
    assert not acts(harmless)


@pytest.mark.parametrize("unseen", list("\u034f\u115f\u1160\u17b4\u180b\u3164\ufe00\uffa0\U000e0100\U000e01ef"))
def test_a_letter_or_mark_that_is_drawn_as_nothing_is_seen(unseen: str) -> None:
    name = f"prod/{unseen}db"
    assert visible(name) == "prod/\N{REPLACEMENT CHARACTER}db"
    harmless = harmless_json(json.dumps(name, ensure_ascii=False))
    assert harmless.isascii()
    assert json.loads(harmless) == name


def test_no_character_of_a_line_is_piled_with_marks() -> None:
    assert unpiled("prod/e" + "\u0301" * 500 + "b\u0301") == "prod/e\u0301\u0301\u0301b\u0301"
    record = records.read("prod/e" + "\u0301" * 500, by=records.user("e" + "\u0489" * 500))
    line = event_text(Reader().read(records.raw(record), seen_by=SeenBy.FILE, seen_at=records.AT).event)
    assert (line.count("\u0301"), line.count("\u0489")) == (3, 3)


def test_ordinary_text_stays_as_it_is() -> None:
    text = "prod/öl 宽 🔑"
    assert visible(text) == text
    assert harmless_json(text) == text
