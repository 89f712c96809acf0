"""Metric filters and alarms as Terraform (HCL, provider hashicorp/aws)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from smwatch.rules.envelope import Rule
from smwatch.rules.export.metric import ACCOUNT, MetricFilter, exactness, metric_filters
from smwatch.rules.export.requests import alarm, hyphened, transformation
from smwatch.visible import visible

_HEAD = """\
# Metric filters and alarms of smwatch's rules. AWS knows no severity, and no end of an alarm but silence.

variable "log_group_name" {
  type        = string
  description = "The trail's CloudWatch Logs group"%s
}

variable "topic_arn" {
  type        = string
  description = "The ARN of the SNS topic that is told"
}
"""
_ACCOUNT = 'data "aws_caller_identity" "smwatch" {}'


def module(rules: Iterable[Rule], log_group: str = "") -> Iterator[str]:
    """Yield the lines of a module: for each rule how much of it AWS can run, and the resources that make it so."""
    chosen = list(rules)
    yield _HEAD % (f"\n  default     = {string(log_group)}" if log_group else "")
    if any(ACCOUNT in each.pattern for rule in chosen for each in metric_filters(rule)):
        yield _ACCOUNT + "\n"
    labels: set[str] = set()
    for rule in chosen:
        how, caveat = exactness(rule)
        yield visible(f"# {rule.id}  {how}" + (f": {caveat}" if caveat else "") + f"  {rule.title}")
        for each in metric_filters(rule):
            label = _label(each.name, labels)
            labels.add(label)
            yield from _filter(each, label)
            yield from _alarm(each, label)
        yield ""


def _filter(each: MetricFilter, label: str) -> Iterator[str]:
    pattern = "${data.aws_caller_identity.smwatch.account_id}".join(map(_escaped, each.pattern.split(ACCOUNT)))
    counted = {
        _argument(name.removeprefix("metric")): f'"{value:g}"' if isinstance(value, float) else string(str(value))
        for name, value in transformation(each).items()
    }
    yield f'resource "aws_cloudwatch_log_metric_filter" "{label}" {{'
    yield from _arguments(
        {"name": string(each.name), "log_group_name": "var.log_group_name", "pattern": f'"{pattern}"'}, 1
    )
    yield ""
    yield "  metric_transformation {"
    yield from _arguments(counted, 2)
    yield "  }"
    yield "}"
    yield ""


def _alarm(each: MetricFilter, label: str) -> Iterator[str]:
    yield f'resource "aws_cloudwatch_metric_alarm" "{label}" {{'
    asked = {
        _argument(name): string(value) if isinstance(value, str) else str(value) for name, value in alarm(each).items()
    }
    yield from _arguments({**asked, "alarm_actions": "[var.topic_arn]"}, 1)
    yield "}"
    yield ""


def _argument(parameter: str) -> str:
    """What the provider calls a parameter of AWS: alarm_name."""
    return hyphened(parameter).replace("-", "_")


def _arguments(given: Mapping[str, str], depth: int) -> Iterator[str]:
    """Arguments of a block, their signs below each other as `terraform fmt` has them."""
    width = max(map(len, given))
    for name, value in given.items():
        yield f"{'  ' * depth}{name:<{width}} = {value}"


def string(text: str) -> str:
    """A quoted template of HCL that is this text, whatever it holds."""
    return f'"{_escaped(text)}"'


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escaped(text: str) -> str:
    escaped = "".join(_ESCAPES.get(character) or _printable(character) for character in text)
    return escaped.replace("${", "$${").replace("%{", "%%{")


def _printable(character: str) -> str:
    code = ord(character)
    return character if character.isprintable() else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _label(name: str, taken: Iterable[str]) -> str:
    """A resource's name: letters, digits and _."""
    plain = "".join(character if character.isascii() and character.isalnum() else "_" for character in name.lower())
    number, found = 1, plain
    while found in taken:
        number += 1
        found = f"{plain}_{number}"
    return found
