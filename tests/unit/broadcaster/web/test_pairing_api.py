"""Pairing over HTTP, from the code on the panel to the key, and what becomes of keys."""

from typing import Any
from uuid import uuid4

from broadcaster.neighbourhood import neighbourhood
from broadcaster.player.controller import is_authentic
from broadcaster.screens.pairing import ALPHABET, IN_ALL, PER_ADDRESS, plain
from broadcaster.web.feeds.polls import FEED_PATH
from schemas.events import ScreenEvent
from tests.unit.broadcaster.web.town import FEED_KEY, SYSTEM, Client, Town

PLACE = {"name": "Chợ Long Biên", "area": "00001", "profile": "m96x32-1"}
PAIRING = "/v1/screens/pairing"


def ask(town: Town) -> dict[str, Any]:
    return town.client().post(PAIRING).raise_for_status().json()


def poll(town: Town, opened: dict[str, Any]) -> Any:
    town.later(seconds=6)
    return town.client().post(f"{PAIRING}/token", {"device_code": opened["device_code"]})


def claim(town: Town, opened: dict[str, Any], account: str = "hoa", **fields: Any) -> Any:
    return town.client(account).post(f"{PAIRING}/claim", {"code": opened["user_code"], **(fields or PLACE)})


def paired(town: Town) -> tuple[Client, str]:
    opened = ask(town)
    claim(town, opened).raise_for_status()
    done = poll(town, opened).raise_for_status().json()
    town.catch_up()
    return Client(town.app, done["key"]), done["screen_id"]


def told(town: Town) -> list[tuple[str, str]]:
    """What the log says of screens, and who did it."""
    found = [one.event for one in town.log.everything()]
    return [(event.TOPIC, event.by.account) for event in found if isinstance(event, ScreenEvent)]


def refused(town: Town, reason: str) -> float:
    name = f'broadcaster_screen_refusals_total{{reason="{reason}"}} '
    lines = town.client().get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_a_panel_gets_its_key_once_when_its_code_is_claimed(town: Town) -> None:
    opened = ask(town)
    assert len(plain(opened["user_code"])) == 8
    assert set(opened["user_code"]) <= set(ALPHABET) | {"-"}
    assert (opened["expires_in"], opened["interval"]) == (600, 5)
    waiting = poll(town, opened)
    assert (waiting.status_code, waiting.json()["error"]) == (400, "authorization_pending")

    made = town.client("hoa").post(
        f"{PAIRING}/claim", {"code": opened["user_code"], "drills": True, **PLACE}
    )
    assert made.status_code == 201
    assert claim(town, opened).json()["screen_id"] == made.json()["screen_id"]  # a repeat
    done = poll(town, opened)
    assert (done.status_code, done.json()["screen_id"]) == (200, made.json()["screen_id"])
    assert poll(town, opened).json()["error"] == "expired_token"
    town.catch_up()
    feed = Client(town.app, done.json()["key"]).get(FEED_PATH)
    assert (feed.status_code, feed.json()["profile"]) == (200, "m96x32-1")
    assert told(town) == [("screen.registered", "hoa")]


def test_codes_rest_as_digests(town: Town) -> None:
    opened = ask(town)
    with town.pool.connection() as conn:
        rows = repr(conn.execute("SELECT * FROM screen_pairings").fetchall())
    assert opened["device_code"] not in rows
    assert plain(opened["user_code"]) not in rows
    assert opened["device_code"].encode() not in rows.encode()


def test_who_polls_too_soon_waits_longer(town: Town) -> None:
    opened = ask(town)
    code = {"device_code": opened["device_code"]}
    answers: list[str] = []
    for seconds in (0, 4, 6, 11):
        town.later(seconds=seconds)
        answers.append(town.client().post(f"{PAIRING}/token", code).json()["error"])
    assert answers == ["authorization_pending", "slow_down", "slow_down", "slow_down"]
    town.later(seconds=21)
    assert town.client().post(f"{PAIRING}/token", code).json()["error"] == "authorization_pending"
    assert refused(town, "pairing_slow_down") == 3


def test_a_code_is_over_after_ten_minutes(town: Town) -> None:
    opened = ask(town)
    town.later(minutes=10)
    assert claim(town, opened).status_code == 404
    assert poll(town, opened).json()["error"] == "expired_token"
    assert told(town) == []


def test_only_managers_claim_and_only_in_their_area(town: Town) -> None:
    opened = ask(town)
    assert claim(town, opened, "lan").json()["rule"] == "role.missing"
    outside = claim(town, opened, **(PLACE | {"area": "00049"}))
    assert (outside.status_code, outside.json()["rule"]) == (403, "jurisdiction.area")
    assert [event.command for event in town.refusals()] == ["claim screen", "claim screen"]
    assert town.client().post(f"{PAIRING}/claim", {"code": opened["user_code"], **PLACE}).status_code == 401
    for fields in ({"name": "x"}, PLACE | {"screen_id": str(uuid4())}, PLACE | {"opens": "06:00"}):
        assert claim(town, opened, **fields).status_code == 422
    assert claim(town, opened, screen_id=str(uuid4())).status_code == 404
    assert claim(town, opened).status_code == 201


def test_guessing_codes_is_made_slow(town: Town) -> None:
    opened = ask(town)
    answers = [claim(town, {"user_code": "BBBBBBBB"}).status_code for _ in range(12)]
    assert answers == [404] * 10 + [429] * 2
    assert claim(town, opened).status_code == 429
    town.later(minutes=5)
    assert claim(town, opened).status_code == 201


def test_open_codes_are_bounded_and_the_rest_counted(town: Town) -> None:
    first = ask(town)
    answers = [town.client().post(PAIRING) for _ in range(PER_ADDRESS + 3)]
    full = [one for one in answers if one.status_code == 429]
    assert len(full) == 4
    assert int(full[0].headers["retry-after"]) > 0
    assert refused(town, "pairing_full") == 4
    assert claim(town, first).status_code == 201  # those that are open go on
    town.later(minutes=10)
    assert town.client().post(PAIRING).status_code == 201
    with town.pool.connection() as conn:
        conn.execute(
            "INSERT INTO screen_pairings (device_hash, user_hash, address_hash, expires_at, every_seconds)"
            " SELECT sha256(n::text::bytea), sha256(n::text::bytea), sha256(n::text::bytea), %s, 5"
            " FROM generate_series(2, %s) AS n",
            (town.now.replace(hour=23), IN_ALL),
        )
    assert "in all" in town.client().post(PAIRING).json()["detail"]


def test_a_new_box_takes_over_the_screen(town: Town) -> None:
    broken, screen_id = paired(town)
    opened = ask(town)
    claimed = claim(town, opened, screen_id=screen_id).json()
    assert (claimed["screen_id"], claimed["name"]) == (screen_id, PLACE["name"])
    assert broken.get(FEED_PATH).status_code == 200  # until the new one has its key
    key = poll(town, opened).json()["key"]
    town.catch_up()
    assert broken.get(FEED_PATH).status_code == 401
    assert Client(town.app, key).get(FEED_PATH).status_code == 200
    assert told(town) == [("screen.registered", "hoa"), ("screen.repaired", "hoa")]


def test_a_key_rotated_lives_until_the_new_one_is_used(town: Town) -> None:
    old, screen_id = paired(town)
    lost = old.post("/v1/screens/me/key").json()["key"]
    answer = old.post("/v1/screens/me/key")
    assert answer.status_code == 201
    new = Client(town.app, answer.json()["key"])
    assert Client(town.app, lost).get(FEED_PATH).status_code == 401
    assert old.get(FEED_PATH).status_code == 200
    assert new.get(FEED_PATH).status_code == 200
    town.catch_up()  # the cache's next look
    assert old.get(FEED_PATH).status_code == 401
    assert new.get(FEED_PATH).status_code == 200
    me = f"screen:{screen_id}"
    assert told(town) == [
        ("screen.registered", "hoa"),
        ("screen.key_rotated", me),
        ("screen.key_rotated", me),
    ]


def test_a_new_key_that_reports_ends_the_former_at_once(town: Town) -> None:
    old, _ = paired(town)
    new = Client(town.app, old.post("/v1/screens/me/key").json()["key"])
    assert new.post("/v1/screens/me/reports", {"shown": []}).status_code == 200
    assert old.post("/v1/screens/me/reports", {"shown": []}).status_code == 401


def test_a_key_that_was_not_replaced_in_a_day_ends(town: Town) -> None:
    old, _ = paired(town)
    new = Client(town.app, old.post("/v1/screens/me/key").json()["key"])
    town.later(hours=24)
    assert town.key_store.end_due(town.now, SYSTEM) == 1
    town.catch_up()
    assert old.get(FEED_PATH).status_code == 401
    assert new.get(FEED_PATH).status_code == 200


def test_a_manager_revokes_and_pairs_again(town: Town) -> None:
    stolen, screen_id = paired(town)
    path = f"/v1/screens/{screen_id}/revoke"
    assert town.client("lan").post(path).status_code == 403
    assert len(town.client("hoa").post(path).raise_for_status().json()["key_ids"]) == 1
    assert stolen.get(FEED_PATH).status_code == 401
    assert stolen.post("/v1/screens/me/key").status_code == 401
    opened = ask(town)
    claim(town, opened, screen_id=screen_id).raise_for_status()
    assert Client(town.app, poll(town, opened).json()["key"]).get(FEED_PATH).status_code == 200
    assert [topic for topic, _ in told(town)] == [
        "screen.registered",
        "screen.key_revoked",
        "screen.repaired",
    ]


def test_a_screen_is_told_under_signature_what_became_of_its_key(town: Town) -> None:
    screen, screen_id = paired(town)
    key_id = (screen.key or "").split("_")[1]
    asked = f"{PAIRING}/standing?key_id={key_id}&nonce="

    def standing(nonce: str) -> dict[str, str]:
        answer = town.client().get(asked + nonce).raise_for_status()
        assert answer.headers["cache-control"] == "no-store"
        assert is_authentic(answer.content, answer.headers["x-feed-signature"], [FEED_KEY.public])
        return answer.json()

    told = {"kind": "key-standing/1", "key_id": key_id}
    assert standing("a" * 16) == {**told, "nonce": "a" * 16, "standing": "live"}
    town.client("hoa").post(f"/v1/screens/{screen_id}/revoke").raise_for_status()
    assert standing("b" * 64) == {**told, "nonce": "b" * 64, "standing": "ended"}
    staff = town.keys["hoa"].split("_")[1]
    for unknown in ("0" * 12, staff):
        assert town.client().get(f"{PAIRING}/standing?key_id={unknown}&nonce={'a' * 16}").status_code == 404
    for bad in ("a" * 15, "a" * 65, "a" * 16 + "%0A"):
        assert town.client().get(asked + bad).status_code == 422
    answers = [town.client().get(asked + "a" * 16).status_code for _ in range(30)]
    assert answers[-1] == 429
    assert refused(town, "key_gate") >= 1


def test_a_screen_makes_itself_known_and_the_feed_stays(town: Town) -> None:
    screen, screen_id = paired(town)
    neighbour, _ = paired(town)
    tag = screen.get(FEED_PATH).headers["etag"]
    assert town.client("lan").post(f"/v1/screens/{screen_id}/identify").status_code == 403
    assert town.client("hoa").post(f"/v1/screens/{screen_id}/identify").status_code == 202
    flashing = screen.get(FEED_PATH, If_None_Match=tag)
    assert flashing.status_code == 304
    assert int(flashing.headers["x-screen-identify"]) == int(town.now.timestamp() * 1000) + 30_000
    assert Client(town.app.app, screen.key).get(FEED_PATH).headers["x-screen-identify"]
    assert "x-screen-identify" not in neighbour.get(FEED_PATH).headers
    town.later(seconds=30)
    assert "x-screen-identify" not in screen.get(FEED_PATH).headers
    assert told(town)[-1] == ("screen.identify_asked", "hoa")


def test_an_address_is_a_customer() -> None:
    assert neighbourhood("2001:db8:1:2:3::4") == neighbourhood("2001:db8:1:2:ffff::1")
    assert neighbourhood("2001:db8:1:2::1") != neighbourhood("2001:db8:1:3::1")
    assert (neighbourhood("192.0.2.7"), neighbourhood("unix")) == ("192.0.2.7", "unix")
