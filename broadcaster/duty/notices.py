"""Who is to be told what about the cadence at an instant. Pure; the same notice always has the same id."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from uuid import UUID

from broadcaster.proof.chain import instant
from projections.cadence.rule import State, local_day, midnight
from projections.cadence.view import BodyCadence
from schemas.events import Actor, Notice, ReminderDue
from schemas.ids import stream_id
from schemas.local_time import HANOI

DAY_BEFORE, HOURS_BEFORE, ESCALATE = timedelta(hours=24), timedelta(hours=6), timedelta(hours=24)
DIGEST_AT = time(8, 0)
"""Of Hanoi's clock: when the office opens."""
REMINDER = Actor(account="system:reminder")


def notices(bodies: Sequence[BodyCadence], office: str, at: datetime) -> list[ReminderDue]:
    """Every notice whose time has come. Most of them went out long ago: that is for the log to say.

    `office` is the city office, which hears of what is overdue for another day, and of everything
    once a day. What is due before is told to the body alone; a notice of 24 hours is not made up for
    where only 6 are left.
    """
    found: dict[UUID, ReminderDue] = {}
    for body in bodies:
        for notice in _of_body(body, office, at):
            found.setdefault(notice.originator_id, notice)
    for notice in _digests(bodies, office, at):
        found.setdefault(notice.originator_id, notice)
    return list(found.values())


def _of_body(body: BodyCadence, office: str, at: datetime) -> Iterator[ReminderDue]:
    since, due, who = body.overdue_since, body.due_at, body.issuer_id
    if since is not None:
        yield _notice(Notice.OVERDUE, who, who, since)
        yield _notice(Notice.OVERDUE, body.parent or office, who, since)
        if at >= since + ESCALATE:
            yield _notice(Notice.ESCALATED, office, who, since)
    elif due is not None and at >= due - HOURS_BEFORE:
        yield _notice(Notice.HOURS_BEFORE, who, who, due)
    elif due is not None and at >= due - DAY_BEFORE:
        yield _notice(Notice.DAY_BEFORE, who, who, due)


def _digests(bodies: Sequence[BodyCadence], office: str, at: datetime) -> Iterator[ReminderDue]:
    """One a day for each body that has any below it of whom there is something to tell."""
    if at.astimezone(HANOI).time() < DIGEST_AT:
        return
    day = midnight(local_day(at))
    late = [body for body in bodies if body.state in {State.OVERDUE, State.DUE_SOON}]
    told = {body.parent for body in late if body.parent} | ({office} if late else set[str]())
    for recipient in sorted(told):
        yield _notice(Notice.DIGEST, recipient, None, day)


def asked(issuer_id: str, by: Actor, at: datetime) -> ReminderDue:
    """The notice that a person asks for; of a body and a day of Hanoi's calendar there is one."""
    return _notice(Notice.ASKED, issuer_id, issuer_id, midnight(local_day(at)), by)


def below(recipient: str, office: str, bodies: Iterable[BodyCadence]) -> list[BodyCadence]:
    """Those that a digest to the recipient is about."""
    return [body for body in bodies if recipient in {body.parent, office}]


def _notice(
    notice: Notice, recipient: str, about: str | None, due_at: datetime, by: Actor = REMINDER
) -> ReminderDue:
    return ReminderDue(
        originator_id=stream_id("reminder", notice, recipient, about or "", instant(due_at)),
        originator_version=1,
        by=by,
        notice=notice,
        recipient=recipient,
        about=about,
        due_at=due_at,
    )
