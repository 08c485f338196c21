"""What someone types while a role is taken away, an account is closed or the house changes is not lost."""

import base64
from urllib.parse import urlencode

import pytest

from broadcaster.account import Role
from broadcaster.accounts.sessions import csrf_of
from broadcaster.web.console.doors import keeping
from broadcaster.web.console.form import CSRF, Form
from schemas.events import Actor
from tests.unit.broadcaster.web.console.browser import FORM, HTML, Browser
from tests.unit.broadcaster.web.console.test_lapsed import BACK, value
from tests.unit.broadcaster.web.console.test_story import ALERT
from tests.unit.broadcaster.web.town import BASE, CITY, PHUC_XA, SYSTEM, Client, Town

UNSENT = "Chưa lưu, chưa gửi gì."


HOA = Actor(account="hoa", body=PHUC_XA)


def take_away(town: Town, account: str, role: Role, by: Actor = HOA) -> None:
    services = town.app.app._app.state.services  # type: ignore[attr-defined]  # behind the guard
    services.access.revoke(by, account, PHUC_XA, role, at=town.now)
    town.catch_up()


def test_a_role_that_is_taken_away_while_one_types(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    take_away(town, "lan", Role.AUTHOR)
    lan.press("Trình duyệt", **ALERT)
    assert lan.status == 403
    lan.sees("Tài khoản không có quyền làm việc này", "hoa · 09:00", UNSENT)
    lan.sees(str(ALERT["headline"]), str(ALERT["description"]), "Tiêu đề")
    assert town.drafts.of([PHUC_XA]) == []
    # Without the role the words stay; with it again they stand in the form.
    lan.press("Viết tiếp từ chữ này").sees("Chữ bạn vừa viết", str(ALERT["headline"]))
    assert [each.event.TOPIC for each in town.log.everything() if each.event.TOPIC == "alert.drafted"] == []


def test_with_the_role_again_it_is_written_on(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    take_away(town, "lan", Role.AUTHOR)
    lan.press("Lưu nháp", headline="Mưa")
    town.setup.grant(SYSTEM, "lan", PHUC_XA, Role.AUTHOR, at=town.now)
    lan.press("Viết tiếp từ chữ này").sees(BACK)
    assert value(lan, "headline") == "Mưa"
    lan.press("Lưu nháp").sees("Đã lưu nháp")


@pytest.mark.parametrize(
    ("role", "page", "button", "said"),
    [
        (Role.APPROVER, "alert", "Trả lại", {"reason": "Thiếu giờ kết thúc"}),
        (Role.APPROVER, "cancel", "Hủy cảnh báo ngay", {"reason": "Báo nhầm", "sure": True}),
    ],
)
def test_an_approver_who_is_one_no_more(
    town: Town, role: Role, page: str, button: str, said: dict[str, str]
) -> None:
    path = Browser(town).sign_in("lan").go("/console/compose").press("Trình duyệt", **ALERT).path
    minh = Browser(town).sign_in("minh").go(path)
    if page == "cancel":
        minh.press("Duyệt và phát ngay", sure=True).go(f"{path}/cancel")
    take_away(town, "minh", role)
    minh.press(button, **said)
    assert minh.status == 403 if page == "cancel" else minh.status in {403, 404, 422}
    minh.sees(said["reason"])


def test_a_manager_who_is_one_no_more(town: Town) -> None:
    hoa = Browser(town).sign_in("hoa").go(f"/console/bodies/{PHUC_XA}")
    town.setup.grant(SYSTEM, "hoa", PHUC_XA, Role.AUDITOR, at=town.now)
    town.setup.grant(SYSTEM, "kiem", CITY, Role.MANAGER, at=town.now)
    take_away(town, "hoa", Role.MANAGER, by=Actor(account="kiem", body=CITY))
    values = [("csrf", hoa.csrf()), ("kind", "phone"), ("value", "024 3826 0000")]
    hoa.send(f"/console/bodies/{PHUC_XA}/contacts", values)
    assert hoa.status == 403
    hoa.sees("024 3826 0000", UNSENT)


def test_an_account_that_is_closed_while_one_types(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    page = lan.answer
    town.desk.accounts.close("lan", "system:setup", town.now)
    lan.press("Lưu nháp", headline="Mưa lớn")
    assert lan.status == 403
    lan.sees("Tài khoản đã đóng", "Mưa lớn", UNSENT)
    assert "Đăng nhập" not in lan.text
    # A script is told, too, and leads nobody to a door that stays shut.
    said = {"Accept": "*/*", "Content-Type": FORM, "Origin": BASE, "If-Match": '"0"'}
    lan.answer = page
    content = urlencode([("csrf", lan.csrf()), ("headline", "Mưa")])
    path = f"/console/drafts/{'0' * 8}-0000-4000-8000-{'0' * 12}/autosave"
    assert Client(town.app)("POST", path, headers=said, content=content).status_code == 410
    # Another site learns nothing by it.
    other = said | {"Origin": "http://elsewhere.test"}
    assert Client(town.app)("POST", path, headers=other, content=content).status_code == 303


def old_token(browser: Browser) -> str:
    """As pages had it before whom they were shown to stood behind it."""
    return base64.urlsafe_b64encode(bytes(32) + csrf_of(browser.cookies["session"])).decode()


def test_a_page_of_a_release_before_posts_as_any(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    form, _ = lan._form("Lưu nháp")  # pyright: ignore[reportPrivateUsage]
    form.fields[CSRF] = old_token(lan)
    values = [(name, value) for name, value in form.form_values() if name not in {CSRF, "headline"}]
    lan.send(form.action, [*values, (CSRF, old_token(lan)), ("headline", "Mưa"), ("do", "save")])
    assert lan.status == 200
    assert [each.one("headline") for each in town.drafts.of([PHUC_XA])] == ["Mưa"]


def test_a_page_that_another_key_sealed_is_asked_again(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    form, _ = lan._form("Lưu nháp")  # pyright: ignore[reportPrivateUsage]
    values = [(name, value) for name, value in form.form_values() if name not in {CSRF, "headline"}]
    strange = base64.urlsafe_b64encode(bytes(150)).decode()
    lan.send(form.action, [*values, (CSRF, strange), ("headline", "Mưa")])
    assert (lan.status, town.drafts.of([PHUC_XA])) == (403, [])
    lan.sees(BACK)
    assert value(lan, "headline") == "Mưa"
    lan.press("Lưu nháp").sees("Đã lưu nháp")


def test_a_form_of_another_release_is_not_lost(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    form, _ = lan._form("Lưu nháp")  # pyright: ignore[reportPrivateUsage]
    lan.send(form.action, [(CSRF, lan.csrf()), ("headline", "Mưa"), ("version", "moi")])
    assert lan.status == 400
    lan.sees("Yêu cầu không hợp lệ.", "Mưa", UNSENT)


def test_a_database_that_is_away_takes_no_word(own_town: Town) -> None:
    lan = Browser(own_town).sign_in("lan").go("/console/compose")
    own_town.pool.close()
    lan.press("Lưu nháp", headline="Mưa")
    assert lan.status == 503
    lan.sees("Hệ thống đang bận", "Mưa", "hãy xem lại trước khi bấm lần nữa", "Viết tiếp từ chữ này")
    services = own_town.app.app._app.state.services  # type: ignore[attr-defined]  # behind the guard
    kept = keeping.carried(services, Form({"kept": [value(lan, "kept")]}))
    assert kept is not None
    assert (kept.account, kept.form.one("headline")) == ("lan", "Mưa")


def test_a_fault_of_our_own_takes_no_word(own_town: Town) -> None:
    lan = Browser(own_town).sign_in("lan").go("/console/compose")
    with own_town.pool.connection() as conn:
        conn.execute("DROP TABLE drafts CASCADE")
    lan.press("Lưu nháp", headline="Mưa")
    assert lan.status == 500
    lan.sees("Hệ thống đang bận", "Mưa", "Viết tiếp từ chữ này")


def test_another_sites_words_are_never_shown(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    path = f"/console/drafts/{'0' * 8}-0000-4000-8000-{'0' * 12}"
    said = {"Accept": HTML, "Content-Type": FORM, "Cookie": f"session={lan.cookies['session']}"}
    content = urlencode([("csrf", lan.csrf()), ("version", "0"), ("headline", "Gieo")])
    answer = Client(town.app)("POST", path, headers=said | {"Origin": "http://x.test"}, content=content)
    assert answer.status_code == 403
    assert "Gieo" not in answer.text


def test_pages_that_are_not_there_are_pages_of_the_console(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/alerts/" + "0" * 8 + "-0000-4000-8000-" + "0" * 12)
    assert lan.status == 404
    lan.sees("Không tìm thấy trang", "Việc của tôi", "lan")
