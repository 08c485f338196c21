"""The edge's limits and its end, and that no bytes break it."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcaster.web.edge.limits import Limits
from broadcaster.web.feeds.polls import FEED_PATH
from tests import calls
from tests.unit.broadcaster.web.screen_polls import poll, whole
from tests.unit.broadcaster.web.serving import RunningEdge, held, running_edge
from tests.unit.broadcaster.web.town import SYSTEM, Town
from tests.waiting import PATIENCE, until

NARROW = Limits(head_seconds=PATIENCE, per_address=40, connections=50, pipelined=4)
"""In number; no deadline that a test comes near."""
HASTY = replace(NARROW, head_seconds=0.4, idle_seconds=0.8, write_seconds=0.4)
"""In time too: what has to come within it is sent while the edge is held."""


@pytest.fixture(name="edge")
def _edge(town: Town, key: str) -> Iterator[RunningEdge]:
    assert key
    with running_edge(town, NARROW) as edge:
        yield edge


@pytest.fixture(name="hasty")
def _hasty(town: Town, key: str) -> Iterator[RunningEdge]:
    assert key
    with running_edge(town, HASTY) as edge:
        yield edge


def dialled(edge: RunningEdge) -> socket.socket:
    return socket.create_connection(("127.0.0.1", edge.server.port), timeout=PATIENCE)


def asking(edge: RunningEdge, sent: bytes) -> socket.socket:
    """A connection on which that was sent, however hasty the edge is."""
    with held(edge.loop):
        stream = dialled(edge)
        stream.sendall(sent)
    return stream


def still_serves(edge: RunningEdge, key: str) -> bool:
    answer = calls.get(
        f"http://127.0.0.1:{edge.server.port}{FEED_PATH}", headers={"Authorization": f"Bearer {key}"}
    )
    return answer.status_code == 200


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 9_000 + b"\r\n\r\n", 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000, 431, "head_too_large"),
        (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n", 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 60 + b"\r\n", 431, "head_too_large"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed"),
        (b"GET http: HTTP/1.1\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 413, "body"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413, "body"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 405, "body"),
    ],
    ids=["long", "endless", "target", "many", "tls", "address", "body", "chunked", "post"],
)
def test_what_is_no_request_is_answered_counted_and_over(
    edge: RunningEdge, key: str, sent: bytes, status: int, reason: str
) -> None:
    with dialled(edge) as stream:
        stream.sendall(sent)
        answer = whole(stream)
    assert answer.split()[1] == str(status).encode()
    assert b"connection: close\r\n" in answer
    assert edge.desk.refused[reason] == 1
    assert still_serves(edge, key)


def test_a_head_that_does_not_end_is_answered_counted_and_over(hasty: RunningEdge, key: str) -> None:
    with asking(hasty, b"GET / HTTP/1.1\r\nX: ") as stream:
        answer = whole(stream)
    assert answer.split()[1] == b"408"
    assert b"connection: close\r\n" in answer
    assert hasty.desk.refused["slow_head"] == 1
    with asking(hasty, poll(key)) as stream:
        assert stream.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_a_slow_loris_gains_nothing_by_dripping(hasty: RunningEdge) -> None:
    with asking(hasty, b"GET / HTTP/1.1\r\n") as stream:
        stream.settimeout(0.1)
        answer = b""
        while not answer:
            stream.sendall(b"X")
            try:
                answer = stream.recv(100)
            except TimeoutError:
                continue
    assert answer.split()[1] == b"408"


def test_who_asks_nothing_is_closed(hasty: RunningEdge, key: str) -> None:
    with dialled(hasty) as mute, asking(hasty, poll(key)) as idle:
        assert idle.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert whole(mute) == b""
        assert whole(idle) == b""
    assert hasty.desk.refused == {}


def test_who_does_not_take_its_answers_is_cut(hasty: RunningEdge, key: str) -> None:
    with asking(hasty, poll(key)) as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stream.setblocking(False)

        def pushed() -> bool:
            try:
                stream.send(poll(key) * 200)
            except BlockingIOError:
                pass
            except OSError:
                return True
            return hasty.desk.refused["slow_reader"] == 1

        assert until(pushed)
    assert until(lambda: len(hasty.server) == 0)


def test_an_address_has_so_many_connections_and_all_together_too(
    edge: RunningEdge, town: Town, key: str
) -> None:
    streams = [dialled(edge) for _ in range(41)]
    try:
        until(lambda: edge.desk.refused["connections_of_address"] == 1)
        assert whole(streams[-1]).startswith(b"HTTP/1.1 503 ")
    finally:
        for stream in streams:
            stream.close()
    until(lambda: len(edge.server) == 0)
    assert still_serves(edge, key)
    with running_edge(town, Limits(connections=1)) as small, dialled(small), dialled(small) as second:
        assert whole(second).startswith(b"HTTP/1.1 503 ")
        assert small.desk.refused == {"connections": 1}


def test_refusals_end_a_connection(edge: RunningEdge) -> None:
    with dialled(edge) as stream:
        stream.sendall(poll("hn_0_x") * 4)
        answer = b""
        while answer.count(b"HTTP/1.1 401 ") < 4:
            answer += (piece := stream.recv(65_536))
            assert piece, answer
    with dialled(edge) as stream:
        stream.sendall(poll("no-key") * 12)
        assert whole(stream).count(b"HTTP/1.1 401 ") == NARROW.refusals
    with dialled(edge) as stream:
        stream.sendall(poll("hn_0_x") * 12)  # The first is looked for; so many may not wait behind it.
        assert b"HTTP/1.1 429 " in whole(stream)


def test_unknown_keys_share_their_looks_at_the_database(town: Town, key: str) -> None:
    with running_edge(town, Limits()) as edge:
        looks: list[None] = []
        refresh = edge.desk.cache.refresh

        def counted() -> None:
            looks.append(None)
            refresh()

        edge.desk.cache.refresh = counted  # type: ignore[method-assign]
        streams = [dialled(edge) for _ in range(200)]
        until(lambda: len(edge.server) == 200)
        with held(edge.loop):
            for number, stream in enumerate(streams):
                stream.sendall(poll(f"hn_{number}_x"))
        assert all(stream.recv(1_000).startswith(b"HTTP/1.1 401 ") for stream in streams)
        for stream in streams:
            stream.close()
        assert edge.desk.refused == {"key_unknown": 200}
        assert len(looks) <= 4
        assert still_serves(edge, key)


def test_a_poll_in_the_same_bytes_is_judged_anew(town: Town, edge: RunningEdge, key: str) -> None:
    with dialled(edge) as stream:
        bodies: list[bytes] = []
        for _ in range(3):
            stream.sendall(poll(key))
            bodies.append(stream.recv(65_536).partition(b"\r\n\r\n")[2])
        assert bodies[0] == bodies[1] == bodies[2]
        town.issue()
        town.catch_up()
        edge.desk.cache.refresh()
        stream.sendall(poll(key))
        assert stream.recv(65_536).partition(b"\r\n\r\n")[2] != bodies[0]
        assert [count.whole for count in edge.desk.served.values()] == [4]
        assert town.key_store.revoke(key.split("_")[1], town.now, by=SYSTEM)
        edge.desk.cache.refresh()
        stream.sendall(poll(key))
        assert stream.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_the_end_answers_who_waits(town: Town, key: str) -> None:
    with running_edge(town, Limits()) as edge:
        tag = calls.get(
            f"http://127.0.0.1:{edge.server.port}{FEED_PATH}", headers={"Authorization": f"Bearer {key}"}
        ).headers["etag"]
        with dialled(edge) as waiting, dialled(edge) as idle:
            waiting.sendall(poll(key, f"If-None-Match: {tag}", "Prefer: wait=50"))
            until(lambda: len(edge.server.waiting) == 1)
            idle.sendall(poll(key))
            assert idle.recv(65_536)
            edge.stop()
            answer = whole(waiting)
            assert answer.startswith(b"HTTP/1.1 304 ")
            assert b"connection: close" in answer
            assert whole(idle) == b""
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", edge.server.port))


_WORDS = st.sampled_from(
    [b"GET ", b"HEAD ", FEED_PATH.encode(), b"/v1/frames/", b" HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n",
     b"Authorization: Bearer hn_1_2\r\n", b"Prefer: wait=1\r\n", b"If-None-Match: *\r\n", b"\x00", b":",
     b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"Upgrade: h2c\r\n",
     b"Connection: Upgrade\r\n",
     b"Connection: close\r\n", b"CONNECT x:1 HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"%ff"]
)  # fmt: skip
_PIECES = st.lists(st.one_of(_WORDS, st.binary(max_size=40)), max_size=14).map(b"".join)


@given(pieces=st.lists(_PIECES, min_size=1, max_size=4), real=st.booleans())
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_bytes_are_answered_or_closed(
    edge: RunningEdge, key: str, pieces: list[bytes], real: bool
) -> None:
    with dialled(edge) as stream:
        try:
            for piece in [poll(key), *pieces] if real else pieces:
                stream.sendall(piece)
            stream.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It has closed already.
        answer = whole(stream)
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert edge.desk.refused["unexpected"] == 0


def test_nothing_is_left_of_who_was_there(edge: RunningEdge, key: str) -> None:
    told: dict[str, Any] = {"open": len(edge.server), "waiting": len(edge.server.waiting)}
    assert told == {"open": 0, "waiting": 0}
    assert still_serves(edge, key)
    assert until(lambda: len(edge.server) == 0)
