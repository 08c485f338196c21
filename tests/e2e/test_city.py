"""The whole house, as processes, from the console script to the sandbox: figures, faults, proofs."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from broadcaster.demo.tally import disagreements
from broadcaster.reference import sample_alerts
from projections.audience.projection import Audience
from projections.audit.projection import Audit
from projections.board.projection import Board
from projections.cadence.projection import Cadence
from projections.feeds.projection import Feeds
from projections.reach.projection import Reach
from tests import calls
from tests.city import BROADCASTER, City, city
from tests.processes import gone, passable_folder
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SUBSCRIBERS, SCREENS = 1500, 12
VIEWS = {
    "board": Board.tables,
    "audience": Audience.tables,
    "fanout": ("fanout_audiences", "fanout_dispatches"),
    "cadence": Cadence.tables,
    "reach": Reach.tables,
    "feeds": Feeds.tables,
    "audit": Audit.tables,
}
FINALS = ("accepted", "gone", "refused", "dead", "expired", "superseded")


@pytest.fixture(scope="module")
def hanoi() -> Iterator[City]:
    with passable_folder() as folder:
        argv = ("--subscribers", str(SUBSCRIBERS), "--screens", str(SCREENS))
        with city(folder / "city", argv) as running:
            yield running


def reach(hanoi: City, alert: str) -> dict[str, Any] | None:
    """The alert's figures by channel, once every recipient has its outcome."""
    answer = hanoi.get(f"/v1/alerts/{alert}/reach")
    if answer.status_code != 200:
        return None
    rows = {row["channel"]: row["totals"] for row in answer.json()["channels"]}
    if not {"push", "sms"} <= rows.keys():
        return None
    settled = all(rows[c]["audience"] == sum(rows[c][f] for f in FINALS) for c in ("push", "sms"))
    return rows if settled else None


def double(hanoi: City, name: str) -> dict[str, int]:
    endpoint = hanoi.demo["sandbox"][name]
    url = endpoint.get("stats_url") or f"{endpoint['url']}/sandbox/count"
    ca = hanoi.data / "sandbox" / name / "ca.pem"
    trust = ssl.create_default_context(cafile=ca if ca.exists() else None)
    return calls.get(url, verify=trust).json()


def totals(hanoi: City) -> dict[str, dict[str, int]]:
    return hanoi.get("/v1/reach").json()["channels"]


def at_rest(hanoi: City) -> bool | None:
    """Whether no recipient of any alert is still without an outcome."""
    by_channel = totals(hanoi)
    return None if any(by_channel[channel]["in_flight"] for channel in ("push", "sms")) else True


def test_every_figure_of_the_demo_agrees(hanoi: City) -> None:
    assert disagreements(hanoi.figures, len(sample_alerts())) == []
    assert hanoi.figures["sandbox"]["push"]["duplicates"] == 0
    assert hanoi.figures["sandbox"]["sms"]["duplicates"] == 0
    assert hanoi.figures["channels"]["push"]["gone"] > 0
    assert hanoi.figures["channels"]["led"] == {"screens": SCREENS, "served": SCREENS}
    assert hanoi.figures["cadence"]["bodies"] == 641


def test_demo_json_is_for_its_owner_only(hanoi: City) -> None:
    assert (hanoi.data / "demo.json").stat().st_mode & 0o777 == 0o600


def test_a_commune_may_not_address_another(hanoi: City) -> None:
    sample = next(each for each in sample_alerts() if each.id == "sample-24")
    content = sample.content().model_copy(update={"areas": ("00004",)})
    body = {"content": content.model_dump(mode="json", exclude_none=True)}
    answer = hanoi.post("/v1/alerts", "ubnd-00001", "author", body)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["rule"] == "jurisdiction.area"
    with hanoi.connect() as conn:
        row = conn.execute(
            "SELECT convert_from(state, 'UTF8')::json ->> 'rule' FROM events"
            " WHERE topic = 'attempt.refused' ORDER BY position DESC LIMIT 1"
        ).fetchone()
    assert row == ("jurisdiction.area",)


def test_a_feed_is_304_until_an_alert_changes_it(hanoi: City) -> None:
    screen = hanoi.demo["screens"][0]
    key = {"Authorization": f"Bearer {screen['key']}"}

    def unchanged() -> str | None:
        # What went out before this may yet end, or be on its way to the screen.
        etag = hanoi.get("/v1/screens/me/feed", key).headers["ETag"]
        again = hanoi.get("/v1/screens/me/feed", key | {"If-None-Match": etag})
        return etag if again.status_code == 304 else None

    etag = until(unchanged)
    asked = key | {"If-None-Match": etag}
    alert = hanoi.issue()

    def changed() -> httpx.Response | None:
        answer = hanoi.get("/v1/screens/me/feed", asked)
        shows = answer.status_code == 200 and alert in {item["id"] for item in answer.json()["items"]}
        return answer if shows else None

    answer = until(changed)
    assert answer.headers["ETag"] != etag


@pytest.mark.parametrize("unit", ["push", "sms", "follow", "relay", "nats", "postgres", "web"])
def test_kill_9_loses_nothing_and_doubles_no_more_than_is_accounted_for(hanoi: City, unit: str) -> None:
    alert = hanoi.issue("sample-12")
    hanoi.kill(unit)
    rows = until(lambda: reach(hanoi, alert), seconds=120)
    until(lambda: at_rest(hanoi), seconds=120)
    for channel, name in (("push", "fcm"), ("sms", "smsc")):
        assert rows[channel]["audience"] > 0
        counted, received = totals(hanoi)[channel], double(hanoi, name)
        assert counted["accepted"] == received["unique"], channel
        assert received["duplicates"] <= counted["unknown"], channel


def test_an_update_and_a_cancel_reach_exactly_those_who_got_the_alert(hanoi: City) -> None:
    alert = hanoi.issue("sample-12")
    until(lambda: reach(hanoi, alert))
    sample = next(each for each in sample_alerts() if each.id == "sample-12")
    content = sample.content().model_dump(mode="json", exclude_none=True)
    content["texts"]["vi"]["headline"] = "Đã bắt được kẻ lừa đảo"
    update = hanoi.post(f"/v1/alerts/{alert}/update", "cong-an", "author", {"content": content})
    assert update.is_success, update.text
    hanoi.send_out(update.json(), "cong-an")
    until(lambda: versions(hanoi, alert, 2))
    cancel = {"reason": "Vụ việc đã kết thúc"}
    assert hanoi.post(f"/v1/alerts/{alert}/cancel", "cong-an", "approver", cancel).is_success
    found = until(lambda: versions(hanoi, alert, 3))
    for channel in ("push", "sms"):
        first, second, third = (found[version][channel] for version in (1, 2, 3))
        assert second["audience"] >= first["audience"]
        assert third["audience"] == second["audience"]
        assert third["accepted"] > 0
        assert third["superseded"] == 0
    until(lambda: at_rest(hanoi))
    counted, received = totals(hanoi), {"push": double(hanoi, "fcm"), "sms": double(hanoi, "smsc")}
    for channel, counts in received.items():
        assert counted[channel]["accepted"] == counts["unique"]


def versions(hanoi: City, alert: str, last: int) -> dict[int, dict[str, dict[str, int]]] | None:
    """Figures by version and channel, once the last version is out and everything has its outcome."""
    found: dict[int, dict[str, dict[str, int]]] = {}
    for row in hanoi.get(f"/v1/alerts/{alert}/reach").json()["channels"]:
        found.setdefault(row["version"], {})[row["channel"]] = row["totals"]
    delivered = [totals for by in found.values() for name, totals in by.items() if name != "led"]
    if not {"push", "sms"} <= found.get(last, {}).keys() or any(each["in_flight"] for each in delivered):
        return None
    return found


def rows(conn: psycopg.Connection[tuple[Any, ...]], table: str) -> list[tuple[Any, ...]]:
    found = conn.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))).fetchall()
    return sorted(found)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_rebuilt_from_the_log_has_the_same_rows(hanoi: City, name: str) -> None:
    with hanoi.connect() as conn:
        for _ in range(8):
            head, before = standing(conn, name)
            assert any(before.values())
            done = hanoi.run("rebuild", name)
            assert done.returncode == 0, done.stderr
            head_after, after = standing(conn, name)
            # The city lives on: a screen may report meanwhile, and then the rows may differ.
            if head_after == head:
                assert after == before
                return
    pytest.fail("the log was never quiet during a rebuild")


def standing(
    conn: psycopg.Connection[tuple[Any, ...]], name: str
) -> tuple[object, dict[str, list[tuple[Any, ...]]]]:
    """The log's head and the view's rows, of one snapshot in which the view is at the head."""

    def look() -> tuple[object, dict[str, list[tuple[Any, ...]]]] | None:
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if not followed(conn, name):
                return None
            head = conn.execute("SELECT max(position) FROM events").fetchone()
            return head, {table: rows(conn, table) for table in VIEWS[name]}

    return until(look)


def followed(conn: psycopg.Connection[tuple[Any, ...]], name: str) -> bool | None:
    row = conn.execute(
        "SELECT position = (SELECT max(position) FROM events) AND stopped_at IS NULL"
        " FROM projection_positions WHERE name = %s",
        (name,),
    ).fetchone()
    return True if row == (True,) else None


def test_verify_names_an_edited_row_and_the_export_can_be_checked(hanoi: City) -> None:
    assert hanoi.run("log", "verify").stdout.startswith("ok: ")
    exported = hanoi.run("log", "export").stdout.splitlines()
    assert [json.loads(line)["position"] for line in exported] == list(range(1, len(exported) + 1))
    with hanoi.connect() as conn:
        edit = "UPDATE events SET state = %s WHERE position = 700"
        row = conn.execute("SELECT state FROM events WHERE position = 700").fetchone()
        assert row is not None
        conn.execute(edit, (row[0] + b" ",))
        verdict = hanoi.run("log", "verify")
        conn.execute(edit, (row[0],))
    assert verdict.returncode == 1
    assert "position 700" in verdict.stderr
    assert hanoi.run("log", "verify").returncode == 0


def test_bad_input_on_the_command_line_is_one_line_and_2(hanoi: City) -> None:
    for argv in (["rebuild", "nothing"], ["keys", "revoke", "nothing"]):
        done = hanoi.run(*argv)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_second_house_in_the_same_folder_is_refused(hanoi: City) -> None:
    done = hanoi.run("serve", "--listen", "127.0.0.1:18999")
    assert done.returncode == 2
    assert "in use" in done.stderr


def test_z_it_ends_cleanly_and_leaves_no_process(hanoi: City) -> None:
    pids = json.loads((hanoi.data / "run" / "pids.json").read_text())
    hanoi.process.send_signal(2)
    assert hanoi.process.wait(timeout=60) == 0
    for unit, pid in pids.items():
        until(lambda pid=pid: True if gone(pid) else None)
        assert gone(pid), unit


def test_the_module_is_the_command() -> None:
    done = subprocess.run([*BROADCASTER, "--help"], capture_output=True, text=True, check=True, timeout=60)
    assert "demo" in done.stdout
