"""Lines of the audit name things as they were called when the event was recorded."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg_pool import ConnectionPool

from broadcaster.issuer import Issuer
from broadcaster.log import LOG_DDL, AlertLog
from broadcaster.office.records import Records
from broadcaster.proof.lines import Line, Lines
from schemas.events import (
    AlertApproved,
    AlertDrafted,
    AlertRevised,
    AreaSetRetired,
    AreaSetSaved,
    IssuerMoved,
    IssuerRegistered,
    RoleGranted,
    ScreenGroupChanged,
    ScreenMoved,
    ScreenRemoved,
)
from schemas.events import TestersChanged as Changed
from schemas.ids import account_stream, issuer_stream
from tests.unit.projections.story import AREAS_2025, Story, content

BODY = "ubnd-00004"
GROUP = UUID(int=5)


@pytest.fixture(name="pool")
def _pool(database: str) -> Any:
    with ConnectionPool[Any](database, min_size=1, max_size=2, open=False) as pool:
        with pool.connection() as conn:
            conn.execute(LOG_DDL.encode())
        yield pool


def lines(pool: ConnectionPool[Any], story: Story) -> dict[int, Line]:
    """Every line of the story, from a log that holds it."""
    log = AlertLog(pool)
    bodies: dict[str, Issuer] = {}
    for each in story.log:
        log.append([each.event], at=each.recorded_at)
        if isinstance(each.event, IssuerRegistered | IssuerMoved):
            bodies[each.event.issuer_id] = Issuer.fold(bodies.get(each.event.issuer_id), each.event)
    with pool.connection() as conn:
        return Lines(Records(log), lambda: bodies).of(conn, [each.position for each in story.log])


def grant(story: Story, account: str) -> int:
    return story.tell(RoleGranted, account_stream(account), account=account, body=BODY, role="author")


def test_a_body_is_called_as_it_was_that_day(pool: ConnectionPool[Any]) -> None:
    story = Story()
    story.adopt()
    story.body(BODY, 3, name="UBND phường Trúc Bạch", area="00004")
    before = grant(story, "mai")
    story.adopt("2025-07-01", AREAS_2025)
    story.tell(
        IssuerMoved,
        issuer_stream(BODY),
        issuer_id=BODY,
        edition="2025-07-01",
        area="00004",
        level=2,
        name="UBND phường Ba Đình",
        parent=None,
    )
    same_day = grant(story, "tam")
    story.wait(days=400)
    after = grant(story, "hai")
    found = lines(pool, story)
    old = f"Cấp quyền soạn tin của UBND phường Trúc Bạch ({BODY}) cho "
    assert found[before].words.vi == old + "mai"
    assert found[same_day].words.vi == old + "tam"
    assert found[after].words.en == f"Granted author of UBND phường Ba Đình ({BODY}) to hai"


def test_an_area_is_called_as_in_its_edition(pool: ConnectionPool[Any]) -> None:
    story = Story()
    story.adopt()
    story.adopt("2025-07-01", AREAS_2025)
    screen = story.screen("00004", name="Chợ Châu Long")
    put_up = len(story.log)
    moved = story.tell(ScreenMoved, screen, area="00004", edition="2025-07-01")
    gone = story.tell(ScreenRemoved, screen)
    sets = uuid4()
    saved = story.tell(
        AreaSetSaved,
        sets,
        area_set_id=sets,
        issuer_id=BODY,
        version=1,
        name="Ven sông",
        edition="2020-03-01",
        areas=("00001", "00004", "00049", "001", "002"),
    )
    renamed = story.tell(
        AreaSetSaved,
        sets,
        area_set_id=sets,
        issuer_id=BODY,
        version=2,
        name="Bờ sông",
        edition="2020-03-01",
        areas=("99999",),
    )
    retired = story.tell(AreaSetRetired, sets, area_set_id=sets)
    people = story.tell(Changed, uuid4(), area="00001", edition="2020-03-01", added=2, removed=0)
    found = lines(pool, story)
    assert (
        found[put_up].words.vi == "Lắp màn hình Chợ Châu Long tại Phường Trúc Bạch (00004) (bảng LED nhỏ)"
    )
    assert "Phường Ba Đình (00004)" in found[moved].words.vi
    assert (found[moved].subject, found[gone].subject) == ("Chợ Châu Long", "Chợ Châu Long")
    listed = "Phường Phúc Xá 00001; Phường Trúc Bạch 00004; Phường Hàng Bạc 00049"
    assert found[saved].words.vi == f"Lưu nhóm địa bàn Ven sông: 5 đơn vị ({listed} và 2 nữa)"
    assert found[saved].words.en.endswith(f"5 areas ({listed} and 2 more)")
    assert found[saved].subject == "Ven sông"
    assert found[renamed].words.vi.endswith("1 đơn vị (99999)")  # No such area: its code stands.
    assert found[retired].subject == "Bờ sông"
    assert found[people].words.vi.startswith("Người tham gia thử tại Phường Phúc Xá (00001)")


def test_an_alert_is_called_as_it_read_then(pool: ConnectionPool[Any]) -> None:
    story, alert = Story(), uuid4()
    story.adopt()
    first = story.tell(AlertDrafted, alert, issuer_id=BODY, content=content())
    texts = {"vi": {"headline": "Ngập sâu", "description": "x"}}
    second = story.tell(AlertRevised, alert, version=1, content=content().model_dump() | {"texts": texts})
    approved = story.tell(AlertApproved, alert, version=1)
    found = lines(pool, story)
    assert [found[each].headline for each in (first, second, approved)] == [
        "Mưa lớn, ngập sâu",
        "Ngập sâu",
        "Ngập sâu",
    ]


def test_screens_of_a_group_are_named(pool: ConnectionPool[Any]) -> None:
    story = Story()
    story.adopt()
    screens = [story.screen("00001", name=f"Bảng {number}") for number in range(4)]
    unknown = UUID(int=77)
    changed = story.tell(ScreenGroupChanged, GROUP, group_id=GROUP, added=(*screens,), removed=(unknown,))
    found = lines(pool, story)
    assert found[changed].words.vi == (
        f"Nhóm màn hình: thêm 4 (Bảng 0; Bảng 1; Bảng 2 và 1 nữa), bớt 1 ({unknown})"
    )


def test_a_row_that_is_no_event_any_more_is_left_out(pool: ConnectionPool[Any]) -> None:
    story = Story()
    story.adopt()
    screen = story.screen("00001", name="Bảng 1")
    gone = story.tell(ScreenRemoved, screen)
    assert len(lines(pool, story)) == 3
    with pool.connection() as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("UPDATE events SET state = '{' WHERE position = 2")
        conn.execute("SET session_replication_role = origin")
    with pool.connection() as conn:
        found = Lines(Records(AlertLog(pool)), dict[str, Issuer]).of(conn, [1, 2, 3, 4])
    assert sorted(found) == [1, gone]
    assert found[gone].subject is None
