"""The double's process."""

import asyncio
import signal
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import uvloop

from channels.push.sandbox.app import FcmApp
from channels.push.sandbox.estate import HOST, Estate
from channels.push.sandbox.http1 import Http1Line
from channels.push.sandbox.http2 import Http2Line
from channels.push.sandbox.journal import Journal
from channels.push.sandbox.oauth import TokenOffice
from channels.push.sandbox.wire import App

SETTLE = 1.0
"""Seconds that messages kept waiting are still answered in after the stop."""


class ServedApp(App, Protocol):
    """Who answers, and may take a moment to."""

    @property
    def waiting(self) -> int:
        """Messages that are kept waiting for their answer, and will get it."""
        ...


Make = Callable[[Estate, Journal], ServedApp]


def fcm(estate: Estate, journal: Journal) -> ServedApp:
    """FCM's double."""
    return FcmApp(journal, TokenOffice(estate.public_key(), estate.token_secret()))


def run(folder: Path, parent: int | None = None, make: Make = fcm) -> None:
    """Serves from this folder until SIGTERM or SIGINT, or until the pipe `parent` closes."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Estate(folder), parent, make))


class _Door(asyncio.Protocol):
    """Gives a new connection to whoever speaks the version it chose."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._line: Http1Line | Http2Line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        self._line = (Http2Line if chosen == "h2" else Http1Line)(self._app)
        transport.set_protocol(self._line)  # type: ignore[attr-defined]
        self._line.connection_made(transport)


async def serve(estate: Estate, parent: int | None = None, make: Make = fcm) -> None:
    """Serves; see run."""
    with estate.held(), Journal(estate.journal_file) as journal:
        app = make(estate, journal)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(estate.certificate_file, estate.key_file)
        context.set_alpn_protocols(["h2", "http/1.1"])
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stopped.set)
        if parent is not None:
            loop.add_reader(parent, stopped.set)
        server = await loop.create_server(lambda: _Door(app), HOST, estate.port, ssl=context)
        await stopped.wait()
        if parent is not None:
            loop.remove_reader(parent)
        server.close()
        deadline = loop.time() + SETTLE
        while app.waiting and loop.time() < deadline:  # noqa: ASYNC110 (timers, which signal nobody)
            await asyncio.sleep(0.01)
