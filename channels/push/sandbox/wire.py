"""What the double is asked, and how it answers, whatever the version of HTTP."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

Fields = tuple[tuple[str, str], ...]


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    """host:port; one for each connection."""


class Wire(Protocol):
    """The way back to who asked. Nothing need be called: then it waits for ever."""

    def answer(self, status: int, fields: Fields, body: bytes) -> None:
        """Answers."""
        ...

    def cut(self) -> None:
        """Cuts the connection, with all that is under way on it."""
        ...

    def reset(self, *, unread: bool) -> None:
        """Ends this request alone (HTTP/2: RST_STREAM), as one that was never read or as one that broke."""
        ...

    def go_away(self) -> None:
        """Says that the connection ends after this request (HTTP/2: GOAWAY)."""
        ...


class App(Protocol):
    """Who answers."""

    @property
    def streams(self) -> int:
        """Requests at a time that a new connection is allowed."""
        ...

    def handle(self, asked: Asked, wire: Wire) -> None:
        """Answers now or later, or not at all."""
        ...

    def settle(self) -> None:
        """Called before answers leave: what they promise is kept from now on."""
        ...
