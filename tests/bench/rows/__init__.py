"""All rows of the table, in its order, and those that are measured here."""

import os

from tests.bench.rows import (
    asking,
    bursting,
    drawing,
    journalling,
    judging,
    living,
    opening,
    parsing,
    replaying,
    starting,
    storing,
    tailing,
    viewing,
)

TABLE = (
    *drawing.ROWS,
    *living.ROWS,
    *opening.ROWS,
    *storing.ROWS,
    *parsing.ROWS,
    *bursting.ROWS,
    *judging.ROWS,
    *journalling.ROWS,
    *starting.ROWS,
    *replaying.ROWS,
    *tailing.ROWS,
    *viewing.ROWS,
    *asking.ROWS,
)
_PEERS = (*tailing.ROWS, *viewing.ROWS)
_ABSENT = tuple(row for row in viewing.ROWS if row not in viewing.HERE)
_LEFT_OUT = _ABSENT if os.environ.get(tailing.ASKED_FOR) else _PEERS
ROWS = tuple(row for row in TABLE if row not in _LEFT_OUT)
