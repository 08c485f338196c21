"""A poll that was admitted."""

from dataclasses import dataclass
from typing import NamedTuple

from broadcaster.web.feeds.known_screens import KnownScreen
from broadcaster.web.feeds.served import Form


class Caller(NamedTuple):
    """Whose poll it is."""

    screen: KnownScreen
    key_id: str
    nonce: str = ""
    signing_key: bytes = b""
    """What it was signed with, opened for this poll alone; none where it was not."""


@dataclass(slots=True)
class Turn:
    """What is to be answered, and by what."""

    screen: KnownScreen
    key_id: str
    suffix: str
    form: Form
    tags: bytes
    state: bytes
    wait: int
    """Seconds that it may wait for news; 0 where there is news, or it did not ask to."""
    waited: bool = False
    nonce: str = ""
    """Of a signed poll."""
    signing_key: bytes = b""
    """What vouches for the answer to a signed poll."""
