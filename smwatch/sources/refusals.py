"""What AWS, or something that speaks for it, says no with: how the source is doing, the sentence, and the way on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from smwatch.sources.api_call import WATCHED, ApiCall, sign_in, sso
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
LONGEST_QUOTE = 300


def refusal(error: Any, call: ApiCall) -> CallError:
    """What a ClientError of botocore means for this call."""
    response: Mapping[str, Any] = error.response if isinstance(error.response, dict) else {}
    detail = response.get("Error", {})
    code, text = str(detail.get("Code", "")), quoted(detail.get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if error.operation_name != call.operation:  # a call that botocore made by itself, for credentials
        service = "sts" if error.operation_name.startswith("AssumeRole") else "sso"
        call = msgspec.structs.replace(call, service=service, operation=error.operation_name, token=False)
    failure = _refused(code, text, status, call)
    if code and not code.isdigit():  # else it is no answer of AWS, and the date whoever's
        failure.date = date_of(response)
    return failure


def _refused(code: str, text: str, status: int, call: ApiCall) -> CallError:
    """What an error's code, text and HTTP status mean for this call."""
    return (
        _asked_too_often(code, text, call)
        or _not_trusted(code, text, call)
        or _not_allowed(code, text, call)
        or _asked_amiss(code, text, call)
        or _failed(code, text, status, call)
    )


def _asked_too_often(code: str, text: str, call: ApiCall) -> CallError | None:
    if call.operation == "StartLiveTail" and code == "LimitExceededException":
        message = f"all Live Tail sessions of the account in {call.region} are in use; trying again in 5 min"
        return CallError(State.THROTTLED, message, Remedy.PACE)
    if code in THROTTLED:
        message = f"AWS throttles {call.operation} ({text or code})"
        if call.operation == "StartLiveTail":  # it has no pace to keep: its sessions last for hours
            return CallError(State.THROTTLED, message + TRYING_AGAIN, Remedy.RETRY)
        return CallError(State.THROTTLED, message, Remedy.PACE)
    return None


def _not_trusted(code: str, text: str, call: ApiCall) -> CallError | None:
    """Whose credentials, clock or signature AWS does not accept."""
    if code in EXPIRED:
        return CallError(State.SIGN_IN, f"the credentials have expired: {sign_in(call)}", Remedy.SIGN_IN)
    if code in UNKNOWN_KEY:
        message = (
            f"{call.where} does not know these credentials ({code}): the key was deleted, or it belongs to another"
            f" partition, or the Region is not enabled; {sign_in(call)}"
        )
        return CallError(State.SIGN_IN, message, Remedy.SIGN_IN)
    if code in CLOCK or (code in SIGNATURE and any(word in text.lower() for word in CLOCK_WORDS)):
        message = f"AWS refuses the time of this machine's clock ({text or code}): set it (`timedatectl set-ntp true`)"
        return CallError(State.FAILING, message, Remedy.SET_CLOCK)
    if code in SIGNATURE:
        message = f"{call.where} refuses the signature: the secret key does not belong to the key id; {sign_in(call)}"
        return CallError(State.SIGN_IN, message, Remedy.SIGN_IN)
    return None


def _not_allowed(code: str, text: str, call: ApiCall) -> CallError | None:
    """Who is known, but may not."""
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
        message = f"{call.where} is not enabled for this account: enable the Region, or watch another one"
        return CallError(State.DENIED, message, Remedy.WAIT)
    return None


def _asked_amiss(code: str, text: str, call: ApiCall) -> CallError | None:
    """What can't be asked, or not in this way, or not any longer."""
    if call.group and "infrequent" in text.lower():
        return infrequent_access(call)
    match code:
        case "UnknownOperationException" if call.operation == "StartLiveTail":
            return no_live_tail(call, code)
        case "SessionTimeoutException" | "SessionStreamingException":
            return CallError(State.UNREACHABLE, "AWS ended the Live Tail session; opening another", Remedy.RETRY)
        case "InvalidNextTokenException" | "InvalidNextToken":
            return CallError(State.FAILING, f"{call.where} refused a page token", Remedy.RESUME)
        case "InvalidTimeRangeException":
            return CallError(State.FAILING, f"{call.where} refuses the period ({text})", Remedy.CLAMP)
        case "InvalidParameterException" if call.token and "pattern" not in text.lower():
            return CallError(State.FAILING, f"{call.where} refused a page token ({text})", Remedy.RESUME)
        case "ResourceNotFoundException" if call.group:
            message = (
                f"there is no log group {call.group} in {call.region}:"
                f" see `aws logs describe-log-groups --region {call.region}`, or leave out --log-group"
            )
            return CallError(State.FAILING, message, Remedy.WAIT)
    return None


def _failed(code: str, text: str, status: int, call: ApiCall) -> CallError:
    """What is left: an error that says little, or one that is not AWS's."""
    if call.service == "sso" and status in (401, 403):
        return CallError(State.SIGN_IN, f"the SSO session has ended: run `{sso(call)}`", Remedy.SIGN_IN)
    if code.isdigit() or not code:  # no AWS error in the body: something in between speaks
        message = f"{call.where} answered HTTP {status} without an AWS error; trying again (a proxy between?)"
        return CallError(State.FAILING, message, Remedy.RETRY)
    if status >= 500 or code in ("RequestTimeout", "RequestTimeoutException", "ServiceUnavailable", "InternalFailure"):
        return CallError(State.FAILING, f"{call.where} answered {status} {code}{TRYING_AGAIN}", Remedy.RETRY)
    return CallError(State.FAILING, f"{call.where} refused {call.operation}: {code} {text}", Remedy.WAIT)


def _denied(call: ApiCall, text: str) -> str:
    who = ""
    if text.startswith("User: "):
        who = f" to {text.removeprefix('User: ').split(' ')[0]}"
    if call.service in WATCHED:
        return f"AWS denies {call.action}{who}: attach the policy that `smwatch policy watch` prints"
    return f"AWS denies {call.action}{who}: check the role's trust policy ({text})"


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


def quoted(text: object) -> str:
    """Text from the wire on one line, no longer than a sentence may be."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"
