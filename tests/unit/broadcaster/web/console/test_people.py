"""Letting people in: one manager asks, another confirms; never for oneself, never over someone's head."""

import re

from broadcaster.account import Role
from broadcaster.accounts import codes
from broadcaster.web.console.people.people import PAGE
from schemas.events import AccessAsked, AccessConfirmed, AccessRefused, RoleGranted, RoleRevoked
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import CITY, HANG_BAC, PASSWORD, PHUC_XA, SECRET, SYSTEM, Town

THU = "thu@ubnd-00001"


def second(town: Town, name: str = "vinh", body: str = PHUC_XA) -> Browser:
    """Another manager, signed in."""
    town.setup.grant(SYSTEM, name, body, Role.MANAGER, at=town.now)
    town.desk.accounts.create(name, PASSWORD, SECRET, "system:setup", town.now)
    return Browser(town).sign_in(name)


def link_on(page: Browser) -> str:
    found = page._tree().xpath("string(//code[@class='secret'])")  # pyright: ignore[reportPrivateUsage]
    return str(found)


def named(page: Browser) -> list[str]:
    """The accounts of the table."""
    return page._tree().xpath("//tbody/tr/th/text()")  # pyright: ignore[reportPrivateUsage]


def test_two_managers_let_a_person_in(town: Town) -> None:
    hoa = Browser(town).sign_in("hoa").go("/console/people")
    hoa.sees("lan", "minh", "soạn tin", "Chưa có người quản lý thứ hai")
    assert "tuan" not in hoa.text
    vinh = second(town)
    hoa.go("/console/people").press("Mời", account="Thu@ubnd-00001", role="author")
    hoa.sees(f"Lời mời cho {THU}", "http://town/console/welcome/", "xác nhận: vinh")
    path = link_on(hoa).removeprefix("http://town")
    assert Browser(town).go(path).status == 404
    assert town.office.account(THU).roles == frozenset()
    assert "Chờ xác nhận quyền" not in hoa.go("/console").text
    vinh.go("/console").sees("Chờ xác nhận quyền", "Mời người mới", THU, "hoa")
    vinh.go("/console/access").press("Xác nhận")
    vinh.sees(f"Đã xác nhận cho {THU}", "Số chỉ hiện một lần")
    pin = link_on(vinh)
    assert len(pin.replace(" ", "")) == 8
    assert (PHUC_XA, "author") in town.office.account(THU).roles

    guest = Browser(town).go(path)
    guest.sees(THU, "Số xác nhận")
    invited = town.desk.accounts.invited(path.rpartition("/")[2], town.now)
    assert invited is not None
    assert invited.secret not in guest.answer.text
    guest.press("Tiếp tục", pin="1234 5678").sees("Số xác nhận không đúng.")
    assert invited.secret not in guest.answer.text
    guest.go(path).press("Tiếp tục", pin=pin).sees(invited.secret)
    code = codes.code(invited.secret, town.now)
    guest.press("Kích hoạt tài khoản", code=code, password="short").sees("ít nhất 12 ký tự")
    guest.press("Kích hoạt tài khoản", code=code, password="mưa rơi trên phố")
    assert guest.path == "/console/sign-in"
    told = [
        (each.event.TOPIC, each.event.by.account)
        for each in town.log.everything()
        if isinstance(each.event, AccessAsked | AccessConfirmed | RoleGranted)
    ]
    assert told[-3:] == [("access.asked", "hoa"), ("access.confirmed", "vinh"), ("role.granted", "vinh")]


def test_a_role_is_given_by_two_and_taken_by_one(town: Town) -> None:
    vinh = second(town)
    hoa = Browser(town).sign_in("hoa").go("/console/people")
    hoa.press("Thêm vai trò", account="lan", role="approver")
    assert hoa.path == "/console/access"
    hoa.sees("lan: duyệt tin", "Rút lại")
    assert (PHUC_XA, "approver") not in town.office.account("lan").roles
    hoa.go("/console/people").press("Thêm vai trò", account="lan", role="approver")
    hoa.sees("Đã có đề nghị này, đang chờ xác nhận.")
    vinh.go("/console/access").press("Xác nhận")
    assert (PHUC_XA, "approver") in town.office.account("lan").roles
    hoa.go("/console/people").press("Bớt vai trò", account="lan", role="approver")
    assert (PHUC_XA, "approver") not in town.office.account("lan").roles
    taken = [e.event for e in town.log.everything() if isinstance(e.event, RoleRevoked)]
    assert taken[-1].by.account == "hoa"
    hoa.press("Bớt vai trò", account="lan", role="approver").sees("Tài khoản không có vai trò này.")


def test_the_asker_the_one_who_gains_and_strangers_do_not_confirm(town: Town) -> None:
    vinh, tuan = second(town), Browser(town).sign_in("tuan")
    hoa = Browser(town).sign_in("hoa").go("/console/people")
    hoa.press("Thêm vai trò", account="vinh", role="author")
    (asked,) = town.app.app._app.state.services.access.of("hoa", town.now)  # type: ignore[attr-defined]
    for who, said in ((hoa, 422), (vinh, 422), (tuan.go("/console"), 403)):
        values = [("csrf", who.go("/console").csrf())]
        assert who.send(f"/console/access/{asked.id}/confirm", values).status == said
    assert [each.rule for each in town.refusals()] == ["approval.four-eyes"] * 2
    city = second(town, "chi", CITY)
    city.go("/console/access").press("Từ chối")
    told = [each.event for each in town.log.everything() if isinstance(each.event, AccessRefused)]
    assert (told[0].by.account, told[0].by.body) == ("chi", CITY)
    values = [("csrf", city.go("/console").csrf())]
    city.send(f"/console/access/{asked.id}/confirm", values).sees("đã xong, đã quá hạn")
    assert (PHUC_XA, "author") not in town.office.account("vinh").roles


def test_a_manager_of_the_city_answers_for_all_bodies(town: Town) -> None:
    chi = second(town, "chi", CITY)
    hoa = Browser(town).sign_in("hoa").go("/console/people")
    assert "tuan" not in hoa.text
    assert "Tìm tài khoản" not in hoa.text
    assert "tuan" not in hoa.go("/console/people?q=tuan").text
    chi.go("/console/people").sees("chi", "lan", "minh", "tuan", "Tìm tài khoản hoặc cơ quan")
    assert named(chi)[0] == "chi"  # One's own body first.
    assert set(named(chi.go("/console/people?q=phuc xa"))) == {"hoa", "lan", "minh"}
    assert named(chi.go("/console/people?q=TUAN")) == ["tuan"]
    chi.go("/console/people?lang=en").sees("Find an account or a body")
    chi.go("/console/people?lang=vi").press("Bớt vai trò", account="lan", role="author", body=PHUC_XA)
    assert (PHUC_XA, "author") not in town.office.account("lan").roles
    taken = [each.event.by for each in town.log.everything() if isinstance(each.event, RoleRevoked)]
    assert (taken[-1].account, taken[-1].body) == ("chi", CITY)


def test_the_people_of_a_city_come_by_pages(town: Town) -> None:
    chi = second(town, "chi", CITY)
    for number in range(PAGE):
        name = f"nguoi-{number:03}"
        town.desk.accounts.create(name, PASSWORD, SECRET, "system:setup", town.now)
        town.setup.grant(SYSTEM, name, HANG_BAC, Role.AUDITOR, at=town.now)
    seen: list[str] = []
    for page in (1, 2, 3):
        chi.go(f"/console/people?page={page}")
        seen += named(chi)
    assert len(seen) == len(set(seen)) > PAGE
    assert set(seen) >= {"chi", "hoa", "lan", "minh", "tuan", *(f"nguoi-{at:03}" for at in range(PAGE))}
    assert chi.go("/console/people?page=0").status == 422


def test_a_key_is_not_named_among_those_who_confirm(town: Town) -> None:
    town.setup.grant(SYSTEM, "may-quan-ly", PHUC_XA, Role.MANAGER, at=town.now)
    Browser(town).sign_in("hoa").go("/console/people").sees("Chưa có người quản lý thứ hai")


def test_after_an_hour_it_is_too_late(town: Town) -> None:
    vinh = second(town)
    Browser(town).sign_in("hoa").go("/console/people").press("Thêm vai trò", account="lan", role="manager")
    vinh.go("/console/access")
    town.later(minutes=61)
    vinh.sign_in("vinh").go("/console/access").sees("quá hạn xác nhận", "Không có đề nghị nào đang chờ.")


def test_nobody_helps_himself(town: Town) -> None:
    hoa = Browser(town).sign_in("hoa").go("/console/people")
    hoa.press("Thêm vai trò", account="hoa", role="approver")
    assert hoa.status == 422
    assert town.office.account("hoa").roles == {(PHUC_XA, "manager")}
    assert [each.rule for each in town.refusals()] == ["approval.four-eyes"]
    values = [("csrf", hoa.csrf()), ("account", "new"), ("body", HANG_BAC), ("role", "author")]
    assert hoa.send("/console/people/invite", values).status == 403
    values = [
        ("csrf", hoa.go("/console/people").csrf()),
        ("account", "new"),
        ("body", "x"),
        ("role", "author"),
    ]
    assert hoa.send("/console/people/invite", values).status == 403


def test_what_was_typed_comes_back_beside_what_is_wrong_with_it(town: Town) -> None:
    hoa = Browser(town).sign_in("hoa").go("/console/people")
    hoa.press("Thêm vai trò", account="hoa", role="auditor")
    assert hoa.status == 422
    assert hoa.answer.text.count('id="error-') == 1
    assert 'id="error-grant-account"' in hoa.answer.text
    assert re.search(
        r"grant-account[^>]* value=.hoa.[^>]* aria-describedby=. error-grant-account.", hoa.answer.text
    )
    assert re.search(r'id="invite-account"[^>]* value=""', hoa.answer.text)
    (chosen,) = re.findall(r'<option value="(\w+)" selected>', hoa.answer.text)
    assert chosen == "auditor"
    keys = hoa.go("/console/keys")
    keys.press("Đề nghị khóa", account="KHÔNG hợp lệ", role="author")
    assert keys.status == 422
    assert re.search(r'id="key-account"[^>]* value="KHÔNG hợp lệ"', keys.answer.text)


def test_an_invitation_never_hands_over_roles_that_were_given(town: Town) -> None:
    town.setup.grant(SYSTEM, "robot", PHUC_XA, Role.APPROVER, at=town.now)
    hoa = Browser(town).sign_in("hoa").go("/console/people")
    for name in ("robot", "lan", "tuan"):
        hoa.press("Mời", account=name, role="author")
        assert hoa.status == 422
        hoa.sees("Tên này đã có người dùng.")
    assert town.desk.accounts.state("robot") is None
    assert [each.rule for each in town.refusals()] == ["state.exists"] * 3


def test_a_key_is_asked_for_confirmed_and_ended(town: Town) -> None:
    vinh = second(town)
    hoa = Browser(town).sign_in("hoa").go("/console/keys")
    hoa.press("Đề nghị khóa", account="tram-do-mua", role="author")
    key = link_on(hoa)
    assert town.key_store.find(key) is None
    vinh.go("/console/access").press("Xác nhận")
    found = town.key_store.find(key)
    assert found is not None
    assert (found.account, found.body) == ("tram-do-mua", PHUC_XA)
    values = [("csrf", vinh.go("/console/keys").csrf())]
    vinh.send(f"/console/keys/{found.key_id}/revoke", values).sees("đã thu hồi")
    town.follow()
    vinh.go("/console/keys").sees("đã thu hồi 09:00, 10/07/2024 · vinh")
    assert town.key_store.find(key) is None
    assert Browser(town).sign_in("lan").go("/console/keys").status == 403
    hoa.go("/console/keys").press("Đề nghị khóa", account="lan", role="author")
    hoa.sees("Tên này đã có người dùng.")


def test_others_do_not_get_in(town: Town) -> None:
    lan = Browser(town).sign_in("lan")
    for path in ("people", "access", "keys"):
        assert lan.go(f"/console/{path}").status == 403


def test_it_takes_a_fresh_second_factor(town: Town) -> None:
    vinh = second(town)
    hoa = Browser(town).sign_in("hoa")
    hoa.go("/console/people").press("Thêm vai trò", account="lan", role="auditor")
    town.later(minutes=11)
    hoa.go("/console/people").press("Mời", account="thu", role="author", code="")
    hoa.sees("Cần mã xác thực mới.")
    vinh.go("/console/access").press("Xác nhận", code="")
    vinh.sees("Cần mã xác thực mới.")
    assert (PHUC_XA, "auditor") not in town.office.account("lan").roles
    town.later(seconds=30)
    vinh.press("Xác nhận", code=codes.code(SECRET, town.now))
    assert (PHUC_XA, "auditor") in town.office.account("lan").roles
