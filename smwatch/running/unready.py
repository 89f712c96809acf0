"""What a person is told where smwatch can't begin: what it looked for, when that last worked, what to try."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from smwatch.journal import Journal, JournalError
from smwatch.settings import Settings

TO_TRY = (
    ("smwatch demo", "a scripted incident, without AWS"),
    ("smwatch doctor", "what is missing: credentials, permissions, trail, log group"),
    ("smwatch setup", "trail, log group and alarm made in AWS"),
)


def advice(settings: Settings, journal: Journal, environ: Mapping[str, str], home: Path) -> Iterator[str]:
    """Lines for a terminal, the most useful ones first."""
    yield f"  looked for   {_looked_for(settings, environ, home)}"
    yield f"  last worked  {_last_worked(journal)}"
    yield "  delay        CloudTrail shows calls some 2 to 10 minutes after they happen, a trail's log group sooner"
    for i, (command, what) in enumerate(TO_TRY):
        yield f"  {'to try' if not i else '':<12} {command:<15} {what}"


def _looked_for(settings: Settings, environ: Mapping[str, str], home: Path) -> str:
    profile = settings.profile or environ.get("AWS_PROFILE") or "default"
    regions = ", ".join(settings.regions) or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    files = [
        f"{'~' / path} ({'there' if (home / path).is_file() else 'not there'})"
        for path in (Path(".aws/config"), Path(".aws/credentials"))
    ]
    key = "set" if environ.get("AWS_ACCESS_KEY_ID") else "not set"
    return "; ".join(
        (
            f"profile {profile}, Region {regions or 'of the profile'}",
            f"AWS_ACCESS_KEY_ID ({key}), {', '.join(files)}, then the role of the container or machine",
        )
    )


def _last_worked(journal: Journal) -> str:
    try:
        held = [(journal.coverage(source).settled, source) for source in journal.sources()]
    except JournalError as error:
        return f"unknown: {error}"
    ends: list[tuple[datetime, str]] = [(spans[-1].end, source) for spans, source in held if spans]
    if not ends:
        return "never, as far as the journal tells" if journal.path else "unknown: there is no journal"
    at, source = max(ends)
    return f"{at:%Y-%m-%d %H:%M} UTC ({source}); smwatch export writes what the journal holds"
