"""Who appears in the demo, and the identities and clients by which CloudTrail would know them.

The account, the addresses and the key ids are the ones that AWS and the RFCs set aside for documentation.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

ACCOUNT = "111122223333"
REGION = "eu-west-1"
SERVICE = "secretsmanager.amazonaws.com"
HOUR = 3600

_JAVA = (
    "aws-sdk-java/2.39.2 md/io#sync md/http#Apache ua/2.1 api/Secrets_Manager#2.39.2 os/Linux#6.1.156 lang/java#21.0.9 "
    "md/OpenJDK_64-Bit_Server_VM#21.0.9+10-LTS md/vendor#Amazon.com_Inc. exec-env/AWS_ECS_FARGATE m/E,z"
)
_BOTO = (
    "Boto3/1.40.70 md/Botocore#1.40.70 ua/2.1 os/linux#5.10.245 md/arch#arm64 lang/python#3.13.9 md/pyimpl#CPython "
    "exec-env/AWS_Lambda_python3.13 m/Z,b,e cfg/retry-mode#legacy Botocore/1.40.70"
)
_GO = (
    "aws-sdk-go-v2/1.40.0 ua/2.1 os/linux lang/go#1.25.4 md/GOARCH#arm64 md/GOOS#linux api/secretsmanager#1.40.1 m/E,g"
)
_NODE = "aws-sdk-js/3.936.0 ua/2.1 os/linux#6.1.156 lang/js md/nodejs#22.21.1 api/secrets-manager#3.936.0 m/E,i,b"
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
_CLI = (
    "aws-cli/2.32.3 md/awscrt#0.28.4 ua/2.1 os/linux#6.14.0 md/arch#x86_64 lang/python#3.13.9 md/pyimpl#CPython "
    "m/b,Z,E cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#secretsmanager.{command}"
)


class Caller(msgspec.Struct, frozen=True):
    """Someone who calls Secrets Manager."""

    identity: Mapping[str, Any]
    """userIdentity, but for the sessionContext's time."""
    ip: str
    agent: str
    session: int = 0
    """How many seconds a session lasts; 0 for identities without one."""
    console: bool = False
    """Works in the AWS console."""

    def user_identity(self, at: datetime, invoked_by: str = "") -> dict[str, Any]:
        """userIdentity as recorded at a moment."""
        identity = dict(self.identity)
        if self.session:
            seconds = int(at.timestamp())
            began_at = datetime.fromtimestamp(seconds - seconds % self.session, UTC)
            attributes = {"creationDate": f"{began_at:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": "false"}
            identity["sessionContext"] = {**identity["sessionContext"], "attributes": attributes}
        return {**identity, "invokedBy": invoked_by} if invoked_by else identity

    @property
    def arn(self) -> str:
        """The ARN by which an error message names the caller."""
        return str(self.identity["arn"])


def unique_id(prefix: str, name: str) -> str:
    """An id as IAM gives them (AROA…, ASIA…), marked as an example."""
    digest = b32encode(blake2b(f"{prefix}/{name}".encode(), digest_size=10).digest()).decode()
    return f"{prefix}{digest[:9]}EXAMPLE"


def _role(name: str, session: str, ip: str, agent: str, *, path: str = "", **more: Any) -> Caller:
    issuer = {
        "type": "Role",
        "principalId": unique_id("AROA", name),
        "arn": f"arn:aws:iam::{ACCOUNT}:role/{path}{name}",
        "accountId": ACCOUNT,
        "userName": name,
    }
    identity = {
        "type": "AssumedRole",
        "principalId": f"{issuer['principalId']}:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": unique_id("ASIA", f"{name}/{session}"),
        "sessionContext": {"sessionIssuer": issuer},
        **more,
    }
    return Caller(identity, ip, agent, HOUR)


def _function(role: str, function: str) -> Caller:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    scope = {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": arn}
    return _role(role, function, "203.0.113.24", _BOTO, path="service-role/", inScopeOf=scope)


def _person(name: str, permissions: str, ip: str, agent: str = _BROWSER) -> Caller:
    """Someone who has signed in through IAM Identity Center."""
    role = f"AWSReservedSSO_{permissions}_0f1e2d3c4b5a6978"
    behalf = {
        "userId": f"93670214-{blake2b(name.encode(), digest_size=4).hexdigest()}-70b1",
        "identityStoreArn": f"arn:aws:identitystore::{ACCOUNT}:identitystore/d-9367EXAMPLE",
    }
    path = f"aws-reserved/sso.amazonaws.com/{REGION}/"
    caller = _role(role, f"{name}@example.com", ip, agent, path=path, onBehalfOf=behalf)
    return msgspec.structs.replace(caller, session=8 * HOUR, console=agent == _BROWSER)


def cli(command: str) -> str:
    """The user agent of the AWS CLI."""
    return _CLI.format(command=command)


PAYMENTS = _role("payments-api-task", "5c1d3b7e9a2f4806b1c7d5e3f9a08264", "203.0.113.10", _JAVA)
ORDERS = _role("orders-worker", "eks-prod-orders-wo-6f2b91d0", "203.0.113.11", _GO)
STOREFRONT = _role("storefront-task", "a94be02f71c84d6cb5d3f0e1827a6c95", "203.0.113.12", _NODE)
CHECKOUT = _function("checkout-webhook-role", "checkout-webhook")
INVOICES = _function("invoice-export-role", "invoice-export")
EXTERNAL_SECRETS = _role(
    "external-secrets", "external-secrets-provider-aws", "203.0.113.13", f"{_GO} app/external-secrets"
)
CI = _role("ci-deployer", "GitHubActions", "192.0.2.44", cli("get-secret-value"), path="ci/")
NOTEBOOK = _role(
    "analytics-notebook", "SageMaker", "198.51.100.23", _BOTO.replace("exec-env/AWS_Lambda_python3.13 ", "")
)
PAYMENTS_ROTATION = _function("rotate-payments-db-role", "rotate-payments-db")
ORDERS_ROTATION = _function("rotate-orders-mq-role", "rotate-orders-mq")
ALICE = _person("alice", "PlatformAdmin", "198.51.100.7")
BOB = _person("bob", "OnCall", "198.51.100.8", cli("restore-secret"))
CAROL = _person("carol", "SearchTeam", "198.51.100.9")
REPORTING = Caller(
    {
        "type": "IAMUser",
        "principalId": unique_id("AIDA", "legacy-reporting"),
        "arn": f"arn:aws:iam::{ACCOUNT}:user/legacy-reporting",
        "accountId": ACCOUNT,
        "accessKeyId": unique_id("AKIA", "legacy-reporting"),
        "userName": "legacy-reporting",
    },
    "192.0.2.17",
    "aws-sdk-php/3.359.0 ua/2.1 OS/Linux#5.4.0 lang/php#8.3.28 GuzzleHttp/7",
)
ROOT = Caller(
    {
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT,
        "accessKeyId": unique_id("ASIA", "root"),
        "sessionContext": {"sessionIssuer": {}, "webIdFederationData": {}},
    },
    "198.51.100.99",
    _BROWSER,
    8 * HOUR,
    console=True,
)
INTRUDER = _role(
    "log-viewer",
    "\u202ecexe\u202c-<b>x</b>",
    "198.51.100.200",
    "\x1b]0;all is well\x07\x1b[2J\x1b[31m[bold red]curl/8.17[/] \u2066$(reboot)\u2069\r\n",
)
"""Nothing stops a client from calling itself this."""
