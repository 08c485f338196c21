"""The audit view on a real database."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from psycopg import Connection

from projections.audit import view
from projections.audit.projection import Audit, alert_of
from projections.audit.words import describe
from projections.projection import Row
from schemas.events import (
    TOPICS,
    Actor,
    AlertReturned,
    AnyEvent,
    AttemptRefused,
    Recorded,
    RoleGranted,
    ScreenShowed,
)
from tests.unit.projections.story import AT, Story, fold, opened, rebuild
from tests.unit.schemas.examples import ALERT, examples

HUNG = Actor(account="hung", body="ubnd-00001")
REFUSED = UUID(int=9)


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Audit()) as conn:
        yield conn


def told() -> tuple[Story, UUID, UUID]:
    story = Story()
    story.adopt()
    first = story.issue()
    story.wait(minutes=1)
    second = story.issue(areas=("001", "002"))
    story.tell(AlertReturned, second, version=2, reason="Thiếu giờ", by=HUNG)
    story.tell(
        AttemptRefused,
        REFUSED,
        command="issue",
        rule="approval.four-eyes",
        detail="hung wrote it",
        alert_id=first,
        by=HUNG,
    )
    story.tell(RoleGranted, UUID(int=8), account="mai", body="so-y-te", role="author")
    story.cancel(first, in_error=True, reason="Nhầm địa bàn")
    return story, first, second


def positions(found: list[view.Entry]) -> list[int]:
    return [entry.position for entry in found]


def test_entries_are_found_by_what_is_asked(conn: Connection[Row]) -> None:
    story, first, second = told()
    fold(conn, Audit(), story.log)
    assert positions(view.entries(conn)) == [7, 6, 5, 4, 3, 2, 1]
    assert positions(view.entries(conn, alert_id=first)) == [7, 5, 2]
    assert positions(view.entries(conn, alert_id=second)) == [4, 3]
    assert positions(view.entries(conn, account="hung")) == [5, 4]
    assert positions(view.entries(conn, body="ubnd-tp", topic="alert.issued")) == [3, 2]
    assert positions(view.entries(conn, body="so-y-te")) == [7, 6, 3, 2]
    kinds = ("alert.issued", "role.granted", "key.revoked")
    assert positions(view.entries(conn, topics=kinds)) == [6, 3, 2]
    assert positions(view.entries(conn, topics=kinds, account="lan", before=6, limit=1)) == [3]
    assert positions(view.entries(conn, topics=kinds, body="so-y-te", after=2)) == [6, 3]
    assert positions(view.entries(conn, topics=())) == []
    assert positions(view.entries(conn, body="so-y-te", account="lan", limit=2, before=7)) == [6, 3]
    assert positions(view.entries(conn, account="hung", alert_id=first)) == [5]
    assert positions(view.entries(conn, limit=2)) == [7, 6]
    assert positions(view.entries(conn, before=6, limit=2)) == [5, 4]
    assert view.entries(conn, account="nobody") == []


def test_an_entry_says_who_did_what_and_when(conn: Connection[Row]) -> None:
    story, first, _ = told()
    fold(conn, Audit(), story.log)
    (entry,) = view.entries(conn, before=6, limit=1)
    assert entry == view.Entry(
        position=5,
        recorded_at=AT + timedelta(minutes=1),
        topic="attempt.refused",
        stream=REFUSED,
        version=1,
        account="hung",
        body="ubnd-00001",
        alert_id=first,
        summary="Từ chối phát: phải có người khác duyệt (hung wrote it)",
        summary_en="Refused to issue: hung wrote it (approval.four-eyes)",
    )


def test_lines_name_what_matters() -> None:
    story, _, _ = told()
    lines = [describe(recorded.event) for recorded in story.log]
    assert lines[1].vi == "Phát bản 1 tới 1 địa bàn: Mưa lớn, ngập sâu"
    assert lines[2].en == "Issued version 1 for 2 areas: Mưa lớn, ngập sâu"
    assert lines[3].vi == "Trả lại bản 2: Thiếu giờ"
    assert lines[5].en == "Granted author of so-y-te to mai"
    assert lines[6].vi == "Hủy (phát nhầm): Nhầm địa bàn"
    assert lines[6].en == "Cancelled (issued in error): Nhầm địa bàn"


def event_of(example: object) -> AnyEvent:
    """An example as the log gives it."""
    return Recorded(1, AT, example).event  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "event", [event_of(example) for example in examples()], ids=lambda event: event.TOPIC
)
def test_every_kind_of_event_has_words(event: AnyEvent) -> None:
    words = describe(event)
    assert words.vi
    assert words.en
    assert words.vi != words.en


def test_every_kind_of_event_is_followed() -> None:
    assert {event.TOPIC for event in examples()} == set(TOPICS) == Audit().topics


def test_a_report_of_several_alerts_is_of_none() -> None:
    story = Story()
    one, two = {"alert_id": ALERT, "version": 1}, {"alert_id": REFUSED, "version": 1}
    story.tell(ScreenShowed, UUID(int=1), shown=(one, {**one, "version": 2}))
    story.tell(ScreenShowed, UUID(int=1), shown=(one, two))
    assert [alert_of(recorded.event) for recorded in story.log] == [ALERT, None]


def test_what_a_client_makes_up_does_not_stop_the_view(conn: Connection[Row]) -> None:
    story = Story()
    odd = Actor(account="a\0b", body="\0" + "".join(chr(0x4E00 + n) for n in range(5000)))
    detail = "category: there is no \0" + "x" * 100_000
    story.tell(AttemptRefused, REFUSED, command="draft", rule="category", detail=detail, by=odd)
    fold(conn, Audit(), story.log)
    (entry,) = view.entries(conn)
    assert entry.account == "a\N{REPLACEMENT CHARACTER}b"
    assert len(entry.summary) == 2000


def test_rows_do_not_depend_on_pages(conn: Connection[Row]) -> None:
    story, _, _ = told()
    whole = rebuild(conn, Audit(), story.log, 1000)
    assert len(whole["audit_entries"]) == 7
    assert rebuild(conn, Audit(), story.log, 1) == whole
    assert rebuild(conn, Audit(), story.log, 3) == whole


def test_whatever_names_one_alert_is_among_its_lines() -> None:
    told = 0
    for event in examples():
        # Screens are told apart above; of exports and refusals some are about none.
        own = event.originator_id if event.TOPIC.startswith("alert.") else getattr(event, "alert_id", None)
        if own is not None:
            told += 1
            assert alert_of(event) == own, event.TOPIC  # type: ignore[arg-type]  # one of the union
    assert told >= 20
