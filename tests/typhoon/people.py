"""Those who are alerted: they register, move, opt out, change phones and leave, each over HTTP."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.typhoon import register
from tests.typhoon.oracle import Oracle, Person
from tests.typhoon.town import Town, digest

TOPICS = ("bao", "mua_lon", "ngap_ung", "mat_dien", "giao_thong", "tuyen_truyen")
FATES = {"gone": 0.015, "busy": 0.02}


class People:
    """Everyone with a phone. Not thread-safe: one thing happens after the other."""

    def __init__(self, town: Town, oracle: Oracle, chance: random.Random, communes: list[str]) -> None:
        self._town, self._oracle, self._chance = town, oracle, chance
        self._communes = communes
        self.owners: dict[tuple[str, str], int] = {}
        """Whose address this is, by channel and a journal's name of it."""
        self.changes = 0

    def register(self, count: int) -> None:
        """So many take the app, or give a number."""
        new = [self._person() for _ in range(count)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._join, new))
        self._town.ask("GET", "/healthz")
        for person in self._chance.sample(new, max(8, count // 40)):
            self._make_tester(person)

    def live_on(self, changes: int) -> None:
        """Some of them change something."""
        for _ in range(changes):
            self.changes += 1
            kind = self._chance.choice(
                ("move", "move", "opt", "opt-in", "token", "leave", "join", "tester")
            )
            if kind == "join":
                self._join(self._person())
                continue
            person = self._chance.choice(
                [each for each in self._oracle.people.values() if not each.left and not each.fated]
            )
            match kind:
                case "move":
                    self._move(person)
                case "opt":
                    self._opt(person, set(self._chance.sample(TOPICS, 2)))
                case "opt-in":
                    self._opt(person, set())
                case "token" if person.token:
                    person.token = self._token("tok")
                    self._mine(person, "PUT", "/token", {"token": person.token, "platform": "android"})
                    self._note(person)
                case "leave":
                    self._mine(person, "DELETE", "", None)
                    person.left = True
                case _:
                    self._make_tester(person)

    def communes_of(self, edition: str) -> list[str]:
        """Where they may live in it."""
        if edition == register.BEFORE:
            return self._communes
        return sorted({new for old in self._communes for new in register.became()[old]})

    def _person(self) -> Person:
        chance, number = self._chance, len(self._oracle.people)
        communes = self.communes_of(self._oracle.edition)
        fate = next((name for name, share in FATES.items() if chance.random() < share), "tok")
        person = Person(number, home=chance.choice(communes))
        if chance.random() < 0.9:
            person.token = self._token(fate)
        if not person.token or chance.random() < 0.3:
            person.phone = f"+849{2 * number + 10_000_000 + self._chance.randrange(5) * 10**7:08d}"
        if person.token and fate == "gone":
            # One with nothing else is erased whole once FCM says so: it must not be asked anything later.
            person.fated, person.phone = True, ""
        if chance.random() < 0.15:
            person.further = set(chance.sample([*communes, "001", "003", "01"], chance.randint(1, 3)))
        if chance.random() < 0.1:
            person.opt_outs = set(chance.sample(TOPICS, 2))
        person.settle()
        self._oracle.people[number] = person
        self._note(person)
        return person

    def _token(self, fate: str) -> str:
        return f"{fate}-{self._chance.getrandbits(96):024x}"

    def _note(self, person: Person) -> None:
        if person.token:
            self.owners["push", digest(person.token)] = person.number
        if person.phone:
            for written in (person.phone, person.phone[1:]):
                self.owners["sms", digest(written)] = person.number

    def _join(self, person: Person) -> None:
        said: dict[str, Any] = {"home": person.home, "areas": sorted(person.further)}
        if person.token:
            said |= {"token": person.token, "platform": "android"}
        if person.phone:
            said["phone"] = person.phone
        said |= {"opt_outs": sorted(person.opt_outs)}
        answer = self._town.ask(
            "POST", "/v1/devices", json=said, headers={"App-Key": self._town.keys["app"]}
        )
        assert answer.is_success, answer.text
        made = answer.json()
        person.device, person.secret = made["device_id"], made["secret"]

    def _mine(self, person: Person, method: str, path: str, body: object) -> None:
        headers = {"Authorization": f"Bearer {person.device}.{person.secret}"}
        before = len(self._town.tries)
        answer = self._town.ask(method, f"/v1/devices/me{path}", json=body, headers=headers)
        gone_already = method == "DELETE" and answer.status_code == 401 and len(self._town.tries) > before
        assert answer.is_success or gone_already, f"{method} {path}: {answer.status_code} {answer.text}"

    def _move(self, person: Person) -> None:
        communes = self.communes_of(self._oracle.edition)
        person.home = self._chance.choice(communes)
        person.further = set(self._chance.sample(communes, self._chance.randint(0, 2)))
        self._mine(person, "PUT", "/areas", {"home": person.home, "areas": sorted(person.further)})
        person.settle()

    def _opt(self, person: Person, topics: set[str]) -> None:
        self._mine(person, "PATCH", "", {"opt_outs": sorted(topics)})
        person.opt_outs = topics

    def _make_tester(self, person: Person) -> None:
        if not person.fated:
            self._town.told("manager@ubnd-tp", "PUT", f"/v1/testers/{person.device}")
            person.tester = True
