"""How the sources are doing is true in however little room."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from smwatch.sources.source import State, Status
from smwatch.tui.health import summary
from smwatch.tui.times import Zone
from tests.tui.scene import FINE, NOW

FILE = Status("file", "a-long-name-of-a-file.json.gz", State.CATCHING_UP, last_good_at=NOW)
DENIED = replace(FILE, source="denied", state=State.DENIED)


@pytest.mark.parametrize(
    ("statuses", "width", "told"),
    [
        ([FILE], 25, "◐ 1 catching up"),
        ([FILE, replace(FILE, source="other")], 25, "◐ 2 catching up"),
        ([FINE, FILE, DENIED], 40, "✗ 1 not ok ◐ 1 catching up ● 1 ok"),
        ([FINE, FILE, DENIED], 30, "✗ 1 not ok ◐ 1 catching up"),
        ([FINE, FILE, DENIED], 5, "✗ 1 not ok"),
    ],
)
def test_where_names_have_no_room_sources_are_counted_and_none_is_called_broken_that_is_busy(
    statuses: list[Status], width: int, told: str
) -> None:
    assert "".join(piece.text for piece in summary(statuses, NOW, Zone.UTC, width)) == told
