"""The files that paths name, directories among them, and their records, piece by piece; what can't be read is told."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from smwatch.sources.formats import Unread, read
from smwatch.sources.gunzip import gunzip
from smwatch.sources.source import Found

STDIN = "-"
BLOCK = 128 << 10
"""Bytes read from a file at a time."""
NOT_RECORDS = frozenset({"CloudTrail-Digest", "CloudTrail-Insight"})
"""Directories beside a trail's own: hashes of its files, and unusual call rates."""


class Opened(msgspec.Struct, frozen=True):
    """Reading has come to the next file, one `of` so many."""

    of: int


class Missed(msgspec.Struct, frozen=True):
    """A file, or a part of one, that was not read."""

    sentence: str
    harmless: bool = False
    """It lay about in a directory and has nothing to do with CloudTrail."""


def parts(paths: Sequence[str], stdin: int) -> Generator[list[Found] | Opened | Missed, None, None]:
    """Yield what is in the files, in the order given; blocks while a pipe holds nothing. `stdin` is what `-` reads."""
    files: list[tuple[str, bool]] = []  # path, whether it was named and not just lay in a directory
    for path in paths:
        if path != STDIN and _is_directory(path):
            inside = list(_walk(path))
            if not any(isinstance(each, str) for each in inside):
                yield Missed(f"{path}: no files in this directory")
            for each in inside:
                if isinstance(each, str):
                    files.append((each, False))
                else:
                    yield each
        else:
            files.append((path, True))
    for path, named in files:
        yield Opened(len(files))
        name = "standard input" if path == STDIN else path
        if path.startswith("s3://"):
            yield Missed(f"{name}: not a local file; fetch it first: aws s3 sync {path} DIRECTORY")
            continue
        with closing(_blocks(path, stdin)) as blocks:
            for part in read(gunzip(blocks)):
                if isinstance(part, Unread):
                    yield Missed(f"{name}: {part.reason}", harmless=part.foreign and not named)
                else:
                    yield part


def _is_directory(path: str) -> bool:
    with suppress(OSError):  # opening it says what is wrong
        return Path(path).is_dir()
    return False


def _walk(directory: str) -> Iterator[str | Missed]:
    """The regular files under a directory in the order of their names, and what was passed over."""
    unlistable: list[OSError] = []
    for folder, folders, files in os.walk(directory, onerror=unlistable.append):
        for name in sorted(NOT_RECORDS.intersection(folders)):
            for _, _, beside in os.walk(Path(folder, name)):
                yield from (Missed(each, harmless=True) for each in beside)
        folders[:] = sorted(name for name in folders if name not in NOT_RECORDS and not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            with suppress(OSError):
                if stat.S_ISREG(path.stat().st_mode) and not name.startswith("."):
                    yield str(path)
    for error in unlistable:
        yield Missed(f"{error.filename}: {error.strerror}")


def _blocks(path: str, stdin: int) -> Generator[bytes, None, None]:
    # Unbuffered: a thread that waits for standard input must not hold the lock of a buffer when the program ends.
    with open(stdin if path == STDIN else path, "rb", buffering=0, closefd=path != STDIN) as file:
        while block := file.read(BLOCK):
            yield block
