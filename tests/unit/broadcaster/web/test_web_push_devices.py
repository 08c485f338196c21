"""Browsers in the registry: only whole subscriptions, only at known services, and leaving erases all."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from broadcaster.web.app import create_app
from channels.push.web.sandbox.browser import subscription
from schemas.content import Channel
from schemas.web_push import Services
from tests.unit.broadcaster.web.town import Client, Town

SERVICE = "https://fcm.googleapis.com"
TOKEN = subscription(SERVICE, "one").text
NEW: dict[str, Any] = {"token": TOKEN, "token_kind": "subscription", "platform": "web", "home": "00001"}


@pytest.fixture(name="served")
def _served(town: Town) -> Town:
    """A town that sends to browsers of one service."""
    ports = town.app.app._app.state.services.ports  # type: ignore[attr-defined]  # the front's own application
    town.app = create_app(
        replace(ports, push_key="BKey", push_services=Services.of("fcm.googleapis.com,*.push.apple.com"))
    )
    return town


def register(town: Town, **changes: Any) -> httpx.Response:
    return town.client().post("/v1/devices", NEW | changes)


def test_a_browser_registers_changes_and_leaves(served: Town) -> None:
    made = register(served, areas=["00049"]).raise_for_status().json()
    device = Client(served.app, f"{made['device_id']}.{made['secret']}")
    with served.pool.connection() as conn:
        kept = conn.execute("SELECT id, push_kind, platform FROM subscribers").fetchone()
    assert kept
    assert kept[1:] == ("subscription", "web")
    (address,) = served.registry.addresses(Channel.PUSH, [kept[0]])
    assert (address.address, address.kind) == (TOKEN, "subscription")
    again = register(served, areas=[]).raise_for_status().json()
    assert again["device_id"] == made["device_id"], "the same address is the same browser"
    assert device.get("/v1/devices/me").status_code == 401
    device = Client(served.app, f"{again['device_id']}.{again['secret']}")
    other = {"token": subscription(SERVICE, "two").text, "token_kind": "subscription", "platform": "web"}
    assert device("PUT", "/v1/devices/me/token", other).status_code == 204
    assert TOKEN not in device.get("/v1/devices/me").text
    assert device("DELETE", "/v1/devices/me").status_code == 204
    with served.pool.connection() as conn:
        assert conn.execute("SELECT count(*) FROM subscribers").fetchone() == (0,)


@pytest.mark.parametrize(
    "changes",
    [
        {"token": subscription("https://127.0.0.1:8600", "x").text},
        {"token": subscription("https://fcm.googleapis.com.evil.example", "x").text},
        {"token": subscription("https://169.254.169.254", "x").text},
        {"token": "https://[|x|y"},
        {"token": TOKEN.replace("https", "http")},
        {"token": TOKEN.partition("|")[0]},
        {"platform": "android"},
    ],
)
def test_what_leads_elsewhere_is_not_taken(served: Town, changes: dict[str, Any]) -> None:
    refused = register(served, **changes)
    assert refused.status_code == 422
    assert "evil" not in refused.text
    assert "/push/" not in refused.text
    made = register(served).raise_for_status().json()
    device = Client(served.app, f"{made['device_id']}.{made['secret']}")
    other = {name: value for name, value in (NEW | changes).items() if name != "home"}
    assert device("PUT", "/v1/devices/me/token", other).status_code == 422


def test_without_a_key_no_browser_is_taken(town: Town) -> None:
    assert register(town).status_code == 422
    assert 'data-key=""' in town.client().get("/my", accept="text/html").text


def test_the_page_says_by_which_key(served: Town) -> None:
    assert 'data-key="BKey"' in served.client().get("/my", accept="text/html").text
