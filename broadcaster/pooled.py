"""Connections that the server has left are not handed out: a restart of the database costs no call."""

import select
from typing import Any

from psycopg import Connection
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
