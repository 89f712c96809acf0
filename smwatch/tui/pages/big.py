"""Letters that can be read across a room."""

from __future__ import annotations

_FONT = {
    "A": "25755", "B": "65656", "C": "34443", "D": "65556", "E": "74647", "F": "74644", "G": "34553", "H": "55755",
    "I": "72227", "J": "11152", "K": "55655", "L": "44447", "M": "57755", "N": "65555", "O": "25552", "P": "65644",
    "Q": "25563", "R": "65655", "S": "34216", "T": "72222", "U": "55557", "V": "55552", "W": "55775", "X": "55255",
    "Y": "55222", "Z": "71247", "0": "75557", "1": "26227", "2": "61247", "3": "61216", "4": "55711", "5": "74616",
    "6": "34652", "7": "71122", "8": "25252", "9": "25316", ":": "02020", "-": "00700", ".": "00002", "/": "11244",
    " ": "00000", "+": "02720", "_": "00007", "%": "51245", "×": "05250", "!": "22202", "@": "25743", "=": "07070",
}  # fmt: skip
"""Three by five points each, a digit a row with a bit a point; anything else is drawn as a box."""
_BOX = "77777"
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
SMALL_ROWS, LARGE_ROWS = 3, 5


def width_of(text: str, *, large: bool = False) -> int:
    """Cells that the text takes."""
    return len(text) * (8 if large else 4)


def big(text: str, *, large: bool = False) -> list[str]:
    """The text in rows of blocks: three rows of half blocks, or five of whole ones twice as wide."""
    points = [_points(char) for char in text.upper()]
    if large:
        return [
            "".join("".join("██" if point else "  " for point in row[y]) + "  " for row in points) for y in range(5)
        ]
    rows = []
    for y in (0, 2, 4):
        row = ""
        for char in points:
            lower = char[y + 1] if y < 4 else (0, 0, 0)
            row += "".join(_HALVES[pair] for pair in zip(char[y], lower, strict=True)) + " "
        rows.append(row)
    return rows


def _points(char: str) -> list[tuple[int, int, int]]:
    rows = [int(digit) for digit in _FONT.get(char, _BOX)]
    return [(row >> 2 & 1, row >> 1 & 1, row & 1) for row in rows]
