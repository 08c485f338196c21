"""How soon an alert for the whole city is in the memory of each of several web processes.

`python -m tests.bench.wide [--processes 1 4 8] [--profiles 2] [--json]`: a real PostgreSQL, the log, the
projection `feeds`, and processes that hold what a web role holds of feeds. A screen stands in every
commune for each profile. Seconds are from the moment the alert is committed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import IO
from uuid import uuid4

from broadcaster.account import Role
from broadcaster.engines.embedded import PostgresServer
from broadcaster.keys.feed import FeedKey
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.screens.book import ScreenBook
from broadcaster.settings import Settings
from broadcaster.web.directory import Directory
from broadcaster.web.feeds.cache import FeedCache
from broadcaster.web.feeds.known_screens import Pair
from schemas.content import Content
from schemas.events import Actor
from tests.processes import passable_folder

BODY = "ubnd-tp"
PROFILES = ("m96x32-1", "m192x64-1", "m128x64-1", "lcd1920")
ROUNDS = 5


def main() -> None:
    """Runs it and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--profiles", type=int, default=2, choices=range(1, len(PROFILES) + 1))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hear", metavar="DATABASE", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.hear:
        hear(asked.hear)
        return
    with passable_folder() as folder, PostgresServer(folder) as server:
        settings = Settings.from_env({"BROADCASTER_DATABASE_URL": server.url}, data=folder / "data")
        with House.open(settings) as house:
            feeds = furnish(house, PROFILES[: asked.profiles])
            for count in asked.processes:
                row = {"processes": count, "feeds": feeds} | measure(house, server.url, count)
                print(json.dumps(row) if asked.json else "  ".join(f"{k} {v}" for k, v in row.items()))


def furnish(house: House, profiles: tuple[str, ...]) -> int:
    """A screen of each profile in every commune; answers how many feeds that makes."""
    house.migrate()
    house.furnish()
    grant(house)
    manager = Actor(account=Role.MANAGER, body=BODY)
    tree = house.tree()
    communes = [area.code for area in tree.leaves("01")]
    for code in communes:
        for profile in profiles:
            house.setup.register_screen(
                manager, uuid4(), name=code, area=code, profile=profile, drills=False, at=clock()
            )
    house.follower(house.projection("feeds")).catch_up()
    return len(communes) * len(profiles)


def grant(house: House) -> None:
    """An account for each role of the city."""
    for role in Role:
        house.setup.grant(SYSTEM, role, BODY, role, at=clock())


def measure(house: House, database: str, count: int) -> dict[str, float]:
    """Issues alerts, and asks each process when it had all of it."""
    argv = [sys.executable, "-m", "tests.bench.wide", "--hear", database]
    hearing = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    pipes = [_pipe(process) for process in hearing]
    follower = house.follower(house.projection("feeds"))
    drawn: list[float] = []
    heard: list[float] = []
    try:
        for pipe in pipes:
            pipe.readline()  # It has what there was.
        for number in range(ROUNDS):
            began = issue(house, number)
            follower.catch_up()
            drawn.append(time.monotonic() - began)
            heard += [float(pipe.readline()) - began for pipe in pipes]
    finally:
        for process in hearing:
            process.terminate()
            process.wait()
    heard.sort()
    return {
        "drawn_s": round(statistics.median(drawn), 3),
        "heard_p50_s": round(statistics.median(heard), 3),
        "heard_p95_s": round(heard[max(0, int(len(heard) * 0.95) - 1)], 3),
        "heard_last_s": round(heard[-1], 3),
    }


def issue(house: House, number: int) -> float:
    """An alert to the city; answers when it was committed."""
    author, approver = (Actor(account=role, body=BODY) for role in (Role.AUTHOR, Role.APPROVER))
    said = Content.model_validate(
        {
            "category": "cay_xanh",
            "kind": "alert",
            "severity": "Severe",
            "urgency": "Expected",
            "certainty": "Likely",
            "areas": ["01"],
            "channels": ["led"],
            "expires_at": clock() + timedelta(hours=6),
            "texts": {"vi": {"headline": f"Gió giật mạnh, lần {number}", "description": "Tránh cây."}},
        }
    )
    alert = house.alerts.draft(author, BODY, said, at=clock()).id
    house.alerts.submit(author, alert, at=clock())
    house.alerts.approve(approver, alert, at=clock())
    house.alerts.issue(author, alert, at=clock())
    return time.monotonic()


def hear(database: str) -> None:
    """Holds the feeds, and says when a change of the whole city was in."""
    settings = Settings.from_env({"BROADCASTER_DATABASE_URL": database}, data=Path("/nonexistent"))
    with House.open(settings) as house:
        sign, book = FeedKey.fresh().sign, ScreenBook(house.log)
        cache = FeedCache(house.pool, house.keys, Directory(house.log), sign, clock, book)
        cache.reload()

        def heard(changed: set[Pair]) -> None:
            if len(changed) > 100:
                print(time.monotonic(), flush=True)

        cache.heard = heard
        cache.start()
        print("ready", flush=True)
        sys.stdin.read()
        time.sleep(600)


def _pipe(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None
    return process.stdout


if __name__ == "__main__":
    main()
