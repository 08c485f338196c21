"""What stood at an instant."""

import json
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from broadcaster.alert import Alert
from broadcaster.cli.app import app
from broadcaster.lifecycle import Command, Life
from broadcaster.proof.as_of import Hands, as_of, position_at, recorded
from broadcaster.rules import RefusedError, Rule
from broadcaster.runtime import clock
from schemas.content import Channel, Lane
from schemas.events import Actor, AlertEvent, AlertExpired, AlertIssued, AudienceFrozen, Recorded
from tests.house import PHUC_XA, approver, author, content, house
from tests.unit.schemas.examples import CONTENT

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
WORDS = CONTENT.model_copy(update={"expires_at": None})
LAN, MINH, HOA = (Actor(account=name, body="ubnd-00001") for name in ("lan", "minh", "hoa"))
LIFETIME = timedelta(seconds=6)


def worded(headline: str) -> Any:
    text = WORDS.texts["vi"].model_copy(update={"headline": headline})
    return WORDS.model_copy(update={"texts": {"vi": text}})


def decided(alert: Alert, command: Command, number: int, at: datetime) -> AlertEvent:
    """What the aggregate itself decides; so a history is one that can be."""
    match command:
        case Command.REVISE:
            return alert.revise((LAN, HOA)[number % 2], worded(f"sửa {number}"))
        case Command.SUBMIT:
            return alert.submit(LAN)
        case Command.RETURN:
            return alert.send_back(MINH, "x")
        case Command.REJECT:
            return alert.reject(MINH, "x")
        case Command.APPROVE:
            return alert.approve(MINH)
        case Command.SCHEDULE:
            return alert.schedule(MINH, at + timedelta(hours=2), "asked", at=at)
        case Command.UNSCHEDULE:
            return alert.unschedule(MINH)
        case Command.ISSUE:
            return alert.issue(MINH, sender="s", edition="e", lifetime=LIFETIME, at=at)
        case Command.UPDATE:
            return alert.propose_update(HOA, worded(f"mới {number}"))
        case Command.CORRECT:
            raise RefusedError(Rule.STATE, "corrections have a test of their own")
        case Command.CANCEL:
            return alert.cancel(MINH, sender="s", reason="x", in_error=False, at=at)
        case Command.EXPIRE:
            return alert.expire(Actor(account="system:timekeeper"), at)


def history(steps: Sequence[tuple[int, Command, int]]) -> list[Recorded]:
    """A log of three alerts; steps that the rules refuse are left out."""
    alerts: dict[int, Alert] = {}
    log: list[Recorded] = []
    at = AT
    for number, (which, command, seconds) in enumerate(steps):
        at += timedelta(seconds=seconds)
        event: AlertEvent
        if which not in alerts:
            event = Alert.draft(UUID(int=which + 1), LAN, "ubnd-00001", worded(f"thảo {which}"))
        else:
            try:
                event = decided(alerts[which], command, number, at)
            except RefusedError:
                continue
        alerts[which] = Alert.fold(alerts.get(which), event)
        log.append(Recorded(len(log) + 1, at, event))
        if isinstance(event, AlertIssued):
            log.append(Recorded(len(log) + 1, at, frozen(alerts[which], number)))
    return log


def frozen(alert: Alert, count: int) -> AudienceFrozen:
    assert alert.issued
    return AudienceFrozen(
        originator_id=UUID(int=10**6 + count),
        originator_version=1,
        by=Actor(account="system:fanout"),
        alert_id=alert.id,
        version=alert.issued.version,
        channel=Channel.SMS,
        lane=Lane.ALERT,
        count=count,
        sha256="",
        bitmap="",
        by_area={},
        slice_size=1,
        expires_at=alert.issued.expires_at,
    )


def last(events: list[Any], *topics: str) -> Any:
    found = [event for event in events if event.TOPIC in topics]
    return found[-1] if found else None


def brute(log: list[Recorded], at: datetime) -> dict[UUID, tuple[Any, ...]]:
    """The live alerts, each looked up in the whole log by another road: the aggregate and plain scans."""
    seen = [event for _, instant, event in log if instant <= at]
    answer: dict[UUID, tuple[Any, ...]] = {}
    for stream in {event.originator_id for event in seen if event.TOPIC == "alert.drafted"}:
        own: list[Any] = [event for event in seen if event.originator_id == stream]
        alert: Alert | None = None
        for event in own:
            alert = Alert.fold(alert, event)
        if alert is None or alert.life is not Life.LIVE or alert.issued is None:
            continue
        issued = last(own, "alert.issued")
        before = [event for event in own if event.originator_version < issued.originator_version]
        begun = last(before, "alert.update_proposed") or last(before, "alert.drafted")
        approved = last(before, "alert.approved")
        submitted = last(before, "alert.submitted")
        revised = tuple(
            event.by.account
            for event in before
            if event.TOPIC == "alert.revised" and event.originator_version > begun.originator_version
        )
        counts = {
            event.channel.value: event.count
            for event in seen
            if isinstance(event, AudienceFrozen)
            and (event.alert_id, event.version) == (stream, issued.version)
        }
        hands = Hands(
            begun.by.account, revised, submitted.by.account, approved.by.account, issued.by.account
        )
        headline = alert.issued.content.text("vi").headline
        answer[stream] = (
            alert.issued.version,
            headline,
            hands,
            alert.issued.expires_at,
            alert.issued.expires_at <= at,
            counts,
        )
    return answer


ROAD = [Command.SUBMIT, Command.APPROVE, Command.ISSUE]
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.one_of(st.sampled_from(ROAD), st.sampled_from(list(Command))),
        st.integers(0, 3),
    ),
    max_size=40,
)


@given(STEPS, st.integers(-1, 60))
def test_it_agrees_with_a_scan_of_the_whole_log(
    steps: list[tuple[int, Command, int]], seconds: int
) -> None:
    log, at = history(steps), AT + timedelta(seconds=seconds)
    found = {
        one.alert_id: (one.version, one.headline, one.hands, one.expires_at, one.overdue, one.audiences)
        for one in as_of(log, at).alerts
    }
    assert found == brute(log, at)


@given(STEPS, st.integers(-1, 60), STEPS)
def test_what_comes_later_changes_nothing(
    steps: list[tuple[int, Command, int]], seconds: int, more: list[tuple[int, Command, int]]
) -> None:
    at = AT + timedelta(seconds=seconds)
    log = history([*steps, *more])
    cut = bisect_right([one.recorded_at for one in log], at)
    assert as_of(log, at) == as_of(log[:cut], at)


def test_before_and_after_each_event() -> None:
    steps = [(0, Command.SUBMIT, 1)]
    steps += [(0, command, 1) for command in (*ROAD, Command.UPDATE, Command.REVISE, *ROAD, Command.CANCEL)]
    log = history(steps)
    shown: list[tuple[str, int, str | None]] = []
    for one in log:
        if isinstance(one.event, AudienceFrozen):
            continue
        before = as_of(log, one.recorded_at - timedelta(microseconds=1), UUID(int=1)).alerts
        after = as_of(log, one.recorded_at, UUID(int=1)).alerts
        assert before != after or one.event.TOPIC in {
            "alert.update_proposed",
            "alert.revised",
            "alert.submitted",
            "alert.approved",
        }, "what goes on behind a live version does not show"
        shown.append((after[0].life, after[0].version, after[0].hands.issued_by))
    assert as_of(log, AT, UUID(int=1)).alerts == ()
    assert shown == [
        *[("new", 1, None)] * 3,
        *[("live", 1, "minh")] * 5,
        ("live", 2, "minh"),
        ("cancelled", 2, "minh"),
    ]
    ended = as_of(log, log[-1].recorded_at, UUID(int=1)).alerts[0]
    assert ended.ended_by == "minh"
    assert as_of(log, log[-1].recorded_at).alerts == ()


def test_a_first_version_turned_down_is_no_live_alert() -> None:
    log = history([(0, Command.SUBMIT, 1), (0, Command.SUBMIT, 1), (0, Command.REJECT, 1)])
    (one,) = as_of(log, log[-1].recorded_at, UUID(int=1)).alerts
    assert (one.life, one.ended_by, one.hands) == (Life.REJECTED, "minh", Hands("lan", (), "lan"))


def test_an_end_not_yet_recorded_is_told() -> None:
    log = history([(0, Command.SUBMIT, 1), *((0, command, 1) for command in ROAD)])
    end = log[-1].recorded_at + LIFETIME
    assert [one.overdue for one in as_of(log, end - timedelta(microseconds=1)).alerts] == [False]
    assert [one.overdue for one in as_of(log, end).alerts] == [True]
    expired = AlertExpired(originator_id=UUID(int=1), originator_version=5, by=LAN, version=1)
    log.append(Recorded(len(log) + 1, end, expired))
    assert as_of(log, end).alerts == ()


def test_the_command_line_answers_from_the_log(city_database: str, tmp_path: Path) -> None:
    with house(city_database) as one:
        before = clock()
        alert = one.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock()).id
        one.alerts.submit(author(PHUC_XA), alert, at=clock())
        one.alerts.approve(approver(PHUC_XA), alert, at=clock())
        one.alerts.issue(approver(PHUC_XA), alert, at=clock())
        head = one.log.head()
        events = one.log.read(head - 4, 4)
        for place, event in enumerate(events, head - 3):
            assert position_at(one.log, event.recorded_at)[0] >= place
        assert position_at(one.log, before)[0] == head - 4
        assert position_at(one.log, before - timedelta(days=9999)) == (0, "0" * 64)
        assert position_at(one.log, clock())[1] == one.log.chain.rows(head - 1, 1)[0].chain.hex()
        assert as_of(recorded(one.log), before).alerts == ()
    env = {"BROADCASTER_DATABASE_URL": city_database, "BROADCASTER_DATA": str(tmp_path)}
    issued = events[-1].recorded_at.isoformat()
    told = CliRunner().invoke(app, ["as-of", issued, "--json"], env=env)
    assert told.exit_code == 0, told.output
    (found,) = json.loads(told.stdout)["alerts"]
    assert found["alert_id"] == str(alert)
    assert found["hands"]["approved_by"] == f"approver@{PHUC_XA}"
    plain = CliRunner().invoke(app, ["as-of", issued, "--alert", str(alert)], env=env).stdout
    assert f"approved approver@{PHUC_XA}" in plain
    for bad in ("yesterday", "2026-07-10T09:00:00", "2999-01-01T00:00:00Z"):
        assert CliRunner().invoke(app, ["as-of", bad], env=env).exit_code != 0


def test_what_was_sent_back_has_no_approval_left() -> None:
    log = history([(0, command, 1) for command in (Command.SUBMIT, *ROAD[:2], Command.RETURN)])
    hands = [as_of(log, one.recorded_at, UUID(int=1)).alerts[0].hands for one in log]
    drafted = Hands("lan")
    submitted = Hands("lan", submitted_by="lan")
    approved = Hands("lan", submitted_by="lan", approved_by="minh")
    assert hands == [drafted, submitted, approved, drafted]
