"""Connections that still stand, that do not wait for ever, and that serve one statement each.

What the server has left is not handed out: a restart of the database costs no call. What holds a lock and
says nothing is ended, and who serves people waits for a lock but a moment.
"""

import select
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool


def still_there(conn: Connection[Any]) -> None:
    """Raises psycopg.OperationalError where the server has hung up. For ConnectionPool's `check`.

    A server that goes says so, and an idle connection hears nothing else: so only one that has something
    to read is asked, and any other costs no round trip. A server that vanished without a word is not found.
    """
    heard = select.poll()
    heard.register(conn.fileno(), select.POLLIN)
    if heard.poll(0):
        ConnectionPool.check_connection(conn)


FORSAKEN = 60.0
"""Seconds that a transaction may say nothing. One that appended holds the log's lock, and of a machine that
lost its power or its network the server would learn after hours."""
PATIENCE = 5.0
"""Seconds that whoever serves people waits, for a lock and for a connection: those who wait hold threads,
and behind forty of them neither a page that needs no database nor the health check gets one."""

_SET = "SELECT set_config(%s, %s, false)"


def bounded(lock: float | None = None, forsaken: float = FORSAKEN) -> Callable[[Connection[Any]], None]:
    """For ConnectionPool's `configure`: at most `lock` seconds for each lock, where it is given."""
    waits = {"idle_in_transaction_session_timeout": forsaken} | ({"lock_timeout": lock} if lock else {})

    def configure(conn: Connection[Any]) -> None:
        for name, seconds in waits.items():
            conn.execute(_SET, (name, f"{seconds * 1000:.0f}ms"))
        conn.commit()

    return configure


def standing(url: str, most: int, *, check: bool = False) -> ConnectionPool[Any]:
    """The house's pool, to be opened by `with`.

    With `check`, a connection is tried before each use, and who waits for a lock or a connection waits but
    PATIENCE. Without, one is tried only where the server has said something.
    """
    probe = ConnectionPool[Any].check_connection if check else still_there

    def try_out(conn: Connection[Any]) -> None:
        try:
            probe(conn)
        except OperationalError:
            # What ended this one ended others, which the pool would try one by one, ever further apart.
            pool.check()
            raise

    pool = ConnectionPool[Any](
        url,
        min_size=1,
        max_size=most,
        open=False,
        name="house",
        check=try_out,
        configure=bounded(PATIENCE if check else None),
        timeout=PATIENCE if check else 30.0,
    )
    return pool


@contextmanager
def at_once(pool: ConnectionPool[Any]) -> Generator[Connection[Any]]:
    """A connection on which each statement is a transaction of its own: one round trip, not three."""
    with pool.connection() as conn:
        conn.autocommit = True
        try:
            yield conn
        finally:
            if not conn.closed:
                conn.autocommit = False
