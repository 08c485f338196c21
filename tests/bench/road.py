"""The whole road for one city-wide alert: `python -m tests.bench.road --recipients 100000 [--json]`.

Starts a house of its own with the sandbox's doubles, fills the registry, issues one alert over HTTP,
waits for the last receipt, and prints CPU time by process for each recipient. CPU time is the steady
figure on a shared machine; wall time is not.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from broadcaster.account import Role
from broadcaster.demo.people import write_people
from broadcaster.demo.stage import SEED
from broadcaster.engines.natshome import free_port
from broadcaster.keys import KeyKind
from broadcaster.registry.csv_import import import_csv
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings

BODY = "ubnd-tp"
CONTENT = {
    "kind": "alert",
    "category": "cay_xanh",
    "severity": "Severe",
    "urgency": "Expected",
    "certainty": "Likely",
    "areas": ["01"],
    "channels": ["push"],
    "texts": {"vi": {"headline": "Gió giật mạnh đêm nay", "description": "Không trú dưới gốc cây."}},
}
WAIT = 900.0


def main() -> None:
    """Runs the benchmark and prints a table, and one JSON line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="broadcaster-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        result = road(folder, options.recipients)
    if not options.json:
        show(result)
    print(json.dumps(result))


def road(folder: Path, recipients: int) -> dict[str, Any]:
    """One alert to so many phones."""
    listen = f"127.0.0.1:{free_port()}"
    argv = [
        sys.executable,
        "-m",
        "broadcaster",
        "serve",
        "--data",
        str(folder / "house"),
        "--listen",
        listen,
    ]
    house = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        settings = Settings.from_env(data=folder / "house", listen=listen)
        await_web(settings.url)
        with House.open(settings) as opened:
            keys = prepare(opened, folder, recipients)
            audience = sum(opened.registry.count().values())
            before = cpu(folder / "house")
            began = time.perf_counter()
            alert = issue(settings.url, keys)
            issued = time.perf_counter()
            totals = await_end(settings.url, alert)
            ended = time.perf_counter()
            spent = {
                unit: seconds - before.get(unit, 0.0) for unit, seconds in cpu(folder / "house").items()
            }
    finally:
        house.send_signal(signal.SIGINT)
        house.wait(60)
    seconds = ended - issued
    return {
        "bench": "road",
        "recipients": totals["audience"],
        "registry": audience,
        "accepted": totals["accepted"],
        "authoring_seconds": round(issued - began, 3),
        "seconds": round(seconds, 2),
        "per_second": round(totals["audience"] / seconds),
        "cpu_us_per_recipient": {
            unit: round(value / totals["audience"] * 1e6, 1) for unit, value in sorted(spent.items())
        },
        "cpu_us_per_recipient_total": round(sum(spent.values()) / totals["audience"] * 1e6, 1),
    }


def await_web(url: str) -> None:
    """Until the house answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("the house did not start")


def prepare(house: House, folder: Path, recipients: int) -> dict[str, str]:
    """Phones in the registry, and two accounts."""
    people = folder / "people.csv"
    write_people(people, recipients, house.tree(), SEED, gone_share=0.0, phone_share=0.0)
    import_csv(people, house.pool, house.tree(), at=clock())
    keys: dict[str, str] = {}
    for role in (Role.AUTHOR, Role.APPROVER):
        key_id, keys[role] = house.keys.create(role, BODY, KeyKind.STAFF, clock())
        house.setup.grant(SYSTEM, role, BODY, role, at=clock(), key_id=key_id)
    return keys


def issue(url: str, keys: dict[str, str]) -> str:
    """Draft, submit, approve, issue."""
    with httpx.Client(base_url=url, timeout=30) as client:

        def post(path: str, role: Role, body: object) -> dict[str, Any]:
            answer = client.post(path, json=body, headers={"Authorization": f"Bearer {keys[role]}"})
            answer.raise_for_status()
            return answer.json()

        alert = post("/v1/alerts", Role.AUTHOR, {"content": CONTENT})["id"]
        for step, role in (("submit", Role.AUTHOR), ("approve", Role.APPROVER), ("issue", Role.AUTHOR)):
            post(f"/v1/alerts/{alert}/{step}", role, {})
    return alert


def await_end(url: str, alert: str) -> dict[str, int]:
    """Until every recipient has an outcome; answers the totals."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        channels = httpx.get(f"{url}/v1/alerts/{alert}/reach").json()["channels"]
        if channels and not channels[0]["totals"]["in_flight"]:
            return channels[0]["totals"]
        time.sleep(0.1)
    raise SystemExit("the delivery did not end")


def cpu(data: Path) -> dict[str, float]:
    """CPU seconds of each unit so far, PostgreSQL's backends included."""
    pids: dict[str, int] = json.loads((data / "run" / "pids.json").read_text())
    tick = os.sysconf("SC_CLK_TCK")
    own: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            own[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / tick)
    spent = {unit: own[pid][1] for unit, pid in pids.items() if pid in own and unit != "supervisor"}
    spent["postgres"] += sum(seconds for parent, seconds in own.values() if parent == pids["postgres"])
    return spent


def show(result: dict[str, Any]) -> None:
    """The figures for a person."""
    print(
        f"{result['recipients']:,} recipients in {result['seconds']} s: {result['per_second']:,} a second"
    )
    print("CPU us a recipient:")
    for unit, value in result["cpu_us_per_recipient"].items():
        print(f"  {unit:<16}{value:>8}")
    print(f"  {'total':<16}{result['cpu_us_per_recipient_total']:>8}")


if __name__ == "__main__":
    main()
