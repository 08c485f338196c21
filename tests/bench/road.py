"""The whole road for one city-wide alert: `python -m tests.bench.road --recipients 100000 [--json]`.

Starts a house of its own with the sandbox's doubles, fills the registry, issues one alert over HTTP,
waits for the last receipt, and prints CPU time by process for each recipient. CPU time is the steady
figure on a shared machine; wall time is not. With FCM's own quota 9,450 messages/s are the ceiling: the
default here is ten times that, to see the machine's.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from broadcaster.runtime import House
from tests.bench.stage import Double, await_end, cpu, cpu_at_rest, issue, memory, prepare, running_house
from tests.bench.table import parser, report

DOUBLES = ("fcm", "carrier")


def main() -> None:
    """Runs the benchmark."""
    options = parser(__doc__)
    options.add_argument("--recipients", type=int, default=100_000)
    options.add_argument("--quota", type=int, default=6_000_000, help="messages a minute")
    options.add_argument(
        "--latency-ms", type=float, default=0.0, help="what the double adds to each answer"
    )
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="broadcaster-bench-") as name:
        result = road(Path(name), given.recipients, given.quota, given.latency_ms)
    spent: dict[str, float] = result.pop("cpu_us")
    rows = [
        {"process": unit, "cpu_us": value, "peak_mb": result["peak_mb"].get(unit)}
        for unit, value in spent.items()
    ]
    del result["peak_mb"]
    report("road", rows, only_json=given.json, **result)


def road(folder: Path, recipients: int, quota: int, latency_ms: float) -> dict[str, Any]:
    """One alert to so many phones."""
    with running_house(folder, BROADCASTER_PUSH_QUOTA=str(quota)) as settings:
        with House.open(settings) as opened:
            keys = prepare(opened, folder, recipients)
            registry = sum(opened.registry.count().values())
        Double(settings).behave(latency_ms=latency_ms)
        before = cpu_at_rest(settings.data)
        began = time.perf_counter()
        alert = issue(settings.url, keys)
        issued = time.perf_counter()
        totals = await_end(settings.url, alert)
        seconds = time.perf_counter() - issued
        after, peak = cpu(settings.data), memory(settings.data)
    audience = totals["audience"]
    spent = {unit: (after[unit] - before.get(unit, 0.0)) / audience * 1e6 for unit in sorted(after)}
    ours = sum(value for unit, value in spent.items() if unit not in DOUBLES)
    return {
        "recipients": audience,
        "registry": registry,
        "accepted": totals["accepted"],
        "latency_ms": latency_ms,
        "authoring_seconds": round(issued - began, 3),
        "seconds": round(seconds, 2),
        "per_second": round(audience / seconds),
        "cpu_us_total": round(sum(spent.values()), 1),
        "cpu_us_without_doubles": round(ours, 1),
        "cpu_us": {unit: round(value, 1) for unit, value in spent.items()},
        "peak_mb": peak,
    }


if __name__ == "__main__":
    main()
