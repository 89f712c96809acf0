"""awscrt, AWS's library in C: botocore loads it wherever it is installed, though only `aws login` wants it.

That is 6 MiB: serves "tail-…-memory". Without it, botocore signs its calls in Python, as where it is not installed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from threading import Lock
from typing import Any

from smwatch.sources.certificates import unread

_NAME = "awscrt"
_IMPORTING = Lock()
"""Held while awscrt is hidden: a session that is given up while it is opened leaves its thread behind."""


def import_botocore() -> None:
    """Import what sessions are made of, in whatever thread, without awscrt and certificates that nobody uses."""
    modules: dict[str, Any] = sys.modules
    with _IMPORTING:
        hidden = modules.setdefault(_NAME, None) is None  # as Python has what can't be imported
        try:
            with unread():
                import_module("aiobotocore.session")
        finally:
            if hidden:
                del modules[_NAME]


def ready_for_login(config: Mapping[str, Any]) -> None:
    """Have botocore sign in with what `aws login` left behind, if a profile of this config asks for that.

    Where awscrt is missing, or too old, botocore says so by itself.
    """
    if any("login_session" in profile for profile in config.get("profiles", {}).values()):
        with suppress(ImportError):
            curves: Any = import_module("awscrt.crypto")
            for name in ("botocore.credentials", "aiobotocore.credentials"):
                module: Any = import_module(name)
                module.EC = getattr(curves, "EC", None)
