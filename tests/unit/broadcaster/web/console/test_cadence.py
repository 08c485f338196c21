"""The dashboard of the cadence, and a body's page: for everyone of the house."""

from typing import Any

import pytest
from lxml import html

from schemas.events import ExportMade
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import CITY, HANG_BAC, Client, Town


def ten_days(town: Town) -> str:
    """Phúc Xá issues once, a day after its duty began, the city never; Hàng Bạc is let off."""
    town.later(days=1)
    alert_id = town.issue()
    town.later(days=10)
    let_off = {"issuer_id": HANG_BAC, "reason": "Trụ sở ngập"}
    town.client("hoa").post("/v1/cadence/exemptions", let_off).raise_for_status()
    town.later(hours=1)
    town.catch_up()
    return alert_id


def found(browser: Browser, path: str) -> list[str]:
    tree: Any = html.fromstring(browser.answer.text)
    return [str(each).strip() for each in tree.xpath(path)]


def names(browser: Browser) -> list[str]:
    return found(browser, "//table[contains(@class, 'bodies')]//tbody//th//a/text()")


@pytest.mark.parametrize("account", ["lan", "minh", "hoa", "kiem"])
def test_everyone_of_the_house_sees_every_body(town: Town, account: str) -> None:
    ten_days(town)
    page = Browser(town).sign_in(account).go("/console/cadence")
    assert page.status == 200
    # Of two who are overdue the one that was due first.
    assert names(page) == ["UBND thành phố Hà Nội", "UBND phường Phúc Xá", "UBND phường Hàng Bạc"]
    page.sees("Quá hạn", "Được miễn", "chưa có tin", "30 ngày qua", "Tải báo cáo")
    assert page.answer.text.count('<svg class="strip"') == 3


def test_tiles_and_level_are_filters(town: Town) -> None:
    ten_days(town)
    kiem = Browser(town).sign_in("kiem").go("/console/cadence?state=exempt")
    assert names(kiem) == ["UBND phường Hàng Bạc"]
    assert 'href="/console/cadence?state=overdue"' in kiem.answer.text
    kiem.press("Lọc", level="1")
    assert names(kiem) == []
    kiem.sees("Không có cơ quan nào phù hợp.")
    assert names(kiem.go("/console/cadence?level=1")) == ["UBND thành phố Hà Nội"]
    assert names(kiem.go("/console/cadence?words=phuc+xa")) == ["UBND phường Phúc Xá"]
    assert names(kiem.go("/console/cadence?page=2")) == []
    assert kiem.go("/console/cadence?state=late").status == 422


def test_a_day_with_an_item_and_a_day_overdue_are_drawn(town: Town) -> None:
    ten_days(town)
    kiem = Browser(town).sign_in("kiem").go("/console/cadence?words=phuc+xa")
    assert 'aria-label="1 ngày có tin, 7 ngày quá hạn"' in kiem.answer.text
    drawn = found(kiem, "//table//*[local-name()='svg']/*/@d")
    assert sorted(path.count("z") for path in drawn) == [1, 7, 22]


def test_the_report_is_one_press_away(town: Town) -> None:
    ten_days(town)
    kiem = Browser(town).sign_in("kiem").go("/console/cadence?level=3")
    links = found(kiem, "//a[@download]/@href")
    assert [link.partition("format=")[2] for link in links] == [
        "csv&level=3",
        "xlsx&level=3",
        "html&level=3",
    ]
    for link in links:
        assert kiem.go(link).status == 200, link
    assert kiem.answer.headers["content-disposition"].startswith("attachment")


def test_a_body_is_told_whole(town: Town) -> None:
    alert_id = ten_days(town)
    lan = Browser(town).sign_in("lan").go("/console/cadence/ubnd-00001")
    lan.sees("UBND phường Phúc Xá", "Quá hạn từ", "Mưa lớn, ngập sâu", "Được tính", "Hạn của tin tới")
    lan.sees("đang quá hạn", "kỳ có tin", "Một tin trong 3 ngày", "tính theo ngày lịch")
    assert f"/console/alerts/{alert_id}/live" in lan.answer.text
    lan.go(f"/console/cadence/{HANG_BAC}").sees(
        "Trụ sở ngập", "khi có quyết định khác", "Chưa phát tin nào."
    )
    assert lan.go("/console/cadence/none").status == 404


def test_what_does_not_count_says_why(town: Town) -> None:
    exercise = town.issue(mode="exercise")
    wrong = town.issue()
    town.client("lan").post(
        f"/v1/alerts/{wrong}/cancel", {"reason": "Nhầm", "in_error": True}
    ).raise_for_status()
    town.catch_up()
    lan = Browser(town).sign_in("lan").go("/console/cadence/ubnd-00001")
    lan.sees("Không tính: diễn tập hoặc thử", "Không tính: đã hủy vì phát nhầm")
    assert exercise in lan.answer.text
    lan.go("/console/cadence/ubnd-00001?lang=en").sees("Does not count: an exercise or a test")


def test_a_body_that_is_let_off_finds_its_way_from_the_first_page(town: Town) -> None:
    ten_days(town)
    tuan = Browser(town).sign_in("tuan")
    assert tuan.status == 200
    tuan.sees("Được miễn")
    assert f"/console/cadence/{HANG_BAC}" in tuan.answer.text


def test_a_report_that_was_taken_is_in_the_log(town: Town) -> None:
    ten_days(town)
    kiem = Browser(town).sign_in("kiem").go("/console/cadence")
    (address,) = found(kiem, "//a[contains(@href, 'format=csv')]/@href")
    taken = kiem.go(address)
    assert taken.status == 200
    (recorded,) = town.log.read(0, 10, [ExportMade.TOPIC])
    made = recorded.event
    assert isinstance(made, ExportMade)
    assert (made.what, made.form, made.by.account, made.by.body) == ("cadence_report", "csv", "kiem", CITY)
    assert Client(town.app).get(address, Accept="text/html").status_code == 303
