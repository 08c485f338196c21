"""Who gets in: passers-by, strangers' forms, stolen cookies, guesses."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pkgutil import walk_packages
from typing import Any
from uuid import uuid4

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from broadcaster.accounts import codes
from broadcaster.web import console
from broadcaster.web.app import create_app
from broadcaster.web.console.doors.sign_in import safe_next
from broadcaster.web.console.routers import ROUTERS
from tests.unit.broadcaster.web.console.browser import FORM, HTML, Browser
from tests.unit.broadcaster.web.town import BASE, PASSWORD, SECRET, SYSTEM, Client, Town

OPEN = {"/console/sign-in", "/console/welcome/{token}", "/console/sso", "/console/sso/callback"}
"""For those who are not signed in yet."""


def routes() -> Iterator[tuple[str, str]]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in route.methods or ():
                yield method, route.path


def filled(path: str, alert_id: str = "") -> str:
    values = {
        "{alert_id}": alert_id or str(uuid4()),
        "{step}": "approve",
        "{edition}": "2020-03-01",
        "{digest}": "0123456789abcdef",
        "{token}": "x",
        "{body}": "ubnd-tp",
        "{form}": "csv",
    }
    values |= {
        f"{{{name}_id}}": str(uuid4()) for name in ("dispatch", "screen", "template", "area_set", "group")
    }
    values |= {"{delegation_id}": str(uuid4()), "{body_id}": "ubnd-tp", "{number}": "1"}
    values |= {"{draft_id}": str(uuid4()), "{session_id}": str(uuid4()), "{account}": "x"}
    values |= {"{request_id}": str(uuid4()), "{key_id}": "0123456789ab"}
    for name, value in values.items():
        path = path.replace(name, value)
    assert "{" not in path, path
    return path


def test_a_passer_by_is_led_to_the_door(town: Town) -> None:
    headers = {"Accept": HTML, "Origin": BASE, "Content-Type": FORM, "Cookie": "session=guessed"}
    asked = [each for each in routes() if each[1] not in OPEN]
    assert len(asked) > 12
    for method, path in asked:
        answer = Client(town.app)(method, filled(path), headers=headers, content="csrf=x&version=0")
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/console/sign-in")


def test_every_page_of_the_console_is_listed() -> None:
    modules = {each.name for each in walk_packages(console.__path__, "broadcaster.web.console.")}
    with_pages = set[str]()
    for name in modules:
        module = import_module(name)
        if isinstance(getattr(module, "router", None), APIRouter):
            with_pages.add(name)
            assert module.router in ROUTERS, name
    assert len(ROUTERS) == len(with_pages)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.test"},
        {"Origin": "null"},
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": BASE},
        {"Sec-Fetch-Site": "same-site", "Origin": BASE},
    ],
)
def test_what_another_site_sends_is_refused(town: Town, headers: dict[str, str]) -> None:
    lan = Browser(town).sign_in("lan")
    alert_id = town.draft().json()["id"]
    said = {"Accept": HTML, "Content-Type": FORM, "Cookie": f"session={lan.cookies['session']}"} | headers
    for method, path in [each for each in routes() if each[0] == "POST"]:
        content = f"csrf={lan.csrf()}"
        answer = Client(town.app)(method, filled(path, alert_id), headers=said, content=content)
        assert answer.status_code == 403, path


def test_a_form_of_another_session_is_refused(town: Town) -> None:
    lan, minh = Browser(town).sign_in("lan"), Browser(town).sign_in("minh")
    for token in (minh.csrf(), "", "x", "%00", "é"):
        lan.send("/console/sign-out", [("csrf", token)])
        assert lan.status == 403
        lan.sees("Trang này đã mở quá lâu")
    assert lan.go("/console").status == 200


def test_each_page_masks_its_token_anew(town: Town) -> None:
    lan = Browser(town).sign_in("lan")
    first = lan.csrf()
    assert first != lan.go("/console").csrf()
    assert (
        Browser(town, cookies=dict(lan.cookies)).send("/console/sign-out", [("csrf", first)]).path
        == "/console/sign-in"
    )


def test_a_session_handed_to_someone_is_not_theirs_afterwards(town: Town) -> None:
    attacker = Browser(town).sign_in("tuan")
    planted = attacker.cookies["session"]
    victim = Browser(town, cookies={"session": planted})
    victim.go("/console").press("Thoát")
    victim.cookies["session"] = planted
    victim.sign_in("lan")
    assert victim.cookies["session"] != planted
    assert attacker.go("/console").path == "/console/sign-in"


def test_a_token_made_up_before_signing_in_is_not_taken(town: Town) -> None:
    victim = Browser(town, cookies={"session": "chosen-by-another"}).sign_in("lan")
    assert victim.cookies["session"] != "chosen-by-another"
    assert Browser(town, cookies={"session": "chosen-by-another"}).go("/console").path == "/console/sign-in"


def test_the_cookie_is_the_browsers_alone(town: Town) -> None:
    Browser(town).sign_in("lan")
    page = Client(town.app)("GET", "/console/sign-in", headers={"Accept": HTML})
    assert "set-cookie" not in page.headers
    answer = _post_sign_in(town, "minh")
    cookie = answer.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


def test_over_https_the_cookie_is_bound_to_the_host(town: Town) -> None:
    town.app = create_app(replace(town.app.app._app.state.services.ports, base_url="https://town"))  # type: ignore[attr-defined]
    cookie = _post_sign_in(town, "minh", origin="https://town").headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    assert "Secure" in cookie


def test_wrong_is_wrong_and_no_more(town: Town) -> None:
    said: set[str] = set()
    for account, password, code in (
        ("lan", "wrong password", None),
        ("lan", PASSWORD, "000000"),
        ("nobody", PASSWORD, None),
        ("zzz9", PASSWORD, None),
        ("system:setup", PASSWORD, None),
    ):
        browser = Browser(town).sign_in(account, password, code)
        assert browser.status == 422
        assert browser.cookies == {}
        said.add(browser.text.replace(account, ""))
    assert len(said) == 1


def test_a_code_opens_one_door(town: Town) -> None:
    code = codes.code(SECRET, town.now)
    assert Browser(town).sign_in("lan", code=code).status == 200
    assert Browser(town).sign_in("lan", code=code).status == 422
    town.later(seconds=30)
    assert Browser(town).sign_in("lan").status == 200


def test_guessing_is_slow(town: Town) -> None:
    for _ in range(5):
        assert Browser(town).sign_in("lan", "guess").status == 422
    waiting = Browser(town).sign_in("lan")
    assert waiting.status == 429
    waiting.sees("Thử sai nhiều lần.")
    assert Browser(town).sign_in("minh").status == 200
    town.later(seconds=3)
    assert Browser(town).sign_in("lan").status == 200


def test_a_session_ends_unused_or_old(town: Town) -> None:
    lan = Browser(town).sign_in("lan")
    town.later(minutes=29)
    assert lan.go("/console").path == "/console"
    town.later(minutes=31)
    assert lan.go("/console/alerts").path == "/console/sign-in?next=/console/alerts"
    town.later(minutes=1)
    lan.sign_in("lan")
    for _ in range(12 * 3 + 1):
        town.later(minutes=20)
        lan.go("/console")
    assert lan.path == "/console/sign-in"


def test_a_session_is_seen_and_ended_elsewhere(town: Town) -> None:
    here = Browser(town).sign_in("lan")
    town.later(minutes=1)
    there = Browser(town).sign_in("lan")
    sessions = town.desk.sessions.of("lan", town.now)
    assert len(sessions) == 2
    there.go("/console/account").sees("soạn tin", "phiên này")
    path = f"/console/account/sessions/{sessions[1].id}/revoke"
    assert Browser(town).sign_in("minh").go("/console").send(path, [("csrf", "x")]).status == 403
    there.send(path, [("csrf", there.csrf())])
    assert there.path == "/console/account"
    assert here.go("/console").path == "/console/sign-in"
    town.desk.accounts.close("lan", "system:setup", town.now)
    assert there.go("/console").path == "/console/sign-in"


def test_an_invitation_is_taken_once(town: Town) -> None:
    accounts = town.desk.accounts
    token = accounts.invite("thu@ubnd-00001", "hoa", town.now)
    path = f"/console/welcome/{token}"
    invited = accounts.invited(token, town.now)
    assert invited is not None
    guest = Browser(town).go(path)
    guest.sees("thu@ubnd-00001", invited.secret)
    code = codes.code(invited.secret, town.now)
    guest.press("Kích hoạt tài khoản", code=code, password="short")
    guest.sees("Mật khẩu cần ít nhất 12 ký tự.")
    guest.press("Kích hoạt tài khoản", code="000000", password="mưa rơi trên phố")
    guest.sees("Mã không đúng.")
    guest.press("Kích hoạt tài khoản", code=code, password="mưa rơi trên phố")
    assert guest.path == "/console/sign-in"
    assert Browser(town).go(path).status == 404
    town.later(seconds=30)
    guest.press(
        "Đăng nhập",
        account="thu@ubnd-00001",
        password="mưa rơi trên phố",
        code=codes.code(invited.secret, town.now),
    )
    guest.sees("Không có việc nào chờ bạn.")
    late = accounts.invite("late", "hoa", town.now)
    assert accounts.invited(late, town.now + timedelta(days=4)) is None


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/console/alerts", "/console/alerts"),
        ("//evil.test", "/console"),
        ("/console//evil.test", "/console//evil.test"),
        ("https://evil.test/console", "/console"),
        ("/consoles", "/console"),
        ("/console/\\evil", "/console"),
        ("/console/\r\nx: y", "/console"),
        ("", "/console"),
    ],
)
def test_the_way_back_stays_inside(asked: str, led: str) -> None:
    assert safe_next(asked) == led


def test_a_role_is_needed_for_a_page(town: Town) -> None:
    kiem = Browser(town).sign_in("kiem")
    assert kiem.go("/console/compose").status == 403
    draft = town.drafts.save(uuid4(), "ubnd-00001", {"headline": ["x"]}, expected=0, by="lan", at=town.now)
    for account in ("kiem", "tuan", "minh"):
        town.later(seconds=30)
        other = Browser(town).sign_in(account)
        assert other.go(f"/console/drafts/{draft.id}").status == 403
        page = other.go("/console")
        values = [("csrf", page.csrf()), ("version", "1"), ("body", "ubnd-00049"), ("headline", "y")]
        for path in ("", "/autosave", "/discard"):
            assert other.send(f"/console/drafts/{draft.id}{path}", values).status == 403
    assert town.drafts.get(draft.id) == draft


def test_work_of_another_body_is_not_there(town: Town) -> None:
    alert_id = town.draft().json()["id"]
    tuan = Browser(town).sign_in("tuan")
    for path in ("", "/live", "/live/areas", "/areas", "/cancel"):
        assert tuan.go(f"/console/alerts/{alert_id}{path}").status == 404


def test_secrets_are_not_in_the_tables(town: Town) -> None:
    lan = Browser(town).sign_in("lan")
    with town.pool.connection() as conn:
        kept = str(conn.execute("SELECT accounts::text, sessions::text FROM accounts, sessions").fetchall())
        log = str([bytes(row[0]) for row in conn.execute("SELECT state FROM events").fetchall()])
    for secret in (PASSWORD, SECRET, lan.cookies["session"]):
        assert secret not in kept
        assert secret not in log
    assert SYSTEM.account == "system:setup"


def _post_sign_in(town: Town, account: str, origin: str = BASE) -> Any:
    code = codes.code(SECRET, town.now)
    return Client(town.app)(
        "POST",
        "/console/sign-in",
        headers={"Accept": HTML, "Origin": origin, "Content-Type": FORM},
        content=f"account={account}&password={PASSWORD.replace(' ', '+')}&code={code}",
    )
