"""Screens over HTTP: put up, polled, reported, taken down."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx

from broadcaster.keys.rows import KeyKind
from broadcaster.web.feeds.polls import FEED_PATH
from tests.unit.broadcaster.web.town import BASE, Client, Town
from tests.waiting import until

NEW = {"name": "Chợ Long Biên", "area": "00001", "profile": "m96x32-1"}


def put_up(town: Town, **headers: str) -> tuple[Client, str]:
    made = town.client("hoa").post("/v1/screens", NEW, **headers)
    assert made.status_code == 201
    assert made.json()["feed_url"] == f"{BASE}{FEED_PATH}"
    return Client(town.app, made.json()["key"]), made.json()["screen_id"]


def test_a_feed_is_unchanged_until_an_alert_changes_it(town: Town) -> None:
    screen, screen_id = put_up(town)
    town.catch_up()
    first = screen.get(FEED_PATH)
    assert first.status_code == 200
    assert first.json()["items"] == []
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    assert tag.startswith('"')

    again = screen.get(FEED_PATH, If_None_Match=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert int(again.headers["x-server-time"]) == int(town.now.timestamp() * 1000)
    assert screen.get(FEED_PATH, If_None_Match=f'"x", W/{tag}').status_code == 304
    assert screen.get(FEED_PATH, If_None_Match='"x"').status_code == 200

    alert_id = town.issue()
    town.catch_up()
    changed = screen.get(FEED_PATH, If_None_Match=tag)
    assert [item["id"] for item in changed.json()["items"]] == [alert_id]
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "Hết mưa"}).raise_for_status()
    town.catch_up()
    gone = screen.get(FEED_PATH, If_None_Match=changed.headers["etag"])
    assert (gone.json()["items"], gone.json()["cancelled"][0]["id"]) == ([], alert_id)
    head = screen("HEAD", FEED_PATH)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", gone.headers["etag"])
    assert int(head.headers["content-length"]) == len(gone.content)

    count = town.app.served[UUID(screen_id)]
    assert (count.whole, count.unchanged, count.last_seen) == (5, 2, town.now)


def test_memory_and_database_give_the_same_answer(town: Town) -> None:
    screen, _ = put_up(town)
    town.issue()
    town.catch_up()
    behind = Client(town.app.app, screen.key)  # past the front
    served, read = screen.get(FEED_PATH), behind.get(FEED_PATH)
    assert served.content == read.content
    for name in ("etag", "cache-control", "content-type", "vary", "x-server-time", "content-length"):
        assert served.headers[name].lower() == read.headers[name].lower(), name
    tag = served.headers["etag"]
    assert behind.get(FEED_PATH, If_None_Match=tag).status_code == 304


def test_a_feed_not_made_yet_is_asked_for_again(town: Town) -> None:
    screen, _ = put_up(town)
    answer = screen.get(FEED_PATH)  # the view has not seen the screen
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_the_feed_is_for_screens(town: Town) -> None:
    put_up(town)
    town.catch_up()
    assert town.client().get(FEED_PATH).status_code == 401
    assert town.client("hoa").get(FEED_PATH).status_code == 403
    assert Client(town.app, "hn_000000000000_x").get(FEED_PATH).status_code == 401
    screen, _ = put_up(town)
    assert screen.post("/v1/alerts", {}).status_code in {403, 422}
    assert screen.get("/v1/screens").status_code == 403


def test_a_screen_taken_down_is_refused(town: Town) -> None:
    screen, screen_id = put_up(town)
    town.catch_up()
    assert screen.get(FEED_PATH).status_code == 200
    assert town.client("lan")("DELETE", f"/v1/screens/{screen_id}").status_code == 403
    assert town.client("hoa")("DELETE", f"/v1/screens/{screen_id}").status_code == 204
    assert screen.get(FEED_PATH).status_code == 401
    assert town.client("hoa")("DELETE", f"/v1/screens/{screen_id}").status_code == 404
    assert town.client("hoa")("DELETE", f"/v1/screens/{uuid4()}").status_code == 404


def test_a_key_revoked_elsewhere_is_refused_when_the_cache_looks(town: Town) -> None:
    screen, screen_id = put_up(town)
    town.catch_up()
    assert screen.get(FEED_PATH).status_code == 200
    with town.pool.connection() as conn:
        conn.execute("UPDATE api_keys SET revoked_at = now() WHERE account = %s", (f"screen:{screen_id}",))
    town.app.cache.refresh()
    assert screen.get(FEED_PATH).status_code == 401


def test_a_repeat_answers_the_same_screen_with_a_new_key(town: Town) -> None:
    lost, screen_id = put_up(town, Idempotency_Key="s-1")
    found, again = put_up(town, Idempotency_Key="s-1")
    town.catch_up()
    assert again == screen_id
    assert found.get(FEED_PATH).status_code == 200
    assert lost.get(FEED_PATH).status_code == 401


def test_only_managers_put_up_screens_and_only_in_their_area(town: Town) -> None:
    assert town.client("lan").post("/v1/screens", NEW).json()["rule"] == "role.missing"
    outside = town.client("hoa").post("/v1/screens", NEW | {"area": "00049"})
    assert (outside.status_code, outside.json()["rule"]) == (403, "jurisdiction.area")
    assert town.client("lan").get("/v1/screens").status_code == 403
    screen, screen_id = put_up(town)
    town.catch_up()
    screen.get(FEED_PATH)
    listed = town.client("hoa").get("/v1/screens").json()["screens"]
    assert [(one["id"], one["polls"], one["last_seen"]) for one in listed] == [
        (screen_id, 1, "2024-07-10T02:00:00.000Z")
    ]


def test_what_a_screen_shows_is_noted_once(town: Town) -> None:
    screen, _ = put_up(town)
    alert_id = town.issue()
    shown = {"shown": [{"alert_id": alert_id, "version": 1}]}
    assert screen.post("/v1/screens/me/reports", shown).json() == {"new": 1}
    assert screen.post("/v1/screens/me/reports", shown).json() == {"new": 0}
    town.catch_up()
    reach = town.client().get(f"/v1/alerts/{alert_id}/reach").json()["channels"]
    assert [(one["channel"], one["totals"]["screens"]) for one in reach] == [("led", 1)]
    many = {"shown": [{"alert_id": alert_id, "version": n} for n in range(1, 60)]}
    assert screen.post("/v1/screens/me/reports", many).status_code == 422


def test_a_running_application_hears_of_changes_by_itself(town: Town) -> None:
    screen, _ = put_up(town)
    town.catch_up()
    tag = screen.get(FEED_PATH).headers["etag"]

    async def run() -> None:
        """The application's lifespan, as a server runs it, around an alert."""
        said: asyncio.Queue[Any] = asyncio.Queue()
        asked: asyncio.Queue[Any] = asyncio.Queue()
        task = asyncio.create_task(town.app({"type": "lifespan", "state": {}}, asked.get, said.put))
        await asked.put({"type": "lifespan.startup"})
        assert (await said.get())["type"] == "lifespan.startup.complete"
        await asyncio.to_thread(town.issue)
        await asyncio.to_thread(town.follow)  # the views, not the cache: it must hear by itself
        transport = httpx.ASGITransport(app=town.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            headers = {"Authorization": f"Bearer {screen.key}", "If-None-Match": tag}

            def changed() -> bool:
                return town.app.cache.feed("00001", "m96x32-1").etag.decode() != tag  # type: ignore[union-attr]

            await asyncio.to_thread(until, changed)
            assert (await client.get(FEED_PATH, headers=headers)).status_code == 200
        await asked.put({"type": "lifespan.shutdown"})
        assert (await said.get())["type"] == "lifespan.shutdown.complete"
        await task

    asyncio.run(run())


def test_a_feed_of_the_past_is_not_served_while_the_view_is_rebuilt(town: Town) -> None:
    screen, _ = put_up(town)
    town.catch_up()
    empty = screen.get(FEED_PATH)
    town.issue()
    town.catch_up()
    full = screen.get(FEED_PATH)
    with town.pool.connection() as conn:
        conn.execute(
            "UPDATE feeds SET seq = %s, etag = %s, body = %s",
            (empty.json()["seq"], empty.headers["etag"], empty.content),
        )
    town.app.cache.reload()
    assert screen.get(FEED_PATH).content == full.content


def test_a_screen_key_of_no_screen(town: Town) -> None:
    for account in ("screen:not-a-uuid", "lan", f"screen:{uuid4()}"):
        _, key = town.key_store.create(account, None, KeyKind.SCREEN, town.now)
        town.app.cache.refresh()
        assert Client(town.app, key).get(FEED_PATH).status_code in {401, 403, 503}
