"""What a notice is, and the bytes of a feed."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.feeds.notice import Notice, Withdrawn, mode, notice, priority
from projections.feeds.render import Heading, Item, etag, frame_names, render_feed, render_item, render_page
from schemas.content import Content, Kind, Lane, Severity, Text, Urgency
from schemas.displays import Frame, Page, display
from schemas.events import AlertIssued
from tests.unit.projections.story import AT, Story, content


def noticed(**changes: Any) -> Notice:
    story = Story()
    story.issue(**changes)
    event = story.log[0].event
    assert isinstance(event, AlertIssued)
    return notice(event)


PAGE = Page(("Mưa lớn,", "ngập sâu"), Frame(b"a picture"))
IDLE = render_page(Page(("Hà Nội",), Frame(b"idle")), display("m96x32-1"))
LCD = Heading(1, 1, "01", "lcd1920")


def item(**changes: Any) -> Item:
    return render_item(noticed(**changes), "lcd1920", [PAGE])


contents = st.tuples(st.sampled_from(Kind), st.sampled_from(Severity), st.sampled_from(Urgency)).map(
    lambda told: content(kind=told[0], severity=told[1], urgency=told[2])
)


@given(contents)
def test_priority_ranges_to_100_which_only_an_emergency_has(told: Content) -> None:
    assert 0 <= priority(told) <= 100
    assert (priority(told) == 100) == (told.lane is Lane.EMERGENCY)


@given(contents)
def test_priority_rises_with_severity(told: Content) -> None:
    graver = told.model_copy(update={"severity": Severity.EXTREME})
    assert priority(graver) >= priority(told)


@pytest.mark.parametrize(
    ("kind", "severity", "urgency", "expected"),
    [
        (Kind.ALERT, Severity.EXTREME, Urgency.IMMEDIATE, "preempt"),
        (Kind.ALERT, Severity.EXTREME, Urgency.FUTURE, "preempt"),
        (Kind.ALERT, Severity.SEVERE, Urgency.IMMEDIATE, "rotate"),
        (Kind.BULLETIN, Severity.MINOR, Urgency.EXPECTED, "rotate"),
    ],
)
def test_what_is_extreme_has_the_screen_for_itself(
    kind: Kind, severity: Severity, urgency: Urgency, expected: str
) -> None:
    assert mode(content(kind=kind, severity=severity, urgency=urgency)) == expected


def test_the_sign_text_goes_before_the_headline() -> None:
    vi = Text(headline="Mưa lớn và ngập sâu", description="Nước lên.", sign_text="Ngập sâu")
    en = Text(headline="Heavy rain", description="Water rises.", sign_text="Flooding")
    assert noticed(texts={"vi": vi, "en": en}).text == "Ngập sâu"
    assert noticed().text == "Mưa lớn, ngập sâu"


def test_a_feed_to_the_byte() -> None:
    shown = noticed()
    gone = Withdrawn(UUID(int=7), 3, "2020-03-01", ("01",), AT)
    told = render_item(shown, "m96x32-1", [PAGE])
    body = render_feed(Heading(2, 12, "00001", "m96x32-1"), [told], [gone], IDLE)
    picture, idle = PAGE.frame.sha256, IDLE["frame"]
    assert frame_names([told]) == {picture}
    assert body.decode() == (
        '{"schema":"led-feed/1","epoch":2,"seq":12,"area":"00001","profile":"m96x32-1","drills":false,'
        '"policy":{"poll_s":10,"poll_emergency_s":3,"jitter":0.2,"stale_after_s":120,"fallback":"idle"},'
        f'"idle":{{"ms":4000,"lines":["Hà Nội"],"frame":"{idle}","w":96,"h":32}},'
        f'"items":[{{"id":"{shown.alert_id}","rev":1,"kind":"alert","status":"actual","mode":"rotate","priority":70,'
        '"severity":"Severe","risk_level":2,"starts_at":1720576800000,"expires_at":1720620000000,'
        '"offline_max_s":null,"show_if_untrusted_clock":false,'
        '"lang":"vi","text":"Mưa lớn, ngập sâu","text_ascii":"Mua lon, ngap sau",'
        '"pages":[{"ms":4000,"lines":["Mưa lớn,","ngập sâu"],'
        f'"frame":"{picture}","w":96,"h":32}}]}}],'
        '"cancelled":[{"id":"00000000-0000-0000-0000-000000000007","rev":3}]}'
    )


def test_an_empty_feed_is_a_document_too() -> None:
    told = json.loads(render_feed(LCD, [], [], IDLE))
    assert (told["items"], told["cancelled"]) == ([], [])


def test_the_screen_shows_what_preempts_then_what_ranks_highest() -> None:
    minor = item(severity=Severity.MINOR) | {"id": "a"}
    severe = item(urgency=Urgency.IMMEDIATE) | {"id": "b"}
    future = item(severity=Severity.EXTREME, urgency=Urgency.FUTURE) | {"id": "c"}
    assert severe["priority"] > future["priority"]
    told = json.loads(render_feed(LCD, [minor, severe, future], [], IDLE))
    assert [item["id"] for item in told["items"]] == ["c", "b", "a"]


def test_order_of_arrival_changes_no_byte() -> None:
    items = [item() | {"id": str(number)} for number in range(3)]
    gone = [Withdrawn(UUID(int=number), 2, "", (), AT) for number in range(3)]
    assert render_feed(LCD, items, gone, IDLE) == render_feed(LCD, items[::-1], gone[::-1], IDLE)


def test_the_tag_is_a_strong_hash_of_the_bytes() -> None:
    assert etag(b"{}") == f'"{hashlib.sha256(b"{}").hexdigest()[:32]}"'
    assert etag(b"{}") != etag(b"{ }")


def test_instants_keep_their_milliseconds_and_no_more() -> None:
    story = Story(at=datetime(2024, 7, 10, 2, 0, 0, 123_999, tzinfo=UTC))
    story.issue()
    event = story.log[0].event
    assert isinstance(event, AlertIssued)
    assert render_item(notice(event), "lcd1920", [])["starts_at"] % 1000 == 123


def test_withdrawn_is_named_for_a_day() -> None:
    gone = Withdrawn(UUID(int=7), 3, "2020-03-01", ("01",), AT)
    assert gone.recent(AT + timedelta(hours=24) - timedelta(microseconds=1))
    assert not gone.recent(AT + timedelta(hours=24))


def test_a_bulletin_leaves_a_screen_that_hears_nothing_and_an_alert_stays() -> None:
    assert item(kind=Kind.BULLETIN)["offline_max_s"] == 900
    told = item(kind=Kind.ALERT)
    assert (told["offline_max_s"], told["show_if_untrusted_clock"]) == (None, False)
