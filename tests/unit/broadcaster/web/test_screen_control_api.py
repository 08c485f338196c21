"""Groups, brightness and quiet hours, test patterns, and screens that an alert leaves out, over HTTP."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx

from broadcaster.player.controller import Outcome, Player
from broadcaster.web import showing_now
from broadcaster.web.feeds.polls import FEED_PATH
from channels.led.pattern import pattern
from tests.unit.broadcaster.web.town import BASE, Client, Town
from tests.waiting import until

MATRIX = "m96x32-1"


def put_up(town: Town, name: str, area: str = "00001", **more: Any) -> tuple[Client, str]:
    body = {"name": name, "area": area, "profile": MATRIX} | more
    made = town.client("hoa").post("/v1/screens", body).raise_for_status().json()
    return Client(town.app, made["key"]), made["screen_id"]


def feed(screen: Client) -> dict[str, Any]:
    return screen.get(FEED_PATH).raise_for_status().json()


def ids(screen: Client) -> list[str]:
    return [item["id"] for item in feed(screen)["items"]]


def leave_out(town: Town, who: str, alert_id: str, step: str = "exclude", **named: Any) -> httpx.Response:
    reason = {"reason": "Đang sửa điện"} if step == "exclude" else {}
    return town.client(who).post(f"/v1/alerts/{alert_id}/screens/{step}", named | reason)


def group_of(town: Town, *screens: str) -> str:
    made = town.client("hoa").post("/v1/screen-groups", {"name": "Chợ"})
    assert made.status_code == 201
    group_id = made.json()["id"]
    town.client("hoa").post(f"/v1/screen-groups/{group_id}/screens", {"add": screens}).raise_for_status()
    return group_id


def test_a_screen_is_taken_off_a_live_alert_and_put_back(town: Town) -> None:
    here, here_id = put_up(town, "A")
    there, _ = put_up(town, "B")
    alert_id = town.issue()
    town.catch_up()
    player = Player("boot", 0)
    before = here.get(FEED_PATH)
    player.answered(before.content, "", None, 0, 0)
    assert ids(there) == [alert_id]

    answer = leave_out(town, "minh", alert_id, screens=[here_id]).raise_for_status().json()
    assert answer["left_out"] == [here_id]
    out = here.get(FEED_PATH, If_None_Match=before.headers["etag"])
    assert out.status_code == 200
    assert out.json()["items"] == []
    assert out.json()["excluded"] == [{"id": alert_id, "rev": 1}]
    assert out.json()["cancelled"] == []
    assert out.json()["seq"] > before.json()["seq"]
    assert out.headers["x-feed-signature"] != before.headers["x-feed-signature"]
    assert player.answered(out.content, "", None, 1, 1) is Outcome.NEW
    assert player.feed is not None
    assert player.feed.items == ()
    assert ids(there) == [alert_id]
    assert "excluded" not in feed(there)

    leave_out(town, "minh", alert_id, "readmit", screens=[here_id]).raise_for_status()
    again = here.get(FEED_PATH)
    assert player.answered(again.content, "", None, 2, 2) is Outcome.NEW
    assert [item.id for item in player.feed.items] == [alert_id]
    assert player.gone == {}, "the same version must be shown again"
    topics = [one.event.TOPIC for one in town.log.everything()]
    assert topics.count("alert_screens.excluded") == topics.count("alert_screens.readmitted") == 1


def test_a_screen_set_apart_follows_its_area_and_never_goes_back(town: Town) -> None:
    here, here_id = put_up(town, "A")
    town.catch_up()
    town.client("hoa")("PUT", f"/v1/screens/{here_id}/display", {"brightness": 40}).raise_for_status()
    seqs = [feed(here)["seq"]]
    alert_id = town.issue()
    town.catch_up()
    assert ids(here) == [alert_id]
    seqs.append(feed(here)["seq"])
    town.client("hoa")("PUT", f"/v1/screens/{here_id}/display", {}).raise_for_status()
    seqs.append(feed(here)["seq"])
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": "x"}).raise_for_status()
    town.catch_up()
    seqs.append(feed(here)["seq"])
    assert seqs == sorted(seqs)
    assert len(set(seqs)) == len(seqs)
    assert "display" not in feed(here)


def test_memory_and_database_give_the_same_answer(town: Town) -> None:
    here, here_id = put_up(town, "A")
    alert_id = town.issue()
    town.catch_up()
    leave_out(town, "minh", alert_id, screens=[here_id]).raise_for_status()
    served, read = here.get(FEED_PATH), Client(town.app.app, here.key).get(FEED_PATH)
    assert served.content == read.content
    assert served.headers["etag"] == read.headers["etag"]
    told = here.get(f"{FEED_PATH}.txt").text.splitlines()
    assert [line for line in told if alert_id in line] == [f"#excluded\t{alert_id}\t1"]
    assert json.loads(here.get(f"{FEED_PATH}.multi").text)["items"] == []


def test_a_waiting_poll_is_told_at_once(town: Town) -> None:
    here, here_id = put_up(town, "A")
    alert_id = town.issue()
    town.catch_up()
    tag = here.get(FEED_PATH).headers["etag"]

    async def story() -> httpx.Response:
        transport = httpx.ASGITransport(app=town.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            headers = {"Authorization": f"Bearer {here.key}", "If-None-Match": tag, "Prefer": "wait=50"}
            poll = asyncio.create_task(client.get(FEED_PATH, headers=headers))
            await asyncio.to_thread(until, lambda: len(town.app.waiters) == 1)
            await asyncio.to_thread(leave_out, town, "minh", alert_id, screens=[here_id])
            return await poll

    answer = asyncio.run(story())
    assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_a_group_is_left_out_with_whoever_joins_it(town: Town) -> None:
    one, one_id = put_up(town, "A")
    two, two_id = put_up(town, "B")
    group_id = group_of(town, one_id)
    alert_id = town.issue()
    town.catch_up()
    leave_out(town, "minh", alert_id, groups=[group_id]).raise_for_status()
    assert (ids(one), ids(two)) == ([], [alert_id])
    path = f"/v1/screen-groups/{group_id}"
    town.client("hoa").post(f"{path}/screens", {"add": [two_id], "remove": [one_id]}).raise_for_status()
    assert (ids(one), ids(two)) == ([alert_id], [])
    accounting = town.client("lan").get(f"/v1/alerts/{alert_id}/accounting").json()
    assert [(each["screens"], each["excluded"]) for each in accounting["screens"]] == [(1, 1)]
    assert accounting["screens_excluded"] == [{"screen_id": two_id, "name": "B", "code": "00001"}]
    town.client("hoa").post(f"{path}/retire").raise_for_status()
    assert ids(two) == [alert_id]
    assert town.client("hoa").post(f"{path}/retire").json()["rule"] == "state.not-now"
    assert town.client("hoa").get("/v1/screen-groups").json()["groups"] == []


def test_an_excluded_screen_that_showed_it_is_counted_apart(town: Town) -> None:
    here, here_id = put_up(town, "A")
    alert_id = town.issue()
    town.catch_up()
    here.post(
        "/v1/screens/me/reports", {"shown": [{"alert_id": alert_id, "version": 1}]}
    ).raise_for_status()
    town.catch_up()
    leave_out(town, "minh", alert_id, screens=[here_id]).raise_for_status()
    (line,) = town.client("lan").get(f"/v1/alerts/{alert_id}/accounting").json()["screens"]
    assert (line["shown"], line["screens"], line["excluded"]) == (0, 0, 1)


def test_what_a_group_sets_holds_until_the_screen_says_otherwise(town: Town) -> None:
    here, here_id = put_up(town, "A")
    group_id = group_of(town, here_id)
    town.catch_up()
    night = {"brightness": 30, "quiet_from": "22:00", "quiet_until": "05:00"}
    town.client("hoa")("PUT", f"/v1/screen-groups/{group_id}/display", night).raise_for_status()
    quiet = {"from": "22:00", "until": "05:00", "utc_offset_min": 420, "hides_emergencies": False}
    assert feed(here)["display"] == {"brightness": 30, "quiet": quiet}
    town.client("hoa")("PUT", f"/v1/screens/{here_id}/display", {"brightness": 80}).raise_for_status()
    assert feed(here)["display"] == {"brightness": 80, "quiet": quiet}
    told = town.client("hoa").get(f"/v1/screens/{here_id}").json()["control"]
    assert (told["display"]["brightness"], told["holds"]["quiet_from"]) == (80, "22:00:00")
    assert told["groups"] == [group_id]


def test_quiet_hours_hold_back_all_but_what_has_the_screen_for_itself(town: Town) -> None:
    here, here_id = put_up(town, "A")
    alert_id = town.issue()
    town.catch_up()
    path = f"/v1/screens/{here_id}/display"
    hours = {"quiet_from": "08:30", "quiet_until": "10:00"}  # it is 9:00 in Hanoi
    town.client("hoa")("PUT", path, hours).raise_for_status()
    held = showing_now.read(here.get(FEED_PATH).content, town.now)
    assert (held.is_idle, held.is_quiet) == (True, True)
    assert showing_now.read(here.get(FEED_PATH).content, town.now.replace(hour=4)).versions == {
        (UUID(alert_id), 1)
    }
    urgent = town.issue(severity="Extreme", urgency="Immediate", certainty="Observed", risk_level=4)
    town.catch_up()
    shown = showing_now.read(here.get(FEED_PATH).content, town.now)
    assert {one.alert_id for one in shown.shots} == {UUID(urgent)}
    town.client("hoa")("PUT", path, hours | {"hides_emergencies": True}).raise_for_status()
    assert showing_now.read(here.get(FEED_PATH).content, town.now).is_quiet


def test_a_test_pattern_is_on_one_screen_for_its_time(town: Town) -> None:
    here, here_id = put_up(town, "A")
    there, _ = put_up(town, "B")
    town.catch_up()
    path = f"/v1/screens/{here_id}/test-pattern"
    town.client("hoa").post(path, {"seconds": 120}).raise_for_status()
    (item,) = feed(here)["items"]
    assert (item["status"], item["mode"], item["expires_at"] - item["starts_at"]) == (
        "test",
        "preempt",
        120_000,
    )
    assert item["pages"][0]["frame"] == pattern(MATRIX).frame.sha256
    picture = town.client().get(f"/v1/frames/{item['pages'][0]['frame']}.bin")
    assert picture.content == pattern(MATRIX).frame.body
    assert here.get(f"{FEED_PATH}.bin").status_code == 200
    assert feed(there)["items"] == []
    # What is meant is never covered: beside it, the pattern only takes its turn.
    alert_id = town.issue()
    town.catch_up()
    modes = {each["id"]: each["mode"] for each in feed(here)["items"]}
    assert modes == {alert_id: "rotate", item["id"]: "rotate"}
    town.later(seconds=121)
    town.app.cache.refresh()
    assert ids(here) == [alert_id]
    town.client("hoa").post(path, {"seconds": 300}).raise_for_status()
    town.client("hoa").post(path, {"seconds": 0}).raise_for_status()
    assert ids(here) == [alert_id]
    assert town.client("hoa").post(path, {"seconds": 601}).status_code == 422


def test_who_may_do_what(town: Town) -> None:
    _, here_id = put_up(town, "A")
    group_id = group_of(town, here_id)
    for path, body in (
        (f"/v1/screens/{here_id}/place", {"kind": "street"}),
        (f"/v1/screens/{here_id}/display", {"brightness": 5}),
        (f"/v1/screen-groups/{group_id}/display", {"brightness": 5}),
    ):
        assert town.client("lan")("PUT", path, body).status_code == 403, path
    assert town.client("lan").post("/v1/screen-groups", {"name": "X"}).status_code == 403
    assert town.client("lan").post(f"/v1/screens/{here_id}/test-pattern", {}).status_code == 403
    assert town.client("lan").post(f"/v1/screen-groups/{group_id}/retire").status_code == 403
    assert town.client("hoa")("PUT", f"/v1/screens/{uuid4()}/place", {}).status_code == 404
    assert town.client("hoa").post(f"/v1/screen-groups/{uuid4()}/retire").status_code == 404
    elsewhere = {"add": [str(uuid4())]}
    assert town.client("hoa").post(f"/v1/screen-groups/{group_id}/screens", elsewhere).status_code == 404

    draft = town.draft().json()["id"]
    assert leave_out(town, "hoa", draft, screens=[here_id]).status_code == 403
    assert leave_out(town, "tuan", draft, screens=[here_id]).status_code == 403
    leave_out(town, "lan", draft, screens=[here_id]).raise_for_status()
    town.client("lan").post(f"/v1/alerts/{draft}/submit").raise_for_status()
    # What the approver reads is not changed behind his back.
    assert leave_out(town, "lan", draft, "readmit", screens=[here_id]).status_code == 403
    leave_out(town, "minh", draft, "readmit", screens=[here_id]).raise_for_status()
    assert leave_out(town, "minh", draft, screens=[str(uuid4())]).status_code == 404
    assert leave_out(town, "minh", draft, groups=[str(uuid4())]).status_code == 404
    assert leave_out(town, "minh", draft).status_code == 422
    rejected = town.client("minh").post(f"/v1/alerts/{draft}/reject", {"reason": "x"})
    rejected.raise_for_status()
    assert leave_out(town, "minh", draft, screens=[here_id]).json()["rule"] == "state.not-now"
    commands = {one.command for one in town.refusals()}
    assert {"set screen", "describe screen", "make screen group", "exclude screens"} <= commands


def test_a_draft_leaves_screens_out_before_it_goes_out(town: Town) -> None:
    here, here_id = put_up(town, "A")
    draft = town.draft().json()["id"]
    leave_out(town, "lan", draft, screens=[here_id]).raise_for_status()
    town.send_out(draft)
    town.catch_up()
    assert ids(here) == []
    assert feed(here)["excluded"] == [{"id": draft, "rev": 1}]


def test_wrong_requests_are_named(town: Town) -> None:
    _, here_id = put_up(town, "A")
    display, place = f"/v1/screens/{here_id}/display", f"/v1/screens/{here_id}/place"
    for path, body in (
        (display, {"brightness": 0}),
        (display, {"quiet_from": "22:00"}),
        (display, {"quiet_from": "22:00", "quiet_until": "22:00"}),
        (display, {"quiet_from": "22:00:30", "quiet_until": "05:00"}),
        (display, {"hides_emergencies": True}),
        (place, {"latitude": 21.0}),
        (place, {"latitude": 91, "longitude": 0}),
        (place, {"kind": "boat"}),
    ):
        assert town.client("hoa")("PUT", path, body).status_code == 422, body
    assert not [one for one in town.log.everything() if one.event.TOPIC.startswith("screen.d")]


def test_what_is_so_already_is_no_event(town: Town) -> None:
    _, here_id = put_up(town, "A")
    for _ in range(2):
        place = {"kind": "street", "latitude": 21.04, "longitude": 105.85}
        town.client("hoa")("PUT", f"/v1/screens/{here_id}/place", place).raise_for_status()
        town.client("hoa")("PUT", f"/v1/screens/{here_id}/display", {"brightness": 9}).raise_for_status()
    topics = [one.event.TOPIC for one in town.log.everything()]
    assert topics.count("screen.described") == topics.count("screen.display_set") == 1


def test_lists_are_filtered_and_paged(town: Town) -> None:
    screens = [put_up(town, f"Bảng {number}") for number in range(5)]
    group_of(town, screens[0][1], screens[1][1])
    group_id = town.client("hoa").get("/v1/screen-groups").json()["groups"][0]["id"]
    town.client("hoa")("PUT", f"/v1/screens/{screens[2][1]}/place", {"kind": "mall"}).raise_for_status()
    town.catch_up()
    screens[4][0].get(FEED_PATH, X_Screen_State="seq=1;err=2")

    def found(**asked: Any) -> list[str]:
        answer = town.client("hoa")("GET", "/v1/screens", params=asked).raise_for_status().json()
        return [one["name"] for one in answer["screens"]]

    assert found(state="online") == ["Bảng 4"] == found(faulty=True)
    assert found(kind="mall") == ["Bảng 2"] == found(words="bang 2")
    assert found(group=group_id) == ["Bảng 0", "Bảng 1"]
    assert len(found(area="01")) == 5
    assert found(area="00049") == []
    pages: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = town.client("hoa")("GET", "/v1/screens", params={"limit": 2} | after).json()
        pages += [one["name"] for one in page["screens"]]
        assert page["found"] == 5
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert pages == sorted(pages)
    assert len(pages) == 5


def test_what_it_says_is_beside_what_we_serve(town: Town) -> None:
    here, here_id = put_up(town, "A")
    alert_id = town.issue()
    town.catch_up()
    path = f"/v1/screens/{here_id}"
    assert town.client("hoa").get(path).json()["agrees"] is None
    here.get(FEED_PATH, X_Screen_State=f"seq=1;show={alert_id}/1;err=0")
    now = town.client("hoa").get(path).json()
    assert (now["says_alert"], now["says_version"], now["agrees"]) == (alert_id, 1, True)
    assert now["serves"][0]["alert_id"] == alert_id
    assert now["contact"] == "online"
    here.get(FEED_PATH, X_Screen_State=f"seq=1;show={uuid4()}/1;err=3")
    now = town.client("hoa").get(path).json()
    assert (now["agrees"], now["faults"]) == (False, 3)
    here.post("/v1/screens/me/reports", {"shown": [{"alert_id": alert_id, "version": 1}]})
    moment = town.now.isoformat()
    play = {"alert_id": alert_id, "version": 1, "plays": 7, "seconds": 28, "first_at": moment}
    here.post("/v1/screens/me/plays", {"batch": str(uuid4()), "plays": [play | {"last_at": moment}]})
    town.catch_up()
    now = town.client("hoa").get(path).json()
    assert [(one["plays"], one["seconds"]) for one in now["plays"]] == [(7, 28)]
    assert [one["alert_id"] for one in now["first_shown"]] == [alert_id]
    assert town.client("tuan").get(path).status_code == 403
