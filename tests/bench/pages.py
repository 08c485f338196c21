"""The time a page takes at the size of the city: `python -m tests.bench.pages [--json] [--keep FOLDER]`.

644 bodies, 5,000 alerts and 1,000,000 subscribers unless told otherwise. Each page that the router knows
without a parameter is asked for, and those of one alert, body, screen and so on; by someone who is signed
in, over loopback, one request after another. `first` is the very first one, with nothing remembered.
"""

import http.client
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from broadcaster.account import Role
from broadcaster.engines.embedded import PostgresServer
from broadcaster.process.memory import PAGES, settle
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings
from broadcaster.web import docs, pages, player_page, scorecard
from broadcaster.web.citizen.routers import ROUTERS as CITIZEN_ROUTERS
from broadcaster.web.console.routers import ROUTERS as CONSOLE_ROUTERS
from tests.bench import table
from tests.bench.pages_town import CITY, build
from tests.processes import passable_folder
from tests.site import PASSWORD, PHUC_XA, Site, site

LIMIT = 50.0
"""Milliseconds that 95 of 100 answers may take."""
_KEPT = timedelta(hours=4)
"""A town is good for so long: after six hours nothing is live in it."""
_NO_PAGES = frozenset({"/console/live", "/console/sso", "/console/sso/callback"})
_FILTERED = (
    "/console/alerts?words=ngap+ung",
    "/console/alerts?words=khong+co+dau",
    "/console/alerts?standing=live",
    "/console/alerts?body=ubnd-00001&category=ngap_ung",
    "/console/cadence?level=3",
    "/console/cadence?state=overdue",
    "/console/cadence?words=phuc+xa",
    "/console/audit?body=ubnd-00001",
    "/alerts?when=past",
    "/alerts?when=past&area=00001",
    "/alerts?when=past&words=khong+co+dau",
)
"""With filters, which ask for more than the page alone."""


@dataclass
class Visitor:
    """Someone at a browser, as far as time is concerned."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict[str, str])
    _kept: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        """The status and the body as it came over the wire."""
        self._kept = self._kept or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Accept": "text/html", "Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._kept.request(method, path, body, headers)
        answer = self._kept.getresponse()
        said = answer.read()
        for each in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = each.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, said

    def sign_in(self, hanoi: Site, account: str) -> None:
        """By password and code."""
        self.ask("GET", "/console/sign-in")
        given = {"account": account, "password": PASSWORD, "code": hanoi.code(), "next": ""}
        status, _ = self.ask("POST", "/console/sign-in", urlencode(given))
        if status != http.client.SEE_OTHER:
            sys.exit(f"bench.pages: {account} was not let in ({status})")


def paths(house: House) -> Iterator[str]:
    """Every page there is, once."""
    singles = (pages.router, scorecard.router, player_page.router, docs.router)
    known: set[str] = set()
    given = _given(house)
    for router in (*singles, *CITIZEN_ROUTERS, *CONSOLE_ROUTERS):
        for route in router.routes:
            path, methods = getattr(route, "path", ""), getattr(route, "methods", None) or ()
            if "GET" not in methods or path in _NO_PAGES or path in known:
                continue
            known.add(path)
            made = re.sub(r"\{(\w+)\}", lambda found: given.get(found[1], "{}"), path)
            if "{}" not in made and "." not in made:
                yield made
    yield from _FILTERED


def _given(house: House) -> dict[str, str]:
    with house.pool.connection() as conn:
        biggest = "SELECT alert_id FROM board_alerts WHERE issuer_id = %s ORDER BY position DESC LIMIT 1"
        alert = conn.execute(biggest, (CITY,)).fetchone()
    return {
        "alert_id": str(alert[0]) if alert else "{}",
        "body": PHUC_XA,
        "body_id": PHUC_XA,
        "screen_id": str(UUID(int=1)),
        "token": "none",
        "lang": "vi",
    }


def timed(visitor: Visitor, path: str, requests: int, engine: Callable[[], float]) -> dict[str, Any]:
    """A row of the table: milliseconds, and the kilobytes that went over the wire.

    `engine` answers the CPU seconds that PostgreSQL has spent so far.
    """
    took: list[float] = []
    busy: list[float] = []
    status, said, asked = 0, b"", 0.0
    for number in range(requests + 1):
        began, spent = time.perf_counter(), time.process_time()
        status, said = visitor.ask("GET", path)
        took.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (time.process_time() - spent))
        if not number:
            asked = engine()
    asked = engine() - asked
    first, rest, worked = took[0], sorted(took[1:]), sorted(busy[1:])
    at = min(len(rest) - 1, int(0.95 * len(rest)))
    return {
        "page": path,
        "status": status,
        "kB": round(len(said) / 1000, 1),
        "first_ms": round(first, 1),
        "median_ms": round(rest[len(rest) // 2], 1),
        "p95_ms": round(rest[at], 1),
        "cpu_ms": round(sum(worked) / requests, 1),
        "cpu95_ms": round(worked[at], 1),
        "db_ms": round(1000 * asked / requests, 1),
        "over": "over" if rest[at] > LIMIT else "",
    }


def measure(database: str, asked: Any, engine: Callable[[], float], built: dict[str, float]) -> None:
    """Asks for every page of a town that stands."""
    # As every role does when it starts: the collector's walks were what every tenth page waited for.
    settle(PAGES)
    with site(database) as hanoi:
        hanoi.stop()
        hanoi.more = {"lanes": tuple}
        hanoi.start()
        for role in Role:
            hanoi.house.setup.grant(SYSTEM, asked.account, CITY, role, at=clock())
        visitor = Visitor(hanoi.port)
        visitor.sign_in(hanoi, asked.account)
        wanted = [path for path in paths(hanoi.house) if asked.only in path]
        rows = [timed(visitor, path, asked.requests, engine) for path in wanted]
    rows.sort(key=lambda row: -row["p95_ms"])
    size = {"subscribers": asked.subscribers, "alerts": asked.alerts, "requests": asked.requests}
    table.report("pages", rows, only_json=asked.json, **size, **built)


def town(server: PostgresServer, folder: Path, asked: Any) -> dict[str, float]:
    """Has the town stand in database `town`, built now unless a kept one will do; the seconds that took."""
    note = folder / "town.json"
    wanted = {"subscribers": asked.subscribers, "alerts": asked.alerts}
    kept = json.loads(note.read_text()) if note.exists() else {}
    if kept.get("size") == wanted and clock() < datetime.fromisoformat(kept["at"]) + _KEPT:
        return kept["took"]
    note.unlink(missing_ok=True)
    afresh(server, "town", None)
    with House.open(Settings.from_env({"BROADCASTER_DATABASE_URL": server.url_of("town")})) as house:
        took = build(house, folder, asked.subscribers, asked.alerts)
    note.write_text(json.dumps({"size": wanted, "at": clock().isoformat(), "took": took}))
    return took


def afresh(server: PostgresServer, name: str, model: str | None) -> None:
    made = SQL("CREATE DATABASE {}").format(Identifier(name))
    if model:
        made += SQL(" TEMPLATE {} STRATEGY file_copy").format(Identifier(model))
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
        conn.execute(made)


def _spent(server: PostgresServer) -> Callable[[], float]:
    """CPU seconds of the sessions of a server that are open now."""
    pid = int((server.home.cluster / "postmaster.pid").read_text().split()[0])
    tick = os.sysconf("SC_CLK_TCK")

    def spent() -> float:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(map(_busy, children)) / tick

    return spent


def _busy(pid: str) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields[11]) + int(fields[12])


def main() -> None:
    parser = table.parser(__doc__)
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--alerts", type=int, default=5000)
    parser.add_argument("--requests", type=int, default=40, help="for each page")
    parser.add_argument("--account", default="quan", help="who looks: one of tests/site.py")
    parser.add_argument("--only", default="", help="pages with this in their address")
    parser.add_argument("--keep", type=Path, help="a folder for the town, to be looked at again")
    asked = parser.parse_args()
    with passable_folder() as passing:
        folder: Path = asked.keep or passing
        folder.mkdir(parents=True, exist_ok=True)
        with PostgresServer(folder / "engine", durable=False) as server:
            built = town(server, folder, asked)
            # What is looked at is a copy: signing in and granting leave no mark on a town that is kept.
            afresh(server, "bench", "town")
            measure(server.url_of("bench"), asked, _spent(server), built)


if __name__ == "__main__":
    main()
