"""A whole house on one machine: the engines it lacks, its tables, and a process for each role."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from broadcaster.engines.embedded import Engine, NatsServer, PostgresServer
from broadcaster.engines.listening import Listening
from broadcaster.engines.supervisor import Child, Supervisor
from broadcaster.keys import files as key_files
from broadcaster.providers import sandbox_folder
from broadcaster.roles import Role
from broadcaster.runtime import House
from broadcaster.settings import PREFIX, SECRETS, Settings
from schemas.content import Lane

CONNECTIONS = 200
"""Of our own PostgreSQL: each process has up to 12 (runtime.POOL_SIZE)."""
ROUTINE = (Lane.ALERT, Lane.BULLETIN)
STAFF: dict[str, tuple[Role, tuple[Lane, ...]]] = {
    "web": (Role.WEB, ()),
    "follow": (Role.FOLLOW, ()),
    "relay": (Role.RELAY, ()),
    # Of push there are settings.push_workers of each, as one process has one allowance in doubt.
    # Emergencies have workers of their own: in one process they would wait for the loop.
    "push-emergency": (Role.PUSH, (Lane.EMERGENCY,)),
    "push": (Role.PUSH, ROUTINE),
    "sms-emergency": (Role.SMS, (Lane.EMERGENCY,)),
    "sms": (Role.SMS, ROUTINE),
}


class Service:
    """Starts everything and keeps it running. To be used in the main thread."""

    def __init__(self, settings: Settings, *, echo: bool = False) -> None:
        self.settings = settings
        self._stack = ExitStack()
        self._engines: list[Engine] = []
        if settings.database_url is None:
            self._engines.append(PostgresServer(settings.data / "postgres", max_connections=CONNECTIONS))
        if settings.nats_url is None:
            self._engines.append(NatsServer(settings.data / "nats"))
        self._listening = Listening(settings.host, settings.port)
        started = children(settings, self._engines, self._listening)
        self.supervisor = Supervisor(settings.data, self._engines, list(started), echo=echo)

    def __enter__(self) -> Self:
        """Starts all; the tables are there before the first role is. Raises EngineError, SettingsError."""
        key_files.check(self.settings)
        # From here on nobody is refused: who comes too early, or while web starts again, waits.
        self._listening.open()
        self._stack.callback(self._listening.close)
        try:
            for engine in self._engines:
                self._stack.enter_context(engine)
            with House.open(self.settings) as house:
                house.migrate()
                house.furnish()
            self._stack.enter_context(self.supervisor)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def children(
    settings: Settings, engines: list[Engine], listening: Listening | None = None
) -> Iterator[Child]:
    """A process for each role. What they need to know travels in their environment, never in argv.

    The web role is handed the sockets of `listening`; without them it listens for itself.
    """
    env = dict(os.environ) | environment(settings)
    for engine in engines:
        match engine:
            case PostgresServer():
                env[PREFIX + "DATABASE_URL"] = engine.url
            case NatsServer():
                env[PREFIX + "NATS_URL"] = engine.url
                env[PREFIX + "NATS_TOKEN"] = engine.token
            case _:
                raise AssertionError(engine)
    if settings.providers == "sandbox":
        for double in ("fcm", "carrier", *(("webpush",) if settings.vapid_key else ())):
            folder = str(sandbox_folder(settings).resolve())
            yield Child(double, [sys.executable, "-m", "broadcaster.sandbox", double, folder], env)
    for name, (role, lanes) in STAFF.items():
        argv = [sys.executable, "-m", "broadcaster.roles", role.value, *(lane.value for lane in lanes)]
        for number in range(settings.push_workers if role is Role.PUSH else 1):
            serves = listening if role is Role.WEB else None
            yield Child(f"{name}-{number + 1}" if number else name, argv, env, serves)


def environment(settings: Settings) -> dict[str, str]:
    """The settings as the environment of a child."""
    plain = settings.model_dump(mode="json", exclude=set(SECRETS))
    env = {PREFIX + name.upper(): str(value) for name, value in plain.items() if value is not None}
    env[PREFIX + "DATA"] = str(settings.data.resolve())
    for name in SECRETS:
        if secret := getattr(settings, name):
            env[PREFIX + name.upper()] = secret.get_secret_value()
    return env
