"""The week: beats of bulletins by all bodies at once, with whatever the weather does to the house."""

import random
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from broadcaster import providers
from broadcaster.runtime import clock
from schemas.local_time import HANOI
from tests.typhoon import register
from tests.typhoon.offices import Offices, Pocket, content
from tests.typhoon.oracle import Oracle, Told
from tests.typhoon.people import People
from tests.typhoon.register import AFTER, BEFORE
from tests.typhoon.town import FirstPhones, Screen, Town
from tests.waiting import until

DISTRICTS = ("001", "003", "006")
STORM = ("bch-pctt", *(f"ubnd-{code}" for code in DISTRICTS))
CITY = ("ubnd-tp", "evnhanoi", "so-gtvt", "bo-tu-lenh")
PROFILES = ("m96x32-1", "m128x64-1", "lcd1920")
CATEGORIES = ("mua_lon", "ngap_ung", "mat_dien", "giao_thong", "cay_xanh", "tuyen_truyen")
KINDS = {
    "commune": 30,
    "storm": 20,
    "city": 10,
    "district": 8,
    "drill": 6,
    "nothing": 5,
    "template": 4,
    "brief": 4,
    "poor": 4,
    "phone": 4,
    "quiet": 3,
    "lent": 3,
}
"""Bulletins, and how common each is."""
ROLES = ("relay", "push", "sms", "push-emergency", "sms-emergency", "web", "follow")
SHORT, BRIEF = timedelta(seconds=45), timedelta(seconds=90)
"""How long such items live: longer than four steps take, in a house that is shaken, on a slow machine."""


@dataclass(frozen=True)
class Size:
    """How much of a week."""

    bulletins: int = 40
    people: int = 150
    screens: int = 8
    beats: int = 9

    @property
    def each(self) -> int:
        """New bulletins a beat."""
        return -(-self.bulletins // self.beats)


@dataclass
class Week:
    """One run of it. `play` goes through it, `oracle` is then what should have come of it."""

    town: Town
    size: Size
    seed: int
    oracle: Oracle = field(default_factory=Oracle)
    log: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.offices = Offices(self.town, self.oracle, self.chance)
        self.people = People(self.town, self.oracle, random.Random(self.seed + 1), communes())
        self.pockets = [Pocket(self.town, f"approver@{body}") for body in ("ubnd-001", "ubnd-tp")]
        self.firsts = FirstPhones(providers.sandbox_folder(self.town.settings) / "fcm" / "journal")
        self.stale: str = ""
        self.template = self.correction = ""
        self.quiet, self.poor = "ubnd-00091", "ubnd-00094"
        self.brief: list[Told] = []

    def close(self) -> None:
        """It is over."""
        self.firsts.stop()
        for pocket in self.pockets:
            pocket.close()

    # --- before it begins -------------------------------------------------------------------------

    def prepare(self) -> None:
        """Policies, budgets, delegations, templates, screens and people."""
        now = clock().astimezone(HANOI)
        for body in self.town.bodies:
            policy: dict[str, Any] = {}
            if body == self.quiet:
                span = [(now + timedelta(hours=hours)).strftime("%H:%M") for hours in (-1, 3)]
                policy = {"quiet_from": span[0], "quiet_until": span[1]}
            self.town.told(f"manager@{body}", "PUT", f"/v1/bodies/{body}/policy", policy)
        budget = {"segments": 0, "vnd": None}
        self.town.told("manager@ubnd-tp", "PUT", f"/v1/bodies/{self.poor}/sms-budget", budget)
        self.oracle.stopped.add(self.poor)
        given = {
            "grantor": "ubnd-001",
            "grantee": "ubnd-00001",
            "fields": ["ngap_ung"],
            "areas": ["001"],
            "ends_at": (clock() + timedelta(days=7)).isoformat(),
        }
        self.town.told("manager@ubnd-001", "POST", "/v1/delegations", given)
        self._templates()
        self._screens()
        self.people.register(self.size.people)
        for pocket in self.pockets:
            pocket.sign_in()

    def _templates(self) -> None:
        found = self.town.read("/v1/templates", "author@ubnd-00001")["templates"]
        self.template = next(each["id"] for each in found if each["name"].startswith("Ngập"))
        words = {
            "headline": "Tin truoc do co sai sot",
            "description": "Xin theo doi tin sau cua Ban chi huy.",
        }
        body = {
            "kind": "alert",
            "category": "mua_lon",
            "severity": "Moderate",
            "urgency": "Expected",
            "certainty": "Likely",
            "risk_level": 2,
            "texts": {"vi": words | {"sign_text": "DINH CHINH TIN TRUOC"}},
        }
        asked = {"issuer": "ubnd-tp", "name": "Dinh chinh", "purpose": "correction", "body": body}
        made = self.town.told("author@ubnd-tp", "POST", "/v1/templates", asked)
        self.correction = made["id"]
        path = f"/v1/templates/{self.correction}/approve"
        self.town.told("approver@ubnd-tp", "POST", path, {"version": 1})

    def _screens(self) -> None:
        places = [code for code in communes() if len(register.became()[code]) == 1]
        for number in range(self.size.screens):
            area, drills = places[number * 7 % len(places)], number % 5 == 4
            asked = {"name": f"Bang {number}", "area": area, "profile": PROFILES[number % len(PROFILES)]}
            made = self.town.told("manager@ubnd-tp", "POST", "/v1/screens", asked | {"drills": drills})
            self.town.screens.append(Screen(made["screen_id"], made["key"], area, drills))
        self.town.switch_on()

    # --- it goes on -------------------------------------------------------------------------------

    def play(self) -> None:
        """All beats."""
        weather = self._weather()
        for beat in range(self.size.beats):
            before = weather.get(beat)
            spell = threading.Thread(target=self._bear, args=(before,), name=f"weather-{beat}")
            chains = self._plan(beat)
            spell.start()
            self.offices.at_once(chains)
            spell.join()
            self._await_audiences()
            if beat == self.size.beats * 2 // 3:
                self._reorganise()
            self.people.live_on(4 + self.size.people // 400)
        for told in list(self.oracle.alerts.values()):
            if told.life == "live" and told.expires and told.expires < clock() + timedelta(minutes=3):
                self.offices.await_end(told)
        self._await_audiences()

    def _bear(self, spell: Callable[[], None] | None) -> None:
        if spell is not None:
            try:
                spell()
            except (TimeoutError, AssertionError) as error:
                self.offices.faults.append(f"weather: {error}")

    def _weather(self) -> dict[int, Callable[[], None]]:
        """What happens while which beat is on."""
        end = self.size.beats - 1
        spells: list[Callable[[], None]] = [
            lambda: self._line_lost(True),
            self._fcm_down,
            lambda: self.town.restart("postgres"),
            lambda: self._roll(ROLES[:4]),
            self._carrier_slow,
            lambda: self.town.restart("nats"),
            lambda: self._roll(ROLES[4:]),
            lambda: self._line_lost(False),
        ]
        return {1 + number * (end - 1) // (len(spells) - 1): spell for number, spell in enumerate(spells)}

    def _line_lost(self, lost: bool) -> None:
        for screen in self.town.screens[::2]:
            screen.cut_off = lost

    def _fcm_down(self) -> None:
        self.town.behave("fcm", errors={"UNAVAILABLE": 1.0}, retry_after="1")
        self._later(3.0, lambda: self.town.behave("fcm", latency_ms=20))

    def _carrier_slow(self) -> None:
        self.town.behave("smsc", throttle_share=0.5, latency_ms=30)
        self._later(2.0, lambda: self.town.behave("smsc"))

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        threading.Event().wait(seconds)
        what()

    def _roll(self, units: tuple[str, ...]) -> None:
        for unit in units:
            self.town.restart(unit)

    def _reorganise(self) -> None:
        body = "ubnd-00010"
        said = content(self.offices.number(), ["00010"], "ngap_ung")
        self.stale = self.offices.draft(body, said)
        self.offices.do(f"author@{body}", self.stale, "submit", "alert.submitted")
        done = self.town.run("areas", "reorganise", AFTER, "--apply", "--yes")
        assert done.returncode == 0, done.stderr
        self.log.append(done.stderr.strip().replace("\n", "; "))
        self.oracle.reorganised()
        for screen in self.town.screens:
            (screen.area,) = register.became()[screen.area]
        self._await_moved()

    def _await_moved(self) -> None:
        person = next(each for each in self.oracle.people.values() if not each.left and not each.fated)
        headers = {"Authorization": f"Bearer {person.device}.{person.secret}"}

        def moved() -> bool:
            return self.town.ask("GET", "/v1/devices/me", headers=headers).json()["edition"] == AFTER

        until(moved)

    def _await_audiences(self) -> None:
        """Until the house has fixed whom all this was for: from then on people may move."""
        versions, self.offices.versions = self.offices.versions, []
        wanted = {
            (told.id, version, channel): sum(not self.oracle.people[each].fated for each in who)
            for told in self.oracle.alerts.values()
            if {(told.id, version) for version in range(1, told.version + 1)} & set(versions) or told.spared
            for (version, channel), who in told.audiences.items()
        }
        for alert in {alert for alert, _, _ in wanted}:
            mine = {(v, c): least for (a, v, c), least in wanted.items() if a == alert}

            def there(alert: str = alert, mine: dict[tuple[int, str], int] = mine) -> bool:
                rows = self.town.read(f"/v1/alerts/{alert}/reach")["channels"]
                found = {(row["version"], row["channel"]): row["totals"]["audience"] for row in rows}
                return all(found.get(key, -1) >= least for key, least in mine.items())

            try:
                until(there, seconds=180)
            except TimeoutError:
                rows = self.town.read(f"/v1/alerts/{alert}/reach")["channels"]
                found = {(r["version"], r["channel"]): r["totals"]["audience"] for r in rows}
                self.offices.faults.append(f"audience of {alert}: {found}, expected {mine}")

    # --- what is sent -----------------------------------------------------------------------------

    def _plan(self, beat: int) -> dict[str, list[Callable[[], None]]]:
        """Of each body what it does in this beat, in order; those of the storm take turns."""
        chains: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)
        for told in self.offices.live(of=lambda each: each.body not in STORM):
            if self.chance.random() < 0.25 and self.is_open(told.body):
                chains[told.body].append(self._follow_up(told))
        for _ in range(self.size.each):
            body, job = self._new()
            chains["storm" if body in STORM else body].append(job)
        storm = self.offices.live(of=lambda each: each.body in STORM)
        for told in self.chance.sample(storm, min(len(storm), 2)):
            chains["storm"].append(self._escalate(told))
        if beat == 1:
            chains["storm"].append(self._short_storm)
        if self.stale:
            chains["ubnd-00010"].append(self._try_stale)
        self._rebels(chains)
        return chains

    def is_open(self, body: str) -> bool:
        """Whether it is still there."""
        code = body.removeprefix("ubnd-")
        return (
            self.oracle.edition == BEFORE or not code.isdecimal() or code in register.edition(AFTER).parents
        )

    def _new(self) -> tuple[str, Callable[[], None]]:
        offices, chance, number = self.offices, self.chance, self.offices.number()
        (kind,) = chance.choices(tuple(KINDS), tuple(KINDS.values()))
        commune = chance.choice(
            [
                each
                for each in self.town.bodies
                if len(each) == len("ubnd-00001") and each.startswith("ubnd-") and self.is_open(each)
            ]
        )
        own, category = [commune.removeprefix("ubnd-")], chance.choice(CATEGORIES)
        severity = chance.choice(("Minor", "Moderate", "Severe"))
        usual = chance.choice(("alert", "bulletin"))
        detour = chance.random() < 0.1
        match kind:
            case "storm":
                return self._storm(number)
            case "district" | "phone":
                body = "ubnd-001" if kind == "phone" else f"ubnd-{chance.choice(DISTRICTS)}"
                areas = chance.sample(self._below(body), 3) if chance.random() < 0.5 else [body[5:]]
                said = content(number, areas, category, severity, kind=usual)
                pocket = self.pockets[0] if kind == "phone" else None
                return body, lambda: void(offices.send(body, said, pocket=pocket))
            case "city":
                body = chance.choice(CITY[:3])
                field_ = {"evnhanoi": "mat_dien", "so-gtvt": "giao_thong"}.get(body, category)
                areas = ["01"] if chance.random() < 0.3 else chance.sample([*DISTRICTS, "004", "005"], 2)
                said = content(number, areas, field_, severity, kind=usual)
                pocket = self.pockets[1] if body == "ubnd-tp" and chance.random() < 0.5 else None
                return body, lambda: void(offices.send(body, said, pocket=pocket))
            case "drill":
                body = chance.choice(("ubnd-tp", commune))
                areas = ["01"] if body == "ubnd-tp" else own
                said = content(number, areas, category, severity, mode=chance.choice(("exercise", "test")))
                return body, lambda: void(offices.send(body, said))
            case "template":
                return commune, lambda: offices.from_template(commune, self.template, own)
            case "nothing":
                return commune, lambda: offices.nothing_to_report(commune)
            case "lent" if self.oracle.edition == BEFORE:
                said = content(number, ["00004", "00007"], "ngap_ung", severity)
                return "ubnd-00001", lambda: void(offices.send("ubnd-00001", said))
            case "brief":
                return commune, lambda: self._brief(commune, content(number, own, category, severity))
            case "quiet":
                said = content(number, [self.quiet[5:]], category, severity, kind="bulletin")
                return self.quiet, lambda: void(offices.send(self.quiet, said))
            case "poor":
                roads = ["push", "sms", "led"]
                said = content(number, [self.poor[5:]], category, severity, kind=usual, channels=roads)
                return self.poor, lambda: void(offices.send(self.poor, said))
            case _:
                said = content(number, own, category, severity, kind=usual)
                return commune, lambda: void(offices.send(commune, said, detour=detour))

    def _below(self, body: str) -> list[str]:
        here = register.edition(self.oracle.edition)
        mine = {code for code in self.people.communes_of(here.name) if here.lies_in(code, [body[5:]])}
        return sorted(mine)

    def _storm(self, number: int) -> tuple[str, Callable[[], None]]:
        """Several bodies warn of the same typhoon, each graver than the other or not."""
        body = self.chance.choice(STORM)
        areas = (
            ["01"] if body == "bch-pctt" and self.chance.random() < 0.5 else [self.chance.choice(DISTRICTS)]
        )
        if body != "bch-pctt":
            areas = [body[5:]] if self.chance.random() < 0.6 else self.chance.sample(self._below(body), 2)
        severity, urgency = self.chance.choice(
            (
                ("Minor", "Future"),
                ("Moderate", "Expected"),
                ("Severe", "Expected"),
                ("Extreme", "Immediate"),
            )
        )
        more: dict[str, Any] = {"incident": "yagi-2024"} if self.chance.random() < 0.8 else {}
        if self.chance.random() < 0.1:
            more["mode"] = "exercise"
        said = content(number, areas, "bao", severity, urgency, **more)
        return body, lambda: void(self.offices.send(body, said))

    def _short_storm(self) -> None:
        """A grave warning of a minute's life over a lesser one: when it ends, the lesser one is heard."""
        lesser = content(self.offices.number(), ["006"], "bao", "Minor", incident="vo-de")
        end = (clock() + SHORT).isoformat()
        graver = content(self.offices.number(), ["006"], "bao", "Severe", incident="vo-de", expires_at=end)
        short = self.offices.send("ubnd-006", graver)
        self.offices.send("bch-pctt", lesser)
        self.offices.await_end(self.oracle.alerts[short])

    def _brief(self, body: str, said: dict[str, Any]) -> None:
        """Soon over: one is made to last longer, the next is tried too late and issued anew."""
        said["expires_at"] = (clock() + BRIEF).isoformat()
        told = self.oracle.alerts[self.offices.send(body, said)]
        if len(said["areas"][0]) == 5 and int(said["areas"][0]) % 2:
            longer = (clock() + timedelta(hours=2)).isoformat()
            self.offices.update(told, expires_at=longer)

    def _follow_up(self, told: Told) -> Callable[[], None]:
        offices, kind = self.offices, self.chance.random()
        ours, now = told.body == "ubnd-tp", told.edition == self.oracle.edition
        if ours and now and kind < 0.3 and told.content.get("mode", "actual") == "actual":
            return lambda: offices.correct(told, self.correction)
        if not now and told.body == "ubnd-00001":
            # The right it was lent lapsed with the edition: what stood on it can only be withdrawn.
            return lambda: offices.cancel(told)
        if kind < 0.35:
            return lambda: offices.cancel(told, in_error=kind < 0.15)
        if kind < 0.5:
            return lambda: offices.update(told, severity="Extreme", urgency="Immediate", kind="alert")
        later = (clock() + timedelta(hours=3)).isoformat()
        return lambda: offices.update(told, corrects=kind < 0.7, expires_at=later)

    def _escalate(self, told: Told) -> Callable[[], None]:
        kind = self.chance.random()
        if kind < 0.45:
            return lambda: self.offices.cancel(told, in_error=kind < 0.1)
        severity, urgency = self.chance.choice(
            (("Minor", "Future"), ("Severe", "Expected"), ("Extreme", "Immediate"))
        )
        return lambda: self.offices.update(told, severity=severity, urgency=urgency)

    def _try_stale(self) -> None:
        """What was submitted in codes of before may not go out; its body is closed besides."""
        stale, self.stale = self.stale, ""
        self.offices.refused("approver@ubnd-00010", f"/v1/alerts/{stale}/approve")
        said = content(self.offices.number(), ["00001"], "ngap_ung")
        self.offices.refused("author@ubnd-00010", "/v1/alerts", {"issuer": "ubnd-00010", "content": said})
        lent = content(self.offices.number(), ["00004"], "ngap_ung")
        asked = {"issuer": "ubnd-00001", "content": lent}
        self.offices.refused("author@ubnd-00001", "/v1/alerts", asked, "jurisdiction")
        for told in self.offices.live(of=lambda each: each.body == "ubnd-00010"):
            self.offices.cancel(told, by="approver@ubnd-00004")

    def _rebels(self, chains: defaultdict[str, list[Callable[[], None]]]) -> None:
        """Who asks for what they may not."""
        said = content(self.offices.number(), ["00037"], "bao")
        asked = {"issuer": "ubnd-00001", "content": said}
        chains["rebels"].append(
            lambda: self.offices.refused("author@ubnd-00001", "/v1/alerts", asked, "jurisdiction")
        )
        if others := self.offices.live(of=lambda each: each.body not in STORM):
            path = f"/v1/alerts/{others[-1].id}/cancel"
            chains["rebels"].append(
                lambda: self.offices.refused("approver@bo-tu-lenh", path, {"reason": "Khong dong y"})
            )


def communes() -> list[str]:
    """Those of the districts that act, of the edition before."""
    here = register.edition(BEFORE)
    return [code for code in here.communes if here.lies_in(code, DISTRICTS)]


def bodies() -> tuple[str, ...]:
    """Who acts: the city, the storm's, and the communes."""
    return (*CITY, *STORM, *(f"ubnd-{code}" for code in communes()))


def void(_: object) -> None:
    """A job answers nothing."""
