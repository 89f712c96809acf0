import asyncio
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import WSMsgType
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from smwatch.serve.server import GuardedServer, is_loopback

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
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = await answer.text()
    linked = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(linked) >= 4
    for each in linked:
        assert not each.startswith(("/", "http")), "it works behind a proxy with a path in front"
        assert (await local.get(f"/{each}")).status == 200
    assert not re.search(r"<script(?![^>]*src=)|\son[a-z]+=|<style", page), "the policy forbids what is written inline"


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


async def test_how_a_session_ended_can_be_asked_for(tmp_path: Path) -> None:
    client = await client_of(GuardedServer(["--config", str(tmp_path / "$(touch x); none")], host="localhost", port=0))
    tab = "0123456789abcdef" * 2
    async with client.ws_connect(f"/ws/{tab}") as socket:
        assert (await socket.receive()).type is WSMsgType.CLOSE
    told = await (await client.get(f"/ended/{tab}")).json()
    assert told["title"] == "smwatch could not start"
    assert "$(touch x); none" in told["text"], "arguments go through no shell"
    assert (await (await client.get(f"/ended/{tab[::-1]}")).json())["retry"], "of other tabs nothing is known"
    await client.close()


async def test_a_tab_too_many_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smwatch.serve.server.SESSIONS", 0)
    client = await client_of(GuardedServer(["demo"], host="localhost", port=0))
    tab = "f" * 32
    assert (await client.get(f"/ws/{tab}")).status == 503
    told = await (await client.get(f"/ended/{tab}")).json()
    assert "connected already" in told["title"]
    assert told["retry"] > 0
    await client.close()


async def test_a_server_that_ends_ends_every_tab_though_their_machines_sleep() -> None:
    """While it waits for their farewells, the smwatch of one or the other ends."""
    server = GuardedServer(["demo"], host="localhost", port=0)
    application = await server._make_app()
    client: Client = TestClient(TestServer(application))
    await client.start_server()
    tabs = [await client.ws_connect(f"/ws/{n:032x}") for n in range(2)]
    try:
        await application.shutdown()
        for tab in tabs:
            async for _ in tab:
                pass
            assert tab.closed
    finally:
        await client.close()


async def test_a_tab_that_can_t_be_told_to_end_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    server = GuardedServer(["demo"], host="localhost", port=0)
    client: Client = TestClient(TestServer(await server._make_app()))
    await client.start_server()
    try:
        await client.ws_connect(f"/ws/{0:032x}")
        (session,) = server._sessions
        while (process := session._process) is None:  # noqa: ASYNC110  nobody tells of it
            await asyncio.sleep(0.01)

        async def refuse(_meta: object) -> None:
            raise ConnectionResetError

        with monkeypatch.context() as patched:
            patched.setattr(session, "send_meta", refuse)
            with pytest.raises(ConnectionResetError):
                await session.stop()
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    finally:
        await client.close()


def test_the_address_of_an_ipv6_host_is_one_that_browsers_take() -> None:
    assert GuardedServer([], host="::1", port=8000).address == "http://[::1]:8000/"
