"""Fifty kills over one run to 100,000 recipients: nothing lost, and no doubles but those owned up to."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.runtime import House
from tests.bench.stage import prepare, running_house
from tests.city import BROADCASTER
from tests.fire import ROAD, WORKERS, FireHouse, Watch, summed, tell
from tests.processes import passable_folder
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SEED, KILLS = 20_261_122, 50
SUBSCRIBERS, PHONE_SHARE = 101_000, 0.06
PUSHES_A_MINUTE, TEXTS_A_SECOND = 72_000, 75
"""So slow that the fifty fall within the delivery."""
SLICE = {"push": 500, "sms": 50}
FLAWS = {"errors": {"UNAVAILABLE": 0.01, "INTERNAL": 0.002}, "retry_after": "1", "refused_stream": 0.001}
"""The provider has a bad day too, so that follower and relay have work all along."""
EMERGENCY = {"severity": "Extreme", "urgency": "Immediate", "channels": ["push", "sms"]}


@pytest.fixture
def house() -> Iterator[FireHouse]:
    slow = {
        "BROADCASTER_PUSH_QUOTA": str(PUSHES_A_MINUTE),
        "BROADCASTER_SMS_RATE": str(TEXTS_A_SECOND),
        "BROADCASTER_PUSH_WORKERS": "2",
    }
    with passable_folder() as folder, running_house(Path(folder), **slow) as settings:
        with House.open(settings) as opened:
            keys = prepare(opened, folder, SUBSCRIBERS, PHONE_SHARE)
        fire = FireHouse(settings, keys)
        yield fire
        fire.close()


def victims(chance: random.Random) -> list[str]:
    """Each unit four times at least, in no order."""
    found = [*ROAD * 4, *chance.choices(ROAD, k=KILLS - 4 * len(ROAD))]
    chance.shuffle(found)
    return found


def doubles(house: FireHouse) -> dict[str, int]:
    """What was sent twice until now, by channel. Each kill so far that could cost any cost a slice at most.

    A kill of a process that sends leaves at most a slice in doubt; one of the broker or the database may
    have a dispatch given to another while its holder lives; any other costs none.
    """
    found: dict[str, int] = {}
    for channel, workers in WORKERS.items():
        costly = sum(house.kills.get(unit, 0) for unit in (*workers, "nats", "postgres"))
        found[channel] = house.received(channel)["duplicates"]
        assert found[channel] <= SLICE[channel] * costly, (channel, house.kills)
    return found


def test_fifty_kills_over_a_hundred_thousand(house: FireHouse) -> None:
    chance, watch = random.Random(SEED), Watch()
    moments = sorted(chance.sample(range(int(SUBSCRIBERS * 0.85)), KILLS))
    house.fcm.behave(seed=SEED, **FLAWS)
    city = house.issue(channels=["push", "sms"])
    alerts = [city]
    told: list[tuple[str, dict[str, int]]] = []
    for number, (moment, unit) in enumerate(zip(moments, victims(chance), strict=True)):
        until(lambda moment=moment: house.fcm.received(city) >= moment, seconds=240)
        before = doubles(house)
        house.kill(unit)
        told.append((unit, before))
        if number % 20 == 10:
            # A lesser house would lose the few that matter most in the crowd.
            alerts.append(house.issue(areas=["00004"], **EMERGENCY))
    books = [each for alert in alerts for each in until(lambda a=alert: house.settled(a, 2), seconds=400)]
    figures: dict[str, object] = {"kills": house.kills, "seconds": watch.seconds}
    assert sum(house.kills.values()) == KILLS
    totals = {channel: summed(books, channel) for channel in SLICE}
    for channel, total in totals.items():
        counted = house.received(channel)
        figures[channel] = dict(total) | {"duplicates": counted["duplicates"]}
        tell(**figures)
        assert total["accepted"] == counted["unique"], channel
        assert total["accepted"] + total["refused"] == total["audience"], channel
        # A provider that answered a dead worker: each such message was counted as in doubt.
        assert counted["duplicates"] <= total["unknown"], channel
    tell(twice=[(unit, *before.values()) for unit, before in told], at_the_end=doubles(house))
    assert sum(total["audience"] for total in totals.values()) >= 100_000
    verdict = subprocess.run(
        [*BROADCASTER, "log", "verify", "--data", str(house.settings.data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert verdict.returncode == 0, verdict.stderr
