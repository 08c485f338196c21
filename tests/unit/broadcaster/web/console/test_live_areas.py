"""The communes of an alert: the worst on its page, every one on a page of their own, for whom it is for."""

from typing import Any
from uuid import uuid4

from broadcaster.web.console.alerts import live_areas
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.test_accounting_api import deliver
from tests.unit.broadcaster.web.town import Town

ROW = "INSERT INTO reach_areas VALUES (%s, 1, %s, %s, 9, %s, 0, %s, 0, 0, 0)"


def spread(town: Town, alert_id: str, count: int) -> None:
    """Many places of made-up codes beside those that there are; one that missed somebody is the last."""
    with town.pool.connection() as conn, conn.cursor() as cursor:
        rows: list[tuple[Any, ...]] = [
            (alert_id, "push", f"x{number:04}", 9 - (number == count - 1), int(number == count - 1))
            for number in range(count)
        ]
        cursor.executemany(ROW, rows)


def test_the_page_of_an_alert_has_the_worst_and_leads_to_all(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    town.catch_up()
    spread(town, alert_id, 300)
    lan = Browser(town).sign_in("lan").go(f"/console/alerts/{alert_id}/live")
    lan.sees("Còn sót người ở", "x0299", "Xem cả 30")
    assert lan.answer.text.count('<th scope="row"') == live_areas.SHOWN
    part = lan.go(f"/console/alerts/{alert_id}/live/areas")
    assert part.answer.text.count('<th scope="row"') == live_areas.SHOWN
    assert f"/console/alerts/{alert_id}/areas" in part.answer.text

    seen: list[str] = []
    page = 1
    while True:
        lan.go(f"/console/alerts/{alert_id}/areas?page={page}")
        rows = [
            piece.partition("<")[0] for piece in lan.answer.text.split('<th scope="row" lang="vi">')[1:]
        ]
        assert len(rows) <= live_areas.PAGE
        seen += rows
        if "Trang sau" not in lan.text:
            break
        page += 1
    assert {f"x{number:04}" for number in range(300)} < set(seen)
    assert len(seen) > 300  # the town's own communes are among them, by name
    assert "Phường Phúc Xá" in seen


def test_filters(town: Town) -> None:
    alert_id = town.issue()
    deliver(town, alert_id)
    town.catch_up()
    spread(town, alert_id, 5)
    lan = Browser(town).sign_in("lan")
    path = f"/console/alerts/{alert_id}/areas"
    assert "x0001" not in lan.go(f"{path}?words=phuc+xa").text
    lan.sees("Phường Phúc Xá")
    lan.go(f"{path}?words=khong+co+dau").sees("Không có nơi nào như vậy.")
    assert "x0001" not in lan.go(f"{path}?missed=1").text
    lan.sees("x0004")
    assert "x0004" not in lan.go(f"{path}?channel=sms").text
    assert lan.go(f"{path}?channel=led").status == 422
    lan.go(f"{path}?page=9999").sees("Không có nơi nào như vậy.", "Trang trước")
    lan.go(f"{path}?lang=en").sees("By commune or ward", "most missed first.")


def test_an_exercise_is_marked_and_work_of_another_body_is_not_shown(town: Town) -> None:
    drill = town.issue(mode="exercise")
    town.catch_up()
    lan = Browser(town).sign_in("lan").go(f"/console/alerts/{drill}/areas")
    assert 'class="console mode-exercise"' in lan.answer.text
    actual = town.issue()
    town.catch_up()
    assert 'class="console mode-actual"' in lan.go(f"/console/alerts/{actual}/areas").answer.text

    draft = town.draft().json()["id"]
    assert lan.go(f"/console/alerts/{draft}/areas").path == f"/console/alerts/{draft}"
    assert Browser(town).sign_in("tuan").go(f"/console/alerts/{draft}/areas").status == 404
    assert lan.go(f"/console/alerts/{uuid4()}/areas").status == 404
