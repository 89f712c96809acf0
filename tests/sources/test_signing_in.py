"""Credentials that end while smwatch runs: they are renewed, or waited for, and what happened meanwhile is read."""

from __future__ import annotations

import getpass
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiobotocore.credentials
import pytest
from botocore.tokens import SSOTokenProvider
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from smwatch.sources.session import AwsSession
from smwatch.sources.source import State
from tests.emulators.credentials import CredentialService
from tests.emulators.records import record
from tests.sources.holding import GroupHolding, HistoryHolding, Holding, LiveTailHolding
from tests.sources.hurry import Hurry, Watched, follow
from tests.sources.test_session import ROLE, home, write

__all__ = ["home"]  # a fixture

NOW = datetime.now(UTC).replace(microsecond=0)
SSO = (
    "[profile dev]\nregion = eu-west-1\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = audit\n"
    "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n"
)


@pytest.fixture(params=["event history", "log group", "Live Tail"])
def holding(request: pytest.FixtureRequest, home: Path, hurry: Hurry) -> Holding:
    """Each way to follow what happens: the same is to be so with all of them."""
    match request.param:
        case "log group":
            return GroupHolding(request.getfixturevalue("log_group"), hurry)
        case "Live Tail":
            return LiveTailHolding(request.getfixturevalue("log_group"), hurry)
        case _:
            return HistoryHolding(request.getfixturevalue("history"), hurry)


@pytest.fixture
async def service(home: Path, holding: Holding, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CredentialService]:
    async with CredentialService() as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", service.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", service.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SIGNIN", service.url)
        # botocore asks for the home folder once, when it is imported
        monkeypatch.setattr(SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", str(home / ".aws/sso/cache"))
        yield service


async def watch(holding: Holding, profile: str | None, until: Callable[[Watched], bool]) -> Watched:
    session = await AwsSession.open(profile)
    try:
        return await follow(await holding.source(session), until)
    finally:
        await session.close()


def sign_in(home: Path, token: str = "signed-in", lasting: timedelta = timedelta(hours=8)) -> None:
    """What `aws sso login` leaves behind."""
    name = hashlib.sha1(b"corp").hexdigest()
    expires = (datetime.now(UTC) + lasting).strftime("%Y-%m-%dT%H:%M:%SZ")
    write(home, f"sso/cache/{name}.json", json.dumps({"accessToken": token, "expiresAt": expires}))


async def watch_until_signed_in(holding: Holding, profile: str | None, sign_in: Callable[[], None]) -> Watched:
    """Watch with a session that has ended until somebody signs in; what happened before that is read, and once."""
    missed = record(NOW - timedelta(minutes=1))
    happened: list[object] = []

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.SIGN_IN and not happened:
            happened.append(holding.add(missed))  # while nobody is signed in
            sign_in()
        return so_far.last.state is State.OK

    watched = await watch(holding, profile, until)
    assert [json.loads(raw)["eventID"] for raw in watched.raw] == [missed["eventID"]]
    return watched


@pytest.mark.parametrize("says_why", [True, False])
async def test_an_sso_session_that_ended_is_waited_for_and_the_outage_read(
    home: Path, holding: Holding, service: CredentialService, says_why: bool
) -> None:
    service.says_why = says_why
    write(home, "config", SSO)
    sign_in(home, token="signed-out")
    watched = await watch_until_signed_in(holding, "dev", lambda: sign_in(home))
    assert watched.said(State.SIGN_IN) == ["the SSO session has ended: run `aws sso login --profile dev`"]
    assert holding.places == {"ASIASSO"}


async def test_a_role_assumed_by_way_of_an_sso_session_names_the_profile_to_sign_in_with(
    home: Path, holding: Holding, service: CredentialService
) -> None:
    write(home, "config", f"{SSO}[profile prod]\nregion = eu-west-1\nrole_arn = {ROLE}\nsource_profile = dev\n")
    sign_in(home, token="signed-out")
    watched = await watch_until_signed_in(holding, "prod", lambda: sign_in(home))
    assert watched.said(State.SIGN_IN) == ["the SSO session has ended: run `aws sso login --profile dev`"]
    assert holding.places == {"ASIAROLE"}


async def test_a_profile_of_the_environment_is_named_for_another_terminal(
    home: Path, holding: Holding, service: CredentialService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "dev")
    write(home, "config", SSO)
    watched = await watch_until_signed_in(holding, None, lambda: sign_in(home))
    assert watched.said(State.SIGN_IN) == ["the SSO session has ended: run `aws sso login --profile dev`"]


async def test_a_role_that_nobody_was_assigned_is_told_from_a_session_that_ended(
    home: Path, holding: Holding, service: CredentialService
) -> None:
    service.unassigned = {"audit"}
    write(home, "config", SSO)
    sign_in(home)
    holding.add(record(NOW))

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.DENIED:  # somebody mends the profile
            write(home, "config", SSO.replace("audit", "read"))
        return so_far.last.state is State.OK

    watched = await watch(holding, "dev", until)
    (message,) = watched.said(State.DENIED)
    assert message == (
        "IAM Identity Center gives profile dev no role in its account (No access): see to its sso_account_id and"
        " sso_role_name, or have the role assigned to you"
    )
    assert len(watched.raw) == 1
    assert holding.places == {"ASIASSO"}


async def test_the_keys_of_an_sso_session_are_renewed_while_it_lasts(
    home: Path, holding: Holding, service: CredentialService
) -> None:
    write(home, "config", SSO)
    sign_in(home)
    service.lasting = timedelta(minutes=5)  # less than the libraries are content with
    watched = await watch(holding, "dev", lambda _: len(holding.keys) > 2)
    assert holding.keys[:3] == ["ASIASSO1", "ASIASSO2", "ASIASSO3"]
    assert watched.said(State.SIGN_IN) == []


async def test_the_keys_of_an_instance_are_fetched_anew_when_they_have_ended(
    home: Path, holding: Holding, service: CredentialService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.url)
    holding.expire("ASIAINSTANCE1")
    holding.add(record(NOW))
    watched = await watch(holding, None, lambda so_far: so_far.last.state is State.OK)
    assert holding.places == {"ASIAINSTANCE"}
    assert watched.said(State.SIGN_IN) == ["the credentials have expired: see to the role of this machine or container"]
    assert len(watched.raw) == 1


async def test_the_keys_of_a_container_are_renewed_and_an_outage_of_their_service_waited_out(
    home: Path, holding: Holding, service: CredentialService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{service.url}/container")
    service.lasting = timedelta(minutes=5)
    holding.add(record(NOW))

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.OK and not so_far.said(State.SIGN_IN):
            service.refusing = True
            holding.hang_up()
        if so_far.last.state is State.SIGN_IN:
            service.refusing = False
        return so_far.last.state is State.OK and bool(so_far.said(State.SIGN_IN))

    watched = await watch(holding, None, until)
    (message,) = watched.said(State.SIGN_IN)
    assert message.startswith("no credentials could be had (")
    assert message.endswith("see to the role of this machine or container")
    assert len(watched.raw) == 1


async def test_a_web_identity_whose_token_has_expired_goes_on_with_the_next_token(
    home: Path, holding: Holding, service: CredentialService
) -> None:
    token = write(home, "token", "expired")
    write(home, "config", f"[profile k]\nregion = eu-west-1\nrole_arn = {ROLE}\nweb_identity_token_file = {token}\n")
    holding.add(record(NOW))

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.SIGN_IN:
            token.write_text("fresh")  # as the orchestrator does
        return so_far.last.state is State.OK

    watched = await watch(holding, "k", until)
    (message,) = watched.said(State.SIGN_IN)
    assert message == "the credentials have expired: see to the role of this machine or container"
    assert len(watched.raw) == 1
    assert holding.places == {"ASIAWEB"}


async def test_credentials_that_vanish_are_waited_for(home: Path, holding: Holding) -> None:
    text = "[default]\naws_access_key_id = {}\naws_secret_access_key = example\naws_session_token = example\n"
    write(home, "credentials", text.format("ASIAFIRST"))
    holding.know("ASIASECOND")
    holding.add(record(NOW))
    told = [0]
    stages = iter(["[default]\n", text.format("ASIASECOND")])

    def until(so_far: Watched) -> bool:
        messages = so_far.said(State.SIGN_IN)
        if len(messages) > told[0]:
            told[0] = len(messages)
            write(home, "credentials", next(stages))
        return so_far.last.state is State.OK

    watched = await watch(holding, None, until)
    assert "does not know these credentials" in watched.said(State.SIGN_IN)[0]
    assert "there are no credentials: " in watched.said(State.SIGN_IN)[1]
    assert len(watched.raw) == 1


LOGIN_SESSION = "arn:aws:iam::123456789012:user/x"
LOGIN = f"[profile l]\nregion = eu-west-1\nlogin_session = {LOGIN_SESSION}\n"
LOGIN_ENDED = "the login session has ended: run `aws login --profile l`"


def log_in(home: Path, refresh_token: str = "signed-in", lasting: timedelta = timedelta(minutes=-1)) -> None:
    """What `aws login` leaves behind; its keys have ended already, unless they last."""
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    expires = (datetime.now(UTC) + lasting).strftime("%Y-%m-%dT%H:%M:%SZ")
    token = {
        "accessToken": {
            "accessKeyId": "ASIALOGIN0",
            "secretAccessKey": "example",
            "sessionToken": "example",
            "accountId": "123456789012",
            "expiresAt": expires,
        },
        "refreshToken": refresh_token,
        "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": key.decode(),
    }
    name = hashlib.sha256(LOGIN_SESSION.encode()).hexdigest()
    write(home, f"login/cache/{name}.json", json.dumps(token))


async def test_the_keys_of_a_login_session_are_renewed_while_it_lasts(
    home: Path, holding: Holding, service: CredentialService
) -> None:
    write(home, "config", LOGIN)
    log_in(home)
    holding.add(record(NOW))
    watched = await watch(holding, "l", lambda so_far: so_far.last.state is State.OK)
    assert watched.said(State.SIGN_IN) == []
    assert holding.keys[0] == "ASIALOGIN1"
    assert len(watched.raw) == 1


async def test_a_login_session_that_ended_is_waited_for_and_the_outage_read(
    home: Path, holding: Holding, service: CredentialService
) -> None:
    write(home, "config", LOGIN)
    log_in(home, "signed-out")
    watched = await watch_until_signed_in(holding, "l", lambda: log_in(home))
    assert watched.said(State.SIGN_IN) == [LOGIN_ENDED]
    assert holding.places == {"ASIALOGIN"}


async def test_who_never_logged_in_is_told_how(home: Path, holding: Holding, service: CredentialService) -> None:
    write(home, "config", LOGIN)
    watched = await watch(holding, "l", lambda so_far: so_far.last.state is State.SIGN_IN)
    assert watched.said(State.SIGN_IN) == [LOGIN_ENDED]


async def test_a_login_session_without_its_library_says_what_to_install(
    home: Path, holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "awscrt.crypto", None)
    monkeypatch.setattr(aiobotocore.credentials, "EC", None)  # as botocore itself has it then
    write(home, "config", LOGIN)
    watched = await watch(holding, "l", lambda so_far: so_far.last.state is State.SIGN_IN)
    (message,) = watched.said(State.SIGN_IN)
    assert message == (
        "signing in with `aws login` wants a library that is not there: install it with"
        " `pip install 'smwatch[login]'` and start smwatch again"
    )


async def test_new_keys_in_the_file_are_picked_up(home: Path, holding: Holding) -> None:
    holding.know("AKIANEWNEWNEWNEWNEW0")
    holding.add(record(NOW))
    keys = "[default]\naws_access_key_id = {}\naws_secret_access_key = example\n"
    write(home, "credentials", keys.format("AKIAOLDOLDOLDOLDOLD0"))

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.SIGN_IN:
            write(home, "credentials", keys.format("AKIANEWNEWNEWNEWNEW0"))
        return so_far.last.state is State.OK

    watched = await watch(holding, None, until)
    (message,) = watched.said(State.SIGN_IN)
    assert "does not know these credentials" in message
    assert "renew them (`aws configure`); smwatch goes on by itself" in message
    assert len(watched.raw) == 1
    assert holding.hurry.slept < 60


async def test_keys_of_another_account_in_the_file_are_not_taken_for_those_of_the_one_that_is_watched(
    home: Path, holding: Holding
) -> None:
    """A tool that switches accounts writes the next one's keys under the same profile."""
    ours, theirs = "AKIAOURSOURSOURSOUR0", "AKIATHEIRSTHEIRSTHE0"
    holding.know(ours, theirs)
    holding.add(record(NOW))

    def switch(key: str, account: str) -> None:
        keys = f"aws_access_key_id = {key}\naws_secret_access_key = example\naws_account_id = {account}\n"
        write(home, "credentials", f"[default]\n{keys}")

    switch("AKIAOLDOLDOLDOLDOLD0", "123456789012")

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.SIGN_IN:
            if "does not know" in so_far.last.message:
                switch(theirs, "210987654321")
            elif "210987654321" in so_far.last.message:
                switch(ours, "123456789012")
        return so_far.last.state is State.OK

    watched = await watch(holding, None, until)
    assert watched.said(State.SIGN_IN)[-1] == (
        "these are credentials of 210987654321, not of 123456789012, which is watched: sign in to that one again,"
        " or start smwatch anew to watch the other"
    )
    assert len(watched.raw) == 1
    assert theirs not in holding.keys


async def test_a_role_with_mfa_never_asks_and_uses_what_the_cli_was_told(
    home: Path, holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    holding.add(record(NOW))
    write(home, "credentials", "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = example\n")
    serial = "arn:aws:iam::123456789012:mfa/alice"
    write(
        home, "config", f"[profile prod]\nregion = eu-west-1\nrole_arn = {ROLE}\nsource_profile = base\n"
        f"mfa_serial = {serial}\n",
    )  # fmt: skip
    monkeypatch.setattr(getpass, "getpass", lambda *_: pytest.fail("asked on the terminal"))
    cached = {
        "Credentials": {
            "AccessKeyId": "ASIACACHED",
            "SecretAccessKey": "example",
            "SessionToken": "example",
            "Expiration": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        },
        "ResponseMetadata": {},
    }

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.SIGN_IN:  # somebody runs the command that the message gives
            args = {"RoleArn": ROLE, "SerialNumber": serial}
            name = _cache_key(args)
            write(home, f"cli/cache/{name}.json", json.dumps(cached))
        return so_far.last.state is State.OK

    watched = await watch(holding, "prod", until)
    messages = watched.said(State.SIGN_IN)
    step = "run `aws sts get-caller-identity --profile prod` in another terminal"
    assert f"profile prod wants an MFA code of {serial}: {step}" in messages or isinstance(holding, LiveTailHolding)
    assert {*messages} <= {
        f"profile prod wants an MFA code of {serial}: {step}",
        f"profile prod wants an MFA code: {step}",  # of who is not the first to ask
    }
    assert len(watched.raw) == 1
    assert holding.keys == ["ASIACACHED"]


def _cache_key(args: dict[str, str]) -> str:
    """The name under which the AWS CLI keeps an assumed role."""
    return hashlib.sha1(json.dumps(args, sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize(
    ("code", "state", "message"),
    [
        ("AccessDenied", State.DENIED, "AWS denies sts:AssumeRole: check the role's trust policy (no)"),
        (
            "ExpiredToken",
            State.SIGN_IN,
            "the credentials have expired: renew them (`aws configure --profile base`); smwatch goes on by itself",
        ),
        (
            "InvalidClientTokenId",
            State.SIGN_IN,
            (
                "STS in eu-west-1 does not know these credentials (InvalidClientTokenId): the key was deleted, or it"
                " belongs to another partition, or the Region is not enabled; renew them (`aws configure --profile"
                " base`); smwatch goes on by itself"
            ),
        ),
    ],
)
async def test_a_role_that_may_not_be_assumed_for_a_while_is_waited_for_and_the_outage_read(
    home: Path, holding: Holding, service: CredentialService, code: str, state: State, message: str
) -> None:
    write(home, "credentials", "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = example\n")
    write(home, "config", f"[profile prod]\nregion = eu-west-1\nrole_arn = {ROLE}\nsource_profile = base\n")
    service.lasting = timedelta(minutes=5)  # less than the libraries are content with: assumed anew for each call
    missed: list[str] = []

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.OK and not so_far.said(state):
            service.sts_refuses = code
            holding.hang_up()
        if so_far.last.state is state and service.sts_refuses:
            happened = record(holding.now())
            holding.add(happened)
            missed.append(happened["eventID"])
            service.sts_refuses = ""
        return so_far.last.state is State.OK and bool(so_far.raw)

    watched = await watch(holding, "prod", until)
    assert watched.said(state) == [message]
    assert [json.loads(raw)["eventID"] for raw in watched.raw] == missed
    assert holding.places == {"ASIAROLE"}
