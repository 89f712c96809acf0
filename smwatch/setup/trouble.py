"""What can go wrong between here and AWS, as one sentence for a person with the next step."""

from __future__ import annotations

import re
import shlex

from botocore import exceptions as botocore
from botocore.parsers import ResponseParserError

from smwatch.setup.call import action_of
from smwatch.sources.unconfigured import NO_REGION, incomplete_credentials, no_credentials, no_profile
from smwatch.visible import visible

AWS_ERRORS = (botocore.BotoCoreError, botocore.ClientError, ResponseParserError, UnicodeDecodeError, KeyError)
"""Everything a call can raise: corrupt bytes surface as the third or fourth, an answer cut short as a missing key."""

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403"})
"""What services call a missing permission; S3's HEAD answers have no body, only a status."""
CONFIGURATION = (
    botocore.ProfileNotFound,
    botocore.NoCredentialsError,
    botocore.PartialCredentialsError,
    botocore.NoRegionError,
    botocore.InvalidRegionError,
    botocore.UnknownRegionError,
)
"""What AWS is not even asked for, as this machine is configured."""
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
UNKNOWN_KEY = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure"})
CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired", "InvalidSignatureException", "SignatureDoesNotMatch"})

_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")
_SIGN_IN = (botocore.SSOError, botocore.TokenRetrievalError, botocore.NoAuthTokenError)
_LOGIN = (botocore.LoginError,)
_UNREACHABLE = (botocore.HTTPClientError, botocore.EndpointConnectionError)


_LONGEST = 500
"""Characters of an answer; somebody in between may answer with a whole page."""


class SetupError(Exception):
    """Something a person has to know, as one sentence with the next step."""


class UnconfiguredError(SetupError):
    """AWS can't be asked as this machine is configured."""


class RegionError(UnconfiguredError):
    """No Region, or one that can't be."""


def code_of(error: Exception) -> str:
    """Return AWS's code for what went wrong, "" if it never came to an answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, botocore.ClientError) else ""


def message_of(error: Exception) -> str:
    """Return AWS's own words as far as they are words, with nothing in them that could act in a terminal."""
    said = error.response.get("Error", {}).get("Message", "") if isinstance(error, botocore.ClientError) else str(error)
    return visible(str(said)[:_LONGEST])


def denied_action(error: Exception) -> str:
    """Return the IAM action that was missing, "" if something else is the matter."""
    if not isinstance(error, botocore.ClientError) or code_of(error) not in DENIED:
        return ""
    named = _ACTION.search(message_of(error))
    return named[1] if named else action_of(error.operation_name)


def sentence(error: Exception, *, profile: str = "") -> str:
    """Return what happened and what to do, whatever the error is."""
    with_profile = f" --profile {shlex.quote(profile)}" if profile else ""
    match error:
        case botocore.ProfileNotFound():
            return as_sentence(no_profile(error.kwargs.get("profile", profile)))
        case botocore.NoCredentialsError():
            return as_sentence(no_credentials(profile))
        case botocore.PartialCredentialsError():
            return as_sentence(incomplete_credentials(error.kwargs.get("cred_var", "a part")))
        case botocore.NoRegionError():
            return as_sentence(NO_REGION)
        case botocore.InvalidRegionError() | botocore.UnknownRegionError():
            return f"{message_of(error)}: name a Region such as eu-west-1 with --region."
        case botocore.RefreshWithMFAUnsupportedError():
            return f"The session needs a new MFA code: `aws sts get-caller-identity{with_profile}` asks for it."
        case botocore.LoginError():
            return f"The sign-in has ended: `aws login{with_profile}`, then repeat the command."
        case botocore.SSOError() | botocore.TokenRetrievalError() | botocore.NoAuthTokenError():
            return f"The sign-in has ended: `aws sso login{with_profile}`, then repeat the command."
        case botocore.CredentialRetrievalError():
            return f"{message_of(error)}: see what gives the credentials of this profile."
        case botocore.ClientError():
            return _refusal(error, with_profile)
        case botocore.HTTPClientError() | botocore.EndpointConnectionError():
            return f"AWS can't be reached: {message_of(error)} Check the network, the proxy and AWS_ENDPOINT_URL."
        case botocore.BotoCoreError():
            return message_of(error)
        case _:
            return f"AWS gave an answer that makes no sense: {message_of(error)}"


def as_sentence(words: str) -> str:
    """Words for one line as a sentence among others."""
    return visible(f"{words[:1].upper()}{words[1:]}.")


def _refusal(error: botocore.ClientError, with_profile: str) -> str:
    code = code_of(error)
    if action := denied_action(error):
        return f"Not allowed: {action} is missing ({message_of(error)})"
    if code in EXPIRED:
        return f"The credentials have expired: `aws configure list{with_profile}` says where to get new ones."
    if code in UNKNOWN_KEY:
        return (
            f"AWS does not know these credentials (`aws configure list{with_profile}` says where they come from): "
            "a deleted key, another partition, or a Region that is not enabled for this account."
        )
    if code in CLOCK:
        return f"AWS refused the signature ({code}): check this machine's clock, then the secret access key."
    return f"{visible(error.operation_name)} failed with {visible(code)}: {message_of(error)}"
