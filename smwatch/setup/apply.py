"""Carrying a plan out, step by step, so that it can be broken off anywhere and taken up again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import msgspec

from smwatch.setup.aws import Aws
from smwatch.setup.plan import Plan, Step
from smwatch.setup.trouble import AWS_ERRORS, SetupError, code_of, message_of, sentence
from smwatch.visible import visible

PAUSE = timedelta(seconds=15)
PATIENCE = timedelta(minutes=2)
"""So often, and so long, a call is repeated that comes too early for IAM or S3."""


class Progress(msgspec.Struct, frozen=True):
    """One thing that happened while a plan was carried out."""

    step: Step
    done: int
    """Steps finished so far."""
    of: int
    waiting: str = ""
    """What is waited for, "" if nothing."""


class BrokenOffError(SetupError):
    """A plan that was not carried out to its end: what was done, where it stopped and why, what is left."""

    def __init__(self, why: str, done: tuple[Step, ...], at: Step, left: tuple[Step, ...]) -> None:
        super().__init__(why)
        self.why, self.done, self.at, self.left = why, done, at, left

    def report(self) -> dict[str, object]:
        """Return it for programs: why, and the things that were done, where it stopped, and what is left."""
        what = [[step.what for step in steps] for steps in (self.done, (self.at,), self.left)]
        return {"why": self.why, "done": what[0], "at": what[1][0], "left": what[2]}

    def __str__(self) -> str:
        done = ", ".join(visible(step.what) for step in self.done) or "nothing yet"
        left = ", ".join(visible(step.what) for step in (self.at, *self.left))
        return f"{self.why}\nDone: {done}.\nLeft: {left}.\nRun the same command again: it goes on from here."


def apply(
    aws: Aws,
    plan: Plan,
    *,
    tell: Callable[[Progress], None],
    sleep: Callable[[float], None],
    profile: str = "",
) -> None:
    """Carry the plan's changes out in order; raise BrokenOffError where one fails or is interrupted.

    Every call can be repeated: what is there already, or gone already, counts as done.
    """
    steps = plan.changes
    for done, step in enumerate(steps):
        progress = Progress(step, done, len(steps))
        tell(progress)
        try:
            _perform(aws, step, partial(_tell_waiting, tell, progress), sleep)
        except SetupError as error:
            raise BrokenOffError(str(error), steps[:done], step, steps[done + 1 :]) from error
        except AWS_ERRORS as error:
            raise BrokenOffError(sentence(error, profile=profile), steps[:done], step, steps[done + 1 :]) from error
        except KeyboardInterrupt as error:
            raise BrokenOffError("Interrupted.", steps[:done], step, steps[done + 1 :]) from error


def _tell_waiting(tell: Callable[[Progress], None], progress: Progress, why: str) -> None:
    tell(msgspec.structs.replace(progress, waiting=why))


def _perform(aws: Aws, step: Step, wait: Callable[[str], None], sleep: Callable[[float], None]) -> None:
    for call in step.calls:
        waited = timedelta()
        while True:
            try:
                if step.empties:
                    _empty(aws, call.region, step.empties, wait)
                aws.perform(call)
                break
            except AWS_ERRORS as error:
                if code_of(error) in call.already:
                    break
                if code_of(error) not in call.too_early or waited >= PATIENCE:
                    raise
                left = (PATIENCE - waited).total_seconds()
                pause = PAUSE.total_seconds()
                wait(f"{message_of(error)} That may be too early: again in {pause:.0f} s, for {left:.0f} s more")
                sleep(pause)
                waited += PAUSE


def _empty(aws: Aws, region: str, bucket: str, wait: Callable[[str], None]) -> None:
    """Delete every object of a bucket that is about to be deleted itself."""
    s3 = aws.s3(region)
    gone = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        if keys := [each["Key"] for each in page.get("Contents", ())]:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
            if refused := answer.get("Errors"):
                raise SetupError(f"{refused[0].get('Key')} can't be deleted: {refused[0].get('Message')}")
            gone += len(keys)
            wait(f"{gone} files deleted")
