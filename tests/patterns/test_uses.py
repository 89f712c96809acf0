"""Patterns that people run in metric and subscription filters, as AWS and the CIS benchmark publish them."""

from __future__ import annotations

import json

import pytest

from tests.patterns.tables import Case, case, check


def record(**members: object) -> str:
    return json.dumps(members)


def by(kind: str, **more: object) -> dict[str, object]:
    return {"type": kind, **more}


FLOW = (
    "2 123456789010 eni-abc123de {source} 172.31.16.21 20641 {port} {protocol} 20 4249 1418530010 1418530070 {act} OK"
)
SSH = FLOW.format(source="172.31.16.139", port=22, protocol=6, act="REJECT")
LAMBDA = "REPORT RequestId: 8f5 Duration: 102.25 ms Billed Duration: 103 ms Memory Size: 128 MB"
APACHE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" {status} {size}'
MARKED = "You can't perform this operation on the secret because it was marked for deletion."

TRAIL = [
    case(
        '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }',
        [record(eventName="GetSecretValue", errorMessage=MARKED)],
        [record(eventName="GetSecretValue"), record(eventName="PutSecretValue", errorMessage=MARKED)],
    ),
    case(
        '{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}',
        [record(errorCode="Client.UnauthorizedOperation"), record(errorCode="AccessDeniedException")],
        [record(errorCode="Client.UnauthorizedOperationX"), record(errorCode="XAccessDenied"), record(errorCode=None)],
    ),
    case(
        '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
        [record(userIdentity=by("Root"), eventType="AwsApiCall")],
        [
            record(userIdentity=by("Root", invokedBy=None), eventType="AwsApiCall"),
            record(userIdentity=by("Root"), eventType="AwsServiceEvent"),
            record(userIdentity=by("Root")),  # != is about values that are there
            record(userIdentity="Root", eventType="AwsApiCall"),
        ],
    ),
    case(
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }',
        [record(eventName="ConsoleLogin", additionalEventData={"MFAUsed": "No"})],
        [
            record(eventName="ConsoleLogin", additionalEventData={"MFAUsed": "Yes"}),
            record(eventName="ConsoleLogin"),
            record(eventName="ConsoleLogin", additionalEventData={"MFAUsed": False}),
        ],
    ),
    case(
        "{($.eventSource=kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion))}",
        [record(eventSource="kms.amazonaws.com", eventName="ScheduleKeyDeletion")],
        [record(eventSource="kms.amazonaws.com", eventName="EnableKey"), record(eventName="DisableKey")],
    ),
    case(
        '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
        [record(eventName="ConsoleLogin", errorMessage="Failed authentication")],
        [record(eventName="ConsoleLogin", errorMessage="Failed  authentication")],
    ),
    case(
        "{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) }",
        [record(eventName="DeleteTrail")],
        [record(eventName="DeleteTrails"), record(name="DeleteTrail")],
    ),
    case(
        '{ ($.eventName = StopInstances) && ($.requestParameters.instancesSet.items[0].instanceId = "i-*") }',
        [record(eventName="StopInstances", requestParameters={"instancesSet": {"items": [{"instanceId": "i-1"}]}})],
        [record(eventName="StopInstances", requestParameters={"instancesSet": {"items": []}})],
    ),
    case(
        '{ $.requestParameters.policyArn = "arn:aws:iam::aws:policy/AdministratorAccess" }',
        [record(requestParameters={"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})],
        [record(requestParameters=None), record(requestParameters=["policyArn"])],
    ),
    case(
        '{ $.userAgent != "console.amazonaws.com" && $.readOnly IS FALSE }',
        [record(userAgent="aws-cli/2", readOnly=False)],
        [
            record(userAgent="aws-cli/2", readOnly="false"),
            record(userAgent="console.amazonaws.com", readOnly=False),
            record(readOnly=False),
        ],
    ),
    case(
        '{ $.sourceIPAddress != 10.* && $.sourceIPAddress != "*.amazonaws.com" && $.sourceIPAddress = "*" }',
        [record(sourceIPAddress="203.0.113.7")],
        [record(sourceIPAddress="10.1.2.3"), record(sourceIPAddress="ec2.amazonaws.com"), record()],
    ),
    case(
        '{ $.resources[*].ARN = "arn:aws:secretsmanager:*:secret:prod/*" }',
        [record(resources=[{"ARN": "x"}, {"ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:prod/db-AbCdEf"}])],
        [record(resources=[{"ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:dev/db-AbCdEf"}]), record(resources=[])],
    ),
]
APPLICATIONS = [
    case(
        '{ $.level = "error" || $.level = 50 || $.level = 5* }',
        [record(level="error"), record(level=50), record(level="50"), record(level=502), record(level=5)],
        [record(level="Error"), record(level=40), record(level=["error"])],
    ),
    case(
        '{ ($.component = "HttpServer") && (($.error IS TRUE) || ($.latency > 1000)) }',
        [record(component="HttpServer", error=True), record(component="HttpServer", latency=1000.5)],
        [record(component="HttpServer", error="true"), record(component="HttpServer", latency="2000")],
    ),
    case(
        "{ $.detail-type = * && $.detail.state = 0 }",
        [json.dumps({"detail-type": "", "detail": {"state": 0}})],
        [json.dumps({"detail-type": True, "detail": {"state": 0}}), json.dumps({"detail-type": "x", "detail": 0})],
    ),
    case(
        r'{ $.message = "*\"statusCode\":5*" }',
        [record(message='{"statusCode":503}')],
        [record(message="statusCode:503")],
    ),
    case(
        "{ $.['kubernetes.io/name'] = \"api\" || $.kubernetes.labels.['app.kubernetes.io/name'] = \"api\" }",
        [
            json.dumps({"kubernetes.io/name": "api"}),
            record(kubernetes={"labels": {"app.kubernetes.io/name": "api"}}),
        ],
        [record(kubernetes={"labels": {"app": {"kubernetes": {"io/name": "api"}}}}), record(kubernetes={})],
    ),
    case("?ERROR ?Exception ?timed", [LAMBDA.replace("REPORT", "Exception"), "Task timed out"], [LAMBDA, "error"]),
    case('"Task timed out"', ["2026 8f5 Task timed out after 3.00 seconds"], ["Task  timed out", "task timed out"]),
    case('"Total amount" -"level=DEBUG"', ["Total amount 5"], ["level=DEBUG Total amount 5", "Total"]),
    case(r'"\"level\":\"error\""', ['{"level":"error"}'], ['{"level": "error"}', "level:error"]),
    case("%HTTP/1\\.[01].{2}5[0-9]{2}%", ['"GET / HTTP/1.1" 502 7'], ['"GET / HTTP/1.1" 404 7', "HTTP/111 502"]),
]
DELIMITED = [
    case(
        "[version, account, eni, source, destination, srcport, destport=22, protocol=6, packets, bytes, start, end,"
        ' action="REJECT", status]',
        [SSH],
        [SSH.replace("REJECT", "ACCEPT"), SSH.replace(" 22 ", " 2222 "), SSH.removesuffix(" OK")],
    ),
    case(
        "[..., action=REJECT, logstatus]",
        [SSH, "REJECT OK"],
        [SSH.replace("REJECT", "ACCEPT"), f"{SSH} x", "REJECT"],
    ),
    case(
        '[label="REPORT", id="RequestId:", request, duration="Duration:", ms > 100, ...]',
        [LAMBDA],
        [LAMBDA.replace("102.25", "99.9"), LAMBDA.replace("REPORT", "START")],
    ),
    case(
        '[timestamp=*Z, request_id="*-*", event]',
        ["2026-11-23T14:00:00.000Z 8f5-1 INFO it works", "Z - x"],
        ["2026-11-23T14:00:00.000Z 8f5-1", "2026-11-23T14:00:00 8f5-1 x", "2026Z 8f5 INFO it-works"],
    ),
    case(
        "[host, logName, user, timestamp, request, statusCode=4*, size]",
        [APACHE.format(status=404, size=15), APACHE.format(status=4, size="-")],
        [APACHE.format(status=200, size=404), APACHE.format(status="", size=15)],
    ),
    case(
        "[ip, user, username, timestamp, request, status_code >= 400 && status_code < 500, bytes]",
        [APACHE.format(status=400, size=1), APACHE.format(status="4.99e2", size=1)],
        [APACHE.format(status=500, size=1), APACHE.format(status="4xx", size=1)],
    ),
    case(
        r"[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*apache* && request != *.html*, status, bytes]",
        [APACHE.format(status=200, size=1)],
        [APACHE.replace("127.0.0.1", "127.0.1.1"), APACHE.replace(".gif", ".html")],
    ),
    case("[time, component=HttpServer, ..., result != 200, ms]", ["1 HttpServer x 500 3", "1 HttpServer 500 3"],
         ["1 HttpServer x 200 3", "1 HttpServer 3", "1 Http x 500 3"]),
]  # fmt: skip


@pytest.mark.parametrize("row", [*TRAIL, *APPLICATIONS, *DELIMITED])
def test_what_people_run_finds_what_they_mean(row: Case) -> None:
    check(row)
