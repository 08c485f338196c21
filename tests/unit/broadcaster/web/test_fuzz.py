"""Whatever is sent, the answer is one of ours, and never a fault."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.broadcaster.web.town import Town, content

FEW = settings(
    max_examples=60,
    deadline=None,
    # One town for all examples of a test: each is one more request to the same city.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["\x00", "\ud800", "00001", "9" * 400, "2024-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PLACES = {
    ("POST", "/v1/alerts"): "lan",
    ("POST", "/v1/devices"): None,
    ("PUT", "/v1/devices/me/areas"): "device",
    ("PUT", "/v1/devices/me/token"): "device",
    ("PATCH", "/v1/devices/me"): "device",
    ("POST", "/v1/devices/me/receipts"): "device",
    ("POST", "/v1/screens"): "hoa",
    ("POST", "/v1/templates"): "lan",
    ("POST", "/v1/area-sets"): "lan",
    ("POST", "/v1/access-requests"): "hoa",
    ("POST", "/v1/screens/me/reports"): "screen",
}
FIELDS = st.sampled_from(
    [
        "content",
        "issuer",
        "token",
        "platform",
        "phone",
        "home",
        "areas",
        "opt_outs",
        "locale",
        "name",
        "area",
        "profile",
        "shown",
        "alert_id",
    ]
)


def sent(client: Any, method: str, path: str, body: object) -> int:
    data = json.dumps(body).encode()
    answer = client(method, path, content=data, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500, (method, path, body, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
    return answer.status_code


@FEW
@given(place=st.sampled_from(list(PLACES)), body=VALUES | st.dictionaries(FIELDS, VALUES))
def test_any_body(town: Town, place: tuple[str, str], body: object) -> None:
    if "device" not in town.keys:
        made = town.client().post("/v1/devices", {"phone": "0912345678", "home": "00001"}).json()
        town.keys["device"] = f"{made['device_id']}.{made['secret']}"
        screen = {"name": "x", "area": "00001", "profile": "m96x32-1"}
        town.keys["screen"] = town.client("hoa").post("/v1/screens", screen).json()["key"]
    assert sent(town.client(PLACES[place]), *place, body) not in {401, 403}


@FEW
@given(
    field=st.sampled_from([*content(), "texts.vi.headline", "texts.vi.sms_text", "expires_at", "channels"]),
    value=VALUES,
)
def test_any_value_in_any_field_of_an_alert(town: Town, field: str, value: object) -> None:
    body = content()
    holder: dict[str, Any] = body
    *path, last = field.split(".")
    for part in path:
        holder = holder[part]
    holder[last] = value
    if sent(town.client("lan"), "POST", "/v1/alerts", {"content": body}) == 201:
        town.catch_up()  # what was taken can be shown
        assert all(one.stopped_at is None for one in town.standings())


@FEW
@given(
    field=st.sampled_from(
        [
            "name",
            "purpose",
            "category",
            "fields",
            "label",
            "example",
            "longest",
            "texts",
            "edition",
            "areas",
        ]
    ),
    value=VALUES,
)
def test_any_value_in_any_field_of_a_template(town: Town, field: str, value: object) -> None:
    asked: dict[str, Any] = {"name": "noi", "label": "Nơi", "example": "x", "longest": 30}
    body = content() | {"fields": [asked], "areas": [], "lifetime_hours": 3}
    body["texts"] = {"vi": {"headline": "Ngập {noi}", "description": "Nước lên."}}
    whole: dict[str, Any] = {"name": "Ngập", "body": body}
    holder = asked if field in {"label", "example", "longest"} else body
    (whole if field in {"name", "purpose"} else holder)[field] = value
    if sent(town.client("lan"), "POST", "/v1/templates", whole) == 201:
        town.catch_up()  # what was taken can be shown
        assert all(one.stopped_at is None for one in town.standings())
        assert town.client("lan").get("/v1/templates").status_code == 200


@FEW
@given(
    path=st.sampled_from(
        ["/v1/areas", "/v1/bodies", "/v1/cadence", "/v1/audit", "/v1/alerts", "/v1/receipts", "/"]
    ),
    name=st.sampled_from(
        ["q", "level", "parent", "at", "limit", "before", "area", "state", "account", "lang"]
    ),
    value=st.text() | st.integers().map(str),
)
def test_any_question(town: Town, path: str, name: str, value: str) -> None:
    query = quote(value.encode("utf-8", "surrogatepass"))
    answer = town.client("kiem").get(f"{path}?{name}={query}")
    assert answer.status_code < 500, answer.text


@FEW
@given(
    path=st.sampled_from(
        ["/v1/areas/", "/v1/bodies/", "/v1/cadence/", "/v1/alerts/", "/alerts/", "/problems/", "/"]
    ),
    rest=st.binary(max_size=40),
    headers=st.dictionaries(
        st.sampled_from(["Authorization", "If-None-Match", "Cookie", "Accept", "Accept-Language"]),
        st.binary(max_size=40).map(lambda raw: raw.translate(None, b"\r\n\x00")),
    ),
)
def test_any_path_and_header(town: Town, path: str, rest: bytes, headers: dict[str, bytes]) -> None:
    answer = town.client()("GET", path + quote(rest), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code < 500, answer.text
