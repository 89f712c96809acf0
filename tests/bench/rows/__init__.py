"""All rows of the table, in its order."""

from tests.bench.rows import journalling, parsing, replaying, starting, storing

ROWS = (*storing.ROWS, *parsing.ROWS, *journalling.ROWS, *starting.ROWS, *replaying.ROWS)
