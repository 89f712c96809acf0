"""What is asked of AWS and with whose credentials, for sentences about its failure, and how to get such that work."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from smwatch.sources.endpoint import AWS_OWN, Endpoint

WATCHED = ("cloudtrail", "logs", "secretsmanager")
"""The services that are asked for what there is to see; the others hand out credentials."""
_NAMES = {"cloudtrail": "CloudTrail", "logs": "CloudWatch Logs", "sts": "STS", "sso": "IAM Identity Center"}
_HOSTS = {"sts": ("sts.", "sts-fips."), "sso": ("portal.sso.",)}
"""How AWS's own hosts of the services begin that hand out credentials."""


class ApiCall(msgspec.Struct, frozen=True):
    """One call to AWS."""

    service: str
    """As in IAM actions: cloudtrail, logs."""
    operation: str
    region: str
    profile: str = ""
    """Whose credentials; "" for the default."""
    source: str = ""
    """The profile that one has its credentials by way of: the one to sign in with; "" for the default."""
    method: str = ""
    """Where the credentials come from, in botocore's word."""
    group: str = ""
    token: bool = False
    """Whether a page token was sent."""
    endpoint: Endpoint = AWS_OWN
    """Where the service is reached."""
    sts: Endpoint = AWS_OWN
    """Where STS is, which botocore asks by itself for the credentials of a role."""
    sso: Endpoint = AWS_OWN
    """Where IAM Identity Center is, which it asks for those of an SSO session."""

    @property
    def action(self) -> str:
        """The IAM action that allows the call."""
        return f"{self.service}:{self.operation}"

    @property
    def api(self) -> str:
        """The service's name for a person."""
        return _NAMES.get(self.service, self.service)

    @property
    def where(self) -> str:
        """The service and the Region, for a person."""
        return f"{self.api} in {self.region}"

    def made_at(self, url: str) -> ApiCall:
        """The call that was made at this URL: one for credentials, if botocore made it before this one."""
        if self.service not in WATCHED or not url or self.endpoint.is_at(url):
            return self
        host = urlsplit(url).hostname or ""
        for service, endpoint in (("sts", self.sts), ("sso", self.sso)):
            if endpoint.is_at(url) if endpoint.url else host.startswith(_HOSTS[service]):
                return msgspec.structs.replace(self, service=service, endpoint=endpoint)
        return self


def sign_in(call: ApiCall) -> str:
    """The next step to get credentials that work."""
    match call.method:
        case "sso":
            return f"run `{sso(call)}`"
        case "login":
            return f"run `{login(call)}`"
        case "env":
            return "start smwatch again with new AWS_… variables"
        case "custom-process":
            return "see to the profile's credential_process"
        case "iam-role" | "container-role" | "assume-role-with-web-identity":
            return "see to the role of this machine or container"
        case _:
            return f"renew them (`{with_profile('aws configure', call.source)}`); smwatch goes on by itself"


def sso(call: ApiCall) -> str:
    """The command that signs in to IAM Identity Center."""
    return with_profile("aws sso login", call.source)


def login(call: ApiCall) -> str:
    """The command that signs in to the console's session."""
    return with_profile("aws login", call.source)


def with_profile(command: str, profile: str) -> str:
    """The command for this profile, be it the default."""
    return f"{command} --profile {profile}" if profile else command
