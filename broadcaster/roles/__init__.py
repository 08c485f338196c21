"""The parts of a running house, a module each. `broadcaster serve` runs them all, `--role` one."""

from collections.abc import Sequence
from enum import StrEnum
from importlib import import_module

import structlog

from broadcaster.process.memory import PAGES, STEADY, settle
from broadcaster.roles.ending import Ending
from broadcaster.settings import Settings
from schemas.content import Lane

log = structlog.get_logger(__name__)


class Role(StrEnum):
    """What one process does."""

    WEB = "web"
    FOLLOW = "follow"
    RELAY = "relay"
    PUSH = "push"
    SMS = "sms"
    LED_EDGE = "led-edge"


_MODULES = {
    Role.WEB: "web",
    Role.FOLLOW: "follow",
    Role.RELAY: "relay",
    Role.PUSH: "work",
    Role.SMS: "work",
    Role.LED_EDGE: "edge",
}


def run(role: Role, settings: Settings, lanes: Sequence[Lane] = tuple(Lane)) -> None:
    """Runs a role until SIGTERM or SIGINT. Raises SettingsError where a key that all share is missing.

    The process ends with it, at the latest `ending.PATIENCE` seconds after the signal.
    """
    ending = Ending()
    ending.listen()
    if settings.providers == "real":
        import_module("broadcaster.keys.files").check(settings)
    # By name, so that a worker does not load the web: each second of start-up is paid seven times.
    module = import_module(f"broadcaster.roles.{_MODULES[role]}")
    settle(PAGES if role is Role.WEB else STEADY)
    log.info("role_starts", role=role.value, lanes=[lane.value for lane in lanes])
    module.run(role, settings, lanes, ending)
    log.info("role_ends", role=role.value)
