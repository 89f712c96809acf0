"""Letters that can be read across a room."""

from __future__ import annotations

from collections.abc import Sequence

_FONT = {
    "A": "25755", "B": "65656", "C": "34443", "D": "65556", "E": "74647", "F": "74644", "G": "34553", "H": "55755",
    "I": "72227", "J": "11152", "K": "55655", "L": "44447", "M": "57755", "N": "65555", "O": "25552", "P": "65644",
    "Q": "25563", "R": "65655", "S": "34216", "T": "72222", "U": "55557", "V": "55552", "W": "55775", "X": "55255",
    "Y": "55222", "Z": "71247", "0": "75557", "1": "26227", "2": "61247", "3": "61216", "4": "55711", "5": "74616",
    "6": "34652", "7": "71122", "8": "25252", "9": "25316", ":": "02020", "-": "00700", ".": "00002", "/": "11244",
    " ": "00000", "+": "02720", "_": "00007", "%": "51245", "×": "05250", "!": "22202", "@": "25743", "=": "07070",
    "?": "61202", ",": "00024",
}  # fmt: skip
"""Three by five points each, a digit a row with a bit a point."""
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
LARGEST = 3


def drawable(text: str) -> bool:
    """Whether there is a letter for each character; case is not told apart."""
    return all(char in _FONT for char in text.upper())


def width_of(text: str, scale: int) -> int:
    """Cells that the text takes."""
    return len(text) * 4 * (2 * scale or 1)


def rows_of(scale: int) -> int:
    """Lines that the text takes."""
    return 5 * scale or 3


def big(text: str, scale: int) -> list[str]:
    """The text in rows of blocks: scale 0 in three rows of half blocks, from 1 on a point is so many rows high."""
    points = [[int(digit) for digit in _FONT.get(char, _FONT["?"])] for char in text.upper()]
    if scale:
        wide = 2 * scale
        return [
            "".join(
                "".join("█" * wide if row[y] >> x & 1 else " " * wide for x in (2, 1, 0)) + " " * wide for row in points
            )
            for y in range(5)
            for _ in range(scale)
        ]
    return ["".join(_halves(row, y) for row in points) for y in (0, 2, 4)]


def _halves(row: Sequence[int], y: int) -> str:
    upper, lower = row[y], row[y + 1] if y < 4 else 0
    return "".join(_HALVES[upper >> x & 1, lower >> x & 1] for x in (2, 1, 0)) + " "


def scale_for(text: str, width: int, height: int) -> int | None:
    """The largest scale at which the text fits; None if it fits at none, or can't be drawn."""
    if not drawable(text):
        return None
    fitting = (scale for scale in range(LARGEST, -1, -1) if width_of(text, scale) <= width and rows_of(scale) <= height)
    return next(fitting, None)
