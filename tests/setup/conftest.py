"""An account in an emulator, and the way to it."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from smwatch.setup.aws import Aws
from smwatch.setup.place import Place
from tests.emulators.process import Emulator
from tests.setup.account import Account, Wire

OpenAccount = Callable[[Emulator], Account]


@pytest.fixture
def open_account(monkeypatch: pytest.MonkeyPatch) -> OpenAccount:
    """Open an emulator's account: from then on the standard places lead there, and nowhere else."""

    def open_it(emulator: Emulator) -> Account:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        watched = boto3.Session()
        wire = Wire(watched)
        aws = Aws(watched, emulator.region)
        place = Place("aws", aws.identity().account, emulator.region)
        return Account(aws=aws, wire=wire, place=place)

    return open_it


@pytest.fixture
def account(moto: Emulator, open_account: OpenAccount) -> Account:
    """An empty account in moto."""
    return open_account(moto)
