"""One session to one SMSC, kept up: bound, and bound again when it breaks."""

import asyncio
import ssl
from contextlib import suppress

import structlog

from channels.pace import backoff
from channels.sms.session import Heard, Session
from channels.sms.settings import SmppSettings
from channels.sms.statuses import Status, name_of

log = structlog.get_logger(__name__)

_LEAVE = 2.0


class BindRefusedError(ConnectionError):
    """The SMSC does not let us in; the reason is its status's name."""


class Line:
    """Keeps a session up from `open` to `close`."""

    def __init__(self, settings: SmppSettings, on_receipt: Heard) -> None:
        self._settings, self._on_receipt = settings, on_receipt
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._due = self._loop.time()
        self._tried: asyncio.Future[None] = self._loop.create_future()

    async def open(self) -> None:
        """Starts, and waits for the first try to end either way."""
        self._keeper = asyncio.create_task(self._keep())
        await asyncio.shield(self._tried)

    async def close(self) -> None:
        """Unbinds and ends."""
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper
        if self._session is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._session.unbind(), _LEAVE)

    @property
    def up(self) -> bool:
        """Whether there is a live session now."""
        return self._session is not None and self._session.alive

    async def session(self) -> Session | None:
        """The live session, or None. Waits for the next try where that is near: the settings' patience."""
        if self._session is not None and self._session.alive:
            return self._session
        if self._due - self._loop.time() <= self._settings.patience:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._tried), self._settings.patience)
        return self._session if self._session is not None and self._session.alive else None

    async def _keep(self) -> None:
        settings, failures = self._settings, 0
        where = {"host": settings.host, "port": settings.port}
        while True:
            try:
                self._session = await self._connect()
            except OSError as error:
                log.warning("smsc.unreachable", **where, reason=str(error) or type(error).__name__)
            else:
                log.info("smsc.bound", **where)
                began = self._loop.time()
                self._tried.set_result(None)
                await asyncio.wait({self._session.lost})
                log.warning("smsc.lost", **where)
                failures = 0 if self._loop.time() - began > settings.reconnect_longest else failures
            wait = backoff(failures, settings.reconnect_first, settings.reconnect_longest)
            self._due, tried, self._tried = (
                self._loop.time() + wait,
                self._tried,
                self._loop.create_future(),
            )
            if not tried.done():
                tried.set_result(None)
            await asyncio.sleep(wait)
            failures += 1

    async def _connect(self) -> Session:
        settings = self._settings
        async with asyncio.timeout(settings.connect_timeout):
            _, session = await self._loop.create_connection(
                lambda: Session(settings.timeout, settings.keepalive, self._on_receipt),
                settings.host,
                settings.port,
                ssl=ssl.create_default_context() if settings.tls else None,
            )
            try:
                status = await session.bind(settings.system_id, settings.password, settings.system_type)
            except asyncio.CancelledError:
                session.abort()
                raise
        if status != Status.ESME_ROK:
            session.abort()
            raise BindRefusedError("no answer to the bind" if status is None else name_of(status))
        return session
