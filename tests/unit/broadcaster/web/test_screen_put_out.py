"""A paired box whose key was ended: it pairs again, on nobody's word but the house's own."""

import json
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from broadcaster.keys.feed import FeedKey
from broadcaster.player.controller import Box, LinkError, PngFolder, Store, steady_ms
from tests.unit.broadcaster.web.test_screen_player import NEW, running, serving, settings
from tests.unit.broadcaster.web.town import FEED_KEY, Town
from tests.waiting import until


def paired_before(town: Town, folder: Path) -> str:
    """A box that was paired some time ago; answers which screen it is."""
    made = town.client("hoa").post("/v1/screens", NEW).raise_for_status().json()
    town.catch_up()
    Store(folder / "state").keep_paired(made["key"], made["screen_id"], {})
    return made["screen_id"]


def test_a_box_whose_key_was_ended_pairs_again_as_the_screen_it_was(town: Town, tmp_path: Path) -> None:
    screen_id, out = paired_before(town, tmp_path), tmp_path / "out"
    with serving(town) as server:
        at = replace(settings(tmp_path, "", server.port), wait_s=1)
        with running(Box(at, shows=PngFolder(out))) as box:
            until(lambda: box.player.feed)
            alert_id = town.issue(severity="Extreme")
            town.catch_up()
            until(lambda: box.player.told and not box.player.pending)
            town.client("hoa").post(f"/v1/screens/{screen_id}/revoke").raise_for_status()
            code = until(lambda: box.code)
            assert box.player.picture(steady_ms()).item == alert_id, "what is on is on until its end"
            shown = {path.name for path in out.glob("*.png")}
            assert all("idle" in name or alert_id in name or name == "current.png" for name in shown)
            claim = {"code": code, "screen_id": screen_id}
            town.client("hoa").post("/v1/screens/pairing/claim", claim).raise_for_status()
            until(lambda: not box.code)
            assert box.player.told == {(alert_id, 1)}, "it is the same screen, and tells nothing twice"
            town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "x"}).raise_for_status()
            town.catch_up()
            until(lambda: box.player.picture(steady_ms()).item is None)
        assert Store(tmp_path / "state").paired()["screen"] == screen_id


def test_as_another_screen_it_begins_anew_and_brings_nothing_back(town: Town, tmp_path: Path) -> None:
    screen_id = paired_before(town, tmp_path)
    with serving(town) as server:
        box = Box(replace(settings(tmp_path, "", server.port), wait_s=1))
        with running(box):
            until(lambda: box.player.feed)
            box.player.gone["cancelled"] = 3
            floors = dict(box.player.floors)
            town.client("hoa").post(f"/v1/screens/{screen_id}/revoke").raise_for_status()
            code = until(lambda: box.code)
            town.client("hoa").post("/v1/screens/pairing/claim", {"code": code, **NEW}).raise_for_status()
            town.catch_up()
            until(lambda: not box.code)
            until(lambda: box.player.feed)
            assert box.player.gone == {"cancelled": 3}
            assert all(box.player.floors[place] >= floor for place, floor in floors.items())


class Liar(BaseHTTPRequestHandler):
    """Stands where the house should, and refuses every key; `says` is what it makes of a question."""

    says: "Says"

    def do_GET(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query))
        body, signature = type(self).says(asked)
        self.send_response(200)
        self.send_header("X-Feed-Signature", signature)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Says nothing."""


Says = Callable[[dict[str, str]], tuple[bytes, str]]


def told(key: FeedKey = FEED_KEY, **changes: str) -> Says:
    def says(asked: dict[str, str]) -> tuple[bytes, str]:
        body = json.dumps({"kind": "key-standing/1", **asked, "standing": "ended", **changes}).encode()
        return body, key.sign(body)

    return says


def signed(body: bytes, signature: str) -> Says:
    def says(asked: dict[str, str]) -> tuple[bytes, str]:
        return body or told()(asked)[0], signature

    return says


@pytest.mark.parametrize(
    ("says", "believed"),
    [
        (told(), True),  # the house itself
        (told(standing="live"), False),
        (told(nonce="0" * 32), False),  # said once to someone else
        (told(key_id="other"), False),
        (told(kind="led-feed/1"), False),
        (told(FeedKey.fresh()), False),
        (signed(b"", FEED_KEY.sign(b"")), False),
        (signed(b"", ""), False),
        (signed(b"[]", FEED_KEY.sign(b"[]")), False),
        (signed(b"<html>", FEED_KEY.sign(b"<html>")), False),
    ],
)
def test_only_the_house_s_signed_word_ends_a_key(tmp_path: Path, says: Says, *, believed: bool) -> None:
    Store(tmp_path / "state").keep_paired("hn_abc_secret", "s", {"pinned": [FEED_KEY.public.hex()]})
    handler = type("OneLiar", (Liar,), {"says": staticmethod(says)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            box = Box(settings(tmp_path, "", server.server_port))
            assert box.is_put_out() is believed
            assert not Box(settings(tmp_path, "hn_abc_secret", server.server_port)).is_put_out(), (
                "set by hand"
            )
        finally:
            server.shutdown()


def test_another_house_does_not_take_over_a_box_whose_key_was_ended(town: Town, tmp_path: Path) -> None:
    screen_id = paired_before(town, tmp_path)
    with serving(town) as server:
        at = replace(settings(tmp_path, "", server.port), wait_s=1)
        box = Box(at)
        box.player.pinned = [FEED_KEY.public]
        given = {
            "key": "hn_new_key",
            "screen_id": "s",
            "feed_key": b64encode(FeedKey.fresh().public).decode(),
        }
        town.client("hoa").post(f"/v1/screens/{screen_id}/revoke").raise_for_status()
        assert box.is_put_out()
        with pytest.raises(LinkError, match="cannot be kept"):
            box.is_paired(given)
        assert "new" not in Store(tmp_path / "state").paired()["key"]
