"""Issue, schedule and quiet hours on a real log, at instants that are arguments."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.commands.due import TIMEKEEPER
from broadcaster.lifecycle import Life, Stage
from broadcaster.rules import RefusedError, Rule
from broadcaster.runtime import SYSTEM, House
from schemas.content import Content, Kind
from schemas.events import AlertIssued, AlertReturned, AttemptRefused, IssuerPolicySet
from schemas.ids import account_stream, issuer_stream
from schemas.local_time import HANOI
from tests.house import PHUC_XA, approver, author, house
from tests.unit.schemas.examples import CONTENT

NIGHT = datetime(2027, 7, 10, 23, 0, tzinfo=HANOI).astimezone(UTC)
MORNING = datetime(2027, 7, 11, 6, 0, tzinfo=HANOI).astimezone(UTC)
NOON = datetime(2027, 7, 10, 12, 0, tzinfo=HANOI).astimezone(UTC)
MINUTE = timedelta(minutes=1)
ALERT = CONTENT.model_copy(update={"areas": ("00001",), "expires_at": None})
BULLETIN = ALERT.model_copy(update={"kind": Kind.BULLETIN})


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


def approved(hanoi: House, content: Content, at: datetime) -> Alert:
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content, at=at)
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=at)
    return hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=at)


def board(hanoi: House) -> None:
    hanoi.follower(hanoi.projection("board")).catch_up()


def policy(hanoi: House, *, one_person: bool = False) -> None:
    body = hanoi.office.issuer(PHUC_XA)
    event = IssuerPolicySet(
        originator_id=issuer_stream(PHUC_XA),
        originator_version=body.version + 1,
        by=SYSTEM,
        issuer_id=PHUC_XA,
        one_person_bulletins=one_person,
        quiet_from=None,
        quiet_until=None,
    )
    hanoi.log.append([event], at=NOON)


def test_a_bulletin_at_night_waits_for_the_morning_and_then_goes_out_by_itself(hanoi: House) -> None:
    alert = approved(hanoi, BULLETIN, NIGHT)
    held = hanoi.alerts.issue(author(PHUC_XA), alert.id, at=NIGHT)
    assert (held.life, held.stage) == (Life.NEW, Stage.SCHEDULED)
    assert held.work is not None
    assert held.work.due_at == MORNING
    board(hanoi)
    assert hanoi.due.issue(MORNING - MINUTE) == 0
    assert hanoi.due.issue(MORNING) == 1
    assert hanoi.office.alert(alert.id).life is Life.LIVE
    event = hanoi.log.read(hanoi.log.head() - 1, 1)[0].event
    assert isinstance(event, AlertIssued)
    assert event.by == TIMEKEEPER
    # The board has not seen it yet: asking again changes nothing.
    assert hanoi.due.issue(MORNING) == 0
    assert hanoi.office.alert(alert.id).version == held.version + 1


def test_an_alert_waits_for_no_morning(hanoi: House) -> None:
    alert = approved(hanoi, ALERT, NIGHT)
    assert hanoi.alerts.issue(author(PHUC_XA), alert.id, at=NIGHT).life is Life.LIVE


def test_a_body_may_do_without_quiet_hours(hanoi: House) -> None:
    policy(hanoi)
    alert = approved(hanoi, BULLETIN, NIGHT)
    assert hanoi.alerts.issue(author(PHUC_XA), alert.id, at=NIGHT).life is Life.LIVE


def test_a_schedule_into_the_night_is_moved_to_the_morning_for_bulletins_only(hanoi: House) -> None:
    for content, due in ((BULLETIN, MORNING), (ALERT, NIGHT)):
        alert = approved(hanoi, content, NOON)
        alert = hanoi.alerts.schedule(author(PHUC_XA), alert.id, NIGHT, at=NOON)
        assert alert.work is not None
        assert alert.work.due_at == due


def test_a_schedule_is_taken_back(hanoi: House) -> None:
    alert = approved(hanoi, ALERT, NOON)
    hanoi.alerts.schedule(author(PHUC_XA), alert.id, NIGHT, at=NOON)
    back = hanoi.alerts.unschedule(approver(PHUC_XA), alert.id, at=NOON)
    assert back.stage is Stage.APPROVED
    board(hanoi)
    assert hanoi.due.issue(NIGHT) == 0


def test_what_may_no_longer_be_said_goes_back_with_the_reason_and_is_on_record(hanoi: House) -> None:
    ends = ALERT.model_copy(update={"expires_at": NIGHT + MINUTE})
    alert = approved(hanoi, ends, NOON)
    hanoi.alerts.schedule(author(PHUC_XA), alert.id, NIGHT, at=NOON)
    board(hanoi)
    # The house stood still until after its end.
    assert hanoi.due.issue(NIGHT + 2 * MINUTE) == 1
    after = hanoi.office.alert(alert.id)
    assert (after.life, after.stage) == (Life.NEW, Stage.DRAFT)
    *_, refused, returned = (each.event for each in hanoi.log.everything())
    assert isinstance(refused, AttemptRefused)
    assert refused.rule == Rule.EXPIRY
    assert isinstance(returned, AlertReturned)
    assert "content.expiry" in returned.reason


def test_one_person_does_for_a_bulletin_where_the_policy_says_so(hanoi: House) -> None:
    hanoi.log.append(
        [hanoi.office.account(author(PHUC_XA).account).grant(SYSTEM, PHUC_XA, Role.APPROVER)], at=NOON
    )
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, BULLETIN, at=NOON)
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=NOON)
    with pytest.raises(RefusedError) as refusal:
        hanoi.alerts.approve(author(PHUC_XA), alert.id, at=NOON)
    assert refusal.value.rule is Rule.FOUR_EYES
    policy(hanoi, one_person=True)
    assert hanoi.alerts.approve(author(PHUC_XA), alert.id, at=NOON).stage is Stage.APPROVED
    real = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, ALERT, at=NOON)
    hanoi.alerts.submit(author(PHUC_XA), real.id, at=NOON)
    with pytest.raises(RefusedError):
        hanoi.alerts.approve(author(PHUC_XA), real.id, at=NOON)
    assert hanoi.log.has(account_stream(author(PHUC_XA).account))


def live_with_update(hanoi: House, ends: datetime, update_ends: datetime) -> Alert:
    """Out until `ends`, and a longer version approved."""
    alert = approved(hanoi, ALERT.model_copy(update={"expires_at": ends}), NOON)
    hanoi.alerts.issue(author(PHUC_XA), alert.id, at=NOON)
    longer = ALERT.model_copy(update={"expires_at": update_ends})
    hanoi.alerts.propose_update(author(PHUC_XA), alert.id, longer, at=NOON)
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=NOON)
    return hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=NOON)


def test_an_update_is_not_scheduled_for_when_its_alert_is_over(hanoi: House) -> None:
    alert = live_with_update(hanoi, NIGHT, MORNING)
    for due in (NIGHT, NIGHT + MINUTE):
        with pytest.raises(RefusedError, match="due_at"):
            hanoi.alerts.schedule(author(PHUC_XA), alert.id, due, at=NOON)
    assert (
        hanoi.alerts.schedule(author(PHUC_XA), alert.id, NIGHT - MINUTE, at=NOON).stage is Stage.SCHEDULED
    )


def test_an_update_that_was_due_before_the_end_goes_out_though_the_house_stood_still(hanoi: House) -> None:
    alert = live_with_update(hanoi, NIGHT, MORNING)
    hanoi.alerts.schedule(author(PHUC_XA), alert.id, NIGHT - MINUTE, at=NOON)
    board(hanoi)
    assert hanoi.due.keep(NIGHT + MINUTE) == 1
    after = hanoi.office.alert(alert.id)
    assert after.issued is not None
    assert (after.life, after.issued.version, after.issued.expires_at) == (Life.LIVE, 2, MORNING)


def test_one_alert_that_cannot_be_read_holds_up_no_other(hanoi: House) -> None:
    ends = (NIGHT - MINUTE, NIGHT)
    first, second = (approved(hanoi, ALERT.model_copy(update={"expires_at": end}), NOON).id for end in ends)
    for alert in (first, second):
        hanoi.alerts.issue(author(PHUC_XA), alert, at=NOON)
    board(hanoi)
    with hanoi.pool.connection() as conn:
        # As a newer house would have written it.
        conn.execute(
            "SELECT events_append(ARRAY[%s]::uuid[], ARRAY[99]::bigint[], ARRAY['alert.of_tomorrow'],"
            " ARRAY['{}']::bytea[], %s)",
            (first, NOON),
        )
    assert hanoi.due.keep(NIGHT) == 1
    assert hanoi.office.alert(second).life is Life.EXPIRED
