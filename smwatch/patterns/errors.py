"""What is wrong with a filter pattern, and where."""

from __future__ import annotations


class PatternError(ValueError):
    """A filter pattern that is refused: one sentence a person can act on, and where in the text it applies."""

    def __init__(self, sentence: str, position: int) -> None:
        super().__init__(sentence)
        self.position = position
        """Characters before the trouble; the length of the pattern where something is missing at its end."""
