"""Frames, forms, signatures, waiting and previews over HTTP."""

import asyncio
import hashlib
import io
import json
from base64 import b64decode
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from PIL import Image

from broadcaster.web.feeds.polls import FEED_PATH, wait_asked
from broadcaster.web.feeds.waiters import Waiters
from tests.unit.broadcaster.web.town import BASE, Client, Town
from tests.waiting import until

NEW = {"name": "Chợ Long Biên", "area": "00001", "profile": "m96x32-1"}


def put_up(town: Town, **changes: Any) -> Client:
    made = town.client("hoa").post("/v1/screens", NEW | changes)
    assert made.status_code == 201, made.text
    town.catch_up()
    return Client(town.app, made.json()["key"])


def verify(town: Town, answer: httpx.Response) -> None:
    """As a screen does it. Raises InvalidSignature."""
    published = town.client().get("/v1/feed-key").json()
    signature, _, key = answer.headers["x-feed-signature"].partition(";key=")
    assert key == published["key"]
    public = Ed25519PublicKey.from_public_bytes(b64decode(published["public"]))
    public.verify(b64decode(signature.removeprefix("ed25519=")), answer.content)


def test_every_form_is_signed_and_has_a_tag_of_its_own(town: Town) -> None:
    screen = put_up(town)
    town.issue()
    town.catch_up()
    tags: set[str] = set()
    for suffix in ("", ".txt", ".multi", ".bin"):
        made, kept = screen.get(FEED_PATH + suffix), screen.get(FEED_PATH + suffix)
        assert made.status_code == 200, suffix
        assert made.content == kept.content
        for answer in (made, kept):
            verify(town, answer)
        tag = made.headers["etag"]
        assert kept.headers["etag"] == tag
        again = screen.get(FEED_PATH + suffix, If_None_Match=tag)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["x-server-time"]
        tags.add(tag)
    assert len(tags) == 4
    made.content.index(b"HLD1")
    forged = httpx.Response(200, headers=made.headers, content=made.content + b" ")
    with pytest.raises(InvalidSignature):
        verify(town, forged)
    assert screen.get(FEED_PATH + ".gif").status_code == 422


def test_raw_bits_are_for_displays_of_one_bit(town: Town) -> None:
    screen = put_up(town, profile="m96x32-rgb")
    assert screen.get(FEED_PATH + ".bin").status_code == 404
    assert screen.get(FEED_PATH + ".multi").status_code == 200


def test_a_form_changes_with_the_feed(town: Town) -> None:
    screen = put_up(town)
    empty = screen.get(FEED_PATH + ".txt")
    town.issue()
    town.catch_up()
    full = screen.get(FEED_PATH + ".txt", If_None_Match=empty.headers["etag"])
    assert full.status_code == 200
    assert "Mưa lớn," in full.text


def test_frames_are_for_ever_under_their_names(town: Town) -> None:
    screen = put_up(town)
    alert_id = town.issue()
    town.catch_up()
    feed = screen.get(FEED_PATH).json()
    anyone = town.client()
    for page in (feed["idle"], *feed["items"][0]["pages"]):
        name = page["frame"]
        raw = anyone.get(f"/v1/frames/{name}.bin")
        assert hashlib.sha256(raw.content).hexdigest() == name
        assert raw.headers["cache-control"] == "public, max-age=31536000, immutable"
        unchanged = anyone.get(f"/v1/frames/{name}.bin", If_None_Match=raw.headers["etag"])
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        picture = Image.open(io.BytesIO(anyone.get(f"/v1/frames/{name}.png").content))
        assert picture.size == (page["w"], page["h"])
        assert anyone.get(f"/v1/frames/{name}.xbm").text.startswith("#define im_width 96")
    assert anyone.get(f"/v1/frames/{'0' * 64}.png").status_code == 404
    assert anyone.get("/v1/frames/x.png").status_code == 422
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "Hết mưa"}).raise_for_status()


def test_a_colour_frame_is_named_by_its_png(town: Town) -> None:
    feed = put_up(town, profile="m128x64-rgb").get(FEED_PATH).json()
    name = feed["idle"]["frame"]
    body = town.client().get(f"/v1/frames/{name}.png").content
    assert hashlib.sha256(body).hexdigest() == name
    assert town.client().get(f"/v1/frames/{name}.bin").status_code == 404


def test_drills_reach_drill_screens_only(town: Town) -> None:
    plain, drilled = put_up(town), put_up(town, drills=True)
    before = plain.get(FEED_PATH)
    town.issue(mode="exercise")
    town.catch_up()
    assert plain.get(FEED_PATH).content == before.content
    (item,) = drilled.get(FEED_PATH).json()["items"]
    assert item["status"] == "exercise"
    listed = town.client("hoa").get("/v1/screens").json()["screens"]
    assert sorted(one["drills"] for one in listed) == [False, True]


def test_a_display_nobody_can_draw_for_is_refused_with_those_that_are_known(town: Town) -> None:
    refused = town.client("hoa").post("/v1/screens", NEW | {"profile": "hologram"})
    assert refused.status_code == 422
    assert "m96x32-1, m128x64-1" in refused.text


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [(b"wait=50", 50), (b"respond-async, Wait=5", 5), (b"wait=999", 55), (b"wait=x", 0), (b"", 0)],
)
def test_the_wait_asked_for(prefer: bytes, seconds: int) -> None:
    assert wait_asked(prefer) == seconds


def test_a_waiting_poll_is_answered_at_news(town: Town) -> None:
    screen = put_up(town)
    tag = screen.get(FEED_PATH).headers["etag"]

    async def run() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app=town.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            asked = {"Authorization": f"Bearer {screen.key}", "If-None-Match": tag, "Prefer": "wait=50"}
            first = asyncio.ensure_future(client.get(FEED_PATH, headers=asked))
            await asyncio.to_thread(until, lambda: len(town.app.waiters) == 1)
            # The newest poll of a screen is the one that waits.
            second = asyncio.ensure_future(client.get(FEED_PATH, headers=asked))
            former = await first
            await asyncio.to_thread(town.issue)
            await asyncio.to_thread(town.catch_up)
            return former, await second

    former, told = asyncio.run(run())
    assert former.status_code == 304
    assert former.headers["preference-applied"] == "wait=50"
    assert told.status_code == 200
    assert len(told.json()["items"]) == 1
    assert len(town.app.waiters) == 0


def test_a_screen_that_goes_away_waits_no_longer(town: Town) -> None:
    screen = put_up(town)
    tag = screen.get(FEED_PATH).headers["etag"]

    async def run() -> list[Any]:
        said: list[Any] = []
        asked: asyncio.Queue[Any] = asyncio.Queue()
        await asked.put({"type": "http.request", "body": b"", "more_body": False})

        async def send(message: Any) -> None:
            said.append(message)

        headers = {"authorization": f"Bearer {screen.key}", "if-none-match": tag, "prefer": "wait=50"}
        scope = {
            "type": "http",
            "method": "GET",
            "path": FEED_PATH,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        poll = asyncio.ensure_future(town.app(scope, asked.get, send))
        await asyncio.to_thread(until, lambda: len(town.app.waiters) == 1)
        await asked.put({"type": "http.disconnect"})
        await poll
        return said

    assert asyncio.run(run())[0]["status"] == 304
    assert len(town.app.waiters) == 0


def test_when_too_many_wait_the_next_is_answered_at_once(town: Town) -> None:
    town.app.waiters = Waiters(most=0)
    screen = put_up(town)
    tag = screen.get(FEED_PATH).headers["etag"]
    assert screen.get(FEED_PATH, If_None_Match=tag, Prefer="wait=50").status_code == 304


def test_a_text_is_previewed_on_every_display(town: Town) -> None:
    lan = town.client("lan")
    path = "/v1/preview/screen"
    told = lan("GET", path, params={"text": "Ngập sâu tại phường Phúc Xá"}).json()
    assert told["fits"]
    assert told["problem"] is None
    assert {one["profile"] for one in told["profiles"]} >= {"m96x32-1", "lcd1080x1920"}
    picture = lan.get(told["profiles"][0]["picture"])
    assert picture.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(picture.content)).width == 96 * 4
    long = lan("GET", path, params={"text": "abcdefghij " * 9}).json()
    assert not long["fits"]
    assert "96x32" in long["problem"]
    assert not json.loads(json.dumps(long["profiles"][0]))["whole"]
    assert lan("GET", path, params={"text": "x", "profile": "hologram"}).status_code == 404
    assert town.client()("GET", path, params={"text": "x"}).status_code == 401


def test_a_text_too_long_for_a_screen_cannot_be_submitted(town: Town) -> None:
    long = {"vi": {"headline": "abcdefghij " * 9 + "x", "description": "Nước lên nhanh."}}
    alert_id = town.draft(texts=long).raise_for_status().json()["id"]
    refused = town.client("lan").post(f"/v1/alerts/{alert_id}/submit")
    assert (refused.status_code, refused.json()["rule"]) == (422, "content.sign-text")
    assert "the headline: takes 9 lines on a 96x32 screen" in refused.json()["detail"]
    # A short text for screens, or none at all, is the way out.
    ways: tuple[dict[str, Any], ...] = (
        {"texts": {"vi": long["vi"] | {"sign_text": "Ngập sâu"}}},
        {"channels": ["push"]},
    )
    for way in ways:
        alert_id = town.draft("lan", **({"texts": long} | way)).raise_for_status().json()["id"]
        town.client("lan").post(f"/v1/alerts/{alert_id}/submit").raise_for_status()
