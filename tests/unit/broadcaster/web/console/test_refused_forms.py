"""Every form that is refused comes back as it was typed, with its error beside a field, and focus there.

The forms are those of the pages, found by walking them; the routes are those of the router. So a form that
is added to the console is tried here, or this fails.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi.routing import APIRoute

from broadcaster.account import Role
from broadcaster.web.console.refill import NEVER
from broadcaster.web.console.routers import ROUTERS
from schemas.events import Actor
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.console.test_story import ALERT
from tests.unit.broadcaster.web.test_accounting_api import deliver
from tests.unit.broadcaster.web.town import PHUC_XA, SYSTEM, Town

TYPED = "<b>Chữ \"đã gõ\"</b> & 'ở đây' " * 20
"""No name, number, time or address, and longer than any reason: whatever asks for one refuses it."""

# Nothing is typed into these, or what is typed is a secret, which never comes back.
NOTHING_TYPED = {
    "/console/sign-out",
    "/console/kept",
    "/console/access/{request_id}/confirm",
    "/console/access/{request_id}/refuse",
    "/console/account/sessions/{session_id}/revoke",
    "/console/account/sessions/revoke-others",
    "/console/account/password",
    "/console/account/recovery",
    "/console/account/authenticator",
    "/console/account/authenticator/confirm",
    "/console/account/sso/link",
    "/console/account/sso/unlink",
    "/console/welcome/{token}",
    "/console/alerts/{alert_id}/edit",
    "/console/alerts/{alert_id}/screens/readmit",
    "/console/bodies/{body_id}/delegations/{delegation_id}/revoke",
    "/console/cadence/{body}/remind",
    "/console/drafts/{draft_id}/discard",
    "/console/keys/{key_id}/revoke",
    "/console/screens/{screen_id}/identify",
    "/console/screens/{screen_id}/test-pattern",
    "/console/screens/{screen_id}/take-down",
    "/console/screen-groups/{group_id}/screens",
    "/console/screen-groups/{group_id}/retire",
    "/console/templates/nothing-to-report",
    "/console/templates/{template_id}/approve",
    "/console/templates/{template_id}/retire",
}
# A script's: it keeps the text on its own page (test_lapsed.py, e2e/browser).
SCRIPTS = {"/console/drafts/{draft_id}/autosave"}
# Tried by themselves, below or beside: they are for who is not signed in, or take any words.
ELSEWHERE = {"/console/sign-in", "/console/drafts/{draft_id}"}


def posts() -> dict[str, APIRoute]:
    every = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return {route.path: route for route in every if "POST" in (route.methods or ())}


def pages(town: Town) -> dict[str, list[str]]:
    """A town with one of everything, and the pages with forms in it, by who sees them."""
    hoa, lan = Actor(account="hoa", body=PHUC_XA), Browser(town).sign_in("lan")
    screen = town.setup.register_screen(
        hoa, uuid4(), name="Cầu Long Biên", area="00001", profile="lcd1920", at=town.now
    )
    live, draft = town.issue(), town.draft().json()["id"]
    letter = deliver(town, town.issue())
    for step, who in (("submit", "lan"), ("approve", "minh")):
        town.step(draft, who, step).raise_for_status()
    lan.go("/console/compose").press("Trình duyệt", **ALERT)
    waiting = lan.path
    lan.go("/console/templates").press("Lưu địa bàn mới", name="Ven sông", areas="Phường Phúc Xá")
    said = {"name": "Mẫu", "category": "mua_lon", "headline": "Ngập {noi}", "description": "Nước lên."}
    lan.go("/console/templates/write/new").press("Lưu mẫu", **said, gaps="noi | Nơi | bãi giữa | 40")
    template = lan.path
    chief = Browser(town).sign_in("hoa").go("/console/screen-groups").press("Lập nhóm", name="Ven sông")
    group = chief.path
    town.setup.grant(SYSTEM, "hoa", PHUC_XA, Role.AUDITOR, at=town.now)
    town.catch_up()
    return {
        "lan": ["/console/templates", template, "/console/templates/write/new"],
        "minh": [
            waiting,
            f"/console/alerts/{draft}",
            f"/console/alerts/{live}/screens",
            f"/console/alerts/{live}/cancel",
        ],
        "hoa": [
            "/console/people",
            "/console/keys",
            f"/console/bodies/{PHUC_XA}",
            "/console/screens",
            f"/console/screens/{screen.id}",
            "/console/screen-groups",
            group,
            f"/console/dead-letters/{letter.id}",
            "/console/audit/as-of",
        ],
    }


def test_a_refused_form_is_as_it_was_typed(town: Town) -> None:
    refused, seen = set[str](), pages(town)
    town.later(seconds=30)
    signed_in = {who: Browser(town).sign_in(who) for who in seen}
    town.later(minutes=11)
    for who, paths in seen.items():
        for path in paths:
            page = signed_in[who].go(path)
            assert page.status == 200, path
            for form, target in list(forms(page)):
                browser = Browser(town, cookies=page.cookies)
                typed = fill_in(form)
                browser.send(target, typed)
                assert browser.status == 422, (target, browser.path, browser.text)
                again = the_form(browser, form, target)
                mine = Counter((name, said.strip()) for name, said in typed if name in by_hand(form))
                # The page may have more rows by now, for what is to be added next.
                assert mine - Counter(written(again)) == Counter(), target
                focused(browser, again, target)
                refused.add(target)
    routes = {
        path for path, route in posts().items() if any(route.path_regex.fullmatch(each) for each in refused)
    }
    assert routes == posts().keys() - NOTHING_TYPED - SCRIPTS - ELSEWHERE


def forms(page: Browser) -> Iterator[tuple[Any, str]]:
    """Each form with each address that it may be sent to, where anything is typed into it."""
    tree = page._tree()  # pyright: ignore[reportPrivateUsage]
    for form in tree.iter("form"):
        if form.get("method") == "post" and by_hand(form):
            targets = {each.get("formaction") or form.get("action") for each in form.iter("button")}
            yield from ((form, to) for each in sorted(targets) if is_asked(to := urlsplit(each).path))


def is_asked(target: str) -> bool:
    return not any(posts()[each].path_regex.fullmatch(target) for each in NOTHING_TYPED)


def by_hand(form: Any) -> set[str]:
    """What one types or chooses in it, but no secrets and no tick that one is sure."""
    typed = {
        each.get("name")
        for each in form.iter("input", "select", "textarea")
        if each.get("type") not in {"hidden", "password"}
    }
    return {name for name in typed if name and name not in NEVER}


def fill_in(form: Any) -> list[tuple[str, str]]:
    values: list[tuple[str, str]] = []
    for each in form.iter("input", "select", "textarea"):
        name, kind = each.get("name"), each.get("type")
        if kind == "hidden":
            values.append((name, each.get("value")))
        elif name in NEVER:
            continue
        elif each.tag == "select":
            values.append((name, each.xpath("./option/@value")[-1]))
        elif kind == "checkbox":
            values.append((name, each.get("value")))
        else:
            values.append((name, f"{TYPED}{len(values)}"))
    return values


def the_form(browser: Browser, before: Any, target: str) -> Any:
    """The same on the page that came."""
    found = [form for form, to in forms(browser) if to == target and by_hand(form) == by_hand(before)]
    assert found, (target, browser.text)
    return found[0]


def written(form: Any) -> list[tuple[str, str]]:
    return [(name, value.strip()) for name, value in form.form_values() if name in by_hand(form)]


def focused(browser: Browser, form: Any, target: str) -> None:
    """One field has the focus: it is of this form, is said to be wrong, and is told why beside it."""
    tree = browser._tree()  # pyright: ignore[reportPrivateUsage]
    found = tree.xpath("//*[@autofocus]")
    assert len(found) == 1, target
    assert found[0].get("aria-invalid") == "true", target
    (action,) = {each.get("action") for each in found[0].iterancestors("form")}
    assert action == form.get("action")
    told = [tree.get_element_by_id(each) for each in found[0].get("aria-describedby").split()]
    assert any(each.get("class") == "error" and each.text_content().strip() for each in told), target
    assert not found[0].xpath("ancestor::details[not(@open)]"), target
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids)), (target, sorted(each for each in ids if ids.count(each) > 1))


def test_nothing_is_listed_that_is_not_there() -> None:
    assert posts().keys() >= NOTHING_TYPED | SCRIPTS | ELSEWHERE
