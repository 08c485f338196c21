"""A citizen's device: registering, choosing, reading what holds, leaving."""

from typing import Any

import httpx
import pytest
from psycopg import sql

from broadcaster.keys.rows import KeyKind
from broadcaster.web.intake import BURST, MOST_ADDRESSES, Intake
from tests.unit.broadcaster.web.town import SYSTEM, Client, Town

TOKEN = "fcm-token-of-a-phone"
NEW = {"token": TOKEN, "platform": "android", "home": "00001", "phone": "0912 345 678"}


def register(town: Town, **changes: Any) -> tuple[Client, httpx.Response]:
    answer = town.client().post("/v1/devices", NEW | changes)
    assert answer.status_code == 201
    made = answer.json()
    return Client(town.app, f"{made['device_id']}.{made['secret']}"), answer


def test_a_device_sees_what_is_held_about_it(town: Town) -> None:
    device, _ = register(town, areas=["002"])
    held = device.get("/v1/devices/me").json()
    assert (held["home"], held["areas"], held["phone"], held["push"]) == (
        "00001",
        ["002"],
        "+84912345678",
        True,
    )
    assert TOKEN not in device.get("/v1/devices/me").text


@pytest.mark.parametrize("key", [None, "", "x", "x.y", "00000000-0000-0000-0000-000000000000.y", "hn_a_b"])
def test_another_secret_opens_nothing(town: Town, key: str | None) -> None:
    register(town)
    stranger = Client(town.app, key)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/inbox"), ("PATCH", "")):
        answer = stranger(method, f"/v1/devices/me{path}", {} if method == "PATCH" else None)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


def test_choices_change(town: Town) -> None:
    device, _ = register(town)
    moved = device("PUT", "/v1/devices/me/areas", {"home": "00004", "areas": ["00049"]})
    assert (moved.json()["home"], moved.json()["areas"]) == ("00004", ["00049"])
    changed = device("PATCH", "/v1/devices/me", {"locale": "en", "phone": None, "opt_outs": ["mua_lon"]})
    assert (changed.json()["locale"], changed.json()["phone"], changed.json()["opt_outs"]) == (
        "en",
        None,
        ["mua_lon"],
    )
    fresh = device("PUT", "/v1/devices/me/token", {"token": "another", "platform": "ios"})
    assert fresh.status_code == 204
    assert device.get("/v1/devices/me").json()["platform"] == "ios"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"home": "001"}, "home"),
        ({"home": "77777"}, "home"),
        ({"areas": ["77777"]}, "areas"),
        ({"phone": "0123"}, "phone"),
        ({"opt_outs": ["nothing"]}, "opt_outs"),
        ({"token": None, "platform": None, "phone": None}, ""),
        ({"platform": "nokia"}, "platform"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_what_is_wrong_is_named_and_not_quoted(town: Town, changes: dict[str, Any], field: str) -> None:
    answer = town.client().post("/v1/devices", NEW | changes)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert TOKEN not in answer.text
    assert "0912" not in answer.text


def test_the_inbox_holds_what_is_addressed_to_my_areas_or_above(town: Town) -> None:
    device, _ = register(town, areas=["002"])
    mine = town.issue()
    everywhere = town.issue("city-author", "city-approver", areas=["01"])
    district = town.issue("city-author", "city-approver", areas=["001"])
    followed = town.issue("city-author", "city-approver", areas=["002"])
    below_followed = town.issue("city-author", "city-approver", areas=["00049"])
    neighbour = town.issue("city-author", "city-approver", areas=["00004"])
    town.catch_up()

    inbox = device.get("/v1/devices/me/inbox")
    ids = [one["id"] for one in inbox.json()["alerts"]]
    assert ids == [followed, district, everywhere, mine]
    assert below_followed not in ids
    assert neighbour not in ids
    assert inbox.json()["alerts"][-1]["issuer_name"] == "UBND phường Phúc Xá"

    tag = inbox.headers["etag"]
    assert device.get("/v1/devices/me/inbox", If_None_Match=tag).status_code == 304
    town.client("minh").post(f"/v1/alerts/{mine}/cancel", {"reason": "Hết mưa"}).raise_for_status()
    town.catch_up()
    changed = device.get("/v1/devices/me/inbox", If_None_Match=tag)
    assert changed.status_code == 200
    assert [one["id"] for one in changed.json()["alerts"]] == [followed, district, everywhere]
    town.later(days=30)  # their time is up before the log says so
    assert device.get("/v1/devices/me/inbox").json()["alerts"] == []


def test_what_a_phone_reports_is_counted_once(town: Town) -> None:
    device, _ = register(town)
    alert_id = town.issue()
    town.catch_up()
    for event in ("shown", "opened", "opened"):
        report = {"alert_id": alert_id, "version": 1, "event": event}
        assert device.post("/v1/devices/me/receipts", report).status_code == 204
    reach = town.client().get(f"/v1/alerts/{alert_id}/reach").json()
    assert (reach["shown"], reach["opened"]) == (1, 1)
    for bad in ({"version": 0}, {"version": 10**30}, {"event": "read"}, {"alert_id": "x"}):
        report = {"alert_id": alert_id, "version": 1, "event": "shown"} | bad
        assert device.post("/v1/devices/me/receipts", report).status_code == 422


def test_erasing_leaves_nothing(town: Town) -> None:
    device, answer = register(town, areas=["002"])
    alert_id = town.issue()
    device.post(
        "/v1/devices/me/receipts", {"alert_id": alert_id, "version": 1, "event": "opened"}
    ).raise_for_status()
    town.catch_up()
    personal = [TOKEN, "912345678", answer.json()["device_id"], answer.json()["secret"]]
    assert any(word in text for text in everything(town) for word in personal)

    assert device("DELETE", "/v1/devices/me").status_code == 204
    left = [word for text in everything(town) for word in personal if word in text]
    assert left == []
    assert device.get("/v1/devices/me").status_code == 401


def everything(town: Town) -> list[str]:
    """Every row of every table, as text."""
    with town.pool.connection() as conn:
        tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return [
            row[0] + row[0].encode().hex()
            for (table,) in tables
            for row in conn.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
        ]


def test_a_stranger_who_knows_a_number_cannot_silence_it(town: Town) -> None:
    device, _ = register(town, token=None, platform=None)
    for elsewhere in ({"token": None, "platform": None}, {"token": "another"}):
        answer = town.client().post("/v1/devices", NEW | elsewhere | {"home": "00049"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "phone"
    assert device.get("/v1/devices/me").json()["home"] == "00001"


def test_numbers_are_tried_out_slowly_and_the_rest_is_not(town: Town) -> None:
    def name(number: int) -> int:
        said = {"token": None, "platform": None, "phone": f"0912{number:06}"}
        return town.client().post("/v1/devices", NEW | said).status_code

    assert [name(number) for number in range(21)] == [201] * 20 + [429]
    register(town, phone=None)
    town.later(seconds=5)
    assert [name(20), name(21)] == [201, 429]


def vouching(town: Town) -> str:
    """A key of the app's own server."""
    return town.key_store.create("app:ihanoi", None, KeyKind.APP, town.now)[1]


def test_the_apps_server_moves_a_number_to_its_owner(town: Town) -> None:
    key = vouching(town)
    former, _ = register(town)
    anew = NEW | {"token": "installed-anew", "home": "00004"}
    assert town.client().post("/v1/devices", anew).status_code == 422
    made = town.client().post("/v1/devices", anew, App_Key=key).raise_for_status().json()
    mine = Client(town.app, f"{made['device_id']}.{made['secret']}")
    assert (mine.get("/v1/devices/me").json()["phone"], former.get("/v1/devices/me").json()["phone"]) == (
        "+84912345678",
        None,
    )
    # And back, by who has the former phone in hand and signed in there.
    assert former("PATCH", "/v1/devices/me", {"phone": NEW["phone"]}).status_code == 422
    moved = former("PATCH", "/v1/devices/me", {"phone": NEW["phone"]}, headers={"App-Key": key})
    assert moved.json()["phone"] == "+84912345678"
    assert mine.get("/v1/devices/me").json()["phone"] is None


def test_the_apps_server_names_as_many_numbers_as_it_has_people(town: Town) -> None:
    key = vouching(town)
    for number in range(30):
        person = {"phone": f"09876543{number:02}", "home": "00001"}
        town.client().post("/v1/devices", person, App_Key=key).raise_for_status()


def test_another_key_vouches_for_nobody(town: Town) -> None:
    register(town)
    anew = NEW | {"token": "installed-anew"}
    key = vouching(town)
    for bad, status in (("x", 401), (key[:-1] + "!", 401), (town.keys["lan"], 403)):
        assert town.client().post("/v1/devices", anew, App_Key=bad).status_code == status
    town.key_store.revoke(key.split("_")[1], town.now, by=SYSTEM)
    assert town.client().post("/v1/devices", anew, App_Key=key).status_code == 401
    # And it opens nothing else.
    other = vouching(town)
    assert Client(town.app, other).post("/v1/alerts", {}).status_code == 403
    assert Client(town.app, other).get("/v1/screens/me").status_code == 403


def test_one_address_cannot_fill_the_registry(town: Town) -> None:
    intake: Intake = town.app.app._app.state.services.intake  # type: ignore[attr-defined]
    for _ in range(BURST - 1):
        intake.enter("127.0.0.1", town.now.timestamp())
    register(town, phone=None)
    refused = town.client().post(
        "/v1/devices", {"token": "made-up", "platform": "android", "home": "00001"}
    )
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    # Who is vouched for is not made to pay for neighbours, and the rest comes back with time.
    person = {"token": "another", "platform": "android", "home": "00001"}
    assert town.client().post("/v1/devices", person, App_Key=vouching(town)).status_code == 201
    town.later(seconds=2)
    register(town, token="a-third", phone=None)


def test_an_intake_forgets_whom_it_heard_longest_ago() -> None:
    intake = Intake()
    for number in range(MOST_ADDRESSES + 5):
        assert intake.enter(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0) == 0
    assert len(intake) == MOST_ADDRESSES
