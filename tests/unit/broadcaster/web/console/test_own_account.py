"""One's own account: password, recovery codes, another phone, sessions elsewhere."""

import re

from broadcaster.account import Role
from broadcaster.accounts import codes, recovery
from broadcaster.accounts.recovery import is_like_one, plain
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import PASSWORD, PHUC_XA, SECRET, SYSTEM, Town

NEW = "mưa rơi trên phố"


def change(page: Browser, former: str, new: str, **more: str) -> Browser:
    return page.go("/console/account").press("Đổi mật khẩu", former=former, password=new, **more)


def test_another_password_ends_every_other_session(town: Town) -> None:
    here, there = Browser(town).sign_in("lan"), Browser(town)
    town.later(seconds=30)
    there.sign_in("lan")
    planted = here.cookies["session"]
    for former, new, said in (
        ("wrong password", NEW, "Mật khẩu đang dùng không đúng."),
        (PASSWORD, "short", "ít nhất 12 ký tự"),
        (PASSWORD, "lan lan lan lan", "không được chứa tên"),
        (PASSWORD, "x" * 201, "dài quá 200"),
    ):
        assert change(here, former, new).status == 422
        here.sees(said)
    assert there.go("/console").path == "/console"
    change(here, PASSWORD, NEW).sees("Đã đổi mật khẩu.")
    assert here.go("/console").path == "/console"
    assert here.cookies["session"] == planted
    assert there.go("/console").path == "/console/sign-in"
    town.later(seconds=30)
    assert there.sign_in("lan").status == 422
    town.later(seconds=30)
    assert there.sign_in("lan", NEW).status == 200


def test_it_wants_a_fresh_second_factor_and_counts_guesses(town: Town) -> None:
    lan = Browser(town).sign_in("lan")
    for _ in range(5):
        change(lan, "wrong password", NEW).sees("Mật khẩu đang dùng không đúng.")
    change(lan, PASSWORD, NEW).sees("Sai nhiều lần.")
    town.later(minutes=11)
    change(lan, PASSWORD, NEW).sees("Cần mã xác thực mới.")
    for button, more in (("Tạo 10 mã mới", {}), ("Đổi điện thoại", {"former": PASSWORD})):
        lan.go("/console/account").press(button, code="000000", **more).sees("Mã không đúng")
    change(lan, PASSWORD, NEW, code=codes.code(SECRET, town.now)).sees("Đã đổi mật khẩu.")


def test_a_recovery_code_opens_the_door_once(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/account")
    lan.sees("Còn 0 mã")
    former = shown(lan.press("Tạo 10 mã mới"))
    assert len(set(former)) == recovery.COUNT
    made = shown(lan.go("/console/account").press("Tạo 10 mã mới"))
    lan.go("/console/account").sees("Còn 10 mã")
    with town.pool.connection() as conn:
        kept = str(conn.execute("SELECT recovery_codes::text FROM recovery_codes").fetchall())
    assert not any(each in kept or plain(each) in kept for each in made)
    guest = Browser(town)
    for account, code, status in (
        ("lan", former[0], 422),
        ("minh", made[0], 422),
        ("lan", made[0].upper().replace("-", " "), 200),
        ("lan", made[0], 422),
    ):
        guest.cookies.clear()
        page = guest.go("/console/sign-in?recovery=1&next=/console/account")
        page.press("Đăng nhập", account=account, password=PASSWORD, code=code)
        assert page.status == status, (account, code)
    guest.cookies.clear()
    guest.sign_in("lan", "wrong password", made[1])
    assert town.desk.accounts.recovery.left("lan") == recovery.COUNT - 1


def test_after_a_lost_phone_another_one(town: Town) -> None:
    lan = Browser(town).sign_in("lan").go("/console/account")
    code = shown(lan.press("Tạo 10 mã mới"))[0]
    town.later(minutes=5)
    found = Browser(town).sign_in("lan", code=code).go("/console/account")
    found.press("Đổi điện thoại", former="wrong password").sees("Mật khẩu đang dùng không đúng.")
    found.go("/console/account").press("Đổi điện thoại", former=PASSWORD)
    secret = str(found._tree().xpath("string(//code[@class='secret'])"))  # pyright: ignore[reportPrivateUsage]
    assert secret != SECRET
    found.press("Dùng ứng dụng này", new_code="000000").sees("Mã không đúng")
    # Until then the former phone is the one.
    assert Browser(town).sign_in("lan").status == 200
    found.press("Dùng ứng dụng này", new_code=codes.code(secret, town.now)).sees("Đã đổi ứng dụng")
    assert lan.go("/console").path == "/console/sign-in"
    town.later(seconds=30)
    assert Browser(town).sign_in("lan").status == 422
    assert Browser(town).sign_in("lan", code=codes.code(secret, town.now)).status == 200


def test_signing_out_everywhere_else(town: Town) -> None:
    here = Browser(town).sign_in("lan")
    assert "mọi nơi khác" not in here.go("/console/account").text
    town.later(seconds=30)
    there = Browser(town).sign_in("lan")
    here.go("/console/account").press("Đăng xuất khỏi mọi nơi khác")
    assert here.path == "/console/account"
    assert there.go("/console").path == "/console/sign-in"


def test_what_opens_an_account_was_changed_by_whom_is_seen_by_its_owner_and_by_auditors(town: Town) -> None:
    lan = Browser(town).sign_in("lan")
    change(lan, PASSWORD, NEW)
    town.setup.grant(SYSTEM, "lan", PHUC_XA, Role.AUDITOR, at=town.now)
    town.desk.accounts.set_password("lan", PASSWORD, "system:operator", town.now)
    town.catch_up()
    lan.go("/console/account").sees(
        "Việc đã qua", "Đổi mật khẩu của lan lan", "Đổi mật khẩu của lan người vận hành", "Cấp quyền"
    )
    assert NEW not in lan.answer.text
    minh = Browser(town).sign_in("minh").go("/console/account")
    assert "của lan" not in minh.text
    lan.go("/console/audit?topic=account.password_changed").sees("Đổi mật khẩu của lan", "system:operator")
    lan.go("/console/account?lang=en").sees("Changed the password of lan")


def test_what_looks_like_a_recovery_code() -> None:
    assert not is_like_one("123456")
    assert not is_like_one("")
    assert not is_like_one("abcd-efgh-jkmn-pqr0")
    assert is_like_one("ABCD efgh-jkmn pqrs")


def shown(page: Browser) -> list[str]:
    found = re.findall(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>", page.answer.text)
    assert len(found) == recovery.COUNT
    return found
