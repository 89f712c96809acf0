"""`smwatch pattern test --aws`: both opinions on each line, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from smwatch.patterns import Pattern
from smwatch.setup.second_opinion import PatternRefusedError, SecondOpinion, batches

SOME, NONE, REFUSED, DIFFERENT = 0, 1, 2, 3
"""Exit codes."""
_SHOWN = 200
"""Characters of a line in a message."""

Tell = Callable[[str], None]


def compare(pattern: Pattern | None, lines: Iterable[str], aws: SecondOpinion, *, show: Tell, tell: Tell) -> int:
    """Show the lines that match here, tell where AWS's answer is another, and return the exit code.

    Without a `pattern`, which smwatch refused, AWS's answer alone is told.
    """
    comparison = _Comparison(pattern, aws, show, tell)
    for batch in batches(_messages(lines)):
        comparison.ask(batch)
    if not comparison.asked:
        comparison.ask_whether_it_is_taken()
    return comparison.conclusion()


class _Comparison:
    def __init__(self, pattern: Pattern | None, aws: SecondOpinion, show: Tell, tell: Tell) -> None:
        self._pattern = pattern
        self._aws = aws
        self._show = show
        self._tell = tell
        self._refusal: str | None = None
        self._found = self._found_by_aws = self._different = self._left_out = 0
        self.asked = 0

    def ask(self, batch: Sequence[tuple[int, str]]) -> None:
        """Both opinions on these numbered messages."""
        here = {number: self._here(message) for number, message in batch}
        if self._refusal is not None:
            return
        askable = [(number, message) for number, message in batch if _is_text(message)]
        self._left_out += len(batch) - len(askable)
        if not askable:
            return
        try:
            there = self._aws.found([message for _, message in askable])
        except PatternRefusedError as refused:
            self._refusal = str(refused)
            return
        self.asked += len(askable)
        self._found_by_aws += sum(there)
        if self._pattern is None:
            return
        for (number, message), found in zip(askable, there, strict=True):
            if found is not here[number]:
                self._different += 1
                who = "AWS finds it, smwatch does not" if found else "smwatch finds it, AWS does not"
                self._tell(f"line {number}: {who}: {message[:_SHOWN]}")

    def ask_whether_it_is_taken(self) -> None:
        """Without a line to ask about: whether AWS takes the pattern at all."""
        if self._refusal is None:
            try:
                self._aws.found([" "])
            except PatternRefusedError as refused:
                self._refusal = str(refused)

    def _here(self, message: str) -> bool:
        found = self._pattern is not None and self._pattern.matches(message)
        if found:
            self._found += 1
            self._show(message)
        return found

    def conclusion(self) -> int:
        """Tell how it ends, and return the exit code."""
        if self._left_out:
            self._tell(f"{self._left_out:,} lines are not UTF-8 text: AWS could not be asked about them")
        match self._pattern, self._refusal:
            case None, None:
                self._tell(f"AWS takes this pattern, and finds {self._found_by_aws:,} of {self.asked:,} lines")
                return DIFFERENT
            case None, refusal:
                self._tell(f"AWS refuses it too: {refusal}")
                return REFUSED
            case _, None if self._different:
                self._tell(f"AWS answers differently for {self._different:,} of {self.asked:,} lines")
                return DIFFERENT
            case _, None:
                self._tell(f"AWS answers the same for all {self.asked:,} lines" if self.asked else "AWS takes it too")
                return SOME if self._found else NONE
            case _, refusal:
                self._tell(f"AWS refuses the pattern: {refusal}")
                return DIFFERENT


def _messages(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines without their ends, numbered; an empty one is no log event."""
    for number, line in enumerate(lines, 1):
        if message := line.removesuffix("\n").removesuffix("\r"):
            yield number, message


def _is_text(message: str) -> bool:
    """Whether this was UTF-8; bytes that were not can't be sent."""
    try:
        message.encode()
    except UnicodeEncodeError:
        return False
    return True
