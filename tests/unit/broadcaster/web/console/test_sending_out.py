"""Before and after a version goes out: the clock, the quiet hours, counts, what is alike, corrections."""

from datetime import timedelta
from uuid import UUID

import pytest

from broadcaster.accounts import codes
from broadcaster.web.console.alerts import foretold
from broadcaster.web.console.writing import local
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.test_accounting_api import deliver
from tests.unit.broadcaster.web.town import SECRET, Client, Town

BULLETIN = {
    "kind": "bulletin",
    "category": "mua_lon",
    "severity": "Minor",
    "risk_level": "1",
    "headline": "Lịch bơm tiêu úng",
    "description": "Trạm bơm chạy từ sáng mai.",
    "areas": ["00001"],
}


def put_up(town: Town, **changes: object) -> Browser:
    """As lan; answers minh at the review page."""
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Trình duyệt", **(BULLETIN | changes))
    assert lan.status == 200, lan.text
    return Browser(town).sign_in("minh").go(lan.path)


def test_an_approved_version_is_put_on_the_clock_and_taken_off(town: Town) -> None:
    minh = put_up(town).press("Chỉ duyệt", sure=True)
    due = town.now + timedelta(hours=3)
    minh.press("Hẹn giờ", sure=True)
    assert minh.status == 422
    assert 'id="error-schedule-due"' in minh.answer.text
    minh.press("Hẹn giờ", sure=True, due="18 giờ")
    minh.sees("Ngày giờ chưa đúng.")
    minh.press("Hẹn giờ", sure=True, due=local(town.now - timedelta(hours=1)))
    minh.sees("Giờ hẹn phát chưa đúng.")
    minh.press("Hẹn giờ", due=local(due))
    minh.sees("Cần đánh dấu xác nhận.")
    path = minh.press("Hẹn giờ", sure=True, due=local(due)).path
    assert minh.status == 200, minh.text
    minh.sees("Hẹn phát lúc 12:00, 10/07/2024.", "Đổi giờ hẹn phát")
    minh.press("Bỏ hẹn giờ")
    assert "Hẹn phát lúc" not in minh.text
    minh.sees("Đã duyệt, chưa phát", "Phát ngay")
    # What goes out by itself is sent out by whoever put it on the clock.
    town.later(minutes=11)
    minh.go(path).press("Hẹn giờ", sure=True, due=local(due))
    minh.sees("Cần mã xác thực mới.")


def test_an_auditor_puts_nothing_on_the_clock(town: Town) -> None:
    minh = put_up(town).press("Chỉ duyệt", sure=True)
    hoa = Browser(town).sign_in("hoa").go(minh.path)
    assert "Hẹn giờ" not in hoa.text
    values = [("csrf", hoa.csrf()), ("sure", "1"), ("expected", "3"), ("due", "2024-07-10T12:00")]
    hoa.send(f"{minh.path}/do/schedule", values)
    assert hoa.status == 422
    hoa.sees("Tài khoản không có vai trò này")
    assert "Hẹn phát lúc" not in hoa.text


def test_a_bulletin_at_night_says_that_it_waits(town: Town) -> None:
    town.later(hours=14)
    assert town.now.hour + 7 == 23
    minh = put_up(town)
    minh.sees("Đang là giờ yên tĩnh: bản tin phát bây giờ sẽ đợi đến 06:00, 11/07/2024.")
    minh.press("Duyệt và phát ngay", sure=True)
    assert minh.status == 200, minh.text
    assert not minh.path.endswith("/live")
    minh.sees("Hẹn phát lúc 06:00, 11/07/2024.")


def test_an_alert_at_night_waits_for_nothing(town: Town) -> None:
    town.later(hours=14)
    minh = put_up(town, kind="alert", severity="Severe")
    assert "giờ yên tĩnh:" not in minh.text
    assert minh.press("Duyệt và phát ngay", sure=True).path.endswith("/live")


def test_the_review_counts_and_warns_of_what_is_alike(town: Town) -> None:
    live = town.issue(texts={"vi": {"headline": "Lịch bơm tiêu úng Phúc Xá", "description": "x"}})
    town.catch_up()
    minh = put_up(town)
    minh.sees("Trước khi phát", "Gửi hết trong", "Đếm lúc 09:00")
    minh.sees("Gần giống tin đang phát", "Lịch bơm tiêu úng Phúc Xá", "chung địa bàn")
    assert f"/console/alerts/{live}/live" in minh.answer.text
    minh.go(f"{minh.path}?lang=en").sees("Before it goes out", "Much like a live alert")


def test_a_large_audience_is_counted_when_someone_asks(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foretold, "SMALL", -1)
    minh = put_up(town)
    assert "Gửi hết trong" not in minh.text
    minh.sees("Đếm chính xác người nhận")
    path = minh.path
    minh.go(f"{path}?count=1").sees("Gửi hết trong", "Đếm lúc 09:00")
    # It is kept for a minute, for everyone.
    Browser(town, cookies=dict(minh.cookies)).go(path).sees("Đếm lúc 09:00")
    town.later(minutes=2)
    assert "Gửi hết trong" not in minh.go(path).text
    minh.go(f"{path}?count=1").sees("Đếm lúc 09:02")


def test_the_live_page_tells_communes_apart(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    town.catch_up()
    lan = Browser(town).sign_in("lan").go(f"/console/alerts/{alert_id}/live")
    lan.sees("Theo xã, phường, nơi sót nhiều nhất trước", "Phường Phúc Xá", "không tới")
    table = lan.go(f"/console/alerts/{alert_id}/accounting.csv").answer.text
    assert "Phường Phúc Xá" in table


def test_a_correction_is_ticked_and_timed(town: Town) -> None:
    alert_id = town.issue()
    town.later(hours=2)
    town.catch_up()
    lan = Browser(town).sign_in("lan").go(f"/console/alerts/{alert_id}/live").press("Cập nhật")
    lan.sees("Đính chính: bản này sửa điều đã phát sai")
    lan.press("Trình duyệt", corrects=True, description="Nước đã rút.")
    assert lan.status == 200, lan.text
    lan.sees("Đính chính")
    code = codes.code(SECRET, town.now)
    minh = Browser(town).sign_in("minh", code=code).go(lan.path).press("Duyệt và phát ngay", sure=True)
    minh.sees("Bản 1 phát sai.", "Sửa bằng bản cập nhật", "2 giờ")


def test_an_update_that_corrects_nothing_is_no_correction(town: Town) -> None:
    alert_id = town.issue()
    town.catch_up()
    lan = Browser(town).sign_in("lan").go(f"/console/alerts/{alert_id}/live").press("Cập nhật")
    lan.press("Lưu nháp", corrects=True).press("Trình duyệt", corrects=False, description="Thêm.")
    work = town.office.alert(UUID(alert_id)).work
    assert work is not None
    assert not work.corrects


def test_the_first_version_has_nothing_to_correct(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    assert "Đính chính" not in lan.text


def test_the_accounting_is_for_the_house(town: Town) -> None:
    alert_id = town.issue()
    town.catch_up()
    path = f"/console/alerts/{alert_id}/accounting.csv"
    kiem = Browser(town).sign_in("kiem").go(path)
    assert kiem.status == 200
    assert kiem.answer.headers["content-type"].startswith("text/csv")
    assert kiem.answer.headers["cache-control"] == "no-store"
    assert Client(town.app).get(path, Accept="text/html").status_code == 303
