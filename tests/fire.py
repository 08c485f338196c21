"""A house under fire: it is asked and killed from outside, and its books are read afterwards."""

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from broadcaster import providers
from broadcaster.account import Role
from broadcaster.settings import Settings
from tests import calls
from tests.bench.stage import CONTENT, Double
from tests.waiting import until

FINALS = ("accepted", "gone", "refused", "superseded", "expired", "dead")
WORKERS = {
    "push": ("push-emergency", "push-emergency-2", "push", "push-2"),
    "sms": ("sms-emergency", "sms"),
}
"""By channel, who sends."""
ROAD = ("web", "follow", "relay", *WORKERS["push"], *WORKERS["sms"], "nats", "postgres")
"""Everything an alert passes through; the doubles are the outside world."""


@dataclass(frozen=True)
class Books:
    """One channel of one alert: how many it was for, and what came of each."""

    alert: str
    version: int
    channel: str
    totals: Mapping[str, int]

    @property
    def balanced(self) -> bool:
        """Whether everyone has exactly one outcome."""
        return self.totals["audience"] == sum(self.totals[name] for name in FINALS)


class FireHouse:
    """A running house, whatever of it is alive just now."""

    def __init__(self, settings: Settings, keys: Mapping[str, str]) -> None:
        self.settings, self._keys = settings, keys
        self.fcm = Double(settings)
        self._web = httpx.Client(base_url=settings.url, timeout=20)
        self.kills: dict[str, int] = {}

    def close(self) -> None:
        """Hangs up."""
        self._web.close()
        self.fcm.close()

    # --- killing ----------------------------------------------------------------------------------

    def kill(self, unit: str) -> None:
        """kill -9 of the unit as soon as it runs; it may have just begun."""
        path = self.settings.data / "run" / "pids.json"

        def done() -> bool:
            try:
                os.kill(json.loads(path.read_text())[unit], signal.SIGKILL)
            except (KeyError, ProcessLookupError):
                return False
            return True

        until(done)
        self.kills[unit] = self.kills.get(unit, 0) + 1

    # --- asking -----------------------------------------------------------------------------------

    def post(self, path: str, role: Role, body: object, seen: int | None = None) -> dict[str, Any]:
        """A write, repeated under one key until the house answers; `seen` is the version that was read."""
        headers = {"Authorization": f"Bearer {self._keys[role]}", "Idempotency-Key": uuid4().hex}
        if seen is not None:
            headers["If-Match"] = f'"{seen}"'
        answer = self._persist("POST", path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        """A read, repeated until the house answers."""
        answer = self._persist("GET", path)
        assert answer.is_success, answer.text
        return answer.json()

    def _persist(self, method: str, path: str, **given: Any) -> httpx.Response:
        def answer() -> httpx.Response | None:
            try:
                got = self._web.request(method, path, **given)
            except httpx.TransportError:
                return None
            return None if got.is_server_error else got

        return until(answer)

    def issue(self, **changes: Any) -> str:
        """Draft, submit, approve, issue; `changes` are to the benchmark's alert."""
        alert = self.post("/v1/alerts", Role.AUTHOR, {"content": CONTENT | changes})
        for step, role in (("submit", Role.AUTHOR), ("approve", Role.APPROVER), ("issue", Role.AUTHOR)):
            alert = self.post(f"/v1/alerts/{alert['id']}/{step}", role, {}, alert["version"])
        return alert["id"]

    # --- the books --------------------------------------------------------------------------------

    def books(self, alert: str) -> list[Books]:
        """By version and channel, as far as the view has followed."""
        rows = self.get(f"/v1/alerts/{alert}/reach")["channels"]
        return [Books(alert, row["version"], row["channel"], row["totals"]) for row in rows]

    def settled(self, alert: str, channels: int) -> list[Books] | None:
        """The books, once so many channels have them and all balance."""
        found = [each for each in self.books(alert) if each.channel in {"push", "sms"}]
        return found if len(found) >= channels and all(each.balanced for each in found) else None

    def received(self, channel: str) -> dict[str, int]:
        """What the channel's double counted."""
        if channel == "push":
            return self.fcm.count()
        endpoint = providers.sandbox_endpoint(self.settings, "smsc")
        return calls.get(providers.count_url(endpoint)).json()


def summed(books: Sequence[Books], channel: str) -> Counter[str]:
    """The figures of a channel over all these books."""
    found = Counter[str]()
    for each in books:
        if each.channel == channel:
            found.update({name: count for name, count in each.totals.items() if count})
    return found


def tell(**figures: object) -> None:
    """What a run came to, where pytest shows it: `-s`, or a failure."""
    sys.stdout.write(json.dumps(figures) + "\n")


class Watch:
    """How long something took, in seconds."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return round(time.monotonic() - self._began, 1)
