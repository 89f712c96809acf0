"""What botocore and aiohttp raise, told apart: how the source is doing, the sentence, and the way on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import msgspec

from smwatch.sources.api_call import WATCHED, ApiCall, login, sign_in, sso, with_profile
from smwatch.sources.errors import TRYING_AGAIN, CallError, Remedy
from smwatch.sources.refusals import quoted, refusal
from smwatch.sources.source import State

MALFORMED = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
"""What botocore raises on an answer that is not what the service's model says (and when it was read here)."""


def known() -> tuple[type[Exception], ...]:
    """Every way in which a call to AWS, or the reading of its answer, is known to fail."""
    import aiohttp
    from botocore.eventstream import ParserError
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return (BotoCoreError, ClientError, aiohttp.ClientError, OSError, ParserError, ResponseParserError, *MALFORMED)


def expected() -> tuple[type[Exception], ...]:
    """How a call that need not succeed may fail: a proxy's page for an answer is no reason to end."""
    return (CallError, *known())


@contextlib.contextmanager
def told_apart(call: ApiCall) -> Iterator[None]:
    """Raise a CallError where a call fails in a known way."""
    try:
        yield
    except CallError:
        raise
    except known() as error:
        raise call_error(error, call) from error


def malformed(call: ApiCall, what: str) -> CallError:
    """The answer came, but is not one."""
    message = f"{call.where} answered with {what}; asking again (a proxy or a captive portal between?)"
    return CallError(State.FAILING, message, Remedy.GARBLED)


def call_error(error: BaseException, call: ApiCall) -> CallError:
    """The failure of this call, for a person and for the engine."""
    from botocore.exceptions import ClientError

    return refusal(error, call) if isinstance(error, ClientError) else _unanswered(error, call)


def _unanswered(error: BaseException, call: ApiCall) -> CallError:
    """No answer, no credentials, or no sense in the answer."""
    call = call.made_at(str(getattr(error, "kwargs", {}).get("endpoint_url", "")))
    return _without_credentials(error, call) or _unreachable(error, call)


def _without_credentials(error: BaseException, call: ApiCall) -> CallError | None:
    """There was nothing to sign the call with."""
    from botocore import exceptions

    match error:
        case (
            exceptions.UnauthorizedSSOTokenError()
            | exceptions.SSOTokenLoadError()
            | exceptions.SSOError()
            | exceptions.TokenRetrievalError()
            | exceptions.NoAuthTokenError()
        ):
            return CallError(State.SIGN_IN, f"the SSO session has ended: run `{sso(call)}`", Remedy.SIGN_IN)
        case exceptions.MissingDependencyException() if call.method in ("", "login"):
            message = (
                "signing in with `aws login` wants a library that is not there: install it with"
                " `pip install 'smwatch[login]'` and start smwatch again"
            )
            return CallError(State.SIGN_IN, message, Remedy.SIGN_IN)
        case exceptions.LoginError():
            return CallError(State.SIGN_IN, f"the login session has ended: run `{login(call)}`", Remedy.SIGN_IN)
        case exceptions.RefreshWithMFAUnsupportedError():
            command = with_profile("aws sts get-caller-identity", call.profile)
            message = f"profile {call.profile or 'default'} wants an MFA code: run `{command}` in another terminal"
            return CallError(State.SIGN_IN, message, Remedy.SIGN_IN)
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return CallError(State.SIGN_IN, f"there are no credentials: {sign_in(call)}", Remedy.SIGN_IN)
        case exceptions.CredentialRetrievalError() | exceptions.MetadataRetrievalError():
            provider = error.kwargs.get("provider", call.method)
            said = quoted(error.kwargs.get("error_msg", error))
            step = sign_in(msgspec.structs.replace(call, method=provider))
            return CallError(State.SIGN_IN, f"no credentials could be had ({said}): {step}", Remedy.SIGN_IN)
        case FileNotFoundError() | PermissionError() | IsADirectoryError():
            message = f"no credentials could be had: {error.filename} can't be read ({error.strerror})"
            return CallError(State.SIGN_IN, message, Remedy.SIGN_IN)
    return None


def _unreachable(error: BaseException, call: ApiCall) -> CallError:
    """Nobody answered, or nothing that makes sense."""
    import aiohttp
    from botocore import exceptions

    where = call.where if call.service in WATCHED else f"{call.where}, which hands out the credentials,"
    match error:
        case exceptions.SSLError() | aiohttp.ClientSSLError():
            message = (
                f"the TLS connection to {where} fails ({_reason(error)}): behind an inspecting proxy, set AWS_CA_BUNDLE"
            )
            return CallError(State.UNREACHABLE, message, Remedy.RETRY)
        case exceptions.ProxyConnectionError():
            message = f"the proxy for {where} can't be reached ({_reason(error)}): check HTTPS_PROXY"
            return CallError(State.UNREACHABLE, message, Remedy.RETRY)
        case exceptions.ReadTimeoutError() | aiohttp.ServerTimeoutError():
            return CallError(State.UNREACHABLE, f"{where} did not answer in time{TRYING_AGAIN}", Remedy.RETRY)
        case (
            exceptions.ConnectionError()
            | exceptions.HTTPClientError()
            | aiohttp.ClientError()
            | OSError()
        ):  # fmt: skip
            setting = call.endpoint.setting
            check = f"{setting} and the network" if setting else "the network"
            message = f"{where} can't be reached ({_reason(error)}): check {check}{TRYING_AGAIN}"
            return CallError(State.UNREACHABLE, message, Remedy.RETRY)
        case exceptions.BotoCoreError() if not isinstance(error, exceptions.DataNotFoundError):
            return CallError(State.FAILING, f"{call.operation} can't be called: {quoted(error)}", Remedy.WAIT)
        case _:
            return malformed(call, "something unreadable")


def _reason(error: BaseException) -> str:
    """The root of a connection error, without what botocore and aiohttp put around it."""
    import aiohttp

    inner = getattr(error, "kwargs", {}).get("error") or error.__cause__ or error
    if isinstance(inner, aiohttp.ClientConnectorError) and not isinstance(inner, aiohttp.ClientSSLError):
        return quoted(f"no connection to {inner.host}:{inner.port}: {_said(inner.os_error)}")
    return quoted(inner) or type(inner).__name__


def _said(error: OSError) -> str:
    """What the system says of it, be it said of several addresses of one host."""
    if error.errno is None or error.strerror is None or not error.strerror.startswith("Connect call failed"):
        return error.strerror or str(error)
    return os.strerror(error.errno)
