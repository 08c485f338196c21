"""How much of the edge one client may take."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of connections and requests. Seconds, bytes, counts."""

    head_bytes: int = 8_192
    """Request line and headers together; a controller sends some 400."""
    headers: int = 48
    head_seconds: float = 10.0
    """From the first byte of a request to the end of its head, and from connecting to the first byte."""
    idle_seconds: float = 130.0
    """Between requests: twice the longest interval of polls, so that connections are used again."""
    write_seconds: float = 20.0
    """For a client to take what it asked for."""
    busy_seconds: float = 20.0
    """For what has to be fetched from the database."""
    pipelined: int = 16
    """Requests that wait behind one that is being answered."""
    refusals: int = 10
    """On one connection; then it is closed."""
    per_address: int = 1_000
    """Connections of one address; 0 for no limit, behind a proxy that has its own."""
    connections: int = 60_000
    """In all; the process lowers it to what its open files allow."""
    waiting: int = 20_000
    """Polls that wait for news; more are answered at once."""
    slow_jobs: int = 64
    """Requests that wait for the database; more are told to come again."""
