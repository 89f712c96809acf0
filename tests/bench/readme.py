"""Write README's table anew from what `python -m tests.bench` printed: `python -m tests.bench.readme FILE...`.

Rows that the files lack keep what README says of them; rows that were measured at their own size only (`--once`) keep
what it says of other sizes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from tests.bench.rows import TABLE

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- begin benchmarks -->\n", "<!-- end benchmarks -->\n"
KEPT = (
    "row",
    "what",
    "floor or peer",
    "smwatch",
    "ratio (min to max)",
    "target",
    "",
    "at 1/10",
    "at 10 times",
    "growth",
)
"""The columns of the printed table that README has: a ratio says what its floor was."""
OTHER_SIZES = ("at 1/10", "at 10 times", "growth")
SHORTER = {"ratio (min to max)": "ratio", "": "kept", "floor or peer": "with"}

Row: TypeAlias = dict[str, str]
"""The cells of one row, by the heads of the columns."""


def main() -> None:
    """See above."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    anew = rows("".join(Path(name).read_text(encoding="utf-8") for name in sys.argv[1:]))
    README.write_text(f"{before}{BEGIN}{written(merged(rows(table), anew))}{END}{after}", encoding="utf-8")


def merged(known: Mapping[str, Row], anew: Mapping[str, Row]) -> dict[str, Row]:
    """What is known of each row, and what has been measured anew, which goes before that."""
    found = {**known}
    for name, row in anew.items():
        kept = {} if row.get("growth") else {head: known.get(name, {}).get(head, "") for head in OTHER_SIZES}
        found[name] = row | {head: cell for head, cell in kept.items() if cell and not row.get(head)}
    return found


def rows(text: str) -> dict[str, Row]:
    """The rows of the tables in a text, by name, each by the heads of its columns."""
    found: dict[str, Row] = {}
    head: list[str] = []
    for line in text.splitlines():
        cells = [re.sub(r"\s+", " ", cell).strip() for cell in line.strip("| ").split(" | ")]
        if cells[0] == "row":
            head = [{short: name for name, short in SHORTER.items()}.get(cell, cell) for cell in cells]
        elif head and line.startswith("|") and not cells[0].startswith("-"):
            found[cells[0]] = dict(zip(head, cells, strict=False))
    return found


def written(measured: Mapping[str, Row]) -> str:
    """The table in the order of the rows."""
    names = [row.name for row in TABLE if row.name in measured]
    lines = [
        [SHORTER.get(head, head) for head in KEPT],
        ["---"] * len(KEPT),
        *([measured[name].get(head, "") for head in KEPT] for name in names),
    ]
    return "".join(f"{_line(cells)}\n" for cells in lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
