"""What a log group has to be asked for, so that every rule gets its events and not the whole account's."""

from __future__ import annotations

from collections.abc import Iterator

from smwatch.events.naming import KMS, SECRETS_MANAGER
from smwatch.events.scope import reads_only
from smwatch.patterns import Pattern
from smwatch.patterns.pattern import MAX_LENGTH
from smwatch.rules.envelope import RuleSet, anonymous_fact

IN_SCOPE = (
    f'($.eventSource="{SECRETS_MANAGER}") || ($.eventSource="{KMS}" && $.userIdentity.invokedBy="{SECRETS_MANAGER}")'
)
"""What smwatch is about, whatever the rules say."""
_FREQUENT = "CreateLogStream"
"""A change that every start of a function makes: as many of them as of all others together."""


def asked_of_log_group(rules: RuleSet) -> str:
    """The filter pattern that brings everything the rules find, ask or tell of; "" where that takes all there is.

    A rule that names neither event source nor event name asks for nothing beyond the others.
    """
    sources, whole, names = set[str](), set[str](), set[str]()
    for pattern in _patterns(rules):
        of, named = pattern.required_values("$.eventSource"), pattern.required_values("$.eventName")
        if of is None:
            names |= named or frozenset()
            continue
        of -= {SECRETS_MANAGER}
        if named is None:
            whole |= of - {KMS}  # of KMS there would be a record for each thing that is decrypted
        elif any(reads_only(source, name) for source in of for name in named):
            whole |= of
        else:
            sources |= of
        if of and named and _FREQUENT in named:
            names.add(_FREQUENT)
    wanted = [IN_SCOPE]
    if changed := sources - whole:
        wanted.append(f'($.readOnly IS FALSE && $.eventName != "{_FREQUENT}" && ({_either("eventSource", changed)}))')
    wanted += [_either(field, values) for field, values in (("eventSource", whole), ("eventName", names)) if values]
    text = "{ " + " || ".join(wanted) + " }"
    return text if len(text) <= MAX_LENGTH else ""


def _patterns(rules: RuleSet) -> Iterator[Pattern]:
    for rule in rules.rules:
        yield from rule.when
        for name in rule.facts:
            yield from (rules.facts.get(name) or anonymous_fact(name)).when


def _either(field: str, values: set[str]) -> str:
    return " || ".join(f'$.{field}="{value}"' for value in sorted(values) if not {'"', "\\"} & {*value})
