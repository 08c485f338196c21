"""Quiet hours at the controller: the urgent is shown, the rest waits, and nonsense hides nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.player.controller import Player, parse
from broadcaster.web import showing_now

START = 1_786_521_600_000
HOUR = 3_600_000


def item(number: int, mode: str, status: str = "actual") -> dict[str, Any]:
    page = {"ms": 4000, "lines": ["x"], "frame": "0" * 64, "w": 96, "h": 32}
    return {
        "id": f"00000000-0000-0000-0000-00000000000{number}",
        "rev": 1,
        "mode": mode,
        "status": status,
        "priority": 50,
        "starts_at": 0,
        "expires_at": START + 100 * HOUR,
        "pages": [page],
    }


def feed(display: Any, *items: dict[str, Any]) -> bytes:
    idle = {"ms": 4000, "lines": ["-"], "frame": "1" * 64, "w": 96, "h": 32}
    told = {"schema": "led-feed/1", "epoch": 1, "seq": 1, "items": items, "idle": idle}
    return json.dumps(told | ({"display": display} if display is not None else {})).encode()


def shown(body: bytes, now: int) -> set[str]:
    player = Player("boot", 0)
    player.answered(body, "", now, 0, 0)
    return {one.id for one in player.turns(0)}


def quiet(begins: str, ends: str, **more: Any) -> dict[str, Any]:
    return {
        "quiet": {"from": begins, "until": ends, "utc_offset_min": 420, "hides_emergencies": False} | more
    }


HOURS = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")


@given(
    HOURS, HOURS, st.integers(0, 48 * 60 - 1), st.booleans(), st.sampled_from(["", "actual", "exercise"])
)
def test_a_box_and_the_operators_page_agree(
    begins: str, ends: str, minutes: int, hides: bool, urgent: str
) -> None:
    if begins == ends:
        return  # No such setting is taken.
    # In the middle of a minute: a box knows the time to a few milliseconds only.
    now = START + minutes * 60_000 + 30_000
    items = [item(1, "rotate"), *([item(2, "preempt", urgent)] if urgent else [])]
    body = feed(quiet(begins, ends, hides_emergencies=hides), *items)
    page = showing_now.read(body, datetime.fromtimestamp(now / 1000, UTC))
    assert {str(one.alert_id) for one in page.shots if one.alert_id} == shown(body, now)


@pytest.mark.parametrize("display", [None, 5, {}, {"quiet": 5}, quiet("25:99", "x"), {"brightness": 5}])
def test_what_cannot_be_read_hides_nothing(display: Any) -> None:
    body = feed(display, item(1, "rotate"))
    assert parse(body).quiet is None
    assert len(shown(body, START)) == 1
