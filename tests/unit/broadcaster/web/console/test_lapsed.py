"""A form whose session has ended: nothing is done, nothing typed is lost, nobody else reads it."""

import random
import string
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from broadcaster.account import Role
from broadcaster.accounts import codes
from broadcaster.web.console.doors import keeping
from broadcaster.web.console.form import Form
from broadcaster.web.console.routers import ROUTERS
from broadcaster.web.console.visitor import page_behind
from broadcaster.web.guard import MAX_BODY
from schemas.events import Actor
from tests.unit.broadcaster.web.console.browser import FORM, HTML, Browser
from tests.unit.broadcaster.web.console.test_story import ALERT
from tests.unit.broadcaster.web.town import BASE, PASSWORD, PHUC_XA, SECRET, Client, Town

KEPT = "Chữ bạn vừa viết được giữ trong trang này"
BACK = "vẫn còn ở đây"


def lapsed(town: Town, account: str = "lan", path: str = "/console/compose") -> Browser:
    """A page that is open while its session ends."""
    browser = Browser(town).sign_in(account).go(path)
    town.later(minutes=31)
    return browser


def sign_in_again(browser: Browser, account: str = "lan", **more: str) -> Browser:
    """On the page that asks for it."""
    code = codes.code(SECRET, browser.town.now)
    return browser.press("Đăng nhập", **({"account": account, "password": PASSWORD, "code": code} | more))


def value(browser: Browser, name: str) -> str:
    tree = browser._tree()  # pyright: ignore[reportPrivateUsage]
    return str(
        tree.xpath(f"string(//*[@name='{name}']/@value | //textarea[@name='{name}']/text())")
    ).strip()


def topics(town: Town) -> list[str]:
    return [one.event.TOPIC for one in town.log.everything() if one.event.TOPIC.startswith("alert.")]


def test_a_new_alert_is_written_on(town: Town) -> None:
    lan = lapsed(town)
    lan.press("Trình duyệt", **ALERT)
    assert (lan.status, lan.answer.headers["cache-control"]) == (401, "no-store")
    assert "www-authenticate" in lan.answer.headers
    lan.sees(KEPT, "Chưa lưu, chưa gửi gì")
    assert str(ALERT["headline"]) not in lan.answer.text
    assert (value(lan, "account"), town.drafts.of([PHUC_XA])) == ("lan", [])
    sign_in_again(lan)
    assert (lan.status, lan.answer.headers["cache-control"]) == (200, "no-store")
    lan.sees(BACK)
    assert value(lan, "headline") == ALERT["headline"]
    assert (town.drafts.of([PHUC_XA]), topics(town)) == ([], [])
    lan.press("Trình duyệt")
    assert lan.path.startswith("/console/alerts/")
    assert topics(town) == ["alert.drafted", "alert.submitted"]


def test_a_draft_is_written_on_line_by_line(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Lưu nháp", headline="Một")
    town.later(minutes=31)
    lan.press("Lưu nháp", description='Dòng một\n  <b>"hai"</b>\n\nba 🌀', areas=["00001"])
    sign_in_again(lan)
    assert value(lan, "description") == 'Dòng một\n  <b>"hai"</b>\n\nba 🌀'
    assert town.drafts.of([PHUC_XA])[0].version == 1
    lan.press("Lưu nháp")
    saved = town.drafts.of([PHUC_XA])[0]
    assert (saved.version, saved.fields["areas"]) == (2, ["00001"])
    assert saved.one("description").strip() == 'Dòng một\n  <b>"hai"</b>\n\nba 🌀'


def test_who_changed_it_meanwhile_is_shown_beside(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Lưu nháp", headline="Một")
    town.later(minutes=31)
    Browser(town).sign_in("lan").go(lan.path).press("Lưu nháp", headline="Hai")
    town.later(seconds=30)
    lan.press("Lưu nháp", headline="Ba")
    sign_in_again(lan)
    assert lan.status == 409
    lan.sees("Bản của bạn", "Ba", "Hai", BACK)
    town.later(minutes=31)
    lan.press("Dùng bản của tôi").sees(KEPT)
    sign_in_again(lan)
    assert lan.status == 409
    lan.press("Dùng bản của tôi")
    assert {each.one("headline") for each in town.drafts.of([PHUC_XA])} == {"Ba", "Hai"}


def test_what_was_put_up_meanwhile_leaves_the_words(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Lưu nháp", **ALERT)
    late = Browser(town, cookies=dict(lan.cookies)).go(lan.path)
    lan.press("Trình duyệt")
    town.later(minutes=31)
    late.press("Trình duyệt", description="Chữ của tôi")
    sign_in_again(late)
    assert late.status == 404
    late.sees("Bản nháp không còn", "Chữ của tôi")


def test_failed_and_throttled_tries_keep_it(town: Town) -> None:
    lan = lapsed(town)
    lan.press("Lưu nháp", headline="Mưa")
    for _ in range(5):
        sign_in_again(lan, password="guess")
        assert lan.status == 422
    sign_in_again(lan)
    assert lan.status == 429
    lan.sees(KEPT)
    town.later(seconds=31)
    lan.press("Mất điện thoại? Dùng mã dự phòng", password="x", code="x").sees("Mã dự phòng", KEPT)
    sign_in_again(lan)
    assert value(lan, "headline") == "Mưa"


def test_a_reload_of_the_answer_shows_it_again(town: Town) -> None:
    lan = lapsed(town).press("Lưu nháp", headline="Mưa")
    said = {"kept": value(lan, "kept"), "account": "lan", "password": PASSWORD}
    said["code"] = codes.code(SECRET, town.now)
    for _ in range(2):
        lan.send("/console/sign-in", list(said.items()))
        assert value(lan, "headline") == "Mưa"
    # Another name is no reload.
    assert (
        lan.send("/console/sign-in", [*(said | {"account": "minh", "password": "x"}).items()]).status == 422
    )


def test_signed_in_in_another_tab(town: Town) -> None:
    lan = lapsed(town).press("Lưu nháp", headline="Mưa")
    carrying = lan.answer
    lan.press("Đã đăng nhập ở thẻ khác: viết tiếp", password="x", code="x")
    assert lan.status == 401
    lan.cookies = Browser(town).sign_in("lan").cookies
    for _ in range(2):
        lan.answer = carrying
        lan.press("Đã đăng nhập ở thẻ khác: viết tiếp", password="x", code="x")
        assert value(lan, "headline") == "Mưa"
    lan.go("/console/kept").sees("quay lại thẻ có chữ đang viết")
    assert lan.send("/console/kept", [("kept", "x")]).path == "/console"


def test_an_old_form_of_who_signed_in_anew(town: Town) -> None:
    lan = lapsed(town)
    lan.cookies = Browser(town).sign_in("lan").cookies
    lan.press("Trình duyệt", **ALERT)
    assert (lan.status, topics(town)) == (403, [])
    lan.sees(BACK)
    lan.press("Trình duyệt")
    assert topics(town) == ["alert.drafted", "alert.submitted"]


def test_after_signing_out_in_another_tab(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose")
    tab = Browser(town, cookies=dict(lan.cookies)).go("/console").press("Thoát")
    lan.cookies = tab.cookies
    lan.press("Lưu nháp", headline="Mưa").sees(KEPT)
    town.later(seconds=30)
    sign_in_again(lan)
    assert value(lan, "headline") == "Mưa"


@pytest.mark.parametrize("other", ["minh", "tuan", "hoa"])
def test_nobody_else_reads_it(town: Town, other: str) -> None:
    lan = lapsed(town).press("Lưu nháp", headline="Chữ riêng")
    sign_in_again(lan, other)
    assert lan.status == 403
    lan.sees("Chữ của người khác")
    assert "Chữ riêng" not in lan.answer.text
    lan.press("Thoát để người viết đăng nhập")
    lan.sees(KEPT)
    assert lan.cookies == {}
    town.later(seconds=30)
    sign_in_again(lan)
    assert value(lan, "headline") == "Chữ riêng"


def test_who_lost_the_role_has_the_words_and_no_more(town: Town) -> None:
    lan = lapsed(town).press("Lưu nháp", headline="Mưa", body=PHUC_XA)
    manager = Actor(account="hoa", body=PHUC_XA)
    services = town.app.app._app.state.services  # type: ignore[attr-defined]  # behind the guard
    services.access.revoke(manager, "lan", PHUC_XA, Role.AUTHOR, at=town.now)
    sign_in_again(lan)
    lan.sees("Chữ bạn vừa viết", "Mưa")


def test_the_reason_of_a_withdrawal(town: Town) -> None:
    alert_id = town.issue()
    lan = lapsed(town, path=f"/console/alerts/{alert_id}/cancel")
    lan.press("Hủy cảnh báo ngay", reason="Báo nhầm chỗ", in_error=True, sure=True)
    assert lan.status == 401
    sign_in_again(lan)
    lan.sees("Hủy cảnh báo", BACK)
    assert value(lan, "reason") == "Báo nhầm chỗ"
    assert "alert.cancelled" not in topics(town)
    lan.press("Hủy cảnh báo ngay").sees("Cần đánh dấu xác nhận.")
    lan.press("Hủy cảnh báo ngay", sure=True)
    assert topics(town)[-1] == "alert.cancelled"


def test_a_withdrawal_that_someone_else_made_meanwhile_leaves_the_words(town: Town) -> None:
    alert_id = town.issue()
    lan = lapsed(town, path=f"/console/alerts/{alert_id}/cancel")
    Browser(town).sign_in("minh").go(f"/console/alerts/{alert_id}/cancel").press(
        "Hủy cảnh báo ngay", reason="Đã hết", sure=True
    )
    lan.press("Hủy cảnh báo ngay", reason="Báo nhầm chỗ", sure=True)
    sign_in_again(lan).sees("Chữ bạn vừa viết", "Báo nhầm chỗ")


def test_the_reason_of_a_reviewer(town: Town) -> None:
    alert_id = town.draft().json()["id"]
    town.office.alert(alert_id)
    lan = Browser(town).sign_in("lan")
    path = f"/console/alerts/{alert_id}"
    lan.go(path).press("Viết tiếp").press("Trình duyệt")
    minh = lapsed(town, "minh", path)
    minh.press("Trả lại", reason="Thiếu giờ kết thúc")
    sign_in_again(minh, "minh")
    assert value(minh, "reason") == "Thiếu giờ kết thúc"
    assert topics(town)[-1] == "alert.submitted"
    minh.press("Trả lại")
    assert topics(town)[-1] == "alert.returned"


def test_an_approval_is_only_asked_again(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/compose").press("Trình duyệt", **ALERT)
    minh = lapsed(town, "minh", lan.path)
    path = minh.path
    minh.press("Duyệt và phát ngay", sure=True)
    assert minh.path == f"/console/sign-in?next={path}"
    sign_in_again(minh, "minh")
    assert minh.path == path
    assert topics(town)[-1] == "alert.submitted"


def test_templates_and_sets(town: Town) -> None:
    said = {"name": "Mẫu ngập", "category": "mua_lon", "headline": "Ngập {noi}", "description": "Nước lên."}
    said["gaps"] = "noi | Nơi | bãi giữa | 40"
    lan = lapsed(town, "lan", "/console/templates/write/new").press("Lưu mẫu", **said)
    sign_in_again(lan)
    assert {name: value(lan, name) for name in ("name", "headline", "gaps")} == {
        name: said[name] for name in ("name", "headline", "gaps")
    }
    town.later(seconds=30)
    lan.press("Lưu mẫu")
    path = lan.path
    assert path.startswith("/console/templates/")
    town.later(minutes=31)
    lan.press("Lưu bản mới", name="Mẫu ngập hai").sees(KEPT)
    sign_in_again(lan)
    assert value(lan, "name") == "Mẫu ngập hai"


def test_areas_that_were_pasted_into_a_set(town: Town) -> None:
    lan = Browser(town).sign_in("city-author").go("/console/templates")
    lan.press("Lưu địa bàn mới", name="Ven sông", areas="Phường Phúc Xá")
    wrong = {"name": "Ven sông Hồng", "areas": "Phường Phúc Xá\nPhường Nào Đó"}
    lan.press("Lưu địa bàn", **wrong)
    assert (lan.status, set_form(lan)) == (422, wrong)
    town.later(minutes=31)
    lan.press("Lưu địa bàn", **wrong).sees(KEPT)
    sign_in_again(lan, "city-author")
    assert set_form(lan) == wrong


def set_form(browser: Browser) -> dict[str, str]:
    form, _ = browser._form("Lưu địa bàn")  # pyright: ignore[reportPrivateUsage]
    return {name: str(form.fields[name]).strip() for name in ("name", "areas")}


def test_screens_that_are_to_be_left_out(town: Town) -> None:
    screen = town.setup.register_screen(
        Actor(account="hoa", body=PHUC_XA),
        uuid4(),
        name="Cầu Long Biên",
        area="00001",
        profile="lcd1920",
        at=town.now,
    )
    alert_id = town.issue()
    lan = Browser(town).sign_in("minh").go(f"/console/alerts/{alert_id}/screens")
    town.later(minutes=11)
    said = {"screen": [str(screen.id)], "reason": "Hỏng"}
    lan.press("Loại trừ", **said)
    assert (lan.status, ticked(lan), value(lan, "reason")) == (422, said["screen"], "Hỏng")
    town.later(minutes=31)
    lan.press("Loại trừ", reason="Hỏng nửa bảng").sees(KEPT)
    sign_in_again(lan, "minh")
    assert (ticked(lan), value(lan, "reason")) == (said["screen"], "Hỏng nửa bảng")


def ticked(browser: Browser) -> list[str]:
    form, _ = browser._form("Loại trừ")  # pyright: ignore[reportPrivateUsage]
    return [value for name, value in form.form_values() if name == "screen"]


def test_small_forms_come_back_too(town: Town) -> None:
    hoa = lapsed(town, "hoa", "/console/people")
    hoa.press("Mời", account="thu@ubnd-00001", role="auditor")
    sign_in_again(hoa, "hoa").sees(BACK, "Mời người mới")
    form, _ = hoa._form("Mời")  # pyright: ignore[reportPrivateUsage]
    assert (form.fields["account"], form.fields["role"]) == ("thu@ubnd-00001", "auditor")
    form, _ = hoa._form("Thêm vai trò")  # pyright: ignore[reportPrivateUsage]
    assert form.fields["account"] == ""
    assert "access.asked" not in [one.event.TOPIC for one in town.log.everything()]


def test_another_site_plants_nothing(town: Town) -> None:
    lan = lapsed(town)
    content = urlencode([("csrf", lan.csrf()), ("version", "0"), ("headline", "Gieo")])
    for headers in (
        {"Origin": "http://elsewhere.test"},
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": BASE},
    ):
        said = {"Accept": HTML, "Content-Type": FORM} | headers
        answer = Client(town.app)("POST", lan.path + "/x", headers=said, content=content)
        assert answer.status_code in {303, 404}
        path = f"/console/drafts/{'0' * 8}-0000-4000-8000-{'0' * 12}"
        answer = Client(town.app)("POST", path, headers=said, content=content)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/console/sign-in?next={path}")


@pytest.mark.parametrize("csrf", ["", "x", "A" * 88, "A" * 140])
def test_a_form_that_no_page_of_ours_had_is_not_kept(town: Town, csrf: str) -> None:
    path = f"/console/drafts/{'0' * 8}-0000-4000-8000-{'0' * 12}"
    stranger = Browser(town).send(path, [("csrf", csrf), ("version", "0"), ("headline", "Gieo")])
    assert stranger.path == f"/console/sign-in?next={path}"
    assert "kept" not in stranger.answer.text


def test_nothing_that_we_did_not_seal_is_taken(town: Town) -> None:
    lan = lapsed(town).press("Lưu nháp", headline="Mưa")
    sealed = value(lan, "kept")
    tampered = sealed[:-8] + ("AAAAAAA=" if sealed.endswith("=") else "AAAAAAAA")
    for text in ("x", "é", tampered, lan.csrf()):
        again = Browser(town).sign_in("minh", "wrong")
        assert again.send("/console/sign-in", [("kept", text), ("account", "lan")]).status in {422, 429}
        assert KEPT not in again.text
    # What seals a page opens no account, and the other way about.
    pages = town.desk.pages
    assert pages.unwrap(pages.wrap(b"x", "kept form"), "shown to") is None


def test_it_is_kept_for_a_day(town: Town) -> None:
    lan = lapsed(town).press("Lưu nháp", headline="Mưa")
    town.later(hours=25)
    sign_in_again(lan)
    assert lan.status == 410
    lan.sees("Chữ đã để quá một ngày")
    assert lan.go("/console").status == 200


def test_a_planted_session_ends_though_something_is_carried(town: Town) -> None:
    planted = Browser(town).sign_in("tuan").cookies["session"]
    lan = lapsed(town).press("Lưu nháp", headline="Mưa")
    lan.cookies = {"session": planted}
    sign_in_again(lan)
    assert value(lan, "headline") == "Mưa"
    assert lan.cookies["session"] != planted
    assert Browser(town, cookies={"session": planted}).go("/console").path == "/console/sign-in"


def test_as_much_as_a_form_may_hold_is_carried(town: Town) -> None:
    lan = lapsed(town)
    path = f"/console/drafts/{'0' * 8}-0000-4000-8000-{'0' * 12}"
    values = [("csrf", lan.csrf()), ("version", "0"), ("body", PHUC_XA), ("headline", "x")]
    room = MAX_BODY - len(urlencode([*values, ("description", "")]))
    # Nothing that could be packed: the worst there is.
    long = "".join(random.Random(1).choices(string.ascii_letters + string.digits + "-._~", k=room))
    lan.send(path, [*values, ("description", long)])
    assert lan.status == 401
    sign_in_again(lan)
    assert value(lan, "description") == long
    sealed = "A" * (330 * 1024)
    assert lan.send("/console/sign-in", [("kept", sealed)]).status == 413
    assert lan.send(path, [*values, ("description", sealed)]).status == 413


def test_secrets_are_never_kept(town: Town) -> None:
    services = town.app.app._app.state.services  # type: ignore[attr-defined]  # behind the guard
    alert_id = town.issue()
    lan = lapsed(town, path=f"/console/alerts/{alert_id}/cancel")
    lan.press("Hủy cảnh báo ngay", reason="Nhầm", sure=True)
    kept = keeping.carried(services, Form({"kept": [value(lan, "kept")]}))
    assert kept is not None
    assert set(kept.form.values) == {"reason", "expected", "do"}
    own = lapsed(town, "minh", "/console/account")
    own.press("Đổi mật khẩu", former=PASSWORD, password="một câu rất dài")
    assert own.path.startswith("/console/sign-in")
    assert own.status == 200


def test_the_page_behind_each_form_is_a_page() -> None:
    every = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    pages = [route for route in every if "GET" in (route.methods or ())]
    id_ = "00000000-0000-4000-8000-000000000000"
    for route in every:
        if "POST" in (route.methods or ()):
            path = route.path
            for name in route.param_convertors:
                path = path.replace(f"{{{name}}}", id_)
            behind = page_behind(path)
            assert not behind or any(page.path_regex.fullmatch(behind) for page in pages), (path, behind)


def test_a_script_is_only_told(town: Town) -> None:
    lan = lapsed(town)
    said = {"Accept": "*/*", "Content-Type": FORM, "Origin": BASE, "If-Match": '"0"'}
    content = urlencode([("csrf", lan.csrf()), ("headline", "Mưa")])
    path = f"/console/drafts/{'0' * 8}-0000-4000-8000-{'0' * 12}/autosave"
    assert Client(town.app)("POST", path, headers=said, content=content).status_code == 303
    cookie = {"Cookie": f"session={Browser(town).sign_in('lan').cookies['session']}"}
    assert Client(town.app)("POST", path, headers=said | cookie, content=content).status_code == 403
