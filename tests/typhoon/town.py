"""A house in service, and everyone outside of it: offices with keys, phones, screens, an operator."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from broadcaster import providers
from broadcaster.account import Role
from broadcaster.accounts import codes
from broadcaster.keys.rows import KeyKind
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings
from tests import calls
from tests.bench.stage import Double
from tests.city import BROADCASTER
from tests.waiting import until

PASSWORD = "typhoon: canh bao Ha Noi"
PATIENCE = 90.0
ROLES = (Role.AUTHOR, Role.APPROVER, Role.MANAGER)


@dataclass
class Screen:
    """A screen that polls, when its line is up."""

    id: str
    key: str = field(repr=False)
    area: str
    drills: bool
    etag: str = ""
    seq: int = 0
    on: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    off: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    fell: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    cut_off: bool = False


class Town:
    """The house from outside, whatever of it is alive just now."""

    def __init__(self, settings: Settings, bodies: tuple[str, ...]) -> None:
        self.settings, self.bodies = settings, bodies
        self.keys: dict[str, str] = {}
        self.secret = codes.new_secret()
        self.fcm = Double(settings)
        self.web = httpx.Client(base_url=settings.url, timeout=20, limits=httpx.Limits(max_connections=40))
        self.screens: list[Screen] = []
        self.tries: list[str] = []
        self._stop = threading.Event()
        self._panels = threading.Thread(target=self._poll_on, name="screens", daemon=True)

    def furnish(self, console: tuple[str, ...]) -> None:
        """Accounts and keys for every body, an auditor, and people who sign in."""
        with House.open(self.settings) as house:
            for body in self.bodies:
                for role in ROLES:
                    self._account(house, f"{role}@{body}", body, role)
            self._account(house, "auditor@ubnd-tp", "ubnd-tp", Role.AUDITOR)
            # People come by the app, which knows their numbers.
            self.keys["app"] = house.keys.create("app:ihanoi", None, KeyKind.APP, clock())[1]
            for account in console:
                house.desk.accounts.create(account, PASSWORD, self.secret, SYSTEM.account, clock())

    def _account(self, house: House, account: str, body: str, role: Role) -> None:
        key_id, self.keys[account] = house.keys.create(account, body, KeyKind.STAFF, clock())
        house.setup.grant(SYSTEM, account, body, role, at=clock(), key_id=key_id)

    def close(self) -> None:
        """Everyone goes home."""
        self._stop.set()
        if self._panels.ident is not None:
            self._panels.join()
        self.web.close()
        self.fcm.close()

    # --- asking -----------------------------------------------------------------------------------

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """A request, repeated until the house answers; a write under one key."""
        headers = {"Idempotency-Key": uuid4().hex} | given.pop("headers", {})

        def answer() -> httpx.Response | None:
            try:
                got = self.web.request(method, path, headers=headers, **given)
            except httpx.TransportError as error:
                self.tries.append(f"{method} {path}: {type(error).__name__}")
                return None
            if got.is_server_error:
                self.tries.append(f"{method} {path}: {got.status_code} {got.text[:200]}")
                return None
            return got

        return until(answer, seconds=PATIENCE)

    def act(self, account: str, method: str, path: str, body: object = None) -> httpx.Response:
        """What someone of a body asks with their key. An approval is of what was read."""
        headers = {"Authorization": f"Bearer {self.keys[account]}"}
        if path.endswith("/approve"):
            read = self.ask("GET", path.removesuffix("/approve"), headers=headers)
            headers |= {"If-Match": read.headers["ETag"]}
        return self.ask(method, path, json={} if body is None else body, headers=headers)

    def told(self, account: str, method: str, path: str, body: object = None) -> Any:
        """The same where it must be granted."""
        answer = self.act(account, method, path, body)
        assert answer.is_success, f"{account} {method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def read(self, path: str, account: str = "auditor@ubnd-tp") -> Any:
        """A page for staff."""
        answer = self.ask("GET", path, headers={"Authorization": f"Bearer {self.keys[account]}"})
        assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    # --- the operator -----------------------------------------------------------------------------

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """A command of the operator."""
        return subprocess.run(
            [*BROADCASTER, *argv, "--data", str(self.settings.data)],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def restart(self, unit: str) -> None:
        """Stops one process in good order, and waits until another runs in its place."""
        before = self.pids().get(unit)
        if before is None:
            before = until(lambda: self.pids().get(unit), seconds=60)
        os.kill(before, signal.SIGINT if unit == "postgres" else signal.SIGTERM)
        until(lambda: self.pids().get(unit, before) != before, seconds=60)

    def pids(self) -> dict[str, int]:
        """Who runs."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.settings.data / "run" / "pids.json").read_text())
        return {}

    # --- what providers have ----------------------------------------------------------------------

    def journal(self, double: str) -> list[list[str]]:
        """The lines of what a double took: digest or reference first; see its journal."""
        path = providers.sandbox_folder(self.settings) / double / "journal"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line[1:].split() for line in lines if line.startswith("+")]

    def behave(self, double: str, **mood: Any) -> None:
        """A provider's mood."""
        if double == "fcm":
            self.fcm.behave(**mood)
            return
        endpoint = providers.sandbox_endpoint(self.settings, double)
        url = providers.count_url(endpoint).replace("/count", "/behaviour")
        calls.post(url, json=mood).raise_for_status()

    # --- screens ----------------------------------------------------------------------------------

    def switch_on(self) -> None:
        """From now on screens poll."""
        self._panels.start()

    def poll(self, screen: Screen) -> bool:
        """One poll and, of what is new, a report. False where the house did not answer."""
        key = {"Authorization": f"Bearer {screen.key}"}
        asked = key | ({"If-None-Match": screen.etag} if screen.etag else {})
        try:
            answer = self.web.get("/v1/screens/me/feed", headers=asked)
            if answer.status_code == 304:
                return True
            if not answer.is_success:
                return False
            feed = answer.json()
            if feed["seq"] < screen.seq:
                screen.fell.append((screen.seq, feed["seq"]))
            screen.seq, screen.etag = feed["seq"], answer.headers["ETag"]
            screen.on = {(item["id"], item["rev"]) for item in feed["items"]}
            screen.off = {(item["id"], item["rev"]) for item in feed["cancelled"]}
            shown = [{"alert_id": alert, "version": version} for alert, version in sorted(screen.on)]
            self.web.post("/v1/screens/me/reports", headers=key, json={"shown": shown[:50]})
        except httpx.TransportError:
            return False
        return True

    def _poll_on(self) -> None:
        while not self._stop.wait(0.5):
            for screen in self.screens:
                if not screen.cut_off and not self._stop.is_set():
                    self.poll(screen)


def digest(address: str) -> str:
    """How a double's journal names an address."""
    return blake2b(address.encode(), digest_size=8).hexdigest()


class FirstPhones:
    """When each version's first push was taken, and its last so far, as seen in the double's journal."""

    def __init__(self, path: Path) -> None:
        self._path, self._stop = path, threading.Event()
        self.seen: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self._thread = threading.Thread(target=self._watch, name="journal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Looks no more."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        place, rest = 0, ""
        while not self._stop.wait(0.01):
            if not self._path.exists() or self._path.stat().st_size == place:
                continue
            with self._path.open() as file:
                file.seek(place)
                lines = (rest + file.read()).split("\n")
                place = file.tell()
            rest, now = lines.pop(), time.monotonic()
            for line in lines:
                if line.startswith("+"):
                    _, alert, version = line.split()
                    self.seen.setdefault(f"{alert} {version}", now)
                    self.last[f"{alert} {version}"] = now
