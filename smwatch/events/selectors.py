"""What a trail's event selectors let through of Secrets Manager, and how they would let everything through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

Selector = Mapping[str, object]
"""One selector as CloudTrail writes it."""

_READ = {"eventName": "GetSecretValue", "readOnly": "true"}
_WRITE = {"eventName": "DeleteSecret", "readOnly": "false"}
_BOTH = {
    "eventCategory": "Management",
    "eventSource": "secretsmanager.amazonaws.com",
    "eventType": "AwsApiCall",
}
_KMS = "kms.amazonaws.com"
_MOST_BASIC = 5
"""As many basic selectors a trail can have."""


class Selectors(msgspec.Struct, frozen=True):
    """A trail's selectors: basic ones or advanced ones, never both; none at all is the default, everything."""

    basic: tuple[Selector, ...] = ()
    advanced: tuple[Selector, ...] = ()

    @classmethod
    def put(cls, parameters: Mapping[str, object]) -> Selectors:
        """Those that a recorded PutEventSelectors puts; its requestParameters may hold anything."""
        basic, advanced = (_selectors(parameters.get(key)) for key in ("eventSelectors", "advancedEventSelectors"))
        return cls(basic, advanced)

    @property
    def reads(self) -> bool:
        """Whether GetSecretValue is logged."""
        return self._logs(_READ, "ReadOnly")

    @property
    def writes(self) -> bool:
        """Whether DeleteSecret is logged."""
        return self._logs(_WRITE, "WriteOnly")

    @property
    def complete(self) -> bool:
        """Whether every management event of Secrets Manager is logged."""
        return self.reads and self.writes

    @property
    def keys(self) -> bool:
        """Whether calls to KMS are logged; many leave them out, as they are so many."""
        if self.advanced:
            used = {**_BOTH, "eventSource": _KMS, "eventName": "Decrypt", "readOnly": "true"}
            return any(_lets_through(selector, used) for selector in self.advanced)
        return not any(_KMS in _texts(selector, "ExcludeManagementEventSources") for selector in self.basic)

    def _logs(self, event: Mapping[str, str], basic_type: str) -> bool:
        if self.advanced:
            return any(_lets_through(selector, {**_BOTH, **event}) for selector in self.advanced)
        wanted = ("All", basic_type)
        return not self.basic or any(
            selector.get("IncludeManagementEvents", True) and selector.get("ReadWriteType", "All") in wanted
            for selector in self.basic
        )


def completed(selectors: Selectors) -> dict[str, list[Selector]]:
    """Return PutEventSelectors' parameters that add what is missing and leave the choice of data events as it is.

    {} when there is no room for one more basic selector.
    """
    if selectors.advanced:
        return {"AdvancedEventSelectors": _completed_advanced(selectors.advanced)}
    basic = list(selectors.basic)
    every = {"ReadWriteType": "All", "IncludeManagementEvents": True}
    plain = next((at for at, selector in enumerate(basic) if not selector.get("DataResources")), None)
    if plain is not None:
        basic[plain] = {**basic[plain], **every}
    elif len(basic) < _MOST_BASIC:
        basic.append({**every, "DataResources": []})  # to widen one that has data resources would log more data events
    else:
        return {}
    return {"EventSelectors": basic}


def _completed_advanced(advanced: Sequence[Selector]) -> list[Selector]:
    management = [selector for selector in advanced if _is_management(selector)]
    others = [selector for selector in advanced if not _is_management(selector)]
    if not management:
        every = {"Name": "Management events", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
        return [*others, every]
    kept = [field for field in _fields(management[0]) if field.get("Field") == "eventCategory" or _drops_others(field)]
    return [{**management[0], "FieldSelectors": kept}, *others]


def _drops_others(field: Selector) -> bool:
    """Whether this leaves out services that don't matter here: noisy KMS is the usual one."""
    return field.get("Field") == "eventSource" and _holds(field, _BOTH["eventSource"])


def _is_management(selector: Selector) -> bool:
    return any(
        field.get("Field") == "eventCategory" and "Management" in _texts(field, "Equals") for field in _fields(selector)
    )


def _lets_through(selector: Selector, event: Mapping[str, str]) -> bool:
    return all(_holds(field, event.get(str(field.get("Field", "")))) for field in _fields(selector))


def _holds(field: Selector, value: str | None) -> bool:
    """Whether one field condition holds; a field that these events lack fulfils only what is put negatively."""
    wanted = (
        *(value == text for text in _texts(field, "Equals")),
        *(value is not None and value.startswith(text) for text in _texts(field, "StartsWith")),
        *(value is not None and value.endswith(text) for text in _texts(field, "EndsWith")),
    )
    unwanted = (
        *(value == text for text in _texts(field, "NotEquals")),
        *(value is not None and value.startswith(text) for text in _texts(field, "NotStartsWith")),
        *(value is not None and value.endswith(text) for text in _texts(field, "NotEndsWith")),
    )
    return (any(wanted) or not wanted) and not any(unwanted)


def _selectors(recorded: object) -> tuple[Selector, ...]:
    """Selectors as the API spells them; records begin their keys with a small letter."""
    spelled = _spelled(recorded)
    return tuple(one for one in spelled if isinstance(one, dict)) if isinstance(spelled, list) else ()


def _spelled(recorded: object) -> object:
    match recorded:
        case dict():
            return {f"{str(key)[:1].upper()}{str(key)[1:]}": _spelled(value) for key, value in recorded.items()}
        case list():
            return [_spelled(value) for value in recorded]
        case _:
            return recorded


def _fields(selector: Selector) -> list[Selector]:
    fields = selector.get("FieldSelectors", [])
    return [field for field in fields if isinstance(field, Mapping)] if isinstance(fields, Sequence) else []


def _texts(field: Selector, operator: str) -> list[str]:
    texts = field.get(operator, [])
    return [str(text) for text in texts] if isinstance(texts, Sequence) else []
