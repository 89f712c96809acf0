"""The parts of README that are made from the code; run as a script, it rewrites them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from click.testing import CliRunner

from smwatch.cli import main
from smwatch.setup.place import ANY, Place
from smwatch.setup.policies import watch_policy
from smwatch.tui.keys import KeyTable
from smwatch.tui.keytable import CONTEXTS, KEYS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
WIDTH = 100


def policy() -> str:
    """The policy of `smwatch policy watch`, for any account, Region and log group."""
    document = watch_policy(Place("aws", ANY, ANY), ANY)
    return f"```json\n{json.dumps(document, indent=2)}\n```"


FIRST = (
    *("watch.names", "watch.filter", "watch.clear", "watch.context", "stream.open", "watch.principal", "watch.group"),
    *("watch.next_alarm", "watch.alarms", "watch.acknowledge", "watch.copy", "watch.export", "watch.sources"),
    *("stream.follow", "app.palette", "app.quit"),
)
"""The keys to know first."""


def first_keys() -> str:
    """The keys to know first."""
    table = KeyTable()
    rows = "\n".join(f"| {_keys(table.told(key_id))} | {_cell(table[key_id].help)} |" for key_id in FIRST)
    return f"| keys | |\n|---|---|\n{rows}"


def key_table() -> str:
    """All keys, by where they work, with what the config file calls what they do."""
    table, parts = KeyTable(), []
    for context, where in CONTEXTS.items():
        parts.append(f"**{where.title}**\n\n| keys | | in `[ui.keymap]` |\n|---|---|---|")
        rows = [
            f"| {_keys(table.told(key.id))} | {_cell(key.help)} | {f'`{key.id}`' if key.action else 'fixed'} |"
            for key in KEYS
            if key.context == context
        ]
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts).strip()


def help_text() -> str:
    """What `smwatch --help` and `smwatch tail --help` print."""
    runner = CliRunner()
    shown = []
    for arguments in ((), ("tail",)):
        result = runner.invoke(main, [*arguments, "--help"], prog_name="smwatch", terminal_width=WIDTH)
        assert result.exit_code == 0, result.output
        shown.append(f"```\n$ smwatch {' '.join((*arguments, '--help'))}\n{result.output.rstrip()}\n```")
    return "\n\n".join(shown)


def packages() -> str:
    """What there is of smwatch, by the first contract on imports: whatever imports above what is imported."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    names = [name for layer in contracts[0]["layers"] for name in re.findall(r"[\w.]+", layer)]
    rows = "\n".join(f"| `{name}` | {_cell(_first_line(name))} |" for name in names)
    return f"| | |\n|---|---|\n{rows}"


def _first_line(name: str) -> str:
    return (import_module(name).__doc__ or "").partition("\n")[0]


GENERATED: dict[str, Callable[[], str]] = {
    "policy": policy,
    "first keys": first_keys,
    "keys": key_table,
    "help": help_text,
    "packages": packages,
}


def generated(text: str) -> str:
    """README with its generated parts as the code has them now."""
    for name, make in GENERATED.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        assert text.count(begin) == text.count(end) == 1, name
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{make()}\n{end}{rest.partition(end)[2]}"
    return text


def _keys(pressed: str) -> str:
    return " ".join(f"`{_cell(key)}`" for key in re.split(r" (?!$)", pressed))


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")
