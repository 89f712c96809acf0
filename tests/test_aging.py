"""The weeks that pass in minutes, as days that pass in seconds."""

import pytest

from tests.aging import age, growth


async def test_days_pass(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = await age(2, 240)
    assert len(blocks) == 2
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("day   1 ")
    assert "MiB resident" in told[1]
    assert told[2].startswith("more of: ")


def test_growth_is_the_last_quarter_by_the_second() -> None:
    assert growth([1, 1, 10, 10, 30, 30, 20, 20]) == 2
