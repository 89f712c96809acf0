"""Credentials: what is wrong is said in a sentence, nothing is asked on the terminal, and new ones are picked up."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from smwatch.sources.cloudtrail import LookupEvents as Asking
from smwatch.sources.cloudtrail import cloudtrail_source
from smwatch.sources.errors import CallError, ConfigurationError
from smwatch.sources.logs import PATTERN, FilterLogEvents
from smwatch.sources.session import AwsSession
from smwatch.sources.source import State
from tests.emulators.log_group import ARN, GROUP, LogGroupService
from tests.emulators.lookup_events import LookupEvents
from tests.emulators.records import record
from tests.sources.hurry import HANGS, Hurry, Watched, follow
from tests.sources.reading import opened

NOW = datetime.now(UTC).replace(microsecond=0)
IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Arn>arn:aws:iam::123456789012:user/ops</Arn><UserId>AIDAX</UserId><Account>123456789012</Account>"
    b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
ROLE = "arn:aws:iam::123456789012:role/audit"


def write(home: Path, name: str, text: str) -> Path:
    file = home / ".aws" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.fixture
def home(aws_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder to put profiles into; no keys in the environment."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    return aws_environment


async def watch(profile: str | None, state: State, *, hurry: Hurry | None = None) -> Watched:
    """Follow with this profile until that state."""
    session = await AwsSession.open(profile)
    try:
        source = await cloudtrail_source(session, None, NOW - timedelta(hours=1), **(hurry or Hurry()).options())
        return await follow(source, lambda so_far: so_far.last.state is state)
    finally:
        await session.close()


# -- before the screen opens -----------------------------------------------------------------------------------------


async def refused(profile: str | None = None, region: str | None = None) -> str:
    async def start() -> None:
        session = await AwsSession.open(profile)
        try:
            await cloudtrail_source(session, region, NOW)
        finally:
            await session.close()

    with pytest.raises(ConfigurationError) as caught:
        await start()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


async def test_an_unknown_profile(home: Path) -> None:
    assert await refused("nope") == "there is no profile 'nope': see `aws configure list-profiles`"


async def test_an_unknown_profile_in_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    assert await refused() == "there is no profile 'nope': see `aws configure list-profiles`"


async def test_a_config_file_that_cannot_be_parsed(home: Path) -> None:
    write(home, "config", "[default\nregion")
    assert "mend its syntax" in await refused()


async def test_no_credentials(home: Path) -> None:
    assert (await refused()).startswith("there are no AWS credentials: run `aws configure` or `aws sso login`")


async def test_half_the_credentials(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    assert "incomplete: AWS_SECRET_ACCESS_KEY is missing" in await refused()


async def test_no_region(aws_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    assert (await refused()).startswith("no Region is set: give --region")


@pytest.mark.parametrize("region", ["eu-wset-1", "Frankfurt", "eu west 1", "../..", "eu-west-1\n"])
async def test_a_region_that_does_not_exist(aws_environment: Path, region: str) -> None:
    assert (await refused(region=region)).startswith("there is no Region ")


async def test_a_misspelt_region_is_guessed(aws_environment: Path) -> None:
    assert await refused(region="eu-wset-1") == "there is no Region 'eu-wset-1': did you mean eu-west-1?"


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDTRAIL", "AWS_ENDPOINT_URL_STS"])
@pytest.mark.parametrize("url", ["localhost:4566", "nonsense", "http://", "ftp://127.0.0.1", "http://[::1"])
async def test_an_address_of_a_service_that_is_none(
    aws_environment: Path, monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv(variable, url)
    assert await refused() == f"{variable}: {url!r} is no URL: write http://HOST:PORT"


async def test_a_role_in_a_circle(home: Path) -> None:
    write(home, "config", f"[profile a]\nrole_arn = {ROLE}\nsource_profile = b\n[profile b]\nrole_arn = {ROLE}\n"
          "source_profile = a\n")  # fmt: skip
    assert (await refused("a")).startswith("the AWS configuration can't work: ")


# -- while it runs ---------------------------------------------------------------------------------------------------


async def test_an_sso_session_that_was_never_opened(home: Path, history: LookupEvents) -> None:
    write(
        home, "config",
        "[profile dev]\nregion = eu-west-1\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = audit\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n",
    )  # fmt: skip
    watched = await watch("dev", State.SIGN_IN)
    assert watched.last.message == "the SSO session has ended: run `aws sso login --profile dev`"


async def test_a_credential_process_that_fails_and_one_that_reads_the_terminal(
    home: Path, history: LookupEvents
) -> None:
    script = home / "process.py"
    script.write_text(
        "import sys\n"
        "try:\n    open('/dev/tty')\n    sys.exit('has a terminal')\n"
        "except OSError: pass\n"
        "sys.exit('vault is locked, read ' + repr(sys.stdin.read()))\n"
    )
    write(home, "config", f"[profile p]\nregion = eu-west-1\ncredential_process = {sys.executable} {script}\n")
    watched = await watch("p", State.SIGN_IN)
    assert "vault is locked, read ''" in watched.last.message
    assert watched.last.message.endswith("see to the profile's credential_process")


@pytest.mark.parametrize(
    ("process", "told"),
    [
        ("/bin/true", "credential_process printed no JSON object"),
        ("/bin/echo []", "credential_process printed no JSON object"),
        ("/nowhere/vault", "credential_process can't be run: No such file or directory"),
    ],
)
async def test_a_credential_process_that_makes_no_sense(
    home: Path, history: LookupEvents, process: str, told: str
) -> None:
    write(home, "config", f"[profile p]\nregion = eu-west-1\ncredential_process = {process}\n")
    watched = await watch("p", State.SIGN_IN)
    assert watched.last.message == f"no credentials could be had ({told}): see to the profile's credential_process"


async def test_a_credential_process_that_answers_later(home: Path, history: LookupEvents) -> None:
    history.region().add([record(NOW)])
    answer = home / "answer.json"
    write(home, "config", f"[profile p]\nregion = eu-west-1\ncredential_process = /bin/cat {answer}\n")
    async with opened("p") as session:
        source = await cloudtrail_source(session, None, NOW - timedelta(hours=1), **Hurry().options())

        def until(so_far: Watched) -> bool:
            if so_far.last.state is State.SIGN_IN:
                answer.write_text(json.dumps({"Version": 1, "AccessKeyId": "AKIAPROC", "SecretAccessKey": "example"}))
            return so_far.last.state is State.OK

        watched = await follow(source, until)
    assert len(watched.raw) == 1


async def test_a_credential_process_is_not_left_behind_by_who_waits_no_more(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script, begun = home / "slow.sh", home / "begun"
    script.write_text(f"sleep 600 & echo $! > {begun}.part; mv {begun}.part {begun}; wait\n")
    write(home, "config", f"[profile p]\nregion = eu-west-1\ncredential_process = sh {script}\n")
    async with opened("p") as session:
        waiting = asyncio.create_task(session.keys())
        while not begun.exists():
            assert not waiting.done()
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting])
    assert waiting.cancelled()
    sleeper = Path("/proc", begun.read_text().strip(), "stat")
    async with asyncio.timeout(HANGS):
        while sleeper.exists() and ") Z " not in sleeper.read_text():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert not caplog.records, "asyncio has something to say of the process"


async def test_a_web_identity_whose_token_is_gone(home: Path, history: LookupEvents) -> None:
    write(home, "config", f"[profile k]\nregion = eu-west-1\nrole_arn = {ROLE}\nweb_identity_token_file = /no/token\n")
    watched = await watch("k", State.SIGN_IN)
    assert watched.last.message == "no credentials could be had: /no/token can't be read (No such file or directory)"


async def test_the_libraries_write_nothing_over_the_screen(home: Path, history: LookupEvents) -> None:
    write(home, "config", f"[profile k]\nregion = eu-west-1\nrole_arn = {ROLE}\nweb_identity_token_file = /no/token\n")
    script = (
        "import asyncio\n"
        "from tests.sources.test_session import State, watch\n"
        "print(asyncio.run(watch('k', State.SIGN_IN)).last.state)\n"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("sign in\n", "")


# -- which account ---------------------------------------------------------------------------------------------------


async def test_the_account_is_told_by_the_profile_where_it_can_be(home: Path, history: LookupEvents) -> None:
    write(
        home, "credentials",
        "[default]\naws_access_key_id = AKIAX\naws_secret_access_key = example\naws_account_id = 210987654321\n",
    )  # fmt: skip
    async with opened() as session:
        assert await session.account("eu-west-1", "cloudtrail") == "210987654321"


async def test_accounts_that_are_unknown_are_not_mixed_up(home: Path, history: LookupEvents) -> None:
    names = set()
    for key in ("AKIAONE", "AKIATWO"):
        write(home, "credentials", f"[default]\naws_access_key_id = {key}\naws_secret_access_key = example\n")
        async with opened() as session:
            names.add(await session.account("eu-west-1", "cloudtrail"))
    assert len(names) == 2
    assert history.calls == []


@asynccontextmanager
async def answering(answer: Callable[[], bytes]) -> AsyncIterator[str]:
    """Somebody who answers every request with these bytes, HTTP or not; where."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"


class Notes(dict[str, str]):
    """What was known of accounts before."""

    def account_of(self, stand_in: str) -> str | None:
        return self.get(stand_in)

    def know_account(self, stand_in: str, account: str) -> None:
        self[stand_in] = account


async def test_an_account_that_was_known_is_known_when_nobody_can_be_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def account(key: str) -> str:
        write(home, "credentials", f"[default]\naws_access_key_id = {key}\naws_secret_access_key = example\n")
        async with opened(accounts=notes) as session:
            return await session.account("eu-west-1", "cloudtrail")

    notes = Notes()
    status = "500 Oops"

    def identity() -> bytes:
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {len(IDENTITY)}\r\n\r\n"
        return head.encode() + IDENTITY

    async with answering(identity) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        unknown = await account("AKIAONE")
        assert unknown.startswith("unknown-")
        status = "200 OK"
        assert await account("AKIAONE") == "123456789012"
        assert notes == {unknown: "123456789012"}
        status = "500 Oops"
        assert await account("AKIAONE") == "123456789012"
        assert (await account("AKIATWO")).startswith("unknown-")


async def test_keys_of_another_account_are_refused_also_where_the_first_one_was_told_late(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STS answers a busy machine after the screen has opened."""

    def keys(key: str) -> None:
        write(home, "credentials", f"[default]\naws_access_key_id = {key}\naws_secret_access_key = example\n")

    told = [b"", b"", IDENTITY, IDENTITY.replace(b"123456789012", b"210987654321")]

    def answer() -> bytes:
        body = told.pop(0)
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    monkeypatch.setattr("smwatch.sources.identity.ASK_AGAIN", 0.01)
    keys("AKIAONE")
    async with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        async with opened() as session:
            assert (name := await session.account("eu-west-1", "cloudtrail")).startswith("unknown-")
            async with asyncio.timeout(HANGS):
                while not session.identity.number:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
            keys("AKIATWO")
            assert session.renew()
            with pytest.raises(CallError, match="of 210987654321, not of 123456789012, which is watched"):
                await session.client("cloudtrail", "eu-west-1")
            assert await session.account("eu-west-1", "cloudtrail") == name, "what is read goes by one name in one run"


@pytest.mark.parametrize(
    "body",
    [
        b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html>sign in",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\n<a></a",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 300\r\n\r\n<GetCallerIdentityResponse>",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 7\r\n\r\n<a></a>",
        b"\x00\x01\x02",
        b"",
    ],
    ids=["text", "html", "broken XML", "cut", "something else", "no HTTP", "nothing"],
)
async def test_who_cannot_be_asked_sensibly_is_no_reason_to_end(
    aws_environment: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    asked: list[bytes] = []

    def answer() -> bytes:
        asked.append(body)
        return body

    async with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        async with opened() as session:
            assert await session.account("eu-west-1", "cloudtrail")
            assert asked


async def test_a_region_that_is_not_enabled_has_no_credentials_renewed_that_are_good_elsewhere(
    aws_environment: Path, history: LookupEvents
) -> None:
    """A Live Tail session, say, would be cut each time."""
    history.disabled.add("ap-east-1")
    async with opened() as session:
        refused, well = (Asking(session, region) for region in ("ap-east-1", "eu-west-1"))
        with pytest.raises(CallError, match="or the Region is not enabled"):
            await refused.page(NOW, None, None)
        await well.page(NOW, None, None)
        assert not refused.renew(force=True)
        assert session.generation == 0
        with pytest.raises(CallError):
            await refused.page(NOW, None, None)
        assert refused.renew(force=True), "nobody has had an answer since"
        assert session.generation == 1


async def test_a_client_that_was_being_made_when_credentials_changed_has_the_new_ones(home: Path) -> None:
    def handed_out(key: str) -> None:
        keys = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": "example"}
        write(home, "config", f"[default]\ncredential_process = cat {write(home, key, json.dumps(keys))}\n")

    handed_out("AKIAOLD")
    async with opened() as session:
        making = asyncio.create_task(session.client("cloudtrail", "eu-west-1"))
        await asyncio.sleep(0)
        assert not making.done(), "it waits for the process"
        handed_out("AKIANEWER")
        assert session.renew()
        client: Any = await making
        assert client._request_signer._credentials.access_key == "AKIANEWER"
        assert await session.client("cloudtrail", "eu-west-1") is client


async def test_where_credentials_come_from_is_known_while_new_ones_are_looked_for(
    home: Path, history: LookupEvents
) -> None:
    """A token that has expired is still what is to be renewed, not a key of `aws configure`."""
    token = write(home, "token", "expired")
    write(home, "config", f"[profile dev]\nregion = eu-west-1\nrole_arn = {ROLE}\nweb_identity_token_file = {token}\n")
    async with opened("dev") as session:
        await session.credentials()
        before = session.call("cloudtrail", "LookupEvents", "eu-west-1")
        assert before.method == "assume-role-with-web-identity"
        assert session.renew(force=True)
        assert session.call("cloudtrail", "LookupEvents", "eu-west-1") == before


async def test_clients_are_made_once_until_credentials_change(aws_environment: Path) -> None:
    async with opened() as session:
        one: Any = await session.client("cloudtrail", "eu-west-1")
        assert await session.client("cloudtrail", "eu-west-1") is one
        assert not session.renew()
        write(aws_environment, "config", "[default]\n")
        assert session.renew()
        assert await session.client("cloudtrail", "eu-west-1") is not one
    await session.close()


def keys_of(home: Path, key: str) -> None:
    write(home, "credentials", f"[default]\naws_access_key_id = {key}\naws_secret_access_key = example\n")


@pytest.fixture
async def silent_sts(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """STS, which tells nobody anything."""
    async with answering(lambda: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        yield


NOT_OURS = (
    "these are credentials of 210987654321, not of 123456789012, which is watched: sign in to that one again,"
    " or start smwatch anew to watch the other"
)
WHOSE = "AWS does not tell whose the renewed credentials are: another account's would not be noticed"


async def test_where_sts_tells_nothing_keys_of_another_account_are_told_by_the_history_they_read(
    home: Path, history: LookupEvents, silent_sts: None
) -> None:
    def holds(account: str) -> None:
        region.entries.forget_before(NOW + timedelta(hours=1))
        region.add([record(NOW - timedelta(seconds=n), recipientAccountId=account) for n in range(3)])

    async def read() -> int:
        return len((await reader.page(NOW - timedelta(hours=1), None, None)).rows)

    region = history.region()
    keys_of(home, "AKIAONE")
    holds("123456789012")
    async with opened() as session:
        assert (await session.account("eu-west-1", "cloudtrail")).startswith("unknown-")
        reader = Asking(session, "eu-west-1")
        assert (await read(), reader.remark) == (3, "")
        keys_of(home, "AKIATWO")
        assert session.renew()
        region.entries.forget_before(NOW + timedelta(hours=1))
        assert reader.remark == ""
        assert (await read(), reader.remark) == (0, WHOSE)
        holds("210987654321")
        with pytest.raises(CallError) as caught:
            await read()
        assert (caught.value.state, caught.value.message) == (State.SIGN_IN, NOT_OURS)
        keys_of(home, "AKIAOURS")
        assert session.renew()
        holds("123456789012")
        assert (await read(), reader.remark) == (3, "")


async def test_a_history_of_several_accounts_which_aws_never_gives_tells_nothing_of_the_credentials(
    home: Path, history: LookupEvents
) -> None:
    keys_of(home, "AKIAONE")
    async with opened() as session:
        reader = Asking(session, "eu-west-1")
        for number in range(4):
            history.region().add([record(NOW + timedelta(seconds=number), recipientAccountId=f"{number:012d}")])
            assert len((await reader.page(NOW + timedelta(seconds=number), None, None)).rows) == 1
        keys_of(home, "AKIATWO")
        assert session.renew()
        assert len((await reader.page(NOW + timedelta(seconds=3), None, None)).rows) == 1


async def test_where_sts_tells_nothing_keys_of_another_account_are_told_by_the_arn_of_its_log_group(
    home: Path, log_group: LogGroupService, silent_sts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read() -> None:
        await reader.page(log_group.now() - timedelta(hours=1), None, None)

    keys_of(home, "AKIAONE")
    async with opened() as session:
        reader = FilterLogEvents(session, "eu-west-1", GROUP, "", PATTERN, time.monotonic)
        await read()
        keys_of(home, "AKIATWO")
        assert session.renew()
        monkeypatch.setattr("tests.emulators.log_group.ARN", ARN.replace("123456789012", "210987654321"))
        with pytest.raises(CallError) as caught:
            await read()
        assert caught.value.message == NOT_OURS
        monkeypatch.setattr("tests.emulators.log_group.ARN", ARN)
        keys_of(home, "AKIAOURS")
        assert session.renew()
        await read()
        assert reader.remark == ""


class Clients:
    """Makes clients in botocore's place, and tells which of them are open."""

    def __init__(self, session: AwsSession, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open: list[str] = []
        self.fails = ""
        """Whose close fails."""
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.wanted = asyncio.Event()
        monkeypatch.setattr(session._session, "create_client", self._client)

    @asynccontextmanager
    async def _client(self, service: str, **_: object) -> AsyncIterator[Any]:
        self.wanted.set()
        await self.may_open.wait()
        self.open.append(service)
        yield SimpleNamespace(meta=SimpleNamespace(events=SimpleNamespace(register=lambda *_: None)))
        self.open.remove(service)
        if service == self.fails:
            raise OSError("it can't be closed")


@pytest.mark.parametrize("fails", ["cloudtrail", "logs"])
async def test_a_client_that_cannot_be_closed_leaves_no_other_one_open(
    aws_environment: Path, monkeypatch: pytest.MonkeyPatch, fails: Literal["cloudtrail", "logs"]
) -> None:
    session = await AwsSession.open()
    clients = Clients(session, monkeypatch)
    clients.fails = fails
    await session.client("cloudtrail", "eu-west-1")
    session.renew(force=True)
    clients_after = Clients(session, monkeypatch)
    clients_after.fails = fails
    await session.client("logs", "eu-west-1")
    with pytest.raises(OSError, match="closed"):
        await session.close()
    assert clients.open == clients_after.open == []


async def making_a_client(monkeypatch: pytest.MonkeyPatch) -> tuple[AwsSession, Clients, asyncio.Task[object]]:
    """A session, its clients, and one that is being made until it `may_open`."""
    session = await AwsSession.open()
    clients = Clients(session, monkeypatch)
    clients.may_open.clear()
    making = asyncio.create_task(session.client("cloudtrail", "eu-west-1"))
    await clients.wanted.wait()
    return session, clients, making


async def test_a_client_that_is_being_made_when_all_are_closed_is_closed_as_well(
    aws_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, clients, making = await making_a_client(monkeypatch)
    await session.close()
    clients.may_open.set()
    with pytest.raises(CallError):
        await making
    assert clients.open == []


async def test_a_client_that_is_being_made_while_credentials_change_twice_is_closed_as_well(
    aws_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, clients, making = await making_a_client(monkeypatch)
    assert session.renew(force=True)
    assert session.renew(force=True)
    clients_after = Clients(session, monkeypatch)
    await session.client("logs", "eu-west-1")  # which closes the clients of the first credentials
    clients.may_open.set()
    await making
    await session.close()
    assert clients.open == clients_after.open == []
