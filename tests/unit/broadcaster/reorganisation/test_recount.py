"""An old alert's audience counted again: by its own communes, by today's, against the registry."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from broadcaster import reference
from broadcaster.cli.app import app
from broadcaster.reorganisation.commands import ReorganisationCommands
from broadcaster.reorganisation.description import packaged
from broadcaster.reorganisation.mover import Mover
from broadcaster.runtime import SYSTEM, House, clock
from tests.house import BA_DINH, approver, author, content, house
from tests.registries import person
from tests.unit.broadcaster.reorganisation.test_city import oracle

DISTRICT, NEXT = "001", "2025-01-01"
COMMUNES = [leaf.code for leaf in reference.tree("2020-03-01").leaves(DISTRICT)]


@pytest.fixture
def opened(city_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    with house(city_database) as one:
        yield one


def settle(opened: House, *homes: str, first: int = 0) -> None:
    for number, home in enumerate(homes, first):
        opened.registry.register(person(f"token-{number}", home=home), clock())


def follow(opened: House) -> None:
    opened.follower(opened.projection("fanout")).catch_up()


def issue(opened: House) -> UUID:
    alert = opened.alerts.draft(author(BA_DINH), BA_DINH, content(DISTRICT), at=clock())
    opened.alerts.submit(author(BA_DINH), alert.id, at=clock())
    opened.alerts.approve(approver(BA_DINH), alert.id, at=clock())
    opened.alerts.issue(author(BA_DINH), alert.id, at=clock())
    follow(opened)
    return alert.id


def reorganise(opened: House, edition: str = NEXT) -> None:
    ReorganisationCommands(opened.pool, opened.office).apply(packaged(edition), SYSTEM, clock())
    Mover(opened.pool, opened.office, opened.registry, clock, SYSTEM).move()


def recounted(opened: House, alert_id: UUID, *more: str) -> dict[str, Any]:
    """Of the push channel, as the command prints it."""
    follow(opened)
    told = CliRunner().invoke(app, ["audience", "recount", str(alert_id), "--json", *more])
    assert told.exit_code == 0, (told.output, told.exception)
    (found,) = (each for each in json.loads(told.stdout) if each["channel"] == "push")
    return found


def test_on_the_day_everything_agrees(opened: House) -> None:
    settle(opened, *COMMUNES, *COMMUNES)
    told = recounted(opened, issue(opened))
    total = 2 * len(COMMUNES)
    assert told["sound"] is True
    assert {each["code"]: each["count"] for each in told["then"]} == dict.fromkeys(COMMUNES, 2)
    for name in ("count", "kept", "still", "untouched", "untouched_in"):
        assert told[name] == total, name
    assert [(one["whole"], one["parted"], one["living"]) for one in told["now"]] == [(2, 0, 2)] * len(
        COMMUNES
    )
    assert (told["new"], told["untold"], told["unplaced"]) == (0, 0, 0)


def test_after_a_reorganisation_it_is_told_by_both_editions(opened: House) -> None:
    settle(opened, *COMMUNES, *COMMUNES)
    alert_id = issue(opened)
    reorganise(opened)
    reorganise(opened, "2025-07-01")
    told = recounted(opened, alert_id)
    trees = [reference.tree(name) for name in ("2020-03-01", NEXT, "2025-07-01")]
    first, second = oracle(trees[0], trees[1]), oracle(trees[1], trees[2])
    whole, parted = Counter[str](), Counter[str]()
    for home in COMMUNES:
        became = frozenset[str]().union(*(second[code] for code in first[home]))
        for code in became:
            (whole if len(became) == 1 else parted)[code] += 2
    assert parted, "the example shall hold a commune that was parted"
    now = {each["code"]: each for each in told["now"]}
    assert {code: one["whole"] for code, one in now.items() if one["whole"]} == whole
    assert {code: one["parted"] for code, one in now.items() if one["parted"]} == parted
    assert {each["code"]: each["count"] for each in told["then"]} == dict.fromkeys(COMMUNES, 2)
    assert sum(each["living"] for each in told["now"]) == told["kept"] == told["count"] == told["still"]
    assert (told["edition"], told["today"]) == ("2020-03-01", "2025-07-01")
    # Each row was moved, so none can vouch for the day any more.
    assert told["untouched"] == 0


def test_who_left_and_who_came_since(opened: House) -> None:
    settle(opened, *COMMUNES[:3])
    alert_id = issue(opened)
    settle(opened, COMMUNES[0], COMMUNES[1], first=10)
    settle(opened, COMMUNES[4], first=2)  # The third phone moves within the district.
    with opened.pool.connection() as conn:
        conn.execute("DELETE FROM subscribers WHERE home = %s AND push_token = 'token-0'", (COMMUNES[0],))
    told = recounted(opened, alert_id)
    assert (told["count"], told["kept"], told["still"], told["new"]) == (3, 2, 2, 2)
    assert (told["untouched"], told["untouched_in"]) == (1, 1)
    assert {one["code"]: one["living"] for one in told["now"] if one["living"]} == {
        COMMUNES[1]: 1,
        COMMUNES[4]: 1,
    }


def test_a_version_that_did_not_go_out_is_named(opened: House) -> None:
    told = CliRunner().invoke(app, ["audience", "recount", str(issue(opened)), "--version", "7"])
    assert told.exit_code != 0
    assert "no version 7" in str(told.exception)
