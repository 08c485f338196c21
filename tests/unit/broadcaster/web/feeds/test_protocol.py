"""The web role's connections: heads are bounded, and polls answered at once as ASGI would."""

import re
import socket
from collections.abc import Iterator

import httpx
import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from broadcaster.web.feeds.polls import FEED_PATH
from broadcaster.web.feeds.protocol import FeedProtocol
from tests import calls
from tests.unit.broadcaster.web.screen_polls import poll, whole
from tests.unit.broadcaster.web.serving import Serving, front, held
from tests.unit.broadcaster.web.town import SYSTEM, Town
from tests.waiting import PATIENCE, until


class Patient(FeedProtocol):
    """With a bound that no test comes near."""

    head_seconds = PATIENCE


class Hasty(FeedProtocol):
    """With a bound that a test can wait for. What is to come within it is sent while the server is held."""

    head_seconds = 0.2


@pytest.fixture(name="serving")
def _serving(town: Town, key: str) -> Iterator[Serving]:
    assert key
    with front(town, Patient) as serving:
        serving.refresh()
        yield serving


@pytest.fixture(name="hasty")
def _hasty(town: Town, key: str) -> Iterator[Serving]:
    assert key
    with front(town, Hasty) as serving:
        serving.refresh()
        yield serving


def dialled(serving: Serving) -> socket.socket:
    return socket.create_connection(("127.0.0.1", serving.port), timeout=PATIENCE)


def status(stream: socket.socket) -> bytes:
    return stream.recv(65_536).split()[1]


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", b"431", "head_too_large"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 400_000, b"431", "head_too_large"),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", b"431", "head_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 120 + b"\r\n", b"431", "head_too_large"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400", "malformed"),
    ],
    ids=["long", "endless", "target", "many", "tls"],
)
def test_what_is_no_request_is_answered_counted_and_over(
    serving: Serving, key: str, sent: bytes, code: bytes, reason: str
) -> None:
    with dialled(serving) as stream:
        stream.sendall(sent)
        answer = whole(stream)
    assert answer.split()[1] == code
    assert b"connection: close\r\n" in answer
    assert serving.refused(reason) == 1
    with dialled(serving) as stream:
        stream.sendall(poll(key))
        assert status(stream) == b"200"


def test_a_head_that_does_not_end_is_answered_counted_and_over(hasty: Serving, key: str) -> None:
    with held(hasty.loop):
        stream = dialled(hasty)
        stream.sendall(b"POST /v1/alerts HTTP/1.1\r\nX: ")
    with stream:
        answer = whole(stream)
    assert answer.split()[1] == b"408"
    assert b"connection: close\r\n" in answer
    assert hasty.refused("slow_head") == 1
    with asking(hasty, key) as stream:
        assert status(stream) == b"200"


def asking(serving: Serving, key: str) -> socket.socket:
    """A connection on which a poll is out, however hasty the server is."""
    with held(serving.loop):
        stream = dialled(serving)
        stream.sendall(poll(key))
    return stream


def test_a_second_head_may_not_drip_either(hasty: Serving, key: str) -> None:
    with asking(hasty, key) as stream:
        assert status(stream) == b"200"
        stream.sendall(poll(key)[:30])
        assert whole(stream).split()[1] == b"408"


def test_who_asks_nothing_is_closed_and_who_has_asked_is_kept(hasty: Serving, key: str) -> None:
    with dialled(hasty) as mute, asking(hasty, key) as asks:
        assert status(asks) == b"200"
        assert whole(mute) == b""
        asks.sendall(poll(key))
        assert status(asks) == b"200"


def test_a_body_that_comes_late_is_no_slow_head(hasty: Serving, key: str) -> None:
    path = "/v1/screens/me/reports"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: 40000\r\n"
    with held(hasty.loop):
        stream, mute = dialled(hasty), dialled(hasty)
        stream.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + b" " * 100)
    with stream, mute:
        assert whole(mute) == b""  # So long, and longer than a head may take.
        stream.sendall(b" " * 39_900)
        assert status(stream) == b"400"  # It was read to its end, and is no JSON.
    assert hasty.refused("slow_head") == hasty.refused("head_too_large") == 0


def test_the_same_bytes_are_judged_anew(town: Town, serving: Serving, key: str) -> None:
    with dialled(serving) as stream:
        bodies: list[bytes] = []
        for _ in range(3):
            stream.sendall(poll(key))
            bodies.append(stream.recv(65_536).partition(b"\r\n\r\n")[2])
        assert bodies[0] == bodies[1] == bodies[2]
        town.issue()
        town.catch_up()
        serving.refresh()
        stream.sendall(poll(key))
        assert stream.recv(65_536).partition(b"\r\n\r\n")[2] != bodies[0]
        assert [count.whole for count in town.app.served.values()] == [4]
        assert town.key_store.revoke(key.split("_")[1], town.now, by=SYSTEM)
        serving.refresh()
        stream.sendall(poll(key))
        assert status(stream) == b"401"


def test_polls_and_pages_take_turns_on_one_connection(serving: Serving, key: str) -> None:
    page = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    json = b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    post = b"POST /v1/screens/pairing HTTP/1.1\r\nHost: x\r\n" + json
    with dialled(serving) as stream:
        stream.sendall(poll(key) + page + poll(key) + post + poll(key) + b"GET /none HTTP/1.1\r\n")
        stream.sendall(b"Host: x\r\nConnection: close\r\n\r\n")
        answer = whole(stream)
    found = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert found == [b"200", b"200", b"200", found[3], b"200", b"404"]
    assert found[3] in {b"200", b"201"}


def test_asgi_would_have_answered_the_same(town: Town, serving: Serving, key: str) -> None:
    with front(town, HttpToolsProtocol, beside=True) as plain:
        tag = calls.get(f"http://127.0.0.1:{plain.port}{FEED_PATH}", headers=bearer(key)).headers["etag"]
        for more in ({}, {"If-None-Match": tag}, {"If-None-Match": '"x"'}, {"Prefer": "wait=3"}):
            answers = [
                calls.get(f"http://127.0.0.1:{port}{FEED_PATH}", headers=bearer(key) | more)
                for port in (serving.port, plain.port)
            ]
            seen = [(one.status_code, dict(one.headers) | {"date": ""}, one.content) for one in answers]
            assert seen[0] == seen[1]


def test_the_end_answers_who_waits(serving: Serving, key: str) -> None:
    tag = calls.get(f"http://127.0.0.1:{serving.port}{FEED_PATH}", headers=bearer(key)).headers["etag"]
    with dialled(serving) as stream:
        stream.sendall(poll(key, f"If-None-Match: {tag}", "Prefer: wait=50"))
        until(lambda: serving.waiting() == 1)
        serving.stop()
        answer = whole(stream).lower()
    assert answer.startswith(b"http/1.1 304 ")
    assert b"\r\nretry-after: " in answer


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_copy_is_given_where_the_last_byte_comes_in(town: Town, serving: Serving, key: str) -> None:
    page = f"/alerts/{town.issue()}".encode()
    ask = b"GET " + page + b" HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n"
    until(lambda: town.app.copies.news.is_heard)
    kept = town.app.copies
    with dialled(serving) as stream:
        stream.sendall(ask + b"\r\n")
        first = answered(stream)
        assert first[0] == b"200"
        before = town.client().get("/metrics").text.count("broadcaster_http_requests_total")
        stream.sendall(ask[:20])
        stream.sendall(ask[20:] + b"\r\n")
        again = answered(stream)
        assert again[2] == first[2]
        assert b"content-encoding: gzip" in again[1].lower()
        assert b"date: " in again[1].lower()
        tag = re.search(rb"(?i)etag: (\S+)", again[1])
        assert tag
        stream.sendall(ask + b"If-None-Match: " + tag[1] + b"\r\n\r\n")
        assert answered(stream)[0] == b"304"
        # A poll, a copy and the framework take turns, in the order they were asked, also in one packet.
        stream.sendall(
            poll(key) + ask + b"\r\n" + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + ask + b"\r\n"
        )
        assert [answered(stream)[0] for _ in range(4)] == [b"200"] * 4
        stream.sendall(ask + b"Connection: close\r\n\r\n")
        last = whole(stream)
        assert b"connection: close" in last.lower()
        assert last.partition(b"\r\n\r\n")[2] == first[2]
        assert town.client().get("/metrics").text.count("broadcaster_http_requests_total") >= before
    assert kept.served["alert", 304] == 1


def test_a_withdrawal_is_heard_by_itself(town: Town, serving: Serving) -> None:
    alert_id = town.issue()
    until(lambda: town.app.copies.news.is_heard)
    url = f"http://127.0.0.1:{serving.port}/alerts/{alert_id}"
    with httpx.Client(timeout=PATIENCE) as client:
        assert "Đã hủy." not in client.get(url).text
        generation = town.app.copies.news.generation
        town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "Hết mưa"}).raise_for_status()
        until(lambda: town.app.copies.news.generation > generation)
        assert "Đã hủy." in client.get(url).text


@pytest.mark.parametrize(
    "more",
    [b"Content-Length: 3\r\n\r\nabc", b"Range: bytes=0-3\r\n\r\n", b"Authorization: Bearer x\r\n\r\n"],
)
def test_odd_questions_go_the_long_way(town: Town, serving: Serving, more: bytes) -> None:
    page = f"/alerts/{town.issue()}".encode()
    until(lambda: town.app.copies.news.is_heard)
    town.client().get(page.decode())
    before = sum(town.app.copies.served.values())
    with dialled(serving) as stream:
        stream.sendall(b"GET " + page + b" HTTP/1.1\r\nHost: x\r\n" + more)
        assert answered(stream)[0] == b"200"
        stream.sendall(b"GET " + page + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answered(stream)[0] == b"200"
    assert sum(town.app.copies.served.values()) - before in {1, 2}


def answered(stream: socket.socket) -> tuple[bytes, bytes, bytes]:
    """Status, head and body of one answer, and not a byte of the next."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += stream.recv(1)
    length = re.search(rb"(?i)content-length: (\d+)", head)
    body, left = b"", int(length[1]) if length and b" 304 " not in head.split(b"\r\n")[0] else 0
    while left > len(body):
        body += stream.recv(left - len(body))
    return head.split()[1], head, body
