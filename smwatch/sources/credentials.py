"""Where credentials come from: botocore's own ways, none of which asks or writes on the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.source import State

if TYPE_CHECKING:
    from aiobotocore.credentials import AioCredentialResolver
    from aiobotocore.session import AioSession

Files = tuple[tuple[str, int, int], ...]
"""Name, time of the last change and size of each."""
END = 2.0
"""Seconds that a process which was killed may take to be gone."""


def silent_resolver(session: AioSession) -> AioCredentialResolver:
    """All ways to credentials; one that would ask for a code or a password fails instead."""
    from aiobotocore.credentials import create_credential_resolver

    create: Any = create_credential_resolver
    ways = create(session, cache=_CliCache())
    roles = ways.get_provider("assume-role")
    roles._prompter = functools.partial(_no_prompt, session)
    make_process = roles._profile_provider_builder._create_process_provider
    roles._profile_provider_builder._create_process_provider = lambda name: _well_behaved(make_process(name))
    _well_behaved(ways.get_provider("custom-process"))
    found: AioCredentialResolver = ways
    return found


def credential_files(environ: Mapping[str, str]) -> Files:
    """The state of every file that credentials may be read from."""
    home = Path(environ.get("HOME", "~")).expanduser() / ".aws"
    paths = [
        Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials"),
        Path(environ.get("AWS_CONFIG_FILE") or home / "config"),
    ]
    if token := environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        paths.append(Path(token))
    for folder in ("sso/cache", "login/cache", "cli/cache"):
        paths.extend(sorted((home / folder).glob("*.json")))
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            stat = path.expanduser().stat()
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


class _CliCache(MutableMapping[str, Any]):
    """What the AWS CLI keeps of assumed roles can be used (a role with MFA, signed in elsewhere); nothing is added."""

    def __init__(self) -> None:
        from botocore.utils import JSONFileCache

        self._files: Any = JSONFileCache(working_dir=str(Path("~/.aws/cli/cache").expanduser()))
        self._own: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        return self._own[key] if key in self._own else self._files[key]

    def __contains__(self, key: object) -> bool:
        return key in self._own or key in self._files

    def __setitem__(self, key: str, value: Any) -> None:
        self._own[key] = value

    def __delitem__(self, key: str) -> None:
        self._own.pop(key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def _well_behaved(provider: Any) -> object:
    """A credential_process that never reads from the terminal, and whose nonsense is no credentials, not a fault."""
    from botocore.exceptions import CredentialRetrievalError

    retrieve = provider._retrieve_credentials_using

    async def retrieved(credential_process: str) -> object:
        try:
            return await retrieve(credential_process)
        except OSError as error:
            wrong = f"credential_process can't be run: {error.strerror}"
        except (ValueError, AttributeError, TypeError):  # no JSON, or JSON that is no object
            wrong = "credential_process printed no JSON object"
        raise CredentialRetrievalError(provider=provider.METHOD, error_msg=wrong)

    provider._popen = _without_terminal
    provider._retrieve_credentials_using = retrieved
    return provider


def _no_prompt(session: AioSession, prompt: str) -> str:
    profile = session.get_config_variable("profile") or "default"
    device = prompt.partition(" for ")[2].rstrip(": ") or "its device"
    raise CallError(
        State.SIGN_IN,
        f"profile {profile} wants an MFA code of {device}: run `aws sts get-caller-identity --profile {profile}`"
        " in another terminal",
        Remedy.SIGN_IN,
    )


async def _without_terminal(*args: str, **kwargs: Any) -> _CredentialProcess:
    """A credential_process that can neither read the keyboard nor write over the screen."""
    options: dict[str, Any] = {**kwargs, "stdin": subprocess.DEVNULL, "start_new_session": True}
    starting = asyncio.ensure_future(asyncio.create_subprocess_exec(*args, **options))
    try:
        return _CredentialProcess(await asyncio.shield(starting))
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await _CredentialProcess(await starting).end()
        raise


class _CredentialProcess:
    """A process of which no part outlives the wait for it.

    Whoever lets go of a process that runs has asyncio and `subprocess` both wait for it, and one of them complain.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def returncode(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """What it writes on its standard output and error until it has ended."""
        try:
            return await self._process.communicate()
        except BaseException:
            await self.end()
            raise

    async def end(self) -> None:
        """End it with all that it has started, and wait until it has."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says so of one that ended
            os.killpg(self._process.pid, signal.SIGKILL)  # `Process.kill` polls, and so takes the exit code away
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END):
                await self._process.communicate()
