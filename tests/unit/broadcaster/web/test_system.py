"""How the house is: for managers of the city, by API and page, and it is never said to be well unseen."""

import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from broadcaster.account import Role
from broadcaster.keys.rows import KeyKind
from broadcaster.web.app import create_app
from broadcaster.web.monitoring.plant import LOW, Disk, KeyFile, LaneDepth
from projections.follower import Follower
from projections.listen import Listener
from schemas.content import Channel, Lane
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import CITY, PASSWORD, SECRET, SYSTEM, Town
from tests.waiting import PATIENCE, until

DEPTHS = [LaneDepth(lane, Channel.PUSH, 3 if lane is Lane.ALERT else 0, 0, 2) for lane in Lane]


@pytest.fixture(name="boss")
def _boss(town: Town) -> str:
    """A manager of the city, with a key."""
    _, key = town.key_store.create("boss", CITY, KeyKind.STAFF, town.now)
    town.setup.grant(SYSTEM, "boss", CITY, Role.MANAGER, at=town.now)
    town.desk.accounts.create("boss", PASSWORD, SECRET, "system:setup", town.now)
    town.keys["boss"] = key
    return key


def furnish(town: Town, *keys: KeyFile, lanes: list[LaneDepth] | None = DEPTHS) -> None:
    ports = town.app.app._app.state.services.ports  # type: ignore[attr-defined]
    town.app = create_app(replace(ports, lanes=lambda: lanes, key_files=lambda: keys))


def test_only_managers_of_the_city_see_it(town: Town, boss: str) -> None:
    assert boss
    for account in ("lan", "hoa", "kiem", "city-author"):
        assert town.client(account).get("/v1/system").status_code == 403
    assert town.client().get("/v1/system").status_code == 401
    assert town.client("boss").get("/v1/system").status_code == 200
    assert Browser(town).sign_in("hoa").go("/console/system").status == 403
    Browser(town).sign_in("boss").go("/console/system").sees(
        "Cần xem ngay", "Số liệu dựng từ nhật ký", "Chuỗi băm"
    )


def followed(town: Town) -> bool:
    """Whether PostgreSQL knows of one that listens to the log."""
    query = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE '%% listen event_log'"
    with town.pool.connection() as conn:
        return conn.execute(query + " AND datname = current_database()").fetchone() is not None


def test_what_is_not_seen_is_a_trouble(town: Town, boss: str) -> None:
    assert boss
    town.follow()
    until(lambda: not followed(town))  # Who listened in a test before this may still be hanging up.
    furnish(town, lanes=None)
    found = town.client("boss").get("/v1/system").json()
    assert (found["status"], found["lanes"]) == ("trouble", None)
    assert {"role", "transport"} <= set(found["troubles"])
    assert {one["name"]: one["running"] for one in found["roles"]} == {
        "web": True,
        "follow": False,
        "relay": False,
    }


def test_a_follower_and_workers_are_seen(town: Town, boss: str) -> None:
    assert boss
    furnish(town)
    heard = threading.Event()
    listener = Listener(town.pool, "event_log", lambda _: heard.set())
    listener.start()
    try:
        assert heard.wait(PATIENCE)
        found = town.client("boss").get("/v1/system").json()
    finally:
        listener.stop()
    roles = {one["name"]: one["running"] for one in found["roles"]}
    assert (roles["follow"], roles["push"]) == (True, True)
    assert [one["pending"] for one in found["lanes"]] == [0, 3, 0]


def test_lag_and_a_stopped_view(town: Town, boss: str) -> None:
    assert boss
    town.follow()
    town.issue()
    found = town.client("boss").get("/v1/system").json()
    lags = {one["name"]: one["lag"] for one in found["followers"]}
    assert lags["board"] > 0
    assert found["chain"]["sound"]
    follower = Follower(
        town.pool,
        town.projections[0],
        read=town.log.read,
        append_in=town.log.append_in,
        head=town.log.head,
        clock=lambda: town.now,
    )
    with town.pool.connection() as conn:
        conn.execute("UPDATE projection_positions SET stopped_at = 5, error = 'x' WHERE name = 'board'")
    assert follower.standing().stopped_at == 5
    found = town.client("boss").get("/v1/system").json()
    assert "stopped" in found["troubles"]
    Browser(town).sign_in("boss").go("/console/system").sees("dừng ở sự kiện 5")


def test_keys_that_others_read_or_that_end(town: Town, boss: str) -> None:
    assert boss
    soon = town.now + timedelta(days=3)
    furnish(town, KeyFile("feed", present=True, private=False))
    assert "key" in town.client("boss").get("/v1/system").json()["troubles"]
    furnish(town, KeyFile("cap", present=True, private=True, expires_at=soon))
    found = town.client("boss").get("/v1/system").json()
    assert "expiry" in found["troubles"]
    assert "key" not in found["troubles"]
    Browser(town).sign_in("boss").go("/console/system").sees("sắp hết hạn", "Khóa ký CAP")
    furnish(town, KeyFile("checkpoint", present=False, private=False))
    assert "key" not in town.client("boss").get("/v1/system").json()["troubles"]


def test_an_edited_log_is_a_trouble(own_town: Town) -> None:
    _, own_town.keys["boss"] = own_town.key_store.create("boss", CITY, KeyKind.STAFF, own_town.now)
    own_town.setup.grant(SYSTEM, "boss", CITY, Role.MANAGER, at=own_town.now)
    assert "chain" not in own_town.client("boss").get("/v1/system").json()["troubles"]
    with own_town.pool.connection() as conn:
        changed = conn.execute(
            "UPDATE events SET chain = decode(repeat('00', 32), 'hex')"
            " WHERE position = (SELECT max(position) FROM events)"
        )
        assert changed.rowcount == 1
    assert "chain" in own_town.client("boss").get("/v1/system").json()["troubles"]


def test_a_disk_that_is_nearly_full_is_a_trouble(town: Town, boss: str) -> None:
    assert boss
    ports = town.app.app._app.state.services.ports  # type: ignore[attr-defined]
    for free, said in ((LOW, False), (LOW - 1, True)):
        disks = [Disk("data", 10 * LOW), Disk("transport", free)]
        town.app = create_app(replace(ports, disks=partial(list, disks)))
        found = town.client("boss").get("/v1/system").json()
        assert ("disk" in found["troubles"]) is said
        assert found["disks"][1] == {"name": "transport", "free": free}
    Browser(town).sign_in("boss").go("/console/system").sees("Đĩa sắp đầy.", "sắp đầy", "1.023 MB")
