"""A city that taps its notification: `python -m tests.bench.citizens [--json] [--keep FOLDER]`.

The web role as a process of its own over loopback, a crowd in another, each case bounded in count and in
seconds. For each: requests a second, CPU microseconds of the server a request, and, meanwhile, the 95th
percentile of a page of the console and of a screen's poll, asked for by one reader each.
"""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from broadcaster.account import Role
from broadcaster.accounts import codes
from broadcaster.engines.embedded import PostgresServer
from broadcaster.keys.feed import FeedKey
from broadcaster.keys.rows import KeyKind
from broadcaster.process.memory import PAGES, settle
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings
from broadcaster.web.feeds.polls import FEED_PATH
from tests.bench import pages, pages_town, table
from tests.bench.pages import Visitor
from tests.bench.pages_town import CITY
from tests.bench.screens import cpu, serving
from tests.processes import passable_folder
from tests.site import PASSWORD, SECRET

STAFF = "quan"
EVERY = 0.05
"""Seconds between what staff and a screen ask for beside the crowd."""
GZIP = {"Accept": "text/html", "Accept-Encoding": "gzip"}
PLAIN = {"Accept": "text/html"}


class Beside(threading.Thread):
    """Someone who asks for one page again and again, while others do."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self._port, self._path, self._headers = port, path, headers
        self._over = threading.Event()
        self.took: list[float] = []
        self.bad = 0

    def run(self) -> None:
        kept = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._over.wait(EVERY):
            began = time.perf_counter()
            kept.request("GET", self._path, headers=self._headers)
            answer = kept.getresponse()
            answer.read()
            self.took.append(1000 * (time.perf_counter() - began))
            self.bad += answer.status != http.client.OK
        kept.close()

    def end(self) -> float:
        """The 95th percentile, in milliseconds."""
        self._over.set()
        self.join()
        if self.bad:
            sys.exit(f"bench.citizens: {self._path} was not answered ({self.bad})")
        found = sorted(self.took) or [0.0]
        return found[int(0.95 * len(found))]


def cases(port: int, alert: str) -> list[tuple[str, list[str], dict[str, str], bool]]:
    """A name, what is asked for, the headers, and whether each dials anew."""
    page = f"/alerts/{alert}"
    css = _first_file(port)

    return [
        ("alert, plain", [page], PLAIN, False),
        ("alert, gzip", [page], GZIP, False),
        ("alert, gzip, new connection", [page], GZIP, True),
        ("alert, unchanged", [page], GZIP, False),
        ("alert in English", [f"{page}?lang=en"], GZIP, False),
        ("home, gzip", ["/"], GZIP, False),
        ("home, unchanged", ["/"], GZIP, False),
        ("list, gzip", ["/alerts"], GZIP, False),
        ("CAP, gzip", [f"/v1/alerts/{alert}.cap"], GZIP, False),
        ("Atom, gzip", ["/v1/feeds/cap.atom"], GZIP, False),
        ("Atom, unchanged", ["/v1/feeds/cap.atom"], GZIP, False),
        ("my areas' alerts", ["/my/alerts.json?area=00001&lang=vi"], GZIP, False),
        ("style", [css], GZIP, False),
        ("no such alert", ["/alerts/{id}"], GZIP, False),
        ("no such page", ["/wp-login.php"], GZIP, False),
        ("a phone that taps", [page, css, css.replace("site.css", "mark.svg")], GZIP, True),
    ]


def _answer(port: int, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    kept.request("GET", path, headers=GZIP)
    answer = kept.getresponse()
    said = answer.read()
    kept.close()
    return answer, said


def _tag(port: int, path: str) -> str:
    return _answer(port, path)[0].headers.get("etag", "")


def _first_file(port: int) -> str:
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    kept.request("GET", "/accessibility", headers=PLAIN)
    said = kept.getresponse().read().decode()
    kept.close()
    return next(part for part in said.split('"') if part.endswith("site.css"))


def measure(port: int, pid: int, alert: str, key: str, asked: Any) -> list[dict[str, Any]]:
    """A row for each case."""
    staff = Visitor(port)
    staff.ask("GET", "/console/sign-in")
    given = {"account": STAFF, "password": PASSWORD, "code": codes.code(SECRET, clock()), "next": ""}
    status, _ = staff.ask("POST", "/console/sign-in", urlencode(given))
    if status != http.client.SEE_OTHER:
        sys.exit(f"bench.citizens: {STAFF} was not let in ({status})")
    cookies = "; ".join(f"{name}={value}" for name, value in staff.cookies.items())
    console = {"Accept": "text/html", "Accept-Encoding": "gzip", "Cookie": cookies}
    argv = [sys.executable, "-m", "tests.bench.crowd", str(port)]
    crowd = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert crowd.stdin
    assert crowd.stdout
    rows: list[dict[str, Any]] = []
    a_page = 0.0
    nobody: list[tuple[str, list[str], dict[str, str], bool]] = [("nobody", ["/healthz"], {}, False)]
    for name, paths, headers, fresh in nobody + cases(port, alert):
        if asked.only not in name and name != "nobody":
            continue
        # Of now: a page says as of which minute it stands.
        tags = {"If-None-Match": _tag(port, paths[0])} if "unchanged" in name else {}
        told = {"paths": paths, "headers": headers | tags, "clients": asked.clients, "fresh": fresh}
        told |= {"seconds": asked.seconds, "most": 0 if name == "nobody" else asked.most}
        beside = [Beside(port, "/console/alerts", console)]
        beside.append(Beside(port, FEED_PATH, {"Authorization": f"Bearer {key}"}))
        for each in beside:
            each.start()
        began = cpu(pid)
        crowd.stdin.write(json.dumps(told) + "\n")
        crowd.stdin.flush()
        if name == "nobody":
            time.sleep(asked.seconds)
        found = json.loads(crowd.stdout.readline())
        spent = cpu(pid) - began
        page, poll = (each.end() for each in beside)
        count, pages_read = found["requests"], len(beside[0].took)
        if name == "nobody":
            a_page = spent / max(1, pages_read)
        # Without what staff and the screen cost when nobody else asks.
        own = max(0.0, spent - a_page * pages_read)
        rows.append(
            {
                "case": name,
                "requests": count,
                "per_s": round(found["per_s"]),
                "us": round(own / count * 1e6, 1) if count else 0.0,
                "p95_ms": round(found["p95_ms"], 1),
                "console_p95_ms": round(page, 1),
                "poll_p95_ms": round(poll, 1),
                "cpu_s": round(spent, 2),
                "statuses": " ".join(f"{code}:{many}" for code, many in found["statuses"].items()),
            }
        )
    crowd.stdin.close()
    crowd.wait(30)
    return rows


def main() -> None:
    parser = table.parser(__doc__)
    parser.add_argument("--subscribers", type=int, default=2_000)
    parser.add_argument("--alerts", type=int, default=600)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0, help="that a case may take")
    parser.add_argument("--most", type=int, default=20_000, help="requests that a case may make")
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--keep", type=Path, help="a folder for the town, to be looked at again")
    asked = parser.parse_args()
    settle(PAGES)
    with passable_folder() as passing:
        folder: Path = asked.keep or passing
        folder.mkdir(parents=True, exist_ok=True)
        with PostgresServer(folder / "engine", durable=False) as server:
            pages.town(server, folder, asked)
            # What is looked at is a copy, as for the pages.
            pages.afresh(server, "bench", "town")
            url, data = server.url_of("bench"), passing / "data"
            data.mkdir()
            with House.open(Settings.from_env({"BROADCASTER_DATABASE_URL": url}, data=data)) as house:
                FeedKey.kept(house.settings.feed_key_path)
                house.desk.accounts.create(STAFF, PASSWORD, SECRET, SYSTEM.account, clock())
                for role in Role:
                    house.setup.grant(SYSTEM, STAFF, CITY, role, at=clock())
                screen = f"screen:{UUID(int=1)}"
                _, key = house.keys.create(screen, None, KeyKind.SCREEN, clock())
                pages_town.follow(house)
                with serving(url, data, "web") as (pid, port):
                    rows = measure(port, pid, _grave(house), key, asked)
    size = {"alerts": asked.alerts, "clients": asked.clients, "load": os.getloadavg()[0]}
    table.report("citizens", rows, only_json=asked.json, **size)


def _grave(house: House) -> str:
    """The alert that the whole city is told of."""
    with house.pool.connection() as conn:
        found = conn.execute(
            "SELECT alert_id FROM board_alerts WHERE issuer_id = %s ORDER BY position DESC LIMIT 1", (CITY,)
        ).fetchone()
    assert found
    return str(found[0])


if __name__ == "__main__":
    main()
