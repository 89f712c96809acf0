"""Secrets that are read: many of them, for the first time, from elsewhere, by whom nobody expects."""

from typing import Any

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.catalogue.story import Rule, known_for, over, story
from tests.rules.judging import after, before

EXTERNAL_SECRETS = records.role("external-secrets", "1763900000")
BACKUP = records.role("backup", "nightly")
THIEF, ALICE, ROTATOR = records.role("ci-deployer", "build-7"), records.user("alice"), records.role("rotator", "rotate")
FUNCTION = records.role("resize-role", "resize-images")
IN_SCOPE = records.role("custom", "own-runtime") | {
    "accessKeyId": "ASIAOWNRUNTIME",
    "inScopeOf": {
        "issuerType": "AWS::Lambda::Function",
        "credentialsIssuedTo": f"arn:aws:lambda:eu-west-1:{records.ACCOUNT}:function:own-runtime",
    },
}
INSIDE = "Boto3/1.40.70 md/Botocore#1.40.70 lang/python#3.13.7 exec-env/AWS_Lambda_python3.13 Botocore/1.40.70"
SHELL = "aws-cli/2.17.1 md/awscrt#0.20.11 exec-env/CloudShell ua/2.0 os/linux#6.1 md/command#secretsmanager.get"
TRUFFLEHOG = "TruffleHog"
PROWLER = "Boto3/1.35 md/Botocore#1.35 ua/2.1 APN_1826889 Prowler/4.3"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
PUBLIC = ("52.94.133.17", "185.220.101.4", "91.198.174.192")


def sweep(prefix: str, count: int, by: records.Identity = THIEF, *, second: float = 6, **more: Any) -> list[Record]:
    start = more.pop("at", after())
    return [
        records.read(f"{prefix}/{n}", by=by, at=start + (after(n * second) - after()), **more) for n in range(count)
    ]


def in_use(count: int) -> list[Record]:
    """So many secrets that the account's programs read."""
    return [records.read(f"prod/{n}", by=records.role(f"app-{n}"), at=before(days=2)) for n in range(count)]


def everything(*values: str) -> Record:
    filters = [{"key": "tag-key", "values": [value]} for value in values]
    return records.call("BatchGetSecretValue", {"filters": filters}, by=THIEF)


def abroad(secret: str = "prod/db", **more: Any) -> Record:
    return records.read(secret, **{"by": records.other_account(), **more})


def filtered(value: str = "team", **more: Any) -> Record:
    parameters = {"filters": [{"key": "tag-key", "values": [value]}], "maxResults": 20}
    return records.call("BatchGetSecretValue", parameters, **more)


RULES = {
    "SMW-READ-01": Rule(
        finds=story(sweep("prod", 12)),
        severity=Severity.HIGH,
        count=12,
        # One secret read a hundred times, under two names; a batch of nine and the nine reads that it causes.
        leaves=story(
            [records.read(records.arn("prod/db") if n % 2 else "prod/db", at=after(n)) for n in range(100)],
            records.batch([f"prod/{n}" for n in range(9)], by=THIEF),
            sweep("prod", 9),
        ),
        # External Secrets starts anew on each deployment, and has done so on the days before.
        noise=story(
            known_for(days=13),
            *(over(4, one) for one in sweep("app", 14, EXTERNAL_SECRETS)),
            sweep("app", 18, EXTERNAL_SECRETS, second=3),
            since=after(),
        ),
    ),
    "SMW-READ-01b": Rule(
        finds=story(known_for(days=5), in_use(20), sweep("prod", 12, second=2000)),
        severity=Severity.CRITICAL,
        count=12,
        # Twelve of forty; nine of nine; all of two dozen, over three days.
        leaves=story(
            known_for(days=5),
            in_use(40),
            sweep("prod", 12, second=2000),
            sweep("prod", 9, records.role("nine", "s"), second=2000, region="us-east-1"),
            sweep("prod", 24, records.role("slow", "s"), second=10_000, region="eu-north-1"),
        ),
        # A backup reads everything every night, and has done so on the nights before.
        noise=story(
            known_for(days=13),
            in_use(20),
            *(over(4, one) for one in sweep("prod", 16, BACKUP)),
            sweep("prod", 20, BACKUP),
            since=after(),
        ),
    ),
    "SMW-READ-02": Rule(
        finds=story(everything("!nothing")),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(records.batch(["prod/a", "prod/b"]), records.batch()),
        # One filter is negated, the other is not: a team reads all of its own but what is retired.
        noise=story(everything("!retired", "payments")),
    ),
    "SMW-READ-02b": Rule(
        finds=story(known_for(days=10), records.batch(["prod/a", "prod/b"], by=THIEF)),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(known_for(days=4), records.batch(["prod/a"], at=before(days=2)), records.batch(["prod/a"])),
        # smwatch has just begun: everything would be new.
        noise=story(known_for(hours=10), records.batch(["prod/a", "prod/b"], by=THIEF)),
    ),
    "SMW-READ-02c": Rule(
        finds=story([filtered(by=THIEF, at=after(n * 4)) for n in range(6)]),
        severity=Severity.MEDIUM,
        count=6,
        # A page or two; a look now and then; a list of names; and what is another rule's.
        leaves=story(
            [filtered(by=THIEF, at=after(n)) for n in range(4)],
            [filtered(by=ALICE, at=after(minutes=3 * n)) for n in range(9)],
            [records.batch(["prod/a"], at=after(n)) for n in range(9)],
            [filtered("!never", by=records.role("odd", "o-1"), at=after(n)) for n in range(9)],
        ),
        # An agent pages through what is its team's each morning, not only today.
        noise=story(
            [filtered(at=before(days=1, seconds=n)) for n in range(6)],
            [filtered(at=after(n)) for n in range(6)],
            since=after(),
        ),
    ),
    "SMW-READ-03": Rule(
        finds=story(
            [
                records.listing(by=THIEF, region=region, at=after(n))
                for n, region in enumerate(("us-east-1", "eu-west-1", "ap-southeast-2"))
            ]
        ),
        severity=Severity.HIGH,
        count=3,
        leaves=story(
            [records.read(region="eu-west-1"), records.read(region="us-east-1", at=after(minutes=1))],
            [
                records.read(by=ALICE, region=region, at=after(hours=n))
                for n, region in enumerate(("a-1", "b-1", "c-1"))
            ],
        ),
        noise=story(
            [records.listing(region=region, userAgent=PROWLER) for region in ("us-east-1", "eu-west-1", "eu-north-1")]
        ),
    ),
    "SMW-READ-04": Rule(
        finds=story(known_for(days=4), records.read("prod/own", by=THIEF, at=before(days=2)), records.read(by=THIEF)),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(known_for(days=6), over(5, records.read()), records.read()),
        # A deployment: who made the secret reads it, and AWS reads it for somebody.
        noise=story(
            known_for(days=10),
            records.create(by=THIEF),
            records.read(by=THIEF, at=after(60)),
            records.read("prod/a", by=records.role("app", invokedBy="ecs.amazonaws.com")),
        ),
    ),
    "SMW-READ-05": Rule(
        finds=story(records.read(by=records.root()), records.describe(by=records.root(), at=after(minutes=1))),
        severity=Severity.CRITICAL,
        count=2,
        leaves=story(records.read(by=ALICE), records.read(by=records.sso())),
        # The root user opened the console, which is noted; a service that acts for the account is not root.
        noise=story(
            records.describe(by=records.root()), records.describe("prod/b", by=records.root() | {"invokedBy": "x.com"})
        ),
        noise_is=Severity.HIGH,
    ),
    "SMW-READ-06": Rule(
        finds=story(records.read(by=records.sso(), userAgent=SHELL)),
        severity=Severity.HIGH,
        count=1,
        leaves=story(records.read(), records.describe(by=records.sso(), userAgent=records.CONSOLE)),
        # Somebody who looks at this value in the console every week.
        noise=story(
            known_for(days=7),
            records.read(by=records.sso(), userAgent=records.CONSOLE, at=before(days=6)),
            records.read(by=records.sso(), userAgent=records.CONSOLE, sessionCredentialFromConsole="true"),
        ),
        noise_is=Severity.MEDIUM,
    ),
    "SMW-READ-07": Rule(
        finds=story(records.call("ListSecrets", None, by=ALICE, userAgent=TRUFFLEHOG)),
        severity=Severity.HIGH,
        count=1,
        leaves=story(records.read(), records.read("prod/b", userAgent="okhttp/4.12")),
        noise=story(records.describe(userAgent=PROWLER)),
    ),
    "SMW-READ-07b": Rule(
        finds=story([records.describe(f"prod/{n}", userAgent=PROWLER, at=after(n)) for n in range(4)]),
        severity=Severity.LOW,
        count=4,
        leaves=story(records.describe(), records.describe("prod/b", userAgent=TRUFFLEHOG)),
        # What it looks at elsewhere is none of this.
        noise=story(
            records.call("DescribeKey", None, eventSource="kms.amazonaws.com", userAgent=PROWLER),
            records.describe(userAgent="Boto3/1.35 app/inventory"),
        ),
    ),
    "SMW-READ-08": Rule(
        finds=story(
            known_for(days=10),
            over(5, records.read(sourceIPAddress=PUBLIC[0])),
            records.read(sourceIPAddress=PUBLIC[1]),
        ),
        severity=Severity.HIGH,
        count=1,
        leaves=story(
            known_for(days=10),
            over(5, records.read(sourceIPAddress=PUBLIC[0])),
            records.read(sourceIPAddress="52.94.133.201"),
            records.read(sourceIPAddress="10.0.3.7", at=after(60)),
            records.read(by=records.role("app", "task-1"), sourceIPAddress=PUBLIC[1]),
        ),
        # An instance that is given its elastic address while it starts.
        noise=story(
            known_for(days=10),
            records.read(sourceIPAddress=PUBLIC[0]),
            records.read(sourceIPAddress=PUBLIC[1], at=after(minutes=4)),
        ),
    ),
    "SMW-READ-08b": Rule(
        finds=story([records.read(sourceIPAddress=ip, at=after(minutes=n)) for n, ip in enumerate(PUBLIC)]),
        severity=Severity.MEDIUM,
        count=3,
        leaves=story([records.read(sourceIPAddress=ip, at=after(hours=n)) for n, ip in enumerate(PUBLIC)]),
        # Private addresses, a service's name, two NAT gateways of one network.
        noise=story(
            [
                records.read(sourceIPAddress=ip, at=after(n))
                for n, ip in enumerate(
                    (
                        "10.0.3.7",
                        "172.16.0.9",
                        "192.168.1.4",
                        "secretsmanager.amazonaws.com",
                        "AWS Internal",
                        "52.94.133.17",
                        "52.94.133.99",
                    )
                )
            ]
        ),
    ),
    "SMW-READ-08c": Rule(
        finds=story(
            over(3, records.read(vpcEndpointId=ENDPOINT)),
            records.read(sourceIPAddress=PUBLIC[1]),
        ),
        severity=Severity.HIGH,
        count=1,
        leaves=story(
            over(3, records.read(vpcEndpointId=ENDPOINT)),
            records.read(vpcEndpointId=ENDPOINT),
            records.read(by=records.role("app", "i-0aaaaaaaaaaaaaaaa"), sourceIPAddress=PUBLIC[1]),
        ),
        # A function has no network of its own that it must stay in.
        noise=story(
            [
                records.read(by=records.role("fn", "resize-images"), at=after(n), **more)
                for n, more in enumerate(({"vpcEndpointId": ENDPOINT}, {"sourceIPAddress": PUBLIC[1]}))
            ]
        ),
    ),
    "SMW-READ-08d": Rule(
        finds=story(
            records.read(by=FUNCTION, userAgent=INSIDE, sourceIPAddress=PUBLIC[0]),
            records.read("prod/keys", by=FUNCTION, sourceIPAddress=PUBLIC[1], at=after(minutes=9)),
        ),
        severity=Severity.HIGH,
        count=1,
        leaves=story(
            # Another place to run in, the same network, a private one; and somebody of whom nothing is known.
            records.read(by=FUNCTION, userAgent=INSIDE, sourceIPAddress=PUBLIC[0]),
            records.read(by=FUNCTION, userAgent=INSIDE, sourceIPAddress=PUBLIC[1], at=after(1)),
            records.read(by=FUNCTION, sourceIPAddress=PUBLIC[1], at=after(2)),
            records.read(by=FUNCTION, sourceIPAddress="10.0.3.7", at=after(3)),
            records.read(by=records.role("custom", "runtime"), sourceIPAddress=PUBLIC[1]),
        ),
        # AWS's extension reads beside the program, and does not say where it is.
        noise=story(
            over(3, records.read(by=FUNCTION, userAgent=INSIDE, sourceIPAddress=PUBLIC[0])),
            records.read(by=FUNCTION, sourceIPAddress=PUBLIC[0], at=before(days=2)),
            records.read(by=FUNCTION, sourceIPAddress=PUBLIC[1]),
        ),
    ),
    "SMW-READ-08e": Rule(
        # A runtime of one's own, which doesn't say where it runs; and a thief who says to be inside.
        finds=story(
            records.read(by=IN_SCOPE, vpcEndpointId=ENDPOINT, sourceIPAddress="10.0.3.7"),
            records.read("prod/keys", by=IN_SCOPE, userAgent=INSIDE, sourceIPAddress=PUBLIC[1], at=after(minutes=9)),
        ),
        severity=Severity.HIGH,
        count=1,
        leaves=story(
            # Inside again; another key of the session; and one that never went through an endpoint.
            records.read(by=IN_SCOPE, vpcEndpointId=ENDPOINT, sourceIPAddress="10.0.3.7"),
            records.read(by=IN_SCOPE, vpcEndpointId=ENDPOINT, sourceIPAddress="10.0.4.8", at=after(1)),
            records.read(by=IN_SCOPE | {"accessKeyId": "ASIAANOTHERONE"}, sourceIPAddress=PUBLIC[1], at=after(2)),
            records.read(by=FUNCTION, sourceIPAddress=PUBLIC[1], at=after(3)),
        ),
        # A person at home, whose session began in the office's network.
        noise=story(
            records.read(by=records.sso(), vpcEndpointId=ENDPOINT, sourceIPAddress="10.0.3.7"),
            records.read(by=records.sso(), sourceIPAddress=PUBLIC[1], at=after(minutes=30)),
        ),
    ),
    "SMW-READ-09": Rule(
        finds=story(abroad()),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(records.read(), records.read("prod/b", by=records.root()), abroad(error=("AccessDenied", "no"))),
        # The shared-services account that has read it all along.
        noise=story(abroad(at=before(days=40)), abroad(), org_accounts=[records.OTHER_ACCOUNT]),
        noise_is=Severity.HIGH,
    ),
    "SMW-READ-10": Rule(
        finds=story(
            records.denied("prod/admin-master"),
            records.describe("prod/admin-master", at=after(9)),
            decoys=["prod/admin-*"],
        ),
        severity=Severity.CRITICAL,
        count=2,
        leaves=story(records.read("prod/db"), records.listing(), decoys=["prod/admin-*"]),
        # smwatch shows the decoy's metadata when asked to.
        noise=story(records.describe("prod/admin-master", userAgent="Boto3/1.43 smwatch/1.0"), decoys=["prod/admin-*"]),
    ),
    "SMW-READ-11": Rule(
        finds=story(records.read(stage="AWSPREVIOUS"), records.read(version="6f9a", at=after(5))),
        severity=Severity.LOW,
        count=2,
        leaves=story(records.read(), records.read(stage="AWSCURRENT"), records.read(stage="AWSPENDING")),
        # The rotation function compares the versions.
        noise=story(
            records.service_event("RotationStarted"),
            records.put(by=ROTATOR, at=after(4)),
            records.read(by=ROTATOR, stage="AWSPREVIOUS", at=after(6)),
            records.service_event("RotationSucceeded", at=after(12)),
        ),
    ),
    "SMW-READ-12": Rule(
        finds=story(
            known_for(days=200), records.put("old/db", by=ALICE, at=before(days=150)), records.read("old/db", by=THIEF)
        ),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(known_for(days=200), records.read(at=before(days=80)), records.read()),
        # Made last week: it could not have been read before; and events are not known for long enough to tell.
        noise=story(
            known_for(days=200),
            records.create("new/db", by=ALICE, at=before(days=7)),
            records.read("new/db"),
            records.read("prod/unheard-of"),
        ),
    ),
    "SMW-READ-13": Rule(
        finds=story(known_for(days=10), records.read(by=ALICE)),
        severity=Severity.HIGH,
        count=1,
        leaves=story(records.read(), records.read(by=records.user("bob", key="ASIAIOSFODNN7EXAMPLE"))),
        # The old program outside AWS that always reads it: still to be moved, but nothing new.
        noise=story(known_for(days=10), over(9, records.read(by=ALICE)), records.read(by=ALICE)),
        noise_is=Severity.MEDIUM,
    ),
}
