"""What is worth copying of whatever a line leads to, taken from what lies on the desk."""

from __future__ import annotations

import asyncio

from smwatch.tui.clip import Clip, next_step, of_event
from smwatch.tui.pages.principal import rotation_list
from smwatch.tui.pages.targets import ToAccessKey, ToAlarm, ToEvent, ToPrincipal
from smwatch.tui.screens.desk import Desk

ROTATIONS = "the secrets it got, as commands that rotate them"
NO_ROTATIONS = "a remark that it got no secret's value"


async def copied(desk: Desk, target: object) -> Clip | None:
    """What is worth copying of a target as a whole; None: its page."""
    store = desk.store
    match target:
        case ToEvent(key):
            event = store.find(key)
            return of_event(event, desk.record_of(event), "json") if event is not None else None
        case ToPrincipal(identity) if identity in store.principals:
            return _rotations(await rotation_list(store.principals[identity]))
        case ToAccessKey(access_key):
            use = desk.use_of(access_key)
            for _ in iter(use.step, False):
                await asyncio.sleep(0)
            if use.dossier is None:
                return None
            return _rotations(await rotation_list(use.dossier, access_key))
        case ToAlarm(group) if group in store.alarms:
            return next_step(store.alarms[group])
        case _:
            return None


def _rotations(listed: str) -> Clip:
    """A rotation list, of which the first line says what it is."""
    return Clip(listed, ROTATIONS if listed.count("\n") > 1 else NO_ROTATIONS)
