"""The page's rules through the same random lives as the controller's, against the same oracle.

They run in node; where that is not installed, in Chromium.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import rule, run_state_machine_as_test
from playwright.sync_api import sync_playwright

from broadcaster.player.controller import Outcome, Picture
from tests.unit.broadcaster.player.test_player_model import (
    Street,
    drills_beside_what_is_meant,
    settings_of_a_screen,
    silence,
)

CORE = files("broadcaster.web") / "static" / "player_core.js"
ORACLE = Path(__file__).with_name("player_oracle.mjs")
ENGINES = [name for name in ("node", "chromium") if shutil.which(name)]
LOAD = """async (sources) => {
  const load = (source) => import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const [{ Player }, { answering }] = await Promise.all(sources.map(load));
  globalThis.answer = answering(Player);
}"""

Call = Callable[..., Any]


@contextmanager
def node() -> Generator[Call]:
    """Calls the page's rules in node."""
    command = [shutil.which("node") or "", str(ORACLE), str(CORE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        said, heard = process.stdin, process.stdout

        def call(*given: Any) -> Any:
            said.write(json.dumps(given) + "\n")
            said.flush()
            return json.loads(heard.readline())

        yield call
        said.close()


@contextmanager
def chromium() -> Generator[Call]:
    """Calls the page's rules in a browser."""
    with sync_playwright() as playwright:
        args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        page = browser.new_page()
        page.evaluate(LOAD, [CORE.read_text(), ORACLE.read_text()])

        def call(*given: Any) -> Any:
            return page.evaluate("given => answer(given)", list(given))

        yield call
        browser.close()


class PagePlayer:
    """The page's player as the oracle asks for it."""

    def __init__(self, call: Call, steady: int, kept: dict[str, Any] | None) -> None:
        self._call = call
        self.etag: str = call("begin", steady, kept)

    def kept(self, steady: int) -> dict[str, Any]:
        return self._call("kept", steady)

    def answered(self, body: bytes, *given: Any) -> Outcome:
        outcome, self.etag = self._call("answered", body.decode(), *given)
        return Outcome(outcome)

    def unchanged(self, *given: Any) -> Outcome:
        return Outcome(self._call("unchanged", *given))

    def picture(self, steady: int) -> Picture:
        told = self._call("picture", steady)
        return Picture(
            told["id"],
            told["rev"],
            told["number"],
            told["of"],
            tuple(told["lines"]),
            None,
            told["mark"],
            told["stale"],
            steady + told["wait"],
        )

    def turns(self, steady: int) -> list[SimpleNamespace]:
        return [SimpleNamespace(id=one) for one in self._call("turns", steady)]

    def showed(self, picture: Picture) -> bool:
        return self._call("showed", picture.item, picture.rev)


class PageStreet(Street):
    """A screen whose box is a browser: its steady clock ends with the page."""

    call: Call

    def begun(self, boot: str, steady: int, kept: dict[str, Any] | None = None) -> PagePlayer:
        del boot
        return PagePlayer(type(self).call, steady, kept)

    @rule()
    def the_program_restarts(self) -> None:
        self.trusted = False
        super().the_program_restarts()


@pytest.mark.skipif(not ENGINES, reason="neither node nor chromium is installed")
def test_the_page_shows_what_the_street_should_see() -> None:
    name = ENGINES[0] if ENGINES else ""
    # A call to a browser takes twenty times as long.
    lives = 40 if name == "node" else 8
    with (node if name == "node" else chromium)() as call:
        PageStreet.call = staticmethod(call)
        silence(PageStreet())
        drills_beside_what_is_meant(PageStreet())
        settings_of_a_screen(PageStreet())
        run_state_machine_as_test(
            PageStreet, settings=settings(max_examples=lives, stateful_step_count=30, deadline=None)
        )


@pytest.mark.slow
@pytest.mark.skipif(
    "chromium" not in ENGINES and os.environ.get("REQUIRE_BROWSER") != "1", reason="no chromium"
)
def test_the_same_in_a_browser() -> None:
    with chromium() as call:
        PageStreet.call = staticmethod(call)
        run_state_machine_as_test(
            PageStreet, settings=settings(max_examples=5, stateful_step_count=20, deadline=None)
        )
