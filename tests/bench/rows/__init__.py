"""All rows of the table, in its order."""

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

ROWS = (
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
