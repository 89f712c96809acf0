"""Which operations of AWS a source file can call, read from its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

SERVICES = (
    *("cloudtrail", "cloudwatch", "events", "iam", "logs", "organizations"),
    *("s3", "secretsmanager", "sns", "sqs", "sts"),
)
ROOT = Path(__file__).resolve().parents[2]


@cache
def operations(service: str) -> dict[str, str]:
    """Return a service's operations by the name of the client's method."""
    names = botocore.session.get_session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}


def called(path: Path) -> set[tuple[str, str]]:
    """Return the (service, operation) pairs that a file calls.

    By method (`aws.logs(region).describe_log_groups()`, or a variable holding the client), by paginator, and by value
    (`Call("logs", "CreateLogGroup", …)`). A method whose client is unknown counts for every service that has it.
    """
    return set(_called(ast.parse(path.read_text())))


def _called(tree: ast.Module) -> Iterator[tuple[str, str]]:
    clients = {
        target.id: service
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and (service := _service(node.value, {}))
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if len(texts) >= 2 and texts[0] in SERVICES and texts[1] in operations(texts[0]).values():
            yield texts[0], texts[1]
        if not isinstance(node.func, ast.Attribute):
            continue
        method = texts[0] if node.func.attr == "get_paginator" and texts else node.func.attr
        owner = _service(node.func.value, clients)
        for service in (owner,) if owner else SERVICES:
            if method in operations(service):
                yield service, operations(service)[method]


def _service(node: ast.expr, clients: dict[str, str]) -> str:
    """Return the service of what an expression is a client of, "" if it is none that is known."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SERVICES:
        return node.func.attr
    if isinstance(node, ast.Name):
        return clients.get(node.id, "")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
        return next((each for each in SERVICES if each in ast.unparse(node).lower()), "")
    return ""
