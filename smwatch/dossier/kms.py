"""What a call of KMS tells of the secret that it was made for."""

from __future__ import annotations

import msgspec

from smwatch.dossier.dealings import DECRYPT
from smwatch.dossier.record import LIST, TEXT
from smwatch.events.event import Arrival
from smwatch.events.header import header_of


class KmsUse(msgspec.Struct, frozen=True, gc=False):
    """The part of a record that dossiers note of it: the whole header takes one or two kB."""

    version: str
    """Of the secret, where it was decrypted; "" otherwise."""
    keys: tuple[str, ...]
    """ARNs of the KMS keys."""


def kms_use(arrival: Arrival) -> KmsUse:
    """What a record of KMS says of versions and keys."""
    header = arrival.header or header_of(arrival.record)
    context = header.parameters.context if header.parameters is not None else None
    version = (context.version_id or "") if context is not None and arrival.event.name == DECRYPT else ""
    arns = [resource.arn for resource in (header.resources or ())[:LIST]]
    return KmsUse(version[:TEXT], tuple([arn[:TEXT] for arn in arns if arn and ":kms:" in arn]))
