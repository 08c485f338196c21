"""Signing in by an identity provider: who is believed, and what its word opens."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from broadcaster.accounts import codes
from broadcaster.accounts.oidc import Oidc, OidcSettings
from broadcaster.accounts.oidc_sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Person,
    Provider,
    secret_key,
    serving,
    unsigned,
)
from broadcaster.settings import Settings, SettingsError
from tests import calls
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import BASE, PASSWORD, SECRET, Town
from tests.waiting import PATIENCE


@pytest.fixture(name="provider")
def _provider(town: Town) -> Iterator[Provider]:
    with serving(lambda: town.now) as provider, httpx.Client(timeout=PATIENCE) as http:
        acr = frozenset({"urn:hanoi:2fa"})
        town.oidc = Oidc(OidcSettings(provider.url, CLIENT_ID, CLIENT_SECRET, acr, "Cổng Hà Nội"), http)
        town.open()
        yield provider


def step_over(browser: Browser, **changes: str | None) -> Browser:
    """Follows the browser to the provider and back; `changes` meddle with the address back."""
    place = browser.answer.headers.get("location") or leads_to(browser)
    returned = calls.get(place).headers["location"]
    assert returned.startswith(f"{BASE}/console/sso/callback?")
    query = {name: values[0] for name, values in parse_qs(urlsplit(returned).query).items()}
    query = {name: value for name, value in (query | changes).items() if value is not None}
    return browser.go("/console/sso/callback?" + str(httpx.QueryParams(query)))


def leads_to(browser: Browser) -> str:
    found = browser._tree().xpath("string(//a[@rel='noreferrer']/@href)")  # pyright: ignore[reportPrivateUsage]
    return str(found)


def away(browser: Browser, path: str = "/console/sso") -> Browser:
    """To the provider's door, which is another host: the browser's own steps end there."""
    answer = browser.ask("GET", path)
    assert answer.status_code == 303
    return browser


def linked(town: Town, account: str = "minh") -> None:
    town.later(seconds=30)
    browser = Browser(town).sign_in(account).go("/console/account")
    browser.press("Liên kết tài khoản", former=PASSWORD)
    step_over(browser).sees("Đã liên kết.")


@pytest.mark.usefixtures("provider")
def test_a_link_is_made_by_the_person_and_then_opens(town: Town) -> None:
    stranger = step_over(away(Browser(town)))
    assert stranger.status == 422
    stranger.sees("chưa liên kết với tài khoản nào")
    assert "session" not in stranger.cookies
    minh = Browser(town).sign_in("minh").go("/console/account")
    minh.press("Liên kết tài khoản", former="wrong").sees("Mật khẩu đang dùng không đúng.")
    linked(town)
    found = step_over(away(Browser(town), "/console/sso?next=/console/alerts"))
    assert found.path == "/console/alerts"
    found.sees("minh")
    # One subject is one account, and one account one subject.
    other = Browser(town).sign_in("lan").go("/console/account")
    other.press("Liên kết tài khoản", former=PASSWORD)
    step_over(other).sees("đã có liên kết")
    found.go("/console/account").press("Bỏ liên kết")
    assert step_over(away(Browser(town))).status == 422


CLAIMS: tuple[tuple[dict[str, Any], bool], ...] = (
    ({}, False),
    ({"email": "minh"}, False),
    ({"amr": ["pwd"]}, False),
    ({"amr": ["pwd", "otp", "mfa"]}, False),
    ({"amr": ["mfa"], "auth_time": -60}, True),
    ({"amr": ["mfa"], "auth_time": -660}, False),
    ({"acr": "urn:hanoi:2fa", "auth_time": 0}, True),
    ({"acr": "urn:other", "auth_time": 0}, False),
    ({"acr": ["urn:hanoi:2fa"], "auth_time": 0}, False),
    ({"amr": [["mfa"], 1], "auth_time": 0}, False),
)


def test_only_a_second_factor_minutes_ago_is_a_fresh_one(town: Town, provider: Provider) -> None:
    linked(town)
    for claims, fresh in CLAIMS:
        if "auth_time" in claims:
            at = int(town.now.timestamp()) + claims["auth_time"]
            provider.person = Person("s-1", claims | {"auth_time": at})
        else:
            provider.person = Person("s-1", claims)
        found = step_over(away(Browser(town))).go("/console/account").press("Tạo 10 mã mới")
        assert (found.status == 200) == fresh, claims


def test_what_goes_out_wants_our_own_code_where_the_provider_saw_none(
    town: Town, provider: Provider
) -> None:
    del provider
    linked(town)
    alert_id = town.draft().json()["id"]
    town.client("lan").post(f"/v1/alerts/{alert_id}/submit").raise_for_status()
    found = step_over(away(Browser(town))).go(f"/console/alerts/{alert_id}")
    found.press("Duyệt và phát ngay", sure=True, code="").sees("Cần mã xác thực mới.")
    town.later(seconds=30)
    found.press("Duyệt và phát ngay", sure=True, code=codes.code(SECRET, town.now))
    assert found.path.endswith("/live")


def test_what_was_not_begun_here_ends_here(town: Town, provider: Provider) -> None:
    linked(town)
    for changes in ({"state": "guessed"}, {"state": None}):
        assert step_over(away(Browser(town)), **changes).status == 422
    # An address that someone else began, opened in this browser.
    begun = away(Browser(town))
    returned = calls.get(begun.answer.headers["location"]).headers["location"].removeprefix(BASE)
    victim = Browser(town).go(returned)
    assert (victim.status, "session" in victim.cookies) == (422, False)
    # Twice; and too late.
    assert begun.go(returned).status == 200
    begun.cookies.pop("session")
    assert begun.go(returned).status == 422
    late = away(Browser(town))
    town.later(minutes=10)
    assert step_over(late).status == 422
    # A link is for who began it, not for who is signed in by the time it comes back.
    lan = Browser(town).sign_in("lan").go("/console/account")
    provider.person = Person("s-2")
    lan.press("Liên kết tài khoản", former=PASSWORD)
    town.later(seconds=30)
    place = leads_to(lan)
    lan.go("/console").press("Thoát")
    lan.sign_in("tuan")
    returned = calls.get(place).headers["location"].removeprefix(BASE)
    assert lan.go(returned).status == 422
    assert town.desk.links.account_of(provider.url, "s-2") is None


LIES = (
    "none",
    "hs256",
    "iss",
    "aud",
    "azp",
    "nonce",
    "no-nonce",
    "expired",
    "sub",
    "future",
    "foreign-key",
)


def test_a_token_that_lies_is_not_believed(town: Town, provider: Provider) -> None:
    linked(town)
    for lie in LIES:
        provider.forge = liar(town, provider, lie)
        found = step_over(away(Browser(town)))
        assert (found.status, "session" in found.cookies) == (422, False), lie
        provider.forge = None
        if lie != "foreign-key":
            assert step_over(away(Browser(town))).status == 200


def liar(town: Town, provider: Provider, lie: str) -> Callable[[dict[str, Any], dict[str, Any]], str]:
    """What makes such a token."""
    now = int(town.now.timestamp())
    wrong: dict[str, dict[str, Any]] = {
        "iss": {"iss": "http://127.0.0.1:1"},
        "aud": {"aud": "another-client"},
        "azp": {"aud": [CLIENT_ID, "x"], "azp": "x"},
        "nonce": {"nonce": "another"},
        "expired": {"exp": now - 61, "iat": now - 400},
        "sub": {"sub": ""},
        "future": {"iat": now + 3600, "exp": now + 7200},
    }

    def forge(header: dict[str, Any], claims: dict[str, Any]) -> str:
        match lie:
            case "none":
                return unsigned(header, claims)
            case "hs256":
                return provider.signed({"alg": "HS256"}, claims, secret_key())
            case "foreign-key":
                provider.turn_keys("first")
                published, provider.published = provider.published, []
                assert published
                return provider.signed(header, claims)
            case "no-nonce":
                return provider.signed(header, {k: v for k, v in claims.items() if k != "nonce"})
            case _:
                return provider.signed(header, claims | wrong[lie])

    return forge


def test_keys_that_were_turned_over_are_read_again(town: Town, provider: Provider) -> None:
    linked(town)
    asked = provider.asked.count("/keys")
    provider.turn_keys("second")
    assert step_over(away(Browser(town))).status == 200
    assert provider.asked.count("/keys") == asked + 1


def test_without_the_provider_there_is_the_password(town: Town, provider: Provider) -> None:
    provider.is_down = True
    browser = Browser(town).go("/console/sso")
    browser.sees("Cổng định danh không trả lời.")
    Browser(town).go("/console/sign-in").sees("Đăng nhập bằng Cổng Hà Nội")
    assert Browser(town).sign_in("lan").status == 200


def test_it_is_off_unless_it_is_set(town: Town) -> None:
    assert Browser(town).go("/console/sso").status == 404
    assert Browser(town).go("/console/sso/callback").status == 404
    lan = Browser(town).sign_in("lan").go("/console/account")
    assert "Liên kết tài khoản" not in lan.text
    values = [("csrf", lan.csrf()), ("former", PASSWORD)]
    assert lan.send("/console/account/sso/link", values).status == 404
    for issuer in ("http://example.test", "https://x.test/", "ftp://x.test", "https://x.test?a"):
        env = {"BROADCASTER_OIDC_ISSUER": issuer, "BROADCASTER_OIDC_CLIENT_ID": "x"}
        with pytest.raises(SettingsError, match="OIDC_ISSUER"):
            Settings.from_env(env | {"BROADCASTER_OIDC_CLIENT_SECRET": "y"})
    with pytest.raises(SettingsError, match="required with oidc_issuer"):
        Settings.from_env({"BROADCASTER_OIDC_ISSUER": "https://x.test"})


def test_a_provider_that_is_another_is_not_taken(town: Town, provider: Provider) -> None:
    assert town.oidc is not None
    town.oidc = Oidc(replace(town.oidc.settings, issuer=provider.url.replace("127.0.0.1", "localhost")))
    town.open()
    assert Browser(town).go("/console/sso").status == 422


@pytest.mark.usefixtures("provider")
def test_what_was_typed_waits_while_the_provider_is_asked_in_another_tab(town: Town) -> None:
    linked(town, "lan")
    town.later(seconds=30)
    lan = Browser(town).sign_in("lan").go("/console/compose")
    town.later(minutes=31)
    lan.press("Lưu nháp", headline="Mưa").sees("Đăng nhập bằng Cổng Hà Nội ở thẻ mới")
    assert 'href="/console/sso?next=/console/kept" target="_blank"' in lan.answer.text
    tab = step_over(away(Browser(town), "/console/sso?next=/console/kept"))
    tab.sees("quay lại thẻ có chữ đang viết")
    lan.cookies = tab.cookies
    lan.press("Đã đăng nhập ở thẻ khác: viết tiếp")
    lan.sees("vẫn còn ở đây")
    assert 'value="Mưa"' in lan.answer.text
