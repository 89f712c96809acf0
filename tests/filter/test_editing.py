"""Completion, and keys that edit a filter."""

from hypothesis import given
from hypothesis import strategies as st

from smwatch.filter import complete, finished, toggled, values_of, with_values

KNOWN = {
    "name": ["GetSecretValue", "DeleteSecret", "BatchGetSecretValue"],
    "user": ["ci-deployer", "Alice B", "evil\x1b[2J", "a,b"],
}


def known(field: str) -> list[str]:
    return KNOWN.get(field, [])


def offered(text: str, cursor: int | None = None) -> list[str]:
    return [option.text for option in complete(text, len(text) if cursor is None else cursor, known).options]


def taken(text: str, cursor: int | None = None, index: int = 0) -> str:
    found = complete(text, len(text) if cursor is None else cursor, known)
    return text[: found.start] + found.options[index].text + text[found.end :]


def test_fields_and_words_are_offered_with_what_they_mean() -> None:
    assert "name:" in offered("")
    assert offered("er") == ["error:", "error"]
    assert offered("a -na") == ["name:"]
    assert taken("a -na") == "a -name:"
    assert all(option.about for option in complete("", 0, known).options)


def test_values_are_offered_those_that_begin_so_first() -> None:
    assert offered("name:") == KNOWN["name"]
    assert offered("name:get") == ["GetSecretValue", "BatchGetSecretValue"]
    assert taken("x name:get y", cursor=10) == "x name:GetSecretValue y"
    assert taken("name:ge", cursor=6) == "name:GetSecretValue"
    assert taken("name:DeleteSecret,g") == "name:DeleteSecret,GetSecretValue"
    assert offered("name:DeleteSecret,") == KNOWN["name"]
    assert offered("secret:") == []


def test_a_value_is_quoted_where_it_has_to_be_and_never_hostile() -> None:
    assert offered("user:") == ["ci-deployer", '"Alice B"', '"a,b"']
    assert taken('user:"alice') == 'user:"Alice B"'
    assert taken('user:"alice b') == 'user:"Alice B"'
    assert offered('user:"Alice B"') == []


def test_nothing_is_offered_inside_a_pattern_or_a_phrase() -> None:
    assert offered("{ $.e") == []
    assert offered('"er') == []
    assert offered("usr:x na") == []


@given(st.text('name:," -{xG', max_size=20), st.integers(0, 20))
def test_what_is_completed_lies_around_the_cursor(text: str, cursor: int) -> None:
    cursor = min(cursor, len(text))
    found = complete(text, cursor, known)
    assert found.start <= cursor <= found.end <= len(text)


def test_ticked_names_become_one_term() -> None:
    text = with_values("prod name:Get* -name:Put*", "name", ["DeleteSecret", "GetSecretValue"])
    assert text == "prod -name:Put* name:DeleteSecret,GetSecretValue"
    assert values_of(text, "name") == ("DeleteSecret", "GetSecretValue")
    assert with_values(text, "name", []) == "prod -name:Put*"
    assert with_values("", "user", ["a b"]) == 'user:"a b"'


def test_a_term_is_toggled() -> None:
    assert toggled("prod", "error") == "prod error"
    assert toggled("prod error x", "error") == "prod x"
    assert toggled("{ $.a = 1 }", "error") == "error"


def test_a_value_that_was_shown_as_a_beginning_is_kept_as_one() -> None:
    assert finished("prod name:getsec ", known) == "prod name:getsec*"
    assert finished("name:DeleteSecret,Get", known) == "name:DeleteSecret,Get*"
    for text in (
        "name:getsecretvalue",
        "name:Get*",
        'name:"Get"',
        "name:Get,",
        "name:",
        "get",
        "name:zzz",
        "agent:x",
        "",
        "{ x",
    ):
        assert finished(text, known) == text
