"""From the options of the command line to what is wanted: checked before anything is sent to AWS."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from smwatch.setup import catalogue
from smwatch.setup.catalogue import ExportableRule
from smwatch.setup.place import Names, arn_part, group_name, is_arn
from smwatch.setup.trouble import SetupError
from smwatch.setup.wanted import DELETED_SECRETS, RETENTIONS, EventWish, Part, Wanted
from smwatch.visible import visible


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was written on the command line; "" and () for nothing."""

    parts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    log_group: str = ""
    trail: str = ""
    new_trail: bool = False
    bucket: str = ""
    role: str = ""
    topic: str = ""
    queue: str = ""
    emails: tuple[str, ...] = ()
    retention: int | None = None
    rules: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    reads: bool = False
    replace_delivery: bool = False
    remove: bool = False


class OptionError(SetupError):
    """An option that can't be; says what can."""


_NAMES = {
    "log-group": (r"[.\-_/#A-Za-z0-9]{1,512}", "letters, digits and . - _ / #"),
    "trail": (r"[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]", "3 to 128 letters, digits and . _ -"),
    "bucket": (r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "3 to 63 small letters, digits and . -"),
    "role": (r"[A-Za-z0-9+=,.@_-]{1,64}", "at most 64 letters, digits and + = , . @ _ -"),
    "topic": (r"[A-Za-z0-9_-]{1,256}", "letters, digits and _ -"),
    "queue": (r"[A-Za-z0-9_-]{1,80}", "at most 80 letters, digits and _ -"),
}
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:[\x21-\x7e]+")
_ARN_SERVICES = {"log-group": "logs", "trail": "cloudtrail", "topic": "sns", "queue": "sqs"}
_EMAIL = re.compile(r"[^@\s,;<>]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def wanted(options: Options, rules: Mapping[str, ExportableRule]) -> Wanted:
    """Return what these options ask for; raise OptionError for what can't be."""
    usual = Names()
    names = Names(
        log_group=group_name(_named("log-group", options.log_group)) or usual.log_group,
        trail=_named("trail", options.trail) or usual.trail,
        bucket=_named("bucket", options.bucket),
        role=_named("role", options.role) or usual.role,
        topic=_named("topic", options.topic) or usual.topic,
        queue=_named("queue", options.queue) or usual.queue,
    )
    if options.retention is not None and options.retention not in RETENTIONS:
        raise OptionError(
            f"CloudWatch Logs keeps events for {', '.join(map(str, RETENTIONS))} days: choose one of these."
        )
    try:
        parts = _parts(options)
        named, alarmed = options.events, options.rules
        if parts == {Part.EVENTS}:  # then a rule can only be meant as an EventBridge rule
            named, alarmed = (*named, *alarmed), ()
        alarms = [each for name in alarmed for each in catalogue.alarms(name, rules)]
        events = tuple(_event(name, rules, reads=options.reads) for name in dict.fromkeys(named))
    except OptionError:
        raise
    except SetupError as error:
        raise OptionError(str(error)) from error
    if Part.EVENTS in parts and not events and not options.remove:
        raise OptionError("The part events needs to know which: add --event deleted-secrets, rotation, an operation…")
    return Wanted(
        parts=parts,
        regions=options.regions,
        names=names,
        group_named=bool(options.log_group),
        trail_named=bool(options.trail),
        topic_named=bool(options.topic),
        retention=options.retention,
        emails=tuple(dict.fromkeys(_email(email) for email in options.emails)),
        alarms=(DELETED_SECRETS, *(each for each in dict.fromkeys(alarms) if each.alarm != DELETED_SECRETS.alarm)),
        events=events,
        to_queue=bool(options.queue),
        new_trail=options.new_trail,
        replace_delivery=options.replace_delivery,
    )


def _parts(options: Options) -> frozenset[Part]:
    if options.parts:
        return frozenset(Part(part) for part in options.parts)
    if options.remove:
        return frozenset(Part)
    return frozenset({Part.TRAIL, Part.ALARM} | ({Part.EVENTS} if options.events else set()))


def _event(name: str, rules: Mapping[str, ExportableRule], *, reads: bool) -> EventWish:
    wish = catalogue.event(name, rules)
    return msgspec.structs.replace(wish, reads=wish.reads or reads)


def _named(option: str, text: str) -> str:
    """Return the name or ARN as given; raise OptionError for what AWS would refuse."""
    pattern, rule = _NAMES[option]
    service = _ARN_SERVICES.get(option)
    if is_arn(text) and service:
        if _ARN.fullmatch(text) and arn_part(text, 2) == service:
            return text
        raise OptionError(f"--{option} {visible(text)} is no ARN of {service}.")
    if text and not re.fullmatch(pattern, text):
        raise OptionError(f"--{option} {visible(text)} can't be a name: AWS takes {rule}.")
    return text


def _email(text: str) -> str:
    if not (text.isprintable() and _EMAIL.fullmatch(text)):
        raise OptionError(f"--email {visible(text)} is no mail address.")
    return text


def check_place(account: str, partition: str) -> None:
    """Raise OptionError for an account or partition that can't be."""
    if account and not re.fullmatch(r"\d{12}", account):
        raise OptionError(f"--account {visible(account)} is no account: twelve digits.")
    if partition and not re.fullmatch(r"aws(-[a-z]+)*", partition):
        raise OptionError(f"--partition {visible(partition)} is no partition: aws, aws-us-gov or aws-cn.")


def check_arns(names: Names, partition: str) -> None:
    """Raise OptionError for ARNs of another partition, once it is known which one this is."""
    for arn in (names.trail, names.topic, names.queue):
        if is_arn(arn) and arn_part(arn, 1) != partition:
            raise OptionError(f"{arn} is of another partition than these credentials ({partition}).")
