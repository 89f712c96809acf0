"""kill -9 before the statements that bring a page to the journal and its lines to standard output."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_tail_killed_before_any_statement_loses_nothing_and_repeats_no_more_than_a_page() -> None:
    tried = subprocess.run(
        [sys.executable, "-m", "tests.crashing", "--every", "9"],
        cwd=Path(__file__).parent.parent.parent,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tried.returncode, tried.stderr) == (0, ""), tried.stdout
