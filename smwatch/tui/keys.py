"""From the table of keys to bindings, help and hints, with what the user's keymap makes of it."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from textual.binding import Binding
from textual.keys import Keys, _character_to_key

from smwatch.settings import MeaningError
from smwatch.tui.keytable import BY_ID, CONTEXTS, KEYS, Key

TOGETHER = (
    ("watch", "stream", "app"),
    ("watch", "page", "app"),
    ("details", "groups", "page", "app"),
    ("alarms", "page", "app"),
)
"""Contexts that are in force at the same time, other than alone: no key may do two things among them."""

MOMENT = 0.001
"""Seconds for keys in between what is done bit by bit."""


def bindings(context: str) -> list[Binding]:
    """The bindings of one context, with the usual keys: Textual puts the keymap over them by id."""
    priority = CONTEXTS[context].priority
    return [
        Binding(
            key.keys,
            key.action,
            key.word,
            show=False,
            id=key.id,
            tooltip=key.help,
            priority=priority or key.id == "app.interrupt",  # an input would take it for copying
        )
        for key in KEYS
        if key.action and key.context == context
    ]


class KeyTable:
    """The keys as they are for this user."""

    def __init__(self, keymap: Mapping[str, str] | None = None) -> None:
        """`keymap` gives the keys of some ids, with commas between; MeaningError says what is wrong with it."""
        self.keymap = {key_id: _keys_meant(key_id, keys) for key_id, keys in (keymap or {}).items()}
        """What differs from the table, in Textual's names."""
        if self.keymap:  # nothing is refused that is in the table itself
            self._refuse_two_meanings()

    def __getitem__(self, key_id: str) -> Key:
        """The entry of an id; its keys are the table's, see `told`."""
        return BY_ID[key_id]

    def keys(self, key: Key) -> tuple[str, ...]:
        """The keys of an entry, in Textual's names."""
        return tuple(self.keymap.get(key.id, key.keys).split(","))

    def told(self, key_id: str) -> str:
        """All keys of an id, as people write them."""
        return " ".join(map(name, self.keys(BY_ID[key_id])))

    def one(self, key_id: str) -> str:
        """The first key of an id, as it is printed."""
        return name(self.keys(BY_ID[key_id])[0])

    def everywhere(self, *key_ids: str) -> str:
        """The first key that does all of these, as it is printed, for a page that is shown in several places; or ""."""
        first, *others = (self.keys(BY_ID[key_id]) for key_id in key_ids)
        return next((name(key) for key in first if all(key in keys for keys in others)), "")

    @property
    def copies(self) -> str:
        """What copies, as a remark on a page; "" if that is another key in the pane than on a screen of its own."""
        key = self.everywhere("watch.copy", "details.copy", "alarms.copy")
        return f"{key} copies" if key else ""

    def hint(self, key_id: str) -> tuple[str, str]:
        """The first key of an id and its word, for a footer."""
        return self.one(key_id), BY_ID[key_id].word

    def table(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """(where, [(keys, help)]) in the order of the table."""
        for context, where in CONTEXTS.items():
            yield where.title, [(self.told(key.id), key.help) for key in KEYS if key.context == context]

    def meant(self, pressed: str) -> Key | None:
        """What a key does on the main screen, in Textual's name; None: nothing."""
        return next((key for key in KEYS if key.context in ("watch", "stream") and pressed in self.keys(key)), None)

    def _refuse_two_meanings(self) -> None:
        for contexts in (*TOGETHER, *((context,) for context in CONTEXTS)):
            taken: dict[str, str] = {}
            for key in KEYS:
                if key.context not in contexts:
                    continue
                for each in self.keys(key):
                    other = taken.setdefault(each, key.id)
                    # Among contexts the inner one may take a key from the outer one where the table itself does so.
                    if other != key.id and (key.id in self.keymap or other in self.keymap):
                        told = f"{name(each)} can't be both {other} and {key.id}: give one of them another key"
                        raise MeaningError("ui.keymap", told)


def _keys_meant(key_id: str, keys: str) -> str:
    """Keys as people or Textual write them, in Textual's names."""
    known = [key.id for key in KEYS if key.action]
    if key_id not in known:
        close = get_close_matches(key_id, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else "README lists them all, under “All keys”"
        raise MeaningError("ui.keymap", f"there is no {key_id!r}; {hint}")
    return ",".join(_key_meant(key_id, key.strip()) for key in (keys.split(",") if keys != "," else ["comma"]))


def _key_meant(key_id: str, key: str) -> str:
    modifiers, plus, rest = key.rpartition("+") if len(key) > 1 else ("", "", key)
    plain = _BY_CHARACTER.get(rest, rest if len(rest) == 1 else rest.lower())
    known = plain.isalnum() if len(plain) == 1 else plain in _CHARACTERS or plain in {each.value for each in Keys}
    if not known or not set(modifiers.split("+")) <= {"", "ctrl", "shift", "alt"}:
        raise MeaningError(f"ui.keymap.{key_id}", f"{key!r} is not a key: write x, X, /, ctrl+x, f2, enter or slash")
    return f"{modifiers}{plus}{plain}"


_BY_CHARACTER = {character: _character_to_key(character) for character in string.punctuation}
_CHARACTERS = {name: character for character, name in _BY_CHARACTER.items()}
_NAMES = {
    **_CHARACTERS,
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "escape": "Esc",
}


def name(key: str) -> str:
    """A key as it is printed on keyboards."""
    modifier, plus, rest = key.rpartition("+")
    if plus:
        return f"{modifier.capitalize()}+{rest.upper()}"
    return _NAMES.get(key) or (key if len(key) == 1 else key.capitalize())
