"""Idempotency keys, ETags and If-Match."""

from tests.unit.broadcaster.web.town import Town, content


def events(town: Town) -> int:
    return town.log.head()


def test_a_repeat_gets_the_first_answer(town: Town) -> None:
    lan = town.client("lan")
    body = {"content": content()}
    first = lan.post("/v1/alerts", body, Idempotency_Key="a-1")
    before = events(town)
    again = lan.post("/v1/alerts", body, Idempotency_Key="a-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["etag"] == first.headers["etag"]
    assert events(town) == before
    assert lan.post("/v1/alerts", body, Idempotency_Key="a-2").json()["id"] != first.json()["id"]


def test_a_repeat_after_the_alert_went_on_gets_the_first_answer(town: Town) -> None:
    lan = town.client("lan")
    alert_id = town.draft().json()["id"]
    first = lan.post(f"/v1/alerts/{alert_id}/submit", Idempotency_Key="s", If_Match='"1"')
    town.step(alert_id, "minh", "approve").raise_for_status()
    again = lan.post(f"/v1/alerts/{alert_id}/submit", Idempotency_Key="s", If_Match='"1"')
    assert first.status_code == again.status_code == 200
    assert again.json() == first.json()
    assert again.json()["stage"] == "submitted"


def test_a_key_is_for_one_request_of_one_account(town: Town) -> None:
    lan, tuan = town.client("lan"), town.client("tuan")
    lan.post("/v1/alerts", {"content": content()}, Idempotency_Key="k").raise_for_status()
    reused = lan.post("/v1/alerts", {"content": content(risk_level=3)}, Idempotency_Key="k")
    assert (reused.status_code, reused.json()["type"]) == (422, "/problems/idempotency.reused")
    alert_id = town.draft().json()["id"]
    assert lan.post(f"/v1/alerts/{alert_id}/submit", Idempotency_Key="k").status_code == 422
    other = tuan.post("/v1/alerts", {"content": content(areas=["00049"])}, Idempotency_Key="k")
    assert other.status_code == 201
    for bad in ("", "x" * 201, "a b"):
        answer = lan.post("/v1/alerts", {"content": content()}, Idempotency_Key=bad)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_an_edit_needs_to_say_what_it_edits(town: Town) -> None:
    lan = town.client("lan")
    drafted = town.draft()
    path, tag = f"/v1/alerts/{drafted.json()['id']}", drafted.headers["etag"]
    body = {"content": content(risk_level=3)}

    missing = lan("PUT", path, body)
    assert (missing.status_code, missing.json()["type"]) == (428, "/problems/precondition.missing")
    assert lan("PUT", path, body, headers={"If-Match": tag}).status_code == 200
    for stale in (tag, '"9"', "nonsense", f"W/{tag}", '"1-public"', '"' + "9" * 50 + '"'):
        answer = lan("PUT", path, body, headers={"If-Match": stale})
        assert (answer.status_code, answer.json()["type"]) == (412, "/problems/precondition.failed"), stale
    assert lan("PUT", path, body, headers={"If-Match": "*"}).status_code == 200
    now = lan.get(path)
    assert now.headers["etag"] == '"3"'


def test_an_approval_is_of_what_was_read_and_nothing_later(town: Town) -> None:
    lan, minh = town.client("lan"), town.client("minh")
    alert_id = town.draft().json()["id"]
    path = f"/v1/alerts/{alert_id}"
    lan.post(f"{path}/submit").raise_for_status()
    read = minh.get(path).headers["etag"]
    minh.post(f"{path}/return", {"reason": "Sửa"}).raise_for_status()
    lan("PUT", path, {"content": content(risk_level=5)}, headers={"If-Match": "*"}).raise_for_status()
    lan.post(f"{path}/submit").raise_for_status()

    assert minh.post(f"{path}/approve", If_Match=read).status_code == 412
    assert minh.post(f"{path}/approve").json()["type"] == "/problems/precondition.missing"
    assert minh.post(f"{path}/approve", If_Match="*").status_code == 428
    assert minh.get(path).json()["stage"] == "submitted"
    assert minh.post(f"{path}/approve", If_Match=minh.get(path).headers["etag"]).status_code == 200


def test_an_alert_unchanged_is_not_sent_again(town: Town) -> None:
    alert_id = town.issue()
    path = f"/v1/alerts/{alert_id}"
    public, inside = town.client().get(path), town.client("lan").get(path)
    assert public.headers["etag"] != inside.headers["etag"]
    tag = public.headers["etag"]
    unchanged = town.client().get(path, If_None_Match=f'"other", W/{tag}')
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert town.client("lan").get(path, If_None_Match=tag).status_code == 200
    town.client("minh").post(f"{path}/cancel", {"reason": "Hết mưa"}).raise_for_status()
    assert town.client().get(path, If_None_Match=tag).status_code == 200
