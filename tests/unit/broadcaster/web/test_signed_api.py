"""Signed requests of controllers without TLS; those that are stale, replayed or forged are refused."""

import json
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from broadcaster.keys.rows import KeyKind
from broadcaster.keys.text import digest, split
from broadcaster.screens.signing import PER_KEY, WINDOW, Asked, Nonces, SignatureError, sign
from broadcaster.web.feeds.polls import FEED_PATH
from tests.unit.broadcaster.web.test_pairing_api import paired, refused
from tests.unit.broadcaster.web.town import Client, Town

REPORTS = "/v1/screens/me/reports"
KEY_PATH = "/v1/screens/me/key"


@dataclass
class Controller:
    """Signs what it sends."""

    town: Town
    key: str

    def __post_init__(self) -> None:
        parts = split(self.key)
        assert parts
        self.key_id, self.secret_hash = parts[0], digest(parts[1])
        self.numbers = count()

    def header(self, method: str, target: str, body: bytes = b"", **other: Any) -> str:
        seconds = int(self.town.now.timestamp()) + other.get("late", 0)
        nonce = other.get("nonce", f"nonce-{next(self.numbers):04}")
        secret_hash = other.get("secret", self.secret_hash)
        signature = sign(secret_hash, Asked(method, target, body), seconds, nonce)
        return f"HN-HMAC {self.key_id},{seconds},{nonce},{signature}"

    def send(self, method: str, target: str, header: str, body: bytes = b"") -> Any:
        headers = {"Authorization": header} | ({"Content-Type": "application/json"} if body else {})
        return Client(self.town.app)(method, target, headers=headers, content=body)

    def get(self, target: str = FEED_PATH, **other: Any) -> Any:
        return self.send("GET", target, self.header("GET", target, **other))


@pytest.fixture(name="controller")
def _controller(town: Town) -> Controller:
    return Controller(town, paired(town)[0].key or "")


def test_a_signed_poll_and_report_are_answered(town: Town, controller: Controller) -> None:
    assert controller.get().status_code == 200
    assert controller.get(FEED_PATH + "?a=1").status_code == 200
    body = json.dumps({"shown": []}).encode()
    assert (
        controller.send("POST", REPORTS, controller.header("POST", REPORTS, body), body).status_code == 200
    )
    behind = controller.header("GET", FEED_PATH)
    answer = Client(town.app.app)("GET", FEED_PATH, headers={"Authorization": behind})
    assert answer.status_code == 200  # past the front


def test_what_is_replayed_stale_or_forged_is_refused_and_counted(
    town: Town, controller: Controller
) -> None:
    header = controller.header("GET", FEED_PATH)
    assert controller.send("GET", FEED_PATH, header).status_code == 200
    replayed = controller.send("GET", FEED_PATH, header)
    assert (replayed.status_code, "used before" in replayed.json()["detail"]) == (401, True)
    stale = controller.get(late=-WINDOW - 1)
    assert stale.status_code == 401
    assert int(stale.headers["x-server-time"]) == int(town.now.timestamp() * 1000)
    assert controller.get(late=WINDOW).status_code == 200
    assert controller.get(secret=bytes(32)).status_code == 401
    assert controller.send("GET", FEED_PATH, "HN-HMAC ,,,").status_code == 401
    # A signature is of one method, one target and one body.
    header = controller.header("GET", FEED_PATH)
    assert controller.send("GET", FEED_PATH + ".txt", header).status_code == 401
    body = json.dumps({"shown": []}).encode()
    assert controller.send("POST", REPORTS, controller.header("POST", REPORTS), body).status_code == 401
    counted = {
        reason: refused(town, f"signature_{reason}") for reason in ("replayed", "stale", "wrong_key")
    }
    assert counted == {"replayed": 1, "stale": 1, "wrong_key": 3}


def test_keys_of_staff_do_not_sign_and_no_key_goes_in_the_clear(town: Town, controller: Controller) -> None:
    staff = Controller(town, town.keys["hoa"])
    assert staff.get().status_code == 401
    assert controller.send("POST", KEY_PATH, controller.header("POST", KEY_PATH)).status_code == 403
    _, unknown = town.key_store.create("screen:nobody", None, KeyKind.SCREEN, town.now)
    assert Controller(town, unknown).get().status_code == 403


def test_nonces_are_bounded_and_forgotten() -> None:
    nonces = Nonces(in_all=PER_KEY + 1)
    for number in range(PER_KEY):
        nonces.take("a", str(number), 0.0)
    with pytest.raises(SignatureError, match="Too many"):
        nonces.take("a", "more", 1.0)
    nonces.take("b", "0", 1.0)
    with pytest.raises(SignatureError, match="Too many"):
        nonces.take("c", "0", 1.0)
    with pytest.raises(SignatureError, match="used before"):
        nonces.take("a", "0", 2 * WINDOW - 1)
    nonces.take("c", "0", 2 * WINDOW)
    assert len(nonces) == 2
