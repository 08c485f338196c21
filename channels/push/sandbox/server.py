"""The double's process."""

import asyncio
import signal
from pathlib import Path

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP2Settings
from granian.log import LogLevels
from granian.server.embed import Server

from channels.push.sandbox.app import FcmApp
from channels.push.sandbox.estate import HOST, Estate
from channels.push.sandbox.journal import Journal
from channels.push.sandbox.oauth import TokenOffice

STREAMS = 100
"""At a time on a connection, as at FCM."""
SETTLE = 0.1
"""Seconds granian's thread takes to end after it stopped serving."""


def run(folder: Path, parent: int | None = None) -> None:
    """Serves from this folder until SIGTERM or SIGINT, or until the pipe `parent` closes."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Estate(folder), parent))


async def serve(estate: Estate, parent: int | None = None) -> None:
    """Serves; see run."""
    with estate.held(), Journal(estate.journal_file) as journal:
        office = TokenOffice(estate.public_key(), estate.token_secret())
        app = FcmApp(journal, office)
        server = Server(
            app,
            HOST,
            estate.port,
            interface=Interfaces.RSGI,
            # Google's own token client speaks HTTP/1.1.
            http=HTTPModes.auto,
            http2_settings=HTTP2Settings(max_concurrent_streams=STREAMS),
            websockets=False,
            log_level=LogLevels.error,
            ssl_cert=estate.certificate_file,
            ssl_key=estate.key_file,
        )

        def stop() -> None:
            app.close()
            server.stop()

        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stop)
        if parent is not None:
            loop.add_reader(parent, stop)
        await server.serve()
        await asyncio.sleep(SETTLE)
