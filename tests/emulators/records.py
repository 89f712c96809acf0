"""CloudTrail records in the shapes of Secrets Manager, for tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4


def record(at: datetime, name: str = "GetSecretValue", *, secret: str = "prod/db", **more: Any) -> dict[str, Any]:
    """A record of one call at this time."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:ci-session",
            "arn": "arn:aws:sts::123456789012:assumed-role/ci-deployer/ci-session",
            "accountId": "123456789012",
            "accessKeyId": "ASIAEXAMPLEEXAMPLE00",
        },
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-sdk-go-v2/1.30",
        "requestParameters": {"secretId": secret},
        "responseElements": None,
        "requestID": str(uuid4()),
        "eventID": str(uuid4()),
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "123456789012",
        "eventCategory": "Management",
        **more,
    }
