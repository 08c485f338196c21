"""Hostile clients of both servers of feeds: refused, counted, and nothing for who is honest."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from broadcaster.keys.text import digest, split
from broadcaster.screens.pairing import IN_ALL, LIFE, PER_ADDRESS, PairingFullError, Pairings
from broadcaster.screens.signing import Asked, sign
from broadcaster.web.feeds.polls import FEED_PATH
from tests.unit.broadcaster.web.screen_polls import NEW
from tests.unit.broadcaster.web.serving import Serving, edge, front
from tests.unit.broadcaster.web.town import Town
from tests.waiting import PATIENCE, until

ASKED = 10_000
SLOW, HUGE, REPLAYS = 60, 20, 15


@pytest.fixture(name="serving", params=[front, edge], ids=["front", "edge"])
def _serving(request: pytest.FixtureRequest, town: Town, key: str) -> Iterator[Serving]:
    assert key
    with request.param(town) as serving:
        serving.refresh()
        yield serving


def head(authorization: str) -> bytes:
    return f"GET {FEED_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n".encode()


def test_an_honest_controller_is_answered_beside_all_of_them(
    town: Town, serving: Serving, key: str
) -> None:
    over, wrong = threading.Event(), [0]
    stale = replayed(town, key)

    def guess() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError), dial(serving) as stream:
                stream.sendall(head(f"Bearer hn_{wrong[0]:012}_x") + b"\r\n")
                assert stream.recv(4_096).split()[1] in {b"401", b"429"}
                wrong[0] += 1

    slow = [dial(serving) for _ in range(SLOW)]
    guessers = [threading.Thread(target=guess, daemon=True) for _ in range(3)]
    try:
        for stream in slow:
            stream.sendall(head("Bearer ")[:50])
        for one in guessers:
            one.start()
        for _ in range(HUGE):
            with dial(serving) as stream, contextlib.suppress(OSError):
                stream.sendall(head("x") + b"X: " + b"x" * 60_000 + b"\r\n\r\n")
                assert stream.recv(4_096).split()[1] == b"431"
        for number in range(REPLAYS + 1):
            with dial(serving) as stream:
                stream.sendall(head(stale) + b"\r\n")
                assert stream.recv(4_096).split()[1] == (b"401" if number else b"200")
        with dial(serving) as honest:
            for _ in range(40):
                honest.sendall(head(f"Bearer {key}") + b"\r\n")
                assert honest.recv(65_536).split()[1] == b"200"
        until(lambda: wrong[0] >= 5)
    finally:
        over.set()
        for one in guessers:
            one.join(PATIENCE)
        for stream in slow:
            stream.close()
    assert serving.refused("head_too_large") == HUGE
    assert serving.refused("signature_replayed") == REPLAYS
    assert serving.refused("key_unknown") + serving.refused("key_gate") >= 5


def dial(serving: Serving) -> socket.socket:
    return socket.create_connection(("127.0.0.1", serving.port), timeout=PATIENCE)


def replayed(town: Town, key: str) -> str:
    """A signature that is good once."""
    parts = split(key)
    assert parts
    seconds = int(town.now.timestamp())
    made = sign(digest(parts[1]), Asked("GET", FEED_PATH), seconds, "nonce-of-old")
    return f"HN-HMAC {parts[0]},{seconds},nonce-of-old,{made}"


def ask_for_codes(pairings: Pairings, town: Town, addresses: int) -> int:
    """Ten thousand, spread over so many addresses; answers how many were given."""
    given = 0
    for number in range(ASKED):
        with contextlib.suppress(PairingFullError):
            pairings.open(f"10.1.{number % addresses // 250}.{number % addresses % 250}", town.now)
            given += 1
    return given


def pair(town: Town) -> str:
    """The honest way, from the panel to its key."""
    panel = town.client().post("/v1/screens/pairing").raise_for_status().json()
    town.client("hoa").post(
        "/v1/screens/pairing/claim", NEW | {"code": panel["user_code"]}
    ).raise_for_status()
    town.later(seconds=6)
    done = town.client().post("/v1/screens/pairing/token", {"device_code": panel["device_code"]})
    return done.raise_for_status().json()["key"]


def test_an_address_that_asks_for_ten_thousand_codes_stops_nobody_else(town: Town) -> None:
    assert ask_for_codes(Pairings(town.pool), town, 1) == PER_ADDRESS
    assert pair(town).startswith("hn_")


def test_many_addresses_fill_the_codes_for_ten_minutes_at_most(town: Town) -> None:
    open_before = town.client().post("/v1/screens/pairing").raise_for_status().json()
    assert ask_for_codes(Pairings(town.pool), town, 101) == IN_ALL - 1
    full = town.client().post("/v1/screens/pairing")
    assert (full.status_code, bool(full.headers["retry-after"])) == (429, True)
    claim = NEW | {"code": open_before["user_code"]}
    assert town.client("hoa").post("/v1/screens/pairing/claim", claim).status_code < 300
    town.now += LIFE
    assert pair(town).startswith("hn_")
