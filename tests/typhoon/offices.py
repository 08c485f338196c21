"""What offices do with alerts: over the API with their keys, and at night by the console on a phone."""

import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
from lxml import html

from broadcaster.accounts import codes
from broadcaster.runtime import clock
from tests.typhoon import register
from tests.typhoon.oracle import Content, Oracle, Told
from tests.typhoon.town import PASSWORD, Town
from tests.waiting import until

HAZARDS = {"bao", "mua_lon", "ngap_ung"}
PHONE = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile"}


def content(  # noqa: PLR0917 (an alert has as many facts)
    number: int,
    areas: list[str],
    category: str = "bao",
    severity: str = "Moderate",
    urgency: str = "Expected",
    kind: str = "alert",
    **more: Any,
) -> dict[str, Any]:
    """What one of them says."""
    text = {
        "headline": f"Tin so {number}: {category} cap {severity}",
        "description": f"Nguoi dan chu y theo doi, han che ra duong. Ban tin thu {number} trong tuan bao.",
        "sign_text": f"TIN {number} CHU Y BAO",
        "sms_text": f"Tin {number}: bao Yagi, nguoi dan o trong nha, tranh xa cay to va bien hieu.",
    }
    said: dict[str, Any] = {
        "kind": kind,
        "category": category,
        "severity": severity,
        "urgency": urgency,
        "certainty": "Likely",
        "areas": areas,
        "texts": {"vi": text},
    }
    if category in HAZARDS:
        said["risk_level"] = 3
    return said | more


class Pocket:
    """An approver's phone with the console open."""

    def __init__(self, town: Town, account: str) -> None:
        self._town, self.account = town, account
        self._web = httpx.Client(base_url=town.settings.url, timeout=20, headers=PHONE)
        self._lock = threading.Lock()

    def sign_in(self) -> None:
        """Name, password and the code of the moment."""
        code = codes.code(self._town.secret, clock())
        self._post("/console/sign-in", account=self.account, password=PASSWORD, code=code, next="")
        page = self._web.get("/console")
        assert page.status_code == 200, page.headers.get("location")

    def approve_and_issue(self, alert: str) -> None:
        """Reads it whole, ticks the box and presses the button; looks again where the line broke."""
        with self._lock:
            until(lambda: self._issued(alert), seconds=90)

    def _issued(self, alert: str) -> bool:
        try:
            page = self._web.get(f"/console/alerts/{alert}")
            if page.status_code == 303:
                return page.headers["location"].endswith("/live")
            if page.status_code != 200:
                return False
            tree: Any = html.fromstring(page.text)
            form = next(each for each in tree.forms if (each.action or "").endswith("/do/approve-issue"))
            fields = {name: value for name, value in form.form_values() if name}
            self._post(form.action, **(fields | {"sure": "1"}))
        except (httpx.TransportError, StopIteration):
            return False
        return False

    def _post(self, path: str, **fields: str) -> httpx.Response:
        return self._web.post(path, data=fields, headers={"Origin": self._town.settings.url})

    def close(self) -> None:
        """Away with it."""
        self._web.close()


class Offices:
    """All bodies at work. What they did is told to the oracle at once."""

    def __init__(self, town: Town, oracle: Oracle, chance: random.Random) -> None:
        self.town, self.oracle, self.chance = town, oracle, chance
        self.pockets: list[Pocket] = []
        self.faults: list[str] = []
        self.waiting: list[str] = []
        """Approved, and held till the morning."""
        self.versions: list[tuple[str, int]] = []
        """Those that went out since somebody last looked."""
        self.issued_at: dict[str, float] = {}
        self.count = 0
        self._lock = threading.Lock()

    def at_once(self, chains: dict[str, list[Callable[[], None]]]) -> None:
        """Each chain in order, all chains beside each other."""

        def run(chain: list[Callable[[], None]]) -> None:
            for job in chain:
                try:
                    job()
                except (AssertionError, TimeoutError, KeyError) as error:
                    self.faults.append(f"{type(error).__name__}: {str(error)[:600]}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(run, chains.values()))

    def number(self) -> int:
        """Of the next bulletin."""
        with self._lock:
            self.count += 1
            return self.count

    # --- one command ------------------------------------------------------------------------------

    def do(self, account: str, alert: str, step: str, topic: str, body: object = None) -> dict[str, Any]:
        """A command that is granted."""
        answer = self.town.told(account, "POST", f"/v1/alerts/{alert}/{step}", body)
        with self._lock:
            self.oracle.did(alert, topic, account)
        return answer

    def refused(self, account: str, path: str, body: object = None, rule: str = "") -> None:
        """A command that is not, for that reason, and is on record."""
        tries = len(self.town.tries)
        answer = self.town.act(account, "POST", path, body)
        assert answer.status_code in {403, 409, 422}, f"{account} {path}: {answer.status_code}"
        found = answer.json().get("rule") or answer.json().get("type", "")
        assert rule in found, f"{account} {path}: {found} instead of {rule}"
        with self._lock:
            # The same, asked again because the first answer was lost, is on record twice.
            self.oracle.refused[account, found] += 1 if len(self.town.tries) == tries else 0

    # --- a whole bulletin -------------------------------------------------------------------------

    def draft(self, body: str, said: Content) -> str:
        """Begins one."""
        author = f"author@{body}"
        alert = self.town.told(author, "POST", "/v1/alerts", {"issuer": body, "content": said})["id"]
        with self._lock:
            self.oracle.did(alert, "alert.drafted", author)
        return alert

    def send(self, body: str, said: Content, *, pocket: Pocket | None = None, detour: bool = False) -> str:
        """From draft to out; `detour`: it is sent back and rewritten once."""
        alert = self.draft(body, said)
        self.do(f"author@{body}", alert, "submit", "alert.submitted")
        if detour:
            self.do(f"approver@{body}", alert, "return", "alert.returned", {"reason": "Sai chinh ta"})
            self._revise(body, alert, said)
            self.do(f"author@{body}", alert, "submit", "alert.submitted")
        self.go_out(body, alert, said, pocket=pocket)
        return alert

    def go_out(self, body: str, alert: str, said: Content, pocket: Pocket | None = None) -> None:
        """What was submitted is approved and issued."""
        if pocket is not None:
            pocket.approve_and_issue(alert)
            state = self.town.read(f"/v1/alerts/{alert}")
            self._note_out(alert, body, said, state, pocket.account, approver=pocket.account)
            return
        approver, author = f"approver@{body}", f"author@{body}"
        self.do(approver, alert, "approve", "alert.approved")
        began = time.monotonic()
        state = self.town.told(author, "POST", f"/v1/alerts/{alert}/issue")
        self._note_out(alert, body, said, state, author)
        if state["issued"]:
            self.issued_at[f"{alert} {state['issued']['version']}"] = began

    def _note_out(  # noqa: PLR0917 (what is known of it)
        self, alert: str, body: str, said: Content, state: dict[str, Any], by: str, approver: str = ""
    ) -> None:
        with self._lock:
            if approver:
                self.oracle.did(alert, "alert.approved", approver)
            if state["stage"] == "scheduled":
                self.oracle.did(alert, "alert.scheduled", by)
                self.waiting.append(alert)
                return
            assert state["issued"] is not None, state
            self.oracle.did(alert, "alert.issued", by)
            self._note_issued(alert, body, said, state)

    def _note_issued(self, alert: str, body: str, said: Content, state: dict[str, Any]) -> None:
        told = state["issued"]
        self.oracle.issued(alert, body, said, datetime.fromisoformat(told["expires_at"]))
        self.versions.append((alert, self.oracle.alerts[alert].version))
        assert told["version"] == self.oracle.alerts[alert].version, f"{alert}: {told['version']}"

    def _revise(self, body: str, alert: str, said: Content) -> None:
        author = f"author@{body}"
        found = self.town.ask(
            "GET", f"/v1/alerts/{alert}", headers={"Authorization": f"Bearer {self.town.keys[author]}"}
        )
        headers = {"Authorization": f"Bearer {self.town.keys[author]}", "If-Match": found.headers["ETag"]}
        answer = self.town.ask("PUT", f"/v1/alerts/{alert}", json={"content": said}, headers=headers)
        assert answer.is_success, answer.text
        with self._lock:
            self.oracle.did(alert, "alert.revised", author)

    def from_template(self, body: str, template: str, areas: list[str]) -> None:
        """Fills the gaps of a template, and sends it."""
        author = f"author@{body}"
        values = {"noi": "duong Hoang Hoa Tham", "muc_nuoc": "30-50", "den_gio": "20h"}
        given = {"issuer": body, "values": values, "areas": areas}
        state = self.town.told(author, "POST", f"/v1/templates/{template}/draft", given)
        with self._lock:
            self.oracle.did(state["id"], "alert.drafted", author)
        self.do(author, state["id"], "submit", "alert.submitted")
        self.go_out(body, state["id"], {**state["work"]["content"], "areas": areas})

    def nothing_to_report(self, body: str) -> None:
        """The bulletin that keeps the cadence."""
        author = f"author@{body}"
        state = self.town.told(author, "POST", "/v1/bulletins/nothing-to-report", {"issuer": body})
        said = state["work"]["content"]
        assert said["areas"] == [body.removeprefix("ubnd-")], said["areas"]
        with self._lock:
            self.oracle.did(state["id"], "alert.drafted", author)
        self.do(author, state["id"], "submit", "alert.submitted")
        self.go_out(body, state["id"], said)

    # --- what becomes of it -----------------------------------------------------------------------

    def update(self, told: Told, *, corrects: bool = False, **changes: Any) -> None:
        """The next version. One whose time ran out meanwhile takes none."""
        said = {**told.content, **changes}
        if told.edition != self.oracle.edition and "areas" not in changes:
            became = register.became()
            heirs = {new for old in told.content["areas"] for new in became[old]}
            said["areas"] = sorted(register.within(told.body.removeprefix("ubnd-"), heirs))
        author = f"author@{told.body}"
        asked = {"content": said, "corrects": corrects}
        self.do(author, told.id, "update", "alert.update_proposed", asked)
        self.do(author, told.id, "submit", "alert.submitted")
        self.go_out(told.body, told.id, said)

    def correct(self, told: Told, template: str) -> None:
        """Words that were approved beforehand, by one person."""
        author = f"author@{told.body}"
        state = self.town.told(author, "POST", f"/v1/alerts/{told.id}/correct", {"template": template})
        with self._lock:
            for topic in ("alert.update_proposed", "alert.pre_approved", "alert.issued"):
                self.oracle.did(told.id, topic, author)
            self._note_issued(told.id, told.body, state["issued"]["content"], state)
            after = self.oracle.alerts[told.id]
            assert set(after.content["areas"]) == set(told.content["areas"]), after.content["areas"]

    def cancel(self, told: Told, *, in_error: bool = False, by: str = "") -> None:
        """Withdraws it."""
        account = by or f"approver@{told.body}"
        reason = {"reason": "Het nguy hiem", "in_error": in_error}
        state = self.town.told(account, "POST", f"/v1/alerts/{told.id}/cancel", reason)
        assert state["life"] == "cancelled", state
        with self._lock:
            self.oracle.did(told.id, "alert.cancelled", account)
            self.oracle.cancelled(told.id, in_error=in_error)
            self.versions.append((told.id, self.oracle.alerts[told.id].version))

    def await_end(self, told: Told) -> None:
        """Until its time is up and the house says so."""

        def over() -> bool:
            return self.town.read(f"/v1/alerts/{told.id}")["life"] == "expired"

        assert told.expires is not None
        until(over, seconds=max(0.0, (told.expires - clock()).total_seconds()) + 60)
        with self._lock:
            self.oracle.expired(told.id)
            self.versions.append((told.id, told.version))

    def live(self, *, of: Callable[[Told], bool] = lambda _: True) -> list[Told]:
        """What is out now and has time left."""
        soon = clock() + timedelta(minutes=3)
        return [
            each
            for each in self.oracle.alerts.values()
            if each.life == "live" and (each.expires is None or each.expires > soon) and of(each)
        ]


def slug(name: str) -> str:
    """A name as a word."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())
