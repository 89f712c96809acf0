"""The test of the whole chain: a throw-away secret, scheduled for deletion, that somebody tries to read.

This is the one place in smwatch that calls GetSecretValue, on a secret it made itself and has just had deleted: the
answer is a refusal, and that refusal is what everything else here waits to see.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import islice

import msgspec
from botocore.exceptions import ClientError

from smwatch.setup import look
from smwatch.setup.aws import Aws
from smwatch.setup.drill_report import Report, Sighting, in_words
from smwatch.setup.place import Place
from smwatch.setup.policies import DRILL_PREFIX
from smwatch.setup.seen import MADE
from smwatch.setup.trouble import AWS_ERRORS, DENIED, SetupError, code_of, message_of, sentence
from smwatch.setup.wanted import DELETED_SECRETS

RECOVERY_DAYS = 7
"""The shortest recovery window there is; the drill does not wait for its end."""
TRIES = 10
"""How often reading is tried until Secrets Manager knows everywhere that the secret is scheduled for deletion."""
EVERY = timedelta(seconds=10)
"""Between two looks: delays are minutes, and the event history is everybody's."""
TELL_EVERY = timedelta(seconds=30)
"""So often it is said what is still waited for."""
SLACK = timedelta(minutes=15)
"""How far this machine's clock may be off without the drill's event being missed."""
MOST_RECORDS = 500
"""As many records one look at the event history goes through: 10 calls of the 2 a second everybody shares."""


class Witness(msgspec.Struct, frozen=True):
    """Something that should see the refused reading."""

    name: str
    look: Callable[[], bool]
    """Whether it has seen it by now; raises what botocore raises."""
    missing: str = ""
    """Why it can't see anything, "" if it can."""


class Clock(msgspec.Struct, frozen=True):
    """The clock, and waiting by it."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]


Tell = Callable[[str], None]
Shield = Callable[[bool], AbstractContextManager[object]]
"""Makes a context in which Ctrl-C has to wait; the argument says whether it is made up for at the end."""


class Ground(msgspec.Struct, frozen=True):
    """Where a drill takes place, and what can see it; found out before anybody is asked for consent."""

    place: Place
    """Where the secret is made."""
    home: Place
    """Where the log group and the alarm are."""
    group: str
    """"" if the trail delivers to no log group."""
    alarm: tuple[str, datetime | None]
    """The alarm's state and since when; ("", None) if there is none."""

    @property
    def blind(self) -> dict[str, str]:
        """What will see nothing, and why."""
        found = {}
        if not self.group:
            found["log group"] = "no trail delivers to one: `smwatch setup`"
        if not self.alarm[0]:
            found["alarm"] = f"there is no {DELETED_SECRETS.alarm}: `smwatch setup`"
        elif self.alarm[0] == "ALARM":
            found["alarm"] = "it is in ALARM already, so it can't go off: wait until it is OK"
        return found


def survey(aws: Aws, place: Place, group: str) -> Ground:
    """Look at what a drill would be seen by; `group` is the log group to look into, "" for the trail's own."""
    home, group = _where(aws, place, group)
    return Ground(place, home, group, _alarm_state(aws, home))


def drill(
    aws: Aws, ground: Ground, name: str, *, patience: timedelta, clock: Clock, tell: Tell, shield: Shield
) -> Report:
    """Run the drill with a secret of that name; whatever happens, the secret is deleted for good at the end.

    Ctrl-C while waiting ends the waiting, not the report. Raises SetupError where the drill can't be done at all.
    """
    place = ground.place
    tell(f"Making the secret {name}")
    refused = False
    try:
        try:
            with shield(True):  # a call given up may still arrive, after the secret was looked for and not found
                arn = _made(aws, place, name)
        except ClientError:
            refused = True  # nothing was made; any other end leaves that open
            raise
        tell("Scheduling its deletion")
        aws.secretsmanager(place.region).delete_secret(SecretId=arn, RecoveryWindowInDays=RECOVERY_DAYS)
        refused_at = _refused(aws, place, arn, clock, tell)
        witnesses = (
            Witness("event history", lambda: _looked_up(aws, place, arn, refused_at)),
            _log_group(aws, ground, arn, refused_at),
            _alarm(aws, ground),
        )
        sightings, interrupted = _wait(witnesses, refused_at, patience, clock, tell)
        return Report(arn, refused_at, sightings, interrupted)
    finally:
        if not refused:
            with shield(False):
                _clean_up(aws, place, name, tell)


def _where(aws: Aws, place: Place, group: str) -> tuple[Place, str]:
    """Return where the chain is, and its log group."""
    found = look.deliveries(aws, place.region)
    if group:
        return place.at(next((home for home, name in found if name == group), place.region)), group
    home, group = next(iter(found), (place.region, ""))
    return place.at(home), group


def _made(aws: Aws, place: Place, name: str) -> str:
    """Make the secret and return its ARN."""
    made = aws.secretsmanager(place.region).create_secret(
        Name=name,
        Description="A drill of smwatch: holds no secret, and is deleted at once",
        SecretString="nothing",
        Tags=[{"Key": MADE, "Value": "made by smwatch drill"}],
    )
    return made["ARN"]


def _refused(aws: Aws, place: Place, arn: str, clock: Clock, tell: Tell) -> datetime:
    """Try to read the secret until that is refused because it is scheduled for deletion; return when."""
    secrets = aws.secretsmanager(place.region)
    tell("Trying to read it, which has to be refused")
    for _ in range(TRIES):
        try:
            secrets.get_secret_value(SecretId=arn)
        except ClientError as error:
            if code_of(error) == "InvalidRequestException":
                tell(f"Refused: {message_of(error)}")
                return clock.now()
            if code_of(error) in DENIED:
                raise SetupError(
                    "Reading is denied by a policy, so nobody can see that it is refused for the deletion: use "
                    "credentials that have the policy of `smwatch policy drill` and not that of `smwatch policy watch`."
                ) from error
            raise
        clock.sleep(2)
    raise SetupError("Secrets Manager still hands out the secret, though its deletion is scheduled: try again later.")


def _wait(
    witnesses: Sequence[Witness], since: datetime, patience: timedelta, clock: Clock, tell: Tell
) -> tuple[tuple[Sighting, ...], bool]:
    """Look again and again until every witness has seen it, time is up, or Ctrl-C; return also whether it was that."""
    seen = {each.name: Sighting(each.name, why=each.missing) for each in witnesses if each.missing}
    for sighting in seen.values():
        tell(f"{sighting.witness}: {sighting.why}")
    waiting = [each for each in witnesses if not each.missing]
    reasons: dict[str, str] = {}
    interrupted = False
    told_at = since
    try:
        while waiting and clock.now() - since < patience:
            for witness in waiting:
                try:
                    if witness.look():
                        at = clock.now()
                        seen[witness.name] = Sighting(witness.name, at, at - since)
                        tell(f"{witness.name}: seen after {in_words(at - since)}")
                    reasons.pop(witness.name, None)
                except AWS_ERRORS as error:
                    if reasons.get(witness.name) != sentence(error):
                        tell(f"{witness.name}: {sentence(error)}")
                    reasons[witness.name] = sentence(error)
            waiting = [each for each in waiting if each.name not in seen]
            if waiting and clock.now() - told_at >= TELL_EVERY:
                told_at = clock.now()
                names = ", ".join(witness.name for witness in waiting)
                tell(f"waiting for {names}: {in_words(told_at - since)} of {in_words(patience)}")
            if waiting:
                clock.sleep(EVERY.total_seconds())
    except KeyboardInterrupt:
        interrupted = True
    waited = in_words(clock.now() - since)
    for witness in waiting:
        why = reasons.get(witness.name, f"not seen within {waited}")
        seen[witness.name] = Sighting(witness.name, why=why)
    return tuple(seen[witness.name] for witness in witnesses), interrupted


def _looked_up(aws: Aws, place: Place, arn: str, since: datetime) -> bool:
    records = look.looked_up(aws, place.region, "GetSecretValue", since - SLACK)
    return any(_is_ours(record, arn) for record in islice(records, MOST_RECORDS))


def _log_group(aws: Aws, ground: Ground, arn: str, since: datetime) -> Witness:
    group, region = ground.group, ground.home.region
    name = f"log group {group}" if group else "log group"
    pattern = f'{{ $.eventName = "GetSecretValue" && $.requestParameters.secretId = "{arn}" }}'

    def seen() -> bool:
        messages = look.logged(aws, region, group, pattern, since - SLACK)
        return any(_is_ours(message, arn) for message in messages)

    return Witness(name, seen, ground.blind.get("log group", ""))


def _is_ours(text: str, arn: str) -> bool:
    """Whether a record is the drill's refused reading."""
    try:
        record = json.loads(text)
    except ValueError:
        return False
    if not isinstance(record, Mapping) or record.get("eventName") != "GetSecretValue":
        return False
    parameters = record.get("requestParameters")
    return isinstance(parameters, Mapping) and parameters.get("secretId") == arn and "errorMessage" in record


def _alarm_state(aws: Aws, home: Place) -> tuple[str, datetime | None]:
    """Return the alarm's state and since when, ("", None) if there is no such alarm."""
    found = next(iter(look.alarms(aws, home.region, names=[DELETED_SECRETS.alarm])), None)
    return (found.state, found.state_at) if found else ("", None)


def _alarm(aws: Aws, ground: Ground) -> Witness:
    def seen() -> bool:
        now = _alarm_state(aws, ground.home)
        return now[0] == "ALARM" and now != ground.alarm

    return Witness("alarm", seen, ground.blind.get("alarm", ""))


def _clean_up(aws: Aws, place: Place, name: str, tell: Tell) -> None:
    """Delete the secret for good, whether or not it was ever made; say how to do it by hand if that fails."""
    by_hand = shlex.join(
        (
            "aws",
            "secretsmanager",
            "delete-secret",
            "--secret-id",
            name,
            "--force-delete-without-recovery",
            "--region",
            place.region,
        )
    )
    tell(f"Deleting the secret {name} for good")
    try:
        aws.secretsmanager(place.region).delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    except AWS_ERRORS as error:
        if code_of(error) != "ResourceNotFoundException":  # it was never made
            tell(f"{sentence(error)} Delete it by hand: {by_hand}")
    except KeyboardInterrupt:
        tell(f"Interrupted while deleting it. By hand: {by_hand}")
        raise
    else:
        tell("Deleted")


def drill_name(at: datetime, suffix: str) -> str:
    """Return the name of a drill's secret: no two drills share one."""
    return f"{DRILL_PREFIX}{at:%Y%m%dT%H%M%SZ}-{suffix}"
