"""The DATEX II publication, held to what the schemas of v3.1 to v3.7 demand of it, in rules of our own."""

import re
from typing import Any

from lxml import etree

from tests.unit.broadcaster.web.town import Client, Town

PATH = "/v1/datex2/vms.xml"
VMS, COM = "{http://datex2.eu/schema/3/vms}", "{http://datex2.eu/schema/3/common}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}type"
# Each type's elements in the order of its sequence; a mark says that it is required.
SEQUENCES: dict[str, list[str]] = {
    "payload": ["publicationTime!", "publicationCreator!", "headerInformation!", "vmsControllerStatus!"],
    "publicationCreator": ["country!", "nationalIdentifier!"],
    "headerInformation": ["confidentiality", "informationStatus!"],
    "vmsControllerStatus": [
        "vmsControllerTableReference!",
        "vmsControllerReference!",
        "statusUpdateTime",
        "vmsStatus",
    ],
    "vmsStatus": ["statusUpdateTime", "workingStatus", "vmsMessage"],
    "vmsMessage": ["reasonForSetting", "timeLastSet!", "sequencingInterval", "displayAreaSettings"],
    "MultiPageDisplay": ["displayAreaSettings"],
    "TextDisplay": ["textImageUrl", "textLine"],
}
ENUMERATIONS = {
    "workingStatus": {"blank", "covered", "notWorking", "working"},
    "informationStatus": {"real", "securityExercise", "technicalExercise", "test"},
    "confidentiality": {
        *("internalUse", "noRestriction", "restrictedToAuthorities"),
        "restrictedToAuthoritiesAndTrafficOperators",
    },
}
INDEXED = {
    "vmsStatus": "vmsIndex",
    "vmsMessage": "messageIndex",
    "displayAreaSettings": ("displayAreaIndex", "pageNumber"),
    "textLine": "lineIndex",
}


def local(node: Any) -> str:
    return etree.QName(node).localname


def check_sequence(node: Any, name: str) -> None:
    order = [each.rstrip("!") for each in SEQUENCES[name]]
    found = [local(child) for child in node]
    places = [order.index(child) for child in found]
    assert places == sorted(places), (name, found)
    assert {each[:-1] for each in SEQUENCES[name] if each.endswith("!")} <= set(found), (name, found)


def check(root: Any) -> None:
    assert root.tag == "{http://datex2.eu/schema/3/d2Payload}payload"
    assert root.get(XSI) == "vms:VmsPublication"
    assert root.get("modelBaseVersion") == "3"
    check_sequence(root, "payload")
    for node in root.iter():
        name = local(node)
        if node.get(XSI, "").startswith("vms:") and node is not root:
            check_sequence(node, node.get(XSI).removeprefix("vms:"))
        elif name in INDEXED and len(node) == 1 and local(node[0]) == name != local(node.getparent()):
            wanted = INDEXED[name]
            names = wanted if isinstance(wanted, tuple) else (wanted,)
            assert any(int(node.get(each, 0)) >= 1 for each in names), etree.tostring(node)
        elif name in SEQUENCES:
            check_sequence(node, name)
    for instant in root.iter(f"{VMS}timeLastSet", f"{COM}publicationTime", f"{VMS}statusUpdateTime"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", instant.text)
    for name, words in ENUMERATIONS.items():
        assert {node.text for node in root.iter(f"{VMS}{name}", f"{COM}{name}")} <= words
    assert len(root.findtext(f".//{COM}country")) <= 2
    assert all(len(node.text or "") <= 1024 for node in root.iter())
    assert all(float(node.text) > 0 for node in root.iter(f"{VMS}sequencingInterval"))
    assert re.fullmatch("[a-z]{2}", root.get("lang"))
    for reference in root.iter(f"{VMS}vmsControllerReference", f"{VMS}vmsControllerTableReference"):
        assert reference.get("id")
        wanted = {
            "vmsControllerReference": "VmsController",
            "vmsControllerTableReference": "VmsControllerTable",
        }
        assert reference.get("targetClass") == f"vms:{wanted[local(reference)]}"
        assert reference.get("version")


def put_up(town: Town, name: str, **more: Any) -> Client:
    place = {"name": name, "area": "00001", "profile": "m96x32-1"} | more
    made = town.client("hoa").post("/v1/screens", place).raise_for_status().json()
    return Client(town.app, made["key"])


def test_what_is_on_is_published(town: Town) -> None:
    screen = put_up(town, "A & <b>")
    alert_id = town.issue(texts={"vi": {"headline": "Ngập < 1 m & sâu", "description": "x"}})
    town.catch_up()
    screen.get("/v1/screens/me/feed").raise_for_status()
    answer = town.client("lan").get(PATH)
    assert answer.headers["content-type"].startswith("application/xml")
    root: Any = etree.fromstring(answer.content)
    check(root)
    lines = [node.text for node in root.iter(f"{VMS}textLine") if not len(node)]
    assert " ".join(lines) == "Ngập < 1 m & sâu"
    assert root.findtext(f".//{VMS}workingStatus") == "working"
    assert alert_id in root.findtext(f".//{VMS}reasonForSetting//{COM}value")
    picture = root.findtext(f".//{VMS}textImageUrl")
    assert town.client().get(picture.removeprefix("http://town")).status_code == 200

    tag = answer.headers["etag"]
    town.later(seconds=20)
    screen.get("/v1/screens/me/feed").raise_for_status()
    assert town.client("lan").get(PATH, If_None_Match=tag).status_code == 304
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "x"}).raise_for_status()
    town.catch_up()
    after = town.client("lan").get(PATH, If_None_Match=tag)
    assert after.status_code == 200
    assert not list(etree.fromstring(after.content).iter(f"{VMS}vmsMessage"))


def test_drills_and_idle_pages_are_not_published(town: Town) -> None:
    put_up(town, "A", drills=True)
    town.issue(mode="exercise")
    town.catch_up()
    root = etree.fromstring(town.client("lan").get(PATH).content)
    check(root)
    assert not list(root.iter(f"{VMS}vmsMessage"))
    assert not list(root.iter(f"{VMS}workingStatus")), "nobody heard it yet"


def test_pages_go_on(town: Town) -> None:
    for number in range(3):
        put_up(town, f"Bảng {number}")
    town.catch_up()
    seen: list[str] = []
    path = f"{PATH}?limit=2"
    while path:
        answer = town.client("lan").get(path)
        root: Any = etree.fromstring(answer.content)
        check(root)
        seen += [node.get("id") for node in root.iter(f"{VMS}vmsControllerReference")]
        found = re.match(r"<http://town([^>]+)>", answer.headers.get("link", ""))
        path = found[1] if found else ""
    assert len(seen) == 3
    assert seen == sorted(seen)
    beyond = town.client("lan").get(f"{PATH}?after={seen[-1]}")
    assert (beyond.status_code, beyond.content) == (204, b""), "no publication is without a screen"
    assert town.client().get(PATH).status_code == 401
