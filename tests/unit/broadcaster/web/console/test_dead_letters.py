"""Dead letters: read with their reasons, and settled once by a manager of the alert's body."""

from uuid import uuid4

import pytest

from broadcaster.account import Role
from schemas.dispatch import Dispatch
from schemas.events import DeadLetterReplayed, DeadLetterWrittenOff
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.test_accounting_api import deliver
from tests.unit.broadcaster.web.town import HANG_BAC, SYSTEM, Town


@pytest.fixture(name="letter")
def _letter(town: Town) -> Dispatch:
    return deliver(town, town.issue(texts={"vi": {"headline": "Ngập bãi giữa", "description": "x"}}))


def settled(town: Town) -> list[str]:
    kinds = (DeadLetterReplayed, DeadLetterWrittenOff)
    return [each.event.TOPIC for each in town.log.everything() if isinstance(each.event, kinds)]


def test_a_manager_has_them_tried_once_more(town: Town, letter: Dispatch) -> None:
    hoa = Browser(town).sign_in("hoa").go("/console/dead-letters")
    hoa.sees("Ngập bãi giữa", "1 người nhận", "UNAVAILABLE", "Chưa xử lý")
    hoa.go(f"/console/dead-letters/{letter.id}").sees("Phường Trúc Bạch: 1", "Google (FCM) · 1")
    hoa.press("Gửi lại", reason="  ")
    hoa.sees("Chưa điền.")
    assert settled(town) == []
    hoa.press("Gửi lại", reason="Nhà mạng đã thông")
    hoa.sees("Đã gửi lại")
    town.follow()
    hoa.go(f"/console/dead-letters/{letter.id}").sees("hoa", "Nhà mạng đã thông")
    (event,) = [e.event for e in town.log.everything() if isinstance(e.event, DeadLetterReplayed)]
    assert (event.by.account, list(event.dispatch.ranks)) == ("hoa", [4])
    hoa.go("/console/dead-letters").sees("Không có mục nào phù hợp.")
    hoa.go("/console/dead-letters?state=replayed&channel=push").sees("Ngập bãi giữa")


def test_or_lets_them_be(town: Town, letter: Dispatch) -> None:
    hoa = Browser(town).sign_in("hoa").go(f"/console/dead-letters/{letter.id}")
    values = [("csrf", hoa.csrf()), ("do", "replay"), ("reason", "lần nữa")]
    hoa.press("Bỏ qua", reason="Số đã cũ").sees("Đã bỏ qua")
    assert settled(town) == ["dead_letter.written_off"]
    # A second page of the same manager, opened before.
    assert hoa.send(f"/console/dead-letters/{letter.id}", values).status == 422
    hoa.sees("đã xử lý rồi")
    assert settled(town) == ["dead_letter.written_off"]
    hoa.go("/console/dead-letters?state=&lang=en").sees("Written off")


def test_what_is_moot_can_only_be_let_be(town: Town, letter: Dispatch) -> None:
    town.later(hours=12)
    hoa = Browser(town).sign_in("hoa").go(f"/console/dead-letters/{letter.id}")
    hoa.sees("Tin đã hết hạn")
    assert 'value="replay"' not in hoa.answer.text
    values = [("csrf", hoa.csrf()), ("do", "replay"), ("reason", "x")]
    assert hoa.send(f"/console/dead-letters/{letter.id}", values).status == 422
    assert settled(town) == []


def test_it_takes_a_fresh_second_factor(town: Town, letter: Dispatch) -> None:
    hoa = Browser(town).sign_in("hoa")
    town.later(minutes=11)
    hoa.go(f"/console/dead-letters/{letter.id}").press("Bỏ qua", reason="x", code="")
    hoa.sees("Cần mã xác thực mới.")
    assert settled(town) == []


def test_others_may_not(town: Town, letter: Dispatch) -> None:
    for path in ("/console/dead-letters", f"/console/dead-letters/{letter.id}"):
        assert Browser(town).sign_in("lan").go(path).status == 403
        town.later(seconds=30)
    town.setup.grant(SYSTEM, "tuan", HANG_BAC, Role.MANAGER, at=town.now)
    tuan = Browser(town).sign_in("tuan").go(f"/console/dead-letters/{letter.id}")
    assert 'name="reason"' not in tuan.answer.text
    values = [("csrf", tuan.csrf()), ("do", "write-off"), ("reason", "x")]
    assert tuan.send(f"/console/dead-letters/{letter.id}", values).status == 403
    assert tuan.go(f"/console/dead-letters/{uuid4()}").status == 404
    assert settled(town) == []
