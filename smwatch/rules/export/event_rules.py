"""EventBridge rules as a JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterable

from smwatch.rules.envelope import Rule
from smwatch.rules.export.event_rule import event_rule


def document(rules: Iterable[Rule]) -> str:
    """A list of all rules: how much of each EventBridge can select, and the request to PutRule that makes it so.

    `jq -c '.[].put_rule | values'` gives what `aws events put-rule --cli-input-json` takes.
    """
    listed = []
    for each in map(event_rule, rules):
        asked = {"Name": each.name, "Description": each.description, "EventPattern": each.text, "State": each.state}
        listed.append(
            {
                "rule": each.rule,
                "title": each.title,
                "in_aws": each.exactness,
                "left_out": each.caveat,
                "put_rule": asked if each.pattern is not None else None,
            }
        )
    return json.dumps(listed, indent=2)
