"""One secret under all its names: what an ARN or a name in a record stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
    folded once AWS itself has written that ARN; any other ending is taken for the suffix, unless there is a secret that
    is named with it.

    What is meant is a function of what is known: which secrets there are, which ARNs AWS has written and which ones led
    to a secret. So all orders of the same records end alike. Where more comes to be known, all that was taken for one
    secret may be another's: `renamed` says so. Or only a part of it is, for there are both `my` and `my-s3cReT`, and
    what was taken for the first had two kinds of names: then `mistaken`, and the records have to be read again.
    """

    def __init__(self, changed: Callable[[Secret | None], None], remember: int = 16_384) -> None:
        """`changed` is called with a secret when a name stands for it no more, and with None when any name might.

        `remember` is how many secrets: each may have a name, and an ARN that ends with another one.
        """
        self._changed = changed
        self._names: Recent[_Key, _Name] = Recent(self._make, 2 * remember, aged=self._age)
        self._places: Recent[str, str] = Recent(str, 1024)
        self._lessons: dict[Lesson, None] = {}
        self._told_of: set[Secret] = set()
        """Secrets of which others have told, by what they had read: see `tell_of`."""
        self.renames: list[tuple[Secret, Secret]] = []
        """What `renamed` will say: most often nothing, as can be seen without asking for it."""
        self.mistaken = False
        """Whether a part of what was said of a secret has turned out to be another's; it is for the caller to reset."""

    def secret(self, named: Named, account: str, region: str) -> Secret:
        """The secret that is meant; `account` and `region` are the record's, for what is not an ARN."""
        key, by_arn = _key_in(named, account, region)
        name = self._names[key]
        if name.short is None:  # so that it means itself, whatever else comes to be known. Serves "parse-varied".
            name.by_name = name.secret
            return name.secret
        short = name.short if by_arn else None
        if short is not None and (named.name == short[2] or (named.complete and not _is_word(key))):
            self._learn(_WRITTEN, key)
            self._learn(_EXISTING, short)
        elif named.exists and short is not None:
            self._reach(short, key)
        elif named.exists and not name.exists:
            self._learn(_EXISTING, key)
        reference = key, by_arn
        secret = (name.by_arn if by_arn else name.by_name) or self._meaning(reference)
        self._take(reference, secret)
        return secret

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """What has shown mistakes: whoever is taught it beforehand makes none of these."""
        return tuple(self._lessons)

    def teach(self, lessons: Iterable[Lesson]) -> None:
        """Make known what has shown mistakes before."""
        for kind, account, region, name in lessons:
            key = (account, region, name)
            if kind in (_EXISTING, _WRITTEN):
                self._lessons[kind, *key] = None
                self._learn(kind, key)
            elif kind == _REACHED and (short := self._names[key].short) is not None:
                self._lessons[kind, *key] = None
                self._reach(short, key)

    def tell_of(self, secrets: Iterable[Secret]) -> None:
        """Make known that something is said of these by who has read more than is read here, or something else.

        So it is not by what is read here alone that all that was said of one can turn out to be another's.
        """
        self._told_of.update(secrets)

    def together(self, secrets: Iterable[Secret]) -> None:
        """Take note that one record is about all of these: should two turn out to be one, it counts once for that."""
        keys = dict.fromkeys(map(_key, secrets))
        for key in keys:
            name = self._names[key]
            if name.short in keys:
                name.beside_short = True

    def renamed(self) -> tuple[tuple[Secret, Secret], ...]:
        """Pairs (wrong guess, right identity) found since last asked: what was said of the first is the second's."""
        renamed = tuple(self.renames)
        self.renames.clear()
        return renamed

    def _age(self) -> None:
        """Have all be asked anew: what is used for long is to be among what can be set right."""
        self._changed(None)

    def _make(self, key: _Key) -> _Name:
        account, region, name = key
        secret = Secret(self._places[account], self._places[region], name)
        short, suffix = name[:-7], name[-6:]
        suffixed = short and name[-7] == "-" and suffix.isalnum() and suffix.isascii()
        return _Name(secret, (account, region, short) if suffixed else None)

    def _take(self, reference: _Reference, secret: Secret) -> None:
        """Note what a reference is taken for now, so that it can be set right."""
        key, by_arn = reference
        name = self._names[key]
        if by_arn:
            name.by_arn = secret
        else:
            name.by_name = secret
        if name.short is not None and secret is not name.secret:
            name = self._names[name.short]
        references = name.references or ()
        if len(references) < REFERENCES and reference not in references:
            name.references = *references, reference

    # -- what is meant, from what is known

    def _meaning(self, reference: _Reference) -> Secret:
        key, by_arn = reference
        name = self._names[key]
        if name.short is None:
            return name.secret
        if by_arn:
            is_name = name.exists or _like_a_word(key[2][-6:]) or (name.reached and any(self._guesses(name)))
            suffixed = name.written or not is_name
        else:  # somebody typed as a name what is the end of an ARN; no two guesses are wrong in the same way
            suffixed = name.written and not (name.exists or sum(self._guesses(name)) > 1)
        return self._names[name.short].secret if suffixed else name.secret

    def _guesses(self, name: _Name) -> Iterator[bool]:
        """Whether each ARN that may be this name and a suffix is taken for that: then there seems to be its secret."""
        return (self._meaning((arn, True)) == name.secret for arn in name.reached)

    # -- what is known

    def _learn(self, kind: str, key: _Key) -> None:
        name = self._names[key]
        if kind == _EXISTING:
            known, name.exists = name.exists, True
        else:
            known, name.written = name.written, True
        if not known and name.short is not None:
            self._reconsider_by(kind, key)

    def _reach(self, short: _Key, arn: _Key) -> None:
        name = self._names[short]
        if arn not in name.reached:
            name.reached = tuple(sorted((*name.reached, arn)))[:REACHED]
            self._reconsider_by(_REACHED, arn)

    def _reconsider_by(self, kind: str, key: _Key) -> None:
        """See what names stand for by now, and remember what has shown a mistake."""
        moved: _Moved = {}
        may_mean = key
        while (name := self._names[may_mean]).short is not None:  # what has no suffix means itself
            for by_arn, was in ((False, name.by_name), (True, name.by_arn)):
                if was is not None and (now := self._meaning((may_mean, by_arn))) != was:
                    moved[may_mean, by_arn] = was, now
            may_mean = name.short
        if moved and self._set_right(moved) and len(self._lessons) < LESSONS:
            self._lessons[kind, *key] = None

    def _set_right(self, moved: _Moved) -> bool:
        """Have references mean what they are now; whether a part of what was said of a secret was another's."""
        for was in dict.fromkeys(was for was, _ in moved.values()):
            self._changed(was)
        for reference, (was, now) in moved.items():
            name = self._names[_key(was)]
            if name.references is not None and len(name.references) < REFERENCES:
                name.references = tuple(each for each in name.references if each != reference)
            self._take(reference, now)
        mistaken = False
        for was in dict.fromkeys(was for was, _ in moved.values()):
            right = {now for before, now in moved.values() if before == was}
            if len(right) == 1 and self._names[_key(was)].forsaken and was not in self._told_of:
                now = right.pop()
                self.renames.append((was, now))
                mistaken |= self._names[_key(max(was, now, key=lambda each: len(each.name)))].beside_short
            else:
                mistaken = True
        self.mistaken |= mistaken
        return mistaken


class _Name(msgspec.Struct, gc=False):
    """What is known of a name, or of what an ARN ends with."""

    secret: Secret
    """The one of this very name, should there be one."""
    short: _Key | None
    """The name before what may be a suffix, a hyphen and six letters or digits; None if it does not end so."""
    exists: bool = False
    """Whether there is such a secret."""
    written: bool = False
    """Whether AWS has written an ARN that ends so."""
    reached: tuple[_Key, ...] = ()
    """What ARNs end with that led to a secret and may be this name and a suffix; at most REACHED."""
    beside_short: bool = False
    """Whether some record has it together with the name without what may be a suffix."""
    by_name: Secret | None = None
    """What it was taken for last where it was given as a name."""
    by_arn: Secret | None = None
    """The same where an ARN ended so."""
    references: tuple[_Reference, ...] | None = None
    """Those that were taken for `secret`, as far as is known; where they are REFERENCES, there may be more.

    A name without a suffix is not among its own: it is taken for nothing else.
    """

    @property
    def forsaken(self) -> bool:
        """Whether all that was taken for `secret` is taken for something else."""
        return self.references == () and (self.short is not None or self.by_name is None)


def _key(secret: Secret) -> _Key:
    return secret.account, secret.region, secret.name


def _key_in(named: Named, account: str, region: str) -> _Reference:
    """The name that is given, or what the ARN ends with; whether that has a suffix, if it ends so."""
    if not named.arn:
        return (account, region, named.name), False
    _, _, _, arn_region, arn_account, _, tail = named.arn.split(":", 6)
    tail = tail.partition(":")[0] or tail  # a JSON key or stage may follow, as in ECS task definitions
    return (arn_account or account, arn_region or region, tail), named.name != tail


def _is_word(key: _Key) -> bool:
    return key[2][-6:].lower() in _WORDS


def _like_a_word(ending: str) -> bool:
    """Whether six letters or digits are hardly random: a known word, or all digits, or all letters of one case.

    Of a hundred random ones, one is so: it is taken for a part of the name until AWS writes the ARN.
    """
    return (
        ending.isdecimal()
        or ending.lower() in _WORDS
        or (ending.isalpha() and ending in (ending.lower(), ending.upper()))
    )


_Key = tuple[str, str, str]
"""Account, Region, and a name."""
_Reference = tuple[_Key, bool]
"""A name, or what an ARN ends with, that some record has for a secret; whether it may have a suffix."""
_Moved = dict[_Reference, tuple[Secret, Secret]]
"""What references were taken for, and are taken for by now."""
Lesson = tuple[str, str, str, str]
"""What is known of a name: that it exists, or that an ARN ends with it which AWS has written, or which led to a secret;
Account, Region, name."""
_EXISTING, _WRITTEN, _REACHED = "exists", "written", "reached"
LESSONS = 1_000
"""Lessons that are remembered."""
REACHED = 8
"""ARNs that are remembered to have led to one secret."""
REFERENCES = 64
"""References to one secret that are told apart: attackers may type any number."""
