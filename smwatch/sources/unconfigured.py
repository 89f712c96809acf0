"""What is said, by every command, where AWS can't be asked as this machine is configured."""

from __future__ import annotations

import shlex

NO_REGION = "no Region is set: give --region, or set AWS_REGION or the profile's region"


def no_credentials(profile: str | None) -> str:
    """There are none at all."""
    named = f" --profile {shlex.quote(profile)}" if profile else ""
    where = f"profile {profile} has" if profile else "there are"
    return f"{where} no AWS credentials: run `aws configure{named}` or `aws sso login{named}`, or set AWS_PROFILE"


def no_profile(profile: object) -> str:
    """There is none of this name."""
    return f"there is no profile {profile!r}: see `aws configure list-profiles`"


def incomplete_credentials(missing: object) -> str:
    """A part of them is not there."""
    return f"the AWS credentials are incomplete: {missing} is missing; set it or run `aws configure`"
