"""Stand-ins for the places that hand out credentials: IAM Identity Center, AWS Sign-In, STS, metadata.

Every answer holds another access key: ASIA, a word for the place, a number. `lasting` says how long it is good for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.emulators.loopback import Loopback

ROLE = """<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<{action}Result><Credentials><AccessKeyId>{AccessKeyId}</AccessKeyId>
<SecretAccessKey>example</SecretAccessKey><SessionToken>example</SessionToken><Expiration>{Expiration}</Expiration>
</Credentials></{action}Result></{action}Response>"""


class CredentialService(Loopback):
    """All of them behind one URL."""

    def __init__(self) -> None:
        super().__init__()
        self.lasting = timedelta(hours=1)
        self.handed_out: Counter[str] = Counter()
        self.refusing = False
        """Whether nobody gets anything at the moment."""
        self.sts_refuses = ""
        """The error with which STS answers at the moment; "" for none."""
        self.unassigned: set[str] = set()
        """Names of roles that IAM Identity Center gives nobody."""
        self.says_why = True
        """Whether a refusal names its error, as AWS does and a proxy before it may not."""

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get("/federation/credentials", self._sso),
            web.put("/latest/api/token", self._token),
            web.get("/latest/meta-data/iam/security-credentials/", self._role_name),
            web.get("/latest/meta-data/iam/security-credentials/watcher", self._instance),
            web.get("/container", self._container),
            web.post("/", self._sts),
            web.post("/v1/token", self._login),
        ]

    def _fresh(self, place: str) -> dict[str, Any]:
        if self.refusing:
            raise web.HTTPServiceUnavailable
        self.handed_out[place] += 1
        return {
            "AccessKeyId": f"ASIA{place}{self.handed_out[place]}",
            "SecretAccessKey": "example",
            "Token": "example",
            "Expiration": (datetime.now(UTC) + self.lasting).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    async def _sso(self, request: web.Request) -> web.Response:
        if request.headers.get("x-amz-sso_bearer_token") != "signed-in":
            headers = {"x-amzn-ErrorType": "UnauthorizedException"} if self.says_why else {}
            return web.json_response({"message": "Session token not found or invalid"}, status=401, headers=headers)
        if request.query["role_name"] in self.unassigned:
            headers = {"x-amzn-ErrorType": "ForbiddenException"}
            return web.json_response({"message": "No access"}, status=403, headers=headers)
        keys = self._fresh("SSO")
        role = {
            "accessKeyId": keys["AccessKeyId"],
            "secretAccessKey": "example",
            "sessionToken": "example",
            "expiration": int((datetime.now(UTC) + self.lasting).timestamp() * 1000),
        }
        return web.json_response({"roleCredentials": role})

    async def _login(self, request: web.Request) -> web.Response:
        """CreateOAuth2Token, with which `aws login` keeps a session alive."""
        asked = await request.json()
        if not request.headers.get("DPoP") or asked["refreshToken"] != "signed-in":
            headers = {"x-amzn-ErrorType": "AccessDeniedException"}
            return web.json_response({"error": "TOKEN_EXPIRED", "message": "expired"}, status=403, headers=headers)
        keys = self._fresh("LOGIN")
        token = {
            "accessKeyId": keys["AccessKeyId"],
            "secretAccessKey": "example",
            "sessionToken": "example",
        }
        lasting = int(self.lasting.total_seconds())
        answer = {"accessToken": token, "tokenType": "aws_sigv4", "expiresIn": lasting, "refreshToken": "signed-in"}
        return web.json_response(answer)

    async def _token(self, _: web.Request) -> web.Response:
        return web.Response(text="token")

    async def _role_name(self, _: web.Request) -> web.Response:
        return web.Response(text="watcher")

    async def _instance(self, _: web.Request) -> web.Response:
        return web.json_response({"Code": "Success", "Type": "AWS-HMAC", **self._fresh("INSTANCE")})

    async def _container(self, _: web.Request) -> web.Response:
        return web.json_response(self._fresh("CONTAINER"))

    async def _sts(self, request: web.Request) -> web.Response:
        asked = await request.post()
        action = str(asked["Action"])
        code = "ExpiredTokenException" if asked.get("WebIdentityToken") == "expired" else self.sts_refuses
        if code:
            error = f"<Type>Sender</Type><Code>{code}</Code><Message>no</Message>"
            text = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
            return web.Response(status=400, text=text, content_type="text/xml")
        place = {"AssumeRoleWithWebIdentity": "WEB", "AssumeRole": "ROLE"}[action]
        return web.Response(text=ROLE.format(action=action, **self._fresh(place)), content_type="text/xml")
