"""When it is over: what everyone has, against what the oracle says. Each disagreement is a line."""

import json
import re
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.local_time import HANOI
from tests.bench.stage import memory
from tests.typhoon.week import Week
from tests.waiting import until

FINALS = ("accepted", "gone", "refused", "dead", "expired", "superseded")
LOST = ("dead", "expired", "superseded")
TROUBLE = re.compile(r"\[error|\[critical|Traceback|\"level\": ?\"(error|critical)\"")
Key = tuple[str, int, str]
"""An alert, its version, a channel."""


class Reckoning:
    """Asked once, when nothing is on its way any more."""

    def __init__(self, week: Week) -> None:
        self._week, self._town, self._oracle = week, week.town, week.oracle
        self.figures: dict[str, Any] = {}

    def settle(self, seconds: float = 300) -> None:
        """Until no recipient is without an outcome. Raises TimeoutError."""
        until(self._settled, seconds=seconds)

    def _settled(self) -> bool:
        totals = self._town.read("/v1/reach")["channels"].values()
        drills = [told for told in self._oracle.alerts.values() if told.content.get("mode")]
        rows = [row["totals"] for told in drills for row in self._reach(told.id)]
        return not any(each["in_flight"] for each in (*totals, *rows))

    def _reach(self, alert: str) -> list[dict[str, Any]]:
        return self._town.read(f"/v1/alerts/{alert}/reach")["channels"]

    def all(self) -> list[str]:
        """Every disagreement."""
        parts = (self._phones, self._screens, self._cadence, self._audit, self._logs, self._letters)
        return [*self._week.offices.faults, *(line for part in parts for line in part())]

    # --- phones -----------------------------------------------------------------------------------

    def _received(self) -> tuple[dict[Key, Counter[int]], list[str]]:
        """By alert, version and channel, who was given it how often; and what nobody can place."""
        found: defaultdict[Key, Counter[int]] = defaultdict(Counter)
        strange: list[str] = []
        last: dict[tuple[int, str, str], int] = {}
        for channel, mark, alert, version in self._lines():
            owner = self._week.people.owners.get((channel, mark))
            if owner is None:
                strange.append(f"{channel}: {alert} {version} to {mark}, who is nobody")
                continue
            found[alert, version, channel][owner] += 1
            if last.get((owner, alert, channel), 0) > version:
                strange.append(f"{channel}: {owner} got {alert} {version} after a later one")
            last[owner, alert, channel] = max(version, last.get((owner, alert, channel), 0))
        return found, strange

    def _lines(self) -> Iterator[tuple[str, str, str, int]]:
        for mark, alert, version in self._town.journal("fcm"):
            yield "push", mark, alert, int(version)
        for reference, mark, total, part in self._town.journal("smsc"):
            alert, _, version = reference.partition("/")
            if part == total:
                yield "sms", mark, alert, int(version)

    def _phones(self) -> Iterator[str]:
        received, strange = self._received()
        yield from strange
        expected = self._oracle.expected()
        ledger = {
            (told.id, row["version"], row["channel"]): row["totals"]
            for told in self._oracle.alerts.values()
            for row in self._reach(told.id)
            if row["channel"] != "led"
        }
        for key in received.keys() - expected.keys():
            yield f"{key}: {len(received[key])} got what was for nobody"
        for key in (ledger.keys() | expected.keys()) - (ledger.keys() & expected.keys()):
            yield f"{key}: an audience that only one of oracle and ledger has"
        for key in expected.keys() & ledger.keys():
            yield from self._one(key, expected[key], received.get(key, Counter()), ledger[key])
        self.figures["accepted"] = sum(len(who) for who in received.values())
        self.figures["audiences"] = len(expected)
        self.figures["twice"] = sum(sum(who.values()) - len(who) for who in received.values())
        self.figures["unknown"] = sum(totals["unknown"] for totals in ledger.values())
        self.figures |= {name: sum(totals[name] for totals in ledger.values()) for name in FINALS}
        yield from self._latest(received)

    def _one(self, key: Key, wanted: set[int], got: Counter[int], totals: dict[str, int]) -> Iterator[str]:
        told, people = self._oracle.alerts[key[0]], self._oracle.people
        audience = told.audiences[key[1], key[2]]
        least = sum(not people[each].fated for each in audience)
        what = f"{key} ({told.body}, {told.content['severity']}, {told.content.get('incident', '')})"
        if not least <= totals["audience"] <= len(audience):
            yield f"{what}: audience {totals['audience']}, oracle {least} to {len(audience)}"
        if totals["audience"] != sum(totals[name] for name in FINALS):
            yield f"{what}: the outcomes do not add up: {totals}"
        if totals["accepted"] != len(got):
            yield f"{what}: {totals['accepted']} accepted, {len(got)} received"
        if more := got.keys() - wanted:
            yield f"{what}: {len(more)} got it who should not: {sorted(more)[:5]}"
        missing = {each for each in wanted - got.keys() if not people[each].left}
        lost = sum(totals[name] for name in LOST)
        if len(missing) > lost:
            some = sorted(missing)[:5]
            yield f"{what}: {len(missing)} did not get it, the ledger has {lost}: {some} {totals}"
        if (twice := sum(got.values()) - len(got)) > totals["unknown"]:
            yield f"{what}: {twice} twice, {totals['unknown']} owned up to"

    def _latest(self, received: dict[Key, Counter[int]]) -> Iterator[str]:
        """Whoever got any version of an alert got its last word, on each channel it went."""
        for told in self._oracle.alerts.values():
            for channel in ("push", "sms"):
                last = (told.version, channel)
                if last not in told.audiences:
                    continue
                final = received.get((told.id, *last), Counter())
                for version in range(1, told.version):
                    had = received.get((told.id, version, channel), Counter()).keys()
                    bereft = {each for each in had - final.keys() if not self._oracle.people[each].left}
                    if bereft and not self._oracle.mute(told, told.version, channel):
                        yield (
                            f"{told.id} {channel}: {len(bereft)} got version {version}"
                            f" and never the last, {told.version} ({told.life})"
                        )

    # --- screens, cadence, audit ------------------------------------------------------------------

    def _screens(self) -> Iterator[str]:
        for number, screen in enumerate(self._town.screens):
            wanted = self._oracle.feed(screen.area, drills=screen.drills)

            def agrees(screen: Any = screen, wanted: Any = wanted) -> bool:
                return self._town.poll(screen) and (screen.on, screen.off) == wanted

            try:
                until(agrees)
            except TimeoutError:
                on, off = wanted
                yield (
                    f"screen {number} in {screen.area}: too many {sorted(screen.on - on)}, too few "
                    f"{sorted(on - screen.on)}; withdrawn {sorted(screen.off ^ off)}"
                )
            for fall in screen.fell:
                yield f"screen {number}: the feed's number fell {fall}"

    def _cadence(self) -> Iterator[str]:
        for body in self._town.bodies:
            if not self._week.is_open(body):
                continue
            stands, items = self._town.read(f"/v1/cadence/{body}"), self._oracle.items(body)
            last = items[-1] if items else None
            counted = (stands["items_30d"], stands["last_item"])
            if counted != (len(items), last):
                yield f"cadence of {body}: {counted}, oracle {len(items)} {last}"
            if stands["state"] != "ok":
                yield f"cadence of {body}: {stands['state']}"
            if stands["last_item_at"]:
                day = datetime.fromisoformat(stands["last_item_at"]).astimezone(HANOI).date()
                due = datetime.fromisoformat(stands["due_at"]).astimezone(HANOI)
                if due != datetime.combine(day + timedelta(days=4), due.min.time(), HANOI):
                    yield f"cadence of {body}: due {due} after an item on {day}"

    def _audit(self) -> Iterator[str]:
        entries: list[dict[str, Any]] = []
        before = ""
        while True:
            page = self._town.read(f"/v1/audit?limit=500{before}")
            entries += page["entries"]
            if page["before"] is None:
                break
            before = f"&before={page['before']}"
        found: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        refusals = defaultdict[str, list[str]](list)
        for entry in entries:
            if entry["topic"] == "attempt.refused":
                refusals[entry["account"]].append(entry["summary"])
            elif entry["topic"].startswith("alert.") and not entry["account"].startswith("system"):
                found[entry["alert_id"]][entry["topic"], entry["account"]] += 1
        for alert in found.keys() | self._oracle.acts.keys():
            done = self._oracle.acts.get(alert, Counter[tuple[str, str]]())
            if found[alert] != done:
                yield f"audit of {alert}: {dict(found[alert])}, oracle {dict(done)}"
        asked = Counter[str]()
        for (account, _), times in self._oracle.refused.items():
            asked[account] += times
        for account in asked.keys() | refusals.keys():
            told = refusals.get(account, [])
            if len(told) < asked[account] or (asked[account] == 0 and told):
                yield f"refusals of {account}: {asked[account]} asked, on record {told}"
        self.figures["entries"] = len(entries)

    # --- proof ------------------------------------------------------------------------------------

    def proof(self, folder: Path) -> Iterator[str]:
        """The chain, and the evidence of some alerts, checked by the script in the bundle."""
        key = self._town.run("checkpoint", "key").stdout
        (folder / "public.pem").write_text(key)
        self._town.run("checkpoint", "now")
        for number, alert in enumerate(self._notable()):
            bundle = folder / f"case-{number}.zip"
            made = self._town.run("evidence", alert, "--out", str(bundle), "--whole")
            if made.returncode:
                yield f"evidence of {alert}: {made.stderr}"
                continue
            with zipfile.ZipFile(bundle) as archive:
                (folder / "verify.py").write_bytes(archive.read("verify.py"))
            argv = [sys.executable, "-I", "verify.py", bundle.name, "--public-key", "public.pem"]
            said = subprocess.run(
                argv, cwd=folder, capture_output=True, text=True, check=False, timeout=120
            )
            if said.returncode:
                told = f"{said.stdout[-1500:]}{said.stderr[-500:]}"
                yield f"evidence of {alert}: exit {said.returncode}: {told}"
        verdict = self._town.run("log", "verify")
        if verdict.returncode:
            yield f"chain: {verdict.stderr}"
        self.figures["log"] = verdict.stdout.strip()

    def _notable(self) -> list[str]:
        """The one of most versions, and one on a right that was lent."""
        told = list(self._oracle.alerts.values())
        lent = [each for each in told if each.body == "ubnd-00001" and "00007" in each.content["areas"]]
        return [each.id for each in (max(told, key=lambda each: each.version), *lent[:1])]

    # --- what the house said of itself ------------------------------------------------------------

    def _logs(self) -> Iterator[str]:
        errors: list[str] = []
        for file in sorted((self._town.settings.data / "log").glob("*.log")):
            lines = file.read_text(errors="replace").splitlines()
            errors += [
                f"{file.stem}: {line[:300]} ... {line[-900:]}" for line in lines if TROUBLE.search(line)
            ]
        self.figures["log_errors"] = len(errors)
        self.figures["answers_repeated"] = len(self._town.tries)
        yield from (f"log: {line}" for line in errors[:20])

    def _letters(self) -> Iterator[str]:
        letters = self._town.read("/v1/dead-letters")
        self.figures["dead_letters"] = len(letters.get("letters", letters))
        phones, sent = self._week.firsts, self._week.offices.issued_at
        # A last phone may be one that was spared it for a graver alert, and told once that was over.
        for name, seen in (("first_phone_s", phones.seen), ("last_phone_s", phones.last)):
            took = sorted(seen[key] - at for key, at in sent.items() if key in seen)
            if took:
                self.figures[name] = {
                    "median": round(took[len(took) // 2], 2),
                    "p95": round(took[int(len(took) * 0.95)], 2),
                    "worst": round(took[-1], 2),
                }
        self.figures["memory_mb"] = memory(self._town.settings.data)
        files = {
            unit: len(list(Path(f"/proc/{pid}/fd").iterdir())) for unit, pid in self._town.pids().items()
        }
        self.figures["files_open"] = files
        yield from ()

    def tell(self) -> str:
        """The figures as one line."""
        return json.dumps(self.figures, ensure_ascii=False)
