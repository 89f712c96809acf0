"""From what there is and what is wanted to what has to be done; pure."""

from __future__ import annotations

from collections.abc import Iterator

from smwatch.setup import documents
from smwatch.setup.documents import Statement
from smwatch.setup.observe import Observation
from smwatch.setup.place import Place
from smwatch.setup.plan import Plan, Step
from smwatch.setup.plan_alarm import alarm_notes, alarm_problems, alarm_steps
from smwatch.setup.plan_events import event_notes, event_problems, event_steps, topic_statement
from smwatch.setup.plan_topic import topic_step
from smwatch.setup.plan_trail import trail_problems, trail_steps
from smwatch.setup.seen import Topic
from smwatch.setup.wanted import Part, Wanted, removal


def _topic_steps(observation: Observation, wanted: Wanted) -> Iterator[Step]:
    """Yield each topic once, with what everyone who publishes to it needs."""
    place = observation.chain.place
    topics: dict[str, tuple[Part, Place, Topic | None, list[Statement]]] = {}
    if Part.ALARM in wanted.parts:
        arn = observation.topic_arn
        topics[arn] = (Part.ALARM, place, observation.topic, [documents.alarms_may_publish(place, arn)])
    if Part.EVENTS in wanted.parts and not wanted.to_queue:
        for local in observation.locals:
            wanting = topics.setdefault(local.target, (Part.EVENTS, local.place, local.topic, []))
            wanting[3].append(topic_statement(local, wanted))
    for arn, (part, at, topic, statements) in topics.items():
        yield topic_step(part, at, arn, topic, statements, removal(wanted, at.region))


def plan(observation: Observation, wanted: Wanted) -> Plan:
    """Return the plan that leads from the observation to what is wanted; without changes if it is so already."""
    steps: list[Step] = []
    notes: list[str] = []
    problems: list[str] = []
    if Part.TRAIL in wanted.parts:
        steps += trail_steps(observation, wanted)
        problems += trail_problems(observation, wanted)
    steps += _topic_steps(observation, wanted)
    if Part.ALARM in wanted.parts:
        steps += alarm_steps(observation, wanted)
        notes += alarm_notes(observation, wanted)
        problems += alarm_problems(observation, wanted)
    if Part.EVENTS in wanted.parts:
        steps += event_steps(observation, wanted)
        notes += event_notes(observation, wanted)
        problems += event_problems(observation, wanted)
    return Plan(observation.chain.place, tuple(steps), tuple(dict.fromkeys(notes)), tuple(dict.fromkeys(problems)))
