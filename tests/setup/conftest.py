"""An account in an emulator, and the way to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.emulators.process import Emulator
from tests.setup import account as accounts
from tests.setup.account import Account

OpenAccount = Callable[[Emulator], Account]


@pytest.fixture
def open_account(monkeypatch: pytest.MonkeyPatch) -> OpenAccount:
    """Open an emulator's account: from then on the standard places lead there, and nowhere else."""
    return partial(accounts.open_account, environment=monkeypatch)


@pytest.fixture
def account(moto: Emulator, open_account: OpenAccount) -> Account:
    """An empty account in moto."""
    return open_account(moto)
