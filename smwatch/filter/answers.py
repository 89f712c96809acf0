"""What a question said of values that many events share, so that each is asked about once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
REMEMBERED = 20_000
"""Distinct values whose answers are kept; then all are let go of, which is cheaper than to tell the old ones apart."""


class Answers(dict[K, bool], Generic[K]):
    """A mapping from values to what `ask` says of them; it asks for what it lacks."""

    __slots__ = ("_ask",)

    def __init__(self, ask: Callable[[K], bool]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, value: K) -> bool:
        if len(self) >= REMEMBERED:
            self.clear()
        answer = self[value] = self._ask(value)
        return answer


class Holding(dict[str, bool]):
    """A mapping from texts to whether they hold a needle: the same without a call for the question."""

    __slots__ = ("_needle",)

    def __init__(self, needle: str) -> None:
        super().__init__()
        self._needle = needle

    def __missing__(self, text: str) -> bool:
        if len(self) >= REMEMBERED:
            self.clear()
        answer = self[text] = self._needle in text
        return answer


def held(texts: Sequence[str], *needles: str) -> list[bool]:
    """Whether each text holds a needle: those of callers are often one, as these differ in address and access key."""
    distinct = set(texts)
    holding = {text for needle in needles for text in distinct if needle in text}
    return [text in holding for text in texts]


def or_held(found: list[bool], needle: str, texts: Sequence[str]) -> list[bool]:
    """What was found already, or where a text holds the needle: mostly none does, which is told by all in one."""
    if needle not in "\n".join(texts):
        return found
    return [said or needle in text for said, text in zip(found, texts, strict=True)]
