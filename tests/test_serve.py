from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from smwatch.serve import GuardedServer, is_loopback

Client = TestClient[Request, Application]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("example.com", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local


async def client_of(server: GuardedServer) -> Client:
    client: Client = TestClient(TestServer(await server._make_app()))
    await client.start_server()
    return client


@pytest.fixture
async def local() -> AsyncIterator[Client]:
    client = await client_of(GuardedServer(["demo"], host="127.0.0.1", port=0))
    yield client
    await client.close()


async def test_the_page_loads_nothing_from_elsewhere(local: Client) -> None:
    answer = await local.get("/")
    assert answer.status == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert f"ws://127.0.0.1:{local.port}/ws" in await answer.text()


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}], ids=str
)
async def test_another_page_in_the_same_browser_is_refused(local: Client, headers: dict[str, str]) -> None:
    for path in ("/", "/ws"):
        assert (await local.get(path, headers=headers)).status == 403


async def test_where_others_can_connect_the_token_is_wanted_once_and_then_kept_as_a_cookie() -> None:
    server = GuardedServer(["demo"], host="0.0.0.0", port=0)
    client = await client_of(server)
    assert (await client.get("/")).status == 403
    assert (await client.get("/", params={"token": "é" * 32})).status == 403
    assert (await client.get("/", params={"token": server.token})).status == 200
    assert (await client.get("/")).status == 200
    assert server.address.endswith(f"/?token={server.token}")
    await client.close()


def test_arguments_are_quoted_for_the_shell_that_starts_the_session() -> None:
    server = GuardedServer(["--filter", "name:$(touch x); rm"], host="localhost", port=0)
    assert server.command.endswith("-m smwatch --filter 'name:$(touch x); rm'")
