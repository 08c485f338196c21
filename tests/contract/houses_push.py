"""Phones by push, for the contract suite."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from channels.push import PushGateway, PushSettings
from channels.push.roads import PhonesAndTopics
from channels.push.sandbox import PushSandbox
from channels.push.topics import TopicGateway
from tests.contract.gateways import AT, Behaviour, Double, House

PREFIXES = {
    Behaviour.GOOD: "phone-",
    Behaviour.GONE: "gone-",
    Behaviour.BUSY_ONCE: "busy-",
    Behaviour.NEVER: "never-",
}


class PushDouble(PushSandbox, Double):
    """The sandbox, as the suite sees it."""

    def texts(self, limit: int) -> list[str]:
        shown = [message["message"]["notification"] for message in self.messages(limit)]
        return [f"{notification['title']}\n{notification['body']}" for notification in shown]

    def stop(self) -> None:
        self.kill()

    def said(self) -> str:
        return self.log_file.read_text()


@contextmanager
def double(folder: Path) -> Generator[Double]:
    with PushDouble(folder) as sandbox:
        yield sandbox


def gateway(sandbox: PushSandbox) -> PushGateway:
    return PushGateway(settings_of(sandbox), lambda: AT)


def by_either_road(sandbox: PushSandbox) -> PhonesAndTopics:
    """As a worker has it."""
    return PhonesAndTopics(gateway(sandbox), TopicGateway(settings_of(sandbox), lambda: AT))


def settings_of(sandbox: PushSandbox) -> PushSettings:
    return PushSettings(sandbox.url, sandbox.credentials_file, sandbox.ca_file)


def secrets(sandbox: PushSandbox) -> list[str]:
    account = json.loads(sandbox.credentials_file.read_text())
    return [account["private_key_id"], account["private_key"].splitlines()[1], "ya29."]


HOUSES = [
    House(
        name=name,
        kind="token",
        platform="android",
        double=double,
        gateway=made,
        address=lambda behaviour, number: f"{PREFIXES[behaviour]}{number:032x}",
        secrets=secrets,
    )
    for name, made in (("push", gateway), ("push by either road", by_either_road))
]
