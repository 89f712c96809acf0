"""Print the table: all rows, or those named; `--short` only sees that each can be measured.

The whole takes most of an hour, with nothing else running. What was broken off goes on where it was:

    python -m tests.bench --into FILE && python -m tests.bench.readme FILE
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from tests.bench.harness import Row, attempt, measure, sizes
from tests.bench.readme import rows as table_rows
from tests.bench.rows import ROWS
from tests.bench.table import heading, line

SHORT = 1000
"""`--short` measures this part of a row's size, or a little of it, in a single round."""


def main() -> None:
    """See --help."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="rows to measure, by name or by its beginning; all by default")
    parser.add_argument("--short", action="store_true", help="one small round each; the figures say nothing")
    parser.add_argument("--once", action="store_true", help="at the row's own size only")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row and size, if its rounds allow")
    parser.add_argument("--into", type=Path, help="write it to the end of this file, but for the rows that are there")
    parser.add_argument("--list", action="store_true", help="name the rows and what they are compared with")
    options = parser.parse_args()
    rows = chosen(options.names)
    if not rows:
        parser.error(f"no such row; there are {', '.join(row.name for row in ROWS)}")
    if options.list:
        for row in rows:
            print(f"{row.name:<16} {row.what}; with: {row.floor}")
        return
    if options.into is None:
        show(rows, options)
        return
    options.into.touch()
    there = table_rows(options.into.read_text(encoding="utf-8"))
    with options.into.open("a", encoding="utf-8") as file, redirect_stdout(file):
        show([row for row in rows if row.name not in there], options)


def show(rows: Sequence[Row], options: argparse.Namespace) -> None:
    """Print these rows, each once it is measured."""
    print(*heading(datetime.now(UTC)), sep="\n", flush=True)
    for row in rows:
        if options.short:
            measured = [attempt(row, max(10, row.size // SHORT))]
        else:
            which = [row.size] if options.once else sizes(row)
            measured = [measure(row, size, seconds=options.seconds) for size in which]
        print(line(row, measured, judged=not options.short), flush=True)


def chosen(names: list[str]) -> list[Row]:
    """The rows of these names or beginnings of names, in the order of the table."""
    return [row for row in ROWS if not names or any(fnmatchcase(row.name, f"{name}*") for name in names)]


if __name__ == "__main__":
    main()
