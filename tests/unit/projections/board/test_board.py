"""The board: what stands, what is live, where."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.board import view
from projections.board.fold import BoardRow, UndraftedError, fold
from projections.board.projection import Board
from schemas.content import MsgType
from schemas.events import AlertEvent, Event
from tests.following import AT, END, Alert, World, world
from tests.unit.schemas.examples import CONTENT

ELSEWHERE = CONTENT.model_copy(update={"areas": ("00007",)})


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as made:
        yield made


def stand(*events: Event) -> BoardRow:
    """The row after these events, at positions 1, 2, 3..."""
    rows: dict[UUID, BoardRow] = {}
    for position, event in enumerate(events, 1):
        assert isinstance(event, AlertEvent)
        rows[event.originator_id] = fold(rows, event, AT, position)
    (row,) = rows.values()
    return row


def test_an_alert_in_work_shows_its_draft_and_stage() -> None:
    alert = Alert()
    events: list[Event] = [alert.drafted(), alert.revised(ELSEWHERE)]
    row = stand(*events)
    assert (row.status, row.stage, row.content, row.position) == ("in_work", "draft", ELSEWHERE, 2)
    assert (row.msg_type, row.sent, row.expires_at, row.identifier) == (None, None, None, None)
    events.append(alert.submitted())
    assert stand(*events).stage == "submitted"
    events.append(alert.approved())
    assert stand(*events).stage == "approved"
    events.append(alert.returned())
    assert stand(*events).stage == "draft"


def test_an_update_in_work_leaves_what_is_out_as_it_is() -> None:
    alert = Alert()
    events = alert.issue()
    before = stand(*events)
    assert (before.status, before.stage, before.msg_type) == ("live", None, MsgType.ALERT)
    events.append(alert.proposed(ELSEWHERE))
    row = stand(*events)
    assert (row.status, row.stage, row.version, row.content) == ("live", "draft", 1, CONTENT)
    events.append(alert.revised(ELSEWHERE))
    assert stand(*events).content == CONTENT
    events += [alert.submitted(), alert.approved(), alert.issued()]
    row = stand(*events)
    assert (row.status, row.version, row.msg_type, row.content) == ("live", 2, MsgType.UPDATE, ELSEWHERE)


def test_an_end_is_kept_with_its_reason() -> None:
    alert = Alert()
    row = stand(*alert.issue(), alert.cancelled(AT + timedelta(hours=1)))
    assert (row.status, row.msg_type, row.version, row.reason) == ("cancelled", MsgType.CANCEL, 2, "Đã rút")
    assert (row.sent, row.content) == (AT + timedelta(hours=1), CONTENT)
    alert = Alert()
    assert stand(*alert.issue(), alert.expired()).status == "expired"


def test_a_rejection_ends_what_never_went_out_and_nothing_else() -> None:
    alert = Alert()
    row = stand(alert.drafted(), alert.submitted(), alert.rejected())
    assert (row.status, row.stage, row.reason) == ("rejected", None, "Không đúng thẩm quyền")
    alert = Alert()
    before = stand(*alert.issue())
    alert = Alert(id=before.alert_id)
    row = stand(*alert.issue(), alert.proposed(ELSEWHERE), alert.submitted(), alert.rejected())
    assert (row.status, row.stage, row.reason, row.version) == ("live", None, None, 1)
    assert (row.content, row.expires_at) == (before.content, before.expires_at)


def test_an_event_of_an_unknown_alert_is_refused() -> None:
    with pytest.raises(UndraftedError, match=r"alert\.submitted"):
        stand(Alert().submitted())


@given(st.lists(st.sampled_from(["update", "return", "revise", "reject"]), max_size=6), st.booleans())
def test_live_from_the_first_issue_to_the_end(steps: Sequence[str], cancel: bool) -> None:
    alert = Alert()
    events = alert.issue()
    for step in steps:
        if step == "update":
            events += alert.update(ELSEWHERE)
        else:
            ends = {"return": alert.returned, "reject": alert.rejected, "revise": alert.submitted}
            events += [alert.proposed(CONTENT), ends[step]()]
        assert stand(*events).status == "live"
    events.append(alert.cancelled() if cancel else alert.expired())
    assert stand(*events).status == ("cancelled" if cancel else "expired")


def test_the_rows_are_the_fold_whatever_the_pages(here: World) -> None:
    alerts = [Alert(), Alert(content=ELSEWHERE, issuer_id="so-y-te"), Alert()]
    events: list[Any] = [event for alert in alerts for event in alert.issue()]
    events += [*alerts[0].update(ELSEWHERE), alerts[2].proposed(ELSEWHERE), alerts[1].cancelled()]
    here.append(*events)
    board = Board()
    here.follower(board, page=2).catch_up()
    for alert in alerts:
        row = view.one(here.conn, alert.id)
        own = [(n, event) for n, event in enumerate(events, 1) if event.originator_id == alert.id]
        rows: dict[UUID, BoardRow] = {}
        for position, event in own:
            rows[alert.id] = fold(rows, event, AT, position)
        assert row == rows[alert.id]
    before = here.dump(board)
    here.follower(board).rebuild()
    assert here.dump(board) == before


def test_a_reason_that_postgresql_cannot_hold_does_not_stop_the_board(here: World) -> None:
    alert = Alert()
    here.append(*alert.issue(), alert.cancelled().model_copy(update={"reason": "Nước\0rút"}))
    assert here.follower(Board()).catch_up() == 5
    row = view.one(here.conn, alert.id)
    assert row is not None
    assert row.reason == "Nước\N{REPLACEMENT CHARACTER}rút"


def test_find_narrows_and_pages_newest_first(here: World) -> None:
    live, away, work = Alert(), Alert(content=ELSEWHERE, issuer_id="so-y-te"), Alert()
    here.append(*live.issue(), *away.issue(), work.drafted(), away.cancelled())
    here.follower(Board()).catch_up()

    def found(**asked: Any) -> list[UUID]:
        return [row.alert_id for row in view.find(here.conn, **asked)]

    assert found() == [away.id, work.id, live.id]
    assert found(status="live") == [live.id]
    assert found(stage="draft") == [work.id]
    assert found(issuer="so-y-te") == [away.id]
    assert found(areas={"2020-03-01": ["00007", "99999"]}) == [away.id]
    assert found(areas={"2020-03-01": ["00004", "00007"]}) == [away.id, work.id, live.id]
    assert found(areas={"2020-03-01": []}) == []
    assert found(areas={}) == []
    assert found(areas={"2025-07-01": ["00007"], "2020-03-01": ["00004"]}) == [work.id, live.id]
    first = view.find(here.conn, limit=2)
    assert found(limit=2, before=first[-1].position) == [live.id]
    assert view.one(here.conn, uuid4()) is None


def test_only_live_alerts_are_live_for_an_area(here: World) -> None:
    stays, moves, ends, work = Alert(), Alert(), Alert(), Alert()
    here.append(*stays.issue(), *moves.issue(), *ends.issue(), work.drafted())
    follower = here.follower(Board())
    follower.catch_up()

    def live(*areas: str) -> list[UUID]:
        return [row.alert_id for row in view.live_for(here.conn, areas)]

    assert live("00001") == [ends.id, moves.id, stays.id]
    here.append(*moves.update(ELSEWHERE), ends.expired())
    follower.catch_up()
    assert live("00001", "00004") == [stays.id]
    assert live("00007") == [moves.id]
    assert live("00001", "00007") == [moves.id, stays.id]


def test_due_is_live_and_past_its_end(here: World) -> None:
    early, late, ended = Alert(), Alert(), Alert()
    for alert, hours in ((early, 1), (late, 2), (ended, 1)):
        events = alert.issue()[:-1]
        alert.events -= 1
        here.append(*events, alert.issued(AT + timedelta(hours=hours)))
    here.append(ended.expired())
    here.follower(Board()).catch_up()
    assert view.due(here.conn, AT) == []
    assert view.due(here.conn, AT + timedelta(hours=1)) == [early.id]
    assert view.due(here.conn, END) == [early.id, late.id]
