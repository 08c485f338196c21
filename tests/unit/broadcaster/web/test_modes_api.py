"""Exercises, testers and the clock over HTTP."""

from datetime import datetime, timedelta
from uuid import uuid4

from broadcaster.registry.rules import NewSubscriber
from broadcaster.rules import Rule
from broadcaster.web.problems import KINDS
from schemas import events
from tests.unit.broadcaster.web.town import AT, Town, content


def approved(town: Town, **changes: object) -> str:
    alert_id = town.draft("lan", **changes).json()["id"]
    town.client("lan").post(f"/v1/alerts/{alert_id}/submit").raise_for_status()
    town.step(alert_id, "minh", "approve").raise_for_status()
    return alert_id


def test_a_schedule_is_in_local_time_and_can_be_taken_back(town: Town) -> None:
    lan, alert_id = town.client("lan"), approved(town, expires_at=None)
    scheduled = lan.post(f"/v1/alerts/{alert_id}/schedule", {"due_at": "2024-07-10T18:30"})
    assert scheduled.status_code == 200
    assert scheduled.json()["stage"] == "scheduled"
    # Without an offset it is Hanoi's time.
    assert scheduled.json()["work"]["due_at"] == "2024-07-10T11:30:00.000Z"
    back = lan.post(f"/v1/alerts/{alert_id}/unschedule").json()
    assert (back["stage"], back["work"]["due_at"]) == ("approved", None)
    past = lan.post(f"/v1/alerts/{alert_id}/schedule", {"due_at": (AT - timedelta(hours=1)).isoformat()})
    assert (past.status_code, past.json()["rule"]) == (422, "content.schedule")
    again = lan.post(f"/v1/alerts/{alert_id}/unschedule")
    assert (again.status_code, again.json()["rule"]) == (409, "state.not-now")


def test_a_bulletin_issued_at_night_says_that_it_waits(town: Town) -> None:
    town.now = datetime.fromisoformat("2024-07-10T22:30:00+07:00")
    alert_id = approved(town, kind="bulletin", expires_at=None)
    held = town.client("lan").post(f"/v1/alerts/{alert_id}/issue").json()
    assert (held["life"], held["stage"]) == ("new", "scheduled")
    assert held["work"]["due_at"] == "2024-07-10T23:00:00.000Z"


def test_an_exercise_is_in_lists_of_its_own_and_says_what_it_is(town: Town) -> None:
    real, drill = approved(town), approved(town, mode="exercise")
    for alert_id in (real, drill):
        town.client("lan").post(f"/v1/alerts/{alert_id}/issue").raise_for_status()
    town.follow()
    public = town.client()

    def ids(path: str) -> list[str]:
        return [one["id"] for one in public.get(path).json()["alerts"]]

    assert ids("/v1/alerts?status=live") == [real]
    assert ids("/v1/alerts?status=live&mode=exercise") == [drill]
    assert ids("/v1/alerts?status=live&mode=test") == []
    assert public.get(f"/v1/alerts/{drill}").json()["mode"] == "exercise"
    for feed in ("cap.atom", "alerts.rss", "alerts.json"):
        assert drill not in public.get(f"/v1/feeds/{feed}").text
        asked = public.get(f"/v1/feeds/{feed}?mode=exercise").text
        assert drill in asked
        assert real not in asked
        assert "[DIỄN TẬP]" in asked
    assert "<status>Exercise</status>" in public.get(f"/v1/alerts/{drill}.cap").text
    assert "[DIỄN TẬP]" in public.get(f"/alerts/{drill}").text
    assert drill not in public.get("/").text
    changed = town.client("lan").post(f"/v1/alerts/{drill}/update", {"content": content()})
    assert (changed.status_code, changed.json()["rule"]) == (422, "content.mode")


def test_managers_say_who_takes_part_within_their_area(town: Town) -> None:
    hoa = town.client("hoa")
    here, there = (
        town.registry.register(
            NewSubscriber(token=f"token-{home}", platform="ios", home=home), AT
        ).device_id
        for home in ("00001", "00049")
    )
    assert hoa("PUT", f"/v1/testers/{here}").status_code == 204
    assert hoa("PUT", f"/v1/testers/{here}").status_code == 204
    assert hoa.get("/v1/testers").json() == {"testers": [str(here)]}
    refused = hoa("PUT", f"/v1/testers/{there}")
    assert (refused.status_code, refused.json()["rule"]) == (403, "jurisdiction.area")
    assert hoa("PUT", f"/v1/testers/{uuid4()}").status_code == 404
    assert town.client("lan").get("/v1/testers").status_code == 403
    assert town.client().get("/v1/testers").status_code == 401
    assert hoa("DELETE", f"/v1/testers/{here}").status_code == 204
    assert hoa("DELETE", f"/v1/testers/{here}").status_code == 204
    assert hoa.get("/v1/testers").json() == {"testers": []}
    # Counted once each, and no one is named.
    told = [each.event for each in town.log.everything() if isinstance(each.event, events.TestersChanged)]
    assert [(one.added, one.removed) for one in told] == [(1, 0), (0, 1)]
    assert str(here) not in "".join(one.payload().decode() for one in told)


def test_every_rule_is_a_kind_of_problem_with_advice() -> None:
    assert {rule.value for rule in Rule} <= KINDS.keys()
