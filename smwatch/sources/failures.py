"""What botocore and aiohttp raise, told apart: how the source is doing, the sentence, and the way on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from smwatch.sources.api_call import WATCHED, ApiCall, login, sign_in, sso, with_profile
from smwatch.sources.errors import TRYING_AGAIN, CallError, Remedy
from smwatch.sources.source import State

THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "LimitExceededException",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "SlowDown",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
UNKNOWN_KEY = frozenset(
    {"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "MissingAuthenticationToken"}
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "NotAuthorized",
        "OperationNotPermittedException",
    }
)
CLOCK = frozenset({"RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"})
SIGNATURE = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature"})
CLOCK_WORDS = ("expired", "not yet current", "in the future", "skew")
MALFORMED = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
"""What botocore raises on an answer that is not what the service's model says (and when it was read here)."""
LONGEST_QUOTE = 300


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


def infrequent_access(call: ApiCall) -> CallError:
    """The log group is of the class that none of the APIs for following can read."""
    message = (
        f"the log group {call.group} is of class Infrequent Access, which can't be followed:"
        " send the trail to a group of class Standard, or leave out --log-group"
    )
    return CallError(State.FAILING, message, Remedy.WAIT)


def no_live_tail(call: ApiCall, why: str) -> CallError:
    """The log group is where AWS has no Live Tail; it may be offered there one day."""
    message = (
        f"AWS offers no Live Tail in {call.region} ({why}): the log group is followed without it, some seconds later;"
        " switch it off (V), or leave out `live_tail`"
    )
    return CallError(State.FAILING, message, Remedy.PACE)


def call_error(error: BaseException, call: ApiCall) -> CallError:
    """The failure of this call, for a person and for the engine."""
    from botocore.exceptions import ClientError

    return _answered(error, call) if isinstance(error, ClientError) else _unanswered(error, call)


def date_of(answer: Mapping[str, Any]) -> datetime | None:
    """The time at which the service answered, from the Date header of a botocore response."""
    header = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    if not isinstance(header, str):
        return None
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def _answered(error: Any, call: ApiCall) -> CallError:
    """AWS (or something that speaks for it) said no."""
    response: Mapping[str, Any] = error.response if isinstance(error.response, dict) else {}
    detail = response.get("Error", {})
    code, text = str(detail.get("Code", "")), _quoted(detail.get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if error.operation_name != call.operation:  # a call that botocore made by itself, for credentials
        service = "sts" if error.operation_name.startswith("AssumeRole") else "sso"
        call = msgspec.structs.replace(call, service=service, operation=error.operation_name, token=False)
    failure = _refused(code, text, status, call)
    if code and not code.isdigit():  # else it is no answer of AWS, and the date whoever's
        failure.date = date_of(response)
    return failure


def _refused(code: str, text: str, status: int, call: ApiCall) -> CallError:
    where = call.where
    if call.operation == "StartLiveTail" and code == "LimitExceededException":
        message = f"all Live Tail sessions of the account in {call.region} are in use; trying again in 5 min"
        return CallError(State.THROTTLED, message, Remedy.PACE)
    if code in THROTTLED:
        message = f"AWS throttles {call.operation} ({text or code})"
        if call.operation == "StartLiveTail":  # it has no pace to keep: its sessions last for hours
            return CallError(State.THROTTLED, message + TRYING_AGAIN, Remedy.RETRY)
        return CallError(State.THROTTLED, message, Remedy.PACE)
    if code in EXPIRED:
        return CallError(State.SIGN_IN, f"the credentials have expired: {sign_in(call)}", Remedy.SIGN_IN)
    if code in UNKNOWN_KEY:
        message = (
            f"{where} does not know these credentials ({code}): the key was deleted, or it belongs to another"
            f" partition, or the Region is not enabled; {sign_in(call)}"
        )
        return CallError(State.SIGN_IN, message, Remedy.SIGN_IN)
    if code in CLOCK or (code in SIGNATURE and any(word in text.lower() for word in CLOCK_WORDS)):
        message = f"AWS refuses the time of this machine's clock ({text or code}): set it (`timedatectl set-ntp true`)"
        return CallError(State.FAILING, message, Remedy.SET_CLOCK)
    if code in SIGNATURE:
        message = f"{where} refuses the signature: the secret key does not belong to the key id; {sign_in(call)}"
        return CallError(State.SIGN_IN, message, Remedy.SIGN_IN)
    if call.service == "sso" and code == "ForbiddenException":
        message = (
            f"IAM Identity Center gives profile {call.source or 'default'} no role in its account ({text}):"
            " see to its sso_account_id and sso_role_name, or have the role assigned to you"
        )
        return CallError(State.DENIED, message, Remedy.SIGN_IN)
    if code in DENIED:
        remedy = Remedy.WAIT if call.service in WATCHED else Remedy.SIGN_IN  # perhaps by another line of the profile
        return CallError(State.DENIED, _denied(call, text), remedy)
    if code in ("OptInRequired", "SubscriptionRequiredException"):
        message = f"{where} is not enabled for this account: enable the Region, or watch another one"
        return CallError(State.DENIED, message, Remedy.WAIT)
    if call.group and "infrequent" in text.lower():
        return infrequent_access(call)
    match code:
        case "UnknownOperationException" if call.operation == "StartLiveTail":
            return no_live_tail(call, code)
        case "SessionTimeoutException" | "SessionStreamingException":
            return CallError(State.UNREACHABLE, "AWS ended the Live Tail session; opening another", Remedy.RETRY)
        case "InvalidNextTokenException" | "InvalidNextToken":
            return CallError(State.FAILING, f"{where} refused a page token", Remedy.RESUME)
        case "InvalidTimeRangeException":
            return CallError(State.FAILING, f"{where} refuses the period ({text})", Remedy.CLAMP)
        case "InvalidParameterException" if call.token and "pattern" not in text.lower():
            return CallError(State.FAILING, f"{where} refused a page token ({text})", Remedy.RESUME)
        case "ResourceNotFoundException" if call.group:
            message = (
                f"there is no log group {call.group} in {call.region}:"
                f" see `aws logs describe-log-groups --region {call.region}`, or leave out --log-group"
            )
            return CallError(State.FAILING, message, Remedy.WAIT)
    if call.service == "sso" and status in (401, 403):
        return CallError(State.SIGN_IN, f"the SSO session has ended: run `{sso(call)}`", Remedy.SIGN_IN)
    if code.isdigit() or not code:  # no AWS error in the body: something in between speaks
        message = f"{where} answered HTTP {status} without an AWS error; trying again (a proxy between?)"
        return CallError(State.FAILING, message, Remedy.RETRY)
    if status >= 500 or code in ("RequestTimeout", "RequestTimeoutException", "ServiceUnavailable", "InternalFailure"):
        return CallError(State.FAILING, f"{where} answered {status} {code}{TRYING_AGAIN}", Remedy.RETRY)
    return CallError(State.FAILING, f"{where} refused {call.operation}: {code} {text}", Remedy.WAIT)


def _denied(call: ApiCall, text: str) -> str:
    who = ""
    if text.startswith("User: "):
        who = f" to {text.removeprefix('User: ').split(' ')[0]}"
    if call.service in WATCHED:
        return f"AWS denies {call.action}{who}: attach the policy that `smwatch policy watch` prints"
    return f"AWS denies {call.action}{who}: check the role's trust policy ({text})"


def _unanswered(error: BaseException, call: ApiCall) -> CallError:
    """No answer, no credentials, or no sense in the answer."""
    import aiohttp
    from botocore import exceptions

    call = call.made_at(str(getattr(error, "kwargs", {}).get("endpoint_url", "")))
    where = call.where if call.service in WATCHED else f"{call.where}, which hands out the credentials,"
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
            said = _quoted(error.kwargs.get("error_msg", error))
            step = sign_in(msgspec.structs.replace(call, method=provider))
            return CallError(State.SIGN_IN, f"no credentials could be had ({said}): {step}", Remedy.SIGN_IN)
        case FileNotFoundError() | PermissionError() | IsADirectoryError():
            message = f"no credentials could be had: {error.filename} can't be read ({error.strerror})"
            return CallError(State.SIGN_IN, message, Remedy.SIGN_IN)
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
            return CallError(State.FAILING, f"{call.operation} can't be called: {_quoted(error)}", Remedy.WAIT)
        case _:
            return malformed(call, "something unreadable")


def _reason(error: BaseException) -> str:
    """The root of a connection error, without what botocore and aiohttp put around it."""
    import aiohttp

    inner = getattr(error, "kwargs", {}).get("error") or error.__cause__ or error
    if isinstance(inner, aiohttp.ClientConnectorError) and not isinstance(inner, aiohttp.ClientSSLError):
        return _quoted(f"no connection to {inner.host}:{inner.port}: {_said(inner.os_error)}")
    return _quoted(inner) or type(inner).__name__


def _said(error: OSError) -> str:
    """What the system says of it, be it said of several addresses of one host."""
    if error.errno is None or error.strerror is None or not error.strerror.startswith("Connect call failed"):
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _quoted(text: object) -> str:
    """Text from the wire on one line, no longer than a sentence may be."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"
