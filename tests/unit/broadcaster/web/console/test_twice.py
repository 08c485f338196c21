"""A button that is pressed twice: one alert, one key, and a page that says what the first press did."""

import threading
from typing import Any

import pytest

from broadcaster.accounts import codes
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.console.test_story import ALERT
from tests.unit.broadcaster.web.town import SECRET, Town

NOT_TWICE = "không có gì được gửi hai lần"


def topics(town: Town) -> list[str]:
    return [one.event.TOPIC for one in town.log.everything() if one.event.TOPIC.startswith("alert.")]


@pytest.fixture(name="path")
def _path(town: Town) -> str:
    """Of an alert that waits for approval."""
    return Browser(town).sign_in("lan").go("/console/compose").press("Trình duyệt", **ALERT).path


def tab(browser: Browser) -> Browser:
    """The same page once more, in another tab: its form has a mark of its own."""
    return Browser(browser.town, cookies=dict(browser.cookies)).go(browser.path)


def test_an_approval_that_comes_twice_says_when_the_first_came(town: Town, path: str) -> None:
    minh = Browser(town).sign_in("minh").go(path)
    late = tab(minh)
    minh.press("Duyệt và phát ngay", sure=True)
    before = topics(town)
    town.later(minutes=20)
    late.press("Duyệt và phát ngay", sure=True)
    assert (late.status, topics(town)) == (200, before)
    late.sees("Việc này đã xong từ trước", "Bạn đã duyệt", "Bạn đã phát", "09:00", NOT_TWICE)
    assert "Chưa làm được" not in late.text
    # A reload of that page posts nothing.
    assert late.go(late.path).status == 200


def test_another_approver_is_told_who_was_quicker(town: Town, path: str) -> None:
    minh = Browser(town).sign_in("minh").go(path)
    late = tab(minh)
    minh.press("Chỉ duyệt", sure=True)
    before = topics(town)
    late.press("Duyệt và phát ngay", sure=True)
    # Approved, and not sent out: what is left to do is on the page.
    late.sees("Bạn đã duyệt", "Phát ngay", NOT_TWICE)
    assert topics(town) == before


@pytest.mark.parametrize(
    ("button", "said", "topic"),
    [
        ("Trả lại", {"reason": "Thiếu giờ"}, "alert.returned"),
        ("Từ chối", {"reason": "Trùng tin"}, "alert.rejected"),
    ],
)
def test_a_refusal_that_comes_twice(
    town: Town, path: str, button: str, said: dict[str, str], topic: str
) -> None:
    minh = Browser(town).sign_in("minh").go(path)
    late = tab(minh)
    minh.press(button, **said)
    late.press(button, **said)
    assert topics(town).count(topic) == 1
    late.sees("Bạn " + button.lower().join(["đã ", ""]), NOT_TWICE)


def test_issuing_and_withdrawing_twice(town: Town, path: str) -> None:
    minh = Browser(town).sign_in("minh").go(path)
    minh.press("Chỉ duyệt", sure=True)
    late = tab(minh)
    minh.press("Phát ngay", sure=True)
    late.press("Phát ngay", sure=True)
    late.sees("Bạn đã phát", NOT_TWICE)
    minh.go(f"{path}/cancel")
    late = tab(minh)
    minh.press("Hủy cảnh báo ngay", reason="Đã hết", sure=True)
    late.press("Hủy cảnh báo ngay", reason="Đã hết", sure=True)
    assert late.status == 200
    late.sees("Bạn đã hủy cảnh báo", NOT_TWICE)
    assert [topics(town).count(each) for each in ("alert.issued", "alert.cancelled")] == [1, 1]


def test_who_withdraws_after_another_keeps_the_reason(town: Town, path: str) -> None:
    Browser(town).sign_in("minh").go(path).press("Duyệt và phát ngay", sure=True)
    lan = Browser(town, cookies={}).go("/console")
    town.later(seconds=30)
    lan.sign_in("lan").go(f"{path}/cancel")
    town.later(seconds=30)
    Browser(town).sign_in("minh").go(f"{path}/cancel").press("Hủy cảnh báo ngay", reason="Hết", sure=True)
    lan.press("Hủy cảnh báo ngay", reason="Chữ của lan", sure=True)
    assert lan.status == 409
    lan.sees("cảnh báo đã ở trạng thái khác", "Chữ của lan", "Chưa lưu, chưa gửi gì.")


def test_two_presses_at_once_are_one(town: Town, path: str) -> None:
    """With the code in the form: the first press takes it, and the second is not told that it is used."""
    minh = Browser(town).sign_in("minh").go(path)
    town.later(minutes=11)
    code = codes.code(SECRET, town.now)
    # Of one page, and of two.
    tabs = [
        minh.go(path),
        Browser(town, cookies=dict(minh.cookies), path=path, answer=minh.answer),
        tab(minh),
    ]

    def press(browser: Browser) -> None:
        browser.press("Duyệt và phát ngay", sure=True, code=code)

    threads = [threading.Thread(target=press, args=(each,)) for each in tabs]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [each.status for each in tabs] == [200] * 3, [each.text[:300] for each in tabs]
    assert [topics(town).count(each) for each in ("alert.approved", "alert.issued")] == [1, 1]


def test_what_is_shown_once_is_not_lost_to_a_second_press(town: Town) -> None:
    hoa = Browser(town).sign_in("hoa").go("/console/keys")
    page = hoa.answer

    def ask(**said: Any) -> str:
        hoa.answer, hoa.path = page, "/console/keys"
        hoa.press("Đề nghị khóa", account="tram-do-mua", **said)
        return str(hoa._tree().xpath("string(//code[@class='secret'])"))  # pyright: ignore[reportPrivateUsage]

    first = ask()
    assert first
    assert (ask(), hoa.status) == (first, 200)
    assert len([each for each in town.log.everything() if each.event.TOPIC == "access.asked"]) == 1
    # Nobody else is shown it: neither who has another session nor who has none.
    hoa.cookies = {}
    assert ask() == ""
    hoa.cookies = Browser(town).sign_in("lan").cookies
    assert ask() == ""


def test_a_form_that_was_refused_is_judged_anew(town: Town, path: str) -> None:
    minh = Browser(town).sign_in("minh").go(path)
    page = minh.answer
    for _ in range(2):
        minh.answer = page
        assert minh.press("Trả lại", reason="").status == 422
    minh.answer = page
    assert minh.press("Trả lại", reason="Thiếu giờ").status == 200
    assert topics(town)[-1] == "alert.returned"
