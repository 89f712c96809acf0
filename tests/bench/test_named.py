"""What code says it is shaped for: a row of the table."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import smwatch
from tests.bench.readme import README
from tests.bench.rows import TABLE

STALL = "longest stall of the event loop"
"""Every row that is to stay under 15 ms."""
SERVES = re.compile(r'\b[Ss]erves? (?:the rows? )?((?:"[^"]+"(?:, and |, | and )?)+)')


def named() -> dict[str, set[str]]:
    """The modules in which something serves a row, by how the row is named there; "…" stands for any text."""
    found: dict[str, set[str]] = {}
    package = Path(smwatch.__file__).parent
    for path in package.rglob("*.py"):
        text = re.sub(r"\s*\n\s*(?:# )?", " ", path.read_text(encoding="utf-8"))
        for said in SERVES.findall(text):
            for name in re.findall(r'"([^"]+)"', said):
                found.setdefault(name, set()).add(str(path.relative_to(package)))
    return found


def test_what_serves_a_row_names_one_of_the_table() -> None:
    rows, found = [row.name for row in TABLE], named()
    assert len(found) > 20
    wrong = {
        name: places
        for name, places in found.items()
        if name != STALL and not any(fnmatchcase(row, name.replace("…", "*")) for row in rows)
    }
    assert not wrong


def test_readme_says_how_they_are_named() -> None:
    assert f'"{STALL}"' in README.read_text(encoding="utf-8")
