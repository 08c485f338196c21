"""Ports for servers that a test starts: all of them different, and one where nobody answers."""

import socket
from collections.abc import Generator
from contextlib import contextmanager

from broadcaster.engines.natshome import free_port

_given: set[int] = set()
"""Of this process. A port is chosen at random and not held: of ten, two may be the same."""


def own_port() -> int:
    """A free port that no other caller in this process has."""
    while (port := free_port()) in _given:
        pass
    _given.add(port)
    return port


@contextmanager
def deaf_port() -> Generator[int]:
    """A port where every call is refused: it is taken, so no server can come to it, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
