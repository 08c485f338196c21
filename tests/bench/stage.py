"""A house of its own for a benchmark: what runs in it, what it is asked, and what that cost."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from broadcaster import providers
from broadcaster.account import Role
from broadcaster.demo.people import write_people
from broadcaster.demo.stage import SEED
from broadcaster.keys.rows import KeyKind
from broadcaster.registry.csv_import import import_csv
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings
from tests.ports import own_port
from tests.processes import begin, end

BODY = "ubnd-tp"
CONTENT: dict[str, Any] = {
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
START = 180.0
"""Seconds: a busy machine is slow to start eleven processes."""


@contextmanager
def running_house(folder: Path, **environment: str) -> Generator[Settings]:
    """`broadcaster serve` with the sandbox's doubles, from now to the end of the block."""
    folder.chmod(0o711)
    data, listen = folder / "house", f"127.0.0.1:{own_port()}"
    argv = [sys.executable, "-m", "broadcaster", "serve", "--data", str(data), "--listen", listen]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    house = begin(argv, **quiet, env=os.environ | environment)
    try:
        settings = Settings.from_env(data=data, listen=listen)
        await_web(settings.url)
        yield settings
    finally:
        end(house, signal.SIGINT)


def await_web(url: str) -> None:
    """Until the house answers."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("the house did not start")


def prepare(house: House, folder: Path, recipients: int, phone_share: float = 0.0) -> dict[str, str]:
    """Phones in the registry, and two accounts; `phone_share` of the people have a number as well."""
    people = folder / "people.csv"
    write_people(people, recipients, house.tree(), SEED, gone_share=0.0, phone_share=phone_share)
    import_csv(people, house.pool, house.tree(), at=clock())
    keys: dict[str, str] = {}
    for role in (Role.AUTHOR, Role.APPROVER):
        key_id, keys[role] = house.keys.create(role, BODY, KeyKind.STAFF, clock())
        house.setup.grant(SYSTEM, role, BODY, role, at=clock(), key_id=key_id)
    return keys


def issue(url: str, keys: dict[str, str], **changes: Any) -> str:
    """Draft, submit, approve, issue; `changes` are to CONTENT."""
    with httpx.Client(base_url=url, timeout=30) as client:

        def post(path: str, role: Role, body: object, **more: str) -> dict[str, Any]:
            headers = {"Authorization": f"Bearer {keys[role]}"} | more
            answer = client.post(path, json=body, headers=headers)
            answer.raise_for_status()
            return answer.json()

        alert = post("/v1/alerts", Role.AUTHOR, {"content": CONTENT | changes})
        for step, role in (("submit", Role.AUTHOR), ("approve", Role.APPROVER), ("issue", Role.AUTHOR)):
            seen = {"If-Match": f'"{alert["version"]}"'}
            alert = post(f"/v1/alerts/{alert['id']}/{step}", role, {}, **seen)
    return alert["id"]


def await_end(url: str, alert: str) -> dict[str, int]:
    """Until every recipient has an outcome; answers the totals."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        channels = httpx.get(f"{url}/v1/alerts/{alert}/reach").json()["channels"]
        if channels and not channels[0]["totals"]["in_flight"]:
            return channels[0]["totals"]
        time.sleep(0.1)
    raise SystemExit("the delivery did not end")


class Double:
    """The push double, asked from outside."""

    def __init__(self, settings: Settings) -> None:
        self._url = providers.sandbox_endpoint(settings, "fcm")["url"]
        ca = providers.sandbox_folder(settings) / "fcm" / "ca.pem"
        self._client = httpx.Client(
            base_url=self._url, verify=ssl.create_default_context(cafile=ca), timeout=60
        )

    def close(self) -> None:
        """Hangs up."""
        self._client.close()

    def behave(self, **mood: Any) -> None:
        """See channels.push.sandbox.Behaviour."""
        self._client.post("/sandbox/behaviour", json=mood).raise_for_status()

    def count(self) -> dict[str, Any]:
        """What it received since its journal began."""
        return self._client.get("/sandbox/count").json()

    def received(self, alert: str) -> int:
        """Phones that got the alert so far."""
        return self._client.get("/sandbox/received", params={"alert": alert}).json()["unique"]


def memory(data: Path) -> dict[str, int]:
    """The most memory each unit held so far, in MB (VmHWM)."""
    pids: dict[str, int] = json.loads((data / "run" / "pids.json").read_text())
    found: dict[str, int] = {}
    for unit, pid in pids.items():
        status = Path(f"/proc/{pid}/status").read_text()
        found[unit] = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    return found


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


def cpu_at_rest(data: Path) -> dict[str, float]:
    """The same once what came before is over: a backend that is just ending is in nobody's account."""
    known = cpu(data)
    while True:
        time.sleep(0.5)
        now = cpu(data)
        if abs(now["postgres"] - known["postgres"]) < 0.1:
            return now
        known = now
