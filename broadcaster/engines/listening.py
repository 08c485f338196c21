"""Sockets that listen for as long as the house stands: a process that serves them may come and go.

Who dials while none serves waits in the kernel's queue, and is refused by nobody.
"""

import os
import socket
from collections.abc import Mapping, Sequence

from broadcaster.engines.children import EngineError

FDS = "BROADCASTER_LISTEN_FDS"
"""Names them to a child, with commas between."""
BACKLOG = 8_192
"""Who dials at the same moment, after an outage say; the kernel's own limit (somaxconn) holds too."""
_SYSTEMD_FIRST = 3  # sd_listen_fds(3): they are handed over from here on


class Listening:
    """The sockets of one address, each family's own; of the process that starts who serves them."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._sockets: list[socket.socket] = []

    @property
    def fds(self) -> tuple[int, ...]:
        """What a child is handed; empty while closed."""
        return tuple(each.fileno() for each in self._sockets)

    def open(self) -> None:
        """Begins to listen. Raises EngineError where another process has the address."""
        try:
            found = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            for family, *_, address in dict.fromkeys(found):
                self._sockets.append(_listen(family, address))
        except OSError as error:
            self.close()
            raise EngineError(f"cannot listen on {self._host}:{self._port}: {error.strerror}") from None

    def close(self) -> None:
        """Refuses from now on, once nobody serves either; safe to repeat."""
        for each in self._sockets:
            each.close()
        self._sockets.clear()


def _listen(family: int, address: object) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)  # type: ignore[arg-type]  # what getaddrinfo said, of this family
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def inherited(env: Mapping[str, str] = os.environ) -> list[socket.socket] | None:
    """The sockets that this process was handed by who started it; None where it must listen for itself.

    By our own supervisor, or by systemd (a .socket unit). Raises ValueError where they do not listen.
    """
    fds: Sequence[int]
    if named := env.get(FDS):
        fds = [int(each) for each in named.split(",")]
    elif env.get("LISTEN_PID") == str(os.getpid()):
        fds = range(_SYSTEMD_FIRST, _SYSTEMD_FIRST + int(env.get("LISTEN_FDS", "0")))
    else:
        return None
    return [_taken(fd) for fd in fds]


def _taken(fd: int) -> socket.socket:
    try:
        taken = socket.socket(fileno=fd)
        taken.set_inheritable(False)
        if taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return taken
        taken.close()
    except OSError as error:
        raise ValueError(f"file descriptor {fd} is no socket: {error.strerror}") from None
    raise ValueError(f"file descriptor {fd} does not listen")
