"""Checks of this machine: credentials, clock, terminal, journal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta

from smwatch.setup.finding import Finding, age, broken, ok, shell, unknown, warn
from smwatch.setup.journal_file import JournalSeen
from smwatch.setup.seeing import NO_REGION, Seen, Unread
from smwatch.setup.terminal import COLUMNS, ROWS, TerminalSeen
from smwatch.setup.trouble import CLOCK

CLOCK_ODD = timedelta(minutes=1)
CLOCK_WRONG = timedelta(minutes=5)
"""AWS refuses signatures of machines whose clock is further off."""
SET_CLOCK = "sudo timedatectl set-ntp true"
_COMMAND = re.compile(r"`(aws [^`]+)`")
"""The command that a sentence about trouble names first."""


def credentials(seen: Seen) -> Finding:
    """Whether AWS knows who calls."""
    identity = seen.identity
    if isinstance(identity, Unread) and identity.code == NO_REGION:
        return unknown("credentials", "AWS can't be asked without a Region.")
    if not isinstance(identity, Unread):
        return ok("credentials", f"{identity.arn} (account {identity.account})")
    if identity.code in CLOCK:
        return unknown("credentials", "AWS refuses the signature before it looks at them: see the clock.")
    named = _COMMAND.search(identity.why)
    look = shell("aws", "sts", "get-caller-identity", "--profile", seen.profile)
    return broken("credentials", identity.why, named[1] if named else look)


def clock(seen: Seen) -> Finding:
    """Whether this machine's clock agrees with AWS's."""
    identity = seen.identity
    if isinstance(identity, Unread):
        if identity.code in CLOCK:
            return broken("clock", identity.why, SET_CLOCK)
        return unknown("clock", "AWS did not answer, so its clock is not known.")
    if identity.answered_at is None:
        return unknown("clock", "AWS's answer has no time in it.")
    offset = seen.asked_at - identity.answered_at
    direction = "ahead of" if offset > timedelta() else "behind"
    message = f"This machine's clock is {age(abs(offset))} {direction} AWS's."
    if abs(offset) > CLOCK_WRONG:
        return broken("clock", f"{message} AWS refuses signatures beyond 5 minutes.", SET_CLOCK)
    if abs(offset) > CLOCK_ODD:
        return warn("clock", message, SET_CLOCK)
    return ok("clock", "agrees with AWS's")


def terminal(seen: TerminalSeen) -> Iterator[Finding]:
    """Whether the screen can be drawn here, and how."""
    if not seen.present:
        yield ok("terminal", "There is none here: `smwatch tail` needs none.")
        return
    term = seen.environ.get("TERM", "")
    if term in ("", "dumb"):
        yield broken(
            "terminal", f"TERM is {term or 'not set'}: the screen can't be drawn.", "export TERM=xterm-256color"
        )
        return
    size = f"{seen.columns} × {seen.rows}"
    if 0 < seen.columns < COLUMNS or 0 < seen.rows < ROWS:
        yield warn("terminal", f"{size} is small: the screen is made for {COLUMNS} × {ROWS} and more.")
    else:
        yield ok("terminal", f"{size}, {seen.colours} ({term})")
    if seen.encoding.replace("-", "").lower() == "utf8":
        yield ok("unicode", "UTF-8")
    else:
        encoding = seen.encoding or "no encoding"
        yield warn("unicode", f"Output is {encoding}: glyphs become question marks.", "export LC_ALL=C.UTF-8")
    match seen.copies:
        case True:
            yield ok("clipboard", "Copying reaches the clipboard (OSC 52).")
        case False if seen.tmux_clipboard:
            yield warn("clipboard", "tmux keeps copies to itself.", "tmux set -g set-clipboard on")
        case False:
            yield warn("clipboard", "This terminal does not take copies (OSC 52): select with the mouse instead.")
        case None:
            yield unknown("clipboard", "Whether copies reach the clipboard (OSC 52) this terminal does not tell.")


def journal(seen: JournalSeen) -> Finding:
    """Whether the journal can be read, is sound and is nobody else's to read."""
    path = shlex.quote(seen.path)
    if not seen.exists:
        return ok("journal", f"None yet; it will be {seen.path}.")
    if seen.fault:
        message = f"{seen.path} can't be used: {seen.fault}"
        return broken("journal", message, f"mv {path} {shlex.quote(seen.path + '.broken')}")
    if seen.version > seen.known_version:
        return broken(
            "journal",
            f"{seen.path} was written by a newer smwatch (version {seen.version}, known up to {seen.known_version}).",
            "python -m pip install --upgrade smwatch",
        )
    if seen.mode & 0o077 or seen.folder_mode & 0o022:
        folder = shlex.quote(seen.path.rpartition("/")[0])
        message = f"Others can get at {seen.path} (mode {seen.mode:03o} in a folder of mode {seen.folder_mode:03o})."
        return broken("journal", message, f"chmod 600 {path} && chmod 700 {folder}")
    whole = "sound" if seen.looked_through else "opens; too large to look through here"
    return ok("journal", f"{seen.path}, {seen.size / 1e6:.1f} MB, {whole}")
