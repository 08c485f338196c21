"""The demo as it runs beside the house, in a thread: set the stage, issue, wait, count."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import psycopg
import structlog

from broadcaster import providers, reference
from broadcaster.demo import drive, staff, stage, tally
from broadcaster.demo.screens import Panel, Panels
from broadcaster.runtime import House
from broadcaster.settings import Settings
from schemas.content import Channel

log = structlog.get_logger(__name__)

WEB_WAIT = 60.0
SETTLE_WAIT = 600.0
LOOK_EVERY = 0.5
FIRST_POLLS = 4.0
LATER_POLLS = 10.0

Report = Callable[[str, int, int], None]
"""What is under way, how far it is, and how far it goes."""


class Play(threading.Thread):
    """Runs once. `figures` and `wrong` are there once `over` is set; `failure` where it could not end."""

    def __init__(self, settings: Settings, report: Report, *, subscribers: int, screens: int) -> None:
        super().__init__(name="play", daemon=True)
        self.settings = settings
        self.over = threading.Event()
        self.figures: dict[str, Any] = {}
        self.wrong: list[str] = []
        self.failure: Exception | None = None
        self.panels: Panels | None = None
        self._report = report
        self._subscribers, self._screens = subscribers, screens
        self._over = threading.Event()

    def stop(self) -> None:
        """Ends it early, the screens included."""
        self._over.set()
        if self.panels is not None:
            self.panels.stop()

    def run(self) -> None:
        """The whole play."""
        try:
            with House.open(self.settings) as house:
                self._act(house, time.monotonic())
        except Exception as error:  # noqa: BLE001 (the main thread tells it, and ends with it)
            self.failure = error
        finally:
            self.over.set()

    def _act(self, house: House, began: float) -> None:
        file = self.settings.data / "demo.json"
        props = stage.Props.read(file)
        stage.give_keys(house, props)
        stage.keep_no_quiet_hours(house)
        staff.give_accounts(house, props.secret)
        stage.add_subscribers(house, self.settings.data, self._subscribers, self._import_report)
        stage.add_screens(house, props, self._screens)
        self._await_web()
        props.write(file, self._addresses())
        self.panels = Panels(self.settings.url, props.screens, FIRST_POLLS)
        self.panels.start()
        alerts = self._issue(props)
        self._settle(house, alerts)
        self.figures = tally.figures(house, alerts, self.panels.panels, time.monotonic() - began)
        self.wrong = tally.disagreements(self.figures, len(reference.sample_alerts()))
        self.panels.every = LATER_POLLS

    def _import_report(self, done: int, total: int, accepted: int, rejected: int) -> None:
        del accepted, rejected
        self._report("people", done, total)

    def _await_web(self) -> None:
        deadline = time.monotonic() + WEB_WAIT
        while not self._over.is_set():
            try:
                if httpx.get(f"{self.settings.url}/healthz", timeout=5).is_success:
                    return
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise drive.DemoError(f"the web role does not answer at {self.settings.url}") from None
            time.sleep(LOOK_EVERY)

    def _addresses(self) -> dict[str, object]:
        doubles = {
            double: providers.sandbox_endpoint(self.settings, double) for double in ("fcm", "smsc", "smtp")
        }
        hidden = {"password"}
        return {
            "address": self.settings.url,
            "sandbox": {
                name: {key: value for key, value in endpoint.items() if key not in hidden}
                for name, endpoint in doubles.items()
            },
        }

    def _issue(self, props: stage.Props) -> list[str]:
        samples = reference.sample_alerts()
        issued = 0

        def done(_: object) -> None:
            nonlocal issued
            issued += 1
            self._report("alerts", issued, len(samples))

        return drive.issue_samples(self.settings.url, props, done)

    def _settle(self, house: House, alerts: list[str]) -> None:
        assert self.panels is not None
        deadline = time.monotonic() + SETTLE_WAIT
        while not self._over.wait(LOOK_EVERY):
            try:
                if self._look(house, alerts, self.panels.panels):
                    return
            except psycopg.OperationalError:
                log.warning("demo_waits_for_database")
            if time.monotonic() > deadline:
                raise drive.DemoError("the deliveries did not end in time; see the logs of the roles")

    def _look(self, house: House, alerts: list[str], panels: Sequence[Panel]) -> bool:
        """Reports how far it is; whether all is done."""
        channels = tally.progress(house)
        for channel, progress in channels.items():
            self._report(channel.value, progress.final, progress.audience)
        current = tally.served(house, panels)
        self._report(Channel.LED.value, current, len(panels))
        under_way = any(progress.final < progress.audience for progress in channels.values())
        return current == len(panels) and not under_way and tally.settled(house, alerts)
