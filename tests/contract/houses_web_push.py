"""Browsers by Web Push, for the contract suite: alone, and beside the phones."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from channels.push.web.client import WebPushGateway, WebPushSettings
from channels.push.web.sandbox import WebPushSandbox, subscription
from tests.contract.gateways import AT, Behaviour, Double, House
from tests.contract.houses_push import PREFIXES

_running: list[WebPushSandbox] = []


class WebPushDouble(WebPushSandbox, Double):
    """The sandbox, as the suite sees it."""

    def texts(self, limit: int) -> list[str]:
        return [f"{each['told']['title']}\n{each['told']['body']}" for each in self.pushes(limit)]

    def stop(self) -> None:
        self.kill()

    def said(self) -> str:
        return self.log_file.read_text()


@contextmanager
def double(folder: Path) -> Generator[Double]:
    with WebPushDouble(folder) as sandbox:
        _running.append(sandbox)
        yield sandbox


def address(behaviour: Behaviour, number: int) -> str:
    """At the double that runs: an endpoint names its host."""
    return subscription(_running[-1].url, f"{PREFIXES[behaviour]}{number:032x}").text


def gateway(sandbox: WebPushSandbox) -> WebPushGateway:
    return WebPushGateway(settings_of(sandbox), lambda: AT)


def settings_of(sandbox: WebPushSandbox) -> WebPushSettings:
    return WebPushSettings(sandbox.key_file, "mailto:x@y.example", sandbox.services, sandbox.ca_file)


def secrets(sandbox: WebPushSandbox) -> list[str]:
    return [sandbox.key_file.read_text().splitlines()[1], "/push/", "vapid t="]


HOUSES = [
    House(
        name="webpush",
        kind="subscription",
        platform="web",
        double=double,
        gateway=gateway,
        address=address,
        secrets=secrets,
    )
]
