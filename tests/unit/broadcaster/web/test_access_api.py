"""Who gets in, over HTTP: asking, confirming, refusing; keys listed and ended."""

from broadcaster.account import Role
from broadcaster.keys.rows import KeyKind
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import (
    CITY,
    HANG_BAC,
    PASSWORD,
    PHUC_XA,
    SECRET,
    SYSTEM,
    Client,
    Town,
)


def second(town: Town, name: str = "vinh", body: str = PHUC_XA) -> Client:
    _, key = town.key_store.create(name, body, KeyKind.STAFF, town.now)
    town.setup.grant(SYSTEM, name, body, Role.MANAGER, at=town.now)
    return Client(town.app, key)


def confirm(town: Town, name: str, request_id: str) -> Browser:
    """In the console: there is no other way."""
    town.desk.accounts.create(name, PASSWORD, SECRET, "system:setup", town.now)
    page = Browser(town).sign_in(name)
    return page.send(f"/console/access/{request_id}/confirm", [("csrf", page.go("/console").csrf())])


def test_an_invitation_from_asking_to_confirming(town: Town) -> None:
    vinh, hoa = second(town), town.client("hoa")
    wanted = {"wish": "invite", "account": "thu@ubnd-00001", "role": "author"}
    asked = hoa.post("/v1/access-requests", wanted)
    assert asked.status_code == 201, asked.text
    told = asked.json()
    link, key = told.pop("link"), told.pop("key")
    assert link.startswith("http://town/console/welcome/")
    assert key is None
    assert told == wanted | {
        "id": told["id"],
        "body": PHUC_XA,
        "asked_by": "hoa",
        "lapses_at": "2024-07-10T03:00:00.000Z",
        "state": "waiting",
        "settled_by": None,
    }
    assert vinh.get("/v1/access-requests").json() == {"requests": [told]}
    assert town.client("tuan").get("/v1/access-requests").json() == {"requests": []}
    path = f"/v1/access-requests/{told['id']}"
    for client in (hoa, vinh):
        assert client.post(f"{path}/confirm").status_code == 404  # A key is nobody's second pair of eyes.
    for client in (town.client("lan"), town.client("tuan")):
        assert client.post(f"{path}/refuse").status_code == 403
    page = confirm(town, "vinh", told["id"])
    assert page.status == 200
    pin = str(page._tree().xpath("string(//code[@class='secret'])"))  # pyright: ignore[reportPrivateUsage]
    assert len(pin.replace(" ", "")) == 8
    assert vinh.get("/v1/access-requests").json() == {"requests": []}
    again = vinh.post(f"{path}/refuse")
    assert (again.status_code, again.json()["rule"]) == (409, "state.not-now")
    assert [each.rule for each in town.refusals()] == ["role.missing", "body.not-yours", "state.not-now"]
    secret = link.rpartition("/")[2]
    for hidden in (secret, pin.replace(" ", "")):
        assert hidden not in str([bytes(each.event.payload()) for each in town.log.everything()])


def test_a_key_opens_when_it_was_confirmed_and_until_it_is_ended(town: Town) -> None:
    vinh, hoa = second(town, "chi", CITY), town.client("hoa")
    wanted = {"wish": "key", "account": "tram", "role": "author", "body": PHUC_XA}
    asked = hoa.post("/v1/access-requests", wanted).json()
    tram = Client(town.app, asked["key"])
    assert tram.get("/v1/keys").status_code == 401
    assert confirm(town, "chi", asked["id"]).status == 200
    assert tram.get("/v1/keys").json() == {"keys": []}
    keys = {each["account"]: each for each in hoa.get("/v1/keys").json()["keys"]}
    assert set(keys) == {"tram", "lan", "minh", "hoa"}
    assert "tuan" in {each["account"] for each in vinh.get("/v1/keys").json()["keys"]}
    key_id = keys["tram"]["key_id"]
    assert town.client("tuan").post(f"/v1/keys/{key_id}/revoke").status_code == 403
    assert hoa.post(f"/v1/keys/{key_id}/revoke").status_code == 204
    assert hoa.post(f"/v1/keys/{key_id}/revoke").status_code == 409
    assert tram.get("/v1/keys").status_code == 401
    assert hoa.post("/v1/keys/000000000000/revoke").status_code == 404


def test_what_cannot_be_asked_for(town: Town) -> None:
    hoa = town.client("hoa")
    for changes, status in (
        ({"body": HANG_BAC}, 403),
        ({"body": "nowhere"}, 404),
        ({"account": "hoa"}, 403),
        ({"account": "LAN"}, 422),
        ({"account": "nobody"}, 422),
        ({"role": "king"}, 422),
        ({"wish": "key"}, 403),
        ({"wish": "invite"}, 409),
        ({"more": 1}, 422),
    ):
        wanted = {"wish": "grant", "account": "lan", "role": "approver"} | changes
        assert hoa.post("/v1/access-requests", wanted).status_code == status, changes
    wanted = {"wish": "grant", "account": "lan", "role": "approver"}
    assert hoa.post("/v1/access-requests", wanted).status_code == 201
    again = hoa.post("/v1/access-requests", wanted)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "account")
    (waits,) = hoa.get("/v1/access-requests").json()["requests"]
    assert hoa.post(f"/v1/access-requests/{waits['id']}/refuse").json()["state"] == "refused"
    assert hoa.post("/v1/access-requests", wanted).status_code == 201
