"""How soon an emergency arrives: `python -m tests.bench.emergency [--backlog N] [--json]`.

From the answer to `issue` until the push double took the first message, and 95 % of them: once with
nothing else to do, once while an alert to the whole registry is under way. Quota and reserve are the
defaults, so the backlog meets FCM's own limit too.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from broadcaster.runtime import House
from broadcaster.settings import Settings
from tests.bench.stage import Double, issue, prepare, running_house
from tests.bench.table import Row, parser, report

EMERGENCY: dict[str, Any] = {"severity": "Extreme", "urgency": "Immediate"}
LIMIT = 120.0
LOOK = 0.02
"""Seconds between two looks at the double: what the figures are good to."""


def main() -> None:
    """Runs the benchmark."""
    options = parser(__doc__)
    options.add_argument("--recipients", type=int, default=10_000, help="of the emergency, about")
    options.add_argument("--backlog", type=int, default=100_000, help="phones in the registry")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="broadcaster-bench-") as name:
        folder = Path(name)
        with running_house(folder) as settings:
            with House.open(settings) as opened:
                keys = prepare(opened, folder, given.backlog)
                areas = chosen(opened, given.recipients)
            double = Double(settings)
            rows = [measure(settings, keys, double, areas, "alone")]
            backlog = issue(settings.url, keys)
            until(lambda: double.received(backlog) > given.backlog // 50)
            rows.append(measure(settings, keys, double, areas, "behind a backlog"))
            left = given.backlog - double.received(backlog)
    report("emergency", rows, only_json=given.json, backlog=given.backlog, backlog_left_after=left)


def chosen(house: House, wanted: int) -> list[str]:
    """Districts that have about so many phones between them."""
    with house.pool.connection() as conn:
        homes = conn.execute(
            "SELECT home_no, count(*) FROM subscribers WHERE push_hash IS NOT NULL GROUP BY home_no"
        ).fetchall()
    tree = house.tree()
    found: list[str] = []
    for area in tree.children(tree.root):
        if wanted <= 0:
            break
        (span,) = tree.spans((area.code,))
        wanted -= sum(count for number, count in homes if span.first <= number <= span.last)
        found.append(area.code)
    return found


def until(true: Callable[[], bool]) -> None:
    """Looks until it is."""
    deadline = time.monotonic() + LIMIT
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit("the emergency did not arrive")
        time.sleep(LOOK)


def audience_of(settings: Settings, alert: str) -> int:
    """How many it is for, as soon as the reach view says so."""
    found: list[int] = []

    def asked() -> bool:
        channels = httpx.get(f"{settings.url}/v1/alerts/{alert}/reach").json()["channels"]
        found.extend(channel["totals"]["audience"] for channel in channels)
        return bool(found)

    until(asked)
    return found[0]


def measure(settings: Settings, keys: dict[str, str], double: Double, areas: list[str], name: str) -> Row:
    """One emergency. The audience is known once it is frozen, from the reach view."""
    alert = issue(settings.url, keys, areas=areas, **EMERGENCY)
    began = time.perf_counter()
    arrivals: list[tuple[float, int]] = []

    def look() -> int:
        count = double.received(alert)
        arrivals.append((time.perf_counter() - began, count))
        return count

    until(lambda: look() > 0)
    audience = audience_of(settings, alert)
    until(lambda: look() >= audience)
    return {
        "emergency": name,
        "recipients": audience,
        "first_s": round(next(at for at, count in arrivals if count), 2),
        "p95_s": round(next(at for at, count in arrivals if count >= 0.95 * audience), 2),
        "last_s": round(arrivals[-1][0], 2),
    }


if __name__ == "__main__":
    main()
