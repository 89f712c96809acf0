"""One secret under all its names: what an ARN or a name in a record stands for."""

from __future__ import annotations

import re

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
    """An ARN, complete or without its suffix; "" if only a name is given."""
    name: str = ""
    """The name, if the record says it beside the ARN or alone."""
    complete: bool = False
    """Whether AWS wrote the ARN, so that it ends with the suffix; a caller may leave that out."""
    exists: bool = False
    """Whether the record shows that there is such a secret: AWS named it, or a call on it succeeded."""


_SUFFIX = re.compile(r"(.+)-([A-Za-z0-9]{6})", re.DOTALL)

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


def names_a_secret(value: object) -> bool:
    """Whether a value of a record can be the name or ARN of a secret at all."""
    return isinstance(value, str) and value not in _NO_NAMES and not value.isspace()


_NO_NAMES = frozenset(("", "null", "*"))


def is_secret_arn(text: str) -> bool:
    """Whether `text` is the ARN of a secret, in whichever partition."""
    parts = text.split(":", 6)
    return len(parts) == 7 and parts[0] == "arn" and parts[2] == "secretsmanager" and parts[5] == "secret"


class Names:
    """Folds all names of a secret into one identity, and learns from what it is told.

    An ARN that AWS wrote is the name, a hyphen and six random letters or digits. One that a caller wrote may lack
    them, so that `…:secret:my-secret` is either `my` or `my-secret`. What other records say of these two decides;
    until one does, a guess stands, and is taken back (see `renamed`) once it proves wrong.
    """

    def __init__(self, limit: int = 20_000) -> None:
        self._interned: Recent[tuple[str, str, str], Secret] = Recent(lambda key: Secret(*key), limit)
        self._known: Recent[Secret, bool] = Recent(lambda _: False, limit)
        self._complete: Recent[str, Secret | None] = Recent(lambda _: None, limit)
        self._doubts: dict[str, _Doubt] = {}
        self._doubted: dict[Secret, list[_Doubt]] = {}
        self._limit = limit
        self._renamed: list[tuple[Secret, Secret]] = []
        self.revision = 0
        """Grows whenever an ARN may stand for another secret than before."""

    def renamed(self) -> tuple[tuple[Secret, Secret], ...]:
        """Pairs (wrong guess, right identity) found since last asked: what was said of the first is the second's."""
        renamed, self._renamed = tuple(self._renamed), []
        return renamed

    def secret(self, named: Named, account: str, region: str) -> Secret:
        """The secret that is meant; `account` and `region` are the record's, for what is not an ARN."""
        if not is_secret_arn(named.arn):
            secret = self._interned[account, region, named.name or named.arn]
            if named.exists:
                self._learn(secret)
            return secret
        _, _, _, arn_region, arn_account, _, tail = named.arn.split(":", 6)
        tail = tail.partition(":")[0] or tail  # a JSON key or stage, as in ECS task definitions
        where = arn_account or account, arn_region or region
        if named.name and (tail == named.name or tail.startswith(named.name + "-")):
            secret = self._interned[*where, named.name]
            return self._learn_complete(named.arn, secret) if tail != named.name else self._learn(secret)
        suffix = _SUFFIX.fullmatch(tail)
        if suffix is None:
            secret = self._interned[*where, tail]
            return self._learn(secret) if named.exists else secret
        short, long = self._interned[*where, suffix[1]], self._interned[*where, tail]
        if named.complete and suffix[2].lower() not in _WORDS:
            return self._learn_complete(named.arn, short)
        return self._complete[named.arn] or self._choose(named.arn, short, long)

    def _choose(self, arn: str, short: Secret, long: Secret) -> Secret:
        doubt = self._doubts.get(arn)
        if doubt is None:
            if len(self._doubts) >= self._limit:
                self._forget(next(iter(self._doubts.values())))
            doubt = self._doubts[arn] = _Doubt(arn, short, long, self._likely(short, long))
            for secret in (short, long):
                self._doubted.setdefault(secret, []).append(doubt)
        return doubt.choice

    def _likely(self, short: Secret, long: Secret) -> Secret:
        if self._known[long]:
            return long
        suffix = long.name[-6:].lower()
        return long if not self._known[short] and (suffix in _WORDS or suffix.isdecimal()) else short

    def _learn_complete(self, arn: str, secret: Secret) -> Secret:
        self._complete.keep(arn, secret)
        self._learn(secret)
        if doubt := self._doubts.get(arn):
            self._settle(doubt, secret)
        return secret

    def _learn(self, secret: Secret) -> Secret:
        if not self._known[secret]:
            self._known.keep(secret, True)
            for doubt in self._doubted.get(secret, ()):
                if not self._complete[doubt.arn]:
                    self._settle(doubt, self._likely(doubt.short, doubt.long))
        return secret

    def _settle(self, doubt: _Doubt, right: Secret) -> None:
        wrong, doubt.choice = doubt.choice, right
        if wrong == right:
            return
        self.revision += 1
        if not self._known[wrong] and not any(other.choice == wrong for other in self._doubted.get(wrong, ())):
            self._renamed.append((wrong, right))

    def _forget(self, doubt: _Doubt) -> None:
        del self._doubts[doubt.arn]
        for secret in (doubt.short, doubt.long):
            self._doubted[secret].remove(doubt)
            if not self._doubted[secret]:
                del self._doubted[secret]


class _Doubt:
    """An ARN that is complete for one secret, or lacks the suffix for another, and which of them it is taken for."""

    __slots__ = ("arn", "choice", "long", "short")

    def __init__(self, arn: str, short: Secret, long: Secret, choice: Secret) -> None:
        self.arn = arn
        self.short = short
        self.long = long
        self.choice = choice
