"""What the tests of dossiers share: arrivals, and everything a dossier tells."""

from datetime import datetime, timedelta

from smwatch.dossier import PrincipalDossier, SecretDossier
from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Secret
from smwatch.record import Record
from tests import records

AT = records.AT
SECRET = Secret(records.ACCOUNT, records.REGION, "prod/db")


def arrival(record: Record) -> Arrival:
    return Reader().read(records.raw(record), seen_by=SeenBy.CLOUDTRAIL, seen_at=AT)


def after(**period: float) -> datetime:
    return AT + timedelta(**period)


def dossier(*noted: Record | Arrival) -> SecretDossier:
    found = SecretDossier(SECRET)
    for one in noted:
        found.note(one if isinstance(one, Arrival) else arrival(one))
    return found


def principal(*noted: Record | Arrival) -> PrincipalDossier:
    arrivals = [one if isinstance(one, Arrival) else arrival(one) for one in noted]
    found = PrincipalDossier(arrivals[0].event.principal)
    for one in arrivals:
        found.note(one)
    return found


def told(of: SecretDossier, now: datetime) -> tuple[object, ...]:
    return (
        *(of.events, of.first_key, of.last_key, of.arn, of.others, of.secret),
        *(of.disclosure(), of.users(now), of.readers(now), of.consumers(now), of.doers(now), of.hours(now, 48)),
        *(of.lifecycle(now), of.policies, of.replicas, of.labels, of.moves, of.decrypted_versions, of.kms_key),
        *(of.changes, of.rotations, of.errors, of.timeline(1000)),
    )


def all_told(of: PrincipalDossier) -> tuple[object, ...]:
    return (
        *(of.principal, of.events, of.denied, of.writes, of.first_key, of.last_key, tuple(of.secrets), of.others),
        *(of.access_keys, of.sessions, of.source_ips, of.user_agents, of.regions),
    )
