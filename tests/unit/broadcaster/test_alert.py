"""The alert aggregate: its table, four eyes, and any history hypothesis can think of."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.alert import Alert, PreApproval, Sending
from broadcaster.alert_state import reference
from broadcaster.lifecycle import TABLE, Command, Life, Stage
from broadcaster.rules import RefusedError, Rule
from schemas.content import Kind, Mode, MsgType, Severity
from schemas.events import Actor, AlertEvent, AlertIssued
from tests.unit.schemas.examples import CONTENT

AT = datetime(2026, 7, 10, 2, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)
ALERT = UUID(int=7)
PRE_APPROVED = PreApproval(UUID(int=8), 3, "binh")
CONTENT_OPEN = CONTENT.model_copy(update={"expires_at": None})


def who(name: str) -> Actor:
    return Actor(account=name, body="ubnd-00001")


LAN, MINH, HOA = who("lan"), who("minh"), who("hoa")


def drafted(by: Actor = LAN) -> Alert:
    return Alert.fold(None, Alert.draft(ALERT, by, "ubnd-00001", CONTENT_OPEN))


def decide(alert: Alert, command: Command, by: Actor, at: datetime = AT) -> AlertEvent:
    match command:
        case Command.REVISE:
            return alert.revise(by, CONTENT_OPEN)
        case Command.SUBMIT:
            return alert.submit(by)
        case Command.RETURN:
            return alert.send_back(by, "thiếu giờ")
        case Command.REJECT:
            return alert.reject(by, "không đúng thẩm quyền")
        case Command.APPROVE:
            return alert.approve(by)
        case Command.SCHEDULE:
            return alert.schedule(by, at + timedelta(hours=2), "asked", at=at)
        case Command.UNSCHEDULE:
            return alert.unschedule(by)
        case Command.ISSUE:
            return alert.issue(by, sender="a@b", edition="2020-03-01", lifetime=DAY, at=at)
        case Command.UPDATE:
            return alert.propose_update(by, CONTENT_OPEN)
        case Command.CORRECT:
            raise AssertionError("a correction is three events: see decided")
        case Command.CANCEL:
            return alert.cancel(by, sender="a@b", reason="nhầm", in_error=True, at=at)
        case Command.EXPIRE:
            return alert.expire(by, at)


def decided(alert: Alert, command: Command, by: Actor, at: datetime = AT) -> tuple[AlertEvent, ...]:
    if command is Command.CORRECT:
        words = CONTENT_OPEN.model_copy(update={"severity": Severity.MINOR})
        return alert.correct(
            by, words, PRE_APPROVED, sender="a@b", edition="2020-03-01", lifetime=DAY, at=at
        )
    return (decide(alert, command, by, at),)


def after(alert: Alert, *steps: tuple[Command, Actor], at: datetime = AT) -> Alert:
    for command, by in steps:
        alert = reduce(Alert.fold, decided(alert, command, by, at), alert)
    return alert


ISSUED = ((Command.SUBMIT, LAN), (Command.APPROVE, MINH), (Command.ISSUE, LAN))


def test_the_road_to_issue_and_its_cap_facts() -> None:
    alert = after(drafted(), (Command.SUBMIT, LAN), (Command.APPROVE, MINH))
    event = decide(alert, Command.ISSUE, LAN)
    assert isinstance(event, AlertIssued)
    assert event.msg_type is MsgType.ALERT
    assert event.identifier == f"hn.{ALERT}.1"
    assert event.references == ()
    assert event.sent == AT.replace(microsecond=0)
    assert event.expires_at == AT + DAY
    alert = Alert.fold(alert, event)
    assert (alert.life, alert.stage) == (Life.LIVE, Stage.NONE)


def test_an_update_replaces_and_refers_to_every_message_before() -> None:
    alert = after(drafted(), *ISSUED, (Command.UPDATE, HOA), (Command.SUBMIT, HOA), (Command.APPROVE, MINH))
    assert alert.life is Life.LIVE
    event = decide(alert, Command.ISSUE, HOA)
    assert isinstance(event, AlertIssued)
    assert (event.version, event.msg_type) == (2, MsgType.UPDATE)
    assert event.references == (f"a@b,hn.{ALERT}.1,2026-07-10T09:00:00+07:00",)
    cancelled = after(Alert.fold(alert, event), (Command.CANCEL, LAN))
    assert cancelled.withdrawn is not None
    assert cancelled.withdrawn.version == 3


def test_references_are_written_in_local_time_without_fractions() -> None:
    assert reference("s", "i", AT) == "s,i,2026-07-10T09:00:00+07:00"


@pytest.mark.parametrize("contributor", ["drafted", "revised", "submitted"])
def test_whoever_had_a_hand_in_it_may_not_approve(contributor: str) -> None:
    alert = drafted(MINH if contributor == "drafted" else LAN)
    alert = after(
        alert,
        (Command.REVISE, MINH if contributor == "revised" else LAN),
        (Command.SUBMIT, MINH if contributor == "submitted" else LAN),
    )
    with pytest.raises(RefusedError) as refusal:
        alert.approve(MINH)
    assert refusal.value.rule is Rule.FOUR_EYES
    assert alert.approve(HOA).version == 1


def test_an_approval_does_not_outlive_a_return() -> None:
    alert = after(drafted(), (Command.SUBMIT, LAN), (Command.APPROVE, MINH), (Command.RETURN, HOA))
    assert alert.stage is Stage.DRAFT
    with pytest.raises(RefusedError):
        decide(alert, Command.ISSUE, LAN)


@pytest.mark.parametrize("approved", [False, True])
def test_a_first_version_that_is_rejected_ends_the_alert(approved: bool) -> None:
    road = ((Command.SUBMIT, LAN), (Command.APPROVE, MINH))
    alert = after(drafted(), *road[: 1 + approved], (Command.REJECT, HOA))
    assert (alert.life, alert.stage, alert.issued) == (Life.REJECTED, Stage.NONE, None)
    assert alert.rejected is not None
    assert (alert.rejected.version, alert.rejected.reason) == (1, "không đúng thẩm quyền")
    for command in Command:
        with pytest.raises(RefusedError) as refusal:
            decided(alert, command, HOA, AT + DAY)
        assert refusal.value.rule is Rule.STATE


def test_a_rejected_update_leaves_what_is_out_as_it_is() -> None:
    live = after(drafted(), *ISSUED)
    alert = after(live, (Command.UPDATE, HOA), (Command.SUBMIT, HOA), (Command.REJECT, MINH))
    assert (alert.life, alert.issued, alert.references) == (Life.LIVE, live.issued, live.references)
    assert alert.work is None
    again = after(alert, (Command.UPDATE, LAN))
    assert again.work is not None
    assert (again.work.version, again.rejected) == (2, None)
    # Whoever wrote the version that was turned down had no hand in this one.
    issued = after(again, (Command.SUBMIT, LAN), (Command.APPROVE, HOA), (Command.ISSUE, LAN))
    assert issued.issued is not None
    assert issued.issued.version == 2


def test_a_draft_is_not_rejected() -> None:
    with pytest.raises(RefusedError) as refusal:
        drafted().reject(MINH, "x")
    assert refusal.value.rule is Rule.STATE


def test_it_expires_at_its_end_and_not_before() -> None:
    alert = after(drafted(), *ISSUED)
    with pytest.raises(RefusedError):
        alert.expire(LAN, AT + DAY - timedelta(microseconds=1))
    assert Alert.fold(alert, alert.expire(LAN, AT + DAY)).life is Life.EXPIRED


def test_an_end_that_has_passed_is_not_issued() -> None:
    late = CONTENT.model_copy(update={"expires_at": AT})
    alert = Alert.fold(None, Alert.draft(ALERT, LAN, "ubnd-00001", late))
    alert = after(alert, (Command.SUBMIT, LAN), (Command.APPROVE, MINH))
    with pytest.raises(RefusedError) as refusal:
        decide(alert, Command.ISSUE, LAN)
    assert refusal.value.rule is Rule.EXPIRY


def check_rejection(command: Command, before: Alert, alert: Alert) -> None:
    """It ends what never went out, and touches nothing of what did."""
    if command is Command.REJECT:
        life = Life.LIVE if before.issued else Life.REJECTED
        assert (alert.life, alert.work, alert.issued) == (life, None, before.issued)
        assert alert.references == before.references


@given(st.lists(st.tuples(st.sampled_from(list(Command)), st.sampled_from([LAN, MINH, HOA])), max_size=40))
def test_any_history_keeps_the_promises(steps: list[tuple[Command, Actor]]) -> None:
    alert = drafted()
    hands = {1: {"lan"}}
    approved: dict[int, str] = {}
    for step, (command, by) in enumerate(steps):
        at = AT + timedelta(days=step)
        allowed = (alert.life, alert.stage) in TABLE[command]
        version = alert.work.version if alert.work else None
        try:
            events = decided(alert, command, by, at)
        except RefusedError as refusal:
            assert refusal.rule is not Rule.STATE or not allowed
            continue
        assert allowed
        event = events[-1]
        before, alert = alert, reduce(Alert.fold, events, alert)
        assert alert.version == before.version + len(events)
        if version is not None and command in {Command.REVISE, Command.SUBMIT}:
            hands[version].add(by.account)
        if command is Command.UPDATE:
            assert alert.work is not None
            hands[alert.work.version] = {by.account}
            approved.pop(alert.work.version, None)
        if command is Command.CORRECT:
            assert alert.issued is not None
            hands[alert.issued.version] = {by.account}
            approved[alert.issued.version] = PRE_APPROVED.approved_by
        if version is not None and command is Command.APPROVE:
            approved[version] = by.account
        if version is not None and command in {Command.RETURN, Command.REJECT}:
            approved.pop(version, None)
        check_rejection(command, before, alert)
        if isinstance(event, AlertIssued):
            # No version goes out without its second person.
            assert approved[event.version] not in hands[event.version]
            assert len(event.references) == event.version - 1
            assert len(set(event.references)) == len(event.references)
    if alert.life in {Life.CANCELLED, Life.EXPIRED, Life.REJECTED}:
        assert alert.work is None
        assert (alert.issued is None) is (alert.life is Life.REJECTED)
        for command in Command:
            with pytest.raises(RefusedError):
                decided(alert, command, HOA, AT + timedelta(days=999))


def test_a_correction_goes_out_by_one_person_and_another_has_read_it_before() -> None:
    live = after(drafted(), *ISSUED, (Command.UPDATE, HOA))
    alert = after(live, (Command.CORRECT, LAN), at=AT + timedelta(minutes=4))
    assert (alert.life, alert.stage) == (Life.LIVE, Stage.NONE)
    assert alert.issued is not None
    assert (alert.issued.version, alert.issued.content.severity) == (2, Severity.MINOR)
    (correction,) = alert.corrections
    assert (correction.wrong_version, correction.how) == (1, "update")
    assert correction.took == timedelta(minutes=4)


def test_a_text_that_one_approved_himself_corrects_nothing() -> None:
    live = after(drafted(), *ISSUED)
    with pytest.raises(RefusedError) as refusal:
        live.correct(
            LAN,
            CONTENT_OPEN,
            PRE_APPROVED._replace(approved_by="lan"),
            sender="a@b",
            edition="2020-03-01",
            lifetime=DAY,
            at=AT,
        )
    assert refusal.value.rule is Rule.FOUR_EYES


def test_the_time_from_error_to_correction_is_known_for_each_road() -> None:
    live = after(drafted(), *ISSUED)
    assert live.corrections == ()
    cancelled = after(live, (Command.CANCEL, LAN), at=AT + timedelta(minutes=38))
    assert [(one.how, one.took.total_seconds() // 60) for one in cancelled.corrections] == [("cancel", 37)]
    proposed = Alert.fold(live, live.propose_update(HOA, CONTENT_OPEN, corrects=True))
    road = ((Command.SUBMIT, HOA), (Command.APPROVE, MINH), (Command.ISSUE, HOA))
    corrected = after(proposed, *road, at=AT + DAY / 24)
    assert [one.took for one in corrected.corrections] == [DAY / 24]
    # An update that puts nothing right is not a correction.
    assert after(live, (Command.UPDATE, HOA), *road).corrections == ()


def test_a_schedule_is_kept_or_taken_back_and_does_not_outlive_a_return() -> None:
    ready = after(drafted(), (Command.SUBMIT, LAN), (Command.APPROVE, MINH))
    alert = after(ready, (Command.SCHEDULE, LAN))
    assert alert.work is not None
    assert (alert.stage, alert.work.due_at) == (Stage.SCHEDULED, AT + timedelta(hours=2))
    assert after(alert, (Command.ISSUE, LAN)).life is Life.LIVE
    assert after(alert, (Command.UNSCHEDULE, LAN)).work == ready.work
    returned = after(alert, (Command.RETURN, MINH)).work
    assert returned is not None
    assert returned.due_at is None


@pytest.mark.parametrize("due", [AT, AT - DAY, AT + timedelta(days=30, microseconds=1)])
def test_a_schedule_is_in_the_next_30_days(due: datetime) -> None:
    ready = after(drafted(), (Command.SUBMIT, LAN), (Command.APPROVE, MINH))
    with pytest.raises(RefusedError) as refusal:
        ready.schedule(LAN, due, "asked", at=AT)
    assert refusal.value.rule is Rule.SCHEDULE


def test_what_ends_before_it_would_go_out_is_not_scheduled() -> None:
    short = CONTENT.model_copy(update={"expires_at": AT + timedelta(hours=2)})
    alert = Alert.fold(None, Alert.draft(ALERT, LAN, "ubnd-00001", short))
    alert = after(alert, (Command.SUBMIT, LAN), (Command.APPROVE, MINH))
    with pytest.raises(RefusedError) as refusal:
        alert.schedule(LAN, AT + timedelta(hours=2), "asked", at=AT)
    assert refusal.value.rule is Rule.SCHEDULE


def test_an_alert_keeps_its_mode() -> None:
    drill = CONTENT_OPEN.model_copy(update={"mode": Mode.EXERCISE})
    live = after(drafted(), *ISSUED)
    sending: Sending = {"sender": "s", "edition": "e", "lifetime": DAY, "at": AT}
    changes: list[Callable[[], object]] = [
        lambda: drafted().revise(LAN, drill),
        lambda: live.propose_update(LAN, drill),
        lambda: live.correct(LAN, drill, PRE_APPROVED, **sending),
    ]
    for change in changes:
        with pytest.raises(RefusedError) as refusal:
            change()
        assert refusal.value.rule is Rule.MODE


def test_one_person_will_do_for_a_bulletin_where_the_body_says_so_and_never_for_an_alert() -> None:
    bulletin = CONTENT_OPEN.model_copy(update={"kind": Kind.BULLETIN})
    for content, allowed in ((bulletin, True), (CONTENT_OPEN, False)):
        alert = Alert.fold(None, Alert.draft(ALERT, LAN, "ubnd-00001", content))
        alert = after(alert, (Command.SUBMIT, LAN))
        if allowed:
            assert alert.approve(LAN, one_person=True).by == LAN
        else:
            with pytest.raises(RefusedError):
                alert.approve(LAN, one_person=True)
        with pytest.raises(RefusedError):
            alert.approve(LAN)
