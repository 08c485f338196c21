"""A JetStream of three servers loses the one that leads while a plan is going out: not the plan."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broadcaster.runtime import House
from tests.bench.stage import prepare, running_house
from tests.fire import FireHouse, Watch, summed, tell
from tests.nats_cluster import TOKEN, Cluster, cluster
from tests.processes import passable_folder
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SUBSCRIBERS, PHONE_SHARE = 6_000, 0.4
ALERTS, LOSSES = 6, (2, 4)
"""After which of the alerts the leader is killed: what it holds by then is half done."""


@contextmanager
def house_on(three: Cluster, folder: Path) -> Generator[FireHouse]:
    beyond = {
        "BROADCASTER_NATS_URL": ",".join(three.urls),
        "BROADCASTER_NATS_TOKEN": TOKEN,
        "BROADCASTER_NATS_REPLICAS": "3",
    }
    with running_house(folder, **beyond) as settings:
        with House.open(settings) as opened:
            keys = prepare(opened, folder, SUBSCRIBERS, PHONE_SHARE)
        fire = FireHouse(settings, keys)
        yield fire
        fire.close()


def test_the_leader_is_lost_twice_in_the_middle_of_the_plan() -> None:
    with passable_folder() as folder, cluster(folder) as three, house_on(three, folder) as house:
        watch, alerts, lost = Watch(), list[str](), list[str]()
        for number in range(1, ALERTS + 1):
            before = house.received("push")["received"]
            alerts.append(house.issue(channels=["push", "sms"]))
            if number in LOSSES:
                until(lambda before=before: house.received("push")["received"] > before)
                if lost:
                    three.start(lost[-1])
                lost.append(three.info("DISPATCH").cluster.leader)  # type: ignore[union-attr]
                three.kill(lost[-1])
        books = [b for alert in alerts for b in until(lambda a=alert: house.settled(a, 2), seconds=180)]
        assert three.info("DISPATCH").config.num_replicas == 3
        figures: dict[str, object] = {"lost": lost, "seconds": watch.seconds}
        assert len(books) == 2 * ALERTS
        for channel in ("push", "sms"):
            total, counted = summed(books, channel), house.received(channel)
            figures[channel] = dict(total) | counted
            tell(**figures)
            assert total["audience"] == total["accepted"] + total["refused"], channel
            assert total["accepted"] == counted["unique"], channel
            # No worker died: a message that came twice found its receipt.
            assert counted["duplicates"] == total["unknown"] == 0, channel
