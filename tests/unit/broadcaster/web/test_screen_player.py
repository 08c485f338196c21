"""The reference controller against the real web: frames on its screen, receipts, outages, restarts."""

import io
import threading
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from PIL import Image

from broadcaster.keys.feed import FeedKey
from broadcaster.player.controller import Box, PngFolder, Settings, halves, lettered, steady_ms
from broadcaster.player.controller import decode as box_decode
from broadcaster.screens.seen import read_state
from broadcaster.web.feeds.polls import FEED_PATH
from channels.led.draw import decode
from tests.unit.broadcaster.web.town import FEED_KEY, Town
from tests.waiting import until

NEW = {"name": "Chợ Long Biên", "area": "00001", "profile": "m96x32-1"}


class Quiet(uvicorn.Server):
    """Tells its port."""

    @property
    def port(self) -> int:
        return self.servers[0].sockets[0].getsockname()[1]


@contextmanager
def serving(town: Town) -> Generator[Quiet]:
    """The application on a port of loopback."""
    config = uvicorn.Config(town.app, port=0, log_level="warning", ws="none", timeout_graceful_shutdown=1)
    server = Quiet(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        yield server
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def running(box: Box) -> Generator[Box]:
    """The box in a thread."""
    thread = threading.Thread(target=box.run, daemon=True)
    thread.start()
    try:
        yield box
    finally:
        box.stop()
        thread.join()


def settings(folder: Path, key: str, port: int) -> Settings:
    return Settings(f"http://127.0.0.1:{port}{FEED_PATH}", key, "text", folder / "state", wait_s=20)


def put_up(town: Town, profile: str = "m96x32-1") -> str:
    made = town.client("hoa").post("/v1/screens", NEW | {"profile": profile})
    town.catch_up()
    return made.json()["key"]


@pytest.mark.parametrize("profile", ["m96x32-1", "m128x64-rgb", "lcd1920"])
def test_an_alert_is_on_the_screen_and_its_receipt_in_reach(
    town: Town, tmp_path: Path, profile: str
) -> None:
    key, out = put_up(town, profile), tmp_path / "out"
    with serving(town) as server:
        box = Box(settings(tmp_path, key, server.port), shows=PngFolder(out))
        with running(box):
            until(lambda: list(out.glob("*-idle.png")) and box.player.drawn)
            alert_id = town.issue(severity="Extreme")
            town.catch_up()
            until(lambda: list(out.glob(f"*-{alert_id}-r1-p1.png")))
            page = box.player.feed.items[0].pages[0]  # type: ignore[union-attr]
            # Where the machine is busy its letters were on before its frame.
            until(lambda: page.frame in box.player.drawn)
            drawn = _frame(town, page.frame or "", profile)
            own = box_decode(box.store.frame(page.frame or "") or b"")
            assert bytes(own.rgb) == drawn.convert("RGB").tobytes()

            def shown() -> bool:
                with Image.open(max(out.glob(f"*-{alert_id}-r1-p1.png"))) as picture:
                    return picture.convert("RGB").tobytes() == drawn.convert("RGB").tobytes()

            until(shown)
            until(lambda: not box.player.pending and box.player.told)
            town.follow()
            reach = town.client().get(f"/v1/alerts/{alert_id}/reach").json()["channels"]
            assert [(one["channel"], one["totals"]["screens"]) for one in reach] == [("led", 1)]

            cancelled = town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "Hết mưa"})
            cancelled.raise_for_status()
            town.catch_up()
            until(lambda: box.player.picture(0).item is None)
            until(lambda: sorted(out.glob("*.png"))[-2].name.endswith("-idle.png"))


def _frame(town: Town, name: str, profile: str) -> Image.Image:
    one_bit = profile.endswith("-1")
    answer = town.client().get(f"/v1/frames/{name}.{'bin' if one_bit else 'png'}")
    if one_bit:
        return decode(answer.content)
    return Image.open(io.BytesIO(answer.content))


def test_without_the_house_the_last_feed_goes_on_until_the_box_restarts(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = put_up(town)
    alert_id = town.issue()
    town.catch_up()
    with serving(town) as server:
        at = settings(tmp_path, key, server.port)
        with running(Box(at, boot="b1")) as box:
            until(lambda: box.player.told and not box.player.pending)
    assert "Mưa lớn,\nngập sâu\n" in capsys.readouterr().out
    with running(Box(at, boot="b1")) as box:  # the house is gone, the program began anew
        until(lambda: "Mưa lớn" in capsys.readouterr().out)
        assert box.player.told == {(alert_id, 1)}
        assert box.player.pending == []
    with running(Box(at, boot="b2")) as box:  # the box began anew: nobody knows the time
        until(lambda: "Hà Nội" in capsys.readouterr().out)
        assert box.player.live(0) == []


def test_the_key_that_signs_is_pinned_at_the_first_contact(town: Town, tmp_path: Path) -> None:
    key = put_up(town)
    with serving(town) as server:
        at = settings(tmp_path, key, server.port)
        with running(Box(at)) as box:
            until(lambda: box.player.feed)
    assert Box(at).player.pinned == [FEED_KEY.public]


def test_a_feed_that_another_signed_is_never_shown(
    town: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = put_up(town)
    town.issue()
    town.catch_up()
    other = b64encode(FeedKey.fresh().public).decode()
    with serving(town) as server:
        at = replace(settings(tmp_path, key, server.port), feed_key=other)
        with running(Box(at)) as box:
            until(lambda: "not signed by the house" in caplog.text)
            assert box.player.feed is None
            assert box.player.pending == []


def test_the_house_hears_what_is_on(town: Town, tmp_path: Path) -> None:
    key = put_up(town)
    alert_id = town.issue()
    town.catch_up()
    with (
        serving(town) as server,
        running(Box(replace(settings(tmp_path, key, server.port), wait_s=1))) as box,
    ):
        until(lambda: box.player.told)

        def said() -> bool:
            return any(
                read_state(one.state).get("show") == f"{alert_id}/1" for one in town.app.served.values()
            )

        until(said)


def test_plays_reach_the_house_in_batches(town: Town, tmp_path: Path) -> None:
    key = put_up(town)
    alert_id = town.issue()
    town.catch_up()

    def rows() -> list[Any]:
        with town.pool.connection() as conn:
            return conn.execute(
                "SELECT alert_id, version, plays, last_at >= first_at FROM screen_plays"
            ).fetchall()

    with serving(town) as server:
        at = replace(settings(tmp_path, key, server.port), plays_ms=300)
        with running(Box(at)) as box:
            assert until(rows) == [(UUID(alert_id), 1, 1, True)]
            until(lambda: box.player.batch is None)


def test_a_box_without_a_key_pairs_by_the_code_on_its_panel(town: Town, tmp_path: Path) -> None:
    town.follow()
    out = tmp_path / "out"
    with serving(town) as server:
        at = replace(settings(tmp_path, "", server.port), profile="m96x32-1")
        with running(Box(at, shows=PngFolder(out))) as box:
            code = until(lambda: box.code)
            expected = lettered(halves(code), 96, 32).png()
            until(lambda: (out / "current.png").exists() and (out / "current.png").read_bytes() == expected)
            claim = {"code": code, **NEW}
            town.client("hoa").post("/v1/screens/pairing/claim", claim).raise_for_status()
            town.catch_up()
            until(lambda: box.player.feed)
            assert box.code == ""
            assert box.player.pinned == [FEED_KEY.public]
        paired = tmp_path / "state" / "paired"
        assert paired.stat().st_mode & 0o777 == 0o600
        alert_id = town.issue()
        town.catch_up()
        with running(Box(at, shows=PngFolder(out))) as box:  # the key outlives the program
            until(lambda: box.player.told == {(alert_id, 1)})
            assert box.code == ""


def test_a_screen_makes_itself_known_when_asked(town: Town, tmp_path: Path) -> None:
    made = town.client("hoa").post("/v1/screens", NEW).json()
    town.catch_up()
    with serving(town) as server, running(Box(settings(tmp_path, made["key"], server.port))) as box:
        until(lambda: box.player.feed)
        town.client("hoa").post(f"/v1/screens/{made['screen_id']}/identify").raise_for_status()
        town.app.cache.refresh()
        until(lambda: box.player.picture(steady_ms()).flash)
