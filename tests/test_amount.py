from __future__ import annotations

import pytest

from smwatch.amount import amount


@pytest.mark.parametrize(
    ("count", "many", "says"),
    [
        (0, "events", "0 events"),
        (1, "events", "1 event"),
        (1204, "secrets", "1,204 secrets"),
        (1, "policies", "1 policy"),
        (1, "more times", "1 more time"),
    ],
)
def test_one_thing_is_not_several(count: int, many: str, says: str) -> None:
    assert amount(count, many) == says
