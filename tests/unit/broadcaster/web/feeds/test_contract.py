"""The feed's contract over sockets, held by each server of it: the web role's front and the edge."""

import hashlib
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx
import pytest

from broadcaster.keys.text import digest, split
from broadcaster.screens.signing import WINDOW, Asked, fresh, sign
from broadcaster.web.feeds.polls import FEED_PATH, HINTS_PATH
from tests import calls
from tests.unit.broadcaster.web.feeds.test_forms import verify
from tests.unit.broadcaster.web.screen_polls import NEW
from tests.unit.broadcaster.web.serving import Serving, edge, front
from tests.unit.broadcaster.web.town import Town
from tests.waiting import PATIENCE, until

SOON = 40
"""Seconds: sooner than the 50 for which a poll would wait."""


@pytest.fixture(name="serving", params=[front, edge], ids=["front", "edge"])
def _serving(request: pytest.FixtureRequest, town: Town) -> Iterator[Serving]:
    with request.param(town) as serving:
        yield serving


class Screen:
    """A screen with its key, on a connection of its own that is kept."""

    def __init__(self, town: Town, serving: Serving, *, made: bool = True, **changes: Any) -> None:
        answer = town.client("hoa").post("/v1/screens", NEW | changes).raise_for_status().json()
        self.id, self.key = answer["screen_id"], answer["key"]
        self.port = serving.port
        if made:
            town.catch_up()
            serving.refresh()

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def ask(
        self, suffix: str = "", method: str = "GET", key: str | None = None, **headers: str
    ) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = self.bearer | ({"Authorization": f"Bearer {key}"} if key else {}) | sent
        return httpx.request(
            method, f"http://127.0.0.1:{self.port}{FEED_PATH}{suffix}", headers=sent, timeout=120
        )

    def raw(self, path: str = FEED_PATH, version: str = "1.1", *more: str) -> bytes:
        lines = [f"GET {path} HTTP/{version}", "Host: x", f"Authorization: Bearer {self.key}", *more]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def change(town: Town, serving: Serving) -> str:
    alert_id = town.issue()
    town.catch_up()
    serving.refresh()
    return alert_id


def read(stream: socket.socket, answers: int) -> list[tuple[bytes, bytes]]:
    """So many answers, as head and body."""
    found: list[tuple[bytes, bytes]] = []
    with stream.makefile("rb") as file:
        for _ in range(answers):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = file.readline()
                assert line, head
                head += line
            length = 0
            if b" 304 " not in head.splitlines()[0]:
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            found.append((head, file.read(length)))
    return found


def test_every_form_has_tag_signature_and_time(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    change(town, serving)
    tags: set[str] = set()
    for suffix in ("", ".txt", ".multi", ".bin"):
        made, kept = screen.ask(suffix), screen.ask(suffix)
        assert (made.status_code, kept.content) == (200, made.content)
        verify(town, made)
        verify(town, kept)
        tag = made.headers["etag"]
        again = screen.ask(suffix, If_None_Match=tag)
        assert (again.status_code, again.content) == (304, b"")
        for answer in (made, kept, again):
            assert answer.headers["x-server-time"] == str(int(town.now.timestamp() * 1000))
            assert answer.headers["etag"] == tag
            assert answer.headers["cache-control"] == "private, no-cache"
            assert answer.headers["vary"] == "authorization, prefer"
            assert answer.headers["date"]
        head = screen.ask(suffix, "HEAD")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(made.content))
        tags.add(tag)
    assert len(tags) == 4
    assert screen.ask(If_None_Match=f'"x", W/{screen.ask().headers["etag"]}').status_code == 304
    assert screen.ask(If_None_Match='"x"').status_code == 200
    assert screen.ask("?a=1").status_code == 200


def test_raw_bits_are_for_displays_of_one_bit(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving, profile="m96x32-rgb")
    refused = screen.ask(".bin")
    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
    assert screen.ask(".multi").status_code == 200


def test_a_screen_that_was_just_put_up_is_known(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving, made=False)
    early = screen.ask()
    assert (early.status_code, early.headers["retry-after"]) == (503, "1")
    town.follow()  # The views, not what the server holds.
    assert until(lambda: screen.ask().status_code == 200)


def test_who_has_no_key_of_a_screen_is_refused_and_counted(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    key_id = screen.key.split("_")[1]
    for key in ("hn_000000000000_x", f"hn_{key_id}_x", "nothing"):
        refused = screen.ask(key=key)
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/key.missing")
        assert refused.headers["www-authenticate"] == 'Bearer realm="broadcaster"'
    assert serving.refused("key_unknown") == 3
    staff = screen.ask(key=town.keys["hoa"])
    assert (staff.status_code, staff.json()["type"]) == (403, "/problems/key.kind")
    assert serving.refused("key_kind") == 1
    assert screen.ask(key=f"{town.keys['hoa'].rpartition('_')[0]}_x").status_code == 401
    assert screen.ask(Authorization="Basic eDp5").status_code == 401
    posted = screen.ask("", "POST")
    assert (posted.status_code, "GET" in posted.headers["allow"]) == (405, True)


def test_hints_are_streamed_or_refused_for_good(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    with calls.stream(
        "GET", f"http://127.0.0.1:{serving.port}{HINTS_PATH}", headers=screen.bearer
    ) as answer:
        if serving.name == "front":
            assert answer.headers["content-type"] == "text/event-stream"
            assert next(answer.iter_lines()) == "retry: 5000"
            return
        # 404 ends an EventSource for good: it does not come back each five seconds.
        assert (answer.status_code, "wait=" in answer.read().decode()) == (404, True)
    # Who asked for hints polls, and waits there, on the same connection.
    tag = screen.ask().headers["etag"]
    assert screen.ask(If_None_Match=tag, Prefer="wait=1").headers["preference-applied"] == "wait=1"


def test_signed_polls(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    parts = split(screen.key)
    assert parts

    def header(nonce: str, late: int = 0, secret: bytes = b"", path: str = FEED_PATH) -> str:
        seconds = int(town.now.timestamp()) + late
        made = sign(secret or digest(parts[1]), Asked("GET", path), seconds, nonce)
        return f"HN-HMAC {parts[0]},{seconds},{nonce},{made}"

    whole = screen.ask(Authorization=header("nonce-01"))
    same = screen.ask(Authorization=header("nonce-05"), If_None_Match=whole.headers["etag"])
    for answer, status, nonce in ((whole, 200, "nonce-01"), (same, 304, "nonce-05")):
        now = answer.headers["x-server-time"]
        told = fresh(digest(parts[1]), nonce, status, answer.headers["etag"], now)
        assert (answer.status_code, answer.headers["x-feed-fresh"]) == (status, told)
    form = screen.ask(".txt", Authorization=header("nonce-06", path=f"{FEED_PATH}.txt"))
    assert (form.status_code, form.headers["x-feed-fresh"][:12]) == (200, "hmac-sha256=")
    assert "x-feed-fresh" not in screen.ask().headers
    replayed = screen.ask(Authorization=header("nonce-01"))
    assert (replayed.status_code, "used before" in replayed.json()["detail"]) == (401, True)
    stale = screen.ask(Authorization=header("nonce-02", -WINDOW - 1))
    assert (stale.status_code, bool(stale.headers["x-server-time"])) == (401, True)
    assert screen.ask(Authorization=header("nonce-03", 0, bytes(32))).status_code == 401
    assert screen.ask(Authorization="HN-HMAC ,,,").status_code == 401
    assert screen.ask("?a=1", Authorization=header("nonce-04")).status_code == 401
    for reason, count in (("replayed", 1), ("stale", 1), ("wrong_key", 2), ("malformed", 1)):
        assert serving.refused(f"signature_{reason}") == count, reason


def test_a_poll_waits_for_news(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    tag = screen.ask().headers["etag"]
    short = screen.ask(If_None_Match=tag, Prefer="wait=1")
    assert (short.status_code, short.headers["preference-applied"]) == (304, "wait=1")
    with ThreadPoolExecutor() as threads:
        former = threads.submit(screen.ask, If_None_Match=tag, Prefer="wait=50")
        until(lambda: serving.waiting() == 1)
        newest = threads.submit(screen.ask, If_None_Match=tag, Prefer="wait=50")
        assert former.result(SOON).status_code == 304  # One poll of a screen waits.
        until(lambda: serving.waiting() == 1)
        alert_id = change(town, serving)
        told = newest.result(SOON)
    assert (told.status_code, told.headers["preference-applied"]) == (200, "wait=50")
    assert [item["id"] for item in told.json()["items"]] == [alert_id]
    assert screen.ask(If_None_Match=tag, Prefer="wait=50").status_code == 200  # There is news already.


def test_who_leaves_waits_no_more(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    tag = screen.ask().headers["etag"]
    with socket.create_connection(("127.0.0.1", serving.port)) as stream:
        stream.sendall(screen.raw(FEED_PATH, "1.1", f"If-None-Match: {tag}", "Prefer: wait=50"))
        until(lambda: serving.waiting() == 1)
    assert until(lambda: serving.waiting() == 0)


def test_a_screen_is_asked_to_flash(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    town.client("hoa").post(f"/v1/screens/{screen.id}/identify").raise_for_status()
    serving.refresh()
    flashing = screen.ask()
    assert int(flashing.headers["x-screen-identify"]) > town.now.timestamp() * 1000
    # Who had not begun to wait when it was asked hears of it too.
    waited = screen.ask(If_None_Match=flashing.headers["etag"], Prefer="wait=50")
    assert (waited.status_code, waited.headers["preference-applied"]) == (304, "wait=2")
    assert waited.headers["x-screen-identify"] == flashing.headers["x-screen-identify"]
    town.later(minutes=5)
    assert "x-screen-identify" not in screen.ask().headers


def test_connections_are_kept_and_requests_may_follow_each_other(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    tag = screen.ask().headers["etag"]
    with socket.create_connection(("127.0.0.1", serving.port), timeout=PATIENCE) as stream:
        stream.sendall(screen.raw() + screen.raw(FEED_PATH, "1.1", f"If-None-Match: {tag}") + screen.raw())
        answers = read(stream, 3)
        assert [head.split()[1] for head, _ in answers] == [b"200", b"304", b"200"]
        assert answers[0][1] == answers[2][1]
        stream.sendall(screen.raw()[:40])
        stream.sendall(screen.raw()[40:])
        assert read(stream, 1)[0][1] == answers[0][1]
        stream.sendall(screen.raw(FEED_PATH, "1.1", "Connection: close"))
        assert b"connection: close" in read(stream, 1)[0][0].lower()
        assert stream.recv(1) == b""
    with socket.create_connection(("127.0.0.1", serving.port), timeout=PATIENCE) as stream:
        stream.sendall(screen.raw(FEED_PATH, "1.0"))
        assert read(stream, 1)[0][0].split()[1] == b"200"
        assert stream.recv(1) == b""


@pytest.mark.parametrize("suffix", ["", ".txt", ".multi", ".bin"])
def test_who_asks_in_the_same_bytes_hears_of_every_change(
    town: Town, serving: Serving, suffix: str
) -> None:
    screen = Screen(town, serving)
    path = FEED_PATH + suffix
    with socket.create_connection(("127.0.0.1", serving.port), timeout=PATIENCE) as stream:
        stream.sendall(screen.raw(path))
        tag = tag_of(read(stream, 1)[0][0])
        asked = screen.raw(path, "1.1", f"If-None-Match: {tag}", "X-Screen-State: seq=1;up=0")
        for _ in range(3):
            stream.sendall(asked)
            assert read(stream, 1)[0][0].split()[1] == b"304"
        change(town, serving)
        for minute in range(3):
            # Another state is the same poll.
            stream.sendall(asked.replace(b"up=0", b"up=%d" % minute))
            head, body = read(stream, 1)[0]
            assert (head.split()[1], tag_of(head) != tag, bool(body)) == (b"200", True, True)
    polls = calls.get(f"http://127.0.0.1:{serving.port}/metrics").text
    assert 'broadcaster_feed_polls_total{status="304"} 3.0' in polls
    assert 'broadcaster_feed_polls_total{status="200"} 4.0' in polls


def tag_of(head: bytes) -> str:
    return head.lower().partition(b"etag: ")[2].split(b"\r\n")[0].decode()


def test_frames_are_for_ever_under_their_names(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    change(town, serving)
    name = screen.ask().json()["items"][0]["pages"][0]["frame"]
    base = f"http://127.0.0.1:{serving.port}/v1/frames"
    for _ in range(2):
        raw = calls.get(f"{base}/{name}.bin")
        assert hashlib.sha256(raw.content).hexdigest() == name
        assert raw.headers["cache-control"] == "public, max-age=31536000, immutable"
        same = calls.get(f"{base}/{name}.bin", headers={"If-None-Match": raw.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        picture = calls.get(f"{base}/{name}.png")
        assert picture.headers["content-type"] == "image/png"
        assert calls.head(f"{base}/{name}.png").headers["content-length"] == str(len(picture.content))
    assert calls.get(f"{base}/{'0' * 64}.png").status_code == 404


def test_a_screen_says_how_it_is(town: Town, serving: Serving) -> None:
    screen = Screen(town, serving)
    assert screen.ask(X_Screen_State="seq=1;err=0").status_code == 200
    polls = calls.get(f"http://127.0.0.1:{serving.port}/metrics").text
    assert 'broadcaster_feed_polls_total{status="200"} 1.0' in polls
    assert calls.get(f"http://127.0.0.1:{serving.port}/healthz").status_code == 200


def bits(body: bytes) -> tuple[dict[str, Any], bytes]:
    """What raw bits say, as a controller of few lines reads them, and what follows the items."""
    magic, version, count, flags, epoch, seq = struct.unpack_from(">4sBBHIQ", body)
    assert (magic, version) == (b"HLD1", 1)
    items: dict[str, str] = {}
    at = 20
    for _ in range(count):
        one, _, _, _, preempt, _, wide, high, pages, _ = struct.unpack_from(">16sIQQBBHHHI", body, at)
        items[str(UUID(bytes=one))] = "preempt" if preempt else "rotate"
        at += 48 + pages * high * -(-wide // 8)
    return {"epoch": epoch, "seq": seq, "drills": bool(flags & 1), "items": items}, body[at:]


def test_what_is_said_of_a_screen_alone_is_in_every_form(town: Town, serving: Serving) -> None:
    screen, plain = Screen(town, serving, drills=True), Screen(town, serving)
    left_out = town.issue()
    drill = town.issue(mode="exercise")
    town.catch_up()
    hoa, path = town.client("hoa"), f"/v1/screens/{screen.id}"
    night = {"brightness": 30, "quiet_from": "22:00", "quiet_until": "05:30", "hides_emergencies": True}
    hoa("PUT", f"{path}/display", night).raise_for_status()
    hoa.post(f"{path}/test-pattern", {"seconds": 60}).raise_for_status()
    away = {"screens": [screen.id], "reason": "Đang sửa điện"}
    town.client("minh").post(f"/v1/alerts/{left_out}/screens/exclude", away).raise_for_status()
    serving.refresh()

    told = screen.ask().json()
    quiet = {"from": "22:00", "until": "05:30", "utc_offset_min": 420, "hides_emergencies": True}
    assert told["display"] == {"brightness": 30, "quiet": quiet}
    assert told["excluded"] == [{"id": left_out, "rev": 1}]
    statuses = {one["id"]: one["status"] for one in told["items"]}
    modes = {one["id"]: one["mode"] for one in told["items"]}
    assert statuses[drill] == "exercise"
    assert sorted(statuses.values()) == ["exercise", "test"]

    head, *lines = [line.split("\t") for line in screen.ask(".txt").text.splitlines()]
    assert head[1:] == [str(told["epoch"]), str(told["seq"]), "00001", "m96x32-1", "drills=1"]
    about = [line for line in lines if line[0].startswith("#")]
    assert about == [
        ["#brightness", "30"],
        ["#quiet", "22:00", "05:30", "420", "hides_emergencies=1"],
        ["#excluded", left_out, "1"],
    ]
    pages = [line for line in lines if line not in about]
    assert {line[0]: line[10] for line in pages} == statuses
    assert {line[0]: line[2] for line in pages} == modes

    multi = screen.ask(".multi").json()
    for name in ("display", "excluded", "drills", "epoch", "seq"):
        assert multi[name] == told[name]
    assert {one["id"]: one["status"] for one in multi["items"]} == statuses

    read, more = bits(screen.ask(".bin").content)
    assert read == {"epoch": told["epoch"], "seq": told["seq"], "drills": True, "items": modes}
    said = struct.unpack_from(">4sBBHHhH", more)
    assert said == (b"HLDS", 30, 2, 22 * 60, 5 * 60 + 30, 420, 1)
    assert struct.unpack_from(">16sI", more, 14) == (UUID(left_out).bytes, 1)
    assert more[34:] == bytes({"exercise": 1, "test": 2}[one] for one in statuses.values())

    # Beside it nothing is set: no form says more than the alert.
    assert "#" not in plain.ask(".txt").text[1:]
    assert plain.ask(".multi").json().keys().isdisjoint({"display", "excluded"})
    read, more = bits(plain.ask(".bin").content)
    assert (list(read["items"]), read["drills"], more) == ([left_out], False, b"")
