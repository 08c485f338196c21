"""Ten thousand controllers against the feed: `python -m tests.bench.screens [--controllers N] [--json]`.

Real sockets on loopback, a real database, the web role and the role led-edge as processes of their own,
one after the other. For each: the CPU that polls every 5 seconds take, the time until all who wait have
news, memory a connection, the CPU of a 304 beside nginx serving the same bytes as a file (skipped, with a
line that says so, where there is no nginx), and honest polls beside hostile clients.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from broadcaster.engines.embedded import PostgresServer
from broadcaster.engines.natshome import free_port
from broadcaster.keys.feed import FeedKey
from broadcaster.keys.rows import KeyKind
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings
from broadcaster.web.feeds.polls import FEED_PATH
from schemas.areas import FIRST_EDITION
from schemas.events import Actor, ScreenRegistered
from tests.bench.wide import BODY, PROFILES, grant, issue
from tests.processes import passable_folder

SPIN = 3.0
EVERY = 5.0
TICK = os.sysconf("SC_CLK_TCK")
SETUP = Actor(account="bench", body=BODY)


class Clients:
    """The controllers' process."""

    def __init__(self, port: int, path: str, keys: Path) -> None:
        argv = [sys.executable, "-m", "tests.bench.controllers", str(port), path, str(keys)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, *command: object) -> None:
        """Gives a command."""
        assert self._process.stdin
        self._process.stdin.write(" ".join(map(str, command)) + "\n")
        self._process.stdin.flush()

    def ask(self, *command: object) -> dict[str, Any]:
        """Gives a command and takes its line."""
        self.tell(*command)
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """The next line."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the controllers have ended")
        return json.loads(line)

    def end(self) -> None:
        """Ends the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)


def main() -> None:
    """Runs it and prints a line for each server."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--controllers", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="of polls every 5 seconds")
    parser.add_argument("--servers", nargs="+", default=["web", "led-edge"])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with passable_folder() as folder, PostgresServer(folder / "pg") as server:
        data = folder / "data"
        data.mkdir()
        settings = Settings.from_env({"BROADCASTER_DATABASE_URL": server.url}, data=data)
        FeedKey.kept(settings.feed_key_path)
        with House.open(settings) as house:
            keys = put_up(house, data, asked.controllers)
            for role in asked.servers:
                static = nginx_cost(folder / role, keys, house)  # Beside each: the machine may be shared.
                row = {"server": role, **measure(house, server.url, role, keys, asked.seconds), **static}
                if "nginx_us" in static:
                    row["times_nginx"] = round(row["us_304"] / static["nginx_us"], 2)
                print(json.dumps(row) if asked.json else table(row), flush=True)


def table(row: dict[str, Any]) -> str:
    """A row to be read."""
    return "\n".join([f"{row['server']}:", *(f"  {name:<24}{value}" for name, value in row.items())])


def put_up(house: House, data: Path, count: int) -> Path:
    """So many screens with keys; answers the file of the keys."""
    house.migrate()
    house.furnish()
    grant(house)
    communes = [area.code for area in house.tree().leaves("01")]
    now, keys = clock(), list[str]()
    for start in range(0, count, 500):
        events: list[ScreenRegistered] = []
        with house.pool.connection() as conn:
            for number in range(start, min(count, start + 500)):
                area = communes[number % len(communes)]
                profile = PROFILES[number // len(communes) % 2]
                screen = uuid4()
                events.append(
                    ScreenRegistered(
                        originator_id=screen,
                        originator_version=1,
                        by=SETUP,
                        screen_id=screen,
                        name=f"Màn hình {number}",
                        area=area,
                        profile=profile,
                        drills=False,
                        edition=FIRST_EDITION,
                    )
                )
                keys.append(house.keys.create_in(conn, f"screen:{screen}", None, KeyKind.SCREEN, now)[1])
        house.log.append(events, at=now)
    house.follower(house.projection("feeds")).catch_up()
    path = data / "keys"
    path.write_text("\n".join(keys))
    return path


def measure(house: House, database: str, role: str, keys: Path, seconds: float) -> dict[str, Any]:
    """One server, all figures."""
    with serving(database, house.settings.data, role) as (pid, port):
        clients = Clients(port, FEED_PATH, keys)
        before = resident(pid)
        came = clients.ask("connect")
        count = len(keys.read_text().split())
        memory = (resident(pid) - before) / count
        began = cpu(pid)
        polls = clients.ask("poll", seconds, EVERY)
        share = (cpu(pid) - began) / seconds
        waiting = clients.ask("wait")["waiting"]
        waiting_memory = (resident(pid) - before) / count
        began = cpu(pid)
        committed = issue(house, len(role))
        house.follower(house.projection("feeds")).catch_up()
        drawn = time.monotonic()
        told = clients.hear()
        woken = cpu(pid) - began
        clients.end()
        lone = Clients(port, FEED_PATH, keys)
        began = cpu(pid)
        spun = lone.ask("spin", 64, int(SPIN))
        cost = (cpu(pid) - began) / spun["polls"] * 1e6
        began = cpu(pid)
        varied = lone.ask("spin", 64, int(SPIN), 1)
        varied_cost = (cpu(pid) - began) / varied["polls"] * 1e6
        quiet = lone.ask("probe", 20, 4)
        foes = Clients(port, FEED_PATH, keys)
        beside, harm = _beside(lone, foes)
        lone.end()
        foes.end()
        return {
            "controllers": count,
            "bad": came["bad"] + polls["bad"],
            "polls_percent_of_core": round(share * 100, 1),
            "poll_p95_ms": round(polls["p95_ms"], 2),
            "kb_per_connection": round(memory, 1),
            "kb_per_waiting": round(waiting_memory, 1),
            "waiting": waiting,
            "told": told["told"],
            "wake_first_to_last_s": round(told["last"] - told["first"], 3),
            "wake_drawn_to_last_s": round(told["last"] - drawn, 3),
            "wake_commit_to_last_s": round(told["last"] - committed, 3),
            "wake_cpu_s": round(woken, 2),
            "us_304": round(cost, 1),
            "us_304_new_state": round(varied_cost, 1),
            "probe_p50_ms": round(quiet["p50_ms"], 2),
            "probe_p99_ms": round(quiet["p99_ms"], 2),
            "hostile_p50_ms": round(beside["p50_ms"], 2),
            "hostile_p99_ms": round(beside["p99_ms"], 2),
            "hostile": harm,
            "refused": refusals(port),
        }


def _beside(honest: Clients, foes: Clients) -> tuple[dict[str, Any], dict[str, Any]]:
    foes.tell("hostile", 6)
    time.sleep(1.0)
    return honest.ask("probe", 20, 4), foes.hear()


@contextmanager
def serving(database: str, data: Path, role: str) -> Generator[tuple[int, int]]:
    """The role as a process, once it answers."""
    port = free_port()
    env = os.environ | {
        "BROADCASTER_DATABASE_URL": database,
        "BROADCASTER_DATA": str(data),
        "BROADCASTER_LISTEN": f"127.0.0.1:{port}",
        "BROADCASTER_EDGE_PER_ADDRESS": "0",
        "BROADCASTER_NATS_URL": "nats://127.0.0.1:1",
    }
    with (data / f"{role}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "broadcaster.roles", role], env=env, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/v1/frames/x.png")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(30)


def nginx_cost(folder: Path, keys: Path, house: House) -> dict[str, Any]:
    """The CPU of a 304 by nginx, which serves a feed's bytes as a file; why not, where it cannot."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        return {"nginx": "skipped: not installed"}
    with house.pool.connection() as conn:
        body = conn.execute("SELECT body FROM feeds LIMIT 1").fetchone()
    root = folder / "www"
    (root / "logs").mkdir(parents=True)
    root.chmod(0o755)
    (root / "feed").write_bytes(body[0] if body else b"")
    port = free_port()
    conf = root / "nginx.conf"
    conf.write_text(
        f"daemon off; worker_processes 1; pid {root}/pid; error_log {root}/logs/error;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; keepalive_requests 100000000; server {{ listen 127.0.0.1:{port}; "
        f"root {root}; }} }}\n"
    )
    process = subprocess.Popen([binary, "-p", str(root), "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1.0)
        clients = Clients(port, "/feed", keys)
        began = cpu(process.pid)
        spun = clients.ask("spin", 64, int(SPIN))
        cost = (cpu(process.pid) - began) / spun["polls"] * 1e6
        clients.end()
    finally:
        process.terminate()
        process.wait(10)
    return {"nginx_us": round(cost, 1)}


def cpu(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    spent = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(entry.name) == pid or int(fields[1]) == pid:
                spent += sum(map(int, fields[11:13])) / TICK
    return spent


def resident(pid: int) -> int:
    """Memory of a process, in kB."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])


def refusals(port: int) -> dict[str, int]:
    """What the server counted, by reason."""
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=20).text.splitlines()
    name = "broadcaster_screen_refusals_total{reason="
    found = [line.removeprefix(name).split("} ") for line in lines if line.startswith(name)]
    return {reason.strip('"'): int(float(count)) for reason, count in found}


if __name__ == "__main__":
    main()
