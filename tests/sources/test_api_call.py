"""Which service a failure is told of: the one that was asked, be it for credentials by the way."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from smwatch.sources.api_call import ApiCall
from smwatch.sources.endpoint import Endpoint
from smwatch.sources.failures import call_error
from smwatch.sources.source import State
from tests.emulators.credentials import CredentialService
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.records import record
from tests.sources.holding import Holding
from tests.sources.hurry import Watched
from tests.sources.test_session import ROLE, home, write
from tests.sources.test_signing_in import holding, service, sign_in, watch

__all__ = ["holding", "home", "service"]  # fixtures

LOOKUP = ApiCall("cloudtrail", "LookupEvents", "eu-west-1")
HERE = Endpoint("AWS_ENDPOINT_URL_CLOUDTRAIL", "http://127.0.0.1:1")
THERE = Endpoint("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:2")
EVERYWHERE = Endpoint("AWS_ENDPOINT_URL", "http://127.0.0.1:3")


@pytest.mark.parametrize(
    ("call", "url", "asked"),
    [
        (LOOKUP, "https://cloudtrail.eu-west-1.amazonaws.com/", "cloudtrail"),
        (LOOKUP, "https://sts.eu-west-1.amazonaws.com/", "sts"),
        (LOOKUP, "https://sts.amazonaws.com/", "sts"),
        (LOOKUP, "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?role_name=audit", "sso"),
        (LOOKUP, "", "cloudtrail"),
        (
            ApiCall("cloudtrail", "LookupEvents", "eu-west-1", endpoint=HERE, sts=THERE),
            "http://127.0.0.1:1/",
            "cloudtrail",
        ),
        (ApiCall("cloudtrail", "LookupEvents", "eu-west-1", endpoint=HERE, sts=THERE), "http://127.0.0.1:2/", "sts"),
        (
            ApiCall("logs", "FilterLogEvents", "eu-west-1", endpoint=EVERYWHERE, sts=EVERYWHERE, sso=EVERYWHERE),
            "http://127.0.0.1:3/",
            "logs",
        ),
    ],
)
def test_the_address_tells_who_was_asked(call: ApiCall, url: str, asked: str) -> None:
    assert call.made_at(url).service == asked


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            EndpointConnectionError(endpoint_url=THERE.url, error="refused"),
            (
                "STS in eu-west-1, which hands out the credentials, can't be reached (refused):"
                " check AWS_ENDPOINT_URL_STS and the network; trying again"
            ),
        ),
        (
            ReadTimeoutError(endpoint_url=THERE.url, error="slow"),
            "STS in eu-west-1, which hands out the credentials, did not answer in time; trying again",
        ),
        (
            ConnectTimeoutError(endpoint_url=HERE.url, error="slow"),
            (
                "CloudTrail in eu-west-1 can't be reached (slow): check AWS_ENDPOINT_URL_CLOUDTRAIL and the network;"
                " trying again"
            ),
        ),
    ],
)
def test_a_sentence_names_who_does_not_answer(error: Exception, sentence: str) -> None:
    call = ApiCall("cloudtrail", "LookupEvents", "eu-west-1", endpoint=HERE, sts=THERE)
    failure = call_error(error, call)
    assert (failure.state, failure.message) == (State.UNREACHABLE, sentence)


@pytest.mark.parametrize(
    ("profile", "variable", "who", "place"),
    [("prod", "STS", "STS", "ASIAROLE"), ("dev", "SSO", "IAM Identity Center", "ASIASSO")],
)
async def test_who_hands_out_credentials_and_can_not_be_reached_is_told_and_the_outage_read(
    home: Path,
    holding: Holding,
    service: CredentialService,
    monkeypatch: pytest.MonkeyPatch,
    profile: str,
    variable: str,
    who: str,
    place: str,
) -> None:
    write(home, "credentials", "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = example\n")
    write(
        home,
        "config",
        f"[profile prod]\nregion = eu-west-1\nrole_arn = {ROLE}\nsource_profile = base\n"
        "[profile dev]\nregion = eu-west-1\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = audit\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n",
    )
    sign_in(home)
    missed = record(holding.now())
    started: list[asyncio.Task[str]] = []
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{variable}", f"http://127.0.0.1:{port}")
    proxy = FaultProxy(service.url)

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.UNREACHABLE and not started:
            holding.add(missed)
            started.append(asyncio.create_task(proxy.start(port)))
        return so_far.last.state is State.OK and bool(so_far.raw)

    try:
        watched = await watch(holding, profile, until)
    finally:
        await proxy.stop()
    (sentence,) = watched.said(State.UNREACHABLE)
    assert sentence == (
        f"{who} in eu-west-1, which hands out the credentials, can't be reached (no connection to 127.0.0.1:{port}:"
        f" Connection refused): check AWS_ENDPOINT_URL_{variable} and the network; trying again"
    )
    assert [json.loads(raw)["eventID"] for raw in watched.raw] == [missed["eventID"]]
    assert holding.places == {place}
