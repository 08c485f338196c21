"""Which database a house uses: the one that is set, or the embedded one."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from broadcaster.engines.embedded import PostgresServer
from broadcaster.settings import Settings


@contextmanager
def database(settings: Settings) -> Generator[str]:
    """The URL of the database: the one set, the embedded one that runs, or one started for this."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = PostgresServer(settings.data / "postgres")
    if _answers(server.url):
        yield server.url
        return
    with server:
        yield server.url


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
