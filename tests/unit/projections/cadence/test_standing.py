"""The rule on whole histories, against a scanner that looks at every minute."""

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings

from projections.cadence.body import Item
from projections.cadence.ledger import Ledger
from projections.cadence.rule import State
from projections.cadence.standing import Breach, End, Standing, breaches, standing
from schemas.cadence import CadencePolicy, Owes, Reading
from schemas.content import Kind, Mode, MsgType
from schemas.events import (
    AlertCancelled,
    AlertIssued,
    CadenceExempted,
    CadencePolicySet,
    IssuerClosed,
    IssuerSucceeded,
    Recorded,
)
from schemas.ids import issuer_stream, stream_id
from tests.unit.projections.cadence.histories import END, START, History, histories, instant
from tests.unit.projections.story import Story


def items_of(log: list[Recorded], body: str) -> list[Item]:
    """The body's items, the plain way."""
    errors = {e.originator_id for _, _, e in log if isinstance(e, AlertCancelled) and e.in_error}
    return [
        Item(e.originator_id, body, at, e.content.kind, e.content.mode, e.originator_id in errors, position)
        for position, at, e in log
        if isinstance(e, AlertIssued) and e.issuer_id == body and e.msg_type is MsgType.ALERT
    ]


def ledger(log: list[Recorded], reading: Reading = Reading.CALENDAR) -> Ledger:
    return Ledger(CadencePolicy(reading=reading)).take(log)


def stand(
    log: list[Recorded], body: str, at: datetime, reading: Reading = Reading.CALENDAR
) -> Standing | None:
    known = ledger(log, reading)
    if body not in known.bodies:
        return None
    return standing(known.bodies[body], known.policies, items_of(log, body), at, known.bodies)


def broken(log: list[Recorded], body: str, upto: datetime, reading: Reading) -> list[Breach]:
    known = ledger(log, reading)
    return breaches(known.bodies[body], known.policies, items_of(log, body), upto, known.bodies)


def local(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return START + timedelta(days=day - 1, hours=hour, minutes=minute)


# --- the examples of the text ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "due"), [(Reading.ROLLING, local(13, 9)), (Reading.CALENDAR, local(14))]
)
def test_an_item_of_10_july_at_9_is_followed_by_overdue(reading: Reading, due: datetime) -> None:
    story = Story(at=local(1))
    story.body("a")
    story.at = local(10, 9)
    story.issue("a")
    minute = timedelta(minutes=1)
    before, after = stand(story.log, "a", due - minute, reading), stand(story.log, "a", due, reading)
    assert before
    assert before.state is State.DUE_SOON
    assert before.due_at == due
    assert after
    assert after.state is State.OVERDUE
    assert after.overdue_since == due


def let_off(story: Story, since: datetime, until: datetime | None) -> None:
    stream = stream_id("cadence-exemptions", "a")
    identity = {"issuer_id": "a", "exemption_id": stream}
    story.tell(CadenceExempted, stream, **identity, reason="Trụ sở ngập", starts_at=since, ends_at=until)


@pytest.mark.parametrize(
    ("until", "reading", "due"),
    [
        (local(10), Reading.CALENDAR, local(13)),
        (local(10, 0, 1), Reading.CALENDAR, local(14)),
        (local(10, 9), Reading.ROLLING, local(13, 9)),
    ],
)
def test_an_exemption_that_ends_starts_afresh(until: datetime, reading: Reading, due: datetime) -> None:
    story = Story(at=local(1))
    story.body("a")
    story.at = local(5)
    let_off(story, local(6), until)
    before = stand(story.log, "a", until - timedelta(minutes=1), reading)
    after = stand(story.log, "a", until, reading)
    assert before
    assert before.state is State.EXEMPT
    assert before.due_at is None
    assert before.exemption
    assert before.exemption.reason == "Trụ sở ngập"
    assert after
    assert after.state is State.OK
    assert after.due_at == due
    assert after.duty_since == until
    found = broken(story.log, "a", local(20), reading)
    assert found == [Breach(local(4), local(6), End.EXEMPTED), Breach(due, local(20))]


def test_a_successor_takes_the_duty_at_the_date() -> None:
    """Only level 2 owes; the body of level 3 owes from the day it succeeds one of level 2."""
    story = Story(at=local(1))
    policy = CadencePolicy(owes=(Owes(level=2),))
    story.tell(
        CadencePolicySet, stream_id("cadence-policy"), policy=policy, effective_at=local(1), reason="x"
    )
    story.body("district", 2)
    story.body("commune", 3)
    story.at = local(3)
    day = local(5)
    story.tell(
        IssuerClosed,
        issuer_stream("district"),
        issuer_id="district",
        successors=("commune",),
        effective_at=day,
    )
    story.tell(
        IssuerSucceeded,
        issuer_stream("commune"),
        issuer_id="commune",
        predecessor="district",
        effective_at=day,
        fields=("*",),
    )
    tick = timedelta(microseconds=1)
    assert stand(story.log, "district", day - tick) is not None
    assert stand(story.log, "district", day) is None
    assert stand(story.log, "commune", day - tick) is None
    heir = stand(story.log, "commune", day)
    assert heir is not None
    assert (heir.duty_since, heir.due_at) == (day, local(8))


def test_terms_that_change_are_asked_of_the_same_past() -> None:
    story = Story(at=local(1))
    story.body("a")
    story.issue("a")
    policy = CadencePolicy(reading=Reading.ROLLING, interval_days=1)
    story.tell(
        CadencePolicySet, stream_id("cadence-policy"), policy=policy, effective_at=local(3), reason="x"
    )
    assert (before := stand(story.log, "a", local(2, 23)))
    assert before.state is State.OK
    after = stand(story.log, "a", local(3))
    assert after
    assert after.state is State.OVERDUE
    assert (after.due_at, after.overdue_since, after.duty_since) == (local(2), local(3), local(1))


# --- every history ---------------------------------------------------------------------------------


def agrees(history: History, body: str) -> None:
    states, log = history.states(body), history.log
    if all(state == "none" for state in states):
        return
    found = broken(log, body, instant(END), history.reading)
    late = [state == "overdue" for state in states]
    told = [False] * END
    for each in found:
        since, until = ((at - START) // timedelta(minutes=1) for at in (each.since, each.until))
        told[since:until] = [True] * (until - since)
    assert told == late
    assert all(one.until < other.since or one.cure for one, other in itertools.pairwise(found))
    known, items = ledger(log, history.reading), items_of(log, body)
    turns = {turn for turn in range(1, END) if states[turn] != states[turn - 1]}
    for minute in sorted({0, END - 1} | turns | {turn - 1 for turn in turns} | set(range(0, END, 2903))):
        now = standing(known.bodies[body], known.policies, items, instant(minute), known.bodies)
        if now is None:
            assert states[minute] == "none", minute
        elif now.state is State.EXEMPT:
            assert states[minute] == "exempt", minute
        else:
            assert now.due_at == instant(history.due(body, minute)), minute
            assert (now.state is State.OVERDUE) == late[minute], minute
            if late[minute]:
                first = max((m for m in range(minute + 1) if not late[m]), default=-1) + 1
                cured = [each.since for each in found if each.since <= instant(minute) <= each.until]
                assert now.overdue_since in {instant(first), *cured}, minute


@settings(max_examples=50, deadline=None)
@given(history=histories())
def test_the_rule_finds_what_a_scan_of_every_minute_finds(history: History) -> None:
    for body in ("a", "b", "c"):
        if body in ledger(history.log).bodies:
            agrees(history, body)


def test_terms_that_change_at_the_very_instant_they_would_be_broken_end_no_breach() -> None:
    story = Story(at=local(1))
    story.body("a")
    # Three days are over on the 4th; from the 5th on it is four days, which are over that very midnight.
    story.tell(
        CadencePolicySet,
        stream_id("cadence-policy"),
        policy=CadencePolicy(interval_days=4),
        effective_at=local(5),
        reason="x",
    )
    found = stand(story.log, "a", local(5, 1))
    assert found
    assert (found.due_at, found.overdue_since) == (local(5), local(4))


def test_an_exemption_recorded_late_changes_what_we_know_now() -> None:
    story = Story(at=local(1))
    story.body("a")
    story.at = local(9)
    let_off(story, local(3), local(8))
    at = local(6)
    as_it_stood = [one for one in story.log if one.recorded_at <= at]
    then, now = stand(as_it_stood, "a", at), stand(story.log, "a", at)
    assert then
    assert then.state is State.OVERDUE
    assert now
    assert now.state is State.EXEMPT


def test_kinds_modes_and_errors() -> None:
    story = Story(at=local(1))
    story.body("a")
    story.at = local(2)
    story.issue("a", mode=Mode.TEST)
    story.issue("a", mode=Mode.EXERCISE)
    story.cancel(story.issue("a"), in_error=True)
    assert (found := stand(story.log, "a", local(4)))
    assert found.last_item is None
    assert found.state is State.OVERDUE
    story.cancel(story.issue("a", kind=Kind.BULLETIN))
    assert (found := stand(story.log, "a", local(4)))
    assert found.state is State.OK
