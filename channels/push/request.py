"""One request to FCM, who asked it, and what may come of it."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, str], ...]


class Reply(NamedTuple):
    """An answer."""

    status: int
    retry_after: str | None
    body: bytes


class Loss(NamedTuple):
    """No answer, and never one."""

    reason: str
    ambiguous: bool
    """Whether the peer may have acted on the request."""


class Order(Protocol):
    """Who asked; told of every request once."""

    def wants(self, place: int) -> bool:
        """Asked as its turn comes: whether the request is still to be sent."""
        ...

    def answered(self, place: int, answer: Reply | Loss) -> None:
        """What came of the request of this place."""
        ...


class Request:
    """One POST."""

    __slots__ = (
        "body",
        "data",
        "deadline",
        "headers",
        "left_over",
        "order",
        "place",
        "refused",
        "status",
        "wish",
    )

    def __init__(self, order: Order, place: int, headers: Headers, body: bytes) -> None:
        self.order, self.place, self.headers, self.body = order, place, headers, body
        self.refused = 0
        """How often a peer gave it back unread by itself."""
        self.left_over = 0
        """How often a connection ended before the peer looked at it."""
        self.deadline = 0.0
        self.status = 0
        self.wish: str | None = None
        self.data = b""


Handback = Callable[[list[Request]], None]
