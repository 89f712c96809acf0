"""Where a service of AWS is reached: at AWS's own address, or where a setting says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

_SERVICE_IDS = {
    "cloudtrail": "cloudtrail",
    "logs": "cloudwatch_logs",
    "secretsmanager": "secrets_manager",
    "sts": "sts",
    "sso": "sso",
}
"""As AWS's variables and config files name them."""


class Endpoint(msgspec.Struct, frozen=True):
    """A setting in place of AWS's own address; both are "" where there is none."""

    setting: str = ""
    """The variable, or the key of the config file."""
    url: str = ""

    def is_at(self, url: str) -> bool:
        """Whether this URL is of the same host and port."""
        return bool(self.url) and urlsplit(self.url).netloc == urlsplit(url).netloc

    @property
    def possible(self) -> bool:
        """Whether a service can be there: botocore says of `localhost:4566` only with each call that none can."""
        if not self.url:
            return True
        try:
            parts = urlsplit(self.url)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and bool(parts.hostname)


AWS_OWN = Endpoint()


def endpoint_of(
    service: str, environ: Mapping[str, str], profile: Mapping[str, Any], config: Mapping[str, Any]
) -> Endpoint:
    """What the environment, the profile, or the section of the config that it names, set for this service.

    See "Service-specific endpoints" in the AWS SDKs and Tools Reference Guide for their order.
    """
    name = _SERVICE_IDS.get(service, "")
    if str(environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "")).lower() == "true":
        return AWS_OWN
    for variable in (f"AWS_ENDPOINT_URL_{name.upper()}", "AWS_ENDPOINT_URL"):
        if url := environ.get(variable):
            return Endpoint(variable, url)
    section = profile.get("services", "")
    if url := config.get("services", {}).get(section, {}).get(name, {}).get("endpoint_url"):
        return Endpoint(f"{name}'s endpoint_url in [services {section}]", str(url))
    url = profile.get("endpoint_url")
    return Endpoint("the profile's endpoint_url", str(url)) if url else AWS_OWN
