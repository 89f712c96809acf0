"""Plans as text for people and as JSON for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import msgspec

from smwatch.setup.plan import Change, Plan, Step
from smwatch.visible import visible

WIDTH = 100
_MARKS = {Change.KEEP: " ", Change.MAKE: "+", Change.CHANGE: "~", Change.REMOVE: "-"}


def plan_text(plan: Plan) -> str:
    """Return a plan as a person reads it before saying yes: what, what it costs, what it needs, how to undo it."""
    place = plan.place
    blocks = [f"Account {place.account}, {place.region} ({place.partition})"]
    blocks += ["\n".join(_step(step) for step in plan.steps) or "There is nothing to do."]
    if costs := _distinct(f"{step.what}: {step.cost}" for step in plan.changes if step.cost):
        blocks.append(_listed("It costs", costs))
    if plan.permissions:
        blocks.append(_listed("It takes these permissions", [", ".join(plan.permissions)]))
    if undos := _distinct(step.undo for step in plan.changes if step.undo):
        blocks.append(_listed("To undo it", undos, wrap=False))
    if destroyed := [step.what for step in plan.changes if step.destroys]:
        blocks.append(_listed("Recorded events are lost with", [*destroyed, "(--keep-logs spares them)"]))
    if plan.notes:
        blocks.append(_listed("Note", plan.notes))
    if plan.blockers:
        blocks.append(_listed("To be decided first", plan.blockers))
    return "\n\n".join(blocks)


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
    return msgspec.json.format(
        msgspec.json.encode(
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
        ).decode(),
        indent=2,
    )


def _step(step: Step) -> str:
    line = f"{_MARKS[step.change]} {step.change:6}  {visible(step.what)}"
    if not step.detail:
        return line
    return line + "\n" + textwrap.fill(visible(step.detail), WIDTH, initial_indent=" " * 10, subsequent_indent=" " * 10)


def _listed(heading: str, lines: Iterable[str], *, wrap: bool = True) -> str:
    """Return lines under a heading; commands are not wrapped, so that they can be copied."""
    paper = textwrap.TextWrapper(
        WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    shown = (paper.fill(visible(line)) if wrap else f"  {visible(line)}" for line in lines)
    return f"{heading}\n" + "\n".join(shown)


def _distinct(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))
