"""awscrt is loaded where `aws login` is used, and not otherwise."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from types import ModuleType

import pytest

from smwatch.sources import crt

CONFIG = "[profile keys]\nregion = eu-west-1\n"
LOGIN = "[profile l]\nregion = eu-west-1\nlogin_session = arn:aws:iam::123456789012:user/x\n"
OPEN = """
import asyncio, sys
from smwatch.sources.session import AwsSession
asyncio.run(AwsSession.open("keys"))
from aiobotocore import credentials
print("awscrt" in sys.modules, "_awscrt" in sys.modules, credentials.EC is not None)
"""


@pytest.mark.parametrize(
    ("config", "loaded"),
    [pytest.param(CONFIG, False, id="no profile signs in so"), pytest.param(CONFIG + LOGIN, True, id="one does")],
)
def test_it_is_loaded_where_a_profile_signs_in_by_aws_login(tmp_path: Path, config: str, *, loaded: bool) -> None:
    pytest.importorskip("awscrt")
    file = tmp_path / "config"
    file.write_text(config)
    told = subprocess.run(
        [sys.executable, "-c", OPEN],
        env={"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(file)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == [str(loaded)] * 3


def test_two_threads_may_import_botocore_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Barrier(2)

    def slowly(name: str) -> ModuleType:
        with suppress(BrokenBarrierError):
            both.wait(0.2)
        return import_module(name)

    monkeypatch.delitem(sys.modules, "awscrt", raising=False)
    monkeypatch.setattr(crt, "import_module", slowly)
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(crt.import_botocore) for _ in range(2)]:
            done.result()
    assert "awscrt" not in sys.modules
