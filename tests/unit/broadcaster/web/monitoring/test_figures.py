"""What monitors are told of the delivery, and the rules that are shipped to wake people by it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from broadcaster.web.app import create_app
from broadcaster.web.monitoring.plant import LaneDepth
from projections.fanout.projection import Fanout
from projections.fanout.view import undone
from projections.follower import Follower
from schemas.content import Channel, Lane
from tests.following import Registry, audience, frozen, receipt
from tests.unit.broadcaster.web.town import Town

RULES = Path(__file__).parents[5] / "deploy/prometheus/rules.yml"


def figures(town: Town) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels."""
    text = town.client().get("/metrics").text
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    return {
        (
            each.name.removeprefix("broadcaster_"),
            *(each.labels[name] for name in sorted(each.labels)),
        ): each.value
        for each in samples
    }


def order(town: Town) -> None:
    """Has fanout follow too."""
    Follower(
        town.pool,
        Fanout(Registry({}).census, frozen),
        read=town.log.read,
        append_in=town.log.append_in,
        head=town.log.head,
        clock=lambda: town.now,
    ).catch_up()
    town.follow()


def test_an_order_without_a_receipt_grows_old(town: Town) -> None:
    assert figures(town)["oldest_order_seconds", "emergency"] == 0
    town.log.append([audience(700, lane=Lane.EMERGENCY), audience(3)], at=town.now)
    order(town)
    town.later(seconds=40)
    told = figures(town)
    assert told["oldest_order_seconds", "emergency"] == 40
    assert told["oldest_order_seconds", "bulletin"] == 0
    assert (told["unpublished_orders", "emergency"], told["unpublished_orders", "alert"]) == (2, 1)
    assert (told["recipients", "push", "open"], told["recipients", "push", "accepted"]) == (703, 0)
    with town.pool.connection() as conn:
        first, *rest = undone(conn, limit=9)
    assert rest
    town.log.append([receipt(first)], at=town.now)
    order(town)
    town.later(seconds=10)
    told = figures(town)
    assert told["oldest_order_seconds", "emergency"] == 50
    assert (told["recipients", "push", "open"], told["recipients", "push", "accepted"]) == (203, 500)
    town.log.append([receipt(each) for each in rest], at=town.now)
    order(town)
    told = figures(town)
    assert {told["oldest_order_seconds", lane] for lane in Lane} == {0}
    assert (told["recipients", "push", "open"], told["recipients", "push", "accepted"]) == (0, 703)


def test_what_lies_in_the_lanes_is_told_and_a_silent_broker_is_no_peace(town: Town) -> None:
    ports = town.app.app._app.state.services.ports  # type: ignore[attr-defined]
    depths = [LaneDepth(Lane.ALERT, Channel.PUSH, pending=3, in_hand=2, workers=1)]
    town.app = create_app(replace(ports, lanes=lambda: depths))
    told = figures(town)
    assert (told["lane_pending", "push", "alert"], told["lane_in_hand", "push", "alert"]) == (3, 2)
    assert told["trouble", "transport"] == 0
    town.app = create_app(replace(ports, lanes=lambda: None))
    told = figures(town)
    assert told["trouble", "transport"] == 1
    assert not [name for name, *_ in told if name in {"lane_pending", "lane_in_hand"}]
    assert (told["engine_up", "database"], told["engine_up", "nats"]) == (1, 1)
    town.health["nats"] = False
    told = figures(town)
    assert (told["engine_up", "nats"], told["trouble", "engine"]) == (0, 1)


def test_each_rule_asks_for_what_there_is(town: Town) -> None:
    rules: Any = yaml.safe_load(RULES.read_text())
    text = town.client().get("/metrics").text
    there = {family.name for family in text_string_to_metric_families(text)}
    asked = {
        name
        for group in rules["groups"]
        for rule in group["rules"]
        for name in re.findall(r"broadcaster_\w+", rule["expr"])
    }
    assert asked
    assert asked <= there
    kinds = {kind for name, kind in ((key[0], key[-1]) for key in figures(town)) if name == "trouble"}
    for group in rules["groups"]:
        for rule in group["rules"]:
            for named in re.findall(r'kind=~?"([^"]+)"', rule["expr"]):
                assert set(named.split("|")) <= kinds
