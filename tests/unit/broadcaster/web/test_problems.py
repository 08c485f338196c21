"""Every error is a problem, and says what is wrong without saying what was sent."""

from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from broadcaster.web.problems import KINDS
from tests.unit.broadcaster.web.town import Town, content

JSON = {"Content-Type": "application/json"}


def problem(answer: Any) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"].removeprefix("/problems/") in KINDS
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    "sent",
    [
        b"{",
        b'{"content": ',
        b"\xff\xfe{}",
        b'{"content": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"issuer": "\x00"}',
    ],
)
def test_what_is_not_json(town: Town, sent: bytes) -> None:
    answer = town.client("lan")("POST", "/v1/alerts", content=sent, headers=JSON)
    assert answer.status_code == 400
    assert problem(answer)["type"] == "/problems/request.malformed"


def test_each_field_is_named_with_its_rule(town: Town) -> None:
    sent = content(severity="Terrible", areas=["x"], extra=1)
    sent["texts"]["vi"]["headline"] = "a\nb"
    answer = town.client("lan").post("/v1/alerts", {"content": sent})
    assert answer.status_code == 422
    found = {(error["field"], error["rule"]) for error in problem(answer)["errors"]}
    assert found >= {
        ("content.severity", "enum"),
        ("content.areas.0", "string_pattern_mismatch"),
        ("content.extra", "extra_forbidden"),
        ("content.texts.vi.headline", "value_error"),
    }


def test_routes_methods_sizes_and_types(town: Town) -> None:
    lan = town.client("lan")
    assert problem(lan.get("/v1/nothing"))["status"] == 404
    wrong = lan("DELETE", "/v1/alerts")
    assert problem(wrong)["status"] == 405
    assert "allow" in wrong.headers
    big = lan("POST", "/v1/alerts", content=b" " * (256 * 1024 + 1), headers=JSON)
    assert problem(big)["status"] == 413
    assert problem(lan("POST", "/v1/alerts", content=b"a=1"))["status"] == 415
    form = lan("POST", "/v1/alerts", content=b"a=1", headers={"Content-Type": "text/plain"})
    assert problem(form)["status"] == 415
    fits = lan("POST", "/v1/alerts", content=b" " * (256 * 1024), headers=JSON)
    assert problem(fits)["status"] == 400


def test_a_body_that_comes_in_pieces_is_measured_too(town: Town) -> None:
    def pieces(count: int) -> Any:
        async def come() -> Any:
            for _ in range(count):
                yield b" " * 1024

        return come()

    lan = town.client("lan")
    assert problem(lan("POST", "/v1/alerts", content=pieces(257), headers=JSON))["status"] == 413
    assert problem(lan("POST", "/v1/alerts", content=pieces(256), headers=JSON))["status"] == 400


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "\x1b[31m", "9" * 3000, "\u202e", "đ" * 3000])
def test_odd_text_is_refused_or_taken_but_never_breaks(town: Town, odd: str) -> None:
    lan, nobody = town.client("lan"), town.client()
    escaped = odd.encode("utf-16-le", "surrogatepass").hex()
    text = "".join(f"\\u{escaped[i + 2 : i + 4]}{escaped[i : i + 2]}" for i in range(0, len(escaped), 4))
    bodies = [
        ("POST", "/v1/alerts", f'{{"issuer": "{text}", "content": {{}}}}'),
        ("POST", "/v1/alerts", f'{{"{text}": "{text}"}}'),
        ("POST", "/v1/devices", f'{{"token": "{text}", "platform": "{text}", "home": "{text}"}}'),
        ("POST", "/v1/devices", f'{{"phone": "{text}", "home": "00001", "opt_outs": ["{text}"]}}'),
        ("POST", "/v1/screens", f'{{"name": "{text}", "area": "{text}", "profile": "{text}"}}'),
    ]
    for method, path, sent in bodies:
        answer = lan(method, path, content=sent.encode(), headers=JSON)
        assert 400 <= answer.status_code < 500, (path, answer.text)
        problem(answer)
    for path in ("/v1/areas", "/v1/bodies", "/v1/cadence", "/v1/alerts"):
        answer = nobody("GET", path, params={"q": odd.encode("utf-8", "surrogatepass"), "level": "9" * 400})
        assert answer.status_code == 422, path
    for path in ("/v1/areas/", "/v1/bodies/", "/v1/cadence/", "/v1/alerts/", "/alerts/", "/static/x/"):
        quoted = "".join(f"%{byte:02x}" for byte in odd[:500].encode("utf-8", "surrogatepass"))
        assert nobody.get(path + quoted).status_code in {404, 422}, path


def test_categories_that_would_stay_in_the_log_are_harmless_text(town: Town) -> None:
    for odd in ("\x00", "mưa", "x" * 41, "A", ""):
        assert town.draft(category=odd).status_code == 422
    assert town.refusals() == []


def test_a_fault_of_ours_says_nothing_of_it(own_town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    with own_town.pool.connection() as conn:
        conn.execute("DROP TABLE board_alerts")
    answer = own_town.client().get("/v1/alerts")
    body = problem(answer)
    assert (answer.status_code, body["type"]) == (500, "/problems/unexpected")
    assert "board_alerts" not in answer.text
    logged = capsys.readouterr().out
    assert "request_failed" in logged
    assert "UndefinedTable" in logged


def test_a_busy_database_is_503(town: Town) -> None:
    pool: ConnectionPool[Any] = town.pool
    pool.timeout = 0.05
    held = [pool.getconn() for _ in range(6)]
    try:
        answer = town.client().get("/v1/reach")
    finally:
        for conn in held:
            pool.putconn(conn)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert problem(answer)["type"] == "/problems/unavailable"


def test_types_lead_to_a_page(town: Town) -> None:
    client = town.client()
    docs = client.get("/docs").text
    for kind in KINDS:
        answer = client.get(f"/problems/{kind}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/docs#problem-{kind}")
        assert f'id="problem-{kind}"' in docs
    assert client.get("/problems/none").status_code == 404
