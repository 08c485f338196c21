"""The alert aggregate: its table, four eyes, and any history hypothesis can think of."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.alert import Alert
from broadcaster.alert_state import reference
from broadcaster.lifecycle import TABLE, Command, Life, Stage
from broadcaster.rules import RefusedError, Rule
from schemas.content import MsgType
from schemas.events import Actor, AlertEvent, AlertIssued
from tests.unit.schemas.examples import CONTENT

AT = datetime(2026, 7, 10, 2, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)
ALERT = UUID(int=7)
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
        case Command.CANCEL:
            return alert.cancel(by, sender="a@b", reason="nhầm", in_error=True, at=at)
        case Command.EXPIRE:
            return alert.expire(by, at)


def after(alert: Alert, *steps: tuple[Command, Actor]) -> Alert:
    for command, by in steps:
        alert = Alert.fold(alert, decide(alert, command, by))
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
            decide(alert, command, HOA, AT + DAY)
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
            event = decide(alert, command, by, at)
        except RefusedError as refusal:
            assert refusal.rule is not Rule.STATE or not allowed
            continue
        assert allowed
        before, alert = alert, Alert.fold(alert, event)
        assert alert.version == before.version + 1
        if version is not None and command in {Command.REVISE, Command.SUBMIT}:
            hands[version].add(by.account)
        if command is Command.UPDATE:
            assert alert.work is not None
            hands[alert.work.version] = {by.account}
            approved.pop(alert.work.version, None)
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
                decide(alert, command, HOA, AT + timedelta(days=999))
