"""The table: one line a row, in Markdown that reads well in a terminal too."""

from __future__ import annotations

import math
import os
import platform
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from tests.bench.harness import Measured, Row, exponent

HEADER = (
    "row",
    "what",
    "floor or peer",
    "smwatch",
    "floor",
    "ratio (min to max)",
    "target",
    "",
    "at 1/10",
    "at 10 times",
    "growth",
)
_WIDTHS = (15, 54, 42, 9, 9, 20, 7, 6, 16, 16, 24)


def heading(at: datetime) -> list[str]:
    """When and where this was measured, and the head of the table."""
    cores = os.cpu_count() or 0
    versions = ", ".join(f"{name.title()} {version(name)}" for name in ("textual", "msgspec"))
    machine = f"{cores} cores ({_processor()}), {platform.system()}, Python {platform.python_version()}"
    return [
        f"{at:%Y-%m-%d}, {machine}, {versions}, SQLite {sqlite3.sqlite_version}",
        "",
        _line(HEADER),
        _line(["-" * width for width in _WIDTHS]),
    ]


def line(row: Row, measured: Sequence[Measured], *, judged: bool = True) -> str:
    """What was measured of a row at a tenth, at its size and at ten times; `judged` says whether the target is kept."""
    by_size = {each.size: each for each in measured}
    at = by_size.get(row.size) or measured[-1]
    low, high = at.ratios
    kept = median(at.smwatch) if row.absolute else at.ratio
    return _line(
        (
            row.name,
            f"{row.what} ({at.size:,} {row.sized})",
            row.floor,
            _figure(median(at.smwatch), row.unit),
            _figure(median(at.floor), row.unit),
            f"{_times(at.ratio)} ({low:.2f} to {high:.2f})",
            _figure(row.target, row.unit) if row.absolute else _times(row.target),
            ("kept" if kept <= row.target else "missed") if judged else "",
            _other(row, by_size.get(row.size // 10)),
            _other(row, by_size.get(row.size * 10)) or row.remark,
            _growth(measured),
        )
    )


def _other(row: Row, measured: Measured | None) -> str:
    if measured is None:
        return ""
    return f"{_figure(median(measured.smwatch), row.unit)} = {_times(measured.ratio)}"


def _growth(measured: Sequence[Measured]) -> str:
    power = exponent(list(measured))
    if math.isnan(power):
        return ""
    # From a thousand to a hundred thousand a logarithm grows like n^0.11, from ten to a thousand like n^0.24.
    for limit, word in ((0.12, "constant"), (0.24, "logarithmic"), (0.9, "below linear"), (1.1, "linear")):
        if power <= limit:
            return f"{word} (n^{power:.2f})"
    return f"above linear (n^{power:.2f})"


def _times(ratio: float) -> str:
    return f"{ratio:.2f}x"


def _figure(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:,.0f} {unit}" if value >= 10 else f"{value:.2g} {unit}"
    for factor, short in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {short}"
    return f"{value * 1e9:.0f} ns"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)) + " |"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
