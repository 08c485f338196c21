"""An exercise runs the real road and can be mistaken for the real thing on none of its channels."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from lxml import etree

from broadcaster import reference
from broadcaster.cap import render
from broadcaster.registry.rules import NewSubscriber
from broadcaster.runtime import House
from channels.gateway import Message
from channels.push.render import render as push_body
from channels.sms.render import render as sms_text
from projections.board import view as board
from projections.reach import view as reach
from schemas.content import Channel, Content, Mode, MsgType
from schemas.events import AlertIssued, AudienceFrozen
from tests.house import PHUC_XA, approver, author, house
from tests.unit.schemas.examples import CONTENT

AT = datetime(2027, 7, 10, 5, tzinfo=UTC)
MARKS = {
    Mode.EXERCISE: ("[DIỄN TẬP] ", "[DIEN TAP] ", "Exercise"),
    Mode.TEST: ("[THỬ NGHIỆM] ", "[THU NGHIEM] ", "Test"),
}
DRILLS = sorted(MARKS)


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


def content(mode: Mode) -> Content:
    return CONTENT.model_copy(update={"areas": ("00001",), "expires_at": None, "mode": mode})


def issue(hanoi: House, mode: Mode) -> AlertIssued:
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(mode), at=AT)
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=AT)
    hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=AT)
    hanoi.alerts.issue(author(PHUC_XA), alert.id, at=AT)
    event = hanoi.log.read(hanoi.log.head() - 1, 1)[0].event
    assert isinstance(event, AlertIssued)
    return event


@pytest.mark.parametrize("mode", list(Mode))
def test_only_testers_are_in_the_audience_of_what_is_not_meant(hanoi: House, mode: Mode) -> None:
    devices = [
        hanoi.registry.register(
            NewSubscriber(token=f"token-{n}", platform="android", phone=f"+8491234567{n}", home="00001"), AT
        )
        for n in range(4)
    ]
    assert hanoi.registry.add_tester(devices[1].device_id, AT)
    assert not hanoi.registry.add_tester(devices[1].device_id, AT)
    assert not hanoi.registry.add_tester(uuid4(), AT)
    assert hanoi.registry.testers(["00001"]) == [devices[1].device_id]
    issue(hanoi, mode)
    hanoi.follower(hanoi.projection("fanout")).catch_up()
    frozen = [each.event for each in hanoi.log.everything() if isinstance(each.event, AudienceFrozen)]
    wanted = 4 if mode is Mode.ACTUAL else 1
    assert {each.channel: each.count for each in frozen} == {Channel.PUSH: wanted, Channel.SMS: wanted}
    assert {each.mode for each in frozen} == {mode}
    assert all(each.by_area == {"00001": wanted} for each in frozen)
    # A tester who leaves is a tester no more, and nothing of it stays.
    assert hanoi.registry.unregister(devices[1].device_id)
    assert hanoi.registry.testers(["00001"]) == []


def message(mode: Mode, msg_type: MsgType) -> Message:
    return Message(
        alert_id=uuid4(),
        version=1,
        msg_type=msg_type,
        lane=content(mode).lane,
        issuer_name="UBND phường Phúc Xá",
        content=content(mode),
        sent=AT,
        expires_at=AT,
        reason="x" if msg_type is MsgType.CANCEL else "",
    )


@pytest.mark.parametrize("msg_type", list(MsgType))
@pytest.mark.parametrize("mode", list(Mode))
def test_every_text_of_it_begins_with_its_mark(mode: Mode, msg_type: MsgType) -> None:
    said = message(mode, msg_type)
    body = push_body(said, "vi", AT).body("token", "t").decode()
    texts = sms_text(said, "vi", accented=True), sms_text(said, "vi")
    assert f'"mode":"{mode}"' in body
    if mode is Mode.ACTUAL:
        words = ("DIỄN TẬP", "DIEN TAP", "THỬ NGHIỆM", "THU NGHIEM")
        assert not any(word in text for word in words for text in (body, *texts))
        return
    accented, plain, _ = MARKS[mode]
    assert f'"title":"{accented}' in body
    assert all(text.startswith((accented, plain)) for text in texts)


@pytest.mark.parametrize("mode", list(Mode))
def test_its_cap_message_says_so_in_status_note_and_headline(hanoi: House, mode: Mode) -> None:
    event = issue(hanoi, mode)
    words = render.Words(
        body="UBND phường Phúc Xá",
        category=reference.categories()[event.content.category],
        tree=hanoi.tree(),
        web="https://canhbao.example/alerts/1",
    )
    root = etree.fromstring(render.issued(event, words))
    accented, _, status = MARKS.get(mode, ("", "", "Actual"))
    assert root.findtext("{*}status") == status
    headline = root.findtext("{*}info/{*}headline") or ""
    assert headline == accented + event.content.text("vi").headline
    note = root.findtext("{*}note")
    assert (note is None) is (mode is Mode.ACTUAL)


@pytest.mark.parametrize("mode", DRILLS)
def test_it_is_in_no_list_but_its_own(hanoi: House, mode: Mode) -> None:
    drill, real = issue(hanoi, mode), issue(hanoi, Mode.ACTUAL)
    hanoi.follower(hanoi.projection("board")).catch_up()
    with hanoi.pool.connection() as conn:
        listed = [row.alert_id for row in board.find(conn, status="live")]
        own = [row.alert_id for row in board.find(conn, status="live", mode=mode)]
        for_area = [row.alert_id for row in board.live_for(conn, ["00001"])]
    assert listed == for_area == [real.originator_id]
    assert own == [drill.originator_id]


@pytest.mark.parametrize("mode", list(Mode))
def test_the_city_is_told_only_of_whom_actual_alerts_reached(hanoi: House, mode: Mode) -> None:
    phone = hanoi.registry.register(NewSubscriber(token="token-1", platform="ios", home="00001"), AT)
    hanoi.registry.add_tester(phone.device_id, AT)
    issued = issue(hanoi, mode)
    for name in ("fanout", "reach"):
        hanoi.follower(hanoi.projection(name)).catch_up()
    with hanoi.pool.connection() as conn:
        totals = reach.totals_by_channel(conn)[Channel.PUSH]
        own = {one.channel: one.totals.audience for one in reach.of_alert(conn, issued.originator_id)}
    assert totals.audience == (1 if mode is Mode.ACTUAL else 0)
    assert own[Channel.PUSH] == 1


@pytest.mark.parametrize("mode", DRILLS)
def test_drills_crowd_no_actual_alert_out_of_what_is_compared(hanoi: House, mode: Mode) -> None:
    real = issue(hanoi, Mode.ACTUAL)
    drills = {issue(hanoi, mode).originator_id for _ in range(3)}
    hanoi.follower(hanoi.projection("board")).catch_up()
    category = real.content.category
    with hanoi.pool.connection() as conn:
        assert [row.alert_id for row in board.live_of(conn, category, Mode.ACTUAL, 1)] == [
            real.originator_id
        ]
        assert {row.alert_id for row in board.live_of(conn, category, mode)} == drills
