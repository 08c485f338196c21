"""What the contract suite asks of each house: a gateway, and its provider's double seen from outside."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from channels.gateway import Gateway, Message, Recipient, SandboxCount
from schemas.content import Certainty, Content, Kind, Lane, MsgType, Severity, Text, Urgency

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)


class Behaviour(StrEnum):
    """What the double does with a message to an address."""

    GOOD = "good"
    """Accepts it."""
    GONE = "gone"
    """Says that the address no longer exists, each time."""
    BUSY_ONCE = "busy-once"
    """Puts it off at the first try of a message, accepts it at the next."""
    NEVER = "never"
    """Puts it off each time."""


class Double(Protocol):
    """A provider's double, running."""

    def count(self) -> SandboxCount:
        """What it received since its journal began."""
        ...

    def texts(self, limit: int) -> list[str]:
        """The last messages it accepted, as people read them, oldest first."""
        ...

    def stop(self) -> None:
        """The provider goes down, as hard as the double can: nothing listens."""
        ...

    def start(self) -> None:
        """It comes back, at the same place and with the same counts."""
        ...

    def said(self) -> str:
        """All that it logged, where it is a process of its own; else empty."""
        ...


@dataclass(frozen=True)
class House:
    """One gateway and its double. `gateway` gets what `double` yields, and is entered by the suite."""

    name: str
    kind: str
    platform: str
    double: Callable[[Path], AbstractContextManager[Double]]
    gateway: Callable[[Any], Gateway]
    address: Callable[[Behaviour, int], str]
    """An address that gets the behaviour; another for each number."""
    secrets: Callable[[Any], Sequence[str]]
    """What must never be in a log: passwords, keys."""


_numbers = count(1)


def recipients(house: House, *behaviours: Behaviour, locale: str = "vi") -> list[Recipient]:
    """One recipient for each behaviour, never used before, of ranks that are not their positions."""
    kind, platform = house.kind, house.platform
    addresses = [house.address(behaviour, next(_numbers)) for behaviour in behaviours]
    return [
        Recipient(700 - place, 5000 + place, address, kind, platform, locale)
        for place, address in enumerate(addresses)
    ]


def message(msg_type: MsgType = MsgType.ALERT, reason: str = "") -> Message:
    """A message of a new alert."""
    content = Content(
        kind=Kind.ALERT,
        category="ngap_ung",
        severity=Severity.SEVERE,
        urgency=Urgency.EXPECTED,
        certainty=Certainty.LIKELY,
        texts={
            "vi": Text(headline="Ngập sâu tại Phúc Xá", description="Nước lên nhanh."),
            "en": Text(headline="Deep flooding in Phuc Xa", description="Water is rising fast."),
        },
        areas=("00001",),
    )
    return Message(
        alert_id=uuid4(),
        version=1 if msg_type is MsgType.ALERT else 2,
        msg_type=msg_type,
        lane=Lane.ALERT,
        issuer_name="Ủy ban nhân dân phường Hồng Hà",
        content=content,
        sent=AT,
        expires_at=AT + timedelta(hours=24),
        reason=reason,
    )


def all_houses() -> list[House]:
    """The houses of every channel that is there."""
    modules = ("tests.contract.houses_push", "tests.contract.houses_sms", "tests.contract.houses_web_push")
    return [house for module in modules if find_spec(module) for house in import_module(module).HOUSES]
