"""One secret under all its names: what an ARN or a name in a record stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeGuard

import msgspec

from smwatch.events.recent import Recent


class Secret(msgspec.Struct, frozen=True, gc=False, order=True, cache_hash=True):
    """The identity of a secret, whatever a record calls it; interned, so equal ones are one object."""

    account: str
    region: str
    name: str


class Named(msgspec.Struct, frozen=True, gc=False):
    """One way in which a record names a secret."""

    arn: str = ""
    """The ARN of a secret, complete or without its suffix; "" if only a name is given."""
    name: str = ""
    """The name, if the record says it beside the ARN or alone."""
    complete: bool = False
    """Whether AWS wrote the ARN, so that it ends with the suffix; a caller may leave that out."""
    exists: bool = False
    """Whether the record shows that there is such a secret: AWS named it, or a call on it succeeded."""


# Common six-letter endings of secret names. That a random suffix spells one of them has odds of one in hundreds of
# millions, so an ARN ending in one was typed without its suffix.
_ENDINGS = (
    "access active apikey argocd assets aurora backup basics bearer bridge broker bucket canary cdnkey center cipher"
    " client cohort common config consul cookie credit custom dbcred dbpass dbuser deploy design device docker domain"
    " driver editor engine events export github gitlab global google heroku import ingest kibana lambda ldapdb legacy"
    " lookup mailer master mobile oauth2 oracle params passwd portal proxy1 pubkey public reader region remote runner"
    " search secret secure sentry server shared signer single source splunk sqlite static stream string stripe system"
    " tenant tokens twilio update upload useast uswest euwest vendor verify viewer wallet worker writer"
)
_WORDS = frozenset(_ENDINGS.split())


_NO_NAMES = frozenset(("", "null", "*"))


def can_name_a_secret(text: str | None) -> TypeGuard[str]:
    """Whether a text of a record can be the name or ARN of a secret: `null` and `*` stand for none."""
    return text is not None and text not in _NO_NAMES and not text.isspace()


def is_secret_arn(text: str) -> bool:
    """Whether `text` is the ARN of a secret, in whichever partition."""
    if not text.startswith("arn:"):
        return False
    parts = text.split(":", 6)
    return len(parts) == 7 and parts[2] == "secretsmanager" and parts[5] == "secret" and bool(parts[6].strip(": "))


class Names:
    """Folds all names of a secret into one identity, and learns from what it is told.

    An ARN that AWS wrote is the name, a hyphen and six random letters or digits. One that a caller wrote may lack
    them, so that `…:secret:my-secret` is either `my` or `my-secret`. What other records say of these two decides. Until
    one does, an ending that reads like a word is taken for a part of the name, so that it stands apart and can be
    folded once AWS itself has written that ARN; any other ending is taken for the suffix, and that is taken back (see
    `renamed`) once there is a secret that is named with it. `changed` is called whenever an ARN stands for another
    secret than before.

    All orders of the same records end alike. But for one thing: if there are both `my` and `my-s3cReT`, and somebody
    types the ARN of the second without its suffix before anything else has shown that one, then what was taken for
    `my` stays there, as it can't be told any more from what was.
    """

    def __init__(self, changed: Callable[[], None], remember: int = 16_384) -> None:
        self._changed = changed
        self._resolved: Recent[tuple[Named, str, str], Secret] = Recent(self._resolve, remember)
        self._secrets: Recent[_Key, Secret] = Recent(self._make_secret, remember)
        self._places: Recent[str, str] = Recent(str, 1024)
        self._meant: Recent[str, tuple[Secret, bool] | None] = Recent(lambda _: None, remember)
        """For ARNs that look complete: the secret that is meant, and whether that is certain."""
        self._evidence: Recent[_Key, str | None] = Recent(lambda _: None, remember)
        """For secrets that there are: CERTAIN, or the ARN of a call that succeeded, and that may have been partial."""
        self._renamed: list[tuple[Secret, Secret]] = []

    def secret(self, named: Named, account: str, region: str) -> Secret:
        """The secret that is meant; `account` and `region` are the record's, for what is not an ARN."""
        return self._resolved[named, account, region]

    def renamed(self) -> tuple[tuple[Secret, Secret], ...]:
        """Pairs (wrong guess, right identity) found since last asked: what was said of the first is the second's."""
        if not self._renamed:
            return ()
        renamed, self._renamed = tuple(self._renamed), []
        return renamed

    def _make_secret(self, key: _Key) -> Secret:
        account, region, name = key
        return Secret(self._places[account], self._places[region], name)

    def _resolve(self, key: tuple[Named, str, str]) -> Secret:
        named, account, region = key
        if not named.arn:
            return self._typed((account, region, named.name), named)
        _, _, _, arn_region, arn_account, _, tail = named.arn.split(":", 6)
        tail = tail.partition(":")[0] or tail  # a JSON key or stage may follow, as in ECS task definitions
        account, region = arn_account or account, arn_region or region
        short, hyphen, suffix = tail[:-7], tail[-7:-6], tail[-6:]
        if named.name == tail or hyphen != "-" or not short or not suffix.isalnum() or not suffix.isascii():
            return self._typed((account, region, tail), named)
        if named.name == short or (named.complete and suffix.lower() not in _WORDS):
            right = account, region, short
            self._mean(named.arn, self._secrets[right], certain=True)
            self._learn(right)
            return self._secrets[right]
        meant = self._meant.find(named.arn)
        return meant[0] if meant and meant[1] else self._guess(named, account, region, short, suffix)

    def _typed(self, key: _Key, named: Named) -> Secret:
        """The secret of exactly this name; of what is the end of another's ARN, that one, unless there is both."""
        if named.exists:
            self._learn(key)
        elif self._evidence.find(key) != CERTAIN and (meant := self._certain(key)) is not None:
            return meant
        return self._secrets[key]

    def _certain(self, key: _Key) -> Secret | None:
        """The secret of which AWS has written an ARN that ends with this name."""
        if key[2][-7:-6] != "-":
            return None
        found = (self._meant.find(arn) for arn in _arns(key))
        return next((meant for each in found if each is not None for meant, certain in (each,) if certain), None)

    def _guess(self, named: Named, account: str, region: str, short: str, suffix: str) -> Secret:
        """`short`, unless its suffix is hardly random or there seems to be a secret that is named with it."""
        key = account, region, f"{short}-{suffix}"
        if not _like_a_word(suffix) and self._evidence.find(key) is None:
            key = account, region, short
            evidence = self._evidence.find(key)
            if named.exists and evidence is None:
                self._evidence.keep(key, named.arn)
                self._mean(named.arn[:-7], self._secrets[key], only_if_doubted=True)
            elif named.exists and evidence not in (CERTAIN, named.arn):  # no two guesses are wrong in the same way
                self._learn(key)
        secret = self._secrets[key]
        self._meant.keep(named.arn, (secret, False))
        return secret

    def _learn(self, key: _Key) -> None:
        if self._evidence.find(key) != CERTAIN:
            self._evidence.keep(key, CERTAIN)
            for arn in _arns(key):
                self._mean(arn, self._secrets[key], only_if_doubted=True)

    def _mean(self, arn: str, right: Secret, *, certain: bool = False, only_if_doubted: bool = False) -> None:
        """Take `arn` for `right` from now on, and take back what was made of it before."""
        meant = self._meant.find(arn)
        if only_if_doubted and (meant is None or meant[1]):
            return
        self._meant.keep(arn, (right, certain))
        wrong = {meant[0]} if meant is not None else set()
        if certain and not (meant is not None and meant[1]):
            # Somebody may have typed as a name what is the end of the ARN.
            typed = self._secrets.find((right.account, right.region, arn.rpartition(":")[2]))
            wrong |= {typed} if typed is not None else set()
        if wrong := wrong - {right}:
            self._resolved.forget()
            self._changed()
        for each in wrong:
            if self._evidence.find((each.account, each.region, each.name)) != CERTAIN:
                self._renamed.append((each, right))


def _like_a_word(ending: str) -> bool:
    """Whether six letters or digits are hardly random: a known word, or all digits, or all letters of one case.

    Of a hundred random ones, one is so: it is taken for a part of the name until AWS writes the ARN.
    """
    return (
        ending.isdecimal()
        or ending.lower() in _WORDS
        or (ending.isalpha() and ending in (ending.lower(), ending.upper()))
    )


def _arns(key: _Key) -> Iterator[str]:
    """The ARNs that end with just this name."""
    account, region, name = key
    for partition in _PARTITIONS:
        yield f"arn:{partition}:secretsmanager:{region}:{account}:secret:{name}"


_Key = tuple[str, str, str]
CERTAIN = ""
_PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b")
