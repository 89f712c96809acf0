"""All rows of the table, in its order, and those that are measured here."""

import os

from tests.bench.rows import (
    asking,
    drawing,
    journalling,
    judging,
    living,
    parsing,
    replaying,
    starting,
    storing,
    tailing,
)

TABLE = (
    *drawing.ROWS,
    *living.ROWS,
    *storing.ROWS,
    *parsing.ROWS,
    *judging.ROWS,
    *journalling.ROWS,
    *starting.ROWS,
    *replaying.ROWS,
    *tailing.ROWS,
    *asking.ROWS,
)
ROWS = TABLE if os.environ.get(tailing.ASKED_FOR) else tuple(row for row in TABLE if row not in tailing.ROWS)
