"""Debian's Chromium on a furnished city; any complaint of the browser fails the test.

Without Chromium the tests are skipped, unless REQUIRE_BROWSER=1. The browser ends with each module:
Playwright keeps an event loop running in this thread as long as it lives.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)
from psycopg import sql

from broadcaster.engines.embedded import PostgresServer
from tests.site import PASSWORD, Site, site
from tests.waiting import PATIENCE

FORESEEN = (
    "the server responded with a status of 4",
    "the server responded with a status of 502",
    "net::ERR_CONNECTION_",
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
    "net::ERR_EMPTY_RESPONSE",
)
"""Chromium calls it an error when a page says no, and when a server was stopped on purpose."""
SLOWEST_MS = PATIENCE * 1000
"""For a page to do what it is sure to do."""
expect.set_options(timeout=SLOWEST_MS)
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(name="chromium", scope="module")
def _chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("chromium is not installed, and REQUIRE_BROWSER=1")
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(name="hanoi", scope="module")
def _hanoi(postgres: PostgresServer, furnished: str) -> Iterator[Site]:
    name = f"browser_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(furnished)))
    with site(postgres.url_of(name), cadence_public=True) as running:
        yield running


Opener = Callable[..., Page]


@pytest.fixture(name="opened")
def _opened(chromium: Browser, hanoi: Site) -> Iterator[Opener]:
    """Opens a page of a browser of one's own; `account` signs in."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    hosts = {hanoi.url}

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(each in message.text for each in FORESEEN):
            complaints.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith(tuple(hosts)):
            complaints.append(f"a request to {request.url}")

    def opened(
        account: str | None = None, *, width: int = 1280, scripts: bool = True, base_url: str = hanoi.url
    ) -> Page:
        hosts.add(base_url)
        context = chromium.new_context(
            base_url=base_url,
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            reduced_motion="reduce",
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
        )
        context.set_default_timeout(SLOWEST_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", asked)
        if account is not None:
            sign_in(page, hanoi, account)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, hanoi: Site, account: str) -> None:
    page.goto("/console/sign-in")
    page.get_by_label("Tên tài khoản").fill(account)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_label("Mã xác thực").fill(hanoi.code())
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url("**/console")
