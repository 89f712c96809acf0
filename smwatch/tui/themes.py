"""Our own colours: calm while nothing happens, so that an alarm is what the eye meets first."""

from __future__ import annotations

import os
from collections.abc import Container
from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

from smwatch.settings import MeaningError

DARK = Theme(
    name="smwatch-dark",
    primary="#6cb2eb",
    secondary="#8795a8",
    accent="#c3a6ff",
    warning="#f0b95b",
    error="#f0524f",
    success="#7ccf8f",
    foreground="#d6dde6",
    background="#0f1318",
    surface="#151a21",
    panel="#1b222b",
    dark=True,
    variables={"input-cursor-text-style": "reverse", "border": "#2b3440", "border-blurred": "#2b3440"},
)
LIGHT = Theme(
    name="smwatch-light",
    primary="#0b62a8",
    secondary="#5b6878",
    accent="#6b3fb5",
    warning="#8a5300",
    error="#c22522",
    success="#1c7a36",
    foreground="#1c232c",
    background="#fcfcfa",
    surface="#f3f4f2",
    panel="#e7eaec",
    dark=False,
    variables={"input-cursor-text-style": "reverse", "border": "#c4cad0", "border-blurred": "#c4cad0"},
)
CONTRAST = Theme(
    name="smwatch-contrast",
    primary="#7fd4ff",
    secondary="#ffffff",
    accent="#ffb3ff",
    warning="#ffd800",
    error="#960000",
    success="#5dff7f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    dark=True,
    variables={
        "input-cursor-text-style": "reverse",
        "border": "#ffffff",
        "border-blurred": "#ffffff",
        "text-muted": "#d0d0d0",
        "text-error": "#ffa0a0",
    },
)
ANSI = replace(BUILTIN_THEMES["ansi-dark"], name="smwatch-ansi", primary="ansi_bright_blue")
"""A terminal's own 16 colours; plain blue can't be read on black on most of them."""
THEMES = (DARK, LIGHT, CONTRAST, ANSI)


def check(name: str) -> None:
    """Refuse the name of a theme that there is not (MeaningError); see `chosen`."""
    ours = [theme.name for theme in THEMES]
    known = {*ours, *BUILTIN_THEMES}
    if name and name not in known and f"smwatch-{name}" not in known:
        short = ", ".join(each.removeprefix("smwatch-") for each in ours)
        raise MeaningError(
            "ui.theme", f"there is no theme {name!r}; there are {short}, and {', '.join(BUILTIN_THEMES)}"
        )


def chosen(name: str, available: Container[str], *, few: bool = False) -> str | None:
    """The theme that a setting means: dark, light, contrast, ansi, or any theme's own name; None to leave it as it is.

    Without a setting it is ours, unless TEXTUAL_THEME names one. With `few`, a terminal of 16 colours, it is the one
    that uses the terminal's own: of ours, most would become grey.
    """
    for each in (f"smwatch-{name}", name):
        if each in available:
            return each
    if "TEXTUAL_THEME" in os.environ:
        return None
    return (ANSI if few else DARK).name
