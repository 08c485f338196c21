"""The description of the API is whole, and its page shows it."""

from typing import Any

from broadcaster.web.feeds.polls import FEED_PATH
from schemas.requests import NewAlert, NewScreen
from tests.unit.broadcaster.web.town import Town


def operations(spec: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, one) for path, methods in spec["paths"].items() for method, one in methods.items()
    ]


def test_every_operation_is_described(town: Town) -> None:
    spec = town.client().get("/openapi.json").json()
    found = operations(spec)
    assert len(found) > 30
    tags = {tag["name"] for tag in spec["tags"]}
    for path, method, operation in found:
        place = f"{method} {path}"
        assert operation["summary"], place
        assert operation["description"], place
        assert set(operation["tags"]) <= tags, place
        assert path.startswith("/v1/") or path in {"/healthz", "/metrics"}, place
        if "security" in operation:
            assert "401" in operation["responses"] or method == "get", place
    assert set(spec["components"]["securitySchemes"]) == {"staff", "screen", "device", "app"}
    assert spec["paths"][FEED_PATH]["get"]["security"] == [{"screen": []}]
    assert len({operation["operationId"] for _, _, operation in found}) == len(found)


def test_examples_are_valid(town: Town) -> None:
    spec = town.client().get("/openapi.json").json()
    body = spec["paths"]["/v1/alerts"]["post"]["requestBody"]["content"]["application/json"]
    NewAlert.model_validate(body["example"])
    body = spec["paths"]["/v1/screens"]["post"]["requestBody"]["content"]["application/json"]
    NewScreen.model_validate(body["example"])


def test_the_page_shows_every_operation_and_object(town: Town) -> None:
    spec = town.client().get("/openapi.json").json()
    page = town.client().get("/docs").text.replace("<wbr>", "")
    for path, _, operation in operations(spec):
        assert f'id="{operation["operationId"]}"' in page
        assert f'<code class="path">{path}</code>' in page
    for name in spec["components"]["schemas"]:
        assert f'id="shape-{name}"' in page
    assert "Ngã tư Kim Mã" in page
