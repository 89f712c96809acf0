"""botocore's session for a profile, and what it has against how this machine is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smwatch.sources.credentials import silent_resolver
from smwatch.sources.crt import ready_for_login
from smwatch.sources.unconfigured import incomplete_credentials, no_profile

if TYPE_CHECKING:
    from aiobotocore.session import AioSession


def new_session(profile: str | None) -> AioSession:
    """A session of botocore's, with the ways to credentials and the parsers that suit a monitor."""
    from aiobotocore.session import AioSession

    from smwatch.sources.models import LeanFiles
    from smwatch.sources.parsers import LeanParsers

    session = AioSession(profile=profile)
    session.register_component("response_parser_factory", LeanParsers())
    session.get_component("data_loader").file_loader = LeanFiles()
    session.get_scoped_config()  # raises ProfileNotFound and ConfigParseError
    ready_for_login(session.full_config)
    session.register_component("credential_provider", silent_resolver(session))
    return session


def regions_of(session: AioSession) -> list[str]:
    """Every Region in which there is CloudTrail, as botocore would say too, by way of a large model."""
    from smwatch.sources.models import regions_of_cloudtrail

    return list(regions_of_cloudtrail(session.get_component("data_loader").load_data("endpoints")))


def botocore_errors() -> tuple[type[Exception], ...]:
    """What botocore raises of its own."""
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError


def fatal(error: Exception) -> bool:
    """Whether no call can succeed before somebody changes the configuration."""
    from botocore import exceptions

    return isinstance(
        error,
        exceptions.PartialCredentialsError
        | exceptions.ProfileNotFound
        | exceptions.ConfigParseError
        | exceptions.ConfigNotFound
        | exceptions.InvalidConfigError
        | exceptions.UnknownCredentialError,
    )


def configuration_sentence(error: Exception, profile: str | None) -> str:
    """What is wrong with the configuration, for a person."""
    from botocore import exceptions

    match error:
        case exceptions.ProfileNotFound():
            return no_profile(error.kwargs.get("profile", profile))
        case exceptions.PartialCredentialsError():
            return incomplete_credentials(error.kwargs.get("cred_var", "a part"))
        case exceptions.ConfigParseError():
            return f"{error.kwargs.get('path', 'the AWS config file')} can't be read: mend its syntax"
        case _:
            text = " ".join(str(error).split())
            return f"the AWS configuration can't work: {text}"
