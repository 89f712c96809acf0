"""What only AWS knows, asked of a real emulator; and never a value."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

import smwatch
from smwatch.events.secret import Secret
from smwatch.sources.metadata import SecretMetadata
from smwatch.sources.session import AwsSession
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.process import Emulator

REGION = "eu-west-1"
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SECRET = Secret("123456789012", REGION, "prod/db")


@pytest.fixture
def asker(moto: Emulator, session: AwsSession, monkeypatch: pytest.MonkeyPatch) -> SecretMetadata:
    client = boto3.client(
        "secretsmanager", endpoint_url=moto.url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y"
    )
    client.create_secret(
        Name="prod/db", SecretString="hunter2", Description="the database", Tags=[{"Key": "team", "Value": "pay"}]
    )
    client.put_resource_policy(SecretId="prod/db", ResourcePolicy='{"Version": "2012-10-17", "Statement": []}')
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", moto.url)
    return SecretMetadata(session, lambda: NOW)


async def test_the_state_of_a_secret_is_told_without_its_value(asker: SecretMetadata) -> None:
    told = dict((await asker.ask(SECRET)).said)
    described, versions, policy = told["DescribeSecret"], told["ListSecretVersionIds"], told["GetResourcePolicy"]
    assert isinstance(described, dict)
    assert isinstance(versions, dict)
    assert isinstance(policy, dict)
    assert (described["Description"], described["Tags"]) == ("the database", [{"Key": "team", "Value": "pay"}])
    assert [version["VersionStages"] for version in versions["Versions"]] == [["AWSCURRENT"]]
    assert policy["ResourcePolicy"] == '{"Version": "2012-10-17", "Statement": []}'
    assert "hunter2" not in repr(told)


async def test_an_answer_is_shown_again_for_a_minute(session: AwsSession, asker: SecretMetadata) -> None:
    at = [NOW]
    asking = SecretMetadata(session, lambda: at[0])
    first = await asking.ask(SECRET)
    at[0] += timedelta(seconds=59)
    assert await asking.ask(SECRET) is first
    at[0] += timedelta(seconds=2)
    assert await asking.ask(SECRET) is not first


async def test_what_fails_is_a_sentence_for_each_call(asker: SecretMetadata) -> None:
    told = await asker.ask(Secret("123456789012", REGION, "nobody/knows"))
    sentences = [answer for _, answer in told.said]
    assert len(sentences) == 3
    assert all(isinstance(sentence, str) and "\n" not in sentence for sentence in sentences)


async def test_a_denial_names_the_policy_that_allows_it(
    moto: Emulator, session: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FaultProxy(moto.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", proxy.url)
        proxy.faults.append({"status": 400, "body": '{"__type": "AccessDeniedException"}', "times": 3})
        told = await SecretMetadata(session, lambda: NOW).ask(SECRET)
    assert dict(told.said)["DescribeSecret"] == (
        "AWS denies secretsmanager:DescribeSecret: attach the policy that `smwatch policy watch` prints"
    )


def test_only_the_drill_can_ask_for_a_value() -> None:
    root = Path(smwatch.__file__).parent
    for path in root.rglob("*.py"):
        if path.relative_to(root) == Path("setup/drill.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else ""
            assert name not in {"get_secret_value", "batch_get_secret_value"}, path
