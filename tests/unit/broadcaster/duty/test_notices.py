"""Who is told what, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from uuid import UUID

from broadcaster.duty.letters import letter, message_id
from broadcaster.duty.notices import notices
from projections.cadence.rule import State
from projections.cadence.view import BodyCadence
from schemas.events import Notice
from tests.unit.projections.cadence.histories import instant

DAY = 24 * 60
DUE = instant(4 * DAY)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
BODY = BodyCadence(
    issuer_id="ubnd-00001",
    name="UBND phường <Phúc Xá>",
    level=3,
    area="00001",
    parent="ubnd-001",
    duty_since=instant(0),
    last_item=None,
    last_item_at=None,
    items_30d=0,
    due_at=DUE,
    overdue_since=None,
    state=State.OK,
)
LATE = replace(BODY, state=State.OVERDUE, overdue_since=DUE)


def told(body: BodyCadence, after: timedelta) -> list[tuple[str, str, str | None]]:
    found = notices([body], "vp-ubnd", DUE + after)
    return [(one.notice, one.recipient, one.about) for one in found if one.notice is not Notice.DIGEST]


def test_each_notice_at_its_instant() -> None:
    who = "ubnd-00001"
    assert told(BODY, -24 * HOUR - TICK) == []
    assert told(BODY, -24 * HOUR) == [("day_before", who, who)]
    assert told(BODY, -6 * HOUR - TICK) == [("day_before", who, who)]
    assert told(BODY, -6 * HOUR) == [("hours_before", who, who)]
    overdue = [("overdue", who, who), ("overdue", "ubnd-001", who)]
    assert told(LATE, timedelta(0)) == overdue
    assert told(LATE, 24 * HOUR - TICK) == overdue
    assert told(LATE, 24 * HOUR) == [*overdue, ("escalated", "vp-ubnd", who)]
    assert told(replace(BODY, state=State.EXEMPT, due_at=None), timedelta(0)) == []


def test_an_id_is_that_of_the_notice_and_of_nothing_else() -> None:
    one = notices([LATE], "vp-ubnd", DUE + HOUR)
    again = notices([LATE], "vp-ubnd", DUE + 2 * HOUR)
    assert [each.originator_id for each in one] == [each.originator_id for each in again]
    other = notices([replace(LATE, overdue_since=DUE + HOUR)], "vp-ubnd", DUE + 2 * HOUR)
    assert not {each.originator_id for each in one} & {each.originator_id for each in other}


def test_a_digest_a_day_for_those_above() -> None:
    at = DUE + 8 * HOUR
    found = [one for one in notices([LATE], "vp-ubnd", at) if one.notice is Notice.DIGEST]
    assert [(one.recipient, one.due_at) for one in found] == [("ubnd-001", DUE), ("vp-ubnd", DUE)]
    assert not [one for one in notices([LATE], "vp-ubnd", at - TICK) if one.notice is Notice.DIGEST]
    assert not [one for one in notices([BODY], "vp-ubnd", at) if one.notice is Notice.DIGEST]


def test_a_letter_is_the_same_at_every_try() -> None:
    notice = notices([LATE], "vp-ubnd", DUE)[0]
    id_ = UUID(int=1)
    made = [
        letter(id_, notice, DUE, sender="canh-bao@hanoi.example", names={"ubnd-00001": BODY.name})
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert f"Message-ID: {message_id(id_, 'canh-bao@hanoi.example')}".encode() in made[0]


def text_of(due: datetime) -> str:
    body = replace(BODY, due_at=due)
    notice = notices([body], "vp-ubnd", due - 24 * HOUR)[0]
    made = letter(
        UUID(int=1), notice, due, sender="canh-bao@hanoi.example", names={"ubnd-00001": body.name}
    )
    part = message_from_bytes(made, policy=default).get_body(("plain",))
    assert part is not None
    return part.get_content()


def test_a_deadline_at_midnight_is_said_by_the_day_that_ends() -> None:
    assert "phải đưa tin chậm nhất hết ngày 25/11/2026." in text_of(datetime(2026, 11, 25, 17, tzinfo=UTC))
    assert "phải đưa tin chậm nhất lúc 00:01 26/11/2026." in text_of(
        datetime(2026, 11, 25, 17, 1, tzinfo=UTC)
    )
