"""Plans as text for people and as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence

import msgspec

from smwatch.setup.plan import Change, Plan, Step
from smwatch.visible import visible

_MARKS = {Change.KEEP: " ", Change.MAKE: "+", Change.CHANGE: "~", Change.REMOVE: "-"}


def plan_text(plan: Plan, width: int) -> str:
    """Return a plan as a person reads it before saying yes: what, what it costs, what it needs, how to undo it.

    Commands are longer than `width` columns where they have to be, so that they can be copied.
    """
    place = plan.place
    costs = _distinct(f"{step.what}: {step.cost}" for step in plan.changes if step.cost)
    undos = _distinct(step.undo for step in plan.changes if step.undo)
    destroyed = [step.what for step in plan.changes if step.destroys]
    blocks = [
        f"Account {place.account}, {place.region} ({place.partition})",
        "\n".join(_step(step, width) for step in plan.steps) or "There is nothing to do.",
        _listed("It costs", costs, width),
        _listed("It takes these permissions", [", ".join(plan.permissions)] if plan.permissions else [], width),
        _listed("To undo it", undos, 0),
        _listed("Recorded events are lost with", [*destroyed, "(--keep-logs spares them)"] if destroyed else [], width),
        _listed("Note", plan.notes, width),
        _listed("To be decided first", plan.blockers, width),
    ]
    return "\n\n".join(filter(None, blocks))


def plan_json(plan: Plan, **more: object) -> str:
    """Return a plan as one JSON object, with the very calls it consists of."""
    steps = [
        {
            "part": step.part,
            "change": step.change,
            "what": step.what,
            "detail": step.detail,
            "cost": step.cost,
            "undo": step.undo,
            "destroys": step.destroys,
            "empties": step.empties,
            "calls": [
                {
                    "service": call.service,
                    "operation": call.operation,
                    "region": call.region,
                    "parameters": call.parameters,
                    "permissions": call.actions,
                }
                for call in step.calls
            ],
        }
        for step in plan.steps
    ]
    return as_json(
        {
            "account": plan.place.account,
            "partition": plan.place.partition,
            "region": plan.place.region,
            "steps": steps,
            "permissions": plan.permissions,
            "notes": plan.notes,
            "problems": plan.blockers,
            **more,
        }
    )


def as_json(value: object) -> str:
    """Return a value as JSON for programs that is harmless in a terminal too: nothing in it but ASCII."""
    return json.dumps(msgspec.to_builtins(value), indent=2)


def _step(step: Step, width: int) -> str:
    line = f"{_MARKS[step.change]} {step.change:6}  {visible(step.what)}"
    if not step.detail:
        return line
    return line + "\n" + textwrap.fill(visible(step.detail), width, initial_indent=" " * 10, subsequent_indent=" " * 10)


def _listed(heading: str, lines: Sequence[str], width: int) -> str:
    """Return lines under a heading, "" for no lines; a `width` of 0 leaves them as they are."""
    if not lines:
        return ""
    paper = textwrap.TextWrapper(
        width, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    shown = (paper.fill(visible(line)) if width else f"  {visible(line)}" for line in lines)
    return f"{heading}\n" + "\n".join(shown)


def _distinct(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))
