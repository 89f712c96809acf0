from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.bench.__main__ import SHORT, chosen, main
from tests.bench.harness import Measured, Row, Runs, attempt, exponent, sizes
from tests.bench.readme import BEGIN, END, OTHER_SIZES, README, merged, rows, written
from tests.bench.rows import ROWS, TABLE
from tests.bench.rows.parsing import Fresh
from tests.bench.table import HEADER, heading, line
from tests.bench.traffic import Traffic


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_can_be_measured(row: Row) -> None:
    measured = attempt(row, max(10, row.size // SHORT))
    assert all(figure > 0 for figure in (*measured.smwatch, *measured.floor))
    assert line(row, [measured]).count(" | ") == len(HEADER) - 1


@pytest.mark.parametrize("row", [row for row in TABLE if row not in ROWS], ids=lambda row: row.name)
def test_where_a_peer_is_not_there_smwatch_alone_can_be_measured(row: Row) -> None:
    with row.ready(max(10, row.size // SHORT)) as pair:
        assert pair.smwatch() > 0


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_rows_are_chosen_by_name_or_its_beginning() -> None:
    assert [row.name for row in chosen(["pattern"])] == ["pattern"]
    assert {row.name for row in chosen(["late-"])} == {row.name for row in ROWS if row.name.startswith("late-")}
    assert chosen(["no such row"]) == []


def test_the_ratio_is_of_the_medians_and_its_bounds_of_single_rounds() -> None:
    measured = Measured(10, (1.0, 2.0, 9.0), (1.0, 4.0, 3.0))
    assert measured.ratio == 2.0 / 3.0
    assert measured.ratios == (0.5, 3.0)


@pytest.mark.parametrize(
    ("size", "largest", "measured"), [(500, 5_000, [50, 500, 5_000]), (500, 600, [50, 500]), (1, 9, [1])]
)
def test_a_row_is_measured_at_a_tenth_and_at_ten_times_its_size(size: int, largest: int, measured: list[int]) -> None:
    assert sizes(msgspec.structs.replace(ROWS[0], size=size, largest=largest)) == measured


@pytest.mark.parametrize(("large", "power"), [(1.0, 0.0), (100.0, 1.0), (10_000.0, 2.0)])
def test_growth_is_told_as_a_power_of_the_size(large: float, power: float) -> None:
    measured = [Measured(10, (1.0,), (1.0,)), Measured(1000, (large,), (1.0,))]
    assert exponent(measured) == pytest.approx(power)


@pytest.mark.parametrize("order", ["sfsfsf", "sffssf", "fssffs"])
def test_both_sides_have_the_same_records_in_each_round_and_other_ones_in_the_next(order: str) -> None:
    fresh = Fresh(Traffic(), 3)
    taken: dict[str, list[list[str]]] = {"s": [], "f": []}
    for side in order:
        taken[side].append(fresh.smwatch() if side == "s" else fresh.floor())
    assert taken["s"] == taken["f"]
    assert len({text for texts in taken["s"] for text in texts}) == 9


@pytest.mark.parametrize(
    ("large", "word"),
    [(1.0, "constant"), (2.0, "logarithmic"), (3.8, "below linear"), (100.0, "linear"), (200.0, "above linear")],
)
def test_what_grows_faster_than_a_logarithm_is_not_called_one(large: float, word: str) -> None:
    measured = [Measured(1_000, (1.0,), (1.0,)), Measured(100_000, (large,), (1.0,))]
    assert line(ROWS[0], measured).strip("| ").rpartition(" | ")[2].startswith(f"{word} (")


def test_rows_about_the_same_runs_share_them() -> None:
    made: list[str] = []

    def run(side: str) -> float:
        made.append(side)
        return len(made)

    @contextmanager
    def ready(size: int) -> Iterator[tuple[Callable[[], float], Callable[[], float]]]:
        made.append(f"ready {size}")
        yield partial(run, "smwatch"), partial(run, "peer")

    runs = Runs(ready)
    with runs.told(7, figure=float) as pair:
        first = [pair.smwatch(), pair.floor(), pair.smwatch()]
    with runs.told(7, figure=lambda value: -value) as pair:
        again = [pair.smwatch(), pair.floor(), pair.smwatch()]
        assert made == ["ready 7", "smwatch", "peer", "smwatch"]
        pair.floor()
    assert again == [-value for value in first]
    assert made[4:] == ["ready 7", "peer"]


def test_rows_of_the_same_runs_are_named_after_the_first() -> None:
    @contextmanager
    def ready(size: int) -> Iterator[tuple[Callable[[], float], Callable[[], float]]]:
        yield lambda: float(size), lambda: 2.0 * size

    runs = Runs(ready)
    first = msgspec.structs.replace(ROWS[0], name="first", ready=partial(runs.told, figure=float))
    one, other = runs.rows(first, ("half", "half of it", "MiB", lambda figure: figure / 2))
    assert (one, other.name, other.what, other.unit) == (first, "first-half", "half of it", "MiB")
    assert attempt(one, 8).smwatch == (8.0,)
    assert attempt(other, 8).floor == (8.0,)


def test_readme_holds_no_row_that_is_not_measured() -> None:
    table = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    named = rows(table)
    assert named
    assert named.keys() <= {row.name for row in TABLE}
    assert written(named) == table


def test_what_is_printed_can_be_written_into_readme_and_read_there() -> None:
    measured = Measured(ROWS[0].size, (1.0,), (4.0,))
    printed = "\n".join([*heading(datetime(2026, 11, 23, tzinfo=UTC)), line(ROWS[0], [measured])])
    assert rows(printed)[ROWS[0].name]["ratio (min to max)"] == "0.25x (0.25 to 0.25)"
    table = written(rows(printed))
    assert "| 0.25x (0.25 to 0.25) |" in table
    assert written(rows(table)) == table


def test_a_row_that_is_measured_at_its_own_size_alone_keeps_what_was_said_of_other_sizes() -> None:
    row = ROWS[0]

    def read(*measured: Measured) -> dict[str, dict[str, str]]:
        return rows("\n".join([*heading(datetime(2026, 11, 23, tzinfo=UTC)), line(row, measured)]))

    once, others = Measured(row.size, (1.0,), (4.0,)), [Measured(row.size * n // 10, (2.0,), (4.0,)) for n in (1, 100)]
    known, anew = read(others[0], Measured(row.size, (3.0,), (4.0,)), others[1]), read(once)
    assert merged(known, anew)[row.name] == known[row.name] | {
        head: cell for head, cell in anew[row.name].items() if head not in OTHER_SIZES
    }
    assert merged(anew, known) == known
    assert merged({}, anew) == anew


def test_what_was_broken_off_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, written = tmp_path / "table", list[list[str]]()
    for names in (["pattern"], ["pattern", "version"]):
        monkeypatch.setattr("sys.argv", ["bench", "--short", "--into", str(file), *names])
        main()
        written.append(list(rows(file.read_text(encoding="utf-8"))))
        assert file.read_text(encoding="utf-8").count("| pattern ") == 1
    assert written == [["pattern"], ["pattern", "version"]]
